"""What a reply must look like: JSON Schema for a part of the record, narrowed to what one chunk can hold.

Strict mode's dialect throughout: every property required, absence written as null, nothing additional. Where a kind
has candidates in the chunk, they are the only choices; where it has none, null is. Lists and strings are bounded,
since small models run into loops.
"""

from __future__ import annotations

from extractor.extraction.prompt import Strategy
from extractor.extraction.text import patterns as candidates
from extractor.schema.reader import Field, Leaf, Node, Object, Rows, Values
from extractor.types import Json

CHOICES = 200
"""Candidates above which an enumeration costs more than it helps; strict mode's limits are of this order too."""
FIGURE = 32
"""Characters of a number as a document writes it, with what stands around it."""


def shape(part: Object, text: str, strategy: Strategy) -> dict[str, Json]:
    """The JSON Schema that a reply about `text` must fit."""
    return _Shaper(text, strategy).object(part)


class _Shaper:
    def __init__(self, text: str, strategy: Strategy) -> None:
        self.text = text
        self.strategy = strategy

    def node(self, node: Node) -> dict[str, Json]:
        match node:
            case Leaf():
                return self.leaf(node)
            case Values():
                return self.values(node)
            case Rows():
                most = min(self.strategy.max_rows, node.most or self.strategy.max_rows)
                return {"type": "array", "items": self.object(node.row), "maxItems": most}
            case Object():
                return self.object(node)

    def object(self, node: Object) -> dict[str, Json]:
        return {
            "type": "object",
            "properties": {f.name: self.field(f) for f in node.fields},
            "required": [f.name for f in node.fields],
            "additionalProperties": False,
        }

    def field(self, field: Field) -> dict[str, Json]:
        shape = self.node(field.node)
        if field.required and isinstance(field.node, Leaf) and shape != {"type": "null"}:
            return _certain(shape)
        return shape

    def choices(self, leaf: Leaf) -> tuple[Json, ...] | None:
        """The only values the leaf can have in this chunk; None when they cannot be listed."""
        if leaf.enum:
            return leaf.enum
        formed = leaf.pattern if leaf.closed else None
        if not self.strategy.candidates or not (formed or leaf.kind in candidates.ENUMERABLE):
            return None
        found = candidates.spellings(leaf.kind, self.text, formed)
        return found if len(found) <= CHOICES else None

    def leaf(self, leaf: Leaf) -> dict[str, Json]:
        choices = self.choices(leaf)
        if choices is not None:
            return {"enum": [*choices, None]} if choices else {"type": "null"}
        if leaf.copied:
            return {"type": ["number", "string", "null"], "maxLength": FIGURE}
        if leaf.type == "string":
            return {"type": ["string", "null"], "maxLength": leaf.longest or self.strategy.max_length}
        return {"type": [leaf.type, "null"]}

    def values(self, node: Values) -> dict[str, Json]:
        item = node.item
        choices = self.choices(item)
        most = min(self.strategy.max_values, node.most or self.strategy.max_values)
        if choices == ():
            return {"type": "array", "items": {"type": "string"}, "maxItems": 0}
        if choices is not None:
            return {"type": "array", "items": {"enum": list(choices)}, "maxItems": min(most, len(choices))}
        if item.copied:
            return {"type": "array", "items": {"type": ["number", "string"], "maxLength": FIGURE}, "maxItems": most}
        one: dict[str, Json] = {"type": item.type}
        if item.type == "string":
            one["maxLength"] = item.longest or self.strategy.max_length
        return {"type": "array", "items": one, "maxItems": most}


def _certain(shape: dict[str, Json]) -> dict[str, Json]:
    """The shape of a leaf without null among what it allows."""
    if "enum" in shape:
        return {**shape, "enum": [v for v in shape["enum"] if v is not None]}
    kinds = [t for t in shape["type"] if t != "null"]
    return {**shape, "type": kinds[0] if len(kinds) == 1 else kinds}
