"""All-number dates and those of East Asia: 03.03.2024, 20240303, 09/2021, 令和6年3月3日."""

from __future__ import annotations

import contextlib
import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from extractor.schema.kinds.base import OTHER_READING
from extractor.schema.kinds.months import ERAS, THAI, figures_of_kanji
from extractor.schema.kinds.reading import Reading

GUESSED = "order of day and month guessed"
OF_THE_END = "year of the range's end"
OF_THE_BEGIN = "year of the range's begin"
YEAR = r"(?:1[5-9]|20|21|2[4-6])\d\d"
"""Four digits of a year; 24xx to 26xx are Thai, counted from 543 before Christ."""

_SEPARATOR = r"[ \u00a0]?"
_YEAR_FIRST = re.compile(
    rf"(?:(?<![\d.,/-])|(?<=-\d\d/))(?P<y>{YEAR})(?P<s>[-./]){_SEPARATOR}(?P<m>\d{{1,2}})(?P=s){_SEPARATOR}"
    rf"(?P<d>\d{{1,2}})"
    rf"(?!\d|-\d|/\d(?!\d{{0,3}}-\d\d))"
)
_YEAR_LAST = re.compile(
    rf"(?<![\d/])(?<!\d[.,])(?:(?<!\d-)|(?<=\d[./]\d\d\d\d-)|(?<=\d[./]\d\d-))(?P<a>\d{{1,2}})"
    rf"(?P<s>{_SEPARATOR}[-./]){_SEPARATOR}(?P<b>\d{{1,2}})"
    rf"(?P=s)[ \u00a0\n]?(?P<y>{YEAR}|'?\d\d)(?![\d%]|[/.,]\d|-\d(?!\d?[./]\d))"
)
_RANGE_BEGIN = re.compile(
    rf"(?<![\w.,/-])(?P<day>(?P<a>\d{{1,2}})(?:(?P<s>[./])(?P<b>\d{{1,2}})?\.?)?){_SEPARATOR}"
    rf"(?:[-–—]|\b(?:to|bis|au|al|a|hasta|tot|do|до)\b){_SEPARATOR}$",
    re.I,
)
"""What a range in figures begins with: "01.03. – " and "1/3 to " of a day and a month, "01.-" of a day."""
_SPACED = re.compile(r"(?<![\d.,/-])(?<!\d )(?P<a>\d\d) (?P<b>\d\d) (?P<y>(?:19|20)\d\d)(?![\d.,]| \d)")
_COMPACT = re.compile(
    r"(?<![\w.,-])(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?=T\d|Z|[^\w]|$)(?![.,-]\d)"
)
_ROMAN = re.compile(
    rf"(?<![\w.])(?P<d>\d{{1,2}})[. /-]{{1,2}}(?P<m>I{{1,3}}|IV|VI{{0,3}}|IX|XI{{0,2}})[. /-]{{1,2}}(?P<y>{YEAR})(?!\d)"
)
_ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ROMAN_FIRST = re.compile(
    rf"(?<![\w.])(?P<y>{YEAR})[.][ ]?(?P<m>I{{1,3}}|IV|VI{{0,3}}|IX|XI{{0,2}})[.][ ]?(?P<d>\d{{1,2}})(?!\d)"
)
_ISO_WEEK = re.compile(rf"(?<![\w./-])(?P<y>{YEAR})-?W(?P<w>[0-5]\d)-?(?P<d>[1-7])(?![\w/]|[.-]\d)")
_DAY_OF_YEAR = re.compile(r"(?<![\w.,/+-])(?P<y>(?:19|20)\d\d)-(?P<d>[0-3]\d\d)(?![\w/]|[.,-]\d)")
_MONGOLIAN = re.compile(rf"(?P<y>{YEAR})(?:[ ]?оны?)?[ ](?P<m>\d{{1,2}})(?:-?р)?[ ]сарын[ ](?P<d>\d{{1,2}})(?!\d)")
_MINGUO = re.compile(r"(?<![\d./-])(?P<y>1\d\d|[5-9]\d)(?P<s>[./-])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?![\d./-])")
_TAGGED_FIRST = re.compile(r"(?<![\w'])'(?P<y>\d\d)(?P<s>[./])[ ]?(?P<m>\d{1,2})(?P=s)[ ]?(?P<d>\d{1,2})(?![\d/])")
_RANGE_END = re.compile(
    r"(?:日|일|号|\d)?(?:[ ]?[(（][^()（）\n]{1,3}[)）])?[ ]?(?:[~–—/-]|から|至|到|부터)[ ]?"
    r"(?P<day>(?:(?P<m>\d{1,2})[ ]?(?P<s>[月월/.-])[ ]?)?(?P<d>\d{1,2}))(?P<end>[ ]?[日号일])?(?![\d/]|[.,-]\d)"
)
"""The end of a range that writes its year at the begin alone: 2024年8月28日～9月3日, 2024/8/28～9/3; or its month."""
_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_EAST = re.compile(
    rf"(?:(?P<era>{'|'.join(e for e in ERAS if len(e) > 1)})[ ]?(?P<n>\d{{1,3}}|元"
    rf"|[一二三四五六七八九十]{{1,3}})|(?P<y>\d{{4}}|[〇零一二三四五六七八九]{{4}}|(?<!\d)\d\d(?= ?[年년])))"
    rf"[ ]?[年년][ ]?(?:(?P<m>{_NUMBER})[ ]?[月월](?:[ ]?(?P<d>{_NUMBER})[ ]?[日号號일])?)?"
)
_ERA_SHORT = re.compile(
    r"(?<![A-Za-z\d])(?P<era>[RHS]|令和?|平成?|昭和?)(?P<n>\d{1,2})(?P<s>[./])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?![\d./])"
)
_VIETNAMESE = re.compile(
    r"(?:(?P<d>\d{1,2})[ ,]{1,2})?(?:tháng|thg\.?) (?P<m>\d{1,2})(?:[ ,]{1,2}|/|-| năm )(?:năm )?(?P<y>\d{4})(?!\d)",
    re.I,
)
_THAI = re.compile(
    rf"(?:(?P<d>\d{{1,2}})[ ]?)?(?P<m>{'|'.join(map(re.escape, THAI))})[ ]?(?:[คพ]\.ศ\.[ ]?)?(?P<y>\d{{4}}|\d\d)(?!\d)"
)
_MONTH_YEAR = re.compile(
    rf"(?<![\w./,'-])(?P<m>0[1-9]|1[0-2]|[1-9])(?P<s>[ ]?/[ ]?|[.-])(?P<y>{YEAR})(?![\w]|[ ]?/[ ]?\d|[.,]\d|-\d)"
)
_YEAR_MONTH = re.compile(r"(?<![\w./,-])(?P<y>(?:19|20)\d\d)(?P<s>[-/.])(?P<m>0[1-9]|1[0-2])(?![\w]|[-/.,]\d)")
_EXPIRY = re.compile(r"(?<![\w./,-])(?P<m>0[1-9]|1[0-2])(?P<s>/)(?P<y>[1-4]\d)(?![\w/%]|[.,-]\d)")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_DIGITS = re.compile(r"\d+")
_SEPARATORS = frozenset("./-")
_NUMBERED = re.compile(
    r"(?:\b(?:nos?|nr|num(?:ber)?|vol(?:ume)?|iss(?:ue)?|sec(?:tion)?|art|pp?)\b\.?|[#№§$€£])[ ]*$", re.I
)


