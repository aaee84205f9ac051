import json

from extractor.models.endpoint import Dialect
from extractor.models.openai.chat import build_chat_request, build_request_body
from extractor.models.openai.completion import parse_completion
from extractor.models.openai.reply import InvalidReply
from extractor.testing import build_completion
from extractor.types import Request

SHAPE = {"type": "object", "properties": {"item": {"type": ["string", "null"]}}, "required": ["item"]}
REQUEST = Request("m", "Copy.", "What is {{ 7*7 }}?", SHAPE, {"temperature": 0}, "start: x")
GREEDY = {"temperature": 0}


def test_a_question_that_is_put_again_leaves_the_first_one_as_it_was() -> None:
    first = build_chat_request(REQUEST, Dialect.SCHEMA, SHAPE, GREEDY)
    before = json.dumps(first.arguments)
    reply = parse_completion(json.dumps(build_completion('{"item": 5}')).encode())
    second = first.repeat_with_error(reply, InvalidReply("item: is no text"))
    assert json.dumps(first.arguments) == before
    assert len(second.arguments["messages"]) > len(first.arguments["messages"])
    assert second.arguments["response_format"] == first.arguments["response_format"]


def test_the_body_is_in_the_order_that_openai_sends() -> None:
    asked = build_chat_request(REQUEST, Dialect.GRAMMAR, SHAPE, GREEDY)
    assert list(build_request_body(asked.arguments)) == ["messages", "model", "temperature", "grammar"]


def test_a_schema_in_the_prompt_keeps_the_order_of_its_keys_and_text_asks_for_no_form() -> None:
    other = {**SHAPE, "properties": {"b": {"type": "null"}, "a": {"type": "null"}}}
    for schema in (SHAPE, other):
        request = Request("m", "Copy.", "What?", schema, {})
        for dialect in (Dialect.JSON, Dialect.TEXT):
            asked = build_chat_request(request, dialect, schema, {}).arguments
            assert json.dumps(schema, indent=2)[2:] in asked["messages"][0]["content"]
            assert ("response_format" in asked) == (dialect is Dialect.JSON)
            assert "tools" not in asked


def test_the_words_of_the_system_lead_the_users_where_a_model_takes_no_system_message() -> None:
    asked = build_chat_request(REQUEST, Dialect.SCHEMA, SHAPE, {}, folds_system=True).arguments
    assert asked["messages"] == [{"role": "user", "content": "Copy.\n\nWhat is {{ 7*7 }}?"}]
