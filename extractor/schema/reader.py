"""Reads a record's JSON Schema into a tree: every place gets a kind, or is refused by name."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from extractor.errors import TaskError
from extractor.schema.declaration import Declaration, RecursionEnds, SchemaNote, Trail
from extractor.schema.extension_keys import (
    check_enumerated_field,
    check_positioned_fields,
    choose_default_key,
    read_keywords,
    read_pattern,
)
from extractor.schema.groups import split_into_groups
from extractor.schema.normalize import CONDITION_KEYWORDS, SKIP_HINT, SchemaNormalizer
from extractor.schema.open_objects import ANY_NAME
from extractor.schema.scalars import read_description, read_scalar
from extractor.schema.tree import (
    Field,
    NamedEntries,
    Node,
    Object,
    ObjectList,
    Scalar,
    ValueList,
    asked_fields,
    count_scalars,
    empty_value,
    iterate_scalars,
)
from extractor.schema.wrapper import unwrap_schema
from extractor.schema.written_form import WRAPPED
from extractor.types import Json, fingerprint_json

__all__ = [
    "Field",
    "Node",
    "Object",
    "ObjectList",
    "Scalar",
    "Schema",
    "ValueList",
    "asked_fields",
    "count_scalars",
    "empty_value",
    "iterate_scalars",
    "read_schema",
]

MAX_DEPTH = 12
"""Levels of nesting a schema may have."""
MAX_FIELDS = 5000
"""Fields of a schema, as many as strict mode takes; references that fan out make millions of a small file."""
MOST_LEVELS = 4
"""Levels that are asked for of a schema that refers to itself; fewer where that makes too many fields."""

_NOT_SO_DEEP = "lies inside itself, and is not asked for so deep"


@dataclass(frozen=True, slots=True)
class Schema:
    """`source` is the JSON Schema as declared; `root` what the steps walk."""

    source: Mapping[str, Json]
    root: Object
    parts: Mapping[str, Object] = field(default_factory=dict)
    """What is asked for together: a group's name, and the record narrowed to its fields, in the schema's order."""
    notes: tuple[SchemaNote, ...] = ()
    """What a person should know of how the schema is read."""

    @property
    def fingerprint(self) -> str:
        return fingerprint_json(self.source)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Group name to its top-level fields."""
        return {name: tuple(f.name for f in part.fields) for name, part in self.parts.items()}

    def part_for_group(self, group: str) -> Object:
        """The record, narrowed to one group's fields."""
        return self.parts[group]


def read_schema(source: Mapping[str, Json]) -> Schema:
    """The tree of a JSON Schema whose root is an object.

    Raises TaskError, naming the place, for a schema that is not an object, annotated wrongly, or that asks for what no
    question can carry.
    """
    if not isinstance(source, Mapping):
        raise TaskError("The schema must be a JSON object.")
    source = unwrap_schema(source)
    for levels in range(MOST_LEVELS, 0, -1):
        reader = _SchemaReader(source, levels)
        try:
            root = reader.read_node(source, "", 0, frozenset())
            break
        except _TooLarge:
            if levels == 1 or not reader.is_recursive:
                raise
        except RecursionEnds as end:
            raise TaskError(f"The schema refers to {end} inside itself and never gets to a value.") from None
    if not isinstance(root, Object) or not (root.fields or root.constants):
        raise TaskError("The schema's root must be an object with properties; wrap the value in one.")
    if not root.fields:
        raise TaskError("The schema leaves nothing to ask for: all of its properties are constants or left out.")
    return Schema(source, root, split_into_groups(root), tuple(reader.normalizer.notes))


class _TooLarge(TaskError):
    """A schema with more fields or levels than can be asked for."""


