"""What the package lends to the tests of others."""

import asyncio
from typing import Any

import pytest

from extractor import extract
from extractor.errors import ModelBusy, ReplyCutShort
from extractor.testing import FaultAnswer, FaultEndpoint, ScriptedModel, build_completion, build_error, fit_reply
from extractor.types import Json, Reply, Request, Usage

ROW = {"type": "object", "properties": {"item": {"type": "string"}, "count": {"type": ["integer", "null"]}}}
SHAPE: dict[str, Any] = {
    "type": "object",
    "properties": {"number": {"type": ["string", "null"]}, "rows": {"type": "array", "items": ROW}},
}


def ask(model: ScriptedModel, times: int = 1, schema: dict[str, Any] = SHAPE) -> list[Reply]:
    async def go() -> list[Reply]:
        return [await model.complete(Request("m", "s", str(i), schema, {})) for i in range(times)]

    return asyncio.run(go())


def test_an_object_answers_every_request_with_what_is_asked_of_it() -> None:
    model = ScriptedModel({"number": "A-7", "colour": "red"})
    assert [r.value for r in ask(model, 2)] == [{"number": "A-7", "rows": []}] * 2
    assert [r.user for r in model.requests] == ["0", "1"]
    assert ask(model)[0].usage == Usage(1, 10, 5, 0.0)


def test_a_list_answers_one_request_after_the_other_and_then_no_more() -> None:
    whole = Reply({"any": "thing"}, Usage(1))
    model = ScriptedModel([{"number": "1"}, whole, ModelBusy("later")])
    assert [r.value for r in ask(model, 2)] == [{"number": "1", "rows": []}, {"any": "thing"}]
    with pytest.raises(ModelBusy, match="later"):
        ask(model)
    with pytest.raises(AssertionError, match="3 answers, and there was one more request"):
        ask(model)


def test_a_function_answers_by_the_request_whether_it_waits_or_not() -> None:
    async def later(request: Request) -> Json:
        await asyncio.sleep(0)
        return ReplyCutShort("cut") if request.user == "1" else {"number": request.user}

    assert ask(ScriptedModel(lambda request: {"number": request.user}), 2)[1].value["number"] == "1"
    with pytest.raises(ReplyCutShort):
        ask(ScriptedModel(later), 2)


def test_a_delay_is_waited_each_time() -> None:
    delays = iter([0.0, 0.05])
    assert len(ask(ScriptedModel({}, delay=lambda: next(delays)), 2)) == 2
    assert next(delays, None) is None


def test_a_model_has_a_script_or_gold() -> None:
    for given in ({}, {"script": {}, "gold": {}}):
        with pytest.raises(TypeError, match="give one of the two"):
            ScriptedModel(**given)


@pytest.mark.parametrize(
    ("value", "schema", "reply"),
    [
        ({"number": 7, "rows": [{"item": "a"}]}, SHAPE, {"number": "7", "rows": [{"item": "a", "count": None}]}),
        ([{"item": "a"}, {"item": "b"}], {"type": "array", "items": {"type": "string"}}, ["a", "b"]),
        ([1, 2, 3], {"type": "array", "items": {"type": "number"}, "maxItems": 2}, [1, 2]),
        ([1, None], {"type": "array", "items": {"type": ["number", "null"]}}, [1]),
        ("3 May 2024", {"enum": ["2024-05-03", "2024-05-04", None]}, "2024-05-03"),
        (4.0, {"enum": [4, 5]}, 4),
        ("purple", {"enum": ["red", None]}, None),
        (None, {"type": "string"}, ""),
        (None, {"type": "boolean"}, False),
        (None, {"type": "integer"}, 0),
        ("abcdef", {"type": "string", "maxLength": 3}, "abc"),
        ("anything", {"type": ["null"]}, None),
        (True, {"type": "boolean"}, True),
        (None, SHAPE, {"number": None, "rows": []}),
    ],
)  # fmt: skip
def test_a_perfect_model_says_what_it_knows_in_the_form_that_is_asked_for(
    value: Json, schema: dict[str, Any], reply: Json
) -> None:
    assert fit_reply(value, schema) == reply


def test_gold_comes_out_as_it_went_in() -> None:
    schema = {"type": "object", "properties": {"item": {"type": "string"}, "price": {"type": "number"}}}
    gold = {"item": "bolts", "price": 4}
    assert extract("Bolts cost $4.", schema, model=ScriptedModel(gold=gold)).record == {"item": "bolts", "price": 4}


def test_an_endpoint_answers_by_body_and_number_and_keeps_what_it_was_sent() -> None:
    async def answer(body: dict[str, Any], n: int) -> FaultAnswer | str | tuple[int, Any]:
        await asyncio.sleep(0)
        if n == 1:
            return FaultAnswer(503, build_error("later"))
        return (500, build_error("later")) if n == 2 else '{"item": "bolts"}'

    schema = {"type": "object", "properties": {"item": {"type": ["string", "null"]}}}
    with FaultEndpoint(answer) as endpoint:
        assert endpoint.url.startswith("http://127.0.0.1:")
        assert extract("Bolts cost $4.", schema, model="m", base_url=endpoint.url).record == {"item": "bolts"}
    assert (endpoint.requests, endpoint.tokens, len(endpoint.bodies), endpoint.in_flight) == (3, (10, 5), 3, 0)
    assert endpoint.paths == ["/v1/chat/completions"] * 3


def test_a_completion_may_say_nothing_of_its_usage() -> None:
    assert "usage" not in build_completion("x", usage=None)
    assert build_completion("x")["usage"]["total_tokens"] == 15
