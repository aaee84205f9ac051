"""A reply as a tree, each leaf on the mention that was located for it."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.extraction.grounding.locator import Locator
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.types import GroundedList, GroundedNode, GroundedObject, Json, ValuePath


def ground_located(node: Object, value: Mapping[str, Json], locator: Locator) -> GroundedObject:
    """The reply of a model whose spelling stands: each leaf on the mention that the locator chose over all of them."""
    located = locator.locate(node, value)

    def build(node: Node, value: Json, path: ValuePath) -> GroundedNode | None:
        match node:
            case Scalar():
                leaf = located.get(path)
                return None if leaf is None else locator.support(leaf)
            case ValueList(item):
                entries = [build(item, one, (*path, i)) for i, one in enumerate(value or ())]
                return GroundedList(tuple(one for one in entries if one is not None))
            case ObjectList(row):
                rows = [build(row, one or {}, (*path, i)) or GroundedObject() for i, one in enumerate(value or ())]
                return GroundedList(tuple(rows))
            case Object(fields):
                inner = {f.name: build(f.node, (value or {}).get(f.name), (*path, f.name)) for f in fields}
                return GroundedObject({name: one for name, one in inner.items() if one is not None})

    tree = build(node, value, ())
    assert isinstance(tree, GroundedObject)  # noqa: S101 -- the root is an object
    return tree
