import json

import pytest

from extractor.errors import ReplyUnreadable
from extractor.models.endpoint import Dialect
from extractor.models.openai.chat import build_chat_request, build_request_body
from extractor.models.openai.completion import parse_completion
from extractor.models.openai.reply import InvalidReply
from extractor.testing import build_completion
from extractor.types import Request

SHAPE = {"type": "object", "properties": {"item": {"type": ["string", "null"]}}, "required": ["item"]}
REQUEST = Request("m", "Copy.", "What is {{ 7*7 }}?", SHAPE, {"temperature": 0}, "start: x")


def test_a_question_that_is_put_again_leaves_the_first_one_as_it_was() -> None:
    first = build_chat_request(REQUEST, Dialect.SCHEMA, SHAPE)
    before = json.dumps(first.arguments)
    reply = parse_completion(json.dumps(build_completion('{"item": 5}')).encode())
    with pytest.raises(InvalidReply) as caught:
        first.read_reply(reply)
    second = first.repeat_with_error(reply, caught.value)
    assert json.dumps(first.arguments) == before
    assert len(second.arguments["messages"]) > len(first.arguments["messages"])
    assert second.arguments["response_format"] == first.arguments["response_format"]


@pytest.mark.parametrize("calls", [None, [], [{"id": "1", "type": "function", "function": {"name": "Answer"}}]])
def test_a_reply_without_the_call_that_was_asked_for_is_unreadable_and_no_crash(calls: object) -> None:
    told = build_completion(None)
    told["choices"][0]["message"]["tool_calls"] = calls
    with pytest.raises(ReplyUnreadable):
        build_chat_request(REQUEST, Dialect.TOOLS, SHAPE).read_reply(parse_completion(json.dumps(told).encode()))


def test_the_body_is_in_the_order_that_openai_sends() -> None:
    asked = build_chat_request(REQUEST, Dialect.GRAMMAR, SHAPE)
    assert list(build_request_body(asked.arguments)) == ["messages", "model", "temperature", "grammar"]
