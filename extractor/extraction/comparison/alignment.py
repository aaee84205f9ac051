"""Which row of one list is which row of the other: one to one, optimal, and the same for any order of the lists.

Two rows may be paired when they have something in common. With declared keys that is: the strongest key field that
both have is equal, or its words are mostly the same, or at least half of the leaves of the larger row are in common
(else two rows that share no more than a year would be one row, mostly wrong and right about the year). Without keys:
any leaf. Of all pairings the one is taken with the most equal key fields (a stronger one outweighs all weaker ones),
then with the most leaves in common, then with the most similar words in keys. Ties are broken by the content of rows,
never by their position. A leaf that is absent from both rows is not something in common.

Rows with equal content are paired first: by exchange, no pairing without them has more in common. What is left falls
into independent blocks (rows that may not be paired are in no common block); a block of up to MAX_OPTIMAL_ROWS rows a
side is solved optimally, a larger one greedily, best pairs first, and the result is marked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from extractor.extraction.comparison.text import split_plain_words

LeafToken: TypeAlias = tuple[Hashable, ...]
SharedCounts: TypeAlias = dict[tuple[int, int], int]
"""(index in gold, index in prediction) -> how much of something the two rows share."""

MAX_OPTIMAL_ROWS = 256
"""Rows a side up to which a block is solved optimally: 256 x 256 takes a tenth of a second, one second at worst."""
MAX_ROW_PAIRS = 250_000
"""Pairs of rows (500 x 500) up to which all are looked at. In longer lists candidates are looked for by the rarest
leaves, keys and words first, up to as many pairs by each of the three: what all rows share distinguishes none.
"""
MIN_SHARED_WORDS_PERCENT = 60
"""Per cent of the words of the shorter key text that the other must hold for two rows to be the same thing misspelt."""


@dataclass(frozen=True, slots=True)
class RowSketch:
    """What alignment sees of a row."""

    leaf_forms: tuple[tuple[LeafToken, ...], ...]
    """Per leaf the forms it may have: one for a prediction, more where gold accepts other readings; no form twice."""
    key_forms: tuple[tuple[LeafToken, ...], ...] = ()
    """Per declared key, strongest first, the forms it may have; () when it is absent."""
    key_texts: tuple[tuple[str, ...], ...] = ()
    """Per declared key the texts it may have; () where words do not show whether it is nearly the same."""
    is_optional: bool = False
    """Gold marks this row optional, so of two equal ones it is the one to leave unpaired."""

    @property
    def content_tokens(self) -> frozenset[LeafToken]:
        return frozenset(leaf[0] for leaf in self.leaf_forms)

    @property
    def sort_key(self) -> str:
        return repr((sorted(map(repr, self.leaf_forms)), self.is_optional))


@dataclass(frozen=True, slots=True)
class RowAlignment:
    pairs: tuple[tuple[int, int], ...]
    """(index in gold, index in prediction), sorted."""
    optimal: bool = True
    """False when the lists were too large, and some rows were paired greedily."""


def align_rows(gold: Sequence[RowSketch], predicted: Sequence[RowSketch]) -> RowAlignment:
    """The pairing that the docstring of this module describes. Rows without leaves stay alone."""
    pairs, left, right = _pair_equal_rows(gold, predicted)
    if not left or not right:
        return RowAlignment(tuple(sorted(pairs)))
    if len(left) > 1:
        left.sort(key=lambda i: gold[i].sort_key)
    if len(right) > 1:
        right.sort(key=lambda j: predicted[j].sort_key)
    edges, optimal = _weigh_pairs([gold[i] for i in left], [predicted[j] for j in right])
    for rows, columns in _split_into_blocks(edges):
        if max(len(rows), len(columns)) <= MAX_OPTIMAL_ROWS:
            found = solve_assignment([[edges.get((i, j), 0) for j in columns] for i in rows])
            pairs += [(left[rows[i]], right[columns[j]]) for i, j in found]
        else:
            optimal = False
            pairs += [(left[i], right[j]) for i, j in _pair_greedily(edges, set(rows))]
    return RowAlignment(tuple(sorted(pairs)), optimal)


def _pair_equal_rows(
    gold: Sequence[RowSketch], predicted: Sequence[RowSketch]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of rows with equal content, and the indices that are left on each side."""
    waiting: dict[frozenset[LeafToken], list[int]] = defaultdict(list)
    for j, row in enumerate(predicted):
        if row.leaf_forms:
            waiting[row.content_tokens].append(j)
    pairs: list[tuple[int, int]] = []
    left: list[int] = []
    for i in sorted((i for i, row in enumerate(gold) if row.leaf_forms), key=lambda i: gold[i].is_optional):
        same = waiting.get(gold[i].content_tokens)
        if same:
            pairs.append((i, same.pop(0)))
        else:
            left.append(i)
    return pairs, left, [j for same in waiting.values() for j in same]


