"""What a model is sent about a text, as one table: the schema that its reply must fit, and the words that it reads."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel, Field

from extractor.errors import ReplyCutShort
from extractor.extraction.pipeline import extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.openai.reply import read_reply
from extractor.schema import Date, Email, Money, Quantity, Url, group, key
from extractor.schema.reader import read_schema
from extractor.types import Document, Json, Record, Reply, Request, Usage


class Row(BaseModel):
    name: str
    day: Date | None = None


class Letter(BaseModel):
    mails: list[Email] = []
    page: Url | None = None
    size: int | None = None
    rows: list[Row] = []


class Bill(BaseModel):
    total: Money
    parts: list[Money] = []


class Boat(BaseModel):
    model_config = key("name")
    name: str
    size: str | None = Field(
        None, pattern=r"\d+\s+ft", json_schema_extra={"x-locate-by-position": [], "x-also-ask": True}
    )
    log: Url | None = Field(None, json_schema_extra={"x-locate-by-position": ["log"]})


class Boats(BaseModel):
    boats: list[Boat] = []


class Prize(BaseModel):
    """A prize that was won."""

    model_config = key("title", "day")
    title: str = Field(description="name of the prize")
    day: Date | None = Field(None, json_schema_extra={"x-locate-by-position": []})


class Race(BaseModel):
    model_config = key("name")
    name: str
    prizes: list[Prize] = []


class Club(BaseModel):
    prizes: list[Prize] = Field([], description="all prizes")
    races: list[Race] = []


class Gain(BaseModel):
    model_config = key("value", enumerate_by="value")
    value: Quantity
    what: str | None = None


class Report(BaseModel):
    gains: list[Gain] = []


LETTER = "Write to a@b.org or https://b.org by 3 May 2024."
FLEET = "Gull is 31 ft, Heron 44\n ft, the shed 31 ft"
OVENS = """# Ovens

The old one burnt. The new one bakes 40% faster vs. the
old one, says Dr. 3 of them. It is red.

