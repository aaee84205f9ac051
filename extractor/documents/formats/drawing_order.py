"""The order in which a page's pieces are drawn: mostly from the top down, and what floats beside lines before them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from extractor.documents.formats.reading_order import TextPiece

LONGEST_FLOAT, MAX_FLOATS = 30, 100
"""Characters of what floats at the right end of a line, at most, and how many of them are put there at once."""


def is_one_column(pieces: Sequence[TextPiece]) -> bool:
    """Whether each piece stands upright and below the one before it."""
    level = -math.inf
    for piece in pieces:
        if piece[5] <= level or piece[8]:  # by number, as a book has a million lines
            return False
        level = (piece[5] + piece[7]) / 2
    return bool(pieces)


def goes_down(pieces: Sequence[TextPiece]) -> bool:
    """Whether the pieces are drawn from the top down, but for a few; what goes up may go on in the next column."""
    up = sum(b.bottom <= a.top + 1 and min(a.right, b.right) > max(a.left, b.left) for a, b in pairwise(pieces))
    lines = sum(not a.on_same_line(b) for a, b in pairwise(pieces))
    return up < 3 or 10 * up <= lines


def join_floats(pieces: list[TextPiece], texts: Mapping[TextPiece, str]) -> list[TextPiece]:
    """The pieces, with short ones that were drawn before the lines at whose right end they stand put there: dates and
    sums that float beside what they belong to, which programs draw first."""
    starts = [0, *(i for i in range(1, len(pieces)) if pieces[i].bottom <= pieces[i - 1].top + 1), len(pieces)]
    runs = [pieces[a:b] for a, b in pairwise(starts)]
    for i in range(len(runs) - 1):
        floats, lines = runs[i], runs[i + 1]
        words = [texts.get(piece, "") for piece in floats]
        dated = sum(any(c.isdigit() for c in text) for text in words)
        if (
            len(floats) < min(len(lines), MAX_FLOATS)
            and 2 * dated > len(words)
            and max(map(len, words)) <= LONGEST_FLOAT
        ):
            beside = [
                max((p for p in lines if p.on_same_line(piece) and p.right <= piece.left), key=_right_of, default=None)
                for piece in floats
            ]
            if None not in beside and len(set(beside)) == len(floats):
                after = dict(zip(beside, floats, strict=True))
                runs[i] = []
                runs[i + 1] = [part for p in lines for part in ((p, after[p]) if p in after else (p,))]
    return [piece for run in runs for piece in run]


def _right_of(piece: TextPiece) -> float:
    return piece.right
