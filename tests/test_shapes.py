import json
from typing import Any

import pytest
from pydantic import BaseModel

from extractor.extraction.prompt import Strategy
from extractor.extraction.response_schema import build_response_schema
from extractor.models.openai.reply import InvalidReply, build_reply_model, parse_reply, reply_to_json
from extractor.schema import Date, Email, Money, Url
from extractor.schema.reader import read_schema


class Row(BaseModel):
    name: str
    day: Date | None = None


class Record(BaseModel):
    mails: list[Email] = []
    page: Url | None = None
    size: int | None = None
    rows: list[Row] = []


ROOT = read_schema(Record.model_json_schema()).root


def shape(text: str, **settings: Any) -> dict[str, Any]:
    properties: dict[str, Any] = build_response_schema(ROOT, text, Strategy(**settings))["properties"]
    return properties


def test_only_what_stands_in_the_text_may_be_chosen() -> None:
    made = shape("Write to a@b.org or https://b.org by 3 May 2024.")
    assert made["mails"]["items"] == {"enum": ["a@b.org"]}
    assert made["page"] == {"enum": ["https://b.org", None]}
    assert made["rows"]["items"]["properties"]["day"] == {"enum": ["3 May 2024", None]}


def test_without_candidates_absence_is_the_only_choice() -> None:
    made = shape("Nothing to be seen.")
    assert made["mails"]["maxItems"] == 0
    assert made["page"] == {"type": "null"}


def test_a_required_value_may_not_be_null() -> None:
    row = shape("x")["rows"]["items"]["properties"]
    assert row["name"]["type"] == "string"
    assert shape("x", candidates=False)["rows"]["items"]["properties"]["day"]["type"] == ["string", "null"]


def test_a_copied_number_may_be_said_as_a_number_or_as_written() -> None:
    class Bill(BaseModel):
        total: Money
        parts: list[Money] = []

    root = read_schema(Bill.model_json_schema()).root
    made = build_response_schema(root, "x", Strategy())
    assert made["properties"]["total"]["type"] == ["number", "string"]
    for said in ({"total": 12.5, "parts": [3, "1.024,50"]}, {"total": "1.024,50 EUR", "parts": []}):
        assert reply_to_json(parse_reply(build_reply_model(made), json.dumps(said))) == said
    with pytest.raises(InvalidReply):
        parse_reply(build_reply_model(made), '{"total": [1], "parts": []}')


def test_every_object_is_strict_and_every_list_and_string_bounded() -> None:
    def walk(node: dict[str, Any]) -> None:
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            for inner in node["properties"].values():
                walk(inner)
        elif node.get("type") == "array":
            assert node["maxItems"] >= 0
            walk(node["items"])
        elif "string" in node.get("type", ()):
            assert node.get("maxLength") or node == {"type": "string"}

    walk(build_response_schema(ROOT, "a@b.org", Strategy()))
