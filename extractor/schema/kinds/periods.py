"""Quarters, halves and business years: "Q3 2024", "3. Quartal 2024", "first half of 2023", "2024年第3四半期", "FY24".

What a quarter is called in 79 locales is CLDR's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from extractor.schema.kinds.base import Json, ValueMention, share_a_key
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import simple, simple_in_place
from extractor.schema.kinds.months import figures_of_kanji
from extractor.schema.kinds.ordinals import ordinal_of
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

Key = tuple[str, int, int]
"""Quarter, half or year ("Q", "H", "Y"), which of them, and the year."""

_HALVES = (
    "half half-year halfyear halbjahr semestre semester semestr polrocze półrocze halvar halvår halfjaar pololeti "
    "pololetí polletie felev félév полугодие півріччя полугодия εξαμηνο εξάμηνο puolivuosi yariyil yarıyıl 半期 半年"
).split()
_YEARS = (
    r"FY|GJ|(?:fiscal|financial|business) year|Gesch[äa]ftsjahr|Wirtschaftsjahr|exercice|ejercicio|esercizio|boekjaar"
    r"|r[äa]kenskaps[åa]r|regnskabs[åa]r|rok obrotowy"
)
"""What business years are called before their number."""
_YEAR = r"(?:'?(?P<y2>\d\d)|(?P<y>(?:19|20)\d\d))(?![\d%]|[.,]\d)"
_OF = r"(?:[ ,./'-]|of|del?|des|di|do|du|da|van|year|in|FY|CY|GJ|ng|nam|năm){0,4}?"
_SHORT = re.compile(
    r"(?<![\w.,-])(?:(?P<p>Q|T|K|Ç|H|S|HJ|QT)(?P<n>[1-4])|(?P<n2>[1-4])[ ]?(?P<p2>Q|H|T|S|HJ))"
    rf"(?:[ .,/-]|of|FY|CY){{0,3}}{_YEAR}"
)
_SHORT_BEHIND = re.compile(
    r"(?<![\w.,-])(?:FY)?(?P<y2>(?!))?(?P<y>(?:19|20)\d\d)[ ./-]{0,2}"
    r"(?:(?P<p>Q|T|H|S|HJ)(?P<n>[1-4])|(?P<n2>[1-4])(?P<p2>Q|H))(?!\w)"
)
_BEFORE = re.compile(
    r"(?P<number>[1-4]|I{1,3}|IV|[^\W\d_]{3,14})(?:[.º°ª]|[.-]?(?:er|e|n?d|rd|st|th|r|o|a|й|я|ое|ге|de|ste))?\.?[ -]?$"
)
_BEHIND = re.compile(r"[ ]?(?P<number>[1-4])(?!\d)")
_YEAR_BEHIND = re.compile(rf"\.?{_OF}{_YEAR}", re.I)
_YEAR_BEFORE = re.compile(r"(?P<y>(?:19|20)\d\d)[ ]?(?:年度?|년도?)?[., ]{0,2}$")
_EAST = re.compile(
    r"(?P<y>(?:19|20)\d\d)[ ]?(?:年度?|년도?)[ ]?"
    r"(?:(?:第|제[ ]?)?(?P<n>[1-4一二三四])(?:/4)?[ ]?(?:四半期|季度|季|분기)"
    r"|(?P<half>上|下|상|하)(?:半期|半年|반기))"
)
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4}
_FISCAL = re.compile(rf"(?<!\w)(?:{_YEARS})[ :-]{{0,2}}{_YEAR}", re.I)
_LETTERS = {"Q": "Q", "T": "Q", "K": "Q", "Ç": "Q", "QT": "Q", "H": "H", "S": "H", "HJ": "H"}
_MOST = {"Q": 4, "H": 2}


@cache
def _nouns() -> tuple[re.Pattern[str], frozenset[str]]:
    halves = frozenset(simple(word) for word in _HALVES)
    words = {*table("quarters"), *halves, "quarters", "quartals", "trimestres", "kwartału", "квартале", "квартала"}
    listed = sorted((re.escape(w) for w in words if len(w) > 2 or not w.isascii()), key=len, reverse=True)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(listed)})(?![^\W\d_])"), halves


@dataclass(frozen=True, slots=True)
class PeriodKind:
    """The record's form is as said; equal are the same quarter, half or business year of one year."""

    name: str = "period"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every quarter and half with its year, and every business year."""
        words = plain(text)
        for pattern in (_SHORT, _SHORT_BEHIND):
            for m in pattern.finditer(words):
                sort = _LETTERS[m["p"] or m["p2"]]
                if (number := int(m["n"] or m["n2"])) <= _MOST[sort]:
                    yield ValueMention(Span(*m.span()), (sort, number, _year(m)))
        for m in _EAST.finditer(words):
            which = figures_of_kanji(m["n"]) if m["n"] else 1 if m["half"] in "上상" else 2
            if which is not None:
                yield ValueMention(Span(*m.span()), ("Q" if m["n"] else "H", which, int(m["y"])))
        yield from _in_words(text, words)
        for m in _FISCAL.finditer(words):
            yield ValueMention(Span(*m.span()), ("Y", 1, _year(m)))

    def keys(self, value: Json) -> Iterator[tuple[Key, str]]:
        """What was said, where it is a period and no more."""
        if not isinstance(value, str) or len(value) > 60:
            return
        words = value.strip()
        for mention in self.find(words, Reading()):
            if mention.span.start == 0 and mention.span.end == len(words):
                yield mention.key, ""  # type: ignore[misc]
                return

    def parse(self, words: str, reading: Reading) -> str | None:
        """Nothing: the record's form is what was said."""
        return None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """A period itself."""
        return value if isinstance(value, str) and next(self.keys(value), None) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are one period."""
        return share_a_key(self, a, b)


def _year(m: re.Match[str]) -> int:
    if m["y"]:
        return int(m["y"])
    short = int(m["y2"])
    return 2000 + short if short < 70 else 1900 + short


def _in_words(text: str, words: str) -> Iterator[ValueMention]:
    """Quarters and halves that are called so: "third quarter of 2024", "I полугодие 2023", "Quý 3 năm 2024"."""
    pattern, halves = _nouns()
    lowered = simple_in_place(text)
    for noun in pattern.finditer(lowered):
        sort = "H" if simple(noun[0]) in halves else "Q"
        start, end, number = noun.start(), noun.end(), None
        if before := _BEFORE.search(words, max(0, start - 22), start):
            number, start = _number(before["number"]), before.start("number")
        if number is None and (behind := _BEHIND.match(words, end)):
            number, start, end = int(behind["number"]), noun.start(), behind.end()
        if number is None or not 1 <= number <= _MOST[sort]:
            continue
        if year := _YEAR_BEHIND.match(words, end):
            yield ValueMention(Span(start, year.end()), (sort, number, _year(year)))
        elif ahead := _YEAR_BEFORE.search(words, max(0, start - 9), start):
            yield ValueMention(Span(ahead.start(), end), (sort, number, int(ahead["y"])))


def _number(word: str) -> int | None:
    if word.isdecimal():
        return int(word)
    return _ROMAN.get(word) or ordinal_of(simple(word))
