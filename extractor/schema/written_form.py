"""What is an object in the tree, and another thing in records: lists within lists, tuples, values in place of objects.

    list of lists   rows that wrap what they hold: [[1, 2]] is [{"value": [1, 2]}]
    tuple           an object by position: [48.1, 11.6] is {"0": 48.1, "1": 11.6}
    one value       where others are objects: [{"name": "Ann"}, "Ben"] is [{"name": "Ann"}, {"(value)": "Ben"}]

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
LONE = "(value)"
"""The field of an object that may be one value instead."""


def as_object(node: Object, value: Json) -> Json:
    """The value of an object in the tree's form; as it is where it has that form, or none that fits."""
    if node.wraps and not (isinstance(value, Mapping) and value.keys() <= {WRAPPED}):
        return None if value is None else {WRAPPED: value}
    if node.by_position and isinstance(value, list):
        return {str(i): one for i, one in enumerate(value)}
    if node.or_value and not isinstance(value, Mapping | list | None):
        return {LONE: value}
    return value


def path_writer(root: Node) -> Callable[[ValuePath], ValuePath]:
    """What gives the path of a value in a record for its path in the tree."""
    return partial(_write_path, root) if _is_written_otherwise(root) else lambda path: path


def _is_written_otherwise(node: Node) -> bool:
    match node:
        case Object(fields):
            otherwise = node.wraps or node.by_position or node.or_value
            return otherwise or any(_is_written_otherwise(f.node) for f in fields)
        case ObjectList(row):
            return _is_written_otherwise(row)
    return False


def _write_path(root: Node, path: ValuePath) -> ValuePath:
    node: Node | None = root
    out: list[str | int] = []
    for step in path:
        if isinstance(node, Object):
            wraps, place, lone = node.wraps, node.by_position, node.or_value
            node = next((f.node for f in node.fields if f.name == step), None)
            if (wraps and step == WRAPPED) or (lone and step == LONE):
                continue
            out.append(int(step) if place and str(step).isdecimal() else step)
        else:
            node = node.row if isinstance(node, ObjectList) else None
            out.append(step)
    return tuple(out)
