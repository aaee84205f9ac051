"""Row coherence: how far from where a row stands its other words may be looked for.

The words of one row stand together. What lies beyond another row of the same list belongs to that one, with one
exception: what several rows share (a year, an employer) is often written once, above the first of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractor.domain import Span
from extractor.outline import Outline

REACH = 600
"""Characters that the first and the last row of a list may reach out beyond it at least."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a row stands, and the range its words may be in."""

    anchor: Span
    start: int = 0
    end: int = sys.maxsize

    def holds(self, span: Span) -> bool:
        return self.start <= span.start and span.end <= self.end


def home(
    i: int,
    anchors: Sequence[Span | None],
    outline: Outline,
    outer: Home | None,
    shared: Callable[[int], bool] = lambda other: False,
) -> Home | None:
    """The range of row `i` for one of its fields; `shared` tells which other rows say the same there.

    None when it is not known where the row stands.
    """
    anchor = anchors[i]
    if anchor is None:
        return outer
    above = sorted(((a.end, j) for j, a in enumerate(anchors) if a and a.end <= anchor.start), reverse=True)
    below = sorted(a.start for a in anchors if a and a.start >= anchor.end)
    reach = _reach([a for a in anchors if a])
    section, _ = outline.section(anchor.start)
    start = next((end for end, j in above if not shared(j)), max(section, anchor.start - reach))
    end = below[0] if below else anchor.end + reach
    if outer is not None:
        start, end = max(start, outer.start), min(end, outer.end)
    return Home(anchor, start, end)


def _reach(anchors: Sequence[Span]) -> int:
    """Twice the widest gap between two rows; a row by itself has nobody to be taken for."""
    ordered = sorted(anchors)
    gaps = [b.start - a.end for a, b in pairwise(ordered)]
    return max(REACH, 2 * max(gaps)) if gaps else sys.maxsize // 2
