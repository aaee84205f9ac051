"""Lists of scalars, compared as multisets: as many items as possible are paired with an equal one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from extractor.evaluation.scoring.schema import LeafNode
from extractor.extraction.comparison.comparators import canonicalise_value, values_match
from extractor.types import Json

MAX_FUZZY_PAIRS = 250_000
"""Pairs of left-over items (500 x 500) up to which a fuzzy leaf compares every one with every other."""


def match_multisets(
    leaf: LeafNode, gold: Sequence[Sequence[Json]], predicted: Sequence[Json]
) -> tuple[dict[int, int], bool]:
    """Index of a gold item -> index of the equal predicted item; and whether all pairs were looked at.

    `gold` gives the readings of each item, its own value first. A maximum matching by augmenting paths; where there
    are too few predictions, earlier gold items are served first.
    """
    where: dict[Hashable, list[int]] = defaultdict(list)
    for j, value in enumerate(predicted):
        where[canonicalise_value(leaf.kind, value)].append(j)
    whose: dict[int, int] = {}
    owner: dict[int, int] = {}
    free = {key: list(reversed(places)) for key, places in where.items()}
    late: list[int] = []
    for i, readings in enumerate(gold):
        places = free.get(canonicalise_value(leaf.kind, readings[0]))
        if places:
            whose[i] = places.pop()
            owner[whose[i]] = i
        else:
            late.append(i)
    if leaf.fuzzy is None and all(len(readings) == 1 for readings in gold):
        return whose, True
    suits = {
        i: sorted({j for one in gold[i] for j in where.get(canonicalise_value(leaf.kind, one), ())})
        for i in {*late, *(i for i, readings in enumerate(gold) if len(readings) > 1)}
    }
    complete = True
    if leaf.fuzzy is not None and late:
        rest = [j for j in range(len(predicted)) if j not in owner]
        complete = len(late) * len(rest) <= MAX_FUZZY_PAIRS
        for i in late if complete else ():
            close = [j for j in rest if any(values_match(leaf, one, predicted[j]) for one in gold[i])]
            suits[i] = sorted({*suits.get(i, ()), *close})
    for i in late:
        _find_partner(i, suits, whose, owner)
    return whose, complete


def _find_partner(first: int, suits: Mapping[int, list[int]], whose: dict[int, int], owner: dict[int, int]) -> None:
    """Finds a partner for the item, moving others to other partners of theirs where that frees one."""
    came: dict[int, int] = {}
    todo = [first]
    for i in todo:
        for j in suits.get(i, ()):
            if j in came:
                continue
            came[j] = i
            if j in owner:
                todo.append(owner[j])
                continue
            while True:
                i, before = came[j], whose.get(came[j])
                whose[i], owner[j] = j, i
                if before is None or i == first:
                    return
                j = before
