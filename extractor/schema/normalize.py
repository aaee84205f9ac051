"""Folds a JSON Schema as written into one plain declaration for each place.

    $ref             local ones only, by pointer; what stands beside one wins over what it refers to
    allOf            its parts together: properties, required, bounds
    null             a union with null, or a type list with it, is a nullable value
    union of scalars one scalar: choices are joined, integer and number are number, anything with text is text
    union of objects one object with all their properties, and the branches kept, so that a record can be fitted to one
    union of a list and an object whose names are the document's: the object, with the list beside it
    union of others  the richest: a list before an object before a scalar; a note says what is not asked for
    recursion        written out, as many levels as the reader wants

What no request can express is refused with its place; nothing is left out without a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from extractor.errors import TaskError
from extractor.schema.annotations import RENAMED_KEYWORDS
from extractor.schema.declaration import Declaration, RecursionEnds, SchemaNote, Trail, UnionBranch
from extractor.schema.unions import allowed_values, join_scalar_schemas
from extractor.types import Json

CONDITION_KEYWORDS = (
    "if",
    "then",
    "else",
    "not",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "propertyNames",
)
"""Keywords that no request can express; the finished record is checked against them."""
_FOLDED = ("$ref", "allOf", "anyOf", "oneOf")
_OBJECT = ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties")
_LIST = ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")
SKIP_HINT = 'mark it "x-skip": true to leave it out'


class SchemaNormalizer:
    """Folds the places of one schema; `notes` gathers what a person should know."""

    def __init__(self, root: Mapping[str, Json], most_levels: int = 1) -> None:
        self.root = root
        self.most_levels = most_levels
        """How often a reference is followed on one way through the schema."""
        self.notes: list[SchemaNote] = []

    def add_note(self, place: str, code: str, message: str) -> None:
        note = SchemaNote(place, code, message)
        if note not in self.notes:
            self.notes.append(note)

    def normalize(self, schema: Json, place: str, trail: Trail = frozenset()) -> Declaration:
        """The plain declaration at a place. Raises TaskError, naming it, for what cannot be asked, and RecursionEnds
        where it lies deeper inside itself than is asked for."""
        if schema is True or schema == {}:
            return Declaration({}, True, trail)
        if not isinstance(schema, Mapping):
            raise TaskError(f"The schema at {place or 'the root'} is not an object; write one JSON Schema there.")
        base = {k: v for k, v in self._rename_keywords(schema, place).items() if k not in _FOLDED}
        nullable = False
        branches: tuple[UnionBranch, ...] = ()
        trails: Mapping[str, Trail] = {}
        others: tuple[Declaration, ...] = ()
        if "$ref" in schema:
            referred = self._resolve_reference(schema["$ref"], place, trail)
            base = {**referred.schema, **base}
            nullable, trail, branches, trails = referred.nullable, referred.trail, referred.branches, referred.trails
            others = referred.others
        parts = [self.normalize(part, place, trail) for part in _read_subschemas(schema, "allOf", place)]
        if parts:
            joined: dict[str, Json] = {}
            for part in parts:
                joined = _intersect_schemas(joined, part.schema)
                branches, trails, trail = branches or part.branches, {**trails, **part.trails}, trail | part.trail
            base = _intersect_schemas(joined, base)
        kinds = base.get("type")
        if isinstance(kinds, list):
            nullable = nullable or "null" in kinds
            kinds = [k for k in kinds if k != "null"]
            if len(kinds) > 1 and {"array", "object"} & set(kinds):
                return self._normalize_union(_part_types(base, kinds), {}, place, trail, nullable, branches)
            base = self._normalize_types(base, kinds, place)
        nullable = nullable or (None in base["enum"] if isinstance(base.get("enum"), list) else False)
        if "type" not in base and "properties" in base:
            base["type"] = "object"
        elif "type" not in base and ("items" in base or "prefixItems" in base):
            base["type"] = "array"
        for word in ("anyOf", "oneOf"):
            if word in schema:
                union = self._normalize_union(
                    _read_subschemas(schema, word, place), base, place, trail, nullable, branches
                )
                base, nullable, trail, branches = dict(union.schema), union.nullable, union.trail, union.branches
                trails, others = union.trails, union.others
        return Declaration(base, nullable, trail, branches, trails, others)

    def _rename_keywords(self, schema: Mapping[str, Json], place: str) -> Mapping[str, Json]:
        """The schema with the names that extension keys have now; a note for each old one."""
        old = [name for name in RENAMED_KEYWORDS if name in schema]
        for name in old:
            self.add_note(place, "renamed", f"{name} is called {RENAMED_KEYWORDS[name]} now; rename it")
        renamed = {RENAMED_KEYWORDS[name]: schema[name] for name in old}
        return {**renamed, **{k: v for k, v in schema.items() if k not in old}} if old else schema

    def _resolve_reference(self, reference: Json, place: str, trail: Trail) -> Declaration:
        target = self._find_target(reference, place)
        level = sum(known == reference for known, _ in trail)
        if level >= self.most_levels:
            raise RecursionEnds(reference)
        return self.normalize(target, place, trail | {(reference, level)})

    def _find_target(self, reference: Json, place: str) -> Json:
        where = place or "The root"
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise TaskError(f"{where} refers to {reference}, outside this schema; copy it in under $defs.")
        at: Json = self.root
        for step in reference[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(at, Mapping) and step in at:
                at = at[step]
            elif isinstance(at, list) and step.isdigit() and int(step) < len(at):
                at = at[int(step)]
            else:
                raise TaskError(f"{where} refers to {reference}, which is not defined.")
        return at

    def _normalize_types(self, base: dict[str, Json], kinds: Sequence[Json], place: str) -> dict[str, Json]:
        """A list of types as one type, as a union of them would be."""
        if len(kinds) == 1:
            return {**base, "type": kinds[0]}
        plain = {k: v for k, v in base.items() if k != "type"}
        joined = (
            self._join_scalars([{**plain, "type": k} for k in kinds], place) if kinds else {**plain, "type": "null"}
        )
        return {**plain, **joined}

    def _normalize_union(
        self,
        choices: Sequence[Json],
        base: dict[str, Json],
        place: str,
        trail: Trail,
        nullable: bool,
        branches: tuple[UnionBranch, ...],
    ) -> Declaration:
        folded = [
            form
            for choice in self._fold_choices(choices, place, trail)
            for form in (replace(choice, others=()), *choice.others)
        ]
        real = [f for f in folded if not _only_null(f.schema)]
        nullable = nullable or len(real) < len(folded) or any(f.nullable and f.schema for f in real)
        trail = trail.union(*(f.trail for f in real))
        if not real:
            return Declaration({**base, "type": "null"}, True, trail)
        if len(real) == 1:
            return Declaration(
                _intersect_schemas(real[0].schema, base), nullable, trail, branches or real[0].branches, real[0].trails
            )
        if base.get("type") == "object" or "properties" in base:
            if not any("properties" in f.schema for f in real):
                self.add_note(
                    place, "condition", "its anyOf is not shown to the model; the record is checked against it"
                )
                return Declaration(base, nullable, trail, branches)
            real = [Declaration(_intersect_schemas(base, f.schema), f.nullable, f.trail, f.branches) for f in real]
        objects = [f for f in real if f.type == "object"]
        lists = [f for f in real if f.type == "array"]
        values = [f for f in real if f not in objects and f not in lists]
        forms = [
            *([self._join_lists(lists, base, place)] if lists else []),
            *([self._join_objects(objects, base, place)] if objects else []),
            *([self._join_values(values, base, trail, place)] if values else []),
        ]
        if lists and objects and not any(f.schema.get("properties") for f in objects):
            forms[:2] = forms[1::-1]  # of a list and of names that are the document's, the names say more
        asked, *others = forms
        if others:
            what = {"array": "a list", "object": "an object"}[str(asked.type)]
            told = sorted({str(f.type or "anything") for f in real if f.type != asked.type})
            self.add_note(place, "union", f"may be {' or '.join(told)} as well; it is asked for as {what}")
        return replace(asked, nullable=nullable, trail=asked.trail if others else trail, others=tuple(others))

    def _join_lists(self, lists: Sequence[Declaration], base: dict[str, Json], place: str) -> Declaration:
        trail = frozenset().union(*(f.trail for f in lists))
        items = [f.schema.get("items", {"type": "string"}) for f in lists]
        one = items[0] if all(i == items[0] for i in items) else {"anyOf": items}
        return Declaration({**lists[0].schema, **base, "type": "array", "items": one}, False, trail)

    def _join_objects(self, objects: Sequence[Declaration], base: dict[str, Json], place: str) -> Declaration:
        if len(objects) == 1:
            return replace(objects[0], schema={**objects[0].schema, **base})
        merged = self._merge_objects(objects, place)
        schema = {**merged.schema, **base, **_object_entries(merged)}
        return replace(merged, schema=schema, trail=frozenset().union(*(f.trail for f in objects)))

    def _join_values(
        self, values: Sequence[Declaration], base: dict[str, Json], trail: Trail, place: str
    ) -> Declaration:
        joined = self._join_scalars([{**base, **f.schema} for f in values], place)
        return Declaration({**joined, **base}, False, trail)

    def _fold_choices(self, choices: Sequence[Json], place: str, trail: Trail) -> Iterator[Declaration]:
        """Those that do not lie deeper inside themselves than is asked for. Raises RecursionEnds where all do."""
        ends: RecursionEnds | None = None
        left = 0
        for choice in choices:
            try:
                yield self.normalize(choice, place, trail)
                left += 1
            except RecursionEnds as error:
                ends = error
        if ends and not left:
            raise ends

    def _join_scalars(self, schemas: Sequence[Mapping[str, Json]], place: str) -> dict[str, Json]:
        joined, note = join_scalar_schemas(schemas, place)
        if note:
            self.add_note(place, "union", note)
        return joined

    def _merge_objects(self, objects: Sequence[Declaration], place: str) -> Declaration:
        """One object with the properties of all; required is what all require."""
        properties: dict[str, list[Json]] = {}
        for one in objects:
            for name, sub in one.schema.get("properties", {}).items():
                seen = properties.setdefault(name, [])
                if sub not in seen:
                    seen.append(sub)
        joined = {name: subs[0] if len(subs) == 1 else {"anyOf": subs} for name, subs in properties.items()}
        required = [n for n in properties if all(n in one.schema.get("required", ()) for one in objects)]
        branches = tuple(b for one in objects for b in (one.branches or (self._build_branch(one, place),)))
        about = [one.schema["description"] for one in objects if one.schema.get("description")]
        schema: dict[str, Json] = {"type": "object", "properties": joined, "required": required}
        more = [one.schema["additionalProperties"] for one in objects if one.schema.get("additionalProperties")]
        if described := [one for one in more if isinstance(one, Mapping)]:
            schema["additionalProperties"] = described[0] if len(described) == 1 else {"anyOf": described}
        if about:
            schema["description"] = " Or: ".join(dict.fromkeys(about))
        if key := next((one.schema["x-key"] for one in objects if "x-key" in one.schema), None):
            schema["x-key"] = key
        self.add_note(
            place, "branches", f"may be one of {len(objects)} objects; the fields of all of them are asked for"
        )
        trails = {
            name: frozenset().union(
                *(one.trail_of(name) for one in objects if name in one.schema.get("properties", {}))
            )
            for name in properties
        }
        return Declaration(schema, False, frozenset(), branches, trails)

    def _build_branch(self, one: Declaration, place: str) -> UnionBranch:
        choices = {}
        for name, sub in one.schema.get("properties", {}).items():
            inner = self.normalize(sub, f"{place}/{name}", one.trail) if _limits_choices(sub) else None
            if inner and (allowed := allowed_values(inner.schema)):
                choices[name] = allowed
        return UnionBranch(tuple(one.schema.get("properties", {})), frozenset(one.schema.get("required", ())), choices)


def _part_types(base: Mapping[str, Json], kinds: Sequence[Json]) -> list[Json]:
    """A schema for each of the types, with what is said of that type."""
    own = {"object": _OBJECT, "array": _LIST}
    return [
        {
            **{k: v for k, v in base.items() if k in own.get(str(kind), ()) or k not in (*_OBJECT, *_LIST)},
            "type": kind,
        }
        for kind in kinds
    ]


def _object_entries(merged: Declaration) -> dict[str, Json]:
    return {k: merged.schema[k] for k in ("properties", "required") if k in merged.schema}


def _read_subschemas(schema: Mapping[str, Json], word: str, place: str) -> list[Json]:
    choices = schema.get(word, [])
    if not isinstance(choices, list):
        raise TaskError(f"{word} of {place or 'the root'} must be a list of schemas.")
    return choices


def _only_null(schema: Mapping[str, Json]) -> bool:
    return (
        schema.get("type") == "null" or ("const" in schema and schema["const"] is None) or schema.get("enum") == [None]
    )


def _limits_choices(sub: Json) -> bool:
    return isinstance(sub, Mapping) and any(k in sub for k in ("const", "enum", "$ref"))


def _intersect_schemas(a: Mapping[str, Json], b: Mapping[str, Json]) -> dict[str, Json]:
    """The schema that holds where both hold. Bounds that a request cannot express are left to validation at the end."""
    out: dict[str, Any] = {**a, **b}
    if "properties" in a and "properties" in b:
        properties = dict(a["properties"])
        for name, sub in b["properties"].items():
            had = properties.get(name, sub)
            properties[name] = sub if had == sub else {"allOf": [had, sub]}
        out["properties"] = properties
    if "required" in a and "required" in b:
        out["required"] = list(dict.fromkeys([*a["required"], *b["required"]]))
    if isinstance(a.get("enum"), list) and isinstance(b.get("enum"), list):
        out["enum"] = [v for v in a["enum"] if v in b["enum"]]
    for word in ("maxLength", "maxItems", "maximum"):
        if word in a and word in b:
            out[word] = min(a[word], b[word])
    if {a.get("type"), b.get("type")} == {"integer", "number"}:
        out["type"] = "integer"
    return out
