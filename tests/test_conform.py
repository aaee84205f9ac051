from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_generated_schemas import Drawn, drawn
from test_wild_schemas import said

from extractor.extraction.conform import conform_record
from extractor.schema.reader import empty_value, read_schema
from extractor.types import Json

TEXT = {"type": "string"}


def fit(properties: dict[str, Any], value: dict[str, Json], **more: Any) -> dict[str, Json]:
    return conform_record(read_schema({"type": "object", "properties": properties, **more}).root, value)


@given(drawn(), st.data())
def test_nothing_that_was_found_is_dropped_and_fitting_twice_is_fitting_once(of: Drawn, data: st.DataObject) -> None:
    schema, truth = of
    root = read_schema(schema).root
    found = {**empty_value(root), **{k: v for k, v in truth.items() if data.draw(st.booleans())}}
    found = {f.name: found[f.name] for f in root.fields}
    fitted = conform_record(root, found)
    constants = {p for p, _ in paths(fitted)} - {p for p, _ in paths(truth)}
    assert not constants - {("",)}
    assert set(paths(said(found))) <= set(paths(fitted))
    assert conform_record(root, fitted) == fitted
    assert [k for k in schema["properties"] if k in fitted] == list(fitted)


def paths(value: Json, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        return [one for k, v in value.items() for one in paths(v, (*path, k))]
    if isinstance(value, list):
        return [one for i, v in enumerate(value) for one in paths(v, (*path, str(i)))]
    return [] if value is None else [(path, repr(value))]


NULL = {"type": ["string", "null"]}


@pytest.mark.parametrize(
    ("schema", "required", "fitted"),
    [
        (TEXT, False, {}),
        (TEXT, True, {"a": None}),
        (NULL, False, {"a": None}),
        (NULL, True, {"a": None}),
        ({"type": "array", "items": TEXT}, False, {"a": []}),
        ({"type": "array", "items": TEXT, "minItems": 1}, False, {}),
        ({"type": "object", "properties": {"b": TEXT}}, False, {}),
        ({"type": "object", "properties": {"b": TEXT}}, True, {"a": {}}),
        ({"anyOf": [{"type": "object", "properties": {"b": TEXT}}, {"type": "null"}]}, True, {"a": None}),
        ({"const": "x"}, True, {"a": "x"}),
        ({"const": "x", "default": "x"}, False, {"a": "x"}),
    ],
)
def test_where_nothing_was_found_stands_what_the_schema_lets_stand(schema: Any, required: bool, fitted: Json) -> None:
    root = read_schema({"type": "object", "properties": {"a": schema, "z": TEXT}, "required": ["a"] * required}).root
    assert conform_record(root, {**empty_value(root), "z": "said"}) == {**fitted, "z": "said"}


CARD = {"properties": {"kind": {"const": "card"}, "digits": TEXT}, "required": ["kind", "digits"], "type": "object"}
CASH = {"properties": {"kind": {"const": "cash"}, "till": TEXT}, "required": ["kind"], "type": "object"}


@pytest.mark.parametrize(
    ("found", "fitted"),
    [
        ({"kind": "cash", "till": "4"}, {"kind": "cash", "till": "4"}),
        ({"kind": None, "digits": "4402"}, {"kind": "card", "digits": "4402"}),
        ({"kind": None, "till": "4"}, {"kind": "cash", "till": "4"}),
        ({"kind": "card", "digits": None}, {"kind": "card"}),
        ({"kind": "card", "digits": "4402", "till": "4"}, {"kind": "card", "digits": "4402", "till": "4"}),
    ],
)
def test_one_of_several_objects_is_the_one_with_room_for_what_was_found(found: Json, fitted: Json) -> None:
    empty = {"kind": None, "digits": None, "till": None}
    assert fit({"a": {"oneOf": [CARD, CASH]}}, {"a": {**empty, **found}}) == {"a": fitted}


@pytest.mark.parametrize(("text", "value"), [("12", 12), ("12.5", 12.5), ("1/2", "1/2"), ("about 3", "about 3")])
def test_a_number_or_a_text_is_whichever_the_schema_takes(text: str, value: Json) -> None:
    either = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+/\d+$"}]}
    assert fit({"a": either, "b": {"type": "array", "items": either}}, {"a": text, "b": [text]}) == {
        "a": value,
        "b": [value],
    }
    assert fit({"a": {"type": ["number", "string"]}}, {"a": text}) == {"a": text}
