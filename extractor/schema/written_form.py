"""Lists within lists and tuples: in the tree as objects, in records as the lists that their schema has.

    list of lists   rows that wrap what they hold: [[1, 2]] is [{"value": [1, 2]}]
    tuple           an object by position: [48.1, 11.6] is {"0": 48.1, "1": 11.6}

So every step sees objects alone. What is read of a record is put into that form, and what is written of one, its
values and their paths, is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from extractor.schema.tree import Node, Object, ObjectList
from extractor.types import Json, ValuePath

WRAPPED = "value"
"""The one field of a row that wraps what it holds."""


def as_object(node: Object, value: Json) -> Json:
    """The value of an object in the tree's form; as it is where it has that form, or none that fits."""
    if node.wraps and not (isinstance(value, Mapping) and value.keys() <= {WRAPPED}):
        return None if value is None else {WRAPPED: value}
    if node.by_position and isinstance(value, list):
        return {str(i): one for i, one in enumerate(value)}
    return value


def path_writer(root: Node) -> Callable[[ValuePath], ValuePath]:
    """What gives the path of a value in a record for its path in the tree."""
    return partial(_write_path, root) if _is_written_otherwise(root) else lambda path: path


def _is_written_otherwise(node: Node) -> bool:
    match node:
        case Object(fields):
            return node.wraps or node.by_position or any(_is_written_otherwise(f.node) for f in fields)
        case ObjectList(row):
            return _is_written_otherwise(row)
    return False


def _write_path(root: Node, path: ValuePath) -> ValuePath:
    node: Node | None = root
    out: list[str | int] = []
    for step in path:
        if isinstance(node, Object):
            wraps, place = node.wraps, node.by_position
            node = next((f.node for f in node.fields if f.name == step), None)
            if wraps and step == WRAPPED:
                continue
            out.append(int(step) if place and str(step).isdecimal() else step)
        else:
            node = node.row if isinstance(node, ObjectList) else None
            out.append(step)
    return tuple(out)