def _weigh_pairs(gold: list[RowSketch], predicted: list[RowSketch]) -> tuple[SharedCounts, bool]:
    """The weight, above 0, of every pair that may be made, and whether all of them were looked at."""
    common, all_leaves = _count_shared_forms([row.leaf_forms for row in gold], [row.leaf_forms for row in predicted])
    depth = max(len(row.key_forms) for row in gold)
    complete = all_leaves
    equal: list[SharedCounts] = []
    alike: list[SharedCounts] = []
    for k in range(depth):
        met, all_keys = _count_shared_forms(
            [row.key_forms[k : k + 1] for row in gold], [row.key_forms[k : k + 1] for row in predicted]
        )
        equal.append(met)
        gold_words, predicted_words = (
            [_list_key_words(row, k) for row in gold],
            [_list_key_words(row, k) for row in predicted],
        )
        met, all_words = _count_shared_forms(
            *([[((word,),) for word in row] for row in side] for side in (gold_words, predicted_words))
        )
        alike.append({(i, j): 100 * n // min(len(gold_words[i]), len(predicted_words[j])) for (i, j), n in met.items()})
        complete = complete and all_keys and all_words
    size = max(len(gold), len(predicted)) + 1
    leaf = 202 * size
    key = leaf * size * max(len(row.leaf_forms) for row in gold)
    edges: SharedCounts = {}
    for pair in sorted(set(common).union(*equal, *alike)):
        one, other = gold[pair[0]], predicted[pair[1]]
        n = common.get(pair, 0)
        first = next(
            (k for k in range(depth) if any(one.key_forms[k : k + 1]) and any(other.key_forms[k : k + 1])), None
        )
        known = first is not None and (pair in equal[first] or alike[first].get(pair, 0) >= MIN_SHARED_WORDS_PERCENT)
        if known or 2 * n >= max(len(one.leaf_forms), len(other.leaf_forms)) or (n and not depth):
            keyed = sum(1 << (depth - 1 - k) for k in range(depth) if pair in equal[k])
            words = max((found.get(pair, 0) for found in alike), default=0)
            edges[pair] = keyed * key + n * leaf + 2 * words + (not one.is_optional)
    return edges, complete


def _list_key_words(row: RowSketch, k: int) -> list[str]:
    """The words of the row's k-th key, each once."""
    return (
        sorted({word for text in row.key_texts[k] for word in split_plain_words(text)})
        if k < len(row.key_texts)
        else []
    )


def _count_shared_forms(
    gold: Sequence[Sequence[tuple[LeafToken, ...]]], predicted: Sequence[Sequence[tuple[LeafToken, ...]]]
) -> tuple[SharedCounts, bool]:
    """For every pair of rows the number of entries that they share, and whether no form was too common to look at."""
    where: dict[LeafToken, list[int]] = defaultdict(list)
    for j, row in enumerate(predicted):
        for forms in row:
            if forms:
                where[forms[0]].append(j)
    crowded: set[LeafToken] = set()
    if len(gold) * len(predicted) > MAX_ROW_PAIRS:
        uses = Counter(one for row in gold for forms in row for one in forms)
        budget = MAX_ROW_PAIRS
        for n, one in sorted(
            ((n * len(where.get(one, ())), one) for one, n in uses.items()), key=lambda use: (use[0], repr(use[1]))
        ):
            budget -= n
            if budget < 0:
                crowded.add(one)
    met: SharedCounts = defaultdict(int)
    for i, row in enumerate(gold):
        for forms in row:
            found: Iterable[int]
            if len(forms) == 1:
                found = () if forms[0] in crowded else where.get(forms[0], ())
            else:
                found = {j for one in forms if one not in crowded for j in where.get(one, ())}
            for j in found:
                met[i, j] += 1
    return met, not crowded


def _split_into_blocks(edges: Iterable[tuple[int, int]]) -> list[tuple[list[int], list[int]]]:
    """Rows and columns of each connected part, sorted."""
    rows: dict[int, list[int]] = defaultdict(list)
    columns: dict[int, list[int]] = defaultdict(list)
    for i, j in edges:
        rows[i].append(j)
        columns[j].append(i)
    blocks: list[tuple[list[int], list[int]]] = []
    seen: set[int] = set()
    for first in rows:
        if first in seen:
            continue
        seen.add(first)
        here, there, todo = [first], set[int](), [first]
        while todo:
            for j in rows[todo.pop()]:
                if j not in there:
                    there.add(j)
                    fresh = [i for i in columns[j] if i not in seen]
                    seen.update(fresh)
                    here += fresh
                    todo += fresh
        blocks.append((sorted(here), sorted(there)))
    return blocks


def _pair_greedily(edges: SharedCounts, rows: set[int]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    here: set[int] = set()
    there: set[int] = set()
    for (i, j), _ in sorted(
        (edge for edge in edges.items() if edge[0][0] in rows), key=lambda edge: (-edge[1], edge[0])
    ):
        if i not in here and j not in there:
            here.add(i)
            there.add(j)
            pairs.append((i, j))
    return pairs


def solve_assignment(weights: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """One-to-one pairs (row, column) with the greatest sum of weights; pairs of weight 0 or less are not made.

    Shortest augmenting paths over reduced costs (Kuhn-Munkres as Jonker and Volgenant arrange it), O(n^3), in integers,
    so that no rounding decides. The same matrix always gives the same pairs.
    """
    if not weights or not weights[0]:
        return []
    if len(weights) > len(weights[0]):
        return sorted((i, j) for j, i in solve_assignment(list(zip(*weights, strict=True))))
    top = max(0, max(max(row) for row in weights))
    costs = [[top - max(0, weight) for weight in row] for row in weights]
    columns = range(len(costs[0]))
    price = [0] * len(columns)
    owner = [-1] * len(columns)
    toll = [min(row) for row in costs]
    free: list[int] = []
    for i, row in enumerate(costs):
        cheap = next((j for j in columns if owner[j] < 0 and row[j] == toll[i]), -1)
        if cheap < 0:
            free.append(i)
        else:
            owner[cheap] = i
    for start in free:
        _augment_assignment(start, costs, toll, price, owner)
    return sorted((i, j) for j, i in enumerate(owner) if i >= 0 and weights[i][j] > 0)


def _augment_assignment(
    start: int, costs: list[list[int]], toll: list[int], price: list[int], owner: list[int]
) -> None:
    """Give the row a column, moving others along the shortest path; tolls and prices stay feasible."""
    offset = toll[start]
    distance = [cost - offset - fee for cost, fee in zip(costs[start], price, strict=True)]
    before = [-1] * len(distance)
    open_ = list(range(len(distance)))
    done: list[int] = []
    while True:
        at = min(open_, key=distance.__getitem__)
        reached = distance[at]
        if owner[at] < 0:
            break
        open_.remove(at)
        done.append(at)
        row, offset = costs[owner[at]], toll[owner[at]] - reached
        for j in open_:
            through = row[j] - offset - price[j]
            if through < distance[j]:
                distance[j] = through
                before[j] = at
    toll[start] += reached
    for j in done:
        price[j] -= reached - distance[j]
        toll[owner[j]] += reached - distance[j]
    while before[at] >= 0:
        owner[at] = owner[before[at]]
        at = before[at]
    owner[at] = start
