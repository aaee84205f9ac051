"""Gold that cannot be scored against is found before it is."""

import pytest

from extractor.evaluation.gold import Gold
from extractor.evaluation.lint import Severity, lint_golds
from extractor.evaluation.scoring.schema import read_scoring_schema

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "when": {"type": "string", "x-kind": "date"},
        "n": {"type": "integer"},
        "price": {"type": "number"},
        "ok": {"type": "boolean"},
        "colour": {"enum": ["red", "green"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"code": {"type": "string"}}}},
        "home": {"type": "string", "x-kind": "url"},
    },
}
TEXT = "Deep Sea, of 2020, red, 5 and 7.5, alpha beta"


def found(*golds, documents=None, schema=SCHEMA):
    documents = {gold.document: TEXT for gold in golds} if documents is None else documents
    return [
        (str(one.severity), one.code, one.pointer)
        for one in lint_golds(golds, read_scoring_schema(schema), documents)
        if one.code != "never filled"
    ]


def test_sound_gold_has_no_findings():
    record = {
        "title": "deep sea",
        "when": "2020",
        "n": 5,
        "price": 7.5,
        "ok": True,
        "colour": "red",
        "tags": ["alpha", "beta"],
        "rows": [{"code": "Deep"}],
        "home": None,
    }
    gold = Gold("a", record, frozenset({"/rows/0", "/tags/1"}), {"/title": ("Sea",), "/home": ("example.org",)})
    assert found(gold) == []


@pytest.mark.parametrize(
    ("record", "code", "pointer"),
    [
        ({"titel": "Deep"}, "unknown field", "/titel"),
        ({"rows": [{"cod/e": "Deep"}]}, "unknown field", "/rows/0/cod~1e"),
        ({"title": 5}, "wrong type", "/title"),
        ({"title": ["Deep"]}, "wrong type", "/title"),
        ({"n": 7.5}, "wrong type", "/n"),
        ({"n": True}, "wrong type", "/n"),
        ({"n": "five"}, "wrong type", "/n"),
        ({"price": "much"}, "wrong type", "/price"),
        ({"ok": "true"}, "wrong type", "/ok"),
        ({"colour": "blue"}, "wrong type", "/colour"),
        ({"tags": "alpha"}, "wrong type", "/tags"),
        ({"tags": [5]}, "wrong type", "/tags/0"),
        ({"rows": {"code": "Deep"}}, "wrong type", "/rows"),
        ({"rows": ["Deep"]}, "wrong type", "/rows/0"),
    ],
)
def test_a_record_that_does_not_fit_the_schema_is_an_error(record, code, pointer):
    assert ("error", code, pointer) in found(Gold("a", record))


def test_numbers_may_be_written_as_texts_and_dates_as_numbers():
    assert found(Gold("a", {"n": "5", "price": "7.5", "when": 2020})) == []


def test_a_date_without_one_reading_is_a_warning():
    assert ("warning", "unread date", "/when") in found(Gold("a", {"when": "03/04/2020"}))


@pytest.mark.parametrize(
    "pointer", ["title", "/titel", "/tags/2", "/tags/-", "/tags/00", "/tags/x", "/rows/0/codes", "/title/0", ""]
)
@pytest.mark.parametrize("side", ["optional", "accept", "spans"])
def test_a_pointer_that_leads_nowhere_is_an_error(pointer, side):
    given = {"optional": frozenset({pointer}), "accept": {pointer: ("x",)}, "spans": {pointer: ((0, 1),)}}[side]
    gold = Gold("a", {"title": "Deep", "tags": ["alpha", "beta"], "rows": [{"code": "Sea"}]}, **{side: given})
    assert found(gold) == [("error", "dead pointer", pointer)]


def test_a_pointer_to_a_field_that_gold_leaves_out_leads_somewhere():
    assert found(Gold("a", {}, accept={"/title": ("Deep",)})) == []


def test_what_is_absent_cannot_be_optional():
    assert found(Gold("a", {"title": None}, frozenset({"/title"}))) == [("warning", "idle pointer", "/title")]


