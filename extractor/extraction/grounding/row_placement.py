"""Where each row of a list stands: the place where most of what it says is found together.

Every leaf of a row votes for the lines that it is found on, a rare one more than a common one. Rows stand in the order
in which they were said, as a rule, so the places of all of them are chosen together: the sum of what is found there,
less something where a row would stand before the one said before it, or on the very words of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from extractor.types import Span

CANDIDATES = 12
"""Places of a row that are weighed against each other."""
OUT_OF_ORDER, SAME_PLACE = 0.35, 0.6
"""What it costs, in shares of the row's weight, to stand before the row said before, or where that one stands."""
NAMED = 0.5
"""What it brings, in shares of the row's weight, to stand below the name of its list, and costs below another's."""
LESS_TELLING = 1e-3
"""What it costs to stand on the words of the second or third leaf rather than on those of the most telling one."""
REACH = 12.0
"""Lines from a row's place beyond which what is found says next to nothing."""


@dataclass(frozen=True, slots=True)
class RowLeaf:
    """A leaf of a row: the mentions of its value, in order, and the lines that they begin on."""

    spans: Sequence[Span]
    lines: Sequence[int]
    weight: float = field(init=False)
    """The rarer a value is in the text, the more it tells of where its row stands."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", float((1 + len(self.spans)) ** -0.5))


def place_rows(
    rows: Sequence[Sequence[RowLeaf]],
    heads: Sequence[int] | None = None,
    side: Callable[[Span], int] | None = None,
) -> list[Span | None]:
    """The place of each row, the mention of its most telling leaf; None where nothing of the row is found.

    `heads`: how many leaves at the beginning of each row are its own, and no nested row's. It stands where these do.
    `side`: above 0 for words that stand where the list is named, below 0 where another one is.
    """
    options = _list_options(rows, heads or [0] * len(rows), side)
    chosen: list[Span | None] = [None] * len(rows)
    trail: list[tuple[int, list[int]]] = []
    scores: list[float] = []
    before: list[tuple[Span, float]] = []
    for i, places in enumerate(options):
        if not places:
            continue
        weight = sum(leaf.weight for leaf in rows[i]) or 1.0
        now, back = _follow(places, before, scores, weight)
        trail.append((i, back))
        before, scores = places, now
    at = max(range(len(scores)), key=lambda k: (scores[k], -k)) if scores else -1
    for i, back in reversed(trail):
        chosen[i] = options[i][at][0]
        at = back[at]
    return chosen


def _follow(
    places: Sequence[tuple[Span, float]], before: Sequence[tuple[Span, float]], scores: Sequence[float], weight: float
) -> tuple[list[float], list[int]]:
    """Of each place the best sum that reaches it, and by which place of the row before; both are in the text's order.

    Of the earlier places those that stand before cost nothing, those on the same words and those behind something.
    """
    if not before:
        return [score for _, score in places], [-1] * len(places)
    count = len(before)
    up_to, onward = list(range(count)), list(range(count))
    for k in range(1, count):
        up_to[k] = up_to[k - 1] if scores[up_to[k - 1]] >= scores[k] else k
    for k in range(count - 2, -1, -1):
        onward[k] = k if scores[k] >= scores[onward[k + 1]] else onward[k + 1]
    starts = [span.start for span, _ in before]
    now: list[float] = []
    back: list[int] = []
    for span, score in places:
        first, after = bisect_left(starts, span.start), bisect_right(starts, span.start)
        reached = [(scores[up_to[first - 1]], -up_to[first - 1])] if first else []
        reached += [(scores[k] - weight * SAME_PLACE, -k) for k in range(first, after)]
        if after < count:
            reached.append((scores[onward[after]] - weight * OUT_OF_ORDER, -onward[after]))
        best, which = max(reached)
        now.append(score + best)
        back.append(-which)
    return now, back


def _list_options(
    rows: Sequence[Sequence[RowLeaf]], heads: Sequence[int], side: Callable[[Span], int] | None
) -> list[list[tuple[Span, float]]]:
    """Of each row the places that it may stand at, in the text's order, each with how much of it is found about there.

    Of rows that say the same each has the places from its number on, so that there are places for all of them.
    """
    equal: dict[tuple[int, ...], list[int]] = {}
    for i, leaves in enumerate(rows):
        equal.setdefault(tuple(map(id, leaves)), []).append(i)
    options: list[list[tuple[Span, float]]] = [[] for _ in rows]
    for numbers in equal.values():
        many = len(numbers)
        leaves = rows[numbers[0]]
        scored = score_places(leaves, heads[numbers[0]], many)
        if side and len(scored) > 1:
            share = NAMED * sum(leaf.weight for leaf in leaves)
            scored = [(span, score + share * side(span)) for span, score in scored]
        places = sorted(scored, key=lambda one: (-one[1], one[0]))
        places = sorted(places[: max(CANDIDATES, many)])
        for rank, i in enumerate(numbers):
            first = min(rank, max(0, len(places) - CANDIDATES))
            options[i] = places[first : first + CANDIDATES]
    return options


def score_places(leaves: Sequence[RowLeaf], heads: int = 0, many: int = 1) -> list[tuple[Span, float]]:
    """The mentions of the most telling leaves, each with how much of all leaves is found about it.

    If `heads` says how many of the first leaves are the row's own, of these. Those of the most telling one come first
    where all else is equal: rows that say the same, so `many` of them, stand on lines of their own, and not on two
    words of one line.
    """
    telling = sorted((leaf for leaf in leaves if leaf.spans), key=lambda leaf: len(leaf.spans))
    own = sorted((leaf for leaf in leaves[:heads] if leaf.spans), key=lambda leaf: len(leaf.spans)) or telling
    places: dict[Span, tuple[int, int]] = {}
    for rank, leaf in enumerate(own[:3]):
        for span, line in _spread(leaf, many):
            places.setdefault(span, (line, rank))
    return [
        (span, sum(_found_near(leaf, line) for leaf in telling) - LESS_TELLING * rank)
        for span, (line, rank) in places.items()
    ]


def _spread(leaf: RowLeaf, many: int) -> list[tuple[Span, int]]:
    """The leaf's mentions; of very many more than there are rows an even choice."""
    most = max(4 * CANDIDATES, 2 * many)
    step = max(1, len(leaf.spans) // most)
    return list(zip(leaf.spans[::step], leaf.lines[::step], strict=True))


def _found_near(leaf: RowLeaf, line: int) -> float:
    """The leaf's weight, less with every line between it and the place; what stands above it is further away."""
    lines = leaf.lines
    at = bisect_left(lines, line)
    distance = lines[at] - line if at < len(lines) else REACH
    if at:
        distance = min(distance, 2 * (line - lines[at - 1]))
    return leaf.weight * (1 - distance / REACH) if distance < REACH else 0.0
