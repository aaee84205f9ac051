"""The JSON Schema inside what an API takes round it."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.types import Json

_SCHEMA_WORDS = ("type", "properties", "$ref", "allOf", "anyOf", "oneOf", "$defs", "definitions")


def unwrap_schema(source: Mapping[str, Json]) -> Mapping[str, Json]:
    """The JSON Schema inside what an API takes round it: `{"name": …, "schema": {…}}`, however it is called there."""
    if not isinstance(source, Mapping) or any(word in source for word in _SCHEMA_WORDS):
        return source
    inner = [v for v in source.values() if isinstance(v, Mapping) and any(word in v for word in _SCHEMA_WORDS)]
    deeper = [v for v in source.values() if isinstance(v, Mapping)]
    if len(inner) == 1:
        return inner[0]
    return unwrap_schema(deeper[0]) if len(deeper) == 1 else source
