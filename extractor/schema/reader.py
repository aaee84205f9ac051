"""A record's JSON Schema, read into a tree: every place is given a kind, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from extractor.errors import TaskError
from extractor.schema import groups as questions
from extractor.schema.annotations import FORMED, Kind
from extractor.schema.normalize import CONDITIONS, WAY_OUT, Declared, Folder, Note
from extractor.schema.tree import Field, Leaf, Node, Object, Rows, Values, asked, count, empty, leaves
from extractor.types import Json, fingerprint

__all__ = ["Field", "Leaf", "Node", "Object", "Rows", "Schema", "Values", "asked", "count", "empty", "leaves", "read"]

DEEPEST = 12
"""Levels of nesting a schema may have."""
MOST_FIELDS = 5000
"""Fields of a schema, as many as strict mode takes; references that fan out make millions of a small file."""
KEY = 3
"""Fields that a row is told from others by when the schema does not say which."""

_FORMATS = {
    **dict.fromkeys(("date", "date-time"), Kind.DATE),
    **dict.fromkeys(("uri", "iri", "url"), Kind.URL),
    **dict.fromkeys(("email", "idn-email"), Kind.EMAIL),
}
_TYPES = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}
_TELLING = (Kind.TEXT, Kind.NAME, Kind.EMAIL, Kind.URL, Kind.QUANTITY)
"""Kinds that tell rows apart; dates and numbers are often the same by chance."""


@dataclass(frozen=True, slots=True)
class Schema:
    """`source` is the JSON Schema as declared; `root` what the steps walk."""

    source: Mapping[str, Json]
    root: Object
    parts: Mapping[str, Object] = field(default_factory=dict)
    """What is asked for together: a group's name, and the record narrowed to its fields, in the schema's order."""
    notes: tuple[Note, ...] = ()
    """What a person should know of how the schema is read."""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.source)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Group name to its top-level fields."""
        return {name: tuple(f.name for f in part.fields) for name, part in self.parts.items()}

    def part(self, group: str) -> Object:
        """The record, narrowed to one group's fields."""
        return self.parts[group]


def read(source: Mapping[str, Json]) -> Schema:
    """The tree of a JSON Schema whose root is an object.

    Raises TaskError, naming the place, for a schema that is recursive, not an object, annotated wrongly, or that asks
    for what no question can carry.
    """
    if not isinstance(source, Mapping):
        raise TaskError("The schema must be a JSON object.")
    reader = _Reader(source)
    root = reader.node(source, "", 0, frozenset())
    if not isinstance(root, Object) or not (root.fields or root.constants):
        raise TaskError("The schema's root must be an object with properties; wrap the value in one.")
    if not root.fields:
        raise TaskError("The schema leaves nothing to ask for: all of its properties are constants or left out.")
    return Schema(source, root, questions.parts(root), tuple(reader.folder.notes))