class Day(NamedTuple):
    """A date in the text at the precision written: "2024-03-03", "2024-03", "2024", "--03-03" without its year."""

    start: int
    end: int
    iso: str
    rule: str = ""


def iso(year: int, month: int | None = None, day: int | None = None) -> str | None:
    """ISO 8601 at the precision given; None for a day that no calendar has. Thai years become common ones."""
    if 2400 <= year <= 2699:
        year -= 543
    if not 1000 <= year <= 2399 or (month is not None and not 1 <= month <= 12):
        return None
    if month is None:
        return f"{year:04}"
    if day is None:
        return f"{year:04}-{month:02}"
    return f"{year:04}-{month:02}-{day:02}" if 1 <= day <= monthrange(year, month)[1] else None


def full_year(written: str) -> tuple[int, int | None]:
    """The year that two or four digits say, and for two the same year of the other century if it is as likely."""
    written = written.strip("'’ ")
    year = int(written)
    if len(written) == 4:
        return year, None
    return (2000 + year, 1900 + year if year >= 30 else None) if year < 70 else (1900 + year, None)


def all_number_days(plain: str, reading: Reading) -> Iterator[Day]:
    """Days in figures, whatever comes first. Tried where a run of digits begins and a separator follows."""
    for digits in _DIGITS.finditer(plain):
        start, end = digits.span()
        near = plain[end : end + 1]
        if near == " " or near == "\u00a0":
            near = plain[end + 1 : end + 2]
        if end - start == 8 and (m := _COMPACT.match(plain, start)):
            if found := iso(int(m["y"]), int(m["m"]), int(m["d"])):
                yield Day(m.start(), m.end(), found)
        elif end - start == 4 and near in _SEPARATORS:
            if (m := _YEAR_FIRST.match(plain, start)) and (found := iso(int(m["y"]), int(m["m"]), int(m["d"]))):
                yield Day(m.start(), m.end(), found)
                yield from end_of_range(plain, m.end(), found, m["s"])
            else:
                yield from _days_of_weeks_and_years(plain, start)
        elif end - start == 4 and plain[end : end + 1] == "W":
            yield from _days_of_weeks_and_years(plain, start)
        elif end - start <= 2 and near:
            if near in _SEPARATORS and (m := _YEAR_LAST.match(plain, start)):
                ends = list(_day_or_month_first(m, reading))
                yield from ends
                yield from _begin_of_range(plain, m, ends)
            elif near in ".IVX -/" and (m := _ROMAN.match(plain, start)):
                if found := iso(int(m["y"]), _ROMANS.index(m["m"]) + 1, int(m["d"])):
                    yield Day(m.start(), m.end(), found)
            elif near.isdecimal() and (m := _SPACED.match(plain, start)):
                yield from _day_or_month_first(m, reading)


