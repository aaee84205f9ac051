from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from extractor.errors import TaskError
from extractor.extraction.compact import compact_part
from extractor.extraction.grounding.grounder import GroundingResult, ground_reply
from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.pipeline import extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.response_schema import build_response_schema
from extractor.extraction.task import Task
from extractor.schema import Date, Quantity, Url, key
from extractor.schema.reader import ObjectList, read_schema
from extractor.types import Chunk, Document, Json, Match, Record, Reply, Request, Span, Usage


def placed(*words: str) -> dict[str, Any]:
    return {"x-locate-by-position": list(words)}


class Boat(BaseModel):
    model_config = key("name")

    name: str
    crew: int | None = None
    log: Url | None = Field(None, json_schema_extra=placed("log", "diary"))
    shop: Url | None = Field(None, json_schema_extra=placed("shop"))
    length: str | None = Field(None, pattern=r"\d+ ft", json_schema_extra=placed())
    launched: Date | None = Field(None, json_schema_extra=placed())


class Harbour(BaseModel):
    harbour: str | None = None
    boats: list[Boat] = []


SCHEMA = read_schema(Harbour.model_json_schema())

TEXT = """# Boats

Gull, launched in May 1990, with a crew of 3. [Log](https://a.org/1), [shop](https://a.org/2)

Sold after 2001 - 2004, at 31 ft she was too small for us.

Link <https://logs.org/gull>

Heron, which the yard built in 1992

Link <https://logs.org/heron>

The yard has a crane. Whatever is heavier than 90 ft goes elsewhere, see https://logs.org/crane for what they lifted.

Both were raced: Gull lost to Heron, who is 44 ft long.
"""


def trace(text: str, *names: str) -> GroundingResult:
    said = {"harbour": None, "boats": [{"name": name, "crew": None} for name in names]}
    return ground_reply(SCHEMA.root, said, TextIndex(Chunk(Document("a", text), 0, Span(0, len(text)))))


def boats(text: str, *names: str) -> list[dict[str, Json]]:
    return list(trace(text, *names).value["boats"])


def test_what_stands_in_the_paragraph_of_a_row_is_the_row_s() -> None:
    gull = boats(TEXT, "Gull")[0]
    assert (gull["log"], gull["shop"], gull["launched"]) == ("https://a.org/1", "https://a.org/2", "1990-05")


def test_its_words_are_its_evidence() -> None:
    traced = trace(TEXT, "Gull")
    proof = traced.evidence["boats", 0, "log"]
    assert [TEXT[s.start : s.end] for s in proof.spans] == ["https://a.org/1"]
    assert (proof.match, proof.model_value) == (Match.EXACT, "")
    assert traced.rejected == []


def test_in_one_paragraph_what_follows_a_row_is_its_own_however_near_the_next_row_begins() -> None:
    text = "[1] Gull, a boat of the old yard. Its size:\n31 ft, 1990.\n[2] Heron, of the new yard, it is\n44 ft."
    assert [(b["length"], b["launched"]) for b in boats(text, "Gull", "Heron")] == [("31 ft", "1990"), ("44 ft", None)]


def test_a_line_that_a_name_opens_is_about_the_row_of_that_name() -> None:
    text = "# Boats\n\nGull, crew of 3\n\nHeron, crew of 4\n\n# Measures\n\nHeron  44 ft\nGull   31 ft"
    assert [b["length"] for b in boats(text, "Gull", "Heron")] == ["31 ft", "44 ft"]


def test_a_date_in_words_is_normalised() -> None:
    assert trace(TEXT, "Gull").evidence["boats", 0, "launched"].match is Match.NORMALISED


def test_what_stands_by_itself_belongs_to_the_row_before_rather_than_the_one_after() -> None:
    text = TEXT.replace("[Log](https://a.org/1), ", "")
    assert [b["log"] for b in boats(text, "Gull", "Heron")] == ["https://logs.org/gull", "https://logs.org/heron"]


def test_a_paragraph_goes_on_about_the_row_that_began_above_it() -> None:
    assert boats(TEXT, "Gull", "Heron")[0]["length"] == "31 ft"


def test_prose_that_names_no_row_is_about_none() -> None:
    assert "https://logs.org/crane" not in str(boats(TEXT.replace("<https://logs.org/heron>", ""), "Gull", "Heron"))
    assert "90 ft" not in str(boats(TEXT, "Gull", "Heron"))


def test_a_paragraph_elsewhere_that_names_a_row_is_of_the_row_it_names_last() -> None:
    assert boats(TEXT, "Gull", "Heron")[1]["length"] == "44 ft"


