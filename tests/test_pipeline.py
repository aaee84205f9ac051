import asyncio
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import planted
from pydantic import BaseModel

from extractor.errors import TOO_LONG, ModelError, ModelFatal, ReplyCutShort
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.document_model import DocumentModel
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.traits import STRONG
from extractor.results.file import build_result, encode_part
from extractor.schema import group, key
from extractor.schema.reader import read_schema
from extractor.testing import ScriptedModel
from extractor.types import Document, Json, Match, Record, Request, Status, Usage


class Item(BaseModel):
    model_config = key("name")
    name: str
    price: str | None = None


class Shop(BaseModel):
    owner: str | None = None
    items: list[Item] = []
    tools: list[str] = []


class Cued(BaseModel):
    owner: str | None = None
    tools: list[str] = []


def task(model: type[BaseModel], schema: dict[str, Any] | None = None) -> Task:
    return Task("shop", read_schema(schema or model.model_json_schema()), {}, model)


def prompt(**settings: Any) -> Prompt:
    return Prompt("p", "s", "{document}\n{question}", {}, Strategy(**settings))


def extract(
    text: str, answer: Callable[[Request], Json], of: Task, at_once: int = 1, **settings: Any
) -> tuple[Record, ScriptedModel]:
    """The record, from a model that takes up to a ms for each answer, so many at a time."""
    model = ScriptedModel(answer, delay=lambda: random.random() / 1000, usage=Usage(1, 10, 5, 0.5))

    async def go() -> Record:
        bounded = DocumentModel(model, ConcurrencyLimiter(at_once))
        return await extract_record(Document("d.txt", text), of, prompt(**settings), bounded, "m")

    return asyncio.run(go()), model


def lines(request: Request) -> list[str]:
    return request.user.split("<document>\n", 1)[1].split("\n</document>", 1)[0].splitlines()


def perfect(request: Request) -> Json:
    rows = [line.split(" costs ") for line in lines(request) if " costs " in line]
    return {"owner": "Ada King", "items": [{"name": a, "price": b} for a, b in rows]}


def reads_blocks(request: Request) -> Json:
    """Every record of the chunk; of one that is cut in two, what each half tells."""
    found = []
    for block in "\n".join(lines(request)).split("\n\n"):
        name = re.search(r"^Lot \d+ of bay \d+$", block, re.M)
        price = re.search(r"costs (\d+\.\d{3})$", block, re.M)
        if name or price:
            found.append({"name": name and name[0], "price": price and price[1]})
    return {"owner": "Ada King", "items": found}


@pytest.mark.parametrize("size", [60, 110, 300, 900, 2500, 40_000])
def test_a_long_document_gives_every_record_once_at_any_chunk_size(size: int) -> None:
    text, wanted = planted(size)
    assert 80_000 < len(text) < 120_000
    record, _ = extract(text, reads_blocks, task(Shop), chunk_tokens=size)
    assert record.value["items"] == wanted
    assert record.value["owner"] == "Ada King"


def test_the_same_at_any_concurrency_to_the_byte() -> None:
    text = "Ada King\n" + "".join(f"thing {i} costs {i}.20\n" for i in range(60))
    made = [
        encode_part(build_result(extract(text, perfect, task(Shop), n, chunk_tokens=90)[0], "shop", {}))
        for n in (1, 3, 16)
    ]
    assert made[0] == made[1] == made[2]


def test_a_question_without_an_answer_is_a_failure_and_not_an_absence() -> None:
    def answer(request: Request) -> Json:
        return ModelError("no luck") if "items" in request.schema["properties"] else {"owner": "Ada King"}

    record, _ = extract("Ada King sells.", answer, task(Shop))
    assert record.status is Status.INCOMPLETE
    assert [(f.group, f.reason) for f in record.failures] == [("items", "model")]
    assert record.value["owner"] == "Ada King"
    assert record.usage.input_tokens == 10


def test_a_fatal_error_ends_the_document() -> None:
    with pytest.raises(ModelFatal):
        extract("Ada King", lambda request: ModelFatal("no key"), task(Shop))


def test_a_reply_cut_short_halves_the_chunk_and_nothing_is_lost() -> None:
    def answer(request: Request) -> Json:
        said = perfect(request)
        return ReplyCutShort("cut", text='{"items": [') if len(said["items"]) > 12 else said

    text = "".join(f"thing number {i} costs {i}.20\n" for i in range(100))
    record, model = extract(text, answer, task(Shop))
    assert len(record.value["items"]) == 100
    assert not record.failures
    assert record.usage.requests < len(model.requests)


def test_what_is_never_short_enough_costs_requests_by_its_size_and_says_so() -> None:
    text = "a" + 40_000 * "\u0301"  # a token each
    record, model = extract(text, lambda r: ModelError("too long", reason=TOO_LONG), task(Shop), chunk_tokens=2_000)
    assert len(model.requests) < len(text) / 80
    assert "request budget" in {f.reason for f in record.failures}
    assert record.status is Status.INCOMPLETE


