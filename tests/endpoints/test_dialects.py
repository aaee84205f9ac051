"""Schema, tools, JSON, plain text: the best that an endpoint takes is found once, from refusals and from replies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from extractor.testing import FaultAnswer, build_calls, build_completion, build_error
from tests.endpoints.door import (
    RIGHT,
    ROWS,
    SAID,
    TEXT,
    Body,
    answer_rightly,
    learnt,
    names_dialect,
    read,
    read_all,
    read_in_turn,
    refuse,
    serve,
)

SCHEMA_REFUSALS: dict[str, Any] = {
    "openai strict": (
        400,
        build_error("Invalid schema for response_format 'Answer': In context=('properties', 'a'), no"),
    ),
    "deepseek": (400, build_error("response_format: This type is unavailable now at line 1 column 20")),
    "google": (400, [{"error": {"code": 400, "message": "schema produces a constraint with too many states"}}]),
    "vllm": (400, {"object": "error", "message": "Failed to compile the grammar: xgrammar", "code": 400}),
    "openrouter": (404, build_error("No endpoints found that can handle response_format")),
    "mistral": (422, {"detail": [{"type": "literal_error", "loc": ["body", "response_format", "type"], "msg": "no"}]}),
    "litellm": (500, build_error("litellm.APIError: json_schema is beyond this one")),
    "wordless 400": (400, {}),
    "wordless 400 with a form": (400, build_error("Bad Request", "invalid_request_error")),
    "empty 400": FaultAnswer(400, b""),
    "wordless 404": (404, {}),
    "wordless 405": (405, build_error("")),
    "wordless 415": (415, {}),
    "wordless 422": (422, {"detail": ""}),
    "wordless 501": (501, {}),
    "501": (501, build_error("Not implemented")),
    "generic 400": (400, build_error("The request cannot be served in this way.")),
}


@pytest.mark.parametrize("maker", SCHEMA_REFUSALS, ids=lambda maker: maker.replace(" ", "_"))
def test_an_endpoint_that_refuses_schemas_is_asked_with_tools_from_then_on(maker: str) -> None:
    refused = SCHEMA_REFUSALS[maker]
    with serve(refuse(lambda body: refused if names_dialect(body) == "schema" else None)) as server:
        first = read(server)
        assert first.value == RIGHT and str(first.status) == "complete"
        assert server.requests == 2
        assert learnt(first)["dialect"] == "tools"


def test_a_dialect_is_found_once_for_all_documents() -> None:
    with serve(refuse(lambda body: (400, {}) if names_dialect(body) == "schema" else None)) as server:
        results = read_all(server, [TEXT, *(f"{TEXT}\n{i}" for i in range(20))])
    assert all(result.value == RIGHT for result in results)
    assert server.requests <= 21 + 8
    assert names_dialect(server.bodies[-1]) == "tools"


@pytest.mark.parametrize(
    "refused", [(500, build_error("internal error")), (500, {}), FaultAnswer(500, b"")], ids=["words", "none", "empty"]
)
def test_a_schema_that_makes_an_endpoint_fail_is_tried_twice_and_then_sent_otherwise(refused: Any) -> None:
    with serve(refuse(lambda body: refused if names_dialect(body) == "schema" else None)) as server:
        assert read(server).value == RIGHT
    assert [names_dialect(body) for body in server.bodies] == ["schema", "schema", "tools"]


@pytest.mark.parametrize("taken", ["schema", "tools", "json", "text"])
def test_the_best_dialect_that_is_taken_is_used(taken: str) -> None:
    with serve(refuse(lambda body: None if names_dialect(body) == taken else (400, {}))) as server:
        result = read(server)
    assert result.value == RIGHT
    assert learnt(result)["dialect"] == taken
    tried = [names_dialect(body) for body in server.bodies]
    assert tried == ["schema", "tools", "json", "text"][: len(tried)]


def test_plain_text_asks_for_no_form_and_has_the_schema_in_the_prompt() -> None:
    def only_text(body: Body, n: int) -> Any:
        if "response_format" in body or "tools" in body:
            return 400, build_error("response_format and tools are not for this one")
        return 200, build_completion(f"Here it is:\n```json\n{SAID}\n```\nAnything else?")

    with serve(only_text) as server:
        assert read(server).value == RIGHT
    assert '"price"' in server.bodies[-1]["messages"][0]["content"]


def test_parameters_that_are_refused_without_a_word_are_left_out_and_the_schema_is_not() -> None:
    with serve(refuse(lambda body: (400, {}) if "seed" in body else None)) as server:
        result = read(server)
    assert result.value == RIGHT
    assert learnt(result)["dialect"] == "schema" and learnt(result)["bare"] is True
    assert server.requests == 5
    assert "temperature" not in server.bodies[-1]


@pytest.mark.parametrize(
    "reply",
    ["It is order A-7, of three items.", f"# Order\n\n- number: A-7\n\n{SAID[:40]}", "[]", "{}{}", '{"colour": "red"}'],
    ids=["prose", "half", "an empty list", "two", "another schema"],
)
def test_a_model_that_answers_beside_the_schema_is_asked_with_tools_after_its_first_replies(reply: str) -> None:
    def ignores_response_format(body: Body, n: int) -> Any:
        return answer_rightly(body) if "tools" in body else (200, build_completion(reply))

    with serve(ignores_response_format) as server:
        first, second = read_all(server, [TEXT, TEXT + "\nThanks."])
        assert first.value == second.value == RIGHT
        assert learnt(second)["dialect"] == "tools"
        asked = server.requests
        assert asked <= 8
    with serve(ignores_response_format) as server:
        assert read(server).value == RIGHT
        assert [names_dialect(body) for body in server.bodies] == ["schema"] * 3 + ["tools"]


def test_a_model_that_never_answers_in_any_dialect_is_not_asked_in_all_of_them_again() -> None:
    with serve(lambda body, n: "I would rather not.") as server:
        results = read_all(server, [TEXT, TEXT + "\n1", TEXT + "\n2"])
    assert [result.failures[0].reason for result in results] == ["unreadable"] * 3
    assert server.requests <= 3 * 9  # all three may have begun at once


SAMPLES: dict[str, Any] = {
    "groq": {
        "error": {
            "message": "Failed to generate JSON. See 'failed_generation'.",
            "type": "invalid_request_error",
            "code": "json_validate_failed",
            "failed_generation": "{'number': A-7, with a tool, a schema and a context length}",
        }
    },
    "groq tools": {
        "error": {"message": "Failed to call a function.", "code": "tool_use_failed", "failed_generation": ""}
    },
    "in words": {"error": {"message": "The model output is not valid JSON for the schema", "type": "server_error"}},
}


@pytest.mark.parametrize("maker", SAMPLES)
def test_one_reply_that_the_endpoint_refuses_is_asked_for_again_and_changes_nothing_for_others(maker: str) -> None:
    def script(body: Body, n: int) -> Any:
        return (400, SAMPLES[maker]) if n == 3 else answer_rightly(body)

    with serve(script) as server:
        results = read_in_turn(server, [f"{TEXT}\n{i}" for i in range(7)])
    assert all(result.value == RIGHT for result in results)
    assert server.requests == 8
    assert {names_dialect(body) for body in server.bodies} == {"schema"}
    assert any("refused" in note for note in learnt(results[-1])["notes"])


def test_one_late_refusal_of_the_schema_itself_changes_nothing_for_others() -> None:
    late = (400, build_error("Invalid schema for response_format: In context=(), too deep"))

    def script(body: Body, n: int) -> Any:
        return late if n == 4 else answer_rightly(body)

    with serve(script) as server:
        results = read_in_turn(server, [f"{TEXT}\n{i}" for i in range(8)])
    assert all(result.value == RIGHT for result in results)
    assert {names_dialect(body) for body in server.bodies} == {"schema"}
    assert server.requests == 9
    assert learnt(results[-1])["dialect"] == "schema"


def test_a_schema_that_is_refused_for_one_document_alone_is_asked_otherwise_for_that_one() -> None:
    late = (400, build_error("Invalid schema for response_format: In context=(), too deep"))

    def script(body: Body, n: int) -> Any:
        hard = "HARD" in body["messages"][1]["content"] and names_dialect(body) == "schema" and n > 1
        return late if hard else answer_rightly(body)

    with serve(script) as server:
        results = read_in_turn(server, [TEXT, f"{TEXT}\nHARD", *(f"{TEXT}\n{i}" for i in range(5))])
    assert all(result.value == RIGHT for result in results)
    assert sum(names_dialect(body) == "tools" for body in server.bodies) == 1
    assert learnt(results[-1])["dialect"] == "schema"


CHOICE_REFUSALS = {
    "deepseek": "Thinking mode does not support this tool_choice",
    "dashscope": "The tool_choice parameter does not support being set to required or object in thinking mode",
    "anthropic": "Thinking may not be enabled when tool_choice forces tool use.",
}


@pytest.mark.parametrize("maker", CHOICE_REFUSALS)
def test_where_no_tool_can_be_chosen_the_model_chooses(maker: str) -> None:
    def refusal(body: Body) -> Any:
        if names_dialect(body) == "schema":
            return 400, build_error("response_format json_schema is not for this one")
        return (400, build_error(CHOICE_REFUSALS[maker])) if isinstance(body.get("tool_choice"), dict) else None

    with serve(refuse(refusal)) as server:
        result = read(server)
    assert result.value == RIGHT
    assert server.bodies[-1]["tool_choice"] == "auto"
    assert server.requests == 3


def test_where_tools_are_refused_in_any_way_json_is_asked_for() -> None:
    def refusal(body: Body) -> Any:
        match names_dialect(body):
            case "schema":
                return 400, build_error("json_schema is not for this one")
            case "tools":
                words = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
                return 400, {"object": "error", "message": words, "type": "BadRequestError", "code": 400}
        return None

    with serve(refuse(refusal)) as server:
        result = read(server)
    assert result.value == RIGHT and learnt(result)["dialect"] == "json"
    assert server.requests <= 4


def answer_with_tools(*replies: Any) -> Any:
    """A script that refuses schemas and gives these messages where tools are asked for."""

    def script(body: Body, n: int) -> Any:
        if names_dialect(body) != "tools":
            return 400, build_error("json_schema is not for this one")
        return 200, replies[min(n - 2, len(replies) - 1)]

    return script


def test_the_rows_of_several_calls_are_all_of_them() -> None:
    head = {"number": "A-7", "total": 120.5}
    calls = [json.dumps({**(head if i == 0 else {}), "rows": [row]}) for i, row in enumerate(ROWS)]
    with serve(answer_with_tools(build_calls(*calls))) as server:
        result = read(server)
    assert result.value == RIGHT and str(result.status) == "complete"
    assert server.requests == 2


def test_a_call_that_is_repeated_as_it_was_adds_nothing() -> None:
    with serve(answer_with_tools(build_calls(SAID, SAID))) as server:
        assert read(server).value == RIGHT


def test_what_calls_say_differently_is_kept_and_listed() -> None:
    calls = build_calls(json.dumps({"number": "A-7", "rows": ROWS}), json.dumps({"number": "Nuts", "total": 120.5}))
    with serve(answer_with_tools(calls)) as server:
        result = read(server)
    assert result.value == RIGHT
    assert [(one.path, one.value) for one in result.file.rejected] == [("/number", "Nuts")]


@pytest.mark.parametrize(
    "message",
    [
        build_completion(SAID),
        build_completion(f"```json\n{SAID}\n```"),
        build_completion(json.dumps({"name": "Answer", "arguments": RIGHT})),
        build_completion(json.dumps({"name": "Answer", "parameters": SAID})),
        build_completion(json.dumps({"type": "function", "function": {"name": "Answer", "arguments": SAID}})),
        build_completion(f'<tool_call>\n{{"name": "Answer", "arguments": {SAID}}}\n</tool_call>'),
        build_completion(None, function_call={"name": "Answer", "arguments": SAID}),
        build_completion(None, tool_calls=[{"function": {"name": "Answer", "arguments": RIGHT}}]),
    ],
    ids=["content", "fence", "spelled", "as text", "nested", "qwen", "function_call", "arguments as an object"],
)
def test_an_answer_that_is_no_call_though_a_call_was_asked_for_is_read(message: Any) -> None:
    with serve(answer_with_tools(message)) as server:
        assert read(server).value == RIGHT
    assert server.requests == 2
