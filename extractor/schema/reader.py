"""Reads a record's JSON Schema into a tree: every place gets a kind, or is refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from extractor.errors import TaskError
from extractor.schema.annotations import FORMED_KINDS, Kind
from extractor.schema.groups import split_into_groups
from extractor.schema.normalize import CONDITION_KEYWORDS, SKIP_HINT, Declaration, SchemaNormalizer, SchemaNote
from extractor.schema.tree import (
    Field,
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
MAX_KEY_FIELDS = 3
"""Most fields in the key that is chosen for a row when the schema declares none."""

_FORMATS = {
    **dict.fromkeys(("date", "date-time"), Kind.DATE),
    **dict.fromkeys(("uri", "iri", "url"), Kind.URL),
    **dict.fromkeys(("email", "idn-email"), Kind.EMAIL),
}
_TYPES = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}
_DISTINGUISHING_KINDS = (Kind.TEXT, Kind.NAME, Kind.EMAIL, Kind.URL, Kind.QUANTITY)
"""Kinds that distinguish rows; dates and numbers are often the same by chance."""


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

    Raises TaskError, naming the place, for a schema that is recursive, not an object, annotated wrongly, or that asks
    for what no question can carry.
    """
    if not isinstance(source, Mapping):
        raise TaskError("The schema must be a JSON object.")
    source = unwrap_schema(source)
    reader = _SchemaReader(source)
    root = reader.read_node(source, "", 0, frozenset())
    if not isinstance(root, Object) or not (root.fields or root.constants):
        raise TaskError("The schema's root must be an object with properties; wrap the value in one.")
    if not root.fields:
        raise TaskError("The schema leaves nothing to ask for: all of its properties are constants or left out.")
    return Schema(source, root, split_into_groups(root), tuple(reader.normalizer.notes))


