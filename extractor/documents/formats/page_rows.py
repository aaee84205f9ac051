"""Rows and segments of a page: what stands on one level, and what of it belongs together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from extractor.documents.formats.reading_order import TextPiece, are_in_step, are_level, reads_backwards

JOINED_GAP = 0.55
"""The gap between two pieces, in heights of their line, up to which they are one phrase."""
_ENUMERATED = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]")


@dataclass(slots=True)
class Segment:
    """Pieces on one level with no wide gap between them: a phrase, or what stands in a cell on that line."""

    pieces: list[TextPiece]
    text: str

    @property
    def left(self) -> float:
        return min(piece.left for piece in self.pieces)

    @property
    def right(self) -> float:
        return max(piece.right for piece in self.pieces)

    @property
    def is_figure(self) -> bool:
        """Whether it is a number, a date or the like: at least half of its letters are digits."""
        known = [c for c in self.text if c.isalnum()]
        return bool(known) and 2 * sum(c.isdigit() for c in known) >= len(known)

    @property
    def is_mark(self) -> bool:
        """Whether it is a bullet or the number of an item."""
        return not any(c.isalnum() for c in self.text) or _ENUMERATED.fullmatch(self.text) is not None


@dataclass(slots=True)
class Row:
    """Segments on one level, from left to right."""

    segments: list[Segment]
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def pieces(self) -> Iterable[TextPiece]:
        return (piece for segment in self.segments for piece in segment.pieces)


def group_rows(pieces: Sequence[TextPiece], texts: dict[TextPiece, str]) -> list[Row]:
    """The pieces by level, from the top."""
    levels: list[list[TextPiece]] = []
    for piece in sorted(pieces, key=lambda p: (p.top + p.bottom, p.left)):
        if levels and any(piece.on_same_line(other) for other in levels[-1][-3:]):
            levels[-1].append(piece)
        else:
            levels.append([piece])
    return [_make_row(sorted(level, key=lambda p: p.left), texts) for level in levels]


def _make_row(level: list[TextPiece], texts: dict[TextPiece, str]) -> Row:
    segments: list[Segment] = []
    for piece in level:
        if segments and piece.left - segments[-1].right <= JOINED_GAP * (piece.bottom - piece.top):
            segments[-1].pieces.append(piece)
        else:
            segments.append(Segment([piece], texts[piece]))
    for segment in segments:
        if len(segment.pieces) > 1:
            if any(reads_backwards(texts[piece]) for piece in segment.pieces):
                segment.pieces.sort(key=lambda piece: piece.start)
            segment.text = " ".join(texts[piece] for piece in segment.pieces)
    return Row(segments, min(p.top for p in level), max(p.bottom for p in level))


MIN_SIDE_LINES, MIN_GUTTER = 4, 8.0
"""Lines on both sides of a gutter between parts of a page, and points that it is wide."""


def part_at_gutters(pieces: list[TextPiece], lines: int = MIN_SIDE_LINES, depth: int = 3) -> Iterator[list[TextPiece]]:
    """The pieces in parts that stand side by side and have nothing to do with each other: their lines are not level.
    Each has so many `lines` at least."""
    gutter = _find_open_gutter(pieces, lines) if depth and len(pieces) >= 4 * lines else None
    if gutter is None:
        yield pieces
        return
    yield from part_at_gutters([p for p in pieces if p.right <= gutter], lines, depth - 1)
    yield from part_at_gutters([p for p in pieces if p.right > gutter], lines, depth - 1)


def _find_open_gutter(pieces: list[TextPiece], lines: int) -> float | None:
    """The widest gap from top to bottom between parts that are not level."""
    found: list[tuple[float, float]] = []
    reach = -math.inf
    for piece in sorted(pieces, key=lambda p: p.left):
        if piece.left - reach >= MIN_GUTTER and reach > -math.inf:
            found.append((piece.left - reach, (piece.left + reach) / 2))
        reach = max(reach, piece.right)
    for _, at in sorted(found, reverse=True)[:6]:
        left, right = [p for p in pieces if p.right <= at], [p for p in pieces if p.left >= at]
        if min(len(left), len(right)) < lines:
            continue
        few = min(len(left), len(right)) < MIN_SIDE_LINES  # a line or two are in step with anything
        if not are_level(left, right) and (few or not are_in_step(left, right)):
            return at
    return None
