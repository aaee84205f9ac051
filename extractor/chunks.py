"""Document -> chunks: spans of bounded size that together hold every character exactly once.

A cut falls where it hurts least: before a heading, else at a blank line, a line end, a sentence end, a space; only a
text without any of these is cut between characters, and never inside CRLF or before a combining mark.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from extractor import outline
from extractor.domain import Chunk, Document, Span

_PIECE = re.compile(r"[^\W\d_]+|\d|\s+|.", re.S)
_BREAKS = (
    re.compile(r"\n(?:[ \t\r]*\n)+"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?。！？])\s+"),
    re.compile(r"\s+"),
)


def _weight(piece: str) -> int:
    """Tokens that a byte-pair vocabulary spends on the piece, estimated; letters without case cost one each."""
    if piece.isspace():
        return piece.count("\n") > 0
    if piece[0].isalpha() and piece[0].lower() != piece[0].upper():
        return 1 + (len(piece) - 1) // 6
    return len(piece)


def tokens(text: str) -> int:
    """An estimate of how many tokens a model reads in the text; no vocabulary is needed, so none is downloaded."""
    return sum(_weight(m[0]) for m in _PIECE.finditer(text))


def split(document: Document, budget: int) -> tuple[Chunk, ...]:
    """The document in chunks of at most `budget` estimated tokens each (at least one character each).

    An empty document has no chunk.
    """
    if budget < 1:
        raise ValueError(f"a chunk of {budget} tokens holds nothing")
    text = document.text
    headings = [(h.span.start, text[h.span.start : h.span.end].strip()) for h in outline.headings(text)]
    spans = list(_cut(text, budget, [at for at, _ in headings]))
    return tuple(Chunk(document, i, span, _heading(headings, span)) for i, span in enumerate(spans))


def _heading(headings: list[tuple[int, str]], span: Span) -> str:
    """The last heading above the chunk, unless the chunk begins with one."""
    at = bisect_right(headings, (span.start, "\U0010ffff"))
    return headings[at - 1][1] if at and headings[at - 1][0] < span.start else ""


def _cut(text: str, budget: int, headings: list[int]) -> Iterator[Span]:
    ends, weights = [0], [0]
    for piece in _PIECE.finditer(text):
        size, weight = piece.end() - piece.start(), _weight(piece[0])
        if weight > budget:  # one word longer than a chunk: let a cut fall between its characters
            step = max(1, size * budget // weight)
            inner = [*range(piece.start() + step, piece.end(), step), piece.end()]
            ends.extend(inner)
            weights.extend([budget] * (len(inner)))
        else:
            ends.append(piece.end())
            weights.append(weight)
    totals = list(accumulate(weights))
    ranks = [headings, *([m.end() for m in pattern.finditer(text)] for pattern in _BREAKS)]
    start = 0
    while start < len(text):
        used = totals[bisect_right(ends, start) - 1]
        reach = ends[bisect_right(totals, used + budget) - 1]
        stop = len(text) if reach >= len(text) else _best(text, start, max(reach, start + 1), ranks)
        yield Span(start, stop)
        start = stop


def _best(text: str, start: int, reach: int, ranks: list[list[int]]) -> int:
    """The cut of the strongest rank in the farther half of what fits; a weaker one anywhere before giving up."""
    for least in (start + (reach - start) // 2, start):
        for cuts in ranks:
            at = cuts[bisect_right(cuts, reach) - 1] if cuts and cuts[0] <= reach else 0
            if at > least:
                return at
    stop = reach
    while stop > start + 1 and (unicodedata.combining(text[stop]) or text[stop - 1 : stop + 1] == "\r\n"):
        stop -= 1
    return stop