def _days_of_weeks_and_years(plain: str, start: int) -> Iterator[Day]:
    """2024-W36-2, 2024-247, and 2024. IX. 3."""
    if (m := _ISO_WEEK.match(plain, start)) and int(m["w"]) <= 53:
        with contextlib.suppress(ValueError):  # the year has no week 53
            yield Day(
                *m.span(), date.fromisocalendar(int(m["y"]), int(m["w"]), int(m["d"])).isoformat(), "day of a week"
            )
    elif (m := _DAY_OF_YEAR.match(plain, start)) and 1 <= int(m["d"]) <= 365:
        day = date(int(m["y"]), 1, 1) + timedelta(int(m["d"]) - 1)
        yield Day(*m.span(), day.isoformat(), "day of the year")
    elif (m := _ROMAN_FIRST.match(plain, start)) and (
        found := iso(int(m["y"]), _ROMANS.index(m["m"]) + 1, int(m["d"]))
    ):
        yield Day(*m.span(), found)


def end_of_range(plain: str, end: int, begin: str, sign: str) -> Iterator[Day]:
    """The day that follows a whole date as the end of a range, in the form of the date."""
    m = _RANGE_END.match(plain, end)
    if m is None:
        return
    east, written = {"年": "月", "년": "월"}.get(sign), m["s"] or ""
    if (written or east) != (east or sign) or (east is not None) != bool(m["end"]):
        return
    if not east and m["s"] in plain[end : m.start("day")]:
        return
    found = iso(int(begin[:4]), int(m["m"] or begin[5:7]), int(m["d"]))
    if found and found > begin:
        yield Day(m.start("day"), m.end(), found, OF_THE_BEGIN)


def _day_or_month_first(m: re.Match[str], reading: Reading) -> Iterator[Day]:
    a, b = int(m["a"]), int(m["b"])
    year, other_century = full_year(m["y"])
    likely, unlikely = ((a, b), (b, a)) if reading.day_first else ((b, a), (a, b))
    first, second = (iso(year, month, day) for day, month in (likely, unlikely))
    guessed = "" if reading.day_first_known or a == b or first is None or second is None else GUESSED
    if (
        reading.languages[:1] in (("ja",), ("zh",), ("ko",), ("hu",))
        and len(m["y"]) == 2
        and (found := iso(2000 + a, b, int(m["y"])))
    ):
        yield Day(m.start(), m.end(), found)  # 24/03/05
        guessed = guessed or OTHER_READING
    if first:
        yield Day(m.start(), m.end(), first, guessed)
    if second and second != first and not (first and reading.one_order):
        yield Day(m.start(), m.end(), second, OTHER_READING if first else guessed)
    if other_century and (
        found := iso(other_century, likely[1], likely[0]) or iso(other_century, unlikely[1], unlikely[0])
    ):
        yield Day(m.start(), m.end(), found, OTHER_READING)


