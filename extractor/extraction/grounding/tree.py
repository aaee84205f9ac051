"""Walking a grounded tree: its leaves with their paths, its plain value, and the tree with other leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar, cast

from extractor.extraction.grounding.findings import DOUBTFUL_SIGHT, MATCH_FINDINGS
from extractor.types import Evidence, GroundedList, GroundedNode, GroundedObject, GroundedValue, Json, Span, ValuePath

Tree = TypeVar("Tree", bound=GroundedNode)


def iterate_leaves(node: GroundedNode, path: ValuePath = ()) -> Iterator[tuple[ValuePath, GroundedValue]]:
    """Every leaf with its path, in the order in which it was said."""
    match node:
        case GroundedValue():
            yield path, node
        case GroundedList(items):
            for i, item in enumerate(items):
                yield from iterate_leaves(item, (*path, i))
        case GroundedObject(fields):
            for name, inner in fields.items():
                yield from iterate_leaves(inner, (*path, name))


def map_leaves(node: Tree, change: Callable[[GroundedValue], GroundedValue]) -> Tree:
    """The same tree with every leaf changed."""
    changed: GroundedNode
    match node:
        case GroundedList(items):
            changed = GroundedList(tuple(map_leaves(item, change) for item in items))
        case GroundedObject(fields):
            changed = GroundedObject({name: map_leaves(inner, change) for name, inner in fields.items()})
        case leaf:
            changed = change(cast(GroundedValue, leaf))
    return cast(Tree, changed)


def add_findings(node: Tree, *names: str) -> Tree:
    """The same tree; each leaf has the findings, too."""

    def add(leaf: GroundedValue) -> GroundedValue:
        findings = tuple(dict.fromkeys((*leaf.evidence.findings, *names)))
        return replace(leaf, evidence=replace(leaf.evidence, findings=findings))

    return map_leaves(node, add)


def to_json(node: GroundedNode) -> Json:
    """The plain value."""
    match node:
        case GroundedValue(value):
            return value
        case GroundedList(items):
            return [to_json(item) for item in items]
        case GroundedObject(fields):
            return {name: to_json(inner) for name, inner in fields.items()}


def collect_evidence(node: GroundedNode) -> dict[ValuePath, Evidence]:
    """The evidence of every leaf by its path."""
    return {path: leaf.evidence for path, leaf in iterate_leaves(node)}


def first_words(node: GroundedNode) -> Span | None:
    """Where the first leaf that has words has them: where a row stands."""
    return next((leaf.evidence.spans[0] for _, leaf in iterate_leaves(node) if leaf.evidence.spans), None)


def has_words(node: GroundedNode | None) -> bool:
    """Whether anything of it is supported without a doubt."""
    match node:
        case None:
            return False
        case GroundedValue():
            return not is_doubted(node)
        case GroundedList(items):
            return any(map(has_words, items))
        case GroundedObject(fields):
            return any(map(has_words, fields.values()))


def is_doubted(leaf: GroundedValue) -> bool:
    """Whether something was found about it that is more than how exactly its words are the value, and how well they are
    seen."""
    return not _HARMLESS.issuperset(leaf.evidence.findings)


_HARMLESS = MATCH_FINDINGS | {DOUBTFUL_SIGHT}
