"""Dates of the Iranian and the Islamic calendar: "۱ فروردین ۱۴۰۳" and ۱۴۰۳/۰۱/۰۱ are 2024-03-20.

Islamic months begin when the moon is seen, or by a calendar of the country; reckoned ones (civil and astronomical)
differ by a day from each other, so both days are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from extractor.schema.kinds.days import Day
from extractor.schema.kinds.folding import simple

IRANIAN, ISLAMIC = "Iranian calendar", "Islamic calendar, reckoned"
_OF_IRAN = (
    "فروردین|farvardin, اردیبهشت|ordibehesht, خرداد|khordad, تیر|tir, مرداد|امرداد|mordad, شهریور|shahrivar, مهر|mehr, "
    "آبان|aban, آذر|azar, دی|dey, بهمن|bahman, اسفند|esfand"
)
_OF_ISLAM = (
    "محرم|muharram, صفر|safar, ربيع الأول|ربيع الاول|rabi al-awwal|rabi' al-awwal|rabi i, "
    "ربيع الآخر|ربيع الثاني|rabi al-thani|rabi' al-thani|rabi ii, جمادى الأولى|جمادى الاولى|jumada al-awwal"
    "|jumada al-ula|jumada i, جمادى الآخرة|جمادى الثانية|جمادى الاخرة|jumada al-thani|jumada al-akhirah|jumada ii, "
    "رجب|rajab, "
    "شعبان|sha'ban|shaban, رمضان|ramadan|ramadhan, شوال|shawwal, ذو القعدة|ذي القعدة|dhu al-qi'dah|dhu al-qadah"
    "|dhul qadah|dhul-qi'dah, ذو الحجة|ذي الحجة|dhu al-hijjah|dhul hijjah|dhul-hijjah"
)


def _numbered(listed: str) -> dict[str, int]:
    return {simple(name): n for n, names in enumerate(listed.split(", "), 1) for name in names.split("|")}


_IRAN, _ISLAM = _numbered(_OF_IRAN), _numbered(_OF_ISLAM)
_NAMES = "|".join(
    re.escape(name) for listed in (_OF_IRAN, _OF_ISLAM) for names in listed.split(", ") for name in names.split("|")
)
_NAMED = re.compile(
    rf"(?<![\d./-])(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[ \u00a0](?P<m>{_NAMES}),?[ \u00a0](?P<y>1[345]\d\d)(?!\d)", re.I
)
_FIGURES = re.compile(r"(?<![\d./-])(?P<y>1[34]\d\d)(?P<s>[/-])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?![\d/-])")
_ARABIC, _PERSIAN = re.compile(r"[\u0627-\u064a]"), re.compile(r"[پچژگکی]")
_FIRST_ISLAMIC_OF_OUR_TIME = 1420


def days_of_other_calendars(text: str, plain: str) -> Iterator[Day]:
    """Every such date, by the name of its month, or in figures where the text is in Arabic letters."""
    for m in _NAMED.finditer(plain):
        name = simple(m["m"])
        yield from _read(m, _IRAN.get(name), _ISLAM.get(name))
    if not text.isascii() and _ARABIC.search(text):
        persian = _PERSIAN.search(text) is not None
        for m in _FIGURES.finditer(plain):
            iranian = persian and int(m["y"]) < _FIRST_ISLAMIC_OF_OUR_TIME
            month = int(m["m"])
            yield from _read(m, month if iranian else None, None if iranian else month)


def _read(m: re.Match[str], iranian: int | None, islamic: int | None) -> Iterator[Day]:
    year, day = int(m["y"]), int(m["d"])
    if iranian and 1 <= iranian <= 12 and 1 <= day <= (31 if iranian <= 6 else 30):
        yield Day(m.start(), m.end(), _from_iranian(year, iranian, day).isoformat(), IRANIAN)
    elif islamic and 1 <= islamic <= 12 and 1 <= day <= 30:
        civil = _from_islamic(year, islamic, day)
        for ordinal in (civil - 1, civil):
            yield Day(m.start(), m.end(), date.fromordinal(ordinal).isoformat(), ISLAMIC)


def _from_iranian(year: int, month: int, day: int) -> date:
    """By the cycle of 33 years with eight leap years, which holds from 1244 to 1472."""
    of_year = (month - 1) * 31 if month < 7 else (month - 7) * 30 + 186
    since = year + 1595
    return date.fromordinal(365 * since + since // 33 * 8 + (since % 33 + 3) // 4 + of_year + day - 356033)


def _from_islamic(year: int, month: int, day: int) -> int:
    """The ordinal of a day of the civil calendar, with eleven leap years of thirty."""
    return (11 * year + 3) // 30 + 354 * year + 30 * month - (month - 1) // 2 + day + 1948440 - 385 - 1721425
