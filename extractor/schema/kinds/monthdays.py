"""Dates whose month is a word: "3rd of March 2024", "14 juillet 2022", "2024. március 3.", "03-Mar-24"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from extractor.schema.kinds.days import OF_THE_END, YEAR, Day, full_year, iso
from extractor.schema.kinds.months import COMMON_WORDS, TWO_WORDS, months_of
from extractor.schema.kinds.tokens import words_of

YEAR_NOT_WRITTEN = "year not written"
_S = r"[ \u00a0\n\t]"
_ORDINAL = r"(?:st|nd|rd|th|er|ste|de|e|\.?[º°ª]|o|η|ης|-?[а-яіїє]{1,2}|-?(?:a|án|én|je|jén|ei|i?oji|iąją))?\.?\)?"
_DAY = (
    rf"(?<![\w.,/])(?<!\d[-–:])(?:(?P<d0>\d{{1,2}}){_ORDINAL}{_S}?(?:-|–|/|to|and|und|et|bis|al|au|a|do|e|y"
    rf"|tot|til|till|по|и|&){_S}?)?(?P<d>\d{{1,2}}){_ORDINAL}[»”\"]?"
)
_DAYS_LISTED = re.compile(rf"(?<![\w.,/-])(?:\d{{1,2}}{_ORDINAL},{_S}){{1,8}}$", re.I)
"""What stands before the last two days of a month: "3., 5. und 9. März"."""
_DAYS_LISTED_AFTER = re.compile(
    rf"{_S}(?:\d{{1,2}}{_ORDINAL},{_S}){{1,8}}(?:\d{{1,2}}{_ORDINAL}{_S})?(?:and|&){_S}\d{{1,2}}{_ORDINAL}(?!\d)", re.I
)
_FIGURES = re.compile(r"\d{1,2}")
_DAY_BEFORE = re.compile(
    rf"{_DAY}(?:{_S}{{0,2}}(?:days?{_S}of|of|de|del|di|den|da|d'|of{_S}the{_S}month{_S}of|ב|ng)?{_S}{{0,2}}"
    rf"|[-/.,]{_S}?)$",
    re.I,
)
_YEAR_AFTER = re.compile(
    rf"(?:[.׳॰]?{_S}{{0,2}}(?:[,/–-]{_S}?)?(?:(?:(?:in{_S}the{_S}year|de|del|di|do|of|anno|năm|г|р|A\.?D)\b\.?|ค\.ศ\."
    rf"|พ\.ศ\.){_S}{{0,2}})?(?P<y>{YEAR})(?![\d]|[.,]\d)"
    rf"|[.]?(?:[-/]|,?{_S}?'|(?P<space>{_S}))(?P<z>\d\d)(?![\w%:]|[.,/-]\d|{_S}?(?:am|pm|h|uhr)\b|:\d)|"
    rf"(?<=[^\W\d_])(?P<glued>\d\d)(?!\w|[.,/-]\d))",
    re.I,
)
_DAY_AFTER = re.compile(
    rf"[.]?(?:{_S}{{1,2}}|[-/]|,{_S}?|)(?:the{_S})?(?P<d>\d{{1,2}}){_ORDINAL}(?:{_S}?(?:-|–|to|and|&){_S}?"
    rf"(?P<d2>\d{{1,2}}){_ORDINAL})?(?:{_S}d\.|日)?(?![\w:]|[.,]\d(?!\d{{3}}(?!\d)))",
    re.I,
)
_CLOCK = re.compile(
    rf",?{_S}{{1,2}}(?:at{_S})?\d{{1,2}}:\d\d(?::\d\d)?(?:{_S}?[AP]M)?(?:{_S}[A-Z]{{3,4}})?(?={_S}\d{{4}})"
)
_YEAR_BEFORE = re.compile(
    rf"(?<![\w.,/-])(?P<y>{YEAR})(?:\.|,|-|/|{_S}?[^\W\d_]{{1,4}}\.|-[^\W\d_]{{2,4}}|{_S}жыл(?:ғы|ы)|\.?{_S}?gada|\(?e?\)?ko|{_S}оны|{_S}年"
    rf"|年)?{_S}{{0,2}}(?:(?P<d>\d{{1,2}})\.?{_S}{{0,2}})?$",
    re.I,
)
_TO = re.compile(
    rf"{_S}{{0,2}}(?:[-–—~]|to|until|till|through|and|bis|und|au|et|a|al|hasta|do|tot|til|till|по|до|và|y"
    rf"|e){_S}{{0,2}}(?:the{_S}|den{_S}|el{_S}|le{_S}|il{_S})?",
    re.I,
)


def named_days(text: str, plain: str) -> Iterator[Day]:
    """Every date with a month's name, in order; those of a range's begin get the year of its end."""
    found: list[Day] = []
    before = (0, 0, "")
    for start, end, folded in words_of(text):
        months = months_of(folded)
        if start - before[1] == 1:
            if (month := TWO_WORDS.get((before[2], folded))) and plain[start - 1] in " \u00a0":
                start, months = before[0], (month,)
            elif months and plain[start - 1] == "/" and months_of(before[2])[:1] == months[:1]:
                start = before[0]  # أيلول/سبتمبر: one month by two names
        elif plain[before[1] : start] == " / " and months and months_of(before[2])[:1] == months[:1]:
            start = before[0]  # AUG / AOÛT
        before = (start, end, folded)
        if months and plain[start - 1 : start] != "@":
            found += _around(plain, start, end, months, text[start:end])
    yield from found
    for first, second in pairwise(found):
        if first.rule != YEAR_NOT_WRITTEN or second.iso[0] == "-" or not 0 < second.start - first.end <= 12:
            continue
        if _TO.fullmatch(plain, first.end, second.start) and (dated := _with_year(first.iso, second.iso)):
            yield Day(first.start, first.end, dated, OF_THE_END)


def _with_year(without: str, other: str) -> str | None:
    parts = [int(p) for p in without.strip("-").split("-")]
    return iso(int(other[:4]), *parts)


def _around(plain: str, start: int, end: int, months: tuple[int, ...], word: str) -> Iterator[Day]:
    """The dates that a month's name is the middle, the begin or the end of."""
    before = _DAY_BEFORE.search(plain, max(0, start - 32), start)
    if before and not 1 <= int(before["d"]) <= 31:
        before = None
    year = _YEAR_AFTER.match(plain, end)
    if year and year["glued"] and not plain[start - 1 : start].isdecimal():
        year = None  # 12MAR24 has a year, March12 a day
    if before:
        begin = before.start("d0") if before["d0"] else before.start("d")
        days = [before["d"]] + ([before["d0"]] if before["d0"] else [])
        if before["d0"] and (listed := _DAYS_LISTED.search(plain, max(0, begin - 40), begin)):
            begin, days = listed.start(), [*days, *_FIGURES.findall(listed[0])]
        if (
            year is None
            and (first := _YEAR_BEFORE.search(plain, max(0, before.start("d") - 14), before.start("d")))
            and not first["d"]
        ):
            yield from _dated(first.start(), end, first["y"], months, days)
        elif year and not (year["z"] and year["space"] and len(word) > 5):
            yield from _dated(begin, year.end(), year["y"] or year["z"] or year["glued"], months, days)
        else:
            yield from _undated(begin, end, months, days)
        return
    if (listed := _DAYS_LISTED_AFTER.match(plain, end)) and (last := _YEAR_AFTER.match(plain, listed.end())):
        yield from _dated(start, last.end(), last["y"] or last["z"], months, _FIGURES.findall(listed[0]))
        return
    after = _DAY_AFTER.match(plain, end)
    if after and 1 <= int(after["d"]) <= 31:
        days = [after["d"]] + ([after["d2"]] if after["d2"] else [])
        clock = _CLOCK.match(plain, after.end())
        last = _YEAR_AFTER.match(plain, clock.end() if clock else after.end())
        if last is None and after["d2"] and plain[end : end + 1] == plain[after.end("d") : after.start("d2")] == "-":
            yield from _dated(start, after.end(), after["d2"], months, days[:1])  # Sep-03-24
            return
        if last and not (last["z"] and last["space"]):
            yield from _dated(start, last.end(), last["y"] or last["z"], months, days)
            return
        if first := _YEAR_BEFORE.search(plain, max(0, start - 14), start):
            yield from _dated(first.start(), after.end(), first["y"], months, days)
            return
        if year is None or year["y"] is None:
            if year and year["z"] and not year["space"] and not after["d2"]:
                yield from _dated(start, year.end(), year["z"], months, [])  # Mar-21
            yield from _undated(start, after.end(), months, days)
            return
    yield from _month_alone(plain, start, end, months, word, year)


