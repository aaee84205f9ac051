"""Numbers as Roman numerals and as letters, as lists and footnotes are counted."""

from __future__ import annotations

_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def spell_roman(value: int) -> str:
    """A number as Roman numerals; in figures where it has none."""
    if not 0 < value < 4000:
        return str(value)
    spelled = ""
    for worth, letters in _ROMAN:
        count, value = divmod(value, worth)
        spelled += letters * count
    return spelled


def spell_letters(value: int) -> str:
    """A number as letters: A to Z, then AA, BB, as Word counts."""
    if not 0 < value <= 780:
        return str(value)
    return chr(65 + (value - 1) % 26) * ((value - 1) // 26 + 1)
