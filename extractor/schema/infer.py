"""Drafts a JSON Schema from examples of the JSON that is wanted; every example is valid by the draft.

types      as the examples have them; integer and number become number, text and number become either
formats    date, date-time, email and uri, where every text has that form
enum       where few texts repeat: at most MAX_CHOICES different ones, each MIN_REPEATS times on average
required   what every example has; null beside a value makes it nullable
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from extractor.types import Json

MAX_CHOICES = 8
MIN_REPEATS = 2
MAX_CHOICE_LENGTH = 40
"""Characters of a text that may be a choice."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_URI = re.compile(r"https?://[^\s<>\"]+")


def draft_schema(examples: Sequence[Mapping[str, Json]], title: str) -> dict[str, Json]:
    """A JSON Schema (2020-12) of the examples, which are objects."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_infer_schema(list(examples))}


def _infer_schema(values: Sequence[Json]) -> dict[str, Json]:
    """The schema that all of the values fit."""
    real = [v for v in values if v is not None]
    found = [of for of in (_infer_object(real), _infer_list(real), _infer_scalar(real)) if of is not None]
    if not found:
        return {"type": "null"} if values else {}
    null = len(real) < len(values)
    if len(found) > 1:
        return {"anyOf": [*found, *([{"type": "null"}] if null else [])]}
    return _make_nullable(found[0]) if null else found[0]


def _make_nullable(schema: dict[str, Json]) -> dict[str, Json]:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    out = {**schema, "type": [*kinds, "null"]}
    return {**out, "enum": [*schema["enum"], None]} if "enum" in schema else out


def _infer_object(values: Sequence[Json]) -> dict[str, Json] | None:
    objects = [v for v in values if isinstance(v, dict)]
    if not objects:
        return None
    names = _merge_name_orders([list(one) for one in objects])
    properties = {name: _infer_schema([one[name] for one in objects if name in one]) for name in names}
    required = [name for name in names if all(name in one for one in objects)]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _merge_name_orders(lists: Sequence[Sequence[str]]) -> list[str]:
    """Names in the order of the examples; a name that only later ones have follows the one before it there."""
    out: list[str] = []
    for names in lists:
        at = 0
        for name in names:
            if name in out:
                at = out.index(name) + 1
            else:
                out.insert(at, name)
                at += 1
    return out


def _infer_list(values: Sequence[Json]) -> dict[str, Json] | None:
    lists = [v for v in values if isinstance(v, list)]
    if not lists:
        return None
    return {"type": "array", "items": _infer_schema([one for inner in lists for one in inner]) or {"type": "string"}}


def _infer_scalar(values: Sequence[Json]) -> dict[str, Json] | None:
    plain = [v for v in values if not isinstance(v, dict | list)]
    if not plain:
        return None
    kinds = list(dict.fromkeys(map(_json_type, plain)))
    if set(kinds) == {"integer", "number"}:
        kinds = ["number"]
    if kinds == ["string"]:
        return {"type": "string", **_infer_form(plain)}
    return {"type": kinds[0] if len(kinds) == 1 else kinds}


def _json_type(value: Json) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
    return "string"


def _infer_form(texts: Sequence[str]) -> dict[str, Json]:
    for name, fits in _FORMS.items():
        if all(map(fits, texts)):
            return {"format": name}
    different = list(dict.fromkeys(texts))
    few = 2 <= len(different) <= MAX_CHOICES and len(texts) >= MIN_REPEATS * len(different)
    return {"enum": different} if few and all(0 < len(t) <= MAX_CHOICE_LENGTH for t in different) else {}


def _build_matcher(parse: Callable[[str], object], pattern: str) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        if not re.fullmatch(pattern, text, re.A):
            return False
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


_FORMS: dict[str, Callable[[str], bool]] = {
    "date": _build_matcher(date.fromisoformat, r"\d{4}-\d\d-\d\d"),
    "date-time": _build_matcher(datetime.fromisoformat, r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"),
    "email": lambda text: bool(_EMAIL.fullmatch(text)),
    "uri": lambda text: bool(_URI.fullmatch(text)),
}
