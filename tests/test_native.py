"""Anthropic's and Google's own interfaces, spoken by their libraries to scripted servers on loopback: the same seam,
with budgets, cache, cassettes and masks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_pdf

from extractor import Engine, ModelSettings, Status
from extractor.cli.main import main
from extractor.errors import ModelFatal, UsageError
from extractor.models.choice import choose_model
from extractor.models.endpoint import ApiKind
from extractor.models.native.google import convert_schema
from extractor.models.openai.pictures import replace_pictures
from extractor.testing import FaultAnswer, FaultEndpoint

pytest.importorskip("anthropic")
pytest.importorskip("google.genai")

Start = Callable[..., FaultEndpoint]
KEY = "sk-hunter22-and-more"
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": ["string", "null"]}, "sizes": {"type": "array", "items": {"type": "number"}}},
}
TEXT = "A bolt of sizes 4 and 5."
VALUE = {"title": "bolt", "sizes": [4, 5]}


def claude(*content: dict[str, Any], stop: str = "tool_use") -> tuple[int, Any]:
    """A message as Anthropic's interface has it."""
    usage = {"input_tokens": 8, "cache_read_input_tokens": 2, "output_tokens": 5}
    return 200, {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(content),
        "stop_reason": stop,
        "usage": usage,
    }


def tool_use(value: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t", "name": "Answer", "input": value}


def gemini(*parts: dict[str, Any], finish: str = "STOP") -> tuple[int, Any]:
    """A reply as Google's interface has it."""
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 15}
    content = {"role": "model", "parts": list(parts)}
    return 200, {"candidates": [{"content": content, "finishReason": finish, "index": 0}], "usageMetadata": usage}


def function_call(value: Any) -> dict[str, Any]:
    return {"functionCall": {"name": "Answer", "args": value}}


ANSWERS: dict[ApiKind, Callable[[Any], tuple[int, Any]]] = {
    ApiKind.ANTHROPIC: lambda value: claude(tool_use(value)),
    ApiKind.GOOGLE: lambda value: gemini(function_call(value)),
}
TEXTS: dict[ApiKind, Callable[..., tuple[int, Any]]] = {
    ApiKind.ANTHROPIC: lambda text, **more: claude({"type": "text", "text": text}, **({"stop": "end_turn"} | more)),
    ApiKind.GOOGLE: lambda text, **more: gemini({"text": text}, **more),
}
both = pytest.mark.parametrize("api", [ApiKind.ANTHROPIC, ApiKind.GOOGLE], ids=str)


def engine(server: FaultEndpoint, api: ApiKind, *, cache: Path | None = None, **said: Any) -> Engine:
    settings = ModelSettings(api=api, **said)
    return Engine("m", base_url=server.url, api_key=KEY, settings=settings, cache=cache)


def ask(server: FaultEndpoint, api: ApiKind, **said: Any) -> Any:
    with engine(server, api, **said) as one:
        return one.extract(TEXT, SCHEMA)


@both
def test_a_record_comes_by_the_makers_own_interface(api: ApiKind, faults: Start) -> None:
    server = faults(lambda body, n: ANSWERS[api](VALUE))
    result = ask(server, api)
    assert result.status is Status.COMPLETE and result.value == VALUE
    assert (result.usage.requests, result.usage.input_tokens, result.usage.output_tokens) == (1, 10, 5)
    assert result.file.manifest.parameters["api"] == str(api)
    assert server.requests == 1


def test_anthropic_is_sent_what_it_documents(faults: Start) -> None:
    server = faults(lambda body, n: claude(tool_use(VALUE)))
    ask(server, ApiKind.ANTHROPIC, headers={"X-Team": "docs"})
    body, headers = server.bodies[0], server.headers[0]
    assert server.paths == ["/v1/messages"]
    assert (
        KEY in (headers.get("x-api-key"), headers["authorization"].removeprefix("Bearer "))
        and headers["x-team"] == "docs"
        and "anthropic-version" in headers
    )
    assert body["tools"][0]["input_schema"]["properties"].keys() == SCHEMA["properties"].keys()
    assert body["tool_choice"]["name"] == body["tools"][0]["name"]
    assert "seed" not in body and body["max_tokens"] > 0 and body["messages"][0]["role"] == "user"
    assert TEXT in json.dumps(body["messages"]) and body["system"]


def test_google_is_sent_what_it_documents(faults: Start) -> None:
    server = faults(lambda body, n: gemini(function_call(VALUE)))
    ask(server, ApiKind.GOOGLE, temperature=0.5)
    body, headers = server.bodies[0], server.headers[0]
    assert server.paths == ["/v1/models/m:generateContent"]
    assert headers["x-goog-api-key"] == KEY
    declared = body["tools"][0]["functionDeclarations"][0]["parameters"]
    assert declared["properties"]["title"] == {"type": "STRING", "nullable": True}
    assert body["generationConfig"]["temperature"] == 0.5 and body["generationConfig"]["maxOutputTokens"] > 0
    assert TEXT in json.dumps(body["contents"]) and body["systemInstruction"]