def _begin_of_range(plain: str, end: re.Match[str], ends: Sequence[Day]) -> Iterator[Day]:
    """The first day of a range that writes its year, and perhaps its month, at the end alone: 01.03.–03.03.2024."""
    sign = end["s"].strip()
    begin = _RANGE_BEGIN.search(plain, max(0, end.start() - 16), end.start())
    if begin is None or begin["s"] != sign or sign == "-":
        return
    for last in ends:
        year, month, day = (int(part) for part in last.iso.split("-"))
        day_first = int(end["a"]) == day
        first = int(begin["a"])
        if begin["b"] is None:
            found = iso(year, month, first) if day_first and first < day else None
        else:
            other = int(begin["b"])
            found = iso(year, *((other, first) if day_first else (first, other)))
        if found and found < last.iso:
            yield Day(*begin.span("day"), found, last.rule or OF_THE_END)


def east_asian_days(plain: str) -> Iterator[Day]:
    """Dates with 年月日 or 년월일, by era too; Vietnamese ones, whose months are numbered; Thai abbreviations."""
    if "thg" in plain or "tháng" in plain.lower():
        for m in _VIETNAMESE.finditer(plain):
            if found := iso(int(m["y"]), int(m["m"]), int(m["d"]) if m["d"] else None):
                yield Day(m.start(), m.end(), found)
    for m in _TAGGED_FIRST.finditer(plain) if "'" in plain and not plain.isascii() else ():
        if found := iso(2000 + int(m["y"]), int(m["m"]), int(m["d"])):
            yield Day(m.start(), m.end(), found, "two-digit year")
    if plain.isascii():
        return
    for m in _MONGOLIAN.finditer(plain) if "сарын" in plain else ():
        if found := iso(int(m["y"]), int(m["m"]), int(m["d"])):
            yield Day(m.start(), m.end(), found)
    for m in _MINGUO.finditer(plain) if "民國" in plain or "民国" in plain else ():
        if found := iso(1911 + int(m["y"]), int(m["m"]), int(m["d"])):
            yield Day(m.start(), m.end(), found, "year of an era")
    if "年" in plain or "년" in plain:
        for m in _EAST.finditer(plain):
            number = figures_of_kanji((m["n"] or m["y"]).strip("'"))
            month, day = (figures_of_kanji(m[g]) if m[g] else None for g in ("m", "d"))
            if number is not None:
                year = ERAS[m["era"]] + number if m["era"] else number if number > 99 else 2000 + number
                found = iso(year, month, day)
                if found and (month or number > 999 or m["era"]):
                    yield Day(m.start(), m.end(), found)
                    if day:
                        yield from end_of_range(plain, m.end(), found, "년" if "년" in m[0] else "年")
    if "ย." in plain or "ค." in plain or "พ." in plain:
        yield from _thai_days(plain)
    if _has_japanese(plain):
        for m in _ERA_SHORT.finditer(plain):
            if found := iso(ERAS[m["era"]] + int(m["n"]), int(m["m"]), int(m["d"])):
                yield Day(m.start(), m.end(), found)


def _thai_days(plain: str) -> Iterator[Day]:
    for m in _THAI.finditer(plain):
        year = int(m["y"]) if len(m["y"]) == 4 else 2500 + int(m["y"])
        if found := iso(year, THAI.index(m["m"]) + 1, int(m["d"]) if m["d"] else None):
            yield Day(m.start(), m.end(), found)


def _has_japanese(plain: str) -> bool:
    """Whether the text has Japanese characters, so that R6.3.3 may be a date."""
    return _JAPANESE.search(plain) is not None


def months_in_figures(plain: str) -> Iterator[Day]:
    """09/2021, 2021-09, 09/27: months of a year. No. 3/2021 is the third of a year."""
    for digits in _DIGITS.finditer(plain):
        start, end = digits.span()
        if end - start not in (1, 2, 4) or (plain[end : end + 1] not in _SEPARATORS and plain[end : end + 2] != " /"):
            continue
        pattern = _YEAR_MONTH if end - start == 4 else _MONTH_YEAR
        m = pattern.match(plain, start)
        if m is None and end - start == 2:
            pattern = _EXPIRY
            m = pattern.match(plain, start)
        if m is None or _NUMBERED.search(plain, max(0, start - 12), start):
            continue
        sign = m["s"].strip()
        if len(m["m"]) == 1 and sign != "/":
            continue  # 9.2021 is more often a number, 9-2021 a range
        rule = "two-digit year" if pattern is _EXPIRY else OTHER_READING if sign == "." else ""
        if found := iso(full_year(m["y"])[0], int(m["m"])):
            yield Day(m.start(), m.end(), found, rule)
