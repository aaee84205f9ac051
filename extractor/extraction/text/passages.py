"""The sentence and the paragraph around some words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache

from extractor.types import Span

_BREAK = r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*•#|]|\d+[.)])[ \t])"
"""A blank line, or the beginning of an item of a list, of a heading, of a row."""
_PARAGRAPHS = re.compile(_BREAK)
_SENTENCES = re.compile(rf"{_BREAK}|(?<=[.!?])\s+(?=[^\W\d_a-z])")
"""Also the space behind a full stop, where a capital follows: "vs. the baseline" is no end."""

_WORD = re.compile(r"\S+")


def find_paragraph(text: str, span: Span) -> Span:
    return _find_passage(_PARAGRAPHS, text, span)


def find_line(text: str, span: Span) -> Span:
    end = text.find("\n", span.end)
    return Span(text.rfind("\n", 0, span.start) + 1, len(text) if end < 0 else end)


def find_paragraph_above(text: str, span: Span) -> Span | None:
    """The paragraph before the one that begins where the span does."""
    end = span.start
    if end and text[end - 1].isspace():
        words = _find_word_ends(text)
        before = bisect_right(words, end)
        end = words[before - 1] if before else 0
    return find_paragraph(text, Span(end - 1, end)) if end else None


def find_sentence(text: str, span: Span) -> Span:
    return _find_passage(_SENTENCES, text, span)


def _find_passage(breaks: re.Pattern[str], text: str, span: Span) -> Span:
    begins, ends = _find_breaks(breaks, text)
    before, after = bisect_right(begins, span.start), bisect_left(ends, span.end)
    return Span(begins[before - 1], ends[after])


@lru_cache(maxsize=8)
def _find_breaks(breaks: re.Pattern[str], text: str) -> tuple[list[int], list[int]]:
    """Where passages of the text begin, and where they end; the text's own begin and end among them."""
    found = list(breaks.finditer(text))
    return [0, *(m.end() for m in found)], [*(m.start() for m in found), len(text)]


@lru_cache(maxsize=8)
def _find_word_ends(text: str) -> list[int]:
    return [word.end() for word in _WORD.finditer(text)]
