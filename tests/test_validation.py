import pytest

from extractor.extraction.validation import validate_record
from extractor.types import Json


def problems(schema: Json, value: Json) -> list[tuple[tuple[str | int, ...], str]]:
    return [(p.path, p.message) for p in validate_record(value, None, schema)]


def test_bounds_that_no_question_carries_hold_in_the_end() -> None:
    schema = {
        "type": "object",
        "properties": {
            "stars": {"type": "integer", "maximum": 5},
            "code": {"type": "string", "pattern": "^[A-Z]+$"},
            "day": {"type": "string", "format": "date"},
        },
        "if": {"required": ["stars"]},
        "then": {"required": ["code"]},
    }
    assert problems(schema, {"stars": 5, "code": "AB", "day": "2024-05-03"}) == []
    assert [p for p, _ in problems(schema, {"stars": 7, "code": "ab", "day": "2024-05"})] == [
        ("code",),
        ("day",),
        ("stars",),
    ]
    assert problems(schema, {"stars": 1}) == [((), "'code' is a required property")]


@pytest.mark.parametrize("cents", [635.44, 0.29, 1.1, 4.35, 100, -7.07])
def test_a_multiple_of_a_cent_is_one_though_binary_fractions_are_not(cents: float) -> None:
    assert problems({"properties": {"a": {"multipleOf": 0.01}}}, {"a": cents}) == []
    assert problems({"properties": {"a": {"multipleOf": 0.01}}}, {"a": cents + 0.001}) != []


def test_a_reference_to_elsewhere_is_a_problem_and_never_fetched() -> None:
    schema = {"properties": {"a": {"$ref": "http://127.0.0.1:9/nowhere.json"}}}
    assert [p for p, _ in problems(schema, {"a": 1})] == [()]


def test_a_message_stays_short() -> None:
    (problem,) = problems({"properties": {"a": {"maxLength": 3}}}, {"a": "x" * 5000})
    assert len(problem[1]) < 250


def test_the_draft_that_a_schema_names_is_the_one_it_is_held_to() -> None:
    old = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}},
    }
    assert problems(old, {"a": 1}) != []
    assert problems(old, {"a": 2}) == []
