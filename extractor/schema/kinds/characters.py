"""A text with one spelling for each digit, space, apostrophe and minus, every character in its place.

Documents write digits in forty scripts and a dozen widths of space. `plain` maps each character to one character, so
positions stay as they are and the patterns of all kinds need to know ASCII digits and two kinds of space alone.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

NO_BREAK = "\u00a0"
"""What every space but U+0020 and U+3000 becomes: one that people put inside numbers, not between them."""

_FIXED = {
    **dict.fromkeys("‘’ʼ′＇`´", "'"),
    **dict.fromkeys("−﹣－‐‑﹘", "-"),
    **dict.fromkeys("‒―—", "–"),
    **dict.fromkeys("〜～", "~"),
    "٬": "'",  # Arabic: 1٬234٫56
    "٫": ".",
    "٪": "%",
    "￥": "¥",
    "￡": "£",
    "￦": "₩",
    "￠": "¢",
    "\u3000": " ",
    **dict.fromkeys("\u200e\u200f\u061c", NO_BREAK),  # Arabic documents set marks of direction inside dates
    "⁄": "/",
    "∕": "/",
    "‧": ".",
}


class _Table(dict[int, int]):
    """Fills itself with what it is asked for; there are a million code points and most texts hold a hundred."""

    def __missing__(self, code: int) -> int:
        if len(self) >= _MOST_KEPT:
            self.clear()
        character = chr(code)
        if character in _FIXED:
            plain = _FIXED[character]
        elif (digit := unicodedata.decimal(character, None)) is not None:
            plain = str(digit)
        elif 0xFF01 <= code <= 0xFF5E:
            plain = chr(code - 0xFEE0)
        elif unicodedata.category(character) == "Zs" and character != " ":
            plain = NO_BREAK
        else:
            plain = character
        self[code] = ord(plain)
        return self[code]


_MOST_KEPT = 1 << 13
_TABLE = _Table()


@lru_cache(maxsize=8)
def plain(text: str) -> str:
    """The text with plain digits, spaces and signs; as long as the text itself."""
    return text.translate(_TABLE)


def cased(letter: str) -> bool:
    """Whether the letter is of a script with capitals, which is also one that puts spaces between words."""
    return letter.lower() != letter.upper()
