"""What a question asks for of a part of the record, and its reply brought back to the record's form.

A reply says what only a reader can tell, and nothing twice: what code places (`x-placed`) is left out, and rows that
this leaves with one field are asked for as a plain list. What is placed and asked for all the same is chosen among the
mentions of its form.
"""

from __future__ import annotations

from dataclasses import replace

from extractor.schema.tree import Field, Leaf, Node, Object, Rows, Values, asked
from extractor.types import Json


def of(part: Object) -> Object:
    """The part as the question about it has it."""
    return replace(part, fields=tuple(_field(f) for f in asked(part)))


def told(part: Object, reply: Json) -> Json:
    """A reply to the question about the part, with rows where the part has rows."""
    if not isinstance(reply, dict):
        return reply
    nodes = {f.name: f.node for f in part.fields}
    return {name: _told(nodes[name], value) if name in nodes else value for name, value in reply.items()}


def _field(field: Field) -> Field:
    node = field.node
    if isinstance(node, Leaf):
        return replace(field, node=replace(node, closed=node.placed is not None))
    if isinstance(node, Object):
        return replace(field, node=of(node))
    if not isinstance(node, Rows):
        return field
    if only := _only(node):
        about = " ".join(filter(None, [f"{field.description or field.name}.", node.row.description]))
        words = f"{about} Of each the {only.description or only.name}"
        return replace(field, node=Values(only.node, node.most, node.least), description=words)  # type: ignore[arg-type]
    return replace(field, node=replace(node, row=of(node.row)))


def _only(rows: Rows) -> Field | None:
    """The one plain field that is asked of each row where code places the rest."""
    fields = asked(rows.row)
    alone = len(fields) == 1 < len(rows.row.fields) and isinstance(fields[0].node, Leaf)
    return fields[0] if alone else None


def _told(node: Node, value: Json) -> Json:
    match node:
        case Rows():
            only = _only(node)
            return [{only.name: one} if only else told(node.row, one) for one in value or ()]
        case Object():
            return told(node, value)
    return value