def test_a_question_for_the_whole_record_is_not_halved_but_named_as_unanswered() -> None:
    text = "".join(f"thing number {i} costs {i}.20\n" for i in range(100))
    record, model = extract(text, lambda r: ReplyCutShort("cut", text='{"items": ['), task(Shop), ask="whole")
    assert len(model.requests) == 1
    assert [(f.group, f.reason) for f in record.failures] == [("record", "cut short")]
    assert record.status is Status.INCOMPLETE


def test_a_whole_record_that_was_cut_short_keeps_what_it_said_and_is_incomplete() -> None:
    text = "".join(f"thing number {i} costs {i}.20\n" for i in range(100))
    said = [{"name": f"thing number {i}", "price": f"{i}.20"} for i in range(9)]
    cut = json.dumps({"owner": None, "items": said})[:-8]
    record, _ = extract(text, lambda r: ReplyCutShort("cut", text=cut), task(Shop), ask="whole")
    assert [row["price"] for row in record.value["items"]] == [f"{i}.20" for i in range(8)]
    assert [f.reason for f in record.failures] == ["cut short"]
    assert not record.answered_spans


def test_a_reply_that_runs_on_about_what_is_not_there_is_not_asked_again() -> None:
    made_up = json.dumps({"items": [{"name": f"ghost {i}", "price": None} for i in range(40)]})[:-4]

    def answer(request: Request) -> Json:
        return ReplyCutShort("cut", text=made_up) if "items" in request.schema["properties"] else {}

    record, model = extract("thing number 1 costs 1.20\n" * 50, answer, task(Shop))
    assert record.value["items"] == []
    assert [p.code for p in record.problems] == ["ran on"]
    assert len(model.requests) == 2


def test_a_loop_is_an_answer_with_a_mark() -> None:
    loop = json.dumps({"items": [{"name": "bolt", "price": None}] * 9})[:-4]

    def answer(request: Request) -> Json:
        return ReplyCutShort("cut", text=loop) if "items" in request.schema["properties"] else {}

    record, model = extract("A bolt.", answer, task(Shop))
    assert [row["name"] for row in record.value["items"]] == ["bolt"]
    assert [p.code for p in record.problems] == ["ran on"]
    assert record.status is Status.SUSPECT
    assert len(model.requests) == 2


def test_what_nothing_announces_is_not_asked_and_said_to_be_so() -> None:
    schema = Cued.model_json_schema()
    schema["properties"]["tools"].update(group("tools", **{"x-keywords": ["tools"]}))
    record, model = extract("Ada King\nhas a saw.", lambda request: {"owner": "Ada King"}, task(Cued, schema))
    assert ["tools" in r.schema["properties"] for r in model.requests] == [False]
    assert [s.fields for s in record.skipped] == [("tools",)]


def test_what_is_announced_in_a_small_part_is_asked_of_that_part() -> None:
    schema = Cued.model_json_schema()
    schema["properties"]["tools"].update(group("tools", **{"x-keywords": ["tools"], "x-keywords-only": True}))
    text = "Ada King\n" + "Much is said of other things. " * 40 + "\n\n# Tools\nsaw, hammer\n\n# End\nThat is all.\n"

    def answer(request: Request) -> Json:
        return {"tools": ["saw", "Much"]} if "tools" in request.schema["properties"] else {"owner": "Ada King"}

    record, model = extract(text, answer, task(Cued, schema))
    asked = next(r for r in model.requests if "tools" in r.schema["properties"])
    assert lines(asked) == ["# Tools", "saw, hammer", ""]
    assert record.value["tools"] == ["saw"]
    span = record.evidence[("tools", 0)].spans[0]
    assert text[span.start : span.end] == "saw"


def test_no_value_without_words_gets_into_a_record_unmarked(tmp_path: Path) -> None:
    record, _ = extract("Ada King", lambda r: {"owner": "Bo Li", "items": [{"name": "gold", "price": "1"}]}, task(Shop))
    assert record.value == {"owner": None, "items": [], "tools": []}
    assert {(r.path, r.value, r.reason) for r in record.rejected} == {
        (("owner",), "Bo Li", "no words"),
        (("items", 0, "name"), "gold", "no words; row without key"),
        (("items", 0, "price"), "1", "no words; row without key"),
    }
    assert all(r.evidence is not None and r.evidence.match is Match.NONE for r in record.rejected)
    assert not record.evidence


def test_of_a_strong_model_a_value_without_words_may_stay_and_is_marked() -> None:
    said = {"owner": "Bo Li"}
    model, of = ScriptedModel(said), task(Shop)
    for only_proven, kept in ((False, "Bo Li"), (True, None)):
        reading = Reading(STRONG, Acceptance(only_proven=only_proven))
        record = asyncio.run(extract_record(Document("d", "Ada King"), of, prompt(), model, "m", reading=reading))
        assert record.value["owner"] == kept
        if kept:
            assert record.evidence[("owner",)].match is Match.NONE
            assert record.evidence[("owner",)].findings == ("no words",)
        else:
            assert [(r.path, r.reason) for r in record.rejected] == [(("owner",), "no words")]
