"""A parameter that is refused is renamed, bounded or left out: once, for all that comes after, and it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extractor import Engine, ModelSettings
from extractor.cli.main import main
from extractor.models.endpoint import Dialect, Endpoint, ModelParameters
from extractor.models.openai.learnt import LearntTraits
from extractor.models.openai.parameters import RequestForm, build_parameters
from extractor.testing import FaultAnswer
from tests.endpoints.door import RIGHT, SCHEMA, TEXT, Body, learnt, read, read_all, refuse, serve


def openai(name: str, code: str = "unsupported_parameter", words: str = "is not supported with this model") -> Any:
    message = f"Unsupported parameter: '{name}' {words}."
    return 400, {"error": {"message": message, "type": "invalid_request_error", "param": name, "code": code}}


FORMS = {
    "openai": lambda name: openai(name),
    "openai value": lambda name: (
        400,
        {
            "error": {
                "message": f"Unsupported value: '{name}' does not support this; only the default is taken.",
                "type": "invalid_request_error",
                "param": name,
                "code": "unsupported_value",
            }
        },
    ),
    "openai argument": lambda name: (
        400,
        {"error": {"message": f"Unrecognized request argument supplied: {name}", "type": "invalid_request_error"}},
    ),
    "azure": lambda name: (
        400,
        {"error": {"code": "unsupported_parameter", "message": f"'{name}' cannot be had here.", "param": name}},
    ),
    "mistral": lambda name: (
        422,
        {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 1}
            ]
        },
    ),
    "mistral wrapped": lambda name: (
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra", "input": 1}]},
            "type": "invalid_request_error",
        },
    ),
    "vllm": lambda name: (
        400,
        {
            "object": "error",
            "message": f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs', 'input': 1}}]",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    "pydantic 1": lambda name: (
        422,
        {"detail": [{"loc": ["body", name], "msg": "extra fields not permitted", "type": "value_error.extra"}]},
    ),
    "fireworks": lambda name: (
        400,
        {"error": {"object": "error", "message": f"Extra inputs are not permitted, field: '{name}', value: 1"}},
    ),
    "google": lambda name: (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.',
                    "status": "INVALID_ARGUMENT",
                    "details": [{"fieldViolations": [{"description": f'Unknown name "{name}"'}]}],
                }
            }
        ],
    ),
    "anthropic": lambda name: (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": f"{name}: Extra inputs are not permitted"},
        },
    ),
    "anthropic deprecated": lambda name: (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": f"`{name}` is deprecated for this model."},
        },
    ),
    "litellm": lambda name: (
        400,
        {
            "error": {
                "message": f"litellm.UnsupportedParamsError: m does not support parameters: ['{name}'], drop_params",
                "type": "None",
                "param": "None",
                "code": "400",
            }
        },
    ),
    "litellm as 500": lambda name: (
        500,
        {"error": {"message": f"m does not support parameters: {{'{name}': 1}}", "type": None, "code": 500}},
    ),
    "openrouter": lambda name: (
        400,
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": json.dumps(openai(name)[1]), "provider_name": "P"},
            }
        },
    ),
    "xai": lambda name: (
        400,
        {"code": "Client specified an invalid argument", "error": f"Argument not supported on this model: {name}"},
    ),
    "cerebras": lambda name: (
        400,
        {"message": f"property '{name}' is unsupported", "type": "invalid_request_error", "code": "wrong_api_format"},
    ),
    "databricks": lambda name: (
        400,
        {"error_code": "BAD_REQUEST", "message": f'Bad request: json: unknown field "{name}"'},
    ),
    "plain words": lambda name: FaultAnswer(400, f"{name} is not allowed".encode(), {"content-type": "text/plain"}),
    "a 502 of a gateway": lambda name: (502, {"error": f"upstream: unsupported parameter {name}"}),
}


@pytest.mark.parametrize("name", ["temperature", "seed"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.replace(" ", "_"))
def test_a_parameter_that_is_refused_is_left_out_from_then_on(form: str, name: str) -> None:
    with serve(refuse(lambda body: FORMS[form](name) if name in body else None)) as server:
        first, second = read_all(server, [TEXT, TEXT + "\nThanks."], engine=None)
    assert first.value == second.value == RIGHT
    assert name not in server.bodies[-1] and "max_tokens" in server.bodies[-1]
    assert server.requests <= 4  # both may have been under way when the first was refused
    assert learnt(second)["left_out"] == [name]


@pytest.mark.parametrize("code", ["unsupported_parameter", "invalid_request_body", None])
def test_max_tokens_is_renamed_once_for_the_run(code: str | None) -> None:
    refused = openai("max_tokens", code or "", "is not supported; use 'max_completion_tokens' instead")
    with serve(refuse(lambda body: refused if "max_tokens" in body else None)) as server:
        results = read_all(server, [TEXT, *(f"{TEXT}\n{i}" for i in range(9))])
    assert all(result.value == RIGHT for result in results)
    assert learnt(results[-1])["renamed"] == {"max_tokens": "max_completion_tokens"}
    assert "max_completion_tokens" in server.bodies[-1]
    assert server.requests <= 10 + 8  # what was under way with the first, and no more


def test_all_that_a_reasoning_model_refuses_is_learnt_one_after_the_other() -> None:
    def refusal(body: Body) -> Any:
        refused = next((name for name in ("max_tokens", "temperature", "seed", "logprobs") if name in body), None)
        return openai(refused) if refused else None

    with serve(refuse(refusal)) as server:
        result = read(server)
        assert result.value == RIGHT and str(result.status) == "complete"
    assert server.requests == 5
    assert learnt(result) == {
        "dialect": "schema",
        "renamed": {"max_tokens": "max_completion_tokens"},
        "left_out": ["logprobs", "seed", "temperature"],
        "notes": learnt(result)["notes"],
    }


def test_a_bound_that_is_taken_under_neither_name_is_left_out() -> None:
    def refusal(body: Body) -> Any:
        refused = next((name for name in ("max_tokens", "max_completion_tokens") if name in body), None)
        return FORMS["vllm"](refused) if refused else None

    with serve(refuse(refusal)) as server:
        assert read(server).value == RIGHT
    assert server.requests == 3


LIMITS = {
    "openai": "max_tokens is too large: {asked}. This model takes at most 1000 completion tokens; {asked} were asked.",
    "groq": "`max_tokens` must be less than or equal to `1000`, the maximum value for this model",
    "groq's window": "`max_tokens` must be less than or equal to `1000`, which is less than its `context_window`",
    "bedrock": "The maximum tokens you requested exceeds the model limit of 1000.",
    "anthropic": "max_tokens: {asked} > 1000, which is the maximum allowed number of output tokens",
    "deepseek": "Invalid max_tokens value, the valid range of max_tokens is [1, 1000]",
    "google": "max_tokens: the supported range is from 1 (inclusive) to 1001 (exclusive)",
    "volcengine": "The parameter `max_tokens` is not valid: integer above maximum value, expected <= 1000, got {asked}",
    "without a number of its own": "max_tokens is too large: {asked}",
}


@pytest.mark.parametrize("maker", LIMITS)
@pytest.mark.parametrize("status", [400, 416, 422])
def test_a_bound_that_is_too_large_is_lowered_and_not_left_out(maker: str, status: int) -> None:
    def refusal(body: Body) -> Any:
        if body["max_tokens"] <= 1000:
            return None
        return status, {"error": {"message": LIMITS[maker].format(asked=body["max_tokens"]), "param": "max_tokens"}}

    with serve(refuse(refusal)) as server:
        result = read(server)
        again = read(server, TEXT + "\nMore.")
    assert result.value == again.value == RIGHT
    assert 500 < server.bodies[-1]["max_tokens"] <= 1000
    assert server.requests <= 8
    assert learnt(result)["max_output"] <= 1000


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 3000 tokens. However, you requested 5096 tokens (1000 in the messages, "
        "4096 in the completion). Please reduce the length of the messages or completion.",
        "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 3000 "
        "tokens and your request has 1000 input tokens (4096 > 3000 - 1000).",
        "input length and `max_tokens` exceed context limit: 1000 + 4096 > 3000, decrease input length or `max_tokens`",
        "`inputs` tokens + `max_new_tokens` must be <= 3000. Given: 1000 `inputs` tokens and 4096 `max_new_tokens`",
        "This model's maximum context length is 3000 tokens. However, you requested 4096 output tokens and your prompt "
        "contains at least 1000 input tokens, for a total of at least 5096 tokens.",
        "the request exceeds the context window with this max_tokens",
    ],
    ids=["openai", "vllm", "anthropic", "tgi", "vllm 2026", "no numbers"],
)
def test_a_reply_that_does_not_fit_beside_its_prompt_is_given_less_room(words: str) -> None:
    def refusal(body: Body) -> Any:
        too_much = body["max_tokens"] > 2000
        return (400, {"error": {"message": words, "type": "invalid_request_error"}}) if too_much else None

    with serve(refuse(refusal)) as server:
        result = read(server)
    assert result.value == RIGHT and str(result.status) == "complete"
    assert 900 < server.bodies[-1]["max_tokens"] <= 2000
    assert server.requests <= 4


def test_a_bound_that_is_kept_and_refused_again_is_halved() -> None:
    words = "maximum context length is 5000 tokens and your request has 10 input tokens (4096 max_tokens > 5000 - 10)"
    with serve(
        refuse(lambda body: (400, {"error": {"message": words}}) if body["max_tokens"] > 2048 else None)
    ) as server:
        assert read(server).value == RIGHT
    assert server.requests <= 3


@pytest.mark.parametrize("words", ["m does not support thinking", "This model does not support reasoning"])
def test_a_model_that_is_told_how_to_think_and_cannot_is_not_told(words: str) -> None:
    settings = ModelSettings(reasoning_effort="low")
    with (
        serve(refuse(lambda body: (400, {"error": words}) if "reasoning_effort" in body else None)) as server,
        Engine("m", base_url=server.url, settings=settings) as engine,
    ):
        assert engine.extract(TEXT, SCHEMA).value == RIGHT
    assert server.requests == 2


def test_a_switch_that_has_to_be_set_is_set() -> None:
    words = "parameter.enable_thinking must be set to false for non-streaming calls"

    def refusal(body: Body) -> Any:
        return (400, {"error": {"message": words}}) if body.get("enable_thinking") is not False else None

    with serve(refuse(refusal)) as server:
        assert read(server).value == RIGHT
    assert server.requests == 2


@pytest.mark.parametrize(
    "words",
    [
        "System role not supported",
        "Developer instruction is not enabled for this model",
        "Conversation roles must alternate user/assistant/user/assistant",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "Invalid value: 'system'. Taken are 'user' and 'assistant'.",
    ],
)
def test_a_model_without_a_system_message_has_its_words_from_the_user(words: str) -> None:
    def refusal(body: Body) -> Any:
        return (400, {"error": {"message": words}}) if body["messages"][0]["role"] == "system" else None

    with serve(refuse(refusal)) as server:
        assert read(server).value == RIGHT
    assert [m["role"] for m in server.bodies[-1]["messages"]] == ["user"]
    assert server.bodies[0]["messages"][0]["content"] in server.bodies[-1]["messages"][0]["content"]


def test_of_two_that_exclude_each_other_the_one_that_no_user_has_set_is_left_out() -> None:
    sent = build({"temperature": 0, "max_tokens": 9}, ModelParameters(top_p=0.5))
    assert sent["top_p"] == 0.5 and sent["temperature"] == 0
    from extractor.models.openai.problem import read_problem
    from extractor.models.openai.refusals import find_parameter

    words = "`temperature` and `top_p` cannot both be specified for this model"
    problem = read_problem(400, json.dumps({"error": {"message": words}}).encode())
    assert find_parameter(problem, sent, frozenset({"top_p"})) == "temperature"
    assert find_parameter(problem, sent, frozenset({"temperature"})) == "top_p"


def test_a_member_of_a_message_is_no_parameter() -> None:
    from extractor.models.openai.problem import read_problem
    from extractor.models.openai.refusals import find_parameter

    wrong = {"detail": [{"type": "extra_forbidden", "loc": ["body", "messages", 2, "assistant", "reasoning_content"]}]}
    problem = read_problem(422, json.dumps(wrong).encode())
    assert find_parameter(problem, {"temperature": 0, "seed": 1}, frozenset()) is None


def build(
    asked: dict[str, Any], parameters: ModelParameters, url: str = "https://host/v1", **endpoint: Any
) -> dict[str, Any]:
    one = Endpoint(url, "m", "none", parameters=parameters, **endpoint)
    return build_parameters(asked, one, LearntTraits(one), RequestForm())


GREEDY = {"temperature": 0, "seed": 1, "max_tokens": 400}


def test_what_a_user_sets_is_sent_instead_of_what_the_request_asks_for() -> None:
    wanted = ModelParameters(temperature=0.7, seed=9, top_p=0.2, reasoning_effort="low", max_output=77)
    assert build(GREEDY, wanted) == {
        "temperature": 0.7,
        "seed": 9,
        "top_p": 0.2,
        "reasoning_effort": "low",
        "max_tokens": 77,
    }
    assert build(GREEDY, ModelParameters(extra_body={"seed": 3, "min_p": 0.1})) == {**GREEDY, "seed": 3, "min_p": 0.1}
    own = ModelParameters(extra_body={"max_completion_tokens": 50})
    assert build(GREEDY, own) == {"temperature": 0, "seed": 1, "max_completion_tokens": 50}


def test_what_a_model_is_known_to_refuse_is_never_sent() -> None:
    known = build(GREEDY, ModelParameters(), refuses=frozenset({"temperature", "seed", "max_tokens"}))
    assert known == {"max_completion_tokens": 400}
    assert build(GREEDY, ModelParameters(), thinks=True)["max_tokens"] == 16_400
    assert build(GREEDY, ModelParameters(), thinks=True, max_output=8_000)["max_tokens"] == 8_000


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://api.anthropic.com/v1", {"thinking": {"type": "disabled"}}),
        ("https://api.deepseek.com", {"thinking": {"type": "disabled"}}),
        ("https://openrouter.ai/api/v1", {"reasoning": {"enabled": False}}),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", {"enable_thinking": False}),
        ("https://generativelanguage.googleapis.com/v1beta/openai", {"reasoning_effort": "none"}),
        ("https://api.openai.com/v1", {"reasoning_effort": "none"}),
        ("https://host/v1", {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)
def test_a_model_is_told_not_to_think_in_its_makers_way(url: str, sent: dict[str, Any]) -> None:
    assert build({}, ModelParameters(thinking=False), url) == sent


def test_the_least_effort_that_the_model_knows_is_taken_where_it_cannot_be_told_not_to_think() -> None:
    from extractor.models.openai.errors import SentRequest, translate_problem
    from extractor.models.openai.problem import read_problem
    from extractor.models.openai.refusals import ParameterRefused

    endpoint = Endpoint("https://api.openai.com/v1", "m", "none", parameters=ModelParameters(thinking=False))
    told = LearntTraits(endpoint)
    sent = SentRequest(endpoint.base_url, "m", {"reasoning_effort": "none"}, told.set_by_user)
    words = "Unsupported value: 'none' is not supported. Supported values are: 'minimal', 'low', and 'high'."
    body = {"error": {"message": words, "param": "reasoning_effort", "code": "unsupported_value"}}
    refusal = translate_problem(read_problem(400, json.dumps(body).encode()), sent)
    assert isinstance(refusal, ParameterRefused) and told.refuse(refusal)
    assert build_parameters({}, endpoint, told, RequestForm()) == {"reasoning_effort": "minimal"}


def test_nothing_that_a_user_has_set_is_dropped_without_a_word() -> None:
    notes: list[str] = []
    endpoint = Endpoint("https://host/v1", "m", "none", parameters=ModelParameters(top_p=0.5))
    told = LearntTraits(endpoint, notes.append)
    from extractor.errors import ModelError
    from extractor.models.openai.problem import Problem
    from extractor.models.openai.refusals import ParameterRefused

    refusal = ParameterRefused(ModelError("no"), "top_p", Problem(400))
    assert told.refuse(refusal) and not told.refuse(refusal)
    assert len(notes) == 1 and "top_p" in notes[0] and "though it was set" in notes[0]


def test_a_run_tells_what_was_learnt_on_the_terminal_and_in_its_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "order.schema.json").write_text(json.dumps(SCHEMA))
    with serve(refuse(lambda body: FORMS["mistral"]("seed") if "seed" in body else None)) as server:
        command = [
            "run",
            "a.txt",
            "--schema",
            "order.schema.json",
            "--model",
            "m",
            "--base-url",
            server.url,
            "-o",
            "out",
        ]
        assert main(command) == 0
        asked = server.requests
        assert main(command) == 0
        assert server.requests == asked  # what was learnt does not make the results another run's
    assert "refuses seed" in capsys.readouterr().err
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["manifest"]["learnt"]["left_out"] == ["seed"]
    assert run["manifest"]["learnt"]["dialect"] == str(Dialect.SCHEMA)
