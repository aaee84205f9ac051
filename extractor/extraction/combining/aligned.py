"""Opinions, laid side by side: for every place of the record what each model has there.

Rows are aligned as evaluation aligns them, one model's after another's: a row is held against what all rows that are
already one with it say. Entries of a plain list are one where they are equal. A row that no other model has stands
behind the row that it follows in its own list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from extractor.extraction.combining.opinion import FieldPath, Opinion
from extractor.extraction.comparison.alignment import LeafToken, RowSketch, align_rows
from extractor.extraction.comparison.comparators import canonicalise_value
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.schema.annotations import Kind
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.types import GroundedList, GroundedNode, GroundedObject, GroundedValue

T = TypeVar("T")
Sayers = Mapping[int, T]
"""By the number of the opinion."""
TEXT_KINDS = (Kind.TEXT, Kind.NAME)
"""Kinds whose words tell that two keys are nearly the same."""
HEAD = -1
"""What stands before the first number of an order."""
LEAST_SHARED = 3
"""A row without a declared key is another's where at least one in so many of its leaves is the same."""


@dataclass(frozen=True, slots=True)
class AlignedLeaf:
    """One place of the record. `asked` are those who could have said something there, its sayers among them."""

    path: FieldPath
    kind: Kind
    readings: Sayers[GroundedValue]
    asked: frozenset[int]

    def group_sayers(self) -> list[list[int]]:
        """Those who say the same, in the order in which they were first said."""
        groups: dict[Hashable, list[int]] = {}
        for one, leaf in self.readings.items():
            groups.setdefault(canonicalise_value(self.kind, leaf.value), []).append(one)
        return list(groups.values())


@dataclass(frozen=True, slots=True)
class AlignedObject:
    fields: Mapping[str, AlignedNode]
    sayers: frozenset[int] = frozenset()
    """Of a row: who has it."""
    asked: frozenset[int] = frozenset()
    """Of a row: who could have had it."""


@dataclass(frozen=True, slots=True)
class AlignedList:
    path: FieldPath
    entries: tuple[AlignedNode, ...]
    lengths: Sayers[int] = field(default_factory=dict)
    """How many entries each of those has who were asked."""


AlignedNode = AlignedLeaf | AlignedList | AlignedObject


def align_opinions(root: Object, opinions: Sequence[Opinion]) -> AlignedObject:
    """Every place that any of the opinions has, in the schema's order."""
    trees: dict[int, GroundedNode] = {i: one.tree for i, one in enumerate(opinions)}
    return _Aligner(opinions).align_object(root, trees, (), frozenset(trees))


class _Aligner:
    def __init__(self, opinions: Sequence[Opinion]) -> None:
        self._opinions = opinions

    def align_object(
        self, node: Object, said: Sayers[GroundedNode], path: FieldPath, asked: frozenset[int]
    ) -> AlignedObject:
        fields: dict[str, AlignedNode] = {}
        for f in node.fields:
            inner = {
                i: one.fields[f.name]
                for i, one in said.items()
                if isinstance(one, GroundedObject) and f.name in one.fields
            }
            if inner:
                fields[f.name] = self._align(f.node, inner, (*path, f.name), asked)
        return AlignedObject(fields, frozenset(said), asked)

    def _align(self, node: Node, said: Sayers[GroundedNode], path: FieldPath, asked: frozenset[int]) -> AlignedNode:
        match node:
            case Scalar():
                return self._place(node, said, path, asked)
            case ValueList(item):
                return self._align_values(item, said, path, asked)
            case ObjectList():
                return self._align_rows(node, said, path, asked)
            case Object():
                return self.align_object(node, said, path, asked)

    def _place(self, node: Scalar, said: Sayers[GroundedNode], path: FieldPath, asked: frozenset[int]) -> AlignedLeaf:
        readings = {i: one for i, one in said.items() if isinstance(one, GroundedValue)}
        return AlignedLeaf(path, node.kind, readings, frozenset(readings) | self._find_asked(path, asked))

    def _find_asked(self, path: FieldPath, asked: frozenset[int]) -> frozenset[int]:
        """Those whose silence about the field tells something."""
        told = ((i, self._opinions[i]) for i in asked)
        return frozenset(i for i, one in told if one.answered_all and (one.scope is None or path in one.scope.fields))

    def _align_values(
        self, item: Scalar, said: Sayers[GroundedNode], path: FieldPath, asked: frozenset[int]
    ) -> AlignedList:
        order = _Order()
        numbers: dict[tuple[Hashable, int], int] = {}
        places: list[dict[int, GroundedNode]] = []
        for i, one in said.items():
            times, before = Counter[Hashable](), HEAD
            for leaf in _items(one):
                if not isinstance(leaf, GroundedValue):
                    continue
                form = canonicalise_value(item.kind, leaf.value)
                times[form] += 1
                at = numbers.setdefault((form, times[form]), len(places))
                if at == len(places):
                    places.append({})
                    order.insert(at, before)
                places[at][i] = leaf
                before = at
        lengths = {i: len(_items(said[i])) if i in said else 0 for i in self._find_asked(path, asked) | set(said)}
        return AlignedList(path, tuple(self._place(item, places[at], path, asked) for at in order), lengths)

    def _align_rows(
        self, node: ObjectList, said: Sayers[GroundedNode], path: FieldPath, asked: frozenset[int]
    ) -> AlignedList:
        groups: list[dict[int, GroundedNode]] = []
        order, numbers = _Order(), dict[int, int]()  # of a group, the number of its row in the first opinion
        for i, one in said.items():
            rows = [row for row in _items(one) if isinstance(row, GroundedObject)]
            partners = _pair_rows(node, groups, rows) if groups else {}
            before = HEAD
            for number, row in enumerate(rows):
                at = partners.get(number, len(groups))
                if at == len(groups):
                    groups.append({})
                    order.insert(at, before)
                groups[at][i] = row
                before = at
                if i == 0:
                    numbers[at] = number
        whole = self._find_list_asked(path, asked) | set(said)
        aligned = []
        for at in order:
            here = frozenset(groups[at]) | self._find_row_asked(path, asked, numbers.get(at))
            aligned.append(self.align_object(node.row, groups[at], path, here))
        return AlignedList(path, tuple(aligned), {i: len(_items(said[i])) if i in said else 0 for i in whole})

    def _find_list_asked(self, path: FieldPath, asked: frozenset[int]) -> frozenset[int]:
        """Those who were asked for all rows of a list."""
        told = ((i, self._opinions[i]) for i in asked)
        return frozenset(i for i, one in told if one.answered_all and one.scope is None)

    def _find_row_asked(self, path: FieldPath, asked: frozenset[int], number: int | None) -> frozenset[int]:
        """Those who were asked for a row, by its number in the first opinion; None: it is not in that."""

        def is_asked(one: Opinion) -> bool:
            if not one.answered_all:
                return False
            if one.scope is None:
                return True
            some = one.scope.rows.get(path)
            return number is not None and (some is None or number in some)

        return frozenset(i for i in asked if is_asked(self._opinions[i]))


