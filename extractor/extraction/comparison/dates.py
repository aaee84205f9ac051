"""Dates at the precision in which they are stated.

A date is (year, month, day), the finer parts None where they are not stated; "present" is a date of its own.
Only what can be read in one way is read: 20/03/2018 has one reading, 03/04/2018 has two and stays a text.
"""

from __future__ import annotations

import calendar
import re
from typing import TypeAlias

StatedDate: TypeAlias = tuple[int, int | None, int | None]

PRESENT_WORDS = frozenset(
    ("present", "now", "current", "currently", "today", "ongoing", "on-going", "to date", "till now", "until now")
)
"""What is read as "present"."""

_ENGLISH = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS = {
    **{name: number for number, name in enumerate(_ENGLISH, 1)},
    **{name[:3]: number for number, name in enumerate(_ENGLISH, 1)},
    "sept": 9,
}
YEAR_CONTEXT_CHARACTERS = 40
"""Characters around a year in which its month and day are looked for."""

_ISO = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?", re.ASCII)
_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/.](\d{4})", re.ASCII)
_ORDINAL = r"(\d{1,2})(?:st|nd|rd|th)?"
_WORD = r"([a-z]+)\.?"
_NAMED = (
    (re.compile(rf"{_ORDINAL}(?: of)?[ -]?{_WORD},?[ -]?(\d{{4}})", re.ASCII), (3, 2, 1)),
    (re.compile(rf"{_WORD}[ -]?(?:{_ORDINAL},? )?,? ?(\d{{4}})", re.ASCII), (3, 1, 2)),
    (re.compile(rf"(\d{{4}}),?[ -]?{_WORD}(?:[ -]?{_ORDINAL})?", re.ASCII), (1, 2, 3)),
)


def parse_plain_date(text: str) -> StatedDate | str | None:
    """The date that the plain text is, "present" for a word for it, None for no date or more than one reading."""
    if text in PRESENT_WORDS:
        return "present"
    if found := _ISO.fullmatch(text):
        year, _, month, day = found.groups()
        return _build_date(year, month, day)
    if found := _DAY_MONTH_YEAR.fullmatch(text):
        first, _, second, year = found.groups()
        readings = {_build_date(year, second, first), _build_date(year, first, second)} - {None}
        return readings.pop() if len(readings) == 1 else None
    if found := _MONTH_YEAR.fullmatch(text):
        return _build_date(found[2], found[1], None)
    for pattern, (year_at, month_at, day_at) in _NAMED:
        found = pattern.fullmatch(text)
        if found and found[month_at] in MONTHS:
            return _build_date(found[year_at], str(MONTHS[found[month_at]]), found[day_at])
    return None


def _build_date(year: str, month: str | None, day: str | None) -> StatedDate | None:
    y, m, d = int(year), None if month is None else int(month), None if day is None else int(day)
    if y == 0 or (m is not None and not 1 <= m <= 12):
        return None
    if m is not None and d is not None and not 1 <= d <= calendar.monthrange(y, m)[1]:
        return None
    return y, m, d


def is_date_mentioned(date: StatedDate, text: str) -> bool:
    """Whether the text has the year, in four digits or behind an apostrophe, and near it the month and the day.

    Lenient on purpose: it decides whether a date was read from the text at all, not which date it is.
    """
    year, month, day = date
    for found in re.finditer(rf"(?<!\d)(?:{year:04d}|['’‘]{year % 100:02d})(?!\d)", text):
        near = (
            text[max(0, found.start() - YEAR_CONTEXT_CHARACTERS) : found.start()]
            + " "
            + text[found.end() : found.end() + YEAR_CONTEXT_CHARACTERS]
        )
        if (month is None or _mentions_month(month, near)) and (day is None or _mentions_number(day, near)):
            return True
    return False


def _mentions_month(month: int, text: str) -> bool:
    if _mentions_number(month, text):
        return True
    names = "|".join(name for name, number in MONTHS.items() if number == month)
    glued = "|".join(name.capitalize() for name, number in MONTHS.items() if number == month)  # "cs.CVApr 13, 2023"
    return re.search(rf"(?i:(?<![a-z])(?:{names})(?![a-z]))|(?:{glued})(?![a-z])", text) is not None


def _mentions_number(number: int, text: str) -> bool:
    return re.search(rf"(?<!\d)0?{number}(?:st|nd|rd|th)?(?!\d)", text) is not None
