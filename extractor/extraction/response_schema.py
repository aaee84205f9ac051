"""The response schema: JSON Schema for a reply about a part of the record, narrowed to what one chunk can hold.

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
                return self.bound_items(
                    {"type": "array", "items": self.object_schema(node.row)}, node.max_items, "max_rows"
                )
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
        schema = self.node_schema(field.node)
        certain = self.strategy.narrows_schema and field.required
        if certain and isinstance(field.node, Scalar) and schema != {"type": "null"}:
            return _without_null(schema)
        return schema

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
            return self.bound_text({"type": ["string", "null"]}, leaf)
        return {"type": [leaf.type, "null"]}

    def list_schema(self, node: ValueList) -> dict[str, Json]:
        item = node.item
        choices = self.possible_values(item)
        if choices == ():
            return {"type": "array", "items": {"type": "string"}, "maxItems": 0}
        one: dict[str, Json] = {"type": item.type}
        most = node.max_items
        if choices is not None:
            one = {"enum": list(choices)}
            most = min(most or len(choices), len(choices)) if self.strategy.narrows_schema else most
        elif item.verbatim_number:
            one = {"type": ["number", "string"], "maxLength": MAX_NUMBER_LENGTH}
        elif item.type == "string":
            one = self.bound_text(one, item)
        return self.bound_items({"type": "array", "items": one}, most, "max_values")

    def bound_items(self, schema: dict[str, Json], declared: int | None, setting: str) -> dict[str, Json]:
        """A list with the entries that the schema and the strategy allow, where either bounds them."""
        bounds = [n for n in (declared, getattr(self.strategy, setting)) if n]
        return {**schema, "maxItems": min(bounds)} if bounds else schema

    def bound_text(self, schema: dict[str, Json], leaf: Scalar) -> dict[str, Json]:
        most = leaf.max_length or self.strategy.max_length
        return {**schema, "maxLength": most} if most else schema


def _without_null(schema: dict[str, Json]) -> dict[str, Json]:
    """The schema of a leaf without null among what it allows."""
    if "enum" in schema:
        return {**schema, "enum": [v for v in schema["enum"] if v is not None]}
    kinds = [t for t in schema["type"] if t != "null"]
    return {**schema, "type": kinds[0] if len(kinds) == 1 else kinds}
