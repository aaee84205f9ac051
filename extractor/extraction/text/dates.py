"""Dates as documents write them, and the same as ISO 8601 at the precision stated.

Never more than was written: "March 2021" is 2021-03, not a day of it. What still goes on is "present".
Month names are English; all-number dates are read day first unless the document shows otherwise. A month and a year in
figures (09/2021) are read where they can be nothing else; 09/21 is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from extractor.types import Span

PRESENT = "present"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>(?!may)(?i:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?))\.?"
)
_YEAR = r"(?:19|20)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_PATTERNS = (
    rf"(?<!\d)(?P<y1>{_YEAR})[-./年](?P<m1>1[0-2]|0?[1-9])(?:[-./月](?P<d1>{_DAY})日?)?(?![\d])",
    rf"(?<![\d./-])(?P<a2>\d{{1,2}})(?P<s2>[-./])(?P<b2>\d{{1,2}})(?P=s2)(?P<y2>{_YEAR}|\d\d)(?!\d)",
    rf"(?<![a-z]){_MONTH.format('m3')}\s*(?P<d3>{_DAY})(?:st|nd|rd|th)?(?:\s++,?|,)\s*+(?<=\s)(?P<y3>{_YEAR})(?!\d)",
    rf"(?<![\w.])(?P<d4>{_DAY})(?:st|nd|rd|th)?[\s-]++(?:of\s++)?{_MONTH.format('m4')}"
    rf"(?:[,\s-]*+(?P<y4>{_YEAR})|(?:-|\s?['’])(?P<z4>\d\d))(?!\d)",
    rf"(?<![a-z]){_MONTH.format('m5')}[,\s-]*+(?P<y5>{_YEAR})(?!\d)",
    rf"(?:(?<![\w./-])|(?<=[./](?:19|20)\d\d-))(?P<m6>0[1-9]|1[0-2]|[1-9])(?P<s6>\s?/\s?|[.-])(?P<y6>{_YEAR})"
    r"(?!\w|\s?/\s?\d|[.,]\d)(?!-(?!\d?\d[./]|(?:19|20)\d\d(?!\d))\d)",
    r"(?<![a-z])(?i:(?P<now>present|current(?:ly)?|ongoing|now|today|to date))(?![a-z])",
    r"(?<=[A-Za-z])\s?['’](?P<tag>\d\d)(?!\d)",
    rf"(?<![\d.,$€£])(?P<y7>{_YEAR})(?![\d]|[.,]\d|[-\s]?lines|[-/](?!(?:19|20)?\d\d(?!\d))\d)",  # no 2026-0037
)
_DATE = re.compile("|".join(_PATTERNS))
_ALL_NUMBERS = re.compile(r"(?<![\d./-])(\d{1,2})([-./])(\d{1,2})\2(?:\d{4}|\d\d)(?!\d)")


class DateMention(NamedTuple):
    span: Span
    iso: str
    derived: bool
    """The year is implied by a tag such as ABC'21, not written out."""
    ranged: bool = False
    """It is one end of a span of time: "May 2020 – June 2021"."""


@lru_cache(maxsize=16)
def detect_day_first(text: str) -> bool:
    """How the text writes all-number dates, judged by those that leave no choice; day first when none does."""
    months_first = sum(int(m[3]) > 12 >= int(m[1]) for m in _ALL_NUMBERS.finditer(text))
    days_first = sum(int(m[1]) > 12 >= int(m[3]) for m in _ALL_NUMBERS.finditer(text))
    return days_first >= months_first


_TO = re.compile(r"\s*(?:-{1,3}|[\u2010-\u2015\u2212]|to|until|through|~)\s*", re.I)


def joins_dates(text: str) -> bool:
    """Whether the text between two dates makes them the ends of a span of time."""
    return _TO.fullmatch(text) is not None


