"""Reads the declaration of one value into the leaf of the tree that the steps walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from extractor.errors import TaskError
from extractor.schema.annotations import Kind
from extractor.schema.declaration import Declaration
from extractor.schema.extension_keys import read_pattern, read_position_keywords
from extractor.schema.tree import Scalar
from extractor.types import Json

_FORMATS = {
    **dict.fromkeys(("date", "date-time"), Kind.DATE),
    **dict.fromkeys(("uri", "iri", "url"), Kind.URL),
    **dict.fromkeys(("email", "idn-email"), Kind.EMAIL),
}
_TYPES = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}


def read_scalar(declared: Declaration, place: str, add_note: Callable[[str, str, str], None]) -> Scalar:
    """One value. Raises TaskError for a type or a kind that there is not."""
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
        add_note(place, "open", "has no type; it is asked for as a text")
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
        read_pattern(schema.get("pattern"), place),
        schema.get("x-list-item-only") is True,
        schema.get("x-verbatim-number") is True,
        tuple(schema.get("x-texts", ())),
        f"{place.rpartition('/')[2]} {read_description(schema)}".strip() if kind in (Kind.BOOLEAN, Kind.ENUM) else "",
        read_position_keywords(schema, kind, place),
        "x-locate-by-position" not in schema or schema.get("x-also-ask") is True,
        other_types=tuple(_TYPES) if is_open else tuple(schema.get("x-types", ())),
        timed=kind is Kind.DATE and schema.get("format") == "date-time",
        to_the_day=kind is Kind.TEXT and "YYYY-MM-DD" in read_description(schema),
    )


def read_description(schema: Mapping[str, Json]) -> str:
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
