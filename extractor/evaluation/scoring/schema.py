"""A record's JSON Schema, read into what a comparison needs to know and nothing more.

    LeafNode       one value and how two of them are compared
    ValueListNode  a list of scalars, compared as a multiset
    ObjectListNode a list of objects, aligned one to one by the fields named in `key`
    ObjectNode     an object
    UnknownNode    whatever the schema leaves open: inferred from the values themselves

The tree may be cyclic where a schema refers to itself; nodes are compared and hashed by identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from extractor.errors import TaskError
from extractor.schema.annotations import Kind
from extractor.types import Json

MAX_DEPTH = 64
"""Levels of nesting that are looked into; what lies deeper is compared as one value."""


@dataclass(frozen=True, slots=True)
class LeafNode:
    kind: Kind = Kind.TEXT
    fuzzy: float | None = None
    """The least similarity, in 0..1, at which two texts count as the same; None: they must be equal when normalised."""
    enum: tuple[Json, ...] = ()

    @property
    def comparator(self) -> str:
        return str(self.kind) if self.fuzzy is None else f"{self.kind} ~{self.fuzzy:g}"


@dataclass(frozen=True, slots=True, eq=False)
class ValueListNode:
    item: LeafNode | None = None
    """None: inferred from the values."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectNode:
    fields: Mapping[str, SchemaNode] = field(default_factory=dict)
    additional: SchemaNode | None = None
    """The schema of properties that it does not name; None when it has none."""
    allows_additional: bool = True
    """Whether properties that are not named may stand here at all."""
    key_fields: tuple[str, ...] = ()
    """x-key of the object: names of fields that identify it among others of its kind, strongest first."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectListNode:
    row: ObjectNode
    key_fields: tuple[str, ...] = ()
    """Names of fields that identify a row, strongest first."""


@dataclass(frozen=True, slots=True)
class UnknownNode:
    pass


SchemaNode: TypeAlias = LeafNode | ValueListNode | ObjectListNode | ObjectNode | UnknownNode

UNKNOWN_NODE = UnknownNode()

_KINDS_BY_TYPE = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}
_KINDS_BY_FORMAT = {
    "date": Kind.DATE,
    "date-time": Kind.DATE,
    "uri": Kind.URL,
    "uri-reference": Kind.URL,
    "iri": Kind.URL,
    "email": Kind.EMAIL,
    "idn-email": Kind.EMAIL,
}


def read_scoring_schema(schema: Mapping[str, Json]) -> ObjectNode:
    """The tree of a record's schema; its root is an object.

    Understood: local $ref, anyOf/oneOf/allOf, null branches, lists of types, additionalProperties as a schema, and the
    annotations x-kind, x-key and x-compare. All else is ignored, not refused: wild schemas are graded too.

    Raises TaskError when an annotation is not what it must be, or when the root is something else than an object.
    """
    found = _NodeReader(schema).read_node(schema, "")
    if isinstance(found, UnknownNode):
        return ObjectNode()
    if not isinstance(found, ObjectNode):
        raise TaskError("A record's schema must describe an object at its root; wrap it in one.")
    return found


def infer_node(*values: Json) -> SchemaNode:
    """What the values themselves look like, absent ones apart; the same for any order of the values."""
    present = [value for value in values if not is_blank(value)]
    if any(isinstance(value, dict) for value in present):
        return ObjectNode()
    if any(isinstance(value, list) for value in present):
        items = [item for value in present if isinstance(value, list) for item in value]
        return ObjectListNode(ObjectNode()) if any(isinstance(item, dict) for item in items) else ValueListNode()
    return infer_leaf_node(present)


def infer_leaf_node(values: Iterable[Json]) -> LeafNode:
    present = [value for value in values if not is_blank(value)]
    if present and all(isinstance(value, bool) for value in present):
        return LeafNode(Kind.BOOLEAN)
    if present and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return LeafNode(Kind.NUMBER)
    return LeafNode(Kind.TEXT)


def is_blank(value: Json, depth: int = 0) -> bool:
    """Whether the value is empty: null, "", white space, [], {}, lists and objects of these; 0 and False are not."""
    if isinstance(value, str):
        return not value or value.isspace()
    if value is None:
        return True
    if not isinstance(value, dict | list) or depth >= MAX_DEPTH:
        return False
    return all(is_blank(inner, depth + 1) for inner in (value.values() if isinstance(value, dict) else value))


class _NodeReader:
    """One reading of one schema; each $ref is read once, so that self-reference and fan-out cost nothing."""

    def __init__(self, root: Mapping[str, Json]) -> None:
        self.root = root
        self.nodes_by_reference: dict[str, SchemaNode] = {}

    def read_node(self, schema: Json, place: str, depth: int = 0) -> SchemaNode:
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return UNKNOWN_NODE
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._apply_annotations(self._follow_reference(reference, depth), schema, place)
        branches = self._list_branches(schema)
        if branches is not None:
            return self._apply_annotations(self._read_union(branches, place, depth), schema, place)
        kinds = _list_types(schema)
        if "properties" in schema or kinds == {"object"}:
            return self._read_object(schema, place, depth)
        if "items" in schema or kinds == {"array"}:
            return self._read_list(schema, place, depth)
        return self._read_leaf(schema, kinds, place)

    def _follow_reference(self, reference: str, depth: int) -> SchemaNode:
        if reference in self.nodes_by_reference:
            return self.nodes_by_reference[reference]
        self.nodes_by_reference[reference] = UNKNOWN_NODE  # a list that is nothing but a list of itself ends here
        target = self._find_target(reference)
        if (
            isinstance(target, dict)
            and "$ref" not in target
            and ("properties" in target or _list_types(target) == {"object"})
        ):
            return self._read_object(target, reference, depth + 1, reference)
        self.nodes_by_reference[reference] = self.read_node(target, reference, depth + 1)
        return self.nodes_by_reference[reference]

    def _find_target(self, reference: str) -> Json:
        if not reference.startswith("#"):
            return None
        at: Json = self.root
        for step in reference[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(at, dict) or step not in at:
                return None
            at = at[step]
        return at

    def _list_branches(self, schema: Mapping[str, Json]) -> list[Json] | None:
        for word in ("anyOf", "oneOf", "allOf"):
            if isinstance(schema.get(word), list):
                return [branch for branch in schema[word] if not (isinstance(branch, dict) and _is_null(branch))]
        return None

    def _read_union(self, branches: list[Json], place: str, depth: int) -> SchemaNode:
        read = [self.read_node(branch, place, depth + 1) for branch in branches]
        if len(read) == 1:
            return read[0]
        groups = [one for one in read if isinstance(one, ObjectNode)]
        if groups and len(groups) == len(read):
            return _merge_objects(groups)
        if read and all(one == read[0] for one in read):
            return read[0]
        return UNKNOWN_NODE

    def _read_object(
        self, schema: Mapping[str, Json], place: str, depth: int, reference: str | None = None
    ) -> ObjectNode:
        inner: dict[str, SchemaNode] = {}
        more = schema.get("additionalProperties")
        properties = schema.get("properties")
        fits = isinstance(properties, dict)
        if reference is not None and not isinstance(more, dict):
            self.nodes_by_reference[reference] = group = ObjectNode(
                inner, None, more is not False, _read_key_fields(schema, place)
            )
        else:
            rest = self.read_node(more, place, depth + 1) if isinstance(more, dict) else None
            group = ObjectNode(inner, rest, more is not False, _read_key_fields(schema, place))
            if reference is not None:
                self.nodes_by_reference[reference] = group
        for name, one in properties.items() if fits and properties is not None else ():
            inner[name] = self.read_node(one, f"{place}/{name}", depth + 1)
        return group

    def _read_list(self, schema: Mapping[str, Json], place: str, depth: int) -> SchemaNode:
        items = self.read_node(schema.get("items"), place + "[]", depth + 1)
        if isinstance(items, ObjectNode):
            return ObjectListNode(
                items,
                _read_key_fields(schema, place) or _read_key_fields(schema.get("items"), place) or items.key_fields,
            )
        if isinstance(items, LeafNode):
            annotated = self._apply_annotations(items, schema, place)
            return ValueListNode(annotated if isinstance(annotated, LeafNode) else items)
        return UNKNOWN_NODE

    def _read_leaf(self, schema: Mapping[str, Json], kinds: set[str], place: str) -> SchemaNode:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        enum = tuple(values) if isinstance(values, list) else ()
        if enum:
            return self._apply_annotations(LeafNode(Kind.ENUM, None, enum), schema, place)
        form = schema.get("format")
        if isinstance(form, str) and form in _KINDS_BY_FORMAT:
            return self._apply_annotations(LeafNode(_KINDS_BY_FORMAT[form]), schema, place)
        if kinds == {"integer", "number"}:
            kinds = {"number"}
        if len(kinds) == 1 and (only := next(iter(kinds))) in _KINDS_BY_TYPE:
            return self._apply_annotations(LeafNode(_KINDS_BY_TYPE[only]), schema, place)
        return self._apply_annotations(UNKNOWN_NODE, schema, place)

    def _apply_annotations(self, found: SchemaNode, schema: Mapping[str, Json], place: str) -> SchemaNode:
        """The field with x-kind and x-compare of this schema applied; the one place where they are read."""
        if not isinstance(found, LeafNode | UnknownNode | ValueListNode):
            return found
        kind, compare = schema.get("x-kind"), schema.get("x-compare")
        if kind is None and compare is None:
            return found
        leaf = (
            found
            if isinstance(found, LeafNode)
            else (found.item or LeafNode())
            if isinstance(found, ValueListNode)
            else LeafNode()
        )
        if kind is not None:
            if kind not in list(Kind):
                raise TaskError(f'"x-kind" at {place or "/"} is {kind!r}; write one of {", ".join(Kind)}.')
            leaf = LeafNode(Kind(kind), leaf.fuzzy, leaf.enum)
        if compare is not None:
            fuzzy = compare.get("fuzzy") if isinstance(compare, dict) else None
            if isinstance(fuzzy, bool) or not isinstance(fuzzy, int | float) or not 0 < fuzzy <= 1:
                raise TaskError(f'"x-compare" at {place or "/"} must be like {{"fuzzy": 0.9}}, above 0 and at most 1.')
            leaf = LeafNode(leaf.kind, float(fuzzy), leaf.enum)
        return ValueListNode(leaf) if isinstance(found, ValueListNode) else leaf


def _list_types(schema: Mapping[str, Json]) -> set[str]:
    declared = schema.get("type")
    words = declared if isinstance(declared, list) else [declared]
    return {word for word in words if isinstance(word, str) and word != "null"}


def _is_null(schema: Mapping[str, Json]) -> bool:
    return schema.get("type") == "null" or ("const" in schema and schema["const"] is None)


def _read_key_fields(schema: Json, place: str) -> tuple[str, ...]:
    key = schema.get("x-key", []) if isinstance(schema, dict) else []
    if not isinstance(key, list) or not all(isinstance(name, str) for name in key):
        raise TaskError(f'"x-key" at {place or "/"} must be a list of names of fields.')
    return tuple(key)


def _merge_objects(groups: list[ObjectNode]) -> ObjectNode:
    """One object that may be any of several: a field that they describe differently is inferred from its values."""
    fields: dict[str, SchemaNode] = {}
    for group in groups:
        for name, one in group.fields.items():
            fields[name] = one if fields.get(name, one) == one else UNKNOWN_NODE
    return ObjectNode(fields, None, any(group.allows_additional for group in groups))
