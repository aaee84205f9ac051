"""The shape of a reply as the grammar that every build of llama.cpp reads."""

from __future__ import annotations

import re
from typing import Any

import pytest

from extractor.models.local.grammar import build_plain_grammar


def shape(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def rules(schema: dict[str, Any]) -> dict[str, str]:
    text = build_plain_grammar(schema)
    assert text is not None
    return dict(line.split(" ::= ", 1) for line in text.splitlines())


def test_every_rule_that_is_named_is_there() -> None:
    row = shape(a={"type": "string", "maxLength": 9}, b={"type": ["integer", "null"]})
    found = rules(shape(rows={"type": "array", "items": row}, n={"type": ["number", "string"], "maxLength": 9}))
    for rule in found.values():
        bare = re.sub(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^]\\])*\]', " ", rule)
        assert {*re.findall(r"[a-z][\w-]*", bare)} <= {*found}


def test_members_stand_on_one_line_in_their_order() -> None:
    found = rules(shape(a={"type": "null"}, b={"type": "boolean"}))
    assert found[found["root"]] == r'"{" "\"a\": " null ", " "\"b\": " boolean "}"'


def test_bounds_of_lists_and_texts_are_kept_as_far_as_builds_take_them() -> None:
    texts = {name: {"type": "string", "maxLength": most} for name, most in (("a", 240), ("b", 100_000))}
    found = rules(shape(**texts, c={"type": "array", "items": {"type": "null"}, "maxItems": 3}))
    assert r'"\"" char{0,240} "\""' in found.values() and r'"\"" char* "\""' in found.values()
    assert '"[" (null (", " null){0,2})? "]"' in found.values()


def test_a_pattern_of_an_address_is_kept_and_any_other_is_left_to_the_check_of_the_reply() -> None:
    address = {"type": "string", "maxLength": 5, "pattern": r"^\S+\.\S+$"}
    found = rules(shape(a=address, b={"type": "string", "pattern": "^(a|b)+$"}))
    assert r'"\"" inkchar{1,5} "." inkchar{1,5} "\""' in found.values()
    assert r'"\"" char* "\""' in found.values()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": [], "additionalProperties": False},
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
        shape(a={"$ref": "#"}),
        shape(a={"anyOf": [{"type": "null"}, {"$ref": "#"}]}),
        shape(a={"type": "array"}),
        shape(a={"type": "other"}),
    ],
)
def test_what_no_reply_is_asked_in_has_no_such_grammar(schema: dict[str, Any]) -> None:
    assert build_plain_grammar(schema) is None


def test_a_place_that_takes_several_forms_has_a_rule_for_each() -> None:
    found = rules(shape(a={"anyOf": [shape(b={"type": "integer"}), {"type": ["string", "null"]}]}))
    members = re.fullmatch(r'"\{" "\\"a\\": " \((\S+) \| \((\S+) \| null\)\) "\}"', found[found["root"]])
    assert members is not None
    assert found[members[1]] == r'"{" "\"b\": " integer "}"' and found[members[2]] == r'"\"" char* "\""'
