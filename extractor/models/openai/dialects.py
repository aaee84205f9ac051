"""What an endpoint is sent for a response schema, in each dialect, and what had to be dropped from it.

    grammar  the embedded engine: the whole schema is enforced while the reply is written
    schema   strict JSON schema as OpenAI documents it: every node typed, no maxLength or pattern, and limits on size
    tools    the schema as a function's parameters; checked when the reply is there
    json     the schema as text in the prompt; checked when the reply is there

A response schema never holds anyOf, $ref or allOf, so that is all there is to convert. The limits are those of OpenAI's
guide on structured outputs (supported schemas), as of 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from extractor.models.endpoint import Dialect
from extractor.types import Json

MAX_PROPERTIES = 5000
MAX_NESTING = 10
MAX_CHOICES = 1000
"""Enumerated values in a whole schema."""
MAX_SCHEMA_CHARACTERS = 120_000
"""Characters of all names and enumerated values together."""
LONG_LIST, LONG_LIST_LETTERS = 250, 15_000
"""An enumeration of more values than this has a limit on their characters of its own."""


@dataclass(frozen=True, slots=True)
class DialectSchema:
    """A response schema in a dialect. `dropped` names, a sentence each, what is not enforced while a model writes."""

    response_schema: Mapping[str, Json]
    dropped: tuple[str, ...] = ()
    refusal_reasons: tuple[str, ...] = ()
    """Why the dialect cannot take the schema at all; the next one down is used then."""


def adapt_to_dialect(dialect: Dialect, schema: Mapping[str, Json]) -> DialectSchema:
    """The schema as the dialect takes it. What is dropped is still checked when the reply is there."""
    match dialect:
        case Dialect.SCHEMA:
            return _adapt_to_strict_mode(schema)
        case Dialect.TOOLS:
            return DialectSchema(schema, ("Nothing holds the reply to the schema while it is written.",))
        case Dialect.JSON:
            return DialectSchema(schema, ("The schema is words in the prompt; nothing holds the reply to it.",))
    return DialectSchema(schema)


def _adapt_to_strict_mode(schema: Mapping[str, Json]) -> DialectSchema:
    dropped: list[str] = []
    whole = _copy_with_types(schema)
    if any("maxLength" in node for node in walk_schema(schema)):
        dropped.append("The length of texts: strict mode does not take maxLength.")
    dropped += _drop_large_enums(whole)
    refused = []
    if (n := sum(len(node.get("properties", ())) for node in walk_schema(whole))) > MAX_PROPERTIES:
        refused.append(f"{n} properties, and strict mode takes {MAX_PROPERTIES}")
    if (n := measure_nesting(whole)) > MAX_NESTING:
        refused.append(f"{n} levels of objects, and strict mode takes {MAX_NESTING}")
    if (n := _count_schema_characters(whole)) > MAX_SCHEMA_CHARACTERS:
        refused.append(f"{n} characters of names and choices, and strict mode takes {MAX_SCHEMA_CHARACTERS}")
    return DialectSchema(whole, tuple(dropped), tuple(refused))


def _copy_with_types(node: Mapping[str, Json]) -> dict[str, Any]:
    """A copy in which every enumeration says its types and no text its length."""
    out = {k: v for k, v in node.items() if k not in ("maxLength", "pattern")}
    if "enum" in node and "type" not in node:
        kinds = list(dict.fromkeys(_json_type_name(v) for v in node["enum"]))
        out = {"type": kinds[0] if len(kinds) == 1 else kinds, **out}
    if "properties" in node:
        out["properties"] = {name: _copy_with_types(sub) for name, sub in node["properties"].items()}
    if "items" in node:
        out["items"] = _copy_with_types(node["items"])
    if "anyOf" in node:
        out["anyOf"] = [_copy_with_types(one) for one in node["anyOf"]]
    return out


def _json_type_name(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
    return "string"


def _drop_large_enums(schema: dict[str, Any]) -> list[str]:
    """Turns the largest enumerations of `schema` into plain types, in place, until all together are within limits."""
    dropped = []
    lists = sorted((n for n in walk_schema(schema) if "enum" in n), key=lambda n: -len(n["enum"]))
    for node in lists:
        many = len(node["enum"])
        letters = sum(len(str(v)) for v in node["enum"])
        total = sum(len(n["enum"]) for n in walk_schema(schema) if "enum" in n)
        if total > MAX_CHOICES or (many > LONG_LIST and letters > LONG_LIST_LETTERS):
            del node["enum"]
            dropped.append(
                f"A list of {many} choices: strict mode takes {MAX_CHOICES} in all, and no long list of long ones."
            )
    return dropped


def walk_schema(schema: Mapping[str, Json]) -> Iterator[dict[str, Any]]:
    """Every node of a response schema, the root first."""
    yield schema  # type: ignore[misc]
    for sub in _list_inner_schemas(schema):
        yield from walk_schema(sub)


def measure_nesting(schema: Mapping[str, Json]) -> int:
    """Levels of objects, one inside the other; a list of objects is one level."""
    return int("properties" in schema) + max(map(measure_nesting, _list_inner_schemas(schema)), default=0)


def _list_inner_schemas(schema: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    items = [schema["items"]] if "items" in schema else []
    return [*schema.get("properties", {}).values(), *items, *schema.get("anyOf", ())]


def _count_schema_characters(schema: Mapping[str, Json]) -> int:
    names = sum(len(name) for node in walk_schema(schema) for name in node.get("properties", ()))
    return names + sum(len(str(v)) for node in walk_schema(schema) for v in node.get("enum", ()))