def test_what_may_be_there_may_be_marked_optional_as_well():
    assert found(Gold("a", {"title": None}, frozenset({"/title"}), {"/title": ("Deep",)})) == []


def test_an_accepted_value_of_the_wrong_type_is_an_error():
    assert found(Gold("a", {"n": 5}, accept={"/n": ("many",)})) == [("error", "wrong type", "/n")]
    assert found(Gold("a", {"tags": []}, accept={"/tags": ("alpha", ["beta"], None)})) == []


def test_two_golds_for_one_document_are_an_error():
    assert found(Gold("a", {}, file="1.json"), Gold("a", {}, file="2.json")) == [("error", "two golds", "")]


def test_gold_without_its_document_is_an_error_and_a_document_without_gold_a_warning():
    findings = lint_golds(
        [Gold("gone.txt", {"title": "x"}, file="g.json")], read_scoring_schema({}), {"extra.txt": "x"}
    )
    assert [(one.severity, one.code, one.file) for one in findings] == [
        (Severity.ERROR, "no document", "g.json"),
        (Severity.WARNING, "no gold", "extra.txt"),
    ]
    assert "gone.txt" in str(findings[0])


def test_items_that_say_the_same_are_warned_of():
    gold = Gold("a", {"tags": ["alpha", "Alpha", "beta"], "rows": [{"code": "Deep"}, {"code": "deep"}]})
    assert found(gold) == [
        ("warning", "duplicate", pointer) for pointer in ("/rows/0", "/rows/1", "/tags/0", "/tags/1")
    ]


def test_a_value_that_its_document_does_not_have_is_warned_of_unless_an_accepted_reading_stands_there():
    assert found(Gold("a", {"title": "Mountain"})) == [("warning", "not found", "/title")]
    assert found(Gold("a", {"title": "Mountain"}, accept={"/title": ("Deep Sea",)})) == []
    assert found(Gold("a", {"ok": False, "colour": "green"})) == []


def test_a_span_beyond_the_end_of_the_document_is_an_error():
    assert found(Gold("a", {"title": "Deep"}, spans={"/title": ((0, 4), (0, 999))})) == [
        ("error", "bad span", "/title")
    ]


def test_a_key_that_means_nothing_is_warned_of():
    assert found(Gold("a", {}, unknown_keys=("optinal",))) == [("warning", "unknown key", "")]


def test_fields_that_tell_nothing_apart_are_warned_of():
    golds = [Gold(name, {"title": "Deep", "n": 5 if name == "a" else 7}) for name in "abc"]
    schema = {
        "properties": {
            "title": {"type": "string"},
            "n": {"type": "integer"},
            "rows": {"type": "array", "items": {"properties": {"code": {"type": "string"}}}},
        }
    }
    documents = dict.fromkeys("abc", "Deep 5 7")
    assert [(one.code, one.pointer) for one in lint_golds(golds, read_scoring_schema(schema), documents)] == [
        ("never filled", "rows[].code"),
        ("constant", "title"),
    ]


def test_errors_come_first_and_the_order_is_always_the_same():
    golds = [Gold("a", {"title": "Mountain", "n": "x"}, file="1"), Gold("b", {"titel": 1}, file="0")]
    findings = lint_golds(golds, read_scoring_schema(SCHEMA), {"a": TEXT, "b": TEXT})
    assert findings == lint_golds(golds[::-1], read_scoring_schema(SCHEMA), {"b": TEXT, "a": TEXT})
    assert [one.severity for one in findings] == sorted(one.severity for one in findings)


def test_a_schema_that_refers_to_itself_is_linted():
    node = {
        "type": "object",
        "properties": {"p": {"type": "string"}, "in": {"type": "array", "items": {"$ref": "#/$defs/N"}}},
    }
    schema = {"$ref": "#/$defs/N", "$defs": {"N": node}}
    assert found(Gold("a", {"in": [{"in": [{"p": 5}]}]}), schema=schema) == [("error", "wrong type", "/in/0/in/0/p")]
