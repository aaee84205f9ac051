"""Whose a person's name is: the words that name somebody in a row are the row's, and not the whole record's as well.

A model that is asked for the people of the record names those of its rows too. Where both rest on the same mention, the
row, which stands around it, has the better claim. A second mention elsewhere keeps a person in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from extractor.schema.annotations import Kind
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Evidence, Json, RejectedValue, Span, ValuePath


class NameOwnership(NamedTuple):
    value: dict[str, Json]
    evidence: dict[ValuePath, Evidence]
    rejected: tuple[RejectedValue, ...]


def resolve_name_ownership(
    root: Object, value: Mapping[str, Json], evidence: Mapping[ValuePath, Evidence]
) -> NameOwnership:
    """The record without names, in lists of its own, whose every mention a row has."""
    names = {path: e for path, e in evidence.items() if _is_name(root, path)}
    rows = {span for path, e in names.items() if sum(isinstance(step, int) for step in path) > 1 for span in e.spans}
    kept_value, kept = dict(value), dict(evidence)
    rejected: list[RejectedValue] = []
    for f in root.fields:
        if not isinstance(f.node, ValueList) or f.node.item.kind is not Kind.NAME:
            continue
        mine = [(v, evidence[(f.name, i)]) for i, v in enumerate(value[f.name])]
        stay = [(v, e) for v, e in mine if not e.spans or not rows.issuperset(e.spans)]
        for i, (said, e) in enumerate(mine):
            del kept[(f.name, i)]
            if (said, e) not in stay:
                whole = Span(min(s.start for s in e.spans), max(s.end for s in e.spans))
                rejected.append(RejectedValue((f.name, i), said, "belongs to a row", whole))
        kept |= {(f.name, i): e for i, (_, e) in enumerate(stay)}
        kept_value[f.name] = [v for v, _ in stay]
    return NameOwnership(kept_value, kept, tuple(rejected))


def _is_name(root: Object, path: ValuePath) -> bool:
    node: Node = root
    for step in path:
        match node:
            case Object():
                node = node[str(step)].node
            case ObjectList(row):
                node = row if isinstance(step, int) else row[step].node
            case ValueList(item):
                node = item
            case Scalar():
                return False
    return isinstance(node, Scalar) and node.kind is Kind.NAME
