from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from extractor.errors import TaskError
from extractor.schema import Quantity, Url, key
from extractor.schema.reader import ObjectList, read_schema


def placed(*words: str) -> dict[str, Any]:
    return {"x-locate-by-position": list(words)}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"a": {"type": "string"}, "b": {"type": "string", "x-locate-by-position": []}}, "must have a pattern"),
        (
            {"a": {"type": "string"}, "b": {"type": "string", "x-kind": "url", "x-locate-by-position": "log"}},
            "must be a list",
        ),
        ({"b": {"type": "string", "x-kind": "url", "x-locate-by-position": []}}, "one of them must be asked for"),
    ],
)
def test_what_cannot_be_placed_is_refused_by_name(row: dict[str, Any], said: str) -> None:
    rows = {"type": "array", "items": {"type": "object", "properties": row}}
    with pytest.raises(TaskError, match=said):
        read_schema({"type": "object", "properties": {"rows": rows}})


def test_what_tells_rows_apart_is_not_all_placed() -> None:
    class Row(BaseModel):
        model_config = key("page")
        page: Url | None = Field(None, json_schema_extra=placed())
        name: str | None = None

    class Pages(BaseModel):
        rows: list[Row] = []

    with pytest.raises(TaskError, match="identify the rows of /rows\\[\\]"):
        read_schema(Pages.model_json_schema())


def test_nor_is_it_chosen_for_want_of_a_declared_one() -> None:
    class Row(BaseModel):
        page: Url | None = Field(None, json_schema_extra=placed())
        name: str | None = None

    class Pages(BaseModel):
        rows: list[Row] = []

    rows = read_schema(Pages.model_json_schema()).root["rows"].node
    assert isinstance(rows, ObjectList)
    assert rows.key == ("name",)


def test_only_fields_of_rows_are_placed() -> None:
    class One(BaseModel):
        price: Quantity | None = Field(None, json_schema_extra=placed())

    with pytest.raises(TaskError, match="fields of a list's rows alone"):
        read_schema(One.model_json_schema())
