"""Dates whose day or year is in words: "July third, two thousand five", "tres de julio de dos mil cinco"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from extractor.schema.kinds.days import YEAR, Day, iso
from extractor.schema.kinds.figures import number_of
from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.months import months_of
from extractor.schema.kinds.number import find_numbers
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.tokens import words_of

IN_WORDS = "date in words"
_UNITS = "first second third fourth fifth sixth seventh eighth ninth".split()
_TEENS = "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split()
_EIN = "ein zwei drei vier funf sechs sieben acht neun zehn elf zwolf".split()
_GERMAN = {
    **{f"{word}ten": day for day, word in enumerate(_EIN, 1)},
    "ersten": 1,
    "dritten": 3,
    "siebten": 7,
    "achten": 8,
    **{
        f"{word}zehnten": day
        for day, word in zip(range(13, 20), "drei vier funf sech sieb acht neun".split(), strict=True)
    },
    "zwanzigsten": 20,
    **{f"{word}undzwanzigsten": 20 + day for day, word in enumerate(_EIN[:9], 1)},
    "dreissigsten": 30,
    "einunddreissigsten": 31,
}
ORDINALS: Mapping[str, int] = {
    **{word: day for day, word in enumerate([*_UNITS, *_TEENS], 1)},
    **{f"twenty {word}": 20 + day for day, word in enumerate(_UNITS, 1)},
    "twentieth": 20,
    "thirtieth": 30,
    "thirty first": 31,
    **_GERMAN,
    **dict.fromkeys("premier primero primeiro primo erste eerste forsta forste uno um".split(), 1),
}
"""Days of a month as ordinals in words, folded."""
_BEFORE = re.compile(
    r"(?<![\w.,/])(?:(?P<figure>\d{1,2})(?:st|nd|rd|th|er|º|\.)?|(?P<word>(?:(?:twenty|thirty)[- ])?[^\W\d_]{3,24}))"
    r"(?: day| d[ií]as)?(?: of| de| del| di| da| den)?(?: the month of| (?:do |del )?m[eê]s de)?[ \n]$",
    re.I,
)
_AFTER = re.compile(r"[ ](?:the[ ])?(?P<word>(?:(?:twenty|thirty)[- ])?[^\W\d_]{3,24})", re.I)
_TO_YEAR = re.compile(
    r",?[ \n]{1,2}(?:(?:in[ ])?the[ ]year[ ](?:of[ ])?|(?:del?[ ])?(?:año|ano|anno|l'an)[ ]|(?:de|del|do|of)[ ])?", re.I
)
_YEAR_TO_DAY = re.compile(r",?[ \n](?:(?:le|il|el|the|den|am)[ ])?$", re.I)
_FIGURES = re.compile(rf"{YEAR}(?![\d]|[.,]\d)")


class _Number(NamedTuple):
    start: int
    end: int
    value: int
    spelled: bool


def spelled_days(text: str, simple_text: str, reading: Reading) -> Iterator[Day]:
    """Every date with a month's name of which the day, the year or both are in words."""
    for start, end, folded in words_of(text):
        months = months_of(folded)
        if not months:
            continue
        day, last = _day_before(text, start, reading), end
        behind = _AFTER.match(simple_text, end) if day is None else None
        if behind and (number := ORDINALS.get(_fold(behind["word"]))):
            day, last = _Number(start, end, number, True), behind.end("word")
        if day is None:
            continue
        year = _year_behind(simple_text, last, text, reading)
        if year is None and (gap := _YEAR_TO_DAY.search(text, max(0, day.start - 12), day.start)):
            year = _spelled_numbers(text, reading)[1].get(gap.start())  # l'an deux mille vingt-quatre, le trois mars
            if year and 1500 <= year.value < 2200 and (found := iso(year.value, months[0], day.value)):
                yield Day(year.start, last, found, IN_WORDS)
            continue
        if year and (day.spelled or year.spelled) and (found := iso(year.value, months[0], day.value)):
            yield Day(min(day.start, start), year.end, found, IN_WORDS)


def _fold(words: str) -> str:
    return " ".join(simple(words).replace("-", " ").split())


def _day_before(text: str, end: int, reading: Reading) -> _Number | None:
    m = _BEFORE.search(text, max(0, end - 60), end)
    if m is None:
        return None
    if m["figure"]:
        return _Number(m.start(), end, int(m["figure"]), False)
    found = _spelled_numbers(text, reading)[1].get(m.end("word"))
    if found and found.value <= 31:
        return found
    number = ORDINALS.get(_fold(m["word"]))
    return _Number(m.start(), end, number, True) if number else None


def _year_behind(simple_text: str, at: int, text: str, reading: Reading) -> _Number | None:
    gap = _TO_YEAR.match(simple_text, at)
    if gap is None:
        return None
    if figures := _FIGURES.match(simple_text, gap.end()):
        return _Number(figures.start(), figures.end(), int(figures[0]), False)
    found = _spelled_numbers(text, reading)[0].get(gap.end())
    return found if found and 1500 <= found.value < 2200 else None


@lru_cache(maxsize=2)
def _spelled_numbers(text: str, reading: Reading) -> tuple[Mapping[int, _Number], Mapping[int, _Number]]:
    """Numbers in words by where they begin, and by where they end."""
    found: list[_Number] = []
    for mention in find_numbers(text, reading):
        value = number_of(str(mention.key)) if mention.rule == "number in words" else None
        if isinstance(value, int):
            found.append(_Number(mention.span.start, mention.span.end, value, True))
    return {n.start: n for n in found}, {n.end: n for n in found}