def test_an_end_of_a_span_of_time_is_no_day_of_its_own() -> None:
    assert boats(TEXT.replace("in May 1990", ""), "Gull")[0]["launched"] is None


def test_one_mention_is_one_row_s() -> None:
    text = "Gull and Heron have a log: https://logs.org/1"
    assert [b["log"] for b in boats(text, "Gull", "Heron")] == [None, "https://logs.org/1"]


def test_a_row_that_is_refused_has_no_place() -> None:
    assert boats("The log of the harbour: https://logs.org/1", "Gull") == []


@given(st.permutations(["Gull", "Heron"]), st.text(alphabet="ab \n.[](<>", max_size=40))
def test_what_is_placed_stands_in_the_text_and_is_given_to_one_row(names: list[str], noise: str) -> None:
    text = noise.join(TEXT.split("\n\n"))
    traced = trace(text, *names)
    spans = [s for path, e in traced.evidence.items() if path[-1] in ("log", "shop", "length") for s in e.spans]
    assert all(text[s.start : s.end].strip() for s in spans)
    assert len(set(spans)) == len(spans)


def ask(version: Prompt) -> tuple[list[Request], Record]:
    """What the model is sent, and the record; it says the name of the first boat, and null for all else."""
    sent: list[Request] = []

    class Listener:
        async def complete(self, request: Request) -> Reply:
            sent.append(request)
            asked = request.schema["properties"]
            row = dict.fromkeys(asked["boats"]["items"]["properties"]) | {"name": "Gull"} if "boats" in asked else {}
            return Reply({**dict.fromkeys(asked), **({"boats": [row]} if row else {})}, Usage())

    task = Task("boats", SCHEMA, {}, Harbour)
    record = asyncio.run(extract_record(Document("a", TEXT), task, version, Listener(), "m"))
    return sent, record


def test_the_model_is_not_asked_for_what_is_placed() -> None:
    sent, record = ask(Prompt("p", "", "{document} {question}", {}, Strategy()))
    assert not any(word in r.user.split("</document>")[1] for r in sent for word in ("log", "shop", "launched"))
    assert not any(word in json.dumps(r.schema) for r in sent for word in ("log", "shop", "launched"))
    assert record.value["boats"][0]["log"] == "https://a.org/1"


def test_a_prompt_that_asks_for_the_whole_record_asks_for_it_and_what_stands_there_wins() -> None:
    sent, record = ask(Prompt("p", "", "{document} {question}", {}, Strategy(ask="whole")))
    assert "log" in sent[0].schema["properties"]["boats"]["items"]["properties"]
    assert record.value["boats"][0]["log"] == "https://a.org/1"


def said(text: str, **row: Json) -> dict[str, Json]:
    """The boat of a reply that says more than it was asked for."""
    page = TextIndex(Chunk(Document("a", text), 0, Span(0, len(text))))
    traced = ground_reply(SCHEMA.root, {"harbour": None, "boats": [{"name": "Gull", "crew": None, **row}]}, page)
    return dict(traced.value["boats"][0])


def test_what_was_said_is_heard_where_nothing_stands_in_the_row_s_place() -> None:
    text = "Gull was sold.\n\nThere is more to tell of her, which the yard keeps at https://a.org/7 for all to see."
    assert said(text)["shop"] is None
    assert said(text, shop="https://a.org/7")["shop"] == "https://a.org/7"


def test_it_is_not_heard_against_what_stands_there() -> None:
    text = "Gull [shop](https://a.org/1)\n\nThe club keeps what it has at https://a.org/7 for all to see."
    assert said(text, shop="https://a.org/7")["shop"] == "https://a.org/1"


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


def test_a_form_that_is_asked_for_all_the_same_is_a_choice_among_its_mentions() -> None:
    class Row(BaseModel):
        model_config = key("name")
        name: str
        size: str | None = Field(
            None, pattern=r"\d+\s+ft", json_schema_extra={"x-locate-by-position": [], "x-also-ask": True}
        )

    class Rows(BaseModel):
        rows: list[Row] = []

    root = read_schema(Rows.model_json_schema()).root

    def size(text: str) -> Any:
        return build_response_schema(compact_part(root), text, Strategy())["properties"]["rows"]["items"]["properties"][
            "size"
        ]

    assert size("Gull is 31 ft, Heron 44\n ft, the shed 31 ft") == {"enum": ["31 ft", "44 ft", None]}
    assert size("Gull") == {"type": "null"}
