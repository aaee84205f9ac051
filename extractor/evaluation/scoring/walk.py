"""The leaves of one record, in the order of the schema's tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.evaluation.scoring.schema import (
    DEEPEST,
    Field,
    Group,
    Leaf,
    Rows,
    Unknown,
    Values,
    blank,
    infer,
    infer_leaf,
)
from extractor.types import Json

WHOLE = Leaf()
"""How a value of another shape than the schema's, or one too deep to look into, is compared: by all that it holds."""


def children(node: Group, *records: Mapping[str, Json]) -> Iterator[tuple[str, Field]]:
    """The schema's fields in its order, then what else the records hold, sorted by name."""
    yield from node.fields.items()
    known = node.fields.keys()
    more = [name for record in records if not record.keys() <= known for name in record.keys() - known]
    for name in sorted(set(more)) if more else ():
        values = [record.get(name) for record in records]
        if not all(blank(value) for value in values):
            yield name, node.rest if node.rest is not None else infer(*values)


def step(name: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + (name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name)


def leaves(
    node: Field, value: Json, path: str = "", field: str = "", depth: int = 0
) -> Iterator[tuple[str, Leaf, Json, str]]:
    """(name of the field, leaf, value, JSON pointer) of everything in the value that is not blank."""
    if blank(value):
        return
    if isinstance(node, Unknown):
        node = infer(value)
    if isinstance(node, Leaf) or depth >= DEEPEST:
        yield field, node if isinstance(node, Leaf) else WHOLE, value, path
    elif isinstance(node, Group) and isinstance(value, dict):
        for name, one in children(node, value):
            inner = f"{field}.{name}" if field else name
            if not isinstance(one, Leaf):
                yield from leaves(one, value.get(name), path + step(name), inner, depth + 1)
            elif not blank(said := value.get(name)):  # most are plain leaves, and a generator for each costs the half
                yield inner, one, said, path + step(name)
    elif isinstance(node, Rows | Values) and isinstance(value, list):
        item: Field = node.row if isinstance(node, Rows) else node.item or infer_leaf(value)
        for i, one in enumerate(value):
            yield from leaves(item, one, f"{path}/{i}", field + "[]", depth + 1)
    else:
        yield field, WHOLE, value, path