class _SchemaReader:
    def __init__(self, source: Mapping[str, Json], levels: int) -> None:
        self.normalizer = SchemaNormalizer(source, levels)
        self.field_count = 0

    @property
    def is_recursive(self) -> bool:
        return any(note.code == "recursion" for note in self.normalizer.notes)

    def read_node(self, schema: Json, place: str, depth: int, trail: Trail) -> Node:
        return self.read_declaration(self.normalizer.normalize(schema, place, trail), place, depth)

    def read_declaration(self, declared: Declaration, place: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _TooLarge(f"The schema nests too deeply at {place}; flatten it to {MAX_DEPTH} levels.")
        node: Object | ObjectList | ValueList
        match declared.type:
            case "object":
                node = self.read_object(declared, place, depth)
            case "array" if by_place := _list_by_position(declared.schema):
                node = self.read_tuple(declared, by_place, place, depth)
            case "array":
                node = self.read_list(declared, place, depth)
            case _:
                return read_scalar(declared, place, self.normalizer.add_note)
        return self.add_alternatives(node, declared.others, place, depth) if declared.others else node

    def add_alternatives(
        self, node: Object | ObjectList | ValueList, others: Sequence[Declaration], place: str, depth: int
    ) -> Node:
        """The node with the other forms that the schema takes in its place.

        A list of what an object holds under the document's names is asked for with it, as entries without a name.
        """
        alternatives: list[Node] = []
        for one in others:
            with contextlib.suppress(RecursionEnds):
                alternatives.append(self.read_declaration(one, place, depth))
        if isinstance(node, Object) and node.entries and not node.fields:
            held = node.entries.node
            lists = [one for one in alternatives if isinstance(one, ValueList | ObjectList)]
            unnamed = next((one for one in lists if _hold_the_same(held, one)), None)
            if unnamed:
                return replace(
                    node,
                    entries=replace(node.entries, unnamed=unnamed),
                    alternatives=tuple(one for one in alternatives if one is not unnamed),
                )
        return replace(node, alternatives=tuple(alternatives))

    def read_object(self, declared: Declaration, place: str, depth: int) -> Object:
        schema = declared.schema
        properties = schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise TaskError(f"The properties of {place or 'the root'} must be an object.")
        self.check_conditions(schema, place)
        try:
            entries = self.read_entries(declared, place, depth)
        except RecursionEnds:
            entries = None
            self.normalizer.add_note(f"{place}/*", "recursion", _NOT_SO_DEEP)
            if not properties:
                raise
        if not properties and depth and entries is None:
            raise TaskError(f"{place} is an object that can hold nothing; list its properties, or {SKIP_HINT}.")
        required = set(schema.get("required", ()))
        for name in sorted(required - set(properties)):
            self.normalizer.add_note(
                place, "missing", f"requires {name!r}, which it does not describe; it is not asked for"
            )
        fields: list[Field] = []
        constants: dict[str, Json] = {}
        for name, sub in properties.items():
            where = f"{place}/{name}"
            self.field_count += 1
            if self.field_count > MAX_FIELDS:
                raise _TooLarge(
                    f"The schema has more than {MAX_FIELDS} fields by {where}; leave out what is not needed."
                )
            if isinstance(sub, Mapping) and sub.get("x-skip") is True:
                note = "left out; it is required, so every record lacks it" if name in required else "left out"
                self.normalizer.add_note(where, "skipped", note)
                continue
            try:
                folded = self.normalizer.normalize(sub, where, declared.trail_of(name))
                node = None if _is_fixed(folded, name in required) else self.read_declaration(folded, where, depth + 1)
            except RecursionEnds:
                self.normalizer.add_note(where, "recursion", _NOT_SO_DEEP)
                continue
            if folded.type == "null":
                self.normalizer.add_note(where, "constant", "can only be null; it is not asked for")
                continue
            if node is None:
                constants[name] = folded.schema["const"]
                self.normalizer.add_note(
                    where, "constant", f"is always {constants[name]!r}; it is filled in, not asked for"
                )
                continue
            if isinstance(node, Object) and not node.fields and not node.entries:
                constants[name] = dict(node.constants)
                continue
            fields.append(self.build_field(name, node, folded, name in required, where))
        order = tuple(properties) if constants else ()
        return Object(tuple(fields), read_description(schema), constants, declared.branches, order, entries)

    def read_entries(self, declared: Declaration, place: str, depth: int) -> NamedEntries | None:
        """What the object may hold under names of the document's. Of the root, and of an object that has properties of
        the schema's, only what is described is asked for."""
        schema = declared.schema
        by_pattern, more = schema.get("patternProperties"), schema.get("additionalProperties")
        described: list[Json] = list(by_pattern.values()) if isinstance(by_pattern, Mapping) else []
        described += [more] if isinstance(more, Mapping) and more else []
        if not described and depth and not schema.get("properties") and more is not False:
            described = [{}]
        if described and not depth:
            self.normalizer.add_note(place, "open", "names of the document's are not asked for here; wrap the object")
        if not described or not depth:
            return None
        one = described[0] if all(one == described[0] for one in described) else {"anyOf": described}
        where = f"{place}/*"
        held = self.normalizer.normalize(one, where, declared.trail)
        node = self.read_declaration(held, where, depth + 1)
        names = schema.get("propertyNames")
        name = ANY_NAME
        if isinstance(names, Mapping) and names:
            text = self.normalizer.normalize({"type": "string", **names}, where, declared.trail)
            name = read_scalar(text, where, self.normalizer.add_note)
        patterns = by_pattern if isinstance(by_pattern, Mapping) and more is False else ()
        allowed = tuple(str(read_pattern(one, where)) for one in patterns)
        self.normalizer.add_note(place, "open", "is asked for under the names that the document has")
        return NamedEntries(node, name, read_description(held.schema), allowed)

    def build_field(self, name: str, node: Node, folded: Declaration, required: bool, where: str) -> Field:
        return Field(
            name,
            node,
            read_description(folded.schema),
            folded.schema.get("x-group"),
            required and not folded.nullable,
            read_keywords(folded.schema, where),
            folded.schema.get("x-keywords-only") is True,
            nullable=folded.nullable,
            optional=not required,
        )

    def check_conditions(self, schema: Mapping[str, Json], place: str) -> None:
        known = schema.get("properties", {})
        for word in CONDITION_KEYWORDS:
            if word not in schema:
                continue
            inner = schema[word] if word in ("then", "else") and isinstance(schema[word], Mapping) else {}
            for name in inner.get("properties", {}):
                if name not in known:
                    raise TaskError(
                        f"{place}/{name} is described in '{word}' alone; describe it under properties as well, "
                        "and let the condition only decide when it is required."
                    )
            if word not in ("then", "else"):
                self.normalizer.add_note(
                    place, "condition", f"'{word}' is not shown to the model; the record is checked against it"
                )

    def read_tuple(self, declared: Declaration, items: Sequence[Json], place: str, depth: int) -> Object:
        fields: list[Field] = []
        for number, one in enumerate(items):
            where = f"{place}[{number}]"
            folded = self.normalizer.normalize(one, where, declared.trail)
            about = read_description(folded.schema) or str(folded.schema.get("title") or f"number {number + 1}")
            node = self.read_declaration(folded, where, depth + 1)
            fields.append(Field(str(number), node, about, nullable=folded.nullable))
        return Object(tuple(fields), read_description(declared.schema), by_position=True)

    def read_list(self, declared: Declaration, place: str, depth: int) -> ValueList | ObjectList:
        schema = declared.schema
        if not isinstance(schema.get("items"), Mapping):
            self.normalizer.add_note(place, "open", "does not describe its items; they are asked for as texts")
        items = schema.get("items") if isinstance(schema.get("items"), Mapping) else {"type": "string"}
        folded = self.normalizer.normalize(items, f"{place}[]", declared.trail)
        item = self.read_declaration(folded, f"{place}[]", depth + 1)
        most, least = schema.get("maxItems"), int(schema.get("minItems", 0))
        if isinstance(item, Scalar):
            return ValueList(item, most, least)
        if not isinstance(item, Object):
            held = Field(WRAPPED, item, read_description(folded.schema) or "what the inner list holds", required=True)
            item = Object((held,), wraps=True)
        if not item.fields and not item.entries:
            raise TaskError(f"{place} is a list of objects that are always the same; there is nothing to ask for.")
        declared_key = folded.schema.get("x-key") or schema.get("x-key")
        names = [f.name for f in item.fields]
        for k in declared_key or ():
            if k not in names:
                raise TaskError(f"x-key of {place} names {k!r}, which its rows do not have; choose from {names}.")
        enumerate_by = folded.schema.get("x-enumerate-by") or schema.get("x-enumerate-by")
        if enumerate_by is not None:
            check_enumerated_field(enumerate_by, item, place)
        check_positioned_fields(item, tuple(declared_key or ()), enumerate_by, f"{place}[]")
        return ObjectList(
            item, tuple(declared_key or choose_default_key(item)), most, least, bool(declared_key), enumerate_by
        )


def _list_by_position(schema: Mapping[str, Json]) -> list[Json]:
    """The schemas of items that each have a place of their own; nothing for a list of any length."""
    declared = schema.get("prefixItems", schema.get("items"))
    return declared if isinstance(declared, list) else []


def _is_fixed(folded: Declaration, required: bool) -> bool:
    """Whether there is nothing to ask: the value can only be null, or the one constant."""
    constant = "const" in folded.schema and (required or folded.schema.get("default") == folded.schema["const"])
    return folded.type == "null" or constant


def _hold_the_same(node: Node, plain: ValueList | ObjectList) -> bool:
    """Whether what stands under one name is what the list holds, or such a list."""
    held = node.item if isinstance(node, ValueList) else node.row if isinstance(node, ObjectList) else node
    one = plain.item if isinstance(plain, ValueList) else plain.row
    if isinstance(held, Scalar) and isinstance(one, Scalar):
        return (held.kind, held.type, held.enum) == (one.kind, one.type, one.enum)
    return isinstance(held, Object) and isinstance(one, Object) and held.fields == one.fields
