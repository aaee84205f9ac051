"""Where each row of a list stands: the place where most of what it says is found together.

Every leaf of a row votes for the lines that it is found on, a rare one more than a common one. Rows stand in the order
in which they were said, as a rule, so the places of all of them are chosen together: the sum of what is found there,
less something where a row would stand before the one said before it, or on the very words of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from extractor.types import Span

CANDIDATES = 12
"""Places of a row that are weighed against each other."""
OUT_OF_ORDER, SAME_PLACE = 0.35, 0.6
"""What it costs, in shares of the row's weight, to stand before the row said before, or where that one stands."""
REACH = 12.0
"""Lines from a row's place beyond which what is found says next to nothing."""


@dataclass(frozen=True, slots=True)
class RowLeaf:
    """A leaf of a row: the mentions of its value, in order, and the lines that they begin on."""

    spans: Sequence[Span]
    lines: Sequence[int]

    @property
    def weight(self) -> float:
        """The rarer a value is in the text, the more it tells of where its row stands."""
        return float((1 + len(self.spans)) ** -0.5)


def place_rows(rows: Sequence[Sequence[RowLeaf]]) -> list[Span | None]:
    """The place of each row, the mention of its most telling leaf; None where nothing of the row is found."""
    options = [_options(leaves) for leaves in rows]
    chosen: list[Span | None] = [None] * len(rows)
    trail: list[tuple[int, list[int]]] = []
    scores: list[float] = []
    before: list[tuple[Span, float]] = []
    for i, places in enumerate(options):
        if not places:
            continue
        weight = sum(leaf.weight for leaf in rows[i]) or 1.0
        now: list[float] = []
        back: list[int] = []
        for span, score in places:
            reached = [
                past - weight * _misfit(span, earlier) for (earlier, _), past in zip(before, scores, strict=True)
            ]
            best = max(range(len(reached)), key=lambda k: (reached[k], -k)) if reached else -1
            now.append(score + (reached[best] if reached else 0.0))
            back.append(best)
        trail.append((i, back))
        before, scores = places, now
    at = max(range(len(scores)), key=lambda k: (scores[k], -k)) if scores else -1
    for i, back in reversed(trail):
        chosen[i] = options[i][at][0]
        at = back[at]
    return chosen


def _misfit(span: Span, earlier: Span) -> float:
    if span.start > earlier.start:
        return 0.0
    return SAME_PLACE if span.start == earlier.start else OUT_OF_ORDER


def _options(leaves: Sequence[RowLeaf]) -> list[tuple[Span, float]]:
    """Places that the row may stand at, in the text's order, each with how much of the row is found about it."""
    telling = sorted((leaf for leaf in leaves if leaf.spans), key=lambda leaf: len(leaf.spans))
    places = {span: line for leaf in telling[:3] for span, line in _spread(leaf)}
    scored = [(span, sum(_found_near(leaf, line) for leaf in telling)) for span, line in places.items()]
    return sorted(sorted(scored, key=lambda one: (-one[1], one[0]))[:CANDIDATES])


def _spread(leaf: RowLeaf) -> list[tuple[Span, int]]:
    """The leaf's mentions; of very many an even choice."""
    most = 4 * CANDIDATES
    step = max(1, len(leaf.spans) // most)
    return list(zip(leaf.spans[::step], leaf.lines[::step], strict=True))


def _found_near(leaf: RowLeaf, line: int) -> float:
    """The leaf's weight, less with every line between it and the place; what stands above it is further away."""
    at = bisect_left(leaf.lines, line)
    below = leaf.lines[at] - line if at < len(leaf.lines) else None
    above = 2 * (line - leaf.lines[at - 1]) if at else None
    distances = [d for d in (below, above) if d is not None]
    return leaf.weight * max(0.0, 1 - min(distances) / REACH) if distances else 0.0
