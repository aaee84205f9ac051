"""Durations: "30 days", "1 h 30 min", "eighteen (18) months"; the same as ISO 8601 writes them: P30D, PT1H30M, P18M."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.figures import fraction_of
from extractor.schema.kinds.number import find_numbers
from extractor.schema.kinds.quantity import unit_of
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.units import unit_behind
from extractor.types import Span

_UNITS = {
    "year": (0, 12),
    "y": (0, 12),
    "month": (0, 1),
    "week": (1, 7),
    "w": (1, 7),
    "day": (1, 1),
    "d": (1, 1),
    "fortnight": (1, 14),
    "h": (2, 3600),
    "min": (2, 60),
    "m": (2, 60),
    "s": (2, 1),
}
"""Of a unit: months, days or seconds (0, 1, 2), and how many of them it is."""
_WORDS = {
    "tagen": "day", "monaten": "month", "jahren": "year",
    "jaar": "year", "jaren": "year", "ar": "year", "år": "year", "anos": "year", "ano": "year", "an": "year",
    "année": "year", "années": "year", "anno": "year", "año": "year", "rok": "year", "roku": "year", "lat": "year",
    "lata": "year", "год": "year", "года": "year", "лет": "year", "yıl": "year", "yil": "year", "年": "year",
    "年間": "year", "년": "year", "maand": "month", "maanden": "month", "månad": "month", "månader": "month",
    "måneder": "month", "mese": "month", "mes": "month", "mês": "month", "miesiąc": "month", "miesiące": "month",
    "miesięcy": "month", "месяц": "month", "месяца": "month", "месяцев": "month", "ay": "month", "个月": "month",
    "個月": "month", "か月": "month", "ヶ月": "month", "カ月": "month", "개월": "month", "dag": "day", "dagen": "day",
    "dagar": "day", "dage": "day", "jour": "day", "día": "day", "giorno": "day", "dia": "day", "dzień": "day",
    "dni": "day", "день": "day", "дня": "day", "дней": "day", "gün": "day", "天": "day", "日間": "day", "日": "day",
    "일": "day", "weken": "week", "veckor": "week", "uger": "week", "settimane": "week", "settimana": "week",
    "semaine": "week", "semana": "week", "tygodni": "week", "неделя": "week", "недели": "week", "недель": "week",
    "周": "week", "週間": "week", "주": "week", "小时": "h", "小時": "h", "時間": "h", "시간": "h", "часов": "h",
    "часа": "h", "godzin": "h", "timer": "h", "timmar": "h", "分钟": "min", "分鐘": "min", "分間": "min",
    "минут": "min", "minuti": "min", "minutos": "min", "minuter": "min", "minutter": "min",
}  # fmt: skip
_UNIT = re.compile(
    r"(?:[ \u00a0-]?\(?[ ]?(?P<far>[^\W\d_]{1,12})\b|(?P<near>" + "|".join(w for w in _WORDS if w[0] > "\u2e80") + "))"
)
_HOURS_AND_MINUTES = re.compile(
    r"(?<![\w.,:])(?P<h>\d{1,3})(?:[ ]?h[ ]?|:)(?P<m>[0-5]\d)(?::00)?(?:[ ]?(?:h|hrs?|min|hours?|Std\.?)\b"
    r"|(?<=h\d\d)(?!\w))",
    re.I,
)
_CLOCK = re.compile(r"(?<![\w.,:])(?P<h>\d{1,3}):(?P<m>[0-5]\d):(?P<s>[0-5]\d)(?![\w:]|[.,]\d)")
_JOINT = re.compile(r"[.]?[ \u00a0]?(?:[,&+]|and|und|et|y|e|en|och|og|i|и)?[ \u00a0]?", re.I)
_ISO = re.compile(
    r"P(?=.)(?:(?P<y>\d+(?:[.,]\d+)?)Y)?(?:(?P<mo>\d+(?:[.,]\d+)?)M)?(?:(?P<w>\d+(?:[.,]\d+)?)W)?(?:(?P<d>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?=.)(?:(?P<h>\d+(?:[.,]\d+)?)H)?(?:(?P<mi>\d+(?:[.,]\d+)?)M)?(?:(?P<s>\d+(?:[.,]\d+)?)S)?)?",
    re.A,
)
_ISO_UNITS = {"y": "year", "mo": "month", "w": "week", "d": "day", "h": "h", "mi": "min", "s": "s"}
MOST_PARTS = 6
"""Parts of one duration: years to seconds."""
Key = tuple[Fraction, Fraction, Fraction]
"""Months, days and seconds."""


@dataclass(frozen=True, slots=True)
class DurationKind:
    """The record's form is as said; equal are durations of as many months, days and seconds."""

    name: str = "duration"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every number with a unit of time behind it, and such that follow each other as one.

        Parts with nothing between them ("1 h 30 min") are found together alone.
        """
        run: list[tuple[Span, Key]] = []
        held: list[ValueMention] = []
        for span, key in _find_parts(text, reading):
            if run and span.start < run[-1][0].end:
                continue
            if run and not _JOINT.fullmatch(text, run[-1][0].end, span.start):
                run = []
            glued = bool(run) and _goes_on(text, run[-1][0], span)
            yield from () if glued else held
            run = [*run[1 - MOST_PARTS :], (span, key)]
            held = [] if glued else [ValueMention(span, key)]
            if len(run) > 1:
                held.append(ValueMention(Span(run[0][0].start, span.end), _add(k for _, k in run)))
        yield from held
        for m in _CLOCK.finditer(plain(text)):
            seconds = int(m["h"]) * 3600 + int(m["m"]) * 60 + int(m["s"])
            yield ValueMention(Span(*m.span()), (Fraction(0), Fraction(0), Fraction(seconds)), "as on a clock")

    def keys(self, value: Json) -> Iterator[tuple[Key, str]]:
        """Months, days and seconds of an ISO duration."""
        m = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
        if m is not None:
            yield _add(_times(Fraction(m[g].replace(",", ".")), unit) for g, unit in _ISO_UNITS.items() if m[g]), ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """Nothing: the record's form is what was said."""
        return None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """An ISO duration itself."""
        return value if isinstance(value, str) and next(self.keys(value), None) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both take as long."""
        first = list(self.keys(a))
        return bool(first) and first == list(self.keys(b))


def _goes_on(text: str, before: Span, span: Span) -> bool:
    """Whether another unit follows with nothing between: "1 h 30 min", not "30 days 60 days"."""
    if text[before.end : span.start].strip(" .\u00a0"):
        return False
    units = ["".join(c for c in text[s.start : s.end] if c.isalpha()).casefold() for s in (before, span)]
    return units[0] != units[1]


def _find_parts(text: str, reading: Reading) -> Iterator[tuple[Span, Key]]:
    simple = plain(text)
    numbers = sorted((m for m in find_numbers(text, reading)), key=lambda m: (m.span.start, -m.span.end, m.rule))
    for number in numbers:
        value = fraction_of(str(number.key))
        if value is None or value < 0:
            continue
        named = unit_behind(text, number.span.end)
        m = _UNIT.match(simple, number.span.end) if named is None or named[2] not in _UNITS else None
        if named and named[2] in _UNITS:
            yield Span(number.span.start, named[1]), _times(value, named[2])
        elif m is not None:
            word = (m["far"] or m["near"]).lower()
            unit = _WORDS.get(word) or unit_of(word)
            if unit in _UNITS:
                yield Span(number.span.start, m.end()), _times(value, unit)
    for m in _HOURS_AND_MINUTES.finditer(simple):
        yield Span(*m.span()), _times(Fraction(int(m["h"])) + Fraction(int(m["m"]), 60), "h")


def _times(value: Fraction, unit: str) -> Key:
    place, many = _UNITS[unit]
    months, days, seconds = (value * many if i == place else Fraction(0) for i in range(3))
    return months, days, seconds


def _add(keys: Iterator[Key]) -> Key:
    months, days, seconds = (sum(part, Fraction(0)) for part in zip(*keys, strict=True))
    return months, days, seconds
