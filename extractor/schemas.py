"""A record's JSON Schema, read into a small tree that the steps walk.

Object -- fields --> Leaf    one value
                     Values  a list of values
                     Rows    a list of objects
                     Object  a nested object
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from extractor.domain import Json, fingerprint
from extractor.errors import TaskError
from extractor.kinds import Kind

DEEPEST = 12
"""Levels of nesting a schema may have; a recursive one has more than any number."""

_FORMATS = {"date": Kind.DATE, "date-time": Kind.DATE, "uri": Kind.URL, "email": Kind.EMAIL}
_TYPES = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}


@dataclass(frozen=True, slots=True)
class Leaf:
    kind: Kind
    type: str = "string"
    """JSON type of the value in the record."""
    enum: tuple[Json, ...] = ()
    verbatim: bool = False
    derive: str | None = None
    longest: int | None = None
    pattern: str | None = None
    """A regular expression that is to be found in the value."""
    listed: bool = False
    """Only words that are an item of a written list count, not words of a sentence."""


@dataclass(frozen=True, slots=True)
class Values:
    item: Leaf
    most: int | None = None
    """Entries that the schema allows."""


@dataclass(frozen=True, slots=True)
class Rows:
    row: Object
    key: tuple[str, ...]
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    node: Node
    description: str = ""
    group: str | None = None
    required: bool = False
    """Whether the schema wants a value there; a row without it is none."""
    cues: tuple[str, ...] = ()
    """Words, one of which announces the field wherever a document has it."""
    narrow: bool = False
    """Whether only the sections that the cues announce are asked."""


@dataclass(frozen=True, slots=True)
class Object:
    fields: tuple[Field, ...]
    description: str = ""

    def __getitem__(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)


Node = Leaf | Values | Rows | Object


@dataclass(frozen=True, slots=True)
class Schema:
    """`source` is the JSON Schema as declared; `root` what the steps walk."""

    source: Mapping[str, Json]
    root: Object
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Group name to the top-level fields that are asked for together, in the schema's order."""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.source)

    def part(self, group: str) -> Object:
        """The record, narrowed to one group's fields."""
        names = self.groups[group]
        return Object(tuple(f for f in self.root.fields if f.name in names), self.root.description)


def read(source: Mapping[str, Json]) -> Schema:
    """The tree of a JSON Schema whose root is an object.

    Raises TaskError, naming the place, for a schema that is recursive, not an object, or annotated wrongly.
    """
    root = _Reader(source).node(source, "", 0)
    if not isinstance(root, Object) or not root.fields:
        raise TaskError("The schema's root must be an object with properties; wrap the value in one.")
    return Schema(source, root, _groups(root))


def _groups(root: Object) -> dict[str, tuple[str, ...]]:
    """Declared groups; else plain values together, and each list of rows or nested object by itself."""
    groups: dict[str, tuple[str, ...]] = {}
    for f in root.fields:
        name = f.group or (f.name if isinstance(f.node, Rows | Object) else "values")
        groups[name] = (*groups.get(name, ()), f.name)
    return groups