class _SchemaReader:
    def __init__(self, source: Mapping[str, Json]) -> None:
        self.normalizer = SchemaNormalizer(source)
        self.field_count = 0

    def read_node(self, schema: Json, place: str, depth: int, trail: frozenset[str]) -> Node:
        return self.read_declaration(self.normalizer.normalize(schema, place, trail), place, depth)

    def read_declaration(self, declared: Declaration, place: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise TaskError(f"The schema nests too deeply at {place}; flatten it to {MAX_DEPTH} levels.")
        match declared.type:
            case "object":
                return self.read_object(declared, place, depth)
            case "array":
                return self.read_list(declared, place, depth)
        return self.read_scalar(declared, place)

    def read_object(self, declared: Declaration, place: str, depth: int) -> Object:
        schema = declared.schema
        properties = schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise TaskError(f"The properties of {place or 'the root'} must be an object.")
        self.check_conditions(schema, place)
        if not properties and depth:
            raise TaskError(
                f"{place} is an object without named properties, which no question can ask for; list its properties, "
                f"make it a list of objects with a name and a value, or {SKIP_HINT}."
            )
        if any(isinstance(schema.get(k), Mapping) and schema[k] for k in ("additionalProperties", "patternProperties")):
            self.normalizer.add_note(place, "open", "properties without a name of their own are not asked for")
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
                raise TaskError(
                    f"The schema has more than {MAX_FIELDS} fields by {where}; leave out what is not needed."
                )
            if isinstance(sub, Mapping) and sub.get("x-skip") is True:
                note = "left out; it is required, so every record lacks it" if name in required else "left out"
                self.normalizer.add_note(where, "skipped", note)
                continue
            folded = self.normalizer.normalize(sub, where, declared.trail_of(name))
            if folded.type == "null":
                self.normalizer.add_note(where, "constant", "can only be null; it is not asked for")
                continue
            if "const" in folded.schema and (
                name in required or folded.schema.get("default") == folded.schema["const"]
            ):
                constants[name] = folded.schema["const"]
                self.normalizer.add_note(
                    where, "constant", f"is always {constants[name]!r}; it is filled in, not asked for"
                )
                continue
            node = self.read_declaration(folded, where, depth + 1)
            if isinstance(node, Object) and not node.fields:
                constants[name] = dict(node.constants)
                continue
            fields.append(self.build_field(name, node, folded, name in required, where))
        order = tuple(properties) if constants else ()
        return Object(tuple(fields), _read_description(schema), constants, declared.branches, order)

    def build_field(self, name: str, node: Node, folded: Declaration, required: bool, where: str) -> Field:
        return Field(
            name,
            node,
            _read_description(folded.schema),
            folded.schema.get("x-group"),
            required and not folded.nullable,
            _read_keywords(folded.schema, where),
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

    def read_list(self, declared: Declaration, place: str, depth: int) -> ValueList | ObjectList:
        schema = declared.schema
        if "prefixItems" in schema or isinstance(schema.get("items"), list):
            raise TaskError(f"{place} is a list whose items each have a place of their own; make it an object.")
        if not isinstance(schema.get("items"), Mapping):
            self.normalizer.add_note(place, "open", "does not describe its items; they are asked for as texts")
        items = schema.get("items") if isinstance(schema.get("items"), Mapping) else {"type": "string"}
        folded = self.normalizer.normalize(items, f"{place}[]", declared.trail)
        item = self.read_declaration(folded, f"{place}[]", depth + 1)
        most, least = schema.get("maxItems"), int(schema.get("minItems", 0))
        if isinstance(item, Scalar):
            return ValueList(item, most, least)
        if not isinstance(item, Object):
            raise TaskError(f"{place} is a list of lists; make its items objects or plain values.")
        if not item.fields:
            raise TaskError(f"{place} is a list of objects that are always the same; there is nothing to ask for.")
        declared_key = folded.schema.get("x-key") or schema.get("x-key")
        names = [f.name for f in item.fields]
        for k in declared_key or ():
            if k not in names:
                raise TaskError(f"x-key of {place} names {k!r}, which its rows do not have; choose from {names}.")
        enumerate_by = folded.schema.get("x-enumerate-by") or schema.get("x-enumerate-by")
        if enumerate_by is not None:
            _check_enumerated_field(enumerate_by, item, place)
        _check_positioned_fields(item, tuple(declared_key or ()), enumerate_by, f"{place}[]")
        return ObjectList(
            item, tuple(declared_key or _choose_default_key(item)), most, least, bool(declared_key), enumerate_by
        )

    def read_scalar(self, declared: Declaration, place: str) -> Scalar:
        schema = declared.schema
        enum = tuple(schema.get("enum", ())) or ((schema["const"],) if "const" in schema else ())
        enum = tuple(v for v in enum if v is not None)
        if any(isinstance(v, dict | list) for v in enum):
            raise TaskError(f"{place} chooses among objects or lists; give each choice a name and choose among names.")
        json_type = str(schema.get("type") or _infer_type(enum))
        if json_type not in _TYPES:
            raise TaskError(
                f"{place} has the type {json_type!r}, which JSON Schema lacks; choose from {', '.join(_TYPES)}."
            )
        is_open = "type" not in schema and not enum
        if is_open:
            self.normalizer.add_note(place, "open", "has no type; it is asked for as a text")
        declared_kind = schema.get("x-kind")
        try:
            kind = Kind(declared_kind) if declared_kind else None
        except ValueError:
            raise TaskError(f"x-kind {declared_kind!r} of {place} is unknown; choose from {', '.join(Kind)}.") from None
        if kind is None:
            kind = Kind.ENUM if enum else _FORMATS.get(schema.get("format", "")) or _TYPES[json_type]
        return Scalar(
            kind,
            json_type,
            enum,
            schema.get("x-form") == "verbatim",
            schema.get("x-derive"),
            schema.get("maxLength"),
            _read_pattern(schema.get("pattern"), place),
            schema.get("x-list-item-only") is True,
            schema.get("x-verbatim-number") is True,
            tuple(schema.get("x-texts", ())),
            f"{place.rpartition('/')[2]} {_read_description(schema)}".strip() if kind is Kind.BOOLEAN else "",
            _read_position_keywords(schema, kind, place),
            "x-locate-by-position" not in schema or schema.get("x-also-ask") is True,
            other_types=tuple(_TYPES) if is_open else tuple(schema.get("x-types", ())),
            timed=kind is Kind.DATE and schema.get("format") == "date-time",
        )


def _read_description(schema: Mapping[str, Json]) -> str:
    return " ".join(str(schema.get("description") or "").split())


def _infer_type(enum: tuple[Json, ...]) -> str:
    """The one JSON type of all choices; texts when they are mixed."""
    if enum and all(isinstance(v, bool) for v in enum):
        return "boolean"
    if enum and all(isinstance(v, int) and not isinstance(v, bool) for v in enum):
        return "integer"
    if enum and all(isinstance(v, int | float) and not isinstance(v, bool) for v in enum):
        return "number"
    return "string"


def _read_pattern(pattern: Json, place: str) -> str | None:
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except (re.error, TypeError, RecursionError) as error:
        raise TaskError(f"The pattern of {place} is no regular expression ({error}).") from error
    return str(pattern)


def _read_keywords(schema: Mapping[str, Json], place: str) -> tuple[str, ...]:
    keywords = schema.get("x-keywords", [])
    if not isinstance(keywords, list) or not all(isinstance(word, str) and word.strip() for word in keywords):
        raise TaskError(f"x-keywords of {place} must be a list of words.")
    return tuple(keywords)


def _read_position_keywords(schema: Mapping[str, Json], kind: Kind, place: str) -> tuple[str, ...] | None:
    words = schema.get("x-locate-by-position")
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
        raise TaskError(f"x-locate-by-position of {place} must be a list of words, which may be empty.")
    if not place.rpartition("/")[0].endswith("[]"):
        raise TaskError(f"{place} has x-locate-by-position, which is for the fields of a list's rows alone.")
    if kind not in FORMED_KINDS and not schema.get("pattern"):
        raise TaskError(f"{place} has x-locate-by-position; it must have a pattern or be {_join_kinds(FORMED_KINDS)}.")
    return tuple(words)


def _check_positioned_fields(row: Object, key: Sequence[str], enumerate_by: Json, place: str) -> None:
    """The key of a row must be asked for: a value found by position is a row's only once the row's place is known."""
    positioned = [f.name for f in row.fields if isinstance(f.node, Scalar) and not f.node.ask_model]
    for f in row.fields:
        if f.name in positioned and (f.required or enumerate_by):
            raise TaskError(f"{place}/{f.name} has x-locate-by-position; it cannot be required nor enumerated.")
    if positioned and all(name in positioned for name in (key or [f.name for f in row.fields])):
        raise TaskError(
            f"All fields that identify the rows of {place} have x-locate-by-position; one of them must be asked for."
        )


def _check_enumerated_field(name: Json, row: Object, place: str) -> None:
    fields = {f.name: f.node for f in row.fields}
    node = fields.get(name) if isinstance(name, str) else None
    if not isinstance(node, Scalar) or node.kind not in FORMED_KINDS:
        raise TaskError(
            f"x-enumerate-by of {place} names {name!r}; it must be a field of its rows "
            f"that is {_join_kinds(FORMED_KINDS)}."
        )
    if len(fields) < 2 or not all(isinstance(n, Scalar) for n in fields.values()):
        raise TaskError(f"{place} has x-enumerate-by, so its rows must have other fields, and plain values alone.")


def _join_kinds(kinds: Iterable[Kind]) -> str:
    return " or ".join(f"x-kind {kind.value!r}" for kind in sorted(kinds))


def _choose_default_key(row: Object) -> tuple[str, ...]:
    """The key where none is declared: required fields, names before figures, else the first that distinguish rows."""
    requested = asked_fields(row)
    plain = [f for f in requested if isinstance(f.node, Scalar) and f.node.kind is not Kind.BOOLEAN]
    telling = [f for f in plain if isinstance(f.node, Scalar) and f.node.kind in _DISTINGUISHING_KINDS]
    required = [f for f in telling if f.required] + [f for f in plain if f.required and f not in telling]
    chosen = required if any(f in telling for f in required) else [*required, *telling]
    return tuple(f.name for f in (chosen[:MAX_KEY_FIELDS] or plain or requested[:MAX_KEY_FIELDS]))