def _month_alone(
    plain: str, start: int, end: int, months: tuple[int, ...], word: str, year: re.Match[str] | None
) -> Iterator[Day]:
    lowered = word.lower()
    doubtful = "word that may be a month" if lowered in COMMON_WORDS and word == lowered else ""
    if year and not (year["z"] and year["space"]):
        for day in _dated(start, year.end(), year["y"] or year["z"] or year["glued"], months, []):
            yield day._replace(rule=day.rule or doubtful)
        return
    first = _YEAR_BEFORE.search(plain, max(0, start - 14), start)
    if first and not doubtful:
        yield from _dated(first.start(), end, first["y"], months, [first["d"]] if first["d"] else [])
    elif len(word) > 3 and word[0].isupper():
        yield Day(start, end, f"--{months[0]:02}", YEAR_NOT_WRITTEN)


def _dated(start: int, end: int, year: str, months: tuple[int, ...], days: list[str]) -> Iterator[Day]:
    written, other = full_year(year)
    parts: list[str | None] = [*days] or [None]
    for place, month in enumerate(months):
        for day in parts:
            for rank, which in enumerate((written, other)):
                if which and (found := iso(which, month, int(day) if day else None)):
                    yield Day(start, end, found, "other reading" if place or rank else "")


def _undated(start: int, end: int, months: tuple[int, ...], days: list[str]) -> Iterator[Day]:
    for day in days:
        if 1 <= int(day) <= 31:
            yield Day(start, end, f"--{months[0]:02}-{int(day):02}", YEAR_NOT_WRITTEN)