class _Reader:
    def __init__(self, source: Mapping[str, Json]) -> None:
        self.folder = Folder(source)
        self.fields = 0

    def node(self, schema: Json, place: str, depth: int, trail: frozenset[str]) -> Node:
        return self.read(self.folder.fold(schema, place, trail), place, depth)

    def read(self, declared: Declared, place: str, depth: int) -> Node:
        if depth > DEEPEST:
            raise TaskError(f"The schema nests too deeply at {place}; flatten it to {DEEPEST} levels.")
        match declared.type:
            case "object":
                return self.object(declared, place, depth)
            case "array":
                return self.array(declared, place, depth)
        return self.leaf(declared, place)

    def object(self, declared: Declared, place: str, depth: int) -> Object:
        schema = declared.schema
        properties = schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise TaskError(f"The properties of {place or 'the root'} must be an object.")
        self.conditions(schema, place)
        if not properties and depth:
            raise TaskError(
                f"{place} is an object without named properties, which no question can ask for; list its properties, "
                f"make it a list of objects with a name and a value, or {WAY_OUT}."
            )
        if any(isinstance(schema.get(k), Mapping) and schema[k] for k in ("additionalProperties", "patternProperties")):
            self.folder.note(place, "open", "properties without a name of their own are not asked for")
        required = set(schema.get("required", ()))
        for name in sorted(required - set(properties)):
            self.folder.note(place, "missing", f"requires {name!r}, which it does not describe; it is not asked for")
        fields: list[Field] = []
        constants: dict[str, Json] = {}
        for name, sub in properties.items():
            where = f"{place}/{name}"
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise TaskError(
                    f"The schema has more than {MOST_FIELDS} fields by {where}; leave out what is not needed."
                )
            if isinstance(sub, Mapping) and sub.get("x-skip") is True:
                said = "left out; it is required, so every record lacks it" if name in required else "left out"
                self.folder.note(where, "skipped", said)
                continue
            folded = self.folder.fold(sub, where, declared.trail_of(name))
            if folded.type == "null":
                self.folder.note(where, "constant", "can only be null; it is not asked for")
                continue
            if "const" in folded.schema and (
                name in required or folded.schema.get("default") == folded.schema["const"]
            ):
                constants[name] = folded.schema["const"]
                self.folder.note(where, "constant", f"is always {constants[name]!r}; it is filled in, not asked for")
                continue
            node = self.read(folded, where, depth + 1)
            if isinstance(node, Object) and not node.fields:
                constants[name] = dict(node.constants)
                continue
            fields.append(self.field(name, node, folded, name in required, where))
        order = tuple(properties) if constants else ()
        return Object(tuple(fields), _words(schema), constants, declared.branches, order)

    def field(self, name: str, node: Node, folded: Declared, required: bool, where: str) -> Field:
        return Field(
            name,
            node,
            _words(folded.schema),
            folded.schema.get("x-group"),
            required and not folded.nullable,
            _cues(folded.schema, where),
            folded.schema.get("x-narrow") is True,
            nullable=folded.nullable,
            optional=not required,
        )

    def conditions(self, schema: Mapping[str, Json], place: str) -> None:
        known = schema.get("properties", {})
        for word in CONDITIONS:
            if word not in schema:
                continue
            inner = schema[word] if word in ("then", "else") and isinstance(schema[word], Mapping) else {}
            for name in inner.get("properties", {}):
                if name not in known:
                    raise TaskError(
                        f"{place}/{name} is described in '{word}' alone; describe it under properties as well, "
                        "and leave the condition to say when it is required."
                    )
            if word not in ("then", "else"):
                self.folder.note(place, "condition", f"'{word}' is not told to the model; the record is held to it")

    def array(self, declared: Declared, place: str, depth: int) -> Values | Rows:
        schema = declared.schema
        if "prefixItems" in schema or isinstance(schema.get("items"), list):
            raise TaskError(f"{place} is a list whose items each have a place of their own; make it an object.")
        if not isinstance(schema.get("items"), Mapping):
            self.folder.note(place, "open", "does not say what its items are; they are asked for as texts")
        items = schema.get("items") if isinstance(schema.get("items"), Mapping) else {"type": "string"}
        folded = self.folder.fold(items, f"{place}[]", declared.trail)
        item = self.read(folded, f"{place}[]", depth + 1)
        most, least = schema.get("maxItems"), int(schema.get("minItems", 0))
        if isinstance(item, Leaf):
            return Values(item, most, least)
        if not isinstance(item, Object):
            raise TaskError(f"{place} is a list of lists; make its items objects or plain values.")
        if not item.fields:
            raise TaskError(f"{place} is a list of objects that are always the same; there is nothing to ask for.")
        declared_key = folded.schema.get("x-key") or schema.get("x-key")
        names = [f.name for f in item.fields]
        for k in declared_key or ():
            if k not in names:
                raise TaskError(f"x-key of {place} names {k!r}, which its rows do not have; choose from {names}.")
        each = folded.schema.get("x-each") or schema.get("x-each")
        if each is not None:
            _check_each(each, item, place)
        _check_placed(item, tuple(declared_key or ()), each, f"{place}[]")
        return Rows(item, tuple(declared_key or _default_key(item)), most, least, bool(declared_key), each)

    def leaf(self, declared: Declared, place: str) -> Leaf:
        schema = declared.schema
        enum = tuple(schema.get("enum", ())) or ((schema["const"],) if "const" in schema else ())
        enum = tuple(v for v in enum if v is not None)
        if any(isinstance(v, dict | list) for v in enum):
            raise TaskError(f"{place} chooses among objects or lists; give each choice a name and choose among names.")
        json_type = str(schema.get("type") or _type_of(enum))
        if json_type not in _TYPES:
            raise TaskError(
                f"{place} has the type {json_type!r}, which JSON Schema lacks; choose from {', '.join(_TYPES)}."
            )
        if "type" not in schema and not enum:
            self.folder.note(place, "open", "does not say its type; it is asked for as a text")
        declared_kind = schema.get("x-kind")
        try:
            kind = Kind(declared_kind) if declared_kind else None
        except ValueError:
            raise TaskError(f"x-kind {declared_kind!r} of {place} is none of {', '.join(Kind)}.") from None
        if kind is None:
            kind = Kind.ENUM if enum else _FORMATS.get(schema.get("format", "")) or _TYPES[json_type]
        if schema.get("format") == "date-time" and kind is Kind.DATE:
            self.folder.note(place, "date-time", "is read as a date; the time of day is not kept")
        return Leaf(
            kind,
            json_type,
            enum,
            schema.get("x-form") == "verbatim",
            schema.get("x-derive"),
            schema.get("maxLength"),
            _pattern(schema.get("pattern"), place),
            schema.get("x-listed") is True,
            schema.get("x-copied") is True,
            tuple(schema.get("x-texts", ())),
            f"{place.rpartition('/')[2]} {_words(schema)}".strip() if kind is Kind.BOOLEAN else "",
            _placed(schema, kind, place),
            "x-placed" not in schema or schema.get("x-asked") is True,
        )


