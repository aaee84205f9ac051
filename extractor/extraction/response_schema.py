"""What a reply must look like: JSON Schema for a part of the record, narrowed to what one chunk can hold.

Strict mode's dialect throughout: every property required, absence written as null, nothing additional. Where a kind
has candidates in the chunk, they are the only choices; where it has none, null is. Lists and strings are bounded,
since small models run into loops.
"""

from __future__ import annotations

from extractor.extraction.prompt import Strategy
from extractor.extraction.text.patterns import ENUMERABLE_KINDS, list_candidate_spellings
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Json

MAX_CHOICES = 200
"""Candidates above which an enumeration costs more than it helps; strict mode's limits are of this order too."""
MAX_NUMBER_LENGTH = 32
"""Characters of a number as a document writes it, with what stands around it."""


def build_response_schema(part: Object, text: str, strategy: Strategy) -> dict[str, Json]:
    """The JSON Schema that a reply about `text` must fit."""
    return _ResponseSchemaBuilder(text, strategy).object_schema(part)


class _ResponseSchemaBuilder:
    def __init__(self, text: str, strategy: Strategy) -> None:
        self.text = text
        self.strategy = strategy

    def node_schema(self, node: Node) -> dict[str, Json]:
        match node:
            case Scalar():
                return self.scalar_schema(node)
            case ValueList():
                return self.list_schema(node)
            case ObjectList():
                most = min(self.strategy.max_rows, node.max_items or self.strategy.max_rows)
                return {"type": "array", "items": self.object_schema(node.row), "maxItems": most}
            case Object():
                return self.object_schema(node)

    def object_schema(self, node: Object) -> dict[str, Json]:
        return {
            "type": "object",
            "properties": {f.name: self.field_schema(f) for f in node.fields},
            "required": [f.name for f in node.fields],
            "additionalProperties": False,
        }

    def field_schema(self, field: Field) -> dict[str, Json]:
        shape = self.node_schema(field.node)
        if field.required and isinstance(field.node, Scalar) and shape != {"type": "null"}:
            return _without_null(shape)
        return shape

    def possible_values(self, leaf: Scalar) -> tuple[Json, ...] | None:
        """The only values the leaf can have in this chunk; None when they cannot be listed."""
        if leaf.enum:
            return leaf.enum
        formed = leaf.pattern if leaf.closed_choice else None
        if not self.strategy.candidates or not (formed or leaf.kind in ENUMERABLE_KINDS):
            return None
        found = list_candidate_spellings(leaf.kind, self.text, formed)
        return found if len(found) <= MAX_CHOICES else None

    def scalar_schema(self, leaf: Scalar) -> dict[str, Json]:
        choices = self.possible_values(leaf)
        if choices is not None:
            return {"enum": [*choices, None]} if choices else {"type": "null"}
        if leaf.verbatim_number:
            return {"type": ["number", "string", "null"], "maxLength": MAX_NUMBER_LENGTH}
        if leaf.type == "string":
            return {"type": ["string", "null"], "maxLength": leaf.max_length or self.strategy.max_length}
        return {"type": [leaf.type, "null"]}

    def list_schema(self, node: ValueList) -> dict[str, Json]:
        item = node.item
        choices = self.possible_values(item)
        most = min(self.strategy.max_values, node.max_items or self.strategy.max_values)
        if choices == ():
            return {"type": "array", "items": {"type": "string"}, "maxItems": 0}
        if choices is not None:
            return {"type": "array", "items": {"enum": list(choices)}, "maxItems": min(most, len(choices))}
        if item.verbatim_number:
            return {
                "type": "array",
                "items": {"type": ["number", "string"], "maxLength": MAX_NUMBER_LENGTH},
                "maxItems": most,
            }
        one: dict[str, Json] = {"type": item.type}
        if item.type == "string":
            one["maxLength"] = item.max_length or self.strategy.max_length
        return {"type": "array", "items": one, "maxItems": most}


def _without_null(shape: dict[str, Json]) -> dict[str, Json]:
    """The shape of a leaf without null among what it allows."""
    if "enum" in shape:
        return {**shape, "enum": [v for v in shape["enum"] if v is not None]}
    kinds = [t for t in shape["type"] if t != "null"]
    return {**shape, "type": kinds[0] if len(kinds) == 1 else kinds}
