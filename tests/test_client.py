import asyncio
import json
from typing import Any

import pytest

from extractor.errors import ModelError, ModelFatal, ReplyCutShort, ReplyRefused, ReplyUnreadable, UsageError
from extractor.models.api_keys import check_api_key
from extractor.models.endpoint import Connection, Dialect, Endpoint
from extractor.models.openai.client import LiveModel
from extractor.models.openai.dialects import adapt_to_dialect
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion, build_error
from extractor.types import Reply, Request

SHAPE = {
    "type": "object",
    "properties": {"item": {"type": ["string", "null"], "maxLength": 80}, "count": {"type": ["integer", "null"]}},
    "required": ["item", "count"],
    "additionalProperties": False,
}
SECRET = "sk-a-key-that-nobody-may-see"


def request(user: str = "What is it? {{ 7*7 }}") -> Request:
    return Request("m", "Copy.", user, SHAPE, {"temperature": 0, "max_tokens": 50}, "start: x")


def ask(url: str, *, dialect: Dialect | None = None, attempts: int = 3, deadline: float = 20.0) -> Reply:
    waits = Connection(attempts=attempts, question_deadline=deadline)

    async def go() -> Reply:
        model = LiveModel(Endpoint(url, "m", SECRET, dialect=dialect, connection=waits))
        try:
            return await model.complete(request())
        finally:
            await model.aclose()

    return asyncio.run(go())


def test_a_reply_that_fits_is_read_and_counted() -> None:
    with FaultEndpoint(lambda body, n: '{"item": "bolt", "count": 3}') as server:
        reply = ask(server.url)
    assert reply.value == {"item": "bolt", "count": 3}
    assert (reply.usage.requests, reply.usage.input_tokens, reply.usage.output_tokens) == (1, 10, 5)
    assert reply.usage.seconds is None


def test_the_document_arrives_byte_for_byte_and_the_schema_is_strict() -> None:
    with FaultEndpoint(lambda body, n: "{}") as server:
        ask(server.url)
    assert server.bodies[0]["messages"][1]["content"] == "What is it? {{ 7*7 }}"
    assert server.bodies[0]["response_format"]["json_schema"]["strict"] is True
    assert (
        server.bodies[0]["response_format"]["json_schema"]["schema"]
        == adapt_to_dialect(Dialect.SCHEMA, SHAPE).response_schema
    )


def test_a_reply_that_does_not_fit_is_asked_again_with_a_short_error() -> None:
    answers = iter(['{"item": ["no", "yes"], "count": 3, ', '{"item": "nut", "count": 1}'])
    with FaultEndpoint(lambda body, n: next(answers)) as server:
        reply = ask(server.url)
    assert reply.value["item"] == "nut"
    assert reply.usage.requests == 2
    said = server.bodies[1]["messages"][-1]["content"]
    assert "not JSON" in said
    assert len(said) < 700


@pytest.mark.parametrize(
    "bad", ['{"item": 1', '{"item": "a"} {"item": "b"}', '{"other": 1}', "no number at all", "[" * 9000]
)
def test_a_reply_that_never_fits_is_unreadable_and_not_empty(bad: str) -> None:
    with FaultEndpoint(lambda body, n: bad) as server, pytest.raises(ReplyUnreadable) as caught:
        ask(server.url, dialect=Dialect.SCHEMA)
    assert len(server.bodies) == 3
    assert caught.value.usage.requests == 3


def test_a_busy_endpoint_is_waited_for() -> None:
    busy = FaultAnswer(429, build_error("slow down"), {"retry-after": "0.01"})
    with FaultEndpoint(lambda body, n: busy if n == 1 else '{"item": "a", "count": null}') as server:
        assert ask(server.url).value["item"] == "a"


def test_tries_on_an_endpoint_that_stays_down_do_not_multiply() -> None:
    with FaultEndpoint(lambda body, n: (500, {"error": {"message": "down"}})) as server, pytest.raises(ModelError):
        ask(server.url, attempts=2)
    assert len(server.bodies) == 2


