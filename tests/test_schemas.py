from typing import Any

import pytest
from pydantic import BaseModel

from extractor.errors import TaskError
from extractor.schema import Date, Kind, Name, group, key
from extractor.schema.annotations import RENAMED_KEYWORDS
from extractor.schema.reader import ObjectList, Scalar, Schema, ValueList, iterate_scalars, read_schema


class Line(BaseModel):
    model_config = key("item")
    item: str
    shipped: Date | None = None


class Order(BaseModel):
    number: int | None = None
    buyer: Name | None = None
    tags: list[str] = []
    lines: list[Line] = []


def read(properties: dict[str, Any], **more: Any) -> Schema:
    return read_schema({"type": "object", "properties": properties, **more})


def test_a_pydantic_class_and_json_schema_end_up_the_same() -> None:
    tree = read_schema(Order.model_json_schema()).root
    assert tree["number"].node == Scalar(Kind.INTEGER, "integer")
    assert tree["buyer"].node == Scalar(Kind.NAME)
    assert tree["tags"].node == ValueList(Scalar(Kind.TEXT))
    lines = tree["lines"].node
    assert isinstance(lines, ObjectList) and lines.key == ("item",)
    assert lines.row["shipped"].node == Scalar(Kind.DATE)


def test_a_value_is_required_only_where_it_may_not_be_null() -> None:
    strict = read({"a": {"type": ["string", "null"]}, "b": {"type": "string"}}, required=["a", "b"])
    assert [(f.name, f.required) for f in strict.root.fields] == [("a", False), ("b", True)]


def test_groups_are_as_declared_and_else_lists_of_rows_stand_alone() -> None:
    assert dict(read_schema(Order.model_json_schema()).groups) == {
        "values": ("number", "buyer", "tags"),
        "lines": ("lines",),
    }
    declared = read({"a": {"type": "string", **group("one")}, "b": {"type": "string", **group("two")}})
    assert dict(declared.groups) == {"one": ("a",), "two": ("b",)}
    assert [f.name for f in declared.part_for_group("two").fields] == ["b"]


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "string"}, "root must be an object"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/B"}}}, "not defined"),
        ({"type": "object", "properties": {"a": {"type": "string", "x-kind": "colour"}}}, "colour"),
        ({"type": "object", "properties": {"a": {"type": "string", "x-keywords": "word"}}}, "x-keywords of /a"),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"x-key": ["z"], "properties": {"b": {}}}}},
            },
            "'z'",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_place(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(TaskError, match=says):
        read_schema(schema)


def test_a_schema_that_refers_to_itself_and_to_no_value_is_refused() -> None:
    node = {"type": "object", "properties": {"child": {"$ref": "#/$defs/Node"}}}
    with pytest.raises(TaskError, match="nothing to ask for"):
        read_schema({**node, "$defs": {"Node": node}})


def test_leaves_are_walked_in_the_order_of_the_schema() -> None:
    tree = read_schema(Order.model_json_schema()).root
    value = {"number": 3, "buyer": None, "tags": ["x"], "lines": [{"item": "bolt", "shipped": None}]}
    assert [(path, v) for path, _, v in iterate_scalars(tree, value)] == [
        (("number",), 3),
        (("tags", 0), "x"),
        (("lines", 0, "item"), "bolt"),
    ]


def test_old_names_of_extension_keys_are_read_with_a_note() -> None:
    text = {"type": "string"}
    row = {
        "name": text,
        "day": {**text, "format": "date", "x-placed": ["on"], "x-asked": True},
        "tag": {**text, "x-listed": True},
        "sum": {"type": "number", "x-copied": True},
    }
    old = read(
        {
            "rows": {
                "type": "array",
                "items": {"type": "object", "properties": row},
                "x-cues": ["row"],
                "x-narrow": True,
            },
            "days": {
                "type": "array",
                "x-each": "day",
                "items": {"type": "object", "properties": {"day": {**text, "format": "date"}, "what": text}},
            },
        }
    )
    new = read_schema(rename_keys(old.source))
    assert old.root == new.root and old.parts == new.parts
    assert not new.notes
    assert {note.message for note in old.notes} == {
        f"{before} is called {after} now; rename it" for before, after in RENAMED_KEYWORDS.items()
    }


def rename_keys(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {RENAMED_KEYWORDS.get(name, name): rename_keys(value) for name, value in schema.items()}
    return schema


def test_a_property_named_like_an_old_key_keeps_its_name() -> None:
    schema = read({"x-cues": {"type": "string"}})
    assert [f.name for f in schema.root.fields] == ["x-cues"] and not schema.notes


def test_the_new_name_wins_over_the_old() -> None:
    schema = read({"a": {"type": "string", "x-cues": ["old"], "x-keywords": ["new"]}})
    assert schema.root["a"].keywords == ("new",)


def test_a_row_is_enumerated_by_either_word() -> None:
    assert key("a", "b", each="a") == key("a", "b", enumerate_by="a")
