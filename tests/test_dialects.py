from typing import Any

from extractor.models.endpoint import Dialect
from extractor.models.openai.dialects import MAX_CHOICES, adapt_to_dialect, measure_nesting, walk_schema


def shape(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def test_only_strict_mode_changes_what_is_sent() -> None:
    asked = shape(a={"type": ["string", "null"], "maxLength": 9}, b={"enum": ["x", 2, None]})
    for dialect in (Dialect.GRAMMAR, Dialect.TOOLS, Dialect.JSON):
        assert adapt_to_dialect(dialect, asked).response_schema == asked
    spoken = adapt_to_dialect(Dialect.SCHEMA, asked)
    assert spoken.response_schema["properties"] == {
        "a": {"type": ["string", "null"]},
        "b": {"type": ["string", "integer", "null"], "enum": ["x", 2, None]},
    }
    assert len(spoken.dropped) == 1 and "maxLength" in spoken.dropped[0]
    assert asked["properties"]["a"]["maxLength"] == 9


def test_choices_beyond_the_limit_are_dropped_from_the_largest_down_and_said_so() -> None:
    many = {f"f{i}": {"enum": [f"{i}-{k}" for k in range(100 + i)]} for i in range(12)}
    spoken = adapt_to_dialect(Dialect.SCHEMA, shape(**many))
    left = [n for n in walk_schema(spoken.response_schema) if "enum" in n]
    assert sum(len(n["enum"]) for n in left) <= MAX_CHOICES
    assert spoken.response_schema["properties"]["f11"] == {"type": "string"}
    assert "enum" in spoken.response_schema["properties"]["f0"]
    assert len(spoken.dropped) == 12 - len(left)


def test_a_long_list_of_long_choices_is_dropped_by_itself() -> None:
    spoken = adapt_to_dialect(
        Dialect.SCHEMA, shape(a={"enum": ["x" * 70 + str(i) for i in range(251)]}, b={"enum": ["y"]})
    )
    assert ["enum" in n for n in spoken.response_schema["properties"].values()] == [False, True]


def test_a_shape_that_strict_mode_cannot_take_says_why() -> None:
    deep: dict[str, Any] = {"type": "null"}
    for _ in range(12):
        deep = shape(a=deep)
    assert measure_nesting(deep) == 12
    assert "12 levels" in adapt_to_dialect(Dialect.SCHEMA, deep).refusal_reasons[0]
    wide = shape(**{f"f{i}": {"type": "null"} for i in range(5001)})
    assert "5001 properties" in adapt_to_dialect(Dialect.SCHEMA, wide).refusal_reasons[0]