class _Reader:
    def __init__(self, source: Mapping[str, Json]) -> None:
        self.definitions = {**source.get("definitions", {}), **source.get("$defs", {})}

    def node(self, schema: Json, place: str, depth: int) -> Node:
        if depth > DEEPEST:
            raise TaskError(f"The schema is recursive or nests too deeply at {place}; flatten it to {DEEPEST} levels.")
        schema = self.resolve(schema, place)
        match schema.get("type"):
            case "object":
                return self.object(schema, place, depth)
            case "array":
                return self.array(schema, place, depth)
        return self.leaf(schema, place)

    def resolve(self, schema: Json, place: str) -> dict[str, Json]:
        """The schema with `$ref`, `allOf` of one, and `anyOf` with null folded away; annotations are kept."""
        for _ in range(DEEPEST):
            if not isinstance(schema, Mapping):
                raise TaskError(f"The schema at {place or 'the root'} is not an object; write one JSON Schema there.")
            outer = {k: v for k, v in schema.items() if k not in ("$ref", "anyOf", "oneOf", "allOf")}
            if "$ref" in schema:
                name = str(schema["$ref"]).rsplit("/", 1)[-1]
                if name not in self.definitions:
                    raise TaskError(f"{place or 'The root'} refers to {schema['$ref']}, which is not defined.")
                schema = {**self.definitions[name], **outer}
                continue
            choices = next((schema[k] for k in ("anyOf", "oneOf", "allOf") if k in schema), None)
            if choices is None:
                break
            real = [c for c in choices if c.get("type") != "null"]
            if len(real) == 1:
                schema = {**real[0], **outer}
            elif all(self.resolve(c, place).get("type") in _TYPES for c in real):
                schema = {"type": "string", **outer}
            else:
                raise TaskError(f"{place} may be one of several objects; split it into one field for each.")
        kind = schema.get("type")
        if isinstance(kind, list):
            real_types = [t for t in kind if t != "null"]
            schema = {**schema, "type": real_types[0] if len(real_types) == 1 else "string"}
        elif kind is None and "properties" in schema:
            schema = {**schema, "type": "object"}
        return dict(schema)

    def object(self, schema: Mapping[str, Json], place: str, depth: int) -> Object:
        required = set(schema.get("required", ()))
        fields = []
        for name, sub in schema.get("properties", {}).items():
            where = f"{place}/{name}"
            folded = self.resolve(sub, where)
            group = folded.get("x-group")
            node = self.node(sub, where, depth + 1)
            description = folded.get("description", "")
            fields.append(
                Field(
                    name,
                    node,
                    " ".join(description.split()),
                    group,
                    name in required and not _nullable(sub),
                    _cues(folded, where),
                    folded.get("x-narrow") is True,
                )
            )
        return Object(tuple(fields), " ".join(schema.get("description", "").split()))

    def array(self, schema: Mapping[str, Json], place: str, depth: int) -> Values | Rows:
        item = self.node(schema.get("items", {"type": "string"}), f"{place}[]", depth + 1)
        if isinstance(item, Leaf):
            return Values(item, schema.get("maxItems"))
        if not isinstance(item, Object):
            raise TaskError(f"{place} is a list of lists; make its items objects or plain values.")
        declared = self.resolve(schema["items"], place).get("x-key") or schema.get("x-key")
        names = [f.name for f in item.fields]
        for k in declared or ():
            if k not in names:
                raise TaskError(f"x-key of {place} names {k!r}, which its rows do not have; choose from {names}.")
        return Rows(item, tuple(declared or _default_key(item)), schema.get("maxItems"))

    def leaf(self, schema: Mapping[str, Json], place: str) -> Leaf:
        enum = tuple(schema.get("enum", ())) or ((schema["const"],) if "const" in schema else ())
        enum = tuple(v for v in enum if v is not None)
        json_type = str(schema.get("type", "string"))
        declared = schema.get("x-kind")
        try:
            kind = Kind(declared) if declared else None
        except ValueError:
            raise TaskError(f"x-kind {declared!r} of {place} is none of {', '.join(Kind)}.") from None
        if kind is None:
            kind = Kind.ENUM if enum else _FORMATS.get(schema.get("format", "")) or _TYPES.get(json_type, Kind.TEXT)
        return Leaf(
            kind,
            json_type if json_type in _TYPES else "string",
            enum,
            schema.get("x-form") == "verbatim",
            schema.get("x-derive"),
            schema.get("maxLength"),
            _pattern(schema.get("pattern"), place),
            schema.get("x-listed") is True,
        )


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


def _nullable(schema: Json) -> bool:
    """Whether null is among what the schema allows."""
    kinds = schema.get("type")
    if kinds == "null" or (isinstance(kinds, list) and "null" in kinds) or None in schema.get("enum", ()):
        return True
    return any(_nullable(c) for k in ("anyOf", "oneOf") for c in schema.get(k, ()) if isinstance(c, Mapping))


def _default_key(row: Object) -> tuple[str, ...]:
    """All plain text fields of a row, for want of a declared key."""
    texts = tuple(f.name for f in row.fields if isinstance(f.node, Leaf) and f.node.kind in (Kind.TEXT, Kind.NAME))
    return texts or tuple(f.name for f in row.fields if isinstance(f.node, Leaf))


def leaves(
    node: Node, value: Json, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Leaf, Json]]:
    """Every non-null plain value under `value`, with its path and its leaf of the schema, in the schema's order."""
    if value is None:
        return
    match node:
        case Leaf():
            yield path, node, value
        case Values(item):
            for i, v in enumerate(value):
                yield from leaves(item, v, (*path, i))
        case Rows(row):
            for i, v in enumerate(value):
                yield from leaves(row, v, (*path, i))
        case Object(fields):
            for f in fields:
                yield from leaves(f.node, value.get(f.name), (*path, f.name))


def empty(node: Node) -> Json:
    """What a record holds where nothing was found."""
    match node:
        case Leaf():
            return None
        case Values() | Rows():
            return []
        case Object(fields):
            return {f.name: empty(f.node) for f in fields}
