"""Objects whose names are the document's: asked for as rows, an object in the record, and proved as others are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.given import ground_record
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.task import Task, task_from_json_schema
from extractor.models.traits import STRONG
from extractor.review_app.inputs import find_schema_node
from extractor.schema.open_objects import as_rows, read_rows, write_rows
from extractor.schema.reader import Object, ObjectList, Scalar, ValueList, read_schema
from extractor.schema.settling import settle_node
from extractor.testing import ScriptedModel
from extractor.types import Document, Json, Record, Reply, Request, Usage

TEXT: dict[str, Json] = {"type": "string"}
TEXTS: dict[str, Json] = {"type": "array", "items": TEXT}
GROUPED: dict[str, Json] = {"type": "object", "additionalProperties": TEXTS}
SHEET = "Core skills\nLanguages: Python, Rust\nTools: Git\n\nRevenue 1,200\nCosts 800\n"


def task(**properties: Json) -> Task:
    return task_from_json_schema({"title": "page", "type": "object", "properties": properties})


def say(replies: list[Json], asked: list[Request] | None = None) -> ScriptedModel:
    left = list(replies)

    def answer(request: Request) -> Reply:
        if asked is not None:
            asked.append(request)
        return Reply(left.pop(0), Usage(requests=1))

    return ScriptedModel(answer)


def extract(what: Task, reply: Json, text: str = SHEET) -> Record:
    model = say([reply])
    prompt = what.choose_prompt(None)
    document = Document("page.txt", text)
    return asyncio.run(extract_record(document, what, prompt, model, model.name, reading=Reading(STRONG)))


def quotes(record: Record) -> dict[tuple[str | int, ...], str]:
    return {
        path: " ".join(record.document.text[s.start : s.end] for s in one.spans)
        for path, one in record.evidence.items()
    }


def test_names_of_the_document_are_asked_for_as_rows_and_are_an_object_in_the_record() -> None:
    asked: list[Request] = []
    what = task(skills=GROUPED)
    rows = [{"name": "Languages", "value": ["Python", "Rust"]}, {"name": "Tools", "value": ["Git"]}]
    model = say([{"skills": rows}], asked)
    document = Document("page.txt", SHEET)
    record = asyncio.run(
        extract_record(document, what, what.choose_prompt(None), model, model.name, reading=Reading(STRONG))
    )
    row = asked[0].schema["properties"]["skills"]["items"]
    assert row["required"] == ["name", "value"] and row["additionalProperties"] is False
    assert record.value == {"skills": {"Languages": ["Python", "Rust"], "Tools": ["Git"]}}
    assert quotes(record) == {
        ("skills", "Languages", 0): "Python",
        ("skills", "Languages", 1): "Rust",
        ("skills", "Tools", 0): "Git",
    }
    assert record.problems == () and record.rejected == ()


def test_a_reply_in_the_form_of_the_record_is_read_just_as_well() -> None:
    said = {"skills": {"Languages": ["Python"], "Tools": ["Git"]}}
    assert extract(task(skills=GROUPED), said).value == said


def test_a_record_of_somebody_else_with_names_of_its_own_is_proved() -> None:
    said = {"figures": {"Revenue": 1200, "Costs": 800}}
    what = task(figures={"type": "object", "additionalProperties": {"type": "number"}})
    record = ground_record(Document("page.txt", SHEET), what, said, Reading(STRONG))
    assert record.value == said
    assert quotes(record) == {("figures", "Revenue"): "1,200", ("figures", "Costs"): "800"}


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ([{"name": None, "value": ["Python", "Rust"]}], ["Python", "Rust"]),
        (["Python", "Rust"], ["Python", "Rust"]),
        ([{"name": "Tools", "value": ["Git"]}], {"Tools": ["Git"]}),
        (
            [{"name": "Tools", "value": ["Git"]}, {"name": None, "value": ["Rust"]}],
            {"Tools": ["Git"], "": ["Rust"]},
        ),
    ],
)
def test_a_list_that_may_be_grouped_is_the_one_or_the_other(reply: Json, wanted: Json) -> None:
    record = extract(task(skills={"anyOf": [TEXTS, GROUPED]}), {"skills": reply})
    assert record.value == {"skills": wanted}


def test_a_list_in_one_part_of_the_document_and_groups_in_another_lose_nothing() -> None:
    what = task(skills={"anyOf": [TEXTS, GROUPED]})
    text = "Python\n" + "word " * 700 + "\nTools: Git\n"
    prompt = what.choose_prompt(None).change_strategy(chunk_tokens=700)
    model = say([{"skills": [{"name": None, "value": ["Python"]}]}, {"skills": [{"name": "Tools", "value": ["Git"]}]}])
    record = asyncio.run(
        extract_record(Document("page.txt", text), what, prompt, model, model.name, reading=Reading(STRONG))
    )
    assert record.value == {"skills": {"": ["Python"], "Tools": ["Git"]}}


def test_what_is_said_twice_of_one_name_is_listed() -> None:
    what = task(figures={"type": "object", "additionalProperties": {"type": "number"}})
    record = extract(what, {"figures": [{"name": "Revenue", "value": 1200}, {"name": "Revenue", "value": 800}]})
    assert record.value == {"figures": {"Revenue": 1200}}
    assert [(r.path, r.value) for r in record.rejected] == [(("figures", "Revenue"), 800)]
    assert record.problems


def test_a_name_that_the_schema_forbids_is_listed() -> None:
    years = {"type": "object", "patternProperties": {r"^\d{4}$": {"type": "number"}}, "additionalProperties": False}
    said = {"years": [{"name": "2024", "value": 1200}, {"name": "sum", "value": 800}]}
    record = extract(task(years=years), said, "2024 1,200\nsum 800\n")
    assert record.value == {"years": {"2024": 1200}}
    assert [(r.path, r.reason) for r in record.rejected] == [(("years", "sum"), "not in the schema")]


def test_properties_of_the_schema_and_of_the_document_stand_side_by_side() -> None:
    form = {"type": "object", "properties": {"Revenue": {"type": "number"}}, "additionalProperties": {"type": "number"}}
    record = extract(task(form=form), {"form": {"Revenue": 1200, "others": [{"name": "Costs", "value": 800}]}})
    assert record.value == {"form": {"Revenue": 1200, "Costs": 800}}


def test_an_object_that_the_schema_says_nothing_of_is_asked_for_by_name_and_value() -> None:
    record = extract(task(details={"type": "object"}), {"details": [{"name": "Tools", "value": "Git"}]})
    assert record.value == {"details": {"Tools": "Git"}}


def test_objects_under_names_of_the_document_hold_objects() -> None:
    row = {"type": "object", "properties": {"revenue": {"type": "number"}, "costs": {"type": "number"}}}
    what = task(years={"type": "object", "additionalProperties": row})
    text = "Year\tRevenue\tCosts\n2023\t1,200\t800\n2024\t1,300\t900\n"
    said = {"2023": {"revenue": 1200, "costs": 800}, "2024": {"revenue": 1300, "costs": 900}}
    record = extract(what, {"years": [{"name": name, "value": one} for name, one in said.items()]}, text)
    assert record.value == {"years": said}
    assert quotes(record)[("years", "2024", "costs")] == "900"


def test_nothing_found_is_an_empty_object_where_the_schema_wants_one() -> None:
    source: dict[str, Json] = {"type": "object", "properties": {"a": GROUPED, "b": TEXT}, "required": ["a"]}
    assert extract(task_from_json_schema(source), {"a": [], "b": "Git"}).value == {"a": {}, "b": "Git"}


def test_a_schema_within_itself_is_asked_for_four_levels_deep_and_what_lies_deeper_is_listed() -> None:
    part: dict[str, Json] = {
        "type": "object",
        "properties": {"name": TEXT, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}},
    }
    what = task_from_json_schema(
        {"type": "object", "properties": {"top": {"$ref": "#/$defs/Part"}}, "$defs": {"Part": part}}
    )
    names = ["engine", "piston", "ring", "coating", "layer"]
    said: Any = {"name": names[-1]}
    for name in reversed(names[:-1]):
        said = {"name": name, "parts": [said]}
    record = extract(what, {"top": said}, "\n".join(names))
    assert list(quotes(record).values()) == names[:4]
    assert [(r.value, r.reason) for r in record.rejected] == [("layer", "not in the schema")]
    assert record.problems


def test_a_schema_that_branches_into_itself_is_asked_for_as_deep_as_its_fields_allow() -> None:
    node: dict[str, Json] = {
        "type": "object",
        "properties": {"name": TEXT, **{f"part{i}": {"$ref": "#/$defs/N"} for i in range(20)}},
    }
    schema = read_schema({"type": "object", "properties": {"top": {"$ref": "#/$defs/N"}}, "$defs": {"N": node}})
    assert "recursion" in {note.code for note in schema.notes}


ENTRIES = read_schema(
    {
        "type": "object",
        "properties": {
            "flat": {"type": "object", "additionalProperties": TEXT},
            "deep": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": TEXT}},
            "either": {"anyOf": [TEXTS, GROUPED]},
            "both": {"type": "object", "properties": {"own": TEXT, "others": TEXT}, "additionalProperties": TEXT},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"tags": GROUPED}}},
        },
    }
).root
words = st.text("abc", min_size=1, max_size=3)
flat = st.dictionaries(words, words, max_size=3)
grouped = st.dictionaries(words, st.lists(words, min_size=1, max_size=2), max_size=3)
values = st.fixed_dictionaries(
    {
        "flat": flat,
        "deep": st.dictionaries(words, st.dictionaries(words, words, min_size=1, max_size=2), max_size=2),
        "either": st.lists(words, min_size=1, max_size=3) | grouped.filter(bool),
        "both": st.fixed_dictionaries({"own": words, "others": words}).flatmap(lambda own: flat.map(lambda f: own | f)),
        "rows": st.lists(st.fixed_dictionaries({"tags": grouped}), max_size=2),
    }
)


@given(values)
def test_what_is_written_as_rows_is_read_back(value: Json) -> None:
    assert read_rows(ENTRIES, write_rows(ENTRIES, value)) == (value, [])


@given(values)
def test_what_is_in_its_own_form_stays_as_it_is(value: Json) -> None:
    assert read_rows(ENTRIES, value) == (value, [])


@given(values)
def test_every_name_that_was_said_has_a_field(value: Any) -> None:
    named = settle_node(ENTRIES, [value])
    assert isinstance(named["flat"].node, Object)
    assert [f.name for f in named["flat"].node.fields] == list(value["flat"])
    assert isinstance(named["either"].node, ValueList if isinstance(value["either"], list) else Object)


def test_a_question_has_no_object_without_fields() -> None:
    asked = as_rows(ENTRIES)
    assert isinstance(asked["flat"].node, ObjectList) and isinstance(asked["either"].node, ObjectList)
    assert isinstance(asked["both"].node, Object)
    assert [f.name for f in asked["both"].node.fields] == ["own", "others", "others_"]


def test_a_name_that_the_text_does_not_have_is_found() -> None:
    said = {"figures": {"net_revenue": 1200, "Costs": 800, "Profit": 1200}}
    what = task(figures={"type": "object", "additionalProperties": {"type": "number"}})
    text = SHEET.replace("Revenue", "Net revenue")
    record = ground_record(Document("page.txt", text), what, said, Reading(STRONG))
    unseen = [path for path, one in record.evidence.items() if "name unseen" in one.findings]
    assert unseen == [("figures", "Profit")]


PERSON: dict[str, Json] = {"type": "object", "properties": {"name": TEXT, "age": {"type": "integer"}}}
PEOPLE: dict[str, Json] = {"type": "array", "items": PERSON}
ANN: Json = {"name": "Ann", "age": 33}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"anyOf": [TEXT, TEXTS]}, "Git"),
        ({"anyOf": [TEXT, TEXTS]}, ["Git", "Rust"]),
        ({"type": ["string", "array"], "items": TEXT}, "Git"),
        ({"type": ["object", "null", "string"], "properties": {"name": TEXT}}, "Git"),
        ({"oneOf": [PERSON, PEOPLE]}, ANN),
        ({"oneOf": [PERSON, PEOPLE]}, [ANN]),
        ({"anyOf": [TEXT, PERSON]}, "Ann"),
        ({"anyOf": [TEXT, PERSON]}, ANN),
        ({"anyOf": [TEXTS, PEOPLE]}, ["Ann"]),
        ({"type": "array", "items": {"anyOf": [TEXT, PERSON]}}, ["Ann"]),
        ({"anyOf": [TEXT, {"type": "object", "additionalProperties": TEXT}]}, "Git"),
        ({"anyOf": [TEXT, {"type": "object", "additionalProperties": TEXT}]}, {"Tools": "Git"}),
    ],
)
def test_a_record_keeps_whichever_form_the_schema_takes(schema: Json, said: Json) -> None:
    document = Document("page.txt", SHEET + "Ann 33\n")
    record = ground_record(document, task(a=schema), {"a": said}, Reading(STRONG))
    assert record.value == {"a": said}
    assert all(one.spans for one in record.evidence.values())
    assert record.rejected == () and record.problems == ()


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [("Git", ["Rust"], ["Git", "Rust"]), (ANN, [{"name": "Bob", "age": 44}], [ANN, {"name": "Bob", "age": 44}])],
)
def test_one_by_itself_in_one_part_and_a_list_in_another_are_one_list(first: Json, second: Json, wanted: Json) -> None:
    what = task(a={"anyOf": [TEXT, TEXTS] if isinstance(first, str) else [PERSON, PEOPLE]})
    text = "Git Ann 33\n" + "word " * 700 + "\nRust Bob 44\n"
    prompt = what.choose_prompt(None).change_strategy(chunk_tokens=700)
    model = say([{"a": first}, {"a": second}])
    record = asyncio.run(
        extract_record(Document("page.txt", text), what, prompt, model, model.name, reading=Reading(STRONG))
    )
    assert record.value == {"a": wanted}


def test_a_name_where_another_part_has_the_object_is_a_conflict() -> None:
    what = task(a={"anyOf": [TEXT, PERSON]})
    text = "Bob\n" + "word " * 700 + "\nAnn 33\n"
    prompt = what.choose_prompt(None).change_strategy(chunk_tokens=700)
    model = say([{"a": "Bob"}, {"a": ANN}])
    record = asyncio.run(
        extract_record(Document("page.txt", text), what, prompt, model, model.name, reading=Reading(STRONG))
    )
    assert record.value == {"a": ANN}
    assert [one.other.value for one in record.conflicts] == ["Bob"]


def test_rows_of_a_table_without_headers_are_lists_within_a_list_and_those_of_two_parts_follow_each_other() -> None:
    what = task(table={"type": "array", "items": TEXTS})
    text = "Ann 33\nBob 44\n" + "word " * 700 + "\nCyd 55\n"
    prompt = what.choose_prompt(None).change_strategy(chunk_tokens=700)
    asked: list[Request] = []
    rows = [{"value": ["Ann", "33"]}, {"value": ["Bob", "44"]}]
    model = say([{"table": rows}, {"table": [["Cyd", "55"]]}], asked)
    record = asyncio.run(
        extract_record(Document("page.txt", text), what, prompt, model, model.name, reading=Reading(STRONG))
    )
    assert asked[0].schema["properties"]["table"]["items"]["required"] == ["value"]
    assert record.value == {"table": [["Ann", "33"], ["Bob", "44"], ["Cyd", "55"]]}
    assert quotes(record)[("table", 2, 1)] == "55"


def test_what_is_wrong_in_a_list_within_a_list_is_listed_at_its_place() -> None:
    what = task(table={"type": "array", "items": {"type": "array", "items": {"type": "number"}}})
    record = extract(what, {"table": [{"value": [1200, "none"]}]})
    assert record.value == {"table": [[1200]]}
    assert [(r.path, r.value) for r in record.rejected] == [(("table", 0, 1), "none")]


def test_a_tuple_is_asked_for_by_number_and_is_a_list_in_the_record() -> None:
    place: dict[str, Json] = {
        "type": "array",
        "prefixItems": [{"type": "number", "title": "north"}, {"type": "number"}],
    }
    record = extract(task(place=place), {"place": {"0": 48.5, "1": 11.25}}, "at 48.5 11.25")
    assert record.value == {"place": [48.5, 11.25]}
    assert quotes(record) == {("place", 0): "48.5", ("place", 1): "11.25"}
    assert extract(task(place=place), {"place": {"0": None, "1": None}}, "nowhere").value == {}


@pytest.mark.parametrize(
    ("schema", "first", "second", "kept"),
    [
        ({"anyOf": [TEXTS, PERSON]}, ["Git"], ANN, ["Git"]),
        ({"anyOf": [PERSON, TEXTS]}, ANN, ["Git"], ["Git"]),
        (
            {"anyOf": [TEXTS, {"type": "object", "additionalProperties": {"type": "integer"}}]},
            ["Git"],
            {"Ann": 33},
            None,
        ),
    ],
)
def test_other_forms_in_other_parts_are_told_and_end_nothing(
    schema: Json, first: Json, second: Json, kept: Json
) -> None:
    what = task(a=schema)
    text = "Git Ann 33\n" + "word " * 700 + "\nGit Ann 33\n"
    prompt = what.choose_prompt(None).change_strategy(chunk_tokens=700)
    model = say([{"a": first}, {"a": second}])
    record = asyncio.run(
        extract_record(Document("page.txt", text), what, prompt, model, model.name, reading=Reading(STRONG))
    )
    assert record.value == {"a": kept if kept is not None else {"Ann": 33}}
    assert record.conflicts, "what has the other form is told"


NAMED = {"anyOf": [TEXT, {"type": "object", "properties": {"name": TEXT, "age": {"type": "integer"}}}]}
ROWS = "Bob\nAnn 33\nCy\n"


def test_rows_of_one_list_may_be_objects_and_texts_side_by_side() -> None:
    said: Json = {"people": ["Bob", ANN, "Cy"], "books": [{"by": "Bob"}, {"by": ANN}]}
    what = task(
        people={"type": "array", "items": NAMED},
        books={"type": "array", "items": {"type": "object", "properties": {"by": NAMED}}},
    )
    record = ground_record(Document("page.txt", ROWS), what, said, Reading(STRONG))
    assert record.value == said and record.rejected == ()
    assert quotes(record)["people", 0] == "Bob" and quotes(record)["people", 1, "age"] == "33"
    assert quotes(record)["books", 0, "by"] == "Bob"


@pytest.mark.parametrize(("first", "second"), [(["Bob"], [ANN, "Cy"]), ([ANN], ["Bob", "Cy"]), (["Bob", ANN], ["Cy"])])
def test_rows_that_are_texts_in_one_part_and_objects_in_another_are_one_list(first: Json, second: Json) -> None:
    what = task(people={"type": "array", "items": NAMED})
    text = "Bob\nAnn 33\n" + "word " * 700 + "\nBob\nAnn 33\nCy\n"
    prompt = what.choose_prompt(None).change_strategy(chunk_tokens=700)
    model = say([{"people": first}, {"people": second}])
    record = asyncio.run(
        extract_record(Document("page.txt", text), what, prompt, model, model.name, reading=Reading(STRONG))
    )
    assert record.value == {"people": [*first, *second]}  # type: ignore[misc]
    assert record.rejected == () and not record.conflicts


def test_entries_that_a_cut_left_alone_are_no_rest_of_a_row_that_is_a_text() -> None:
    shelf = {"type": "object", "properties": {"name": TEXT, "books": TEXTS}}
    what = task(shelves={"type": "array", "items": {"anyOf": [TEXT, shelf]}})
    text = "Ann: Ode\nBob\n" + "word " * 700 + "\nHymn\n"
    prompt = what.choose_prompt(None).change_strategy(chunk_tokens=700)
    model = say([{"shelves": [{"name": "Ann", "books": ["Ode"]}, "Bob"]}, {"shelves": [{"books": ["Hymn"]}]}])
    record = asyncio.run(
        extract_record(Document("page.txt", text), what, prompt, model, model.name, reading=Reading(STRONG))
    )
    assert list(quotes(record).values()) == ["Ann", "Ode", "Bob", "Hymn"]
    assert record.value["shelves"][1] == "Bob" and record.value["shelves"][2]["books"] == ["Hymn"]


def test_a_row_that_is_a_text_is_typed_in_as_one_in_a_review() -> None:
    said: Json = {"people": ["Bob", ANN]}
    root = settle_node(task(people={"type": "array", "items": NAMED}).schema.root, [said])
    assert isinstance(find_schema_node(root, ["people", "0"]), Scalar)
    assert isinstance(find_schema_node(root, ["people", "1", "age"]), Scalar)