@both
def test_json_in_a_text_is_read_too(api: ApiKind, faults: Start) -> None:
    server = faults(lambda body, n: TEXTS[api](f"```json\n{json.dumps(VALUE)}\n```"))
    assert ask(server, api).value == VALUE


@both
def test_where_no_tool_is_called_the_schema_goes_as_text(api: ApiKind, faults: Start) -> None:
    def script(body: dict[str, Any], n: int) -> Any:
        return TEXTS[api]("I cannot call that.") if body.get("tools") else TEXTS[api](json.dumps(VALUE))

    result = ask(server := faults(script), api)
    assert result.value == VALUE and result.file.manifest.learnt["dialect"] == "text"
    assert "tools" not in server.bodies[-1] and '"sizes"' in json.dumps(server.bodies[-1]).replace('\\"', '"')


@both
def test_a_reply_that_does_not_fit_is_asked_for_again(api: ApiKind, faults: Start) -> None:
    server = faults(lambda body, n: TEXTS[api]("A bolt.") if n == 1 else ANSWERS[api](VALUE))
    assert ask(server, api).value == VALUE
    assert server.requests == 2


@both
def test_a_refusal_is_a_refusal(api: ApiKind, faults: Start) -> None:
    refused = {ApiKind.ANTHROPIC: {"stop": "refusal"}, ApiKind.GOOGLE: {"finish": "SAFETY"}}
    result = ask(faults(lambda body, n: TEXTS[api]("", **refused[api])), api)
    assert [one.reason for one in result.failures] == ["refused"]


def test_a_reply_that_ends_with_the_window_is_never_taken_for_whole(faults: Start) -> None:
    cut = claude(tool_use({"title": "bolt", "sizes": [4]}), stop="model_context_window_exceeded")
    result = ask(faults(lambda body, n: cut), ApiKind.ANTHROPIC)
    assert result.status is Status.INCOMPLETE and [one.reason for one in result.failures] == ["cut short"]


def test_where_a_model_that_thinks_may_not_be_told_to_call_the_tool_it_chooses(faults: Start) -> None:
    words = "Thinking may not be enabled when tool_choice forces tool use."
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}

    def script(body: dict[str, Any], n: int) -> Any:
        return (400, error) if body["tool_choice"]["type"] == "tool" else claude(tool_use(VALUE))

    server = faults(script)
    assert ask(server, ApiKind.ANTHROPIC).value == VALUE and server.requests == 2


@both
def test_a_web_page_in_the_place_of_a_reply_is_a_failure_with_its_reason(api: ApiKind, faults: Start) -> None:
    page = FaultAnswer(body=b"<!DOCTYPE html><html>Sign in</html>", headers={"content-type": "text/html"})
    with contextlib.suppress(ModelFatal):
        result = ask(faults(lambda body, n: page), api, attempts=1)
        assert [one.reason for one in result.failures] == ["bad response"]


@both
def test_errors_go_by_their_names(api: ApiKind, faults: Start) -> None:
    names = {
        ApiKind.ANTHROPIC: {"type": "error", "error": {"type": "authentication_error", "message": f"bad {KEY}"}},
        ApiKind.GOOGLE: {"error": {"code": 401, "message": f"bad {KEY}", "status": "UNAUTHENTICATED"}},
    }
    with pytest.raises(ModelFatal, match="key") as caught:
        ask(faults(lambda body, n: (401, names[api])), api)
    assert KEY not in str(caught.value)


@both
def test_a_busy_maker_is_asked_again(api: ApiKind, faults: Start) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "later", "code": 529, "status": "x"}}
    server = faults(lambda body, n: (529 if n == 1 else 503, error) if n < 3 else ANSWERS[api](VALUE))
    assert ask(server, api).value == VALUE and server.requests == 3


@both
def test_a_server_that_is_not_there_is_a_failure_with_its_reason(api: ApiKind) -> None:
    settings = ModelSettings(api=api, attempts=1)
    with Engine("m", base_url="http://127.0.0.1:9", api_key=KEY, settings=settings) as one:
        assert [f.reason for f in one.extract(TEXT, SCHEMA).failures] == ["network"]


@both
def test_the_key_comes_back_masked(api: ApiKind, faults: Start) -> None:
    result = ask(faults(lambda body, n: ANSWERS[api]({"title": f"a {KEY}", "sizes": []})), api)
    assert KEY not in result.file.model_dump_json()


@both
def test_a_reply_is_paid_once_and_budgets_hold(api: ApiKind, faults: Start, tmp_path: Path) -> None:
    server = faults(lambda body, n: ANSWERS[api](VALUE))
    with engine(server, api, cache=tmp_path / "cache") as one:
        assert one.extract(TEXT, SCHEMA).value == one.extract(TEXT, SCHEMA).value == VALUE
    assert server.requests == 1
    with engine(server, api, max_requests=1) as one, pytest.raises(ModelFatal, match="max-requests"):
        one.extract(TEXT, SCHEMA)
        one.extract("Another bolt.", SCHEMA)


