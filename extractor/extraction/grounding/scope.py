"""Row coherence: how far from where a row stands its other words may be looked for.

The words of one row stand together. What lies beyond another row of the same list belongs to that one, with one
exception: what several rows share (a year, an employer) is often written once, above the first of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractor.extraction.text.outline import Outline
from extractor.types import Span

MIN_REACH = 600
"""Characters that the first and the last row of a list may reach out beyond it at least."""


@dataclass(frozen=True, slots=True)
class RowScope:
    """Where a row stands, and the range its words may be in."""

    anchor: Span
    start: int = 0
    end: int = sys.maxsize
    headings: tuple[Span, ...] = ()
    """Those that the row stands under; what they say is said of it, however far above."""
    repeat_spans: tuple[Span, ...] = ()
    """What follows where the row is named once more."""

    def contains(self, span: Span) -> bool:
        within = self.start <= span.start and span.end <= self.end
        return within or any(h.start <= span.start and span.end <= h.end for h in (*self.headings, *self.repeat_spans))


def row_scope(
    i: int,
    anchors: Sequence[Span | None],
    outline: Outline,
    outer: RowScope | None,
    shared: Callable[[int], bool] = lambda other: False,
) -> RowScope | None:
    """The range of row `i` for one of its fields; `shared` tells which other rows say the same there.

    None when it is not known where the row stands.
    """
    anchor = anchors[i]
    if anchor is None:
        return outer
    below = sorted(a.start for a in anchors if a and a.start >= anchor.end)
    reach = _search_reach([a for a in anchors if a])
    top, bound = anchor, 0
    for end, j in sorted(((a.end, j) for j, a in enumerate(anchors) if a and a.end <= anchor.start), reverse=True):
        if not shared(j):
            bound = end
            break
        top = anchors[j] or top
    section, _ = outline.section_at(top.start)
    start = max(bound, section) if bound else max(section, top.start - reach)
    end = below[0] if below else anchor.end + reach
    if sum(a is not None for a in anchors) > 1:
        end = min(end, max(anchor.end, outline.section_at(anchor.start)[1]))
    if outer is not None:
        start, end = max(start, outer.start), min(end, outer.end)
    return RowScope(anchor, start, end, tuple(outline.headings_above(anchor.start)))


def find_repeat_spans(
    i: int, mentions: Sequence[Sequence[Span]], anchors: Sequence[Span | None], text: str
) -> tuple[Span, ...]:
    """Where row `i` is named besides its anchor: from there to where another row is named, or its paragraph ends.

    A firm that signs at the end of a letter has its address at the head and its number in the first sentence.
    """
    others = sorted(m.start for j, spans in enumerate(mentions) if j != i for m in spans)
    found = []
    for m in mentions[i]:
        if m == anchors[i]:
            continue
        blank = text.find("\n\n", m.end)
        end = min([len(text) if blank < 0 else blank, *(o for o in others if o >= m.end)])
        found.append(Span(m.start, end))
    return tuple(found)


def _search_reach(anchors: Sequence[Span]) -> int:
    """Twice the widest gap between two rows; a row by itself has nobody to be taken for."""
    ordered = sorted(anchors)
    gaps = [b.start - a.end for a, b in pairwise(ordered)]
    return max(MIN_REACH, 2 * max(gaps)) if gaps else sys.maxsize // 2
