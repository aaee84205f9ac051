"""A record's JSON Schema, read into what a comparison needs to know and nothing more.

    Leaf    one value and how two of them are compared
    Values  a list of scalars, compared as a multiset
    Rows    a list of objects, aligned one to one by the fields named in `key`
    Group   an object
    Unknown whatever the schema leaves open: told from the values themselves

The tree may be cyclic where a schema refers to itself; nodes are compared and hashed by identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from extractor.errors import TaskError
from extractor.schema.annotations import Kind
from extractor.types import Json

DEEPEST = 64
"""Levels of nesting that are looked into; what lies deeper is compared as one value."""


@dataclass(frozen=True, slots=True)
class Leaf:
    kind: Kind = Kind.TEXT
    fuzzy: float | None = None
    """The least similarity, in 0..1, at which two texts count as the same; None: they must be equal when normalised."""
    enum: tuple[Json, ...] = ()

    @property
    def comparator(self) -> str:
        return str(self.kind) if self.fuzzy is None else f"{self.kind} ~{self.fuzzy:g}"


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    item: Leaf | None = None
    """None: told from the values."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    fields: Mapping[str, Field] = field(default_factory=dict)
    rest: Field | None = None
    """What the schema says of properties that it does not name; None when it says nothing."""
    open: bool = True
    """Whether properties that are not named may stand here at all."""
    key: tuple[str, ...] = ()
    """x-key of the object: names of fields that identify it among others of its kind, strongest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    row: Group
    key: tuple[str, ...] = ()
    """Names of fields that identify a row, strongest first."""


@dataclass(frozen=True, slots=True)
class Unknown:
    pass


Field: TypeAlias = Leaf | Values | Rows | Group | Unknown

UNKNOWN = Unknown()

_TYPES = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}
_FORMATS = {
    "date": Kind.DATE,
    "date-time": Kind.DATE,
    "uri": Kind.URL,
    "uri-reference": Kind.URL,
    "iri": Kind.URL,
    "email": Kind.EMAIL,
    "idn-email": Kind.EMAIL,
}


def read(schema: Mapping[str, Json]) -> Group:
    """The tree of a record's schema; its root is an object.

    Understood: local $ref, anyOf/oneOf/allOf, null branches, lists of types, additionalProperties as a schema, and the
    annotations x-kind, x-key and x-compare. All else is ignored, not refused: wild schemas are graded too.

    Raises TaskError when an annotation is not what it must be, or when the root is something else than an object.
    """
    found = _Reader(schema).read(schema, "")
    if isinstance(found, Unknown):
        return Group()
    if not isinstance(found, Group):
        raise TaskError("A record's schema must describe an object at its root; wrap it in one.")
    return found


def infer(*values: Json) -> Field:
    """What the values themselves look like, absent ones apart; the same for any order of the values."""
    present = [value for value in values if not blank(value)]
    if any(isinstance(value, dict) for value in present):
        return Group()
    if any(isinstance(value, list) for value in present):
        items = [item for value in present if isinstance(value, list) for item in value]
        return Rows(Group()) if any(isinstance(item, dict) for item in items) else Values()
    return infer_leaf(present)


def infer_leaf(values: Iterable[Json]) -> Leaf:
    present = [value for value in values if not blank(value)]
    if present and all(isinstance(value, bool) for value in present):
        return Leaf(Kind.BOOLEAN)
    if present and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return Leaf(Kind.NUMBER)
    return Leaf(Kind.TEXT)


def blank(value: Json, depth: int = 0) -> bool:
    """Whether the value says nothing: null, "", white space, [], {}, lists and objects of these; 0 and False do say."""
    if isinstance(value, str):
        return not value or value.isspace()
    if value is None:
        return True
    if not isinstance(value, dict | list) or depth >= DEEPEST:
        return False
    return all(blank(inner, depth + 1) for inner in (value.values() if isinstance(value, dict) else value))


class _Reader:
    """One reading of one schema; each $ref is read once, so that self-reference and fan-out cost nothing."""

    def __init__(self, root: Mapping[str, Json]) -> None:
        self.root = root
        self.known: dict[str, Field] = {}

    def read(self, schema: Json, place: str, depth: int = 0) -> Field:
        if not isinstance(schema, dict) or depth > DEEPEST:
            return UNKNOWN
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._annotated(self._follow(reference, depth), schema, place)
        branches = self._branches(schema)
        if branches is not None:
            return self._annotated(self._union(branches, place, depth), schema, place)
        kinds = _types(schema)
        if "properties" in schema or kinds == {"object"}:
            return self._group(schema, place, depth)
        if "items" in schema or kinds == {"array"}:
            return self._list(schema, place, depth)
        return self._leaf(schema, kinds, place)

    def _follow(self, reference: str, depth: int) -> Field:
        if reference in self.known:
            return self.known[reference]
        self.known[reference] = UNKNOWN  # a list that is nothing but a list of itself ends here
        target = self._target(reference)
        if (
            isinstance(target, dict)
            and "$ref" not in target
            and ("properties" in target or _types(target) == {"object"})
        ):
            return self._group(target, reference, depth + 1, reference)
        self.known[reference] = self.read(target, reference, depth + 1)
        return self.known[reference]

    def _target(self, reference: str) -> Json:
        if not reference.startswith("#"):
            return None
        at: Json = self.root
        for step in reference[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(at, dict) or step not in at:
                return None
            at = at[step]
        return at

    def _branches(self, schema: Mapping[str, Json]) -> list[Json] | None:
        for word in ("anyOf", "oneOf", "allOf"):
            if isinstance(schema.get(word), list):
                return [branch for branch in schema[word] if not (isinstance(branch, dict) and _null(branch))]
        return None

    def _union(self, branches: list[Json], place: str, depth: int) -> Field:
        read = [self.read(branch, place, depth + 1) for branch in branches]
        if len(read) == 1:
            return read[0]
        groups = [one for one in read if isinstance(one, Group)]
        if groups and len(groups) == len(read):
            return _merged(groups)
        if read and all(one == read[0] for one in read):
            return read[0]
        return UNKNOWN

    def _group(self, schema: Mapping[str, Json], place: str, depth: int, reference: str | None = None) -> Group:
        inner: dict[str, Field] = {}
        more = schema.get("additionalProperties")
        properties = schema.get("properties")
        fits = isinstance(properties, dict)
        if reference is not None and not isinstance(more, dict):
            self.known[reference] = group = Group(inner, None, more is not False, _key(schema, place))
        else:
            rest = self.read(more, place, depth + 1) if isinstance(more, dict) else None
            group = Group(inner, rest, more is not False, _key(schema, place))
            if reference is not None:
                self.known[reference] = group
        for name, one in properties.items() if fits and properties is not None else ():
            inner[name] = self.read(one, f"{place}/{name}", depth + 1)
        return group

    def _list(self, schema: Mapping[str, Json], place: str, depth: int) -> Field:
        items = self.read(schema.get("items"), place + "[]", depth + 1)
        if isinstance(items, Group):
            return Rows(items, _key(schema, place) or _key(schema.get("items"), place) or items.key)
        if isinstance(items, Leaf):
            said = self._annotated(items, schema, place)
            return Values(said if isinstance(said, Leaf) else items)
        return UNKNOWN

    def _leaf(self, schema: Mapping[str, Json], kinds: set[str], place: str) -> Field:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        enum = tuple(values) if isinstance(values, list) else ()
        if enum:
            return self._annotated(Leaf(Kind.ENUM, None, enum), schema, place)
        form = schema.get("format")
        if isinstance(form, str) and form in _FORMATS:
            return self._annotated(Leaf(_FORMATS[form]), schema, place)
        if kinds == {"integer", "number"}:
            kinds = {"number"}
        if len(kinds) == 1 and (only := next(iter(kinds))) in _TYPES:
            return self._annotated(Leaf(_TYPES[only]), schema, place)
        return self._annotated(UNKNOWN, schema, place)

    def _annotated(self, found: Field, schema: Mapping[str, Json], place: str) -> Field:
        """The field with what x-kind and x-compare of this schema say; the one place where they are read."""
        if not isinstance(found, Leaf | Unknown | Values):
            return found
        kind, compare = schema.get("x-kind"), schema.get("x-compare")
        if kind is None and compare is None:
            return found
        leaf = found if isinstance(found, Leaf) else (found.item or Leaf()) if isinstance(found, Values) else Leaf()
        if kind is not None:
            if kind not in list(Kind):
                raise TaskError(f'"x-kind" at {place or "/"} is {kind!r}; write one of {", ".join(Kind)}.')
            leaf = Leaf(Kind(kind), leaf.fuzzy, leaf.enum)
        if compare is not None:
            fuzzy = compare.get("fuzzy") if isinstance(compare, dict) else None
            if isinstance(fuzzy, bool) or not isinstance(fuzzy, int | float) or not 0 < fuzzy <= 1:
                raise TaskError(f'"x-compare" at {place or "/"} must be like {{"fuzzy": 0.9}}, above 0 and at most 1.')
            leaf = Leaf(leaf.kind, float(fuzzy), leaf.enum)
        return Values(leaf) if isinstance(found, Values) else leaf


def _types(schema: Mapping[str, Json]) -> set[str]:
    said = schema.get("type")
    words = said if isinstance(said, list) else [said]
    return {word for word in words if isinstance(word, str) and word != "null"}


def _null(schema: Mapping[str, Json]) -> bool:
    return schema.get("type") == "null" or ("const" in schema and schema["const"] is None)


def _key(schema: Json, place: str) -> tuple[str, ...]:
    key = schema.get("x-key", []) if isinstance(schema, dict) else []
    if not isinstance(key, list) or not all(isinstance(name, str) for name in key):
        raise TaskError(f'"x-key" at {place or "/"} must be a list of names of fields.')
    return tuple(key)


def _merged(groups: list[Group]) -> Group:
    """One object that may be any of several: a field that they describe differently is told from its values."""
    fields: dict[str, Field] = {}
    for group in groups:
        for name, one in group.fields.items():
            fields[name] = one if fields.get(name, one) == one else UNKNOWN
    return Group(fields, None, any(group.open for group in groups))
