"""The response schema: JSON Schema for a reply about a part of the record.

Strict mode's dialect throughout: every property required, absence written as null, nothing additional. It excludes no
right answer: where the schema takes several forms or types, all are allowed (`anyOf` has the form that is asked for
first), and only what the schema itself lists, or declares the form of for a value that code places, is a choice among
what is there, and an address of a small model's has an address's form. Lists and strings are bounded, since small
models run into loops.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractor.extraction.fitting import NO_ADDRESS
from extractor.extraction.prompt import Strategy
from extractor.extraction.text.patterns import list_candidate_spellings
from extractor.schema.annotations import Kind
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Json

MAX_CHOICES = 200
"""Candidates above which an enumeration costs more than it helps; strict mode's limits are of this order too."""
_LOCAL, _HOST = r'[^\s()<>\[\]:;@\\,"]{1,64}', r'[^\s()<>\[\]:;@\\,"/?#]{1,253}'
_URI = r'[^\s<>"{}|\\^`]'
FORMS = {
    Kind.EMAIL: f"^({NO_ADDRESS}|{_LOCAL}@{_HOST})$",
    Kind.URL: rf"^({NO_ADDRESS}|{_URI}+\.{_URI}+)$",
}
"""What every address looks like, however the document writes it: the characters and lengths of RFC 5321 and 5322, and
those of RFC 3986, and all letters beyond ASCII. A small model told so names no page among the e-mail addresses, and
writes no JSON inside of one (3 of 15 pages); one that has begun a text where there is no address can still say so.
Anchored, as llama.cpp's own grammars want it."""
MAX_NUMBER_LENGTH = 32
"""Characters of a number as a document writes it, with what stands around it."""


def build_response_schema(part: Object, text: str, strategy: Strategy) -> dict[str, Json]:
    """The JSON Schema that a reply about `text` must fit."""
    return _ResponseSchemaBuilder(text, strategy).object_schema(part, in_row=False)


class _ResponseSchemaBuilder:
    def __init__(self, text: str, strategy: Strategy) -> None:
        self.text = text
        self.strategy = strategy

    def node_schema(self, node: Node) -> dict[str, Json]:
        match node:
            case Scalar():
                return self.scalar_schema(node)
            case ValueList():
                return self.add_forms(self.list_schema(node), node.alternatives)
            case ObjectList(row):
                items = self.add_forms(self.object_schema(row, in_row=True), row.alternatives, in_row=True)
                rows = self.bound_items({"type": "array", "items": items}, node.max_items, "max_rows")
                return self.add_forms(rows, node.alternatives)
            case Object():
                return self.add_forms(self.object_schema(node, in_row=False), node.alternatives)

    def add_forms(
        self, schema: dict[str, Json], alternatives: Sequence[Node], *, in_row: bool = False
    ) -> dict[str, Json]:
        """The schema of a place with the other forms that it takes: an object, a list, or one value, each once."""
        forms = {schema["type"]: schema}
        for one in alternatives:
            other = self.entry_schema(one) if in_row and isinstance(one, Scalar) else self.node_schema(one)
            kind = other.get("type")
            if not in_row or kind != "array":  # rows of rows are no rows
                forms.setdefault(kind if kind in ("object", "array") else "value", other)
        return {"anyOf": list(forms.values())} if len(forms) > 1 else schema

    def object_schema(self, node: Object, *, in_row: bool) -> dict[str, Json]:
        return {
            "type": "object",
            "properties": {f.name: self.field_schema(f, in_row=in_row) for f in node.fields},
            "required": [f.name for f in node.fields],
            "additionalProperties": False,
        }

    def field_schema(self, field: Field, *, in_row: bool) -> dict[str, Json]:
        """A row that is listed has what it must have; of the record, a chunk need not hold anything."""
        schema = self.node_schema(field.node)
        certain = self.strategy.narrows_schema and field.required and in_row
        return _without_null(schema) if certain and isinstance(field.node, Scalar) else schema

    def possible_values(self, leaf: Scalar) -> tuple[Json, ...] | None:
        """The only values the leaf can have in this chunk; None when there are others."""
        if leaf.enum:
            return leaf.enum
        if not self.strategy.candidates or not (leaf.closed_choice and leaf.pattern):
            return None
        found = list_candidate_spellings(leaf.kind, self.text, leaf.pattern)
        return found if len(found) <= MAX_CHOICES else None

    def scalar_schema(self, leaf: Scalar) -> dict[str, Json]:
        choices = self.possible_values(leaf)
        if choices is not None:
            return {"enum": [*choices, None]} if choices else {"type": "null"}
        if leaf.verbatim_number:
            return {"type": ["number", "string", "null"], "maxLength": MAX_NUMBER_LENGTH}
        types = _list_types(leaf)
        schema: dict[str, Json] = {"type": [*types, "null"]}
        return self.bound_text(schema, leaf) if "string" in types else schema

    def entry_schema(self, item: Scalar) -> dict[str, Json]:
        """The schema of an entry of a list, which is never null."""
        if item.enum:
            return {"enum": list(item.enum)}
        if item.verbatim_number:
            return {"type": ["number", "string"], "maxLength": MAX_NUMBER_LENGTH}
        types = _list_types(item)
        schema: dict[str, Json] = {"type": types[0] if len(types) == 1 else list(types)}
        return self.bound_text(schema, item) if "string" in types else schema

    def list_schema(self, node: ValueList) -> dict[str, Json]:
        return self.bound_items({"type": "array", "items": self.entry_schema(node.item)}, node.max_items, "max_values")

    def bound_items(self, schema: dict[str, Json], declared: int | None, setting: str) -> dict[str, Json]:
        """A list with the entries that the schema and the strategy allow, where either bounds them."""
        bounds = [n for n in (declared, getattr(self.strategy, setting)) if n]
        return {**schema, "maxItems": min(bounds)} if bounds else schema

    def bound_text(self, schema: dict[str, Json], leaf: Scalar) -> dict[str, Json]:
        most = leaf.max_length or self.strategy.max_length
        bounds: dict[str, Json] = {"maxLength": most} if most else {}
        if self.strategy.narrows_schema and leaf.kind in FORMS:
            bounds["pattern"] = FORMS[leaf.kind]
        return {**schema, **bounds}


def _list_types(leaf: Scalar) -> tuple[str, ...]:
    """The JSON types that the leaf takes, its own first; a number may be whole."""
    types = dict.fromkeys((leaf.type, *leaf.other_types))
    if "number" in types:
        types.pop("integer", None)
    return tuple(types)


def _without_null(schema: dict[str, Json]) -> dict[str, Json]:
    """The schema of a leaf without null among what it allows."""
    if "enum" in schema:
        return {**schema, "enum": [v for v in schema["enum"] if v is not None]}
    kinds = [t for t in schema["type"] if t != "null"]
    return {**schema, "type": kinds[0] if len(kinds) == 1 else kinds}
