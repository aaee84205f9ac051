"""What is read out of a schema, and what values look like without one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import TaskError
from extractor.evaluation.scoring.schema import (
    LeafNode,
    ObjectListNode,
    ObjectNode,
    UnknownNode,
    ValueListNode,
    infer_node,
    is_blank,
    read_scoring_schema,
)
from extractor.schema import Kind

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def of(schema):
    return read_scoring_schema({"type": "object", "properties": {"x": schema}}).fields["x"]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, Kind.TEXT),
        ({"type": "integer"}, Kind.INTEGER),
        ({"type": "number"}, Kind.NUMBER),
        ({"type": ["number", "null"]}, Kind.NUMBER),
        ({"type": ["integer", "number"]}, Kind.NUMBER),
        ({"type": "boolean"}, Kind.BOOLEAN),
        ({"type": "string", "format": "date"}, Kind.DATE),
        ({"type": "string", "format": "uri"}, Kind.URL),
        ({"type": "string", "format": "email"}, Kind.EMAIL),
        ({"type": "string", "x-kind": "quantity"}, Kind.QUANTITY),
        ({"x-kind": "name"}, Kind.NAME),
    ],
)
def test_a_leaf_has_the_kind_that_annotation_format_or_type_say(schema, kind):
    assert of(schema) == LeafNode(kind)


def test_a_kind_may_stand_beside_the_alternatives_or_inside_one():
    inside = {"anyOf": [{"type": "string", "x-kind": "date"}, {"type": "null"}]}
    beside = {"anyOf": [{"type": "string"}, {"type": "null"}], "x-kind": "date"}
    assert of(inside) == of(beside) == LeafNode(Kind.DATE)


def test_choices_and_constants_are_enums():
    assert of({"enum": ["a", "b"]}) == LeafNode(Kind.ENUM, None, ("a", "b"))
    assert of({"const": "a"}) == LeafNode(Kind.ENUM, None, ("a",))


def test_a_fuzzy_comparison_is_read_and_named():
    leaf = of({"type": "string", "x-compare": {"fuzzy": 0.9}})
    assert leaf == LeafNode(Kind.TEXT, 0.9)
    assert leaf.comparator == "text ~0.9"


def test_lists_of_scalars_take_the_kind_of_the_list_or_of_its_items():
    by_item = of({"type": "array", "items": {"type": "string", "x-kind": "url"}})
    by_list = of({"type": "array", "items": {"type": "string"}, "x-kind": "url"})
    assert isinstance(by_item, ValueListNode)
    assert isinstance(by_list, ValueListNode)
    assert by_item.item == by_list.item == LeafNode(Kind.URL)


@pytest.mark.parametrize("place", ["definition", "items", "list"])
def test_the_key_of_rows_may_stand_on_the_definition_the_reference_or_the_list(place):
    row = {"type": "object", "properties": {"code": {"type": "string"}}}
    items = {"$ref": "#/$defs/Row"}
    rows = {"type": "array", "items": items}
    {"definition": row, "items": items, "list": rows}[place]["x-key"] = ["code"]
    found = read_scoring_schema({"type": "object", "properties": {"rows": rows}, "$defs": {"Row": row}}).fields["rows"]
    assert isinstance(found, ObjectListNode)
    assert found.key_fields == ("code",)
    assert found.row.fields == {"code": LeafNode()}


def test_a_schema_that_refers_to_itself_is_read_with_its_annotations_at_every_depth():
    node = {
        "type": "object",
        "properties": {
            "when": {"type": "string", "x-kind": "date"},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        },
    }
    tree = read_scoring_schema({"$ref": "#/$defs/Node", "$defs": {"Node": node}})
    for _ in range(100):
        assert tree.fields["when"] == LeafNode(Kind.DATE)
        parts = tree.fields["parts"]
        assert isinstance(parts, ObjectListNode)
        tree = parts.row


def test_references_that_double_at_every_level_are_read_once_each():
    levels = {
        f"L{n}": {"type": "object", "properties": {side: {"$ref": f"#/$defs/L{n + 1}"} for side in "ab"}}
        for n in range(60)
    }
    tree = read_scoring_schema({"$ref": "#/$defs/L0", "$defs": {**levels, "L60": {"type": "string"}}})
    assert tree.fields["a"] is tree.fields["b"]


@pytest.mark.parametrize("reference", ["#/$defs/Gone", "https://example.org/x.json", "#", "#/$defs/Self"])
def test_a_reference_that_leads_nowhere_or_only_to_itself_leaves_the_field_open(reference):
    found = read_scoring_schema(
        {"properties": {"x": {"$ref": reference}}, "$defs": {"Self": {"$ref": "#/$defs/Self"}}},
    ).fields["x"]
    assert isinstance(found, UnknownNode | ObjectNode)


def test_a_union_that_refers_to_itself_twice_is_read_in_no_time():
    union = {"anyOf": [{"$ref": "#/$defs/U"}, {"$ref": "#/$defs/U"}, {"type": "string"}]}
    assert (
        read_scoring_schema({"properties": {"x": {"$ref": "#/$defs/U"}}, "$defs": {"U": union}}).fields["x"]
        == UnknownNode()
    )


def test_a_union_of_objects_has_the_fields_of_all_and_leaves_open_where_they_differ():
    one = {"type": "object", "properties": {"a": {"type": "string"}, "both": {"type": "string"}}}
    two = {"type": "object", "properties": {"b": {"type": "number"}, "both": {"type": "integer"}}}
    found = of({"oneOf": [one, two]})
    assert isinstance(found, ObjectNode)
    assert found.fields == {"a": LeafNode(), "b": LeafNode(Kind.NUMBER), "both": UnknownNode()}


def test_a_list_of_lists_is_left_open():
    assert of({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}) == UnknownNode()


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "x-kind": "colour"}, "x-kind"),
        ({"type": "string", "x-compare": {"fuzzy": 2}}, "x-compare"),
        ({"type": "string", "x-compare": "loose"}, "x-compare"),
        ({"type": "array", "items": {"type": "object", "x-key": "code"}}, "x-key"),
    ],
)
def test_a_wrong_annotation_is_refused_and_its_place_named(schema, words):
    with pytest.raises(TaskError, match=f"{words}.*/x"):
        of(schema)


def test_a_record_that_is_no_object_is_refused():
    with pytest.raises(TaskError, match="object"):
        read_scoring_schema({"type": "array", "items": {"type": "string"}})


@given(anything)
def test_no_schema_of_any_shape_breaks_the_reading(schema):
    assert isinstance(read_scoring_schema({"properties": {"x": schema}}), ObjectNode)


@given(
    st.recursive(
        st.none() | st.sampled_from(["", " ", "\n"]), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_null_nothing_and_white_space_are_absence_in_any_container(value):
    assert is_blank(value)


@pytest.mark.parametrize("value", [0, 0.0, False, math.nan, "0", "-", [0], {"a": [False]}])
def test_zero_false_and_dashes_are_values(value):
    assert not is_blank(value)


@given(anything, anything)
def test_what_values_look_like_does_not_depend_on_their_order(a, b):
    one, other = infer_node(a, b), infer_node(b, a)
    assert type(one) is type(other)
    assert not isinstance(one, LeafNode) or one == other
