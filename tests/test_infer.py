import json
import sys
import types
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from extractor.schema.codegen import generate_model_source
from extractor.schema.infer import draft_schema

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["red", "blue", "2024-02-29", "2024-13-01", "a@b.org", "https://x.org/y", "", "2024-05-01T10:00:00Z"]
    )
    | st.text(max_size=8)
)
NAMES = st.sampled_from(
    ["name", "Name", "class", "model_x", "@type", "1st", "größe", "json", "items", "lines", "list", "_id", "Date"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
EXAMPLES = st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=4)


def loaded(text: str) -> Any:
    module = types.ModuleType("drafted")
    sys.modules["drafted"] = module
    exec(compile(text, "drafted.py", "exec"), vars(module))
    return module.Record  # type: ignore[attr-defined]


@given(EXAMPLES)
def test_every_example_is_valid_by_its_own_draft(examples: list[dict[str, Any]]) -> None:
    schema = draft_schema(examples, "t")
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    for one in examples:
        judge.validate(one)
    assert draft_schema(json.loads(json.dumps(examples)), "t") == schema


@given(EXAMPLES)
def test_every_example_is_valid_by_the_drafted_class(examples: list[dict[str, Any]]) -> None:
    record = loaded(generate_model_source(draft_schema(examples, "t")))
    for one in examples:
        record.model_validate(one)


def test_a_draft_reads_as_a_person_would_write_it() -> None:
    schema = draft_schema(
        [
            {"id": 1, "tags": ["a"], "who": {"name": "Ann", "mail": "a@b.org"}, "lines": [{"class": "x", "price": 2}]},
            {"id": 2, "tags": [], "who": {"name": "Bo"}, "lines": [{"class": "y", "price": 2.5}], "note": None},
        ],
        "order",
    )
    assert (
        generate_model_source(schema)
        == """from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from extractor.schema import Email


class Who(BaseModel):
    name: str
    mail: Email | None = None


class Line(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    class_: str = Field(..., alias='class')
    price: float


class Record(BaseModel):
    id: int
    tags: list[str]
    who: Who
    lines: list[Line]
    note: None = None
"""
    )
