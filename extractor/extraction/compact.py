"""The compact form in which a part of the record is asked for, and the way back from the reply to the record's form.

A model is asked only for what takes a reader: fields that code finds by position (`x-locate-by-position`) are left out,
and rows that this leaves with one field are asked for as a plain list. A field that is found by position and asked for
as well (`x-also-ask`) is chosen from the mentions of its form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from extractor.schema.tree import Field, Node, Object, ObjectList, Scalar, ValueList, asked_fields
from extractor.types import Json


def compact_part(part: Object) -> Object:
    """The part as the question about it has it."""
    return replace(part, fields=tuple(_compact_field(f) for f in asked_fields(part)))


def expand_reply(part: Object, reply: Json) -> Json:
    """A reply to the question about the part, with rows where the part has rows."""
    if not isinstance(reply, dict):
        return reply
    nodes = {f.name: f.node for f in part.fields}
    return {name: _expand_value(nodes[name], value) if name in nodes else value for name, value in reply.items()}


def compact_value(part: Object, value: Mapping[str, Json]) -> dict[str, Json]:
    """A part of a record as a reply to the question about it has it: what `expand_reply` undoes.

    A field that the value does not have is left out.
    """
    rows = {f.name: only for f in part.fields if isinstance(f.node, ObjectList) and (only := _only_asked_field(f.node))}
    compacted = order_fields(asked_fields(part), value, compact_value)
    for name, only in rows.items():
        if name in compacted:
            compacted[name] = [row[only.name] for row in compacted[name] or () if row.get(only.name) is not None]
    return compacted


def order_fields(
    fields: Iterable[Field],
    value: Mapping[str, Json],
    of_object: Callable[[Object, Mapping[str, Json]], dict[str, Json]],
) -> dict[str, Json]:
    """The value's own of these fields, in their order; objects in it as `of_object` makes them."""

    def order(node: Node, inner: Json) -> Json:
        match node, inner:
            case Object(), Mapping():
                return of_object(node, inner)
            case ObjectList(row), list():
                return [of_object(row, one) for one in inner]
        return inner

    return {f.name: order(f.node, value[f.name]) for f in fields if f.name in value}


def _compact_field(field: Field) -> Field:
    node = field.node
    if isinstance(node, Scalar):
        return replace(field, node=replace(node, closed_choice=node.locate_by_position is not None))
    if isinstance(node, Object):
        return replace(field, node=compact_part(node))
    if not isinstance(node, ObjectList):
        return field
    if only := _only_asked_field(node):
        about = " ".join(filter(None, [f"{field.description or field.name}.", node.row.description]))
        words = f"{about} Of each the {only.description or only.name}"
        return replace(field, node=ValueList(only.node, node.max_items, node.min_items), description=words)  # type: ignore[arg-type]
    return replace(field, node=replace(node, row=compact_part(node.row)))


def _only_asked_field(rows: ObjectList) -> Field | None:
    """The one plain field that is asked of each row where code places the rest."""
    fields = asked_fields(rows.row)
    alone = len(fields) == 1 < len(rows.row.fields) and isinstance(fields[0].node, Scalar)
    return fields[0] if alone else None


def _expand_value(node: Node, value: Json) -> Json:
    match node:
        case ObjectList():
            only = _only_asked_field(node)
            return [{only.name: one} if only else expand_reply(node.row, one) for one in value or ()]
        case Object():
            return expand_reply(node, value)
    return value
