"""The schema's tree in the form that values have.

A schema may leave open what form a value has: one text or a list of them, an object or its name, an object whose names
are the document's. It is asked for in one form; what is said in another one that the schema takes is as right. So the
steps walk the tree as what was said settles it, in which every place has one form and every name that was said a field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from extractor.schema.open_objects import UNNAMED, list_entry_fields
from extractor.schema.tree import Field, Node, Object, ObjectList, Scalar, ValueList
from extractor.schema.written_form import LONE, as_object
from extractor.types import Json

_AnyNode = TypeVar("_AnyNode", bound=Node)


def is_settled(node: Node) -> bool:
    """Whether every place in the node has one form and all names of its objects are the schema's."""
    match node:
        case Object(fields, entries=None, alternatives=()):
            return all(is_settled(f.node) for f in fields)
        case ObjectList(row, alternatives=()):
            return is_settled(row)
        case ValueList(alternatives=()) | Scalar():
            return True
    return False


def settle_node(node: _AnyNode, values: Iterable[Json]) -> _AnyNode:
    """The node in the form of the values that stand in its place in several replies, with a field for each name.

    Where the values have several forms, its own counts, then a list, which has a place for one value as well. The same
    node comes back where nothing in it is open; a record's root stays an object.
    """
    if is_settled(node):
        return node
    return _settle(node, [value for value in values if value is not None])  # type: ignore[return-value]


def _settle(node: Node, values: Sequence[Json]) -> Node:
    if not isinstance(node, Scalar) and (other := _find_alternative(node, values)):
        return settle_node(other, values)
    match node:
        case ValueList():
            return replace(node, alternatives=())
        case ObjectList(row):
            rows = [one for value in values for one in (value if isinstance(value, list) else [value])]
            rows = [as_object(row, one) for one in rows]
            plain = next((one for one in row.alternatives if isinstance(one, Scalar)), None)
            if plain and rows and not any(isinstance(one, Mapping) for one in rows):
                return ValueList(plain, node.max_items, node.min_items)
            return replace(node, row=settle_node(_without_lists(row), rows), alternatives=())
        case Object(fields, entries=entries):
            objects = [one for value in values if isinstance(one := as_object(node, value), Mapping)]
            listed = not node.by_position and any(isinstance(value, list) for value in values)
            if listed and not objects and entries and entries.unnamed:
                return entries.unnamed
            said = dict.fromkeys(name for value in objects for name in value)
            if listed:
                said.setdefault(UNNAMED)
            every = (*fields, *list_entry_fields(node, said))
            named = [replace(f, node=settle_node(f.node, [one.get(f.name) for one in objects])) for f in every]
            lone = _find_lone_value(node, values) if objects else None
            if lone:
                named.append(Field(LONE, lone))
            return replace(node, fields=tuple(named), entries=None, alternatives=(), or_value=lone is not None)
    return node


def _without_lists(row: Object) -> Object:
    """The row of a list without its other forms but those of one value: rows of rows are no rows."""
    return replace(row, alternatives=tuple(one for one in row.alternatives if isinstance(one, Scalar)))


def _find_lone_value(node: Object, values: Sequence[Json]) -> Scalar | None:
    """What stands in place of the object here and there, if the schema takes one value there and there is one."""
    alone = any(_form_of(value) == "value" or (isinstance(value, Mapping) and LONE in value) for value in values)
    if node.wraps or node.by_position or not alone:
        return None
    return next((one for one in node.alternatives if isinstance(one, Scalar)), None)


def _find_alternative(node: ValueList | ObjectList | Object, values: Sequence[Json]) -> Node | None:
    """The other form that the values have, if none of them has the node's own."""
    said = {_form_of(value) for value in values}
    own = {_node_form(node)}
    if isinstance(node, Object) and (node.by_position or (node.entries and node.entries.unnamed)):
        own.add("list")
    if not said or own & said:
        return None
    fitting = [one for one in node.alternatives if _node_form(one) in said]
    return min(fitting, key=lambda one: ("list", "object", "value").index(_node_form(one)), default=None)


def _form_of(value: Json) -> str:
    return "object" if isinstance(value, Mapping) else "list" if isinstance(value, list) else "value"


def _node_form(node: Node) -> str:
    return "object" if isinstance(node, Object) else "value" if isinstance(node, Scalar) else "list"