def find_dates(text: str, *, day_first: bool = True) -> Iterator[DateMention]:
    """Every date in the text, in order, none overlapping."""
    found = list(_match_dates(text, day_first))
    between = [_TO.fullmatch(text, a.span.end, b.span.start) is not None for a, b in pairwise(found)]
    for date, before, after in zip(found, [False, *between], [*between, False], strict=True) if found else ():
        yield date._replace(ranged=before or after)


_NUMBERED = re.compile(
    r"(?:\b(?:nos?|nr|num(?:ber)?|vol(?:ume)?|iss(?:ue)?|sec(?:tion)?|art|pp?)\b\.?|[#№§$€£])\s*$", re.I
)
_DASH = r"(?:-|[\u2010-\u2015\u2212]|\b(?:to|until|through)\b)"
_ALONE_BEFORE, _ALONE_AFTER = re.compile(r"[\n\t|(\[][ ]*$"), re.compile(r"[ ]*(?:$|[\n\r\t|)\]])")
_JOINED_BEFORE = re.compile(rf"\.{_YEAR}[ ]?{_DASH}[ ]?$", re.I)
_JOINED_AFTER = re.compile(rf"[ ]?{_DASH}[ ]?(?:(?:0?[1-9]|1[0-2])\.{_YEAR}|present|current|ongoing|now|today)\b", re.I)


def _is_month_of_year(match: re.Match[str]) -> bool:
    """Whether figures such as 09/2021 are a month of a year. No. 3/2021 is the third of a year, 9-2021 a range, and
    9.2021 a number but where it stands alone or is one end of a span of time."""
    text, start, end = match.string, match.start(), match.end()
    sign, before = match["s6"].strip(), text[max(0, start - 20) : start] if start else "\n"
    if _NUMBERED.search(before):
        return False
    if sign == "-":
        return len(match["m6"]) == 2 and text[end : end + 1] != "-"
    if sign == "/" or match["m6"][0] == "0":
        return True
    alone = _ALONE_BEFORE.search(before) and _ALONE_AFTER.match(text, end)
    return bool(alone or _JOINED_BEFORE.search(before) or _JOINED_AFTER.match(text, end))


def _match_dates(text: str, day_first: bool) -> Iterator[DateMention]:
    for match in _DATE.finditer(text):
        if match["y6"] and not _is_month_of_year(match):
            if match["s6"] != ".":
                yield DateMention(Span(match.start("y6"), match.end("y6")), match["y6"], False)
            continue
        iso = _iso_of_match(match, day_first)
        if iso:
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            yield DateMention(Span(start, match.end()), iso, match["tag"] is not None)


def parse_date(text: str, *, day_first: bool = True) -> str | None:
    """The one date that the text is, or holds; None when it holds none or several that differ."""
    found = {date.iso for date in find_dates(text, day_first=day_first)}
    return found.pop() if len(found) == 1 else None


def _iso_of_match(match: re.Match[str], day_first: bool) -> str | None:
    if match["now"]:
        return PRESENT
    if match["tag"]:
        return f"20{match['tag']}" if int(match["tag"]) < 70 else f"19{match['tag']}"
    if match["y7"]:
        return match["y7"]
    if match["y6"]:
        return _format_iso(match["y6"], int(match["m6"]), None)
    if match["y1"]:
        return _format_iso(match["y1"], int(match["m1"]), match["d1"])
    if match["y2"]:
        a, b = int(match["a2"]), int(match["b2"])
        day, month = (a, b) if (day_first and b <= 12) or a > 12 else (b, a)
        year = match["y2"] if len(match["y2"]) == 4 else f"20{match['y2']}"
        return _format_iso(year, month, str(day))
    for form in "345":
        year = match[f"y{form}"] or (form == "4" and match["z4"] and f"20{match['z4']}")
        if year:
            month = _MONTHS.index(match[f"m{form}"][:3].lower()) + 1
            return _format_iso(year, month, match[f"d{form}"] if form != "5" else None)
    return None


def _format_iso(year: str, month: int, day: str | None) -> str | None:
    if not 1 <= month <= 12 or (day and not 1 <= int(day) <= 31):
        return None
    return f"{year}-{month:02}" + (f"-{int(day):02}" if day else "")
