"""Quantities: a number and what it counts or measures: "250毫克", "45 m²", "16GB", "12 kg", "5.2 mmol/L", "10-15 %"."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.folding import fold
from extractor.schema.kinds.number import UNIT_LEFT_OUT, NumberKind, find_numbers
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.units import named_unit, unit_behind
from extractor.types import Span

_NUMBER = NumberKind()
_UNIT = re.compile(
    r"[ \u00a0]?(?P<unit>(?:[%‰°℃℉]|[^\W\d_]{1,24}[²³]?|[23](?=\W|$))(?:[²³]|[⁻⁺]?[¹²³]|\^[23])?"
    r"(?:[ ]?[/·*.⋅][ ]?[^\W\d_]{1,12}[²³]?|[ ]per[ ][^\W\d_]{1,12}){0,3}[23]?)"
)
_ALIASES = {
    "毫克": "mg", "克": "g", "公斤": "kg", "千克": "kg", "公克": "g", "毫升": "ml", "升": "l", "公升": "l", "米": "m",
    "公尺": "m",
    "厘米": "cm", "公分": "cm",
    "毫米": "mm", "公里": "km", "千米": "km", "平方米": "m2", "平米": "m2", "立方米": "m3", "㎡": "m2", "㎏": "kg",
    "㎎": "mg",
    "㎝": "cm", "㎜": "mm", "ℓ": "l",
    "グラム": "g", "キロ": "kg", "キログラム": "kg", "ミリグラム": "mg", "リットル": "l", "メートル": "m",
    "センチ": "cm", "平方メートル": "m2",
    "킬로그램": "kg",
    "그램": "g", "미터": "m", "리터": "l", "度": "°", "攝氏度": "°c", "摄氏度": "°c", "℃": "°c", "℉": "°f", "gram": "g",
    "grams": "g", "gramm": "g", "grammes": "g", "gramos": "g",
    "grammi": "g", "kilogram": "kg", "kilograms": "kg", "kilogramm": "kg", "kilo": "kg", "kilos": "kg", "kgs": "kg",
    "кг": "kg", "г": "g", "мг": "mg", "л": "l",
    "мл": "ml", "м": "m", "см": "cm", "мм": "mm", "км": "km", "м2": "m2", "м3": "m3", "т": "t", "milligram": "mg",
    "milligrams": "mg", "milligramm": "mg",
    "liter": "l", "litre": "l", "liters": "l", "litres": "l", "litro": "l", "litros": "l", "litri": "l", "ltr": "l",
    "milliliter": "ml", "millilitre": "ml",
    "meter": "m", "metre": "m", "meters": "m", "metres": "m", "metros": "m", "metri": "m", "mtr": "m",
    "centimeter": "cm", "centimetre": "cm", "centimeters": "cm",
    "kilometer": "km", "kilometre": "km", "kilometers": "km", "kilometres": "km", "qm": "m2", "sqm": "m2",
    "squaremeters": "m2", "squaremetres": "m2", "quadratmeter": "m2",
    "cbm": "m3", "kubikmeter": "m3", "tonne": "t", "tonnes": "t", "tonnen": "t", "tons": "ton", "percent": "%",
    "prozent": "%", "pourcent": "%", "hour": "h",
    "hours": "h", "hrs": "h", "hr": "h", "std": "h", "stunde": "h", "stunden": "h", "heures": "h", "heure": "h",
    "horas": "h", "hora": "h", "ore": "h", "uur": "h",
    "minute": "min", "minutes": "min", "mins": "min", "minuten": "min", "second": "s", "seconds": "s", "sec": "s",
    "secs": "s", "sekunden": "s",
    "gigabyte": "gb", "gigabytes": "gb", "megabyte": "mb", "megabytes": "mb", "terabyte": "tb", "degc": "°c",
    "degreescelsius": "°c", "pounds": "lb",
    "lbs": "lb", "pound": "lb", "inch": "in", "inches": "in", "zoll": "in", "foot": "ft", "feet": "ft",
    "ounce": "oz", "ounces": "oz", "stück": "pcs", "stk": "pcs", "st": "pcs",
    "piece": "pcs", "pieces": "pcs", "pc": "pcs", "ea": "pcs", "each": "pcs", "pz": "pcs", "pzas": "pcs",
    "uds": "pcs", "szt": "pcs", "шт": "pcs", "個": "pcs", "个": "pcs", "台": "台",
    "day": "day", "days": "day", "tage": "day", "tag": "day", "jours": "day", "días": "day", "giorni": "day",
    "dias": "day", "month": "month", "months": "month", "monate": "month",
    "monat": "month", "mois": "month", "meses": "month", "mesi": "month", "year": "year", "years": "year",
    "jahre": "year", "jahr": "year", "ans": "year", "años": "year", "anni": "year",
    "yrs": "year", "week": "week", "weeks": "week", "wochen": "week", "woche": "week", "semaines": "week",
    "semanas": "week",
}  # fmt: skip
_FEET_AND_INCHES = re.compile(r"(?P<feet>'(?=[ ]?\d|[ ]?$|[ ,;)]))|(?:''|\")(?!\w)")
_SIZE = re.compile(r"[ \u00a0]?(?:[xX×*]|by)[ \u00a0]?\d")
_JOINT = re.compile(r"[.]?[ \u00a0]?(?:[x×*]|by|and|,|et|und|y|e|и)?[ \u00a0]?", re.I)
"""What stands between the figures of one quantity."""
_MOST_FIGURES = 4
_FOLDED_ALIASES = {fold(word): unit for word, unit in _ALIASES.items()}
_CJK_UNIT = re.compile(
    "|".join(sorted((u for u in _ALIASES if not u.isascii() and u[0] >= "\u2e80"), key=len, reverse=True))
)


def unit_of(words: str) -> str:
    """The unit in one spelling: "kilograms", "кг" and "公斤" are "kg"; an unknown one is folded, "m²" to "m2"."""
    folded = fold(words.strip(" .").replace("^", "")).replace("µ", "μ")
    return _FOLDED_ALIASES.get(folded) or named_unit(words) or folded


@dataclass(frozen=True, slots=True)
class QuantityKind:
    """The record's form is as said; keys are pairs of a number's key and a unit, None where none stands beside it.

    Of several figures, as in 10 x 20 cm or 6 ft 2 in, the key is the pairs of all of them.
    """

    name: str = "quantity"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every number alone, and together with the word or sign behind it; and those that follow each other."""
        singles = list(self._find_single(text, reading))
        yield from singles
        yield from _in_a_row(text, singles)

    def _find_single(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        simple = plain(text)
        for number in find_numbers(text, reading):
            yield ValueMention(number.span, (number.key, None), number.rule)
            if number.rule == UNIT_LEFT_OUT:
                number = number._replace(rule="")
            if number.rule.startswith(("percent", "per mille", "basis")):
                continue
            end = number.span.end
            if simple[end - 1] in "%‰":
                yield ValueMention(number.span, (number.key, simple[end - 1]), number.rule)
            elif _SIZE.match(simple, end):
                continue
            elif sign := _FEET_AND_INCHES.match(simple, end):
                length = "ft" if sign["feet"] else "in"
                yield ValueMention(Span(number.span.start, sign.end()), (number.key, length), number.rule)
            elif named := unit_behind(text, end):
                yield ValueMention(Span(number.span.start, named[1]), (number.key, named[2]), number.rule)
                if (words := text[named[0] : named[1]]) and (folded := unit_of(words)) != named[2]:
                    yield ValueMention(Span(number.span.start, named[1]), (number.key, folded), number.rule)
            elif east := _CJK_UNIT.match(simple, end + (simple[end : end + 1] == " ")):
                yield ValueMention(Span(number.span.start, east.end()), (number.key, unit_of(east[0])), number.rule)
            elif unit := _UNIT.match(simple, end):
                for stop in {unit.end(), _first_word(unit)}:
                    words = text[unit.start("unit") : stop]
                    if words.strip(" ./·*"):
                        yield ValueMention(Span(number.span.start, stop), (number.key, unit_of(words)), number.rule)

    def keys(self, value: Json) -> Iterator[tuple[Hashable, str]]:
        """Number and unit; for a number alone, the number with whatever unit."""
        if not isinstance(value, str):
            yield from (((key, None), rule) for key, rule in _NUMBER.keys(value))
            return
        reading = Reading.of(value)
        singles = list(self._find_single(value, reading))
        found = [*singles, *(rows := list(_in_a_row(value, singles)))]
        if rows:  # all figures are meant, and none alone
            longest = max(len(str(m.key)) for m in rows)
            yield from ((m.key, m.rule) for m in rows if len(str(m.key)) == longest)
            return
        found = [m for m in found if _holds_all_figures(value, m.span)]
        united = [m for m in found if isinstance(m.key, tuple) and m.key[1] is not None]
        whole = max((m.span.end for m in united), default=0)  # mg/kg is not mg
        for mention in [m for m in united if m.span.end == whole] or found:
            yield mention.key, mention.rule

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one quantity that the words hold, as written, with single spaces."""
        spans = {m.span for m in self.find(words, reading) if not m.rule}
        if not spans:
            return None
        start, end = min(s.start for s in spans), max(s.end for s in spans)
        inner = {s for s in spans if s.end == end}
        return " ".join(words[start:end].split()) if len(inner) <= 2 else None

    def normalise(self, value: Json, reading: Reading) -> Json | None:
        """A number as it is; words with single spaces, None where they hold no number."""
        if not isinstance(value, str):
            return _NUMBER.normalise(value, reading)
        return " ".join(value.split()) if next(self.keys(value), None) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether number and unit are equal: "2 kg" and "2,0 Kilogramm", "45 m2" and "45 m²"."""
        first = {key for key, rule in self.keys(a) if not rule}
        return any(key in first for key, rule in self.keys(b) if not rule)


def _in_a_row(text: str, singles: list[ValueMention]) -> Iterator[ValueMention]:
    """Two to four figures that follow each other, as one: 10 x 20 x 30 cm, 6 ft 2 in, 12 lb 8 oz."""
    best: dict[int, ValueMention] = {}
    for one in singles:
        known = best.get(one.span.start)
        if known is None or _weight(one) > _weight(known):
            best[one.span.start] = one
    row: list[ValueMention] = []
    for start in sorted(best):
        one = best[start]
        if row and start < row[-1].span.end:
            continue
        joint = text[row[-1].span.end : start] if row else ""
        told = row and (any(c in "xX×*" for c in joint) or (_has_unit(row[-1]) and _has_unit(one)))
        if not (told and _JOINT.fullmatch(joint)) or (one.key == row[-1].key and joint.strip("( )") == ""):
            row = []
        row = [*row[1 - _MOST_FIGURES :], one]
        for i in range(len(row) - 1):
            part = row[i:]
            yield ValueMention(Span(part[0].span.start, one.span.end), tuple(m.key for m in part), one.rule)


def _holds_all_figures(words: str, span: Span) -> bool:
    """Whether the words have no figure outside the span: 12 of 120/80 is not what was said."""
    return not any(c.isdecimal() for c in words[: span.start] + words[span.end :])


def _has_unit(mention: ValueMention) -> bool:
    return isinstance(mention.key, tuple) and mention.key[1] is not None


def _weight(mention: ValueMention) -> tuple[bool, bool, int]:
    return mention.rule == "", _has_unit(mention), len(mention.span)


def _first_word(unit: re.Match[str]) -> int:
    """Where the unit ends if the slash or the dot behind it is none of its own."""
    cut = re.search(r"[/·*.⋅ ]", unit["unit"])
    return unit.start("unit") + cut.start() if cut and cut.start() else unit.end()
