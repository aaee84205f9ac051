from typing import Any

from pydantic import BaseModel

from extractor import schemas, shapes
from extractor.kinds import Date, Email, Url
from extractor.prompts import Strategy


class Row(BaseModel):
    name: str
    day: Date | None = None


class Record(BaseModel):
    mails: list[Email] = []
    page: Url | None = None
    size: int | None = None
    rows: list[Row] = []


ROOT = schemas.read(Record.model_json_schema()).root


def shape(text: str, **settings: Any) -> dict[str, Any]:
    properties: dict[str, Any] = shapes.shape(ROOT, text, Strategy(**settings))["properties"]
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

    walk(shapes.shape(ROOT, "a@b.org", Strategy()))