@both
def test_a_run_is_recorded_and_replayed(
    api: ApiKind, faults: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    server = faults(lambda body, n: ANSWERS[api](VALUE))
    flags = ["run", "a.txt", "--schema", "schema.json", "--model", "m", "--base-url", server.url, "--quiet"]
    assert main([*flags, "--set", f"api={api}", "--mode", "record", "-o", "one"]) == 0
    assert main([*flags, "--set", f"api={api}", "--mode", "replay", "-o", "two"]) == 0
    assert server.requests == 1
    one, two = (json.loads((tmp_path / out / "a.json").read_text()) for out in ("one", "two"))
    assert one["record"] == two["record"] == VALUE
    tape = next(tmp_path.rglob("cassettes/**/a.json")).read_text()
    assert KEY not in tape


@pytest.mark.parametrize(
    ("name", "variable", "api", "url"),
    [
        ("anthropic/claude-sonnet-5-5", "ANTHROPIC_API_KEY", ApiKind.ANTHROPIC, "https://api.anthropic.com"),
        ("claude-sonnet-5-5", "ANTHROPIC_API_KEY", ApiKind.ANTHROPIC, "https://api.anthropic.com"),
        ("google/gemini-2.5-flash", "GEMINI_API_KEY", ApiKind.GOOGLE, "https://generativelanguage.googleapis.com"),
    ],
)
def test_a_makers_model_is_asked_natively_where_its_library_is(
    name: str, variable: str, api: ApiKind, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = choose_model(name, None, {variable: "key-of-it"}).build_endpoint()
    assert (endpoint.api, endpoint.base_url) == (api, url)
    said = ModelSettings(api=ApiKind.OPENAI)
    assert choose_model(name, None, {variable: "key-of-it"}, settings=said).build_endpoint().api is ApiKind.OPENAI
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert choose_model(name, None, {variable: "key-of-it"}).build_endpoint().api is ApiKind.OPENAI
    with pytest.raises(UsageError, match="install"):
        choose_model(name, None, {variable: "key-of-it"}, settings=ModelSettings(api=api))


def test_a_schema_is_said_as_google_takes_it() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": "array", "items": {"type": ["number", "null"]}},
            "c": {"enum": [1, 2]},
            "d": {"type": ["number", "string", "null"]},
            "e": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": ["string", "null"]}]},
        },
        "additionalProperties": False,
    }
    assert convert_schema(schema)["properties"] == {
        "a": {"type": "string", "nullable": True, "enum": ["x"]},
        "b": {"type": "array", "items": {"type": "number", "nullable": True}},
        "c": {"type": "string"},
        "d": {"anyOf": [{"type": "number"}, {"type": "string"}], "nullable": True},
        "e": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string", "nullable": True}]},
    }


def test_pictures_go_along_in_the_form_of_each_interface(faults: Start, tmp_path: Path) -> None:
    """Anthropic's blocks before the text, Google's parts; and on a tape their digests."""
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([tiny_pdf.page([tiny_pdf.Line(72, 700, TEXT)])]))
    for api, reply in (("anthropic", claude(tool_use(VALUE))), ("google", gemini(function_call(VALUE)))):
        endpoint = faults(lambda body, n, reply=reply: reply)
        settings = ModelSettings(api=api, vision="always")
        with Engine("m", base_url=endpoint.url, api_key=KEY, settings=settings) as engine:
            result = engine.extract(path, SCHEMA)
        assert result.record == VALUE and result.evidence["/sizes/0"].spans[0].places[0].box
        body = endpoint.bodies[0]
        if api == "anthropic":
            image, *texts = body["messages"][0]["content"]
            assert image["type"] == "image" and image["source"]["media_type"] == "image/jpeg"
            data = image["source"]["data"]
        else:
            image, *texts = body["contents"][0]["parts"]
            assert "image/jpeg" in image["inlineData"].values()
            data = image["inlineData"]["data"]
        assert "page 1 as a picture" in texts[0]["text"] and TEXT in texts[-1]["text"]
        kept = replace_pictures(json.dumps(body).encode()).decode()
        assert data not in kept and "sha256:" in kept


def test_a_model_that_takes_no_pictures_is_asked_without_them_in_each_interface(faults: Start, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([tiny_pdf.page([tiny_pdf.Line(72, 700, TEXT)])]))
    told = {"type": "error", "error": {"type": "invalid_request_error", "message": "m does not support image input"}}
    error = {
        "error": {"code": 400, "message": "Image input modality is not enabled for m", "status": "INVALID_ARGUMENT"}
    }
    for api, refusal, reply in (
        ("anthropic", told, claude(tool_use(VALUE))),
        ("google", error, gemini(function_call(VALUE))),
    ):
        endpoint = faults(
            lambda body, n, refusal=refusal, reply=reply: (400, refusal) if "image/jpeg" in json.dumps(body) else reply
        )
        settings = ModelSettings(api=api, vision="always")
        with Engine("m", base_url=endpoint.url, api_key=KEY, settings=settings) as engine:
            assert engine.extract(path, SCHEMA).record == VALUE
        assert len(endpoint.bodies) == 2
