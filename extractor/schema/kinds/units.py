"""Names of units behind numbers, in 79 locales (CLDR): "24 měsíců" is months, "12,5 кг" kilograms."""

from __future__ import annotations

import re
from functools import cache

from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import fold

_MOST_WORDS, _LONGEST, _LONGEST_UNSPACED = 3, 34, 6
_GAP = re.compile(r"[ \u00a0-]?")
_END = re.compile(r"[\n\t,;:()|?!\d¼-¾]|[ \u00a0]{2}")
_MARKS = str.maketrans("", "", ".'\"״׳’`")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0e7f\uac00-\ud7af]")
_FURTHER = {
    "kph": "km/h", "kmh": "km/h", "kmph": "km/h", "mcg": "μg", "degrees celsius": "°c", "c": "°c", "f": "°f",
    "degree celsius": "°c",
    "grad celsius": "°c", "degrees fahrenheit": "°f", "sq ft": "ft2", "sqft": "ft2", "square feet": "ft2", "sq m": "m2",
    "кв м": "m2", "кв метров": "m2", "куб м": "m3", "cu m": "m3", "mtrs": "m", "ヶ月間": "month", "か月間": "month",
    "ヶ月": "month", "カ月": "month", "ヵ月": "month", "箇月": "month", "个月": "month", "годин": "h", "mesec": "month",
    "mėn": "month", "mies": "month", "hod": "h", "godz": "h", "fortnight": "fortnight", "calendar days": "day",
    "kilograma": "kg", "κιλο": "kg",
}  # fmt: skip


def clean(words: str) -> str:
    """The form of names in the table."""
    return fold(words.translate(_MARKS)).replace("µ", "μ")


@cache
def _names() -> dict[str, str]:
    return {**table("units"), **{clean(words): unit for words, unit in _FURTHER.items()}}


def named_unit(words: str) -> str | None:
    """The unit of a name by itself."""
    return _names().get(clean(words))


def unit_behind(text: str, end: int) -> tuple[int, int, str] | None:
    """Where the longest name of a unit behind a number begins and ends, and what it is."""
    gap = _GAP.match(text, end)
    start = gap.end() if gap else end
    stop = _END.search(text, start, start + _LONGEST)
    near = text[start : stop.start() if stop else start + _LONGEST]
    if not near or near[0].isspace():
        return None
    names = _names()
    words = list(re.finditer(r"[^ \u00a0]+", near))[:_MOST_WORDS]
    for last in reversed(words):
        cleaned = clean(near[: last.end()])
        if (len(cleaned) > 1 or not cleaned.isascii()) and cleaned in names:
            name = near[: last.end()].rstrip(".")
            return start, start + len(name), names[cleaned]
    if _UNSPACED.match(near):
        for length in range(min(_LONGEST_UNSPACED, len(words[0][0])), 0, -1):
            if (unit := names.get(clean(near[:length]))) is not None:
                return start, start + length, unit
    return None