def test_a_refused_key_ends_the_run_and_is_shown_nowhere() -> None:
    answer = (401, {"error": {"message": f"bad key {SECRET}"}})
    with FaultEndpoint(lambda body, n: answer) as server, pytest.raises(ModelFatal) as caught:
        ask(server.url)
    assert len(server.bodies) == 1
    assert SECRET not in str(caught.value) + repr(caught.value)
    assert SECRET not in repr(Endpoint("u", "m", SECRET))


def test_refused_and_cut_short_are_told_apart() -> None:
    with (
        FaultEndpoint(lambda body, n: (200, build_completion(None, refusal="no"))) as server,
        pytest.raises(ReplyRefused),
    ):
        ask(server.url)
    assert len(server.bodies) == 1
    with (
        FaultEndpoint(lambda body, n: (200, build_completion('{"item"', finish="length"))) as server,
        pytest.raises(ReplyCutShort),
    ):
        ask(server.url)
    assert len(server.bodies) == 1


def test_an_endpoint_without_schemas_is_spoken_to_in_tools_and_stays_so() -> None:
    def answer(body: dict[str, Any], n: int) -> tuple[int, dict[str, Any]]:
        if "response_format" in body:
            return 400, {"error": {"message": "response_format json_schema is not supported"}}
        call = {"name": body["tools"][0]["function"]["name"], "arguments": json.dumps({"item": "t", "count": 2})}
        reply = build_completion(None)
        reply["choices"][0]["message"]["tool_calls"] = [{"id": "1", "type": "function", "function": call}]
        return 200, reply

    with FaultEndpoint(answer) as server:
        assert ask(server.url).value == {"item": "t", "count": 2}


def test_a_grammar_goes_to_the_engine_that_takes_one_instead_of_a_schema() -> None:
    with FaultEndpoint(lambda body, n: "{}") as server:
        assert ask(server.url, dialect=Dialect.GRAMMAR).value == {"item": None, "count": None}
    assert server.bodies[0]["grammar"] == "start: x"
    assert "response_format" not in server.bodies[0]


def test_a_key_is_trimmed_and_one_that_cannot_be_sent_is_refused_unseen() -> None:
    assert check_api_key(" abc\n") == "abc"
    with pytest.raises(UsageError) as caught:
        check_api_key("sk-secret\nvalue")
    assert "secret" not in str(caught.value)


def test_an_endpoint_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="cannot be reached"):
        ask("http://127.0.0.1:9/v1", attempts=1)


def test_the_scripted_endpoint_speaks_on_loopback_only() -> None:
    with FaultEndpoint(lambda body, n: "{}") as server:
        assert server.url.startswith("http://127.0.0.1:")


def test_a_chunk_that_is_too_long_for_the_engine_is_not_taken_for_a_wrong_dialect() -> None:
    said = "request (9000 tokens) exceeds the available context size (4096 tokens)"
    answer = (400, {"error": {"code": 400, "message": said, "type": "exceed_context_size_error"}})
    with FaultEndpoint(lambda body, n: answer) as server, pytest.raises(ModelError, match="lower chunk_tokens"):
        ask(server.url)
    assert len(server.bodies) == 1


def test_a_shape_that_strict_mode_cannot_take_is_asked_with_tools_at_once() -> None:
    deep: dict[str, Any] = {"type": ["string", "null"]}
    for _ in range(11):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"], "additionalProperties": False}

    def answer(body: dict[str, Any], n: int) -> tuple[int, dict[str, Any]]:
        call = {"id": "1", "type": "function", "function": {"name": "Answer", "arguments": "{}"}}
        reply = build_completion(None, finish="tool_calls")
        reply["choices"][0]["message"]["tool_calls"] = [call]
        return 200, reply

    async def go(url: str) -> None:
        model = LiveModel(Endpoint(url, "m", SECRET))
        await model.complete(Request("m", "Copy.", "What?", deep, {}))
        await model.aclose()

    with FaultEndpoint(answer) as server:
        asyncio.run(go(server.url))
    assert ["response_format" in body for body in server.bodies] == [False]
    assert server.bodies[0]["tools"]