- bread: 20%
"""
GARDEN = (
    "Ada King\n\n# Garden\n\n## Tools\n- rake\n\n## Plants\n\n" + "Roses. " * 60 + "\n\nSHED\nNothing but a ladder.\n"
)


def extract(
    schema: type[BaseModel], text: str, reply: Mapping[str, Json] | None = None, **settings: Any
) -> tuple[Record, list[Request]]:
    sent: list[Request] = []

    class Scripted:
        async def complete(self, request: Request) -> Reply:
            sent.append(request)
            asked = request.schema["properties"]
            empty = {name: [] if sub.get("type") == "array" else None for name, sub in asked.items()}
            return Reply({**empty, **{k: v for k, v in (reply or {}).items() if k in asked}}, Usage(1))

    task = Task("t", read_schema(schema.model_json_schema()), {}, schema)
    prompt = Prompt("p", "s", "<text>{document}</text>{question}", {}, Strategy(**settings))
    record = asyncio.run(extract_record(Document("d.txt", text), task, prompt, Scripted(), "m"))
    return record, sent


def sent_schemas(schema: type[BaseModel], text: str, **settings: Any) -> Mapping[str, Any]:
    """Name of a top-level field to the schema that is sent for it."""
    _, sent = extract(schema, text, **settings)
    return {name: sub for request in sent for name, sub in request.schema["properties"].items()}


def at(node: Any, *path: str) -> Any:
    for step in path:
        node = node["items"] if step == "[]" else node["properties"][step] if "properties" in node else node[step]
    return node


@pytest.mark.parametrize(
    ("why", "schema", "text", "path", "sent"),
    [
        ("of an address there may be none", Letter, LETTER, ("page", "type"), ["string", "null"]),
        ("any date too", Letter, LETTER, ("rows", "[]", "day"), {"type": ["string", "null"], "maxLength": 240}),
        ("a list is not closed where nothing of its kind is seen", Letter, "x", ("mails", "maxItems"), 40),
        ("a row has what it must have", Letter, "x", ("rows", "[]", "name", "type"), "string"),
        ("a chunk need not hold what the record must", Bill, "x", ("total", "type"), ["number", "string", "null"]),
        (
            "a form that is located and asked for as well is one of its mentions",
            Boats,
            FLEET,
            ("boats", "[]", "size"),
            {"enum": ["31 ft", "44 ft", None]},
        ),
        ("or null", Boats, "Gull", ("boats", "[]", "size"), {"type": "null"}),
        ("rows that locating leaves with one field are a list", Club, "x", ("prizes", "items", "type"), "string"),
        ("inside of rows, too", Club, "x", ("races", "[]", "prizes", "items", "type"), "string"),
    ],
)
def test_the_schema_of_the_reply_is(why: str, schema: Any, text: str, path: tuple[str, ...], sent: Json) -> None:
    assert at(sent_schemas(schema, text), *path) == sent, why


@pytest.mark.parametrize(
    ("path", "addresses", "others"),
    [
        (
            ("mails", "[]"),
            (
                "null",
                "a@b.org",
                "o'brien+x/y=z@mail.b.co.uk",
                "jörg@bücher.example",
                "root@localhost",
                "用户@例子.广告",
            ),
            ("https://b.org", "a@b.org'],,homepage:null", "jo at b.org", "a@b.org/https//c", "x" * 65 + "@b.org"),
        ),
        (
            ("page",),
            ("null", "https://b.org", "b.org/x?y=1&z=[2],(3)#4", "例子.广告", "www.b.org/~jo"),
            ('b.org", "next": "c', "see b.org", "nowhere", "{b.org}"),
        ),
    ],
)
def test_of_an_address_any_that_there_is_may_be_said_and_nothing_else(
    path: tuple[str, ...], addresses: tuple[str, ...], others: tuple[str, ...]
) -> None:
    form = at(sent_schemas(Letter, "Nothing."), *path)["pattern"]
    assert [a for a in addresses if not re.search(form, a)] == []
    assert [o for o in others if re.search(form, o)] == []


def test_a_model_that_says_null_in_an_address_has_said_none() -> None:
    record, _ = extract(Letter, "Nothing.", {"mails": ["null"], "page": "null"})
    assert (record.value["mails"], record.value["page"], record.rejected) == ([], None, ())


def test_without_candidates_no_address_is_kept_to_a_form() -> None:
    assert "pattern" not in at(sent_schemas(Letter, "x", candidates=False), "page")


class Packing(BaseModel):
    things: list[str] = []
    note: str | None = None


def asked_again(things: list[str], note: str | None, text: str) -> tuple[Json, int]:
    """The record of a model that says so, as far as it may, and how often it was asked."""
    sent: list[Request] = []

    class Bounded:
        async def complete(self, request: Request) -> Reply:
            sent.append(request)
            asked = request.schema["properties"]
            said = {"things": things[: asked["things"].get("maxItems")], "note": note}
            if note is not None:
                said["note"] = note[: asked["note"].get("maxLength")]
            return Reply({k: v for k, v in said.items() if k in asked}, Usage(1))

    task = Task("t", read_schema(Packing.model_json_schema()), {}, Packing)
    prompt = Prompt("p", "s", "{document}{question}", {}, Strategy(ask="whole", max_values=4, max_length=30))
    record = asyncio.run(extract_record(Document("d.txt", text), task, prompt, Bounded(), "m"))
    assert not record.failures
    return record.value, len(sent)


def test_a_reply_without_bounds_that_runs_on_leaves_what_the_bound_had_left() -> None:
    class Looping:
        async def complete(self, request: Request) -> Reply:
            if "maxItems" in request.schema["properties"]["things"]:
                return Reply({"things": KIT[:4], "note": None}, Usage(1, 10, 10))
            loop = ", ".join(['"a harp"'] * 99)
            cut = ReplyCutShort("cut", text='{"things": [' + loop)
            cut.usage = Usage(1, 10, 90)
            raise cut

    task = Task("t", read_schema(Packing.model_json_schema()), {}, Packing)
    prompt = Prompt("p", "s", "{document}{question}", {}, Strategy(ask="whole", max_values=4))
    text = "Pack " + ", ".join(KIT)
    record = asyncio.run(extract_record(Document("d.txt", text), task, prompt, Looping(), "m"))
    assert record.value["things"] == KIT[:4] and not record.failures
    assert record.usage == Usage(2, 20, 100)
    assert any("ran on" in problem.message for problem in record.problems)


KIT = ["a tent", "two ropes", "a stove", "four cups", "a lamp", "a map"]
LONG = "Leave the key with the keeper of the lodge by the weir."


def test_a_list_that_ends_at_its_bound_with_news_is_asked_for_without_one() -> None:
    assert asked_again(KIT, None, "Pack " + ", ".join(KIT)) == ({"things": KIT, "note": None}, 2)


def test_a_text_that_ends_at_its_bound_with_the_words_of_the_page_is_too() -> None:
    assert asked_again([], LONG, f"Pack nothing.\n\n{LONG}") == ({"things": [], "note": LONG}, 2)


@pytest.mark.parametrize(
    ("things", "note"),
    [
        (KIT[:3], None),
        (["a tent", "two ropes", "a tent", "two ropes", "a tent"], None),
        ([*KIT[:3], "a piano", "a harp"], None),
        ([], "On and on and on and on and on and on and on."),
    ],
    ids=["a list with room left", "a loop", "a list that leaves the page", "a text that is not the page's"],
)
def test_what_no_bound_held_back_is_asked_once(things: list[str], note: str | None) -> None:
    assert asked_again(things, note, "Pack " + ", ".join(KIT))[1] == 1


def test_what_is_located_alone_is_not_asked_for() -> None:
    _, sent = extract(Boats, "Gull [log](https://a.org/1)")
    assert not any("log" in json.dumps(r.schema) or "log" in r.user.partition("</text>")[2] for r in sent)
    _, sent = extract(Boats, "Gull [log](https://a.org/1)", ask="whole")
    assert at(sent[0].schema, "boats", "[]", "log"), "a prompt that asks for everything asks for it"


def test_a_list_that_stands_for_rows_comes_back_in_rows() -> None:
    reply = {"prizes": ["Oak Cup", "Ash Cup"], "races": [{"name": "Regatta", "prizes": ["Elm Cup"]}]}
    text = "Prizes: Oak Cup, Ash Cup.\n\nRegatta, with the Elm Cup"
    record, sent = extract(Club, text, reply)
    assert [p["title"] for p in record.value["prizes"]] == ["Oak Cup", "Ash Cup"]
    assert [p["title"] for p in record.value["races"][0]["prizes"]] == ["Elm Cup"]
    (asked,) = [r.user for r in sent if "prizes" in r.schema["properties"]]
    assert "all prizes. A prize that was won. Of each the name of the prize" in asked


def test_a_candidate_is_quoted_in_its_sentence() -> None:
    _, (request,) = extract(Report, OVENS)
    quotes = [line for line in request.user.splitlines() if line.startswith("- ") and '"' in line]
    assert quotes == [
        '- 40%: "The new one bakes 40% faster vs. the old one, says Dr. 3 of them."',
        '- 20%: "- bread: 20%"',
    ]


@pytest.mark.parametrize(
    ("why", "keyword", "shown"),
    [
        ("a word in a heading announces its section", "tool", "# Garden\n\n## Tools\n- rake"),
        ("else a word in a paragraph that paragraph", "ladder", "SHED\nNothing but a ladder."),
    ],
)
def test_a_field_may_be_asked_only_of_what_its_keywords_announce(why: str, keyword: str, shown: str) -> None:
    only = group("tools", **{"x-keywords": [keyword], "x-keywords-only": True})

    class Shed(BaseModel):
        owner: str | None = None
        tools: list[str] = Field([], json_schema_extra=only)

    _, sent = extract(Shed, GARDEN)
    (request,) = [r for r in sent if "tools" in r.schema["properties"]]
    assert request.user.partition("</document>")[0].partition("<document>")[2].strip() == shown


def walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in [*node.get("properties", {}).values(), *([node["items"]] if "items" in node else [])]:
        yield from walk(inner)


@pytest.mark.parametrize(
    ("schema", "text"), [(Letter, LETTER), (Bill, "x"), (Boats, FLEET), (Club, "x"), (Report, OVENS)]
)
def test_every_object_is_strict_and_every_list_and_text_bounded(schema: type[BaseModel], text: str) -> None:
    _, sent = extract(schema, text)
    for node in (node for request in sent for node in walk(request.schema)):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        elif node.get("type") == "array":
            assert node["maxItems"] >= 0
        elif "string" in node.get("type", ()):
            assert node.get("maxLength") or node == {"type": "string"}


def test_a_copied_number_is_read_as_it_was_given() -> None:
    _, (request,) = extract(Bill, "x")
    for value in ({"total": 12.5, "parts": [3, "1.024,50"]}, {"total": "1.024,50 EUR", "parts": []}):
        assert read_reply([json.dumps(value)], request.schema).value == value
    assert read_reply(['{"total": [1, 2], "parts": []}'], request.schema).misfits


def test_a_small_model_is_shown_the_mail_addresses_of_the_chunk_between_tags() -> None:
    _, sent = extract(Letter, LETTER)
    shown = [request.user for request in sent if "- mails" in request.user]
    assert shown and all("<document>\nmails: a@b.org\n</document>" in user for user in shown)
    assert not any("page: https://b.org" in user for user in shown), "a web address is not told"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("Nothing of the kind.", {}),
        (" ".join(f"m{n}@b.org" for n in range(7)), {}),
        (LETTER, {"candidates": False}),
    ],
)
def test_without_addresses_or_with_many_of_them_and_to_a_strong_model_none_is_shown(
    text: str, settings: dict[str, Any]
) -> None:
    _, sent = extract(Letter, text, **settings)
    assert not any("mails: " in request.user.partition("- mails")[2].partition("\n")[2] for request in sent)


def test_an_address_that_looks_like_a_tag_ends_none() -> None:
    _, sent = extract(Letter, "a@b.org </document> c@d.org")
    (user,) = (request.user for request in sent if "- mails" in request.user)
    assert user.count("</document>") == 1 and "mails: a@b.org, c@d.org" in user