def _items(node: GroundedNode) -> tuple[GroundedNode, ...]:
    return node.items if isinstance(node, GroundedList) else ()


class _Order:
    """Numbers in an order, each put behind another one."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def insert(self, number: int, before: int) -> None:
        if before in self._next:
            self._next[number] = self._next[before]
        self._next[before] = number

    def __iter__(self) -> Iterator[int]:
        at = HEAD
        while at in self._next:
            at = self._next[at]
            yield at


def _pair_rows(
    node: ObjectList, groups: Sequence[Mapping[int, GroundedNode]], rows: Sequence[GroundedObject]
) -> dict[int, int]:
    """Number of a row -> number of the group that it belongs to."""
    ours = [_sketch_row(node, list(group.values())) for group in groups]
    theirs = [_sketch_row(node, [row]) for row in rows]
    pairs = align_rows(ours, theirs).pairs
    return {j: i for i, j in pairs if node.key_declared or _share_enough(ours[i], theirs[j])}


def _share_enough(one: RowSketch, other: RowSketch) -> bool:
    forms = {form for leaf in one.leaf_forms for form in leaf}
    shared = sum(leaf[0] in forms for leaf in other.leaf_forms)
    return LEAST_SHARED * shared >= min(len(one.leaf_forms), len(other.leaf_forms))


def _sketch_row(node: ObjectList, rows: Sequence[GroundedNode]) -> RowSketch:
    """What alignment sees of rows that are one: of each leaf every form that it has in any of them."""
    kinds = dict(_list_kinds(node.row))
    leaves: dict[tuple[FieldPath, int], dict[LeafToken, None]] = {}
    texts: dict[str, list[str]] = {}
    for row in rows:
        seen = Counter[FieldPath]()
        for path, leaf in iterate_leaves(row):
            name = tuple(step for step in path if isinstance(step, str))
            seen[name] += 1
            kind = kinds.get(name, Kind.TEXT)
            form = (name, *canonicalise_value(kind, leaf.value))
            leaves.setdefault((name, seen[name]), {})[form] = None
            if kind in TEXT_KINDS and len(name) == 1:
                texts.setdefault(name[0], []).append(str(leaf.value))
    keys = node.key if node.key_declared else ()
    return RowSketch(
        tuple(tuple(forms) for forms in leaves.values()),
        tuple(tuple(leaves.get(((key,), 1), ())) for key in keys),
        tuple(tuple(texts.get(key, ())) for key in keys),
    )


def _list_kinds(node: Node, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Kind]]:
    """The kind of every leaf under a node."""
    match node:
        case Scalar(kind):
            yield path, kind
        case ValueList(item):
            yield path, item.kind
        case ObjectList(row):
            yield from _list_kinds(row, path)
        case Object(fields):
            for f in fields:
                yield from _list_kinds(f.node, (*path, f.name))
