"""Text cut where marks begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractor.types import Span

MOST_AT_ONCE = 64
"""Spans over one run of text that are told; a file may hold thousands, each in the other."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text that the same spans cover. `places` are the indices of those spans, ascending; of many some."""

    start: int
    end: int
    places: tuple[int, ...]


def split_segments(length: int, spans: Sequence[Span], cuts: Iterable[int] = ()) -> list[Segment]:
    """A text cut at every border of a span and at `cuts`. Segments cover [0, length) in order, each character once."""
    opening: dict[int, list[int]] = {}
    closing: dict[int, list[int]] = {}
    for number, span in enumerate(spans):
        opening.setdefault(span.start, []).append(number)
        closing.setdefault(span.end, []).append(number)
    borders = sorted({0, length, *cuts, *opening, *closing})
    found, active = [], set[int]()
    for start, end in pairwise(borders):
        active.difference_update(closing.get(start, ()))
        active.update(opening.get(start, [])[: max(0, MOST_AT_ONCE - len(active))])
        found.append(Segment(start, end, tuple(sorted(active))))
    return found
