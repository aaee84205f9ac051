"""The sentence and the paragraph around some words."""

from __future__ import annotations

import re

from extractor.domain import Span

_BREAK = r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*•#|]|\d+[.)])[ \t])"
"""A blank line, or the beginning of an item of a list, of a heading, of a row."""
_PARAGRAPHS = re.compile(_BREAK)
_SENTENCES = re.compile(rf"{_BREAK}|(?<=[.!?])\s+(?=[^\W\d_a-z])")
"""Also the space behind a full stop, where a capital follows: "vs. the baseline" is no end."""


def paragraph(text: str, span: Span) -> Span:
    return _around(_PARAGRAPHS, text, span)


def sentence(text: str, span: Span) -> Span:
    return _around(_SENTENCES, text, span)


def _around(breaks: re.Pattern[str], text: str, span: Span) -> Span:
    start = 0
    for found in breaks.finditer(text):
        if found.end() > span.start:
            break
        start = found.end()
    after = breaks.search(text, span.end)
    return Span(start, after.start() if after else len(text))
