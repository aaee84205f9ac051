"""A record that its schema takes comes through whole, in whatever form of several it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from extractor.errors import TaskError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.given import ground_record
from extractor.extraction.pipeline import Reading
from extractor.extraction.prompt import Strategy
from extractor.extraction.response_schema import build_response_schema
from extractor.extraction.task import task_from_json_schema
from extractor.models.openai.reply import fit_reply
from extractor.models.traits import STRONG
from extractor.types import Document, Json

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu")
LEAVES: list[dict[str, Json]] = [{"type": "string"}, {"type": "number"}, {"type": "integer"}, {"enum": list(WORDS[:3])}]


def grow(random: Random, depth: int, *, in_rows: bool) -> dict[str, Any]:
    """A schema. In the rows of a list a place may be an object or one value, row by row; of lists there all rows have
    one form."""
    kind = random.choice(["leaf", "list", "object", "names", "union"] if depth < 3 else ["leaf"])
    if kind == "list":
        return {"type": "array", "items": grow(random, depth + 1, in_rows=True)}
    if kind == "object":
        names = random.sample(WORDS, 2)
        more = {"additionalProperties": grow(random, depth + 2, in_rows=in_rows)} if random.random() < 0.3 else {}
        return {
            "type": "object",
            "properties": {name: grow(random, depth + 1, in_rows=in_rows) for name in names},
            **more,
        }
    if kind == "names":
        return {"type": "object", "additionalProperties": grow(random, depth + 1, in_rows=in_rows)}
    if kind == "union" and in_rows:
        named = {name: random.choice(LEAVES) for name in random.sample(WORDS, 2)}
        return {"anyOf": [random.choice(LEAVES), {"type": "object", "properties": named}]}
    if kind == "union":
        return {"anyOf": [grow(random, depth + 1, in_rows=in_rows) for _ in range(2)]}
    return random.choice(LEAVES)


def fill(random: Random, schema: dict[str, Any]) -> Json:
    if "anyOf" in schema:
        return fill(random, random.choice(schema["anyOf"]))
    if "enum" in schema:
        return random.choice(schema["enum"])
    match schema["type"]:
        case "string":
            return f"{random.choice(WORDS)} no. {random.randint(10_000, 99_999)}"
        case "number":
            return random.randint(1, 9_999) + 0.5
        case "integer":
            return random.randint(1_000, 9_999)
        case "array":
            return [fill(random, schema["items"]) for _ in range(random.randint(1, 2))]
    named = {name: fill(random, one) for name, one in schema.get("properties", {}).items()}
    more = schema.get("additionalProperties")
    return named | ({name: fill(random, more) for name in ("North", "South")} if more else {})


def iterate_words(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from iterate_words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from iterate_words(inner)
    else:
        yield str(value)


@settings(max_examples=150)
@given(st.randoms(use_true_random=False))
def test_a_record_that_the_schema_takes_loses_nothing_and_keeps_its_form(random: Random) -> None:
    properties = {name: grow(random, 0, in_rows=False) for name in random.sample(WORDS, 2)}
    said = {name: fill(random, one) for name, one in properties.items()}
    try:
        task = task_from_json_schema({"title": "any", "type": "object", "properties": properties})
    except TaskError as refused:  # with the place; nothing is asked for then
        assert "always the same" in str(refused), str(refused)
        return
    record = ground_record(Document("page", "\n".join(iterate_words(said))), task, said, Reading(STRONG, Acceptance(0)))
    assert record.value == said
    assert record.rejected == ()


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_what_is_sent_takes_every_record_that_the_schema_takes(random: Random) -> None:
    """But for objects whose names are the document's, and lists of lists, which are asked for as rows."""
    schema: dict[str, Any] = {
        "title": "any",
        "type": "object",
        "properties": {"given": {"type": "string"}, "of": grow(random, 0, in_rows=False)},
    }
    if "additionalProperties" in json.dumps(schema):
        return
    try:
        root = task_from_json_schema(schema).schema.root
    except TaskError:
        return
    value = {"given": "one", "of": fill(random, schema["properties"]["of"])}
    sent = build_response_schema(root, "", Strategy())
    if '"value": {' in json.dumps(sent):
        return
    fitted = fit_reply(value, sent)
    assert not fitted.misfits
    Draft202012Validator(sent).validate(fitted.value)
    assert without_nothing(fitted.value) == without_nothing(value)


def without_nothing(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: one for name, inner in value.items() if (one := without_nothing(inner)) not in (None, [], {})}
    return [without_nothing(one) for one in value] if isinstance(value, list) else value
