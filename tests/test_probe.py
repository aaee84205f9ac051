"""`extractor models` lists what can be named, and `models probe` finds out what an endpoint's model can do."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.main import main
from extractor.models.config_file import read_config_file
from extractor.models.served_window import pick_entry
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion, build_error

Start = Callable[..., FaultEndpoint]
ANSWER = '{"number": "A-7", "total": 12.5}'


def answer_tools(body: dict[str, Any], text: str = ANSWER) -> Any:
    name = body["tools"][0]["function"]["name"]
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": text}}
    return 200, build_completion(None, finish="tool_calls", tool_calls=[call])


def serve(**listed: Any) -> Callable[[dict[str, Any], int], Any]:
    """An endpoint that takes every dialect; what it tells of its model by path is `listed`."""

    def script(body: dict[str, Any], n: int) -> Any:
        if not body:
            return 200, {"data": [{"id": "other", "context_length": 1}, {"id": "m", **listed}]}
        return answer_tools(body) if "tools" in body else ANSWER

    return script


def probe(server: FaultEndpoint, *flags: str) -> int:
    return main(["models", "probe", "m", "--base-url", server.url, *flags])


def found(server: FaultEndpoint, capfd: pytest.CaptureFixture[str], *flags: str) -> dict[str, Any]:
    code = probe(server, "--json", *flags)
    told: dict[str, Any] = json.loads(capfd.readouterr().out)
    return {**told, "code": code}


def test_what_an_endpoint_takes_is_found_out_and_counted(faults: Start, capfd: pytest.CaptureFixture[str]) -> None:
    told = found(server := faults(serve(max_model_len=24_000)), capfd)
    assert told["code"] == 0
    assert told["dialects"] == dict.fromkeys(("schema", "tools", "json", "text"), "right")
    assert told["window"] == 24_000 and told["thinks"] is False and told["token_probabilities"] is False
    assert told["requests"] == server.requests and told["tokens"] == 4 * 15


def test_what_is_printed_can_be_pasted_into_a_config_file(
    faults: Start, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def script(body: dict[str, Any], n: int) -> Any:
        if "temperature" in body:
            told = build_error("Unsupported value: 'temperature'", "unsupported_value")
            return 400, {"error": {**told["error"], "param": "temperature"}}
        if "response_format" in body:
            return 400, build_error("response_format is not supported")
        return serve(context_length=40_000, max_completion_tokens=5_000)(body, n)

    server = faults(script)
    assert probe(server) == 0
    out = capfd.readouterr().out
    table = out.partition("# for extractor.toml\n")[2]
    assert tomllib.loads(table)["models"]["m"] == {
        "base_url": server.url,
        "dialect": "tools",
        "omit": ["temperature"],
        "window": 40_000,
        "max_output": 5_000,
        "class": "strong",
    }
    (tmp_path / "my.toml").write_text(table)
    assert read_config_file(tmp_path / "my.toml").models["m"].settings.window == 40_000
    assert "dialect schema" in out and "temperature" in out.partition("# for")[0]


def test_thinking_and_probabilities_are_seen(faults: Start, capfd: pytest.CaptureFixture[str]) -> None:
    def script(body: dict[str, Any], n: int) -> Any:
        completion = build_completion(ANSWER, reasoning_content="hm")
        if body.get("logprobs"):
            completion["choices"][0]["logprobs"] = {"content": [{"token": ANSWER, "logprob": -0.1}]}
        return 200, completion

    told = found(faults(script), capfd)
    assert told["thinks"] is True and told["token_probabilities"] is True


def test_a_model_that_answers_but_not_what_the_text_says_is_wrong(
    faults: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    told = found(faults(lambda body, n: '{"number": "B-8", "total": 1}'), capfd, "--set", "dialect=json")
    assert told["dialects"] == {"json": "wrong"} and told["code"] == 0


def test_an_endpoint_that_answers_nothing_is_said_and_exit_1(faults: Start, capfd: pytest.CaptureFixture[str]) -> None:
    told = found(faults(lambda body, n: "I would rather not."), capfd, "--set", "attempts=1")
    assert told["code"] == 1 and set(told["dialects"]) == {"schema", "tools", "json", "text"}
    assert all(came.endswith(".") or came for came in told["dialects"].values())


@pytest.mark.parametrize(("status", "says"), [(401, "key"), (402, "quota")])
def test_what_no_question_can_pass_ends_it(
    faults: Start, capfd: pytest.CaptureFixture[str], status: int, says: str
) -> None:
    server = faults(lambda body, n: (status, build_error("no")))
    assert probe(server) == 2
    assert says in capfd.readouterr().err and server.requests <= 3


def test_a_server_that_is_not_there_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "probe", "m", "--base-url", "http://127.0.0.1:9/v1", "--set", "attempts=1"]) == 2
    out, err = capfd.readouterr()
    assert "127.0.0.1:9" in err and not out


def test_an_embedded_model_needs_no_probe(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "probe", "smollm2-135m"]) == 2
    assert "embedded" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("path", "answer", "window"),
    [
        ("/v1/models", {"data": [{"id": "m", "max_model_len": 4096}]}, 4096),
        (
            "/v1/models",
            {"data": [{"id": "m", "context_length": 8000, "top_provider": {"max_completion_tokens": 5}}]},
            8000,
        ),
        ("/v1/models", {"data": [{"id": "x", "meta": {"n_ctx_train": 2048}}]}, 2048),
        ("/v1/models", [{"id": "m", "context_window": 131072}], 131072),
        ("/props", {"default_generation_settings": {"n_ctx": 1024}, "total_slots": 1}, 1024),
        ("/api/v0/models", {"data": [{"id": "m", "max_context_length": 9000, "loaded_context_length": 4096}]}, 4096),
        ("/api/ps", {"models": [{"name": "m", "context_length": 4096}]}, 4096),
    ],
)
def test_the_window_is_read_where_each_maker_tells_it(
    faults: Start, capfd: pytest.CaptureFixture[str], path: str, answer: Any, window: int
) -> None:
    server = faults(lambda body, n: None)

    def script(body: dict[str, Any], n: int) -> Any:
        if body:
            return answer_tools(body) if "tools" in body else ANSWER
        return (200, answer) if server.paths[-1] == path else (404, {})

    server.script = script
    told = found(server, capfd)
    assert told["window"] == window


@pytest.mark.parametrize(
    "told", [None, 1, "x", [], [1], {"data": "x"}, {"data": [{"id": "a"}, {"id": "b"}]}, {"data": [None]}]
)
def test_a_list_that_tells_nothing_tells_nothing(told: Any) -> None:
    entry = pick_entry(told, "m")
    assert not isinstance(entry, dict) or "id" not in entry


def test_models_lists_embedded_configured_and_vendors(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my.toml").write_text('[models.fast]\nmodel = "gpt-5-mini"\nbase_url = "http://h/v1?sig=hunter22"\n')
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    assert main(["models", "--config", str(tmp_path / "my.toml")]) == 0
    out = capfd.readouterr().out
    for word in ("qwen2.5-coder-1.5b", "fast", "gpt-5-mini", "anthropic/NAME", "MISTRAL_API_KEY (set)"):
        assert word in out
    assert "hunter22" not in out
    assert main(["models", "--json"]) == 0
    assert {"name", "sha256"} <= json.loads(capfd.readouterr().out)[0].keys()


def test_a_window_that_is_no_number_is_not_told(faults: Start, capfd: pytest.CaptureFixture[str]) -> None:
    told = found(faults(serve(context_length="many", max_model_len=True, context_window=-1)), capfd)
    assert told["window"] is None
    told = found(faults(lambda body, n: FaultAnswer(200, b"<html>") if not body else serve()(body, n)), capfd)
    assert told["window"] is None and told["code"] == 0