def _words(schema: Mapping[str, Json]) -> str:
    return " ".join(str(schema.get("description") or "").split())


def _type_of(enum: tuple[Json, ...]) -> str:
    """The one JSON type of all choices; texts when they are mixed."""
    if enum and all(isinstance(v, bool) for v in enum):
        return "boolean"
    if enum and all(isinstance(v, int) and not isinstance(v, bool) for v in enum):
        return "integer"
    if enum and all(isinstance(v, int | float) and not isinstance(v, bool) for v in enum):
        return "number"
    return "string"


def _pattern(pattern: Json, place: str) -> str | None:
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except (re.error, TypeError, RecursionError) as error:
        raise TaskError(f"The pattern of {place} is no regular expression ({error}).") from error
    return str(pattern)


def _cues(schema: Mapping[str, Json], place: str) -> tuple[str, ...]:
    cues = schema.get("x-cues", [])
    if not isinstance(cues, list) or not all(isinstance(c, str) and c.strip() for c in cues):
        raise TaskError(f"x-cues of {place} must be a list of words.")
    return tuple(cues)


def _placed(schema: Mapping[str, Json], kind: Kind, place: str) -> tuple[str, ...] | None:
    words = schema.get("x-placed")
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(w, str) and w.strip() for w in words):
        raise TaskError(f"x-placed of {place} must be a list of words, which may be empty.")
    if not place.rpartition("/")[0].endswith("[]"):
        raise TaskError(f"{place} has x-placed, which is for the fields of a list's rows alone.")
    if kind not in FORMED and not schema.get("pattern"):
        raise TaskError(f"{place} has x-placed, so it must have a pattern or be {_or(FORMED)}.")
    return tuple(words)


def _check_placed(row: Object, key: Sequence[str], each: Json, place: str) -> None:
    """What a row is known by must be said: a place is a row's only once it is known where the row stands."""
    placed = [f.name for f in row.fields if isinstance(f.node, Leaf) and not f.node.asked]
    for f in row.fields:
        if f.name in placed and (f.required or each):
            raise TaskError(f"{place}/{f.name} has x-placed, so it cannot be required, nor stand beside x-each.")
    if placed and all(name in placed for name in (key or [f.name for f in row.fields])):
        raise TaskError(f"All that tells the rows of {place} apart has x-placed; one field of it must be asked for.")


def _check_each(name: Json, row: Object, place: str) -> None:
    fields = {f.name: f.node for f in row.fields}
    node = fields.get(name) if isinstance(name, str) else None
    if not isinstance(node, Leaf) or node.kind not in FORMED:
        raise TaskError(f"x-each of {place} names {name!r}; it must be a field of its rows that is {_or(FORMED)}.")
    if len(fields) < 2 or not all(isinstance(n, Leaf) for n in fields.values()):
        raise TaskError(f"{place} has x-each, so its rows must have other fields, and plain values alone.")


def _or(kinds: Iterable[Kind]) -> str:
    return " or ".join(f"x-kind {kind.value!r}" for kind in sorted(kinds))


def _default_key(row: Object) -> tuple[str, ...]:
    """For want of a declared key: what a row requires, names before figures, else the first that tell rows apart."""
    said = asked(row)
    plain = [f for f in said if isinstance(f.node, Leaf) and f.node.kind is not Kind.BOOLEAN]
    telling = [f for f in plain if isinstance(f.node, Leaf) and f.node.kind in _TELLING]
    required = [f for f in telling if f.required] + [f for f in plain if f.required and f not in telling]
    chosen = required if any(f in telling for f in required) else [*required, *telling]
    return tuple(f.name for f in (chosen[:KEY] or plain or said[:KEY]))
