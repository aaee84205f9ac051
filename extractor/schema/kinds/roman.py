"""Roman numerals where they are meant: "Kapitel IV", "Louis XIV", "MCMXCVIII"; not "I" of a sentence, "CD" or "MIX"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"(?<![^\W_])(?<![.&'’+/-])(?:[IVX]+|M{1,2}(?:C[MD]|D?C{0,3})[LXC]*[IVX]*)(?![^\W_]|[.&'’+/-]\w)")
_FORM = re.compile(r"M{0,2}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_NUMBERED = re.compile(r"[^\W\d_]{3,24}\.?[ \u00a0:]{1,2}$")
_CLOSED = re.compile(r"[ \u00a0]?(?:$|[\n,;:.)\]|–—-])", re.M)
SHORTEST_YEAR = 4
"""Letters of a year: MIM and MDX may be abbreviations."""


def roman_numbers(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and value of each; one letter alone counts at the end of a phrase, behind a word: "Phase I"."""
    for m in _TOKEN.finditer(text):
        numeral = m[0]
        if not _FORM.fullmatch(numeral):
            continue
        if numeral[0] == "M" and len(numeral) < SHORTEST_YEAR:
            continue
        if len(numeral) == 1:
            named = _NUMBERED.search(text, max(0, m.start() - 26), m.start())
            if named is None or not named[0][0].isupper() or not _CLOSED.match(text, m.end()):
                continue
        yield m.start(), m.end(), value_of(numeral)


def value_of(numeral: str) -> int:
    """What letters in the order of a Roman numeral add up to."""
    values = [_VALUES[letter] for letter in numeral]
    return sum(v if v >= after else -v for v, after in zip(values, [*values[1:], 0], strict=True))
