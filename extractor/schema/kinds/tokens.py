"""The words of a text, taken apart once for all kinds that look for words: months, numerals, names of countries."""

from __future__ import annotations

import re
from functools import lru_cache

from extractor.schema.kinds.folding import simple

_INDIC = "".join(
    f"{chr(block)}-{chr(block + 3)}{chr(block + 0x3C)}{chr(block + 0x3E)}-{chr(block + 0x4D)}"
    for block in range(0x900, 0xD80, 0x80)
)
"""Nine scripts of India are laid out alike, a block of 128 signs each."""
MARKS = (
    rf"\u0300-\u036f\u064b-\u0652{_INDIC}\u0d81-\u0d83\u0dca-\u0ddf\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    r"\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b4-\u17d3"
)
"""Marks that belong to the letter before them, in scripts whose vowels are marks."""
WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{MARKS}]|(?<=[\u0400-\u04ff])['’](?=[\u0400-\u04ff]))*")
"""Letters; in Ukrainian an apostrophe is one of them."""
_LONGEST = 60


@lru_cache(maxsize=2)
def words_of(text: str) -> tuple[tuple[int, int, str], ...]:
    """Every word: start, end and folded form ("" beyond 60 letters); kept for the next kind that looks."""
    return tuple(
        (m.start(), m.end(), simple(m[0].replace("’", "'")) if m.end() - m.start() <= _LONGEST else "")
        for m in WORD.finditer(text)
    )
