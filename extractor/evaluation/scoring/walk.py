"""The leaves of one record, in the order of the schema's tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.evaluation.scoring.schema import (
    MAX_DEPTH,
    LeafNode,
    ObjectListNode,
    ObjectNode,
    SchemaNode,
    UnknownNode,
    ValueListNode,
    infer_leaf_node,
    infer_node,
    is_blank,
)
from extractor.types import Json

WHOLE_VALUE = LeafNode()
"""How a value of another shape than the schema's, or one too deep to look into, is compared: by all that it holds."""


def iterate_child_nodes(node: ObjectNode, *records: Mapping[str, Json]) -> Iterator[tuple[str, SchemaNode]]:
    """The schema's fields in its order, then what else the records hold, sorted by name."""
    yield from node.fields.items()
    known = node.fields.keys()
    more = [name for record in records if not record.keys() <= known for name in record.keys() - known]
    for name in sorted(set(more)) if more else ():
        values = [record.get(name) for record in records]
        if not all(is_blank(value) for value in values):
            yield name, node.additional if node.additional is not None else infer_node(*values)


def format_pointer_step(name: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + (name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name)


def iterate_leaf_values(
    node: SchemaNode, value: Json, path: str = "", field: str = "", depth: int = 0
) -> Iterator[tuple[str, LeafNode, Json, str]]:
    """(name of the field, leaf, value, JSON pointer) of everything in the value that is not blank."""
    if is_blank(value):
        return
    if isinstance(node, UnknownNode):
        node = infer_node(value)
    if isinstance(node, LeafNode) or depth >= MAX_DEPTH:
        yield field, node if isinstance(node, LeafNode) else WHOLE_VALUE, value, path
    elif isinstance(node, ObjectNode) and isinstance(value, dict):
        for name, one in iterate_child_nodes(node, value):
            inner = f"{field}.{name}" if field else name
            if not isinstance(one, LeafNode):
                yield from iterate_leaf_values(one, value.get(name), path + format_pointer_step(name), inner, depth + 1)
            elif not is_blank(
                inner_value := value.get(name)
            ):  # most are plain leaves, and a generator for each costs the half
                yield inner, one, inner_value, path + format_pointer_step(name)
    elif isinstance(node, ObjectListNode | ValueListNode) and isinstance(value, list):
        item: SchemaNode = node.row if isinstance(node, ObjectListNode) else node.item or infer_leaf_node(value)
        for i, one in enumerate(value):
            yield from iterate_leaf_values(item, one, f"{path}/{i}", field + "[]", depth + 1)
    else:
        yield field, WHOLE_VALUE, value, path
