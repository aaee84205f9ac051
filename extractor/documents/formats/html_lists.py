"""The marks of list items: numbers where a browser shows numbers, a dash elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN_UNITS = ((9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_NUMBERED = frozenset(("decimal", "decimal-leading-zero", "lower-alpha", "upper-alpha", "lower-latin", "upper-latin"))
_ROMANS = frozenset(("lower-roman", "upper-roman"))
_LARGEST = 1_000_000


@dataclass(slots=True)
class ItemCounter:
    """Counts the items of one list."""

    number: int = 0
    step: int = 1

    @classmethod
    def of_list(cls, attributes: Mapping[str, str | None], items: int) -> ItemCounter:
        """Of a list with these attributes and so many items of its own."""
        backwards = "reversed" in attributes
        first = _read_integer(attributes.get("start"), items if backwards else 1)
        return cls(first + 1, -1) if backwards else cls(first - 1, 1)

    def mark_item(self, attributes: Mapping[str, str | None], style: str) -> str:
        """The mark of the next item, by the style of its number."""
        self.number = _read_integer(attributes.get("value"), self.number + self.step)
        return f"{spell_number(self.number, style)}. " if style in _NUMBERED or style in _ROMANS else "- "


def _read_integer(written: str | None, otherwise: int) -> int:
    try:
        number = int((written or "")[:9])
    except ValueError:
        return otherwise
    return max(-_LARGEST, min(_LARGEST, number))


def spell_number(number: int, style: str) -> str:
    """A number as lists write it (CSS Counter Styles 3, 6)."""
    if style == "decimal-leading-zero":
        return f"{number:02d}"
    if number > 0 and style in ("lower-alpha", "lower-latin", "upper-alpha", "upper-latin"):
        spelled = _spell_letters(number)
    elif 0 < number < 4000 and style in _ROMANS:
        spelled = _spell_roman(number)
    else:
        return str(number)
    return spelled.upper() if style.startswith("upper") else spelled


def _spell_letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _spell_roman(number: int) -> str:
    spelled = ""
    for value, sign in (*_ROMAN, *_ROMAN_UNITS):
        while number >= value:
            spelled, number = spelled + sign, number - value
    return spelled
