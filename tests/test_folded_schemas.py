from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from extractor.errors import TaskError
from extractor.schema import Kind
from extractor.schema.reader import Node, Object, ObjectList, Scalar, Schema, ValueList, count_scalars, read_schema


def read(properties: dict[str, Any], **more: Any) -> Schema:
    return read_schema({"type": "object", "properties": properties, **more})


def node(schema: dict[str, Any], **more: Any) -> Node:
    return read({"a": schema}, **more).root["a"].node


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
PERSON = {"type": "object", "properties": {"name": TEXT, "born": {"type": "integer"}}, "required": ["name"]}
FIRM = {"type": "object", "properties": {"name": TEXT, "vat": TEXT}, "required": ["name", "vat"]}


@pytest.mark.parametrize(
    ("schema", "kind", "json_type"),
    [
        ({"anyOf": [TEXT, {"type": "null"}]}, Kind.TEXT, "string"),
        ({"type": ["integer", "null"]}, Kind.INTEGER, "integer"),
        ({"type": ["integer", "number"]}, Kind.NUMBER, "number"),
        ({"anyOf": [{"type": "integer"}, TEXT]}, Kind.TEXT, "string"),
        ({"type": ["boolean", "string"]}, Kind.TEXT, "string"),
        ({"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}]}, Kind.ENUM, "string"),
        ({"enum": [1, 2, None]}, Kind.ENUM, "integer"),
        ({"allOf": [{"type": "string"}, {"format": "email"}]}, Kind.EMAIL, "string"),
        ({"format": "uri", "type": "string"}, Kind.URL, "string"),
        ({}, Kind.TEXT, "string"),
    ],
)
def test_a_scalar_has_one_kind_and_type_however_it_is_written(schema: Any, kind: Kind, json_type: str) -> None:
    leaf = node(schema)
    assert isinstance(leaf, Scalar)
    assert (leaf.kind, leaf.type) == (kind, json_type)


def test_pydantic_says_the_same_in_its_own_way() -> None:
    class Size(Enum):
        SMALL = "small"
        LARGE = "large"

    class Thing(BaseModel):
        size: Size
        code: int | str = 0
        kind: Literal["thing"] = "thing"
        level: Literal[1, 2, 3] | None = None

    tree = read_schema(Thing.model_json_schema()).root
    assert tree["size"].node == Scalar(Kind.ENUM, "string", ("small", "large"), label="size")
    assert tree["code"].node == Scalar(Kind.TEXT, other_types=("integer",))
    assert tree["level"].node == Scalar(Kind.ENUM, "integer", (1, 2, 3), label="level")
    assert tree.constants == {"kind": "thing"}


def test_all_of_puts_its_parts_together() -> None:
    base = {"type": "object", "properties": {"id": TEXT, "state": {"enum": ["a", "b", "c"]}}, "required": ["id"]}
    more = {"properties": {"state": {"enum": ["b", "c", "d"]}, "size": NUMBER}, "required": ["size"]}
    both = node({"allOf": [{"$ref": "#/$defs/Base"}, more]}, **{"$defs": {"Base": base}})
    assert isinstance(both, Object)
    assert [f.name for f in both.fields] == ["id", "state", "size"]
    assert [f.name for f in both.fields if f.required] == ["id", "size"]
    assert both["state"].node == Scalar(Kind.ENUM, "string", ("b", "c"), label="state")


def test_one_of_several_objects_is_asked_for_with_the_fields_of_all() -> None:
    schema = read({"a": {"oneOf": [PERSON, FIRM]}})
    merged = schema.root["a"].node
    assert isinstance(merged, Object)
    assert [(f.name, f.required) for f in merged.fields] == [("name", True), ("born", False), ("vat", False)]
    assert [set(b.names) for b in merged.branches] == [{"name", "born"}, {"name", "vat"}]
    assert [n.code for n in schema.notes] == ["branches"]


def test_what_tells_branches_apart_is_a_choice_of_all_their_tags() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]
        lives: int

    class Dog(BaseModel):
        kind: Literal["dog"]
        tricks: list[str] = []

    class Home(BaseModel):
        pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = []

    rows = read_schema(Home.model_json_schema()).root["pets"].node
    assert isinstance(rows, ObjectList)
    assert rows.row["kind"].node == Scalar(Kind.ENUM, "string", ("cat", "dog"), label="kind")
    assert [b.choices for b in rows.row.branches] == [{"kind": ("cat",)}, {"kind": ("dog",)}]


@pytest.mark.parametrize(
    ("schema", "kept", "said"),
    [
        ({"anyOf": [TEXT, PERSON]}, Object, "string as well; it is asked for as an object"),
        ({"anyOf": [TEXT, {"type": "array", "items": TEXT}]}, ValueList, "string as well; it is asked for as a list"),
        (
            {"anyOf": [PERSON, {"type": "array", "items": PERSON}]},
            ObjectList,
            "object as well; it is asked for as a list",
        ),
        ({"type": ["integer", "boolean"]}, Scalar, "boolean or integer; it is asked for as integer"),
        ({"type": "array"}, ValueList, "does not describe its items"),
        ({"type": "object", "properties": {"b": TEXT}, "additionalProperties": NUMBER}, Object, "under the names"),
        (
            {"type": "object", "properties": {"b": TEXT}, "anyOf": [{"required": ["b"]}, {"required": []}]},
            Object,
            "anyOf",
        ),
        ({"type": "object", "properties": {"b": TEXT}, "required": ["c"]}, Object, "requires 'c'"),
    ],
)
def test_what_is_asked_for_otherwise_than_declared_is_noted(schema: Any, kept: type, said: str) -> None:
    read_ = read({"a": schema})
    assert isinstance(read_.root["a"].node, kept)
    assert [n.place for n in read_.notes] == ["/a"]
    assert said in read_.notes[0].message


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"$ref": "#"}, "leaves nothing to ask for"),
        ({"$ref": "#/$defs/Round"}, "must be an object with properties"),
        ({"$ref": "other.json#/x"}, "/a refers to other.json#/x, outside"),
        ({"$ref": "https://x.example/s.json"}, "outside this schema"),
        ({"type": "object", "additionalProperties": False}, "/a is an object that can hold nothing"),
        ({"enum": [{"x": 1}, {"x": 2}]}, "/a chooses among objects"),
        ({"type": "text"}, "'text'"),
        (
            {"type": "object", "properties": {"b": TEXT}, "if": {}, "then": {"properties": {"c": TEXT}}},
            "/a/c is described in 'then' alone",
        ),
    ],
)
def test_what_no_question_can_ask_for_is_refused_by_name(schema: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        read({"a": schema}, **{"$defs": {"Round": {"$ref": "#/$defs/Round"}}})


def test_the_same_object_in_two_places_is_not_recursion() -> None:
    pair = {"type": "object", "properties": {"left": {"$ref": "#/$defs/P"}, "right": {"$ref": "#/$defs/P"}}}
    firm = {"type": "object", "properties": {"founder": {"$ref": "#/$defs/P"}, "vat": TEXT}}
    defs = {"P": PERSON, "Pair": pair, "Firm": firm}
    assert isinstance(node({"$ref": "#/$defs/Pair"}, **{"$defs": defs}), Object)
    either = {"anyOf": [{"$ref": "#/$defs/P"}, {"$ref": "#/$defs/Firm"}]}
    merged = node(either, **{"$defs": defs})
    assert isinstance(merged, Object) and isinstance(merged["founder"].node, Object)


def test_references_that_fan_out_are_bounded() -> None:
    defs = {
        f"L{i}": {
            "type": "object",
            "properties": {f"{side}{k}": {"$ref": f"#/$defs/L{i + 1}"} for side in "ab" for k in range(4)},
        }
        for i in range(6)
    }
    with pytest.raises(TaskError, match="more than 5000 fields"):
        read({"a": {"$ref": "#/$defs/L0"}}, **{"$defs": {**defs, "L6": PERSON}})


def test_a_property_may_be_left_out_by_name() -> None:
    schema = read({"a": TEXT, "b": {"$ref": "other.json", "x-skip": True}})
    assert [f.name for f in schema.root.fields] == ["a"]
    assert [(n.place, n.code) for n in schema.notes] == [("/b", "skipped")]


def test_rows_are_told_apart_by_what_they_require() -> None:
    def key(properties: dict[str, Any], required: list[str]) -> tuple[str, ...]:
        rows = node({"type": "array", "items": {"type": "object", "properties": properties, "required": required}})
        assert isinstance(rows, ObjectList) and not rows.key_declared
        return rows.key

    assert key({"n": NUMBER, "a": TEXT, "b": TEXT}, ["b", "n"]) == ("b", "n")
    assert key({"n": NUMBER, "a": TEXT, "b": TEXT}, []) == ("a", "b")
    assert key({"n": NUMBER, "m": NUMBER}, ["m"]) == ("m",)
    assert key({"n": NUMBER, "a": TEXT}, ["n"]) == ("n", "a")
    assert key({f"t{i}": TEXT for i in range(9)}, []) == ("t0", "t1", "t2")


def test_rows_without_a_plain_field_are_told_apart_by_what_is_in_them() -> None:
    name = {"type": "object", "properties": {"family": TEXT, "given": {"type": "array", "items": TEXT}}}
    people = node(
        {"type": "array", "items": {"type": "object", "properties": {"name": name, "tags": {"type": "array"}}}}
    )
    assert isinstance(people, ObjectList) and people.key == ("name", "tags")


def test_a_schema_too_large_for_one_question_is_split_and_nothing_is_lost() -> None:
    inner = {"type": "object", "properties": {f"i{k}": NUMBER for k in range(70)}}
    wide = {
        "type": "array",
        "items": {"type": "object", "properties": {"id": TEXT} | {f"c{k}": NUMBER for k in range(50)}},
    }
    schema = read({f"v{k}": TEXT for k in range(65)} | {"inner": inner, "wide": wide})
    assert list(schema.groups) == ["values", "values-2", "values-3", "inner", "inner-2", "inner-3", "wide", "wide-2"]
    assert all(count_scalars(part) <= 31 for part in schema.parts.values())
    paths = {p for part in schema.parts.values() for p in paths_of(part)}
    assert paths == paths_of(schema.root)
    for name in ("wide", "wide-2"):
        rows = schema.part_for_group(name)["wide"].node
        assert isinstance(rows, ObjectList) and rows.row.fields[0].name == "id"


def paths_of(node: Node, path: str = "") -> set[str]:
    match node:
        case Object(fields):
            return {p for f in fields for p in paths_of(f.node, f"{path}/{f.name}")}
        case ObjectList(row):
            return paths_of(row, f"{path}[]")
    return {path}
