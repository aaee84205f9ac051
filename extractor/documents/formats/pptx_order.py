"""The shapes of a slide in the order in which they are read: by their places, where the file's order is none.

A file keeps shapes in the order in which they are laid over each other. Cut at its gaps, a slide falls into columns and
rows of shapes; which gaps come first makes the difference between reading down and reading across. Of the orders that
come of it, the one nearest to the file's is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from extractor.documents.formats.pptx_shapes import Box

MAX_ORDERED = 200
"""Shapes that are put in order; those of a slide with more stay as they are."""
TOUCHING = 45_720
"""By how much shapes may lie over each other that are beside each other: 0.05 inches."""
_COLUMN_WEIGHTS = (1.0, 4.0, 1e9, 0.25, 1e-9)
"""How much more a gap between columns counts than one between rows, in the order of preference."""
MAX_TURNED = 0.3
"""The part of all pairs of shapes that stand the other way round in a file, from which its order says nothing."""


def order_boxes(boxes: Sequence[Box | None]) -> list[int]:
    """The numbers of the boxes in reading order. A shape without a known place stays behind the one before it."""
    known = {i: box for i, box in enumerate(boxes) if box is not None}
    if not 1 < len(known) <= MAX_ORDERED:
        return list(range(len(boxes)))
    orders = [_order(list(known), known, weight) for weight in _COLUMN_WEIGHTS]
    nearest = min(orders, key=_count_inversions)
    is_like_file = 2 * _count_inversions(nearest) <= MAX_TURNED * len(known) * (len(known) - 1)
    found: list[int] = list(range(min(known)))
    for number in nearest if is_like_file else orders[0]:
        found.append(number)
        while found[-1] + 1 < len(boxes) and found[-1] + 1 not in known:
            found.append(found[-1] + 1)
    return found


def _count_inversions(order: Sequence[int]) -> int:
    return sum(a > b for a, b in combinations(order, 2))


def _order(numbers: list[int], boxes: Mapping[int, Box], weight: float) -> list[int]:
    """The boxes, cut at the widest gap that goes through all of them, and each part so again."""
    done: list[int] = []
    stack = [numbers]
    while stack:
        part = stack.pop()
        across = _find_gap([(boxes[i].left, boxes[i].right) for i in part])
        down = _find_gap([(boxes[i].top, boxes[i].bottom) for i in part])
        if across is None and down is None:
            done += part
        elif down is None or (across is not None and across[0] * weight >= down[0]):
            at = across[1] if across is not None else 0
            stack += [[i for i in part if boxes[i].left >= at], [i for i in part if boxes[i].left < at]]
        else:
            stack += [[i for i in part if boxes[i].top >= down[1]], [i for i in part if boxes[i].top < down[1]]]
    return done


def _find_gap(ranges: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The width of the widest gap between ranges, and where it ends; None where there is none."""
    widest: tuple[int, int] | None = None
    ordered = sorted(ranges)
    reach = ordered[0][1]
    for start, end in ordered[1:]:
        gap = start - reach + TOUCHING
        if gap >= 0 and (widest is None or gap > widest[0]):
            widest = gap, start
        reach = max(reach, end)
    return widest
