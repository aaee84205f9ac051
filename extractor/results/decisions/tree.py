"""A record as a person edits it: its shape, each value with its proof and with what was decided about it.

Nothing is ever taken out of the tree, so that what a person did away with can be shown, and numbers of rows stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from extractor.results.decisions.decision import split_pointer, step_down
from extractor.results.parts import Proof
from extractor.types import Json


class Verdict(StrEnum):
    """What a person made of a value."""

    OPEN = ""
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REJECTED = "rejected"
    ADDED = "added"
    RESTORED = "restored"


@dataclass(slots=True)
class Leaf:
    """A plain value, or None where there is none."""

    value: Json = None
    proof: Proof | None = None
    verdict: Verdict = Verdict.OPEN
    first: Json = None
    """What the result has there."""
    first_proof: Proof | None = None


@dataclass(slots=True)
class Entry:
    """An entry of a list."""

    node: Node
    removed: bool = False
    added: bool = False
    origin: int | None = None
    """Its number in the result; None where a person added it."""


@dataclass(slots=True)
class Entries:
    items: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class Fields:
    fields: dict[str, Node] = field(default_factory=dict)


Node = Leaf | Entries | Fields


def grow_tree(value: Json, proofs: Mapping[str, Proof], path: str = "") -> Node:
    """The tree of a record, or of a part of it at `path`, before anybody decided anything."""
    if isinstance(value, Mapping):
        return Fields({key: grow_tree(inner, proofs, step_down(path, key)) for key, inner in value.items()})
    if isinstance(value, list):
        return Entries([Entry(grow_tree(v, proofs, f"{path}/{i}"), origin=i) for i, v in enumerate(value)])
    proof = proofs.get(path)
    return Leaf(value, proof, first=value, first_proof=proof)


def read_value(node: Node) -> Json:
    """The value that the tree stands for."""
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, Fields):
        return {key: read_value(inner) for key, inner in node.fields.items()}
    return [read_value(entry.node) for entry in node.items if holds_entry(entry)]


def holds_entry(entry: Entry) -> bool:
    """Whether an entry is one of the record: not removed, and no plain value that was rejected."""
    emptied = isinstance(entry.node, Leaf) and entry.node.value is None and entry.node.verdict is Verdict.REJECTED
    return not entry.removed and not emptied


def walk_tree(node: Node, path: str = "", removed: bool = False) -> Iterator[tuple[str, Leaf, bool]]:
    """Every leaf with its pointer in the tree, and whether it is in a row that was removed."""
    if isinstance(node, Leaf):
        yield path, node, removed
    elif isinstance(node, Fields):
        for key, inner in node.fields.items():
            yield from walk_tree(inner, step_down(path, key), removed)
    else:
        for number, entry in enumerate(node.items):
            yield from walk_tree(entry.node, f"{path}/{number}", removed or entry.removed)


def walk_record(node: Node, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every leaf that has a value in the record, with its pointer in the record."""
    if isinstance(node, Leaf):
        if node.value is not None:
            yield path, node
    elif isinstance(node, Fields):
        for key, inner in node.fields.items():
            yield from walk_record(inner, step_down(path, key))
    else:
        for number, entry in enumerate(entry for entry in node.items if holds_entry(entry)):
            yield from walk_record(entry.node, f"{path}/{number}")


def find_node(root: Node, path: str) -> Node | None:
    """The node at a pointer of the tree; None where there is none. Raises ValueError for what is no pointer."""
    at: Node = root
    for step in split_pointer(path):
        inner = _step_into(at, step)
        if inner is None:
            return None
        at = inner
    return at


def find_entry(root: Node, path: str) -> tuple[Entries, int] | None:
    """The list and the number in it that a pointer ends in; None where it ends in no entry of a list."""
    above, _, last = path.rpartition("/")
    node = find_node(root, above)
    if not isinstance(node, Entries) or not _is_number(last) or int(last) >= len(node.items):
        return None
    return node, int(last)


def make_leaf(root: Node, path: str) -> Leaf | None:
    """The leaf at a pointer, made where the record leaves it out; None where something else stands in its way.

    A pointer that ends one behind the last entry of a list makes one more entry.
    """
    steps = split_pointer(path)
    at: Node = root
    for depth, step in enumerate(steps):
        inner = _step_into(at, step)
        if inner is None:
            fresh = Leaf() if depth == len(steps) - 1 else _holder_of(steps[depth + 1])
            inner = _put_inside(at, step, fresh)
        elif depth < len(steps) - 1 and isinstance(inner, Leaf) and inner.value is None:
            inner = _put_inside(at, step, _holder_of(steps[depth + 1]))
        if inner is None:
            return None
        at = inner
    return at if isinstance(at, Leaf) else None


def make_entries(root: Node, path: str) -> Entries | None:
    """The list at a pointer, made where the record leaves it out."""
    steps = split_pointer(path)
    found = find_node(root, path)
    if isinstance(found, Entries):
        return found
    if not steps or (found is not None and not (isinstance(found, Leaf) and found.value is None)):
        return None
    above = find_node(root, "".join(step_down("", step) for step in steps[:-1]))
    made = _put_inside(above, steps[-1], Entries()) if isinstance(above, Fields) else None
    return made if isinstance(made, Entries) else None


def _holder_of(step: str) -> Node:
    return Entries() if _is_number(step) else Fields()


def _put_inside(at: Node, step: str, node: Node) -> Node | None:
    if isinstance(at, Fields):
        at.fields[step] = node
        return node
    if isinstance(at, Entries) and _is_number(step):
        if int(step) < len(at.items):
            at.items[int(step)].node = node
            return node
        if int(step) == len(at.items):
            at.items.append(Entry(node, added=True))
            return node
    return None


def _step_into(at: Node, step: str) -> Node | None:
    if isinstance(at, Fields):
        return at.fields.get(step)
    if isinstance(at, Entries) and _is_number(step) and int(step) < len(at.items):
        return at.items[int(step)].node
    return None


def _is_number(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) < 10 and (step == "0" or step[0] != "0")
