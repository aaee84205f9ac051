"""Where words that are nearly those of a text begin and end in it."""

from __future__ import annotations

import re

from rapidfuzz.distance import Indel

from extractor.types import Span

MIN_EQUAL_LETTERS = 2
"""Letters in a row that tie a near match to its words; a single one is chance."""


def trim_alignment(wanted: str, text: str, start: int, end: int) -> tuple[int, int]:
    """The window [start, end) of the text without what at its ends is no part of the wanted words.

    A window is as long as what was wanted, so that where letters were left out of the text it reaches too far.
    """
    blocks = Indel.opcodes(wanted, text[start:end])
    equal = [b for b in blocks if b.tag == "equal" and b.dest_end - b.dest_start >= MIN_EQUAL_LETTERS]
    if not equal:
        return start, end
    return start + equal[0].dest_start, start + equal[-1].dest_end


def widen_to_words(text: str, span: Span) -> Span:
    """The span with the whole of the words that it begins and ends in."""
    start, end = span.start, span.end
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return Span(start, end)


_CODE = re.compile(r"\S*[\d@/]\S*")
_WORD_WITH_DIGITS = re.compile(r"[^\W\d_]*\d[^\W_]*")


def is_code(said: str) -> bool:
    """Whether what was said is a single address or code, of which one that is nearly the same is another."""
    return _CODE.fullmatch(said.strip()) is not None


def words_with_digits(words: str) -> list[str]:
    """Those of them, which near words must share: house 12a is not house 12b."""
    return [word.casefold() for word in _WORD_WITH_DIGITS.findall(words)]
