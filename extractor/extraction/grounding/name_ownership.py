"""Whose a person's name is: the words that name somebody in a row are the row's, and not the whole record's as well.

A model that is asked for the people of the record names those of its rows too. Where both rest on the same mention, the
row, which stands around it, has the better claim. A second mention elsewhere keeps a person in both.
"""

from __future__ import annotations

from extractor.extraction.grounding.findings import NAME_OF_ROW
from extractor.extraction.grounding.tree import add_findings
from extractor.schema.annotations import Kind
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.types import GroundedList, GroundedNode, GroundedObject, GroundedValue, Span


def find_names_of_rows(root: Object, tree: GroundedObject) -> GroundedObject:
    """The record's tree; names in lists of its own whose every mention a row has carry the finding."""
    taken = _row_names(root, tree, 0)
    fields: dict[str, GroundedNode] = dict(tree.fields)
    for f in root.fields:
        names = fields.get(f.name)
        if isinstance(f.node, ValueList) and f.node.item.kind is Kind.NAME and isinstance(names, GroundedList):
            fields[f.name] = GroundedList(tuple(_mark_name(name, taken) for name in names.items))
    return GroundedObject(fields)


def _mark_name(name: GroundedNode, taken: set[Span]) -> GroundedNode:
    is_taken = isinstance(name, GroundedValue) and name.evidence.spans and taken.issuperset(name.evidence.spans)
    return add_findings(name, NAME_OF_ROW) if is_taken else name


def _row_names(node: Node, tree: GroundedNode | None, lists: int) -> set[Span]:
    """The words of the names in rows: what stands in a list and names one person, or several in a list of the row."""
    match node, tree:
        case Object(fields), GroundedObject(inner):
            return set().union(*(_row_names(f.node, inner.get(f.name), lists) for f in fields))
        case ObjectList(row), GroundedList(items):
            return set().union(*(_row_names(row, item, lists + 1) for item in items))
        case ValueList(item), GroundedList(items):
            return set().union(*(_row_names(item, one, lists + 1) for one in items)) if lists else set()
        case Scalar(kind=Kind.NAME), GroundedValue(_, evidence):
            return set(evidence.spans) if lists > 1 else set()
    return set()
