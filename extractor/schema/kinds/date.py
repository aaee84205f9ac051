"""Dates as documents write them, and the same as ISO 8601 at the precision stated.

Never more than was written: "March 2021" is 2021-03, not a day of it, and "March 3" has no year, though it may get one
from elsewhere (its key is then "--03-03"). What still goes on is "present".
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from extractor.schema.kinds.base import OTHER_READING, Json, ValueMention
from extractor.schema.kinds.calendars import days_of_other_calendars
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.days import GUESSED, YEAR, Day, all_number_days, east_asian_days, iso, months_in_figures
from extractor.schema.kinds.monthdays import named_days
from extractor.schema.kinds.months import last_words_of_present, present_words
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.roman import roman_numbers
from extractor.schema.kinds.spelled_days import spelled_days
from extractor.schema.kinds.tokens import words_of
from extractor.types import Span

PRESENT = "present"
YEAR_NOT_WRITTEN = "year not written"
PART = "part of a date"
_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:[T ]\d\d:\d\d.{0,20})?", re.ASCII)
_TIME, _FIGURE = re.compile(r"(?<![\d.:])(?:[01]?\d|2[0-4])[:.][0-5]\d(?:[:.]\d\d)?(?![\d:]|\.\d)"), re.compile(r"\d")
_YEAR_ALONE = re.compile(r"(?<![\w.,/$€£¥'-])(?:(?<=\D)|^)((?:18|19|20|21)\d\d)(?![\w%]|[.,]\d|-\d{5})")
_YEAR_JOINED = re.compile(
    r"(?<=[\d/–-])((?:19|20)\d\d)(?![\w%]|[.,/-]\d)|(?<![\w.,])((?:19|20)\d\d)(?=[-/–]\d\d(?!\d))"
)
_FISCAL = re.compile(r"\b(?:FY|CY|GJ|WJ|MY)[ -]?'?(\d\d)(?![\d.,%])")
_SECOND_YEAR = re.compile(r"(?<![\w.,/-])((?:19|20)(\d\d)[/–-](\d\d))(?![\w/]|[.,–-]\d)")
"""A business year over two calendar years: 2023/24."""
_TWO_YEARS = re.compile(r"(?<![\w.,/-])((?:19|20)\d\d)[ ]?[/–-][ ]?((?:19|20)?\d\d)(?![\w/]|[.,–-]\d)")
_TAG = re.compile(r"(?:(?<=\s)|(?<=\()|^)'(\d\d)(?![\w'])")


@dataclass(frozen=True, slots=True)
class DateKind:
    """Days, months and years; the record's form is ISO 8601 at the precision written, or "present"."""

    name: str = "date"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every date, and its month and year as parts of it."""
        for m in _TWO_YEARS.finditer(plain(text)):
            if years := _read_two_years(m[0]):
                yield ValueMention(Span(*m.span()), years)
        for day in find_days(text, reading):
            span = Span(day.start, day.end)
            yield ValueMention(span, day.iso, day.rule)
            if len(day.iso) == 10:
                yield ValueMention(span, day.iso[:7], PART)
            if len(day.iso) >= 7 and day.iso[0] != "-" and day.iso != PRESENT:
                yield ValueMention(span, day.iso[:4], PART)

    def keys(self, value: Json) -> Iterator[tuple[Hashable, str]]:
        """The date itself; of a date with a time, the date; of two years in a row both."""
        if isinstance(value, int) and not isinstance(value, bool) and 1000 <= value <= 2399:
            value = str(value)
        if not isinstance(value, str):
            return
        if years := _read_two_years(value.strip()):
            yield years, ""
            return
        written = _ISO.fullmatch(value.strip())
        found = self.normalise(value, Reading() if written else Reading.of(value))
        if found is not None:
            yield found, "time left out" if written and len(value.strip()) > 10 else ""
        if found is not None and written is None:
            yield from ((key, OTHER_READING) for key in _readings(value) if key != found)

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one date that the words are, or hold, the likeliest where they may be read in two ways."""
        found = list(find_days(words, reading))
        if not found:
            return None
        longest = (
            max(len(day.iso) for day in found if day.iso != PRESENT) if any(d.iso != PRESENT for d in found) else 0
        )
        whole = [d for d in found if (len(d.iso) == longest or d.iso == PRESENT) and d.iso[0] != "-"]
        best = {d.iso for d in whole if d.rule in ("", GUESSED, "two-digit year")} or {d.iso for d in whole}
        return best.pop() if len(best) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """ISO 8601 of what was said; of a date with a time, the date."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return None
        if written := _ISO.fullmatch(value.strip()):
            return iso(*(int(part) for part in written.groups() if part))
        rest, at = [], 0
        for day in sorted(find_days(value, reading)):
            rest.append(value[at : max(at, day.start)])
            at = max(at, day.end)
        if _FIGURE.search(_TIME.sub("", plain(" ".join([*rest, value[at:]])))):
            return None  # 2024-Q3 is no year
        return self.parse(value, reading)

    def same(self, a: Json, b: Json) -> bool:
        """Whether both say the same date at the same precision, however they are written."""
        if not isinstance(a, str | int) or not isinstance(b, str | int):
            return False
        together = Reading.of(f"{a}\n{b}")
        first = self.normalise(a, together)
        return first is not None and first == self.normalise(b, together)


def _read_two_years(words: str) -> tuple[int, int] | None:
    """The years of 2023/24 and 2023-2024, which follow each other; None of other words."""
    if (m := _TWO_YEARS.fullmatch(words)) is None:
        return None
    first, second = int(m[1]), m[2]
    follows = int(second) == (first + 1) % 10 ** len(second)
    return (first, first + 1) if follows else None


def _readings(words: str) -> list[str]:
    return list(dict.fromkeys(day.iso for day in find_days(words, Reading.of(words)) if day.iso[0] != "-"))


@lru_cache(maxsize=4)
def find_days(text: str, reading: Reading) -> tuple[Day, ...]:
    """Every date in the text; years by themselves where they are no part of one. Kept for the kind with times."""
    return tuple(_found(text, reading))


def _found(text: str, reading: Reading) -> Iterator[Day]:
    simple_text = plain(text)
    found = [*all_number_days(simple_text, reading), *east_asian_days(simple_text), *named_days(text, simple_text)]
    found += spelled_days(text, simple_text, reading)
    found += days_of_other_calendars(text, simple_text)
    yield from found
    taken = bytearray(len(text) + 1)
    for day in found:
        taken[day.start : day.end] = b"\1" * (day.end - day.start)
    for month in months_in_figures(simple_text):
        if not taken[month.start]:
            yield month
            taken[month.start : month.end] = b"\1" * (month.end - month.start)
    for pattern in (_YEAR_ALONE, _YEAR_JOINED):
        for m in pattern.finditer(simple_text):
            if not taken[m.start()]:
                yield Day(m.start(), m.end(), m[0])
                taken[m.start()] = 1
    for m in _TAG.finditer(simple_text):
        if not taken[m.start()]:
            yield Day(m.start(), m.end(), f"{'20' if int(m[1]) < 70 else '19'}{m[1]}", "year from a tag")
    for m in _FISCAL.finditer(simple_text):
        yield Day(m.start(1), m.end(1), f"20{m[1]}", "year from a tag")
    for m in _SECOND_YEAR.finditer(simple_text):
        if int(m[3]) == (int(m[2]) + 1) % 100:
            yield Day(m.start(1), m.end(1), str(int(m[1][:4]) + 1), "second year of two")
    for start, end, year in roman_numbers(text):
        if 1500 <= year < 2200:
            yield Day(start, end, str(year), "Roman numeral")
    yield from _present(text)


def _present(text: str) -> Iterator[Day]:
    phrases, lasts = present_words(), last_words_of_present()
    words = words_of(text)
    for i, (_, end, word) in enumerate(words):
        if word not in lasts:
            continue
        for first in range(max(0, i - 2), i + 1):
            start = words[first][0]
            if end - start <= 32 and " ".join(w for _, _, w in words[first : i + 1]) in phrases:
                yield Day(start, end, PRESENT)
                break
    if not text.isascii():
        for m in re.finditer("至今|现在|現在|现任|ปัจจุบัน", text):
            yield Day(m.start(), m.end(), PRESENT)


__all__ = ["PART", "PRESENT", "YEAR", "YEAR_NOT_WRITTEN", "DateKind", "find_days"]
