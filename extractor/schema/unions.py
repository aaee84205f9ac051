"""Joins several schemas of scalars into one that describes a value that may be any of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from extractor.errors import TaskError
from extractor.types import Json

SCALAR_TYPES = ("string", "number", "integer", "boolean")


def join_scalar_schemas(schemas: Sequence[Mapping[str, Json]], place: str) -> tuple[dict[str, Json], str | None]:
    """One scalar that may be any of several, and a note where something of it is not asked for."""
    if all(allowed_values(s) for s in schemas):
        choices: list[Json] = []
        for value in (v for s in schemas for v in allowed_values(s)):
            if not any(type(value) is type(c) and value == c for c in choices):
                choices.append(value)
        return {**_common_entries(schemas), "enum": choices}, None
    if all(s == schemas[0] for s in schemas):
        return dict(schemas[0]), None
    kinds = {str(kind) for s in schemas for kind in (s.get("type", "string"), *s.get("x-types", ()))}
    if bad := kinds - set(SCALAR_TYPES):
        raise TaskError(f"{place or 'The root'} has the type {', '.join(sorted(bad))}, which JSON Schema lacks.")
    numeric = [s for s in schemas if s.get("type") in ("number", "integer")]
    texts = [s for s in schemas if s.get("type", "string") == "string"]
    if len(numeric) + len(texts) == len(schemas) and numeric and all(map(_is_numeral, texts)):
        wide = any(s["type"] == "number" for s in numeric) or bool(texts)
        return {**_common_entries(schemas), "type": "number" if wide else "integer"}, None
    if texts:
        forms = [_text_pattern(s) for s in texts]
        bound = {"x-texts": forms} if numeric and None not in forms else {}
        others = {"x-types": sorted(kinds - {"string"})} if len(kinds) > 1 else {}
        return {**_common_entries(schemas), "type": "string", **bound, **others}, None
    return dict(schemas[0]), f"may be {' or '.join(sorted(kinds))}; it is asked for as {schemas[0]['type']}"


def allowed_values(schema: Mapping[str, Json]) -> tuple[Json, ...]:
    """The only values that the schema allows; none when it has no such list."""
    if "const" in schema:
        return (schema["const"],)
    listed = schema.get("enum", ())
    return tuple(listed) if isinstance(listed, list) else ()


def _common_entries(schemas: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """The entries that are the same in all schemas."""
    return {k: v for k, v in schemas[0].items() if all(s.get(k, ...) == v for s in schemas)}


def _is_numeral(schema: Mapping[str, Json]) -> bool:
    """Whether a text can only be a number, as the second spelling of a Decimal is."""
    pattern = schema.get("pattern")
    if not isinstance(pattern, str):
        return False
    try:
        return bool(re.search(pattern, "12.5")) and not re.search(pattern, "x")
    except re.error:
        return False


def _text_pattern(schema: Mapping[str, Json]) -> str | None:
    """The pattern that a text must have; None for any text."""
    if isinstance(schema.get("pattern"), str):
        return str(schema["pattern"])
    if choices := allowed_values(schema):
        return f"^(?:{'|'.join(re.escape(str(v)) for v in choices)})$"
    return r"^\d{4}-\d{2}-\d{2}$" if schema.get("format") == "date" else None
