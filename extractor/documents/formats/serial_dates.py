"""Days and times that a spreadsheet keeps as numbers of days, as its formats show them (ECMA-376 part 1, 18.17.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

ISO_DATE = "yyyy-mm-dd"
CLOCK_LETTERS = "ymdhsgeb["
_MOST_DAYS = 2_958_466
"""The day after 31 December 9999."""
_ENGLISH = (
    "January February March April May June July August September October November December",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
)
_NAMES = {
    0x07: (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    ),
    0x0C: (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
    ),
    0x0A: (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
    ),
    0x10: (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    ),
    0x13: (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    ),
    0x16: (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    ),
}
"""Months and days by the language of a format, the low byte of its number (MS-LCID); English stands for others."""


def format_clock(tokens: Sequence[tuple[str, str]], serial: float, language: int, from_1904: bool) -> str | None:
    """A day and time as tokens of a format say; None for what is none, such as a negative number of days."""
    decimals = _count_decimals(tokens)
    ticks = round(serial * 86400 * 10**decimals)
    elapsed = any(text.startswith("[") for kind, text in tokens if kind == "clock")
    if ticks < 0 and not elapsed:
        return None
    seconds, fraction = divmod(abs(ticks), 10**decimals)
    day, rest = divmod(seconds, 86400)
    moment = _read_day(day, from_1904)
    if moment is None:
        return None
    halved = any(kind == "half" for kind, _ in tokens)
    shown: list[str] = ["-"] if ticks < 0 else []
    skip = False
    for i, (kind, text) in enumerate(tokens):
        if skip and kind == "digits":
            continue
        skip = False
        if kind == "clock":
            shown.append(_show_part(text.lower(), tokens, i, moment, (seconds, rest), halved, language))
        elif kind == "half":
            words = text.split("/")
            shown.append(words[rest >= 43200])
        elif text == "." and kind == "other" and decimals and tokens[i + 1 : i + 2] and tokens[i + 1][0] == "digits":
            shown.append(f".{fraction:0{decimals}d}")
            skip = True
        elif (kind, text) != ("other", "@"):
            shown.append(text)
    return "".join(shown)


def _count_decimals(tokens: Sequence[tuple[str, str]]) -> int:
    """Digits behind the point of the seconds."""
    for i, token in enumerate(tokens):
        if token == ("other", "."):
            count = 0
            while i + 1 + count < len(tokens) and tokens[i + 1 + count] == ("digits", "0"):
                count += 1
            if count:
                return min(count, 6)
    return 0


def _read_day(day: int, from_1904: bool) -> tuple[int, int, int, int] | None:
    """Year, month, day of the month and of the week. Day 60 is 29 February 1900, which Lotus 1-2-3 had and no year."""
    if from_1904:
        day += 1462
    if day >= _MOST_DAYS:
        return None
    if day == 60:
        return 1900, 2, 29, 2
    if day == 0:
        return 1900, 1, 0, 5
    found = date(1899, 12, 31 if day < 60 else 30) + timedelta(days=day)
    return found.year, found.month, found.day, found.weekday()


def _show_part(
    text: str,
    tokens: Sequence[tuple[str, str]],
    at: int,
    moment: tuple[int, int, int, int],
    clock: tuple[int, int],
    halved: bool,
    language: int,
) -> str:
    seconds, rest = clock
    year, month, day, weekday = moment
    hour, minute, second = rest // 3600, rest // 60 % 60, rest % 60
    if text.startswith("["):
        unit = {"h": 3600, "m": 60, "s": 1}[text[1]]
        return f"{seconds // unit:0{len(text) - 2}d}"
    size, letter = len(text), text[0]
    if letter == "m" and _means_minutes(tokens, at):
        return f"{minute:02d}" if size > 1 else str(minute)
    months, days = _NAMES.get(language & 0xFF, _ENGLISH)
    match letter:
        case "y" | "e":
            return f"{year % 100:02d}" if size <= 2 and letter == "y" else f"{year:04d}"
        case "m":
            name = months.split()[month - 1]
            return [str(month), f"{month:02d}", name[:3], name, name[0]][min(size, 5) - 1]
        case "d":
            name = days.split()[weekday]
            return [str(day), f"{day:02d}", name[:3], name][min(size, 4) - 1]
        case "h":
            shown = (hour % 12 or 12) if halved else hour
            return f"{shown:02d}" if size > 1 else str(shown)
        case "s":
            return f"{second:02d}" if size > 1 else str(second)
    return ""


def _means_minutes(tokens: Sequence[tuple[str, str]], at: int) -> bool:
    """Whether an m stands behind hours or before seconds; elsewhere it is a month."""
    clocks = [i for i, (kind, _) in enumerate(tokens) if kind == "clock"]
    here = clocks.index(at)
    before = tokens[clocks[here - 1]][1].lower() if here else ""
    after = tokens[clocks[here + 1]][1].lower() if here + 1 < len(clocks) else ""
    return len(tokens[at][1]) <= 2 and bool(re.match(r"\[?h", before) or re.match(r"\[?s", after))
