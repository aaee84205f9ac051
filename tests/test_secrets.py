"""No key in any file, log, stream, cassette, cache or traceback, whatever goes wrong: each scenario is run through the
command, then all files and both streams are searched for the key and its base64. Documents are in no log, either.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.main import main
from extractor.models.choice import choose_model
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion, build_error

Start = Callable[..., FaultEndpoint]
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}, "maker": {"type": "string"}}}


@pytest.fixture
def key() -> str:
    return "sk-" + secrets.token_urlsafe(24)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "task" / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n\n{question}\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("A bolt.")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def run(url: str, *flags: str) -> int:
    return main(["run", "in", "-o", "out", "--task", "./task", "--model", "m", "--base-url", url, *flags])


def spellings(key: str) -> list[bytes]:
    plain = key.encode()
    return [plain, base64.b64encode(plain).rstrip(b"="), base64.b64encode(b"Bearer " + plain)[8:-4]]


def nowhere(key: str, place: Path, *streams: str) -> None:
    held = {str(p): p.read_bytes() for p in place.rglob("*") if p.is_file()}
    held |= {f"stream {i}": s.encode() for i, s in enumerate(streams)}
    assert any("out" in name for name in held)
    for name, content in held.items():
        for spelling in spellings(key):
            assert spelling not in content, f"the key is in {name}"


def echo(key: str) -> dict[str, Any]:
    return build_error(f"Incorrect API key provided: {key} ({base64.b64encode(key.encode()).decode()})")


SCENARIOS: dict[str, Callable[[str], Any]] = {
    "a good reply": lambda key: '{"title": "bolt"}',
    "a refused key, echoed": lambda key: (401, echo(key)),
    "a forbidden request, echoed": lambda key: (403, echo(key)),
    "a bad request, echoed": lambda key: (400, echo(key)),
    "a server error, echoed": lambda key: (500, echo(key)),
    "a refusal, echoed": lambda key: (429, {**echo(key), "error": {"code": "insufficient_quota", "message": key}}),
    "the key in a header": lambda key: FaultAnswer(400, echo(key), {"x-key": key, "set-cookie": key}),
    "the key as a value": lambda key: json.dumps({"title": key, "maker": f"by {key}"}),
    "the key as base64": lambda key: json.dumps({"title": base64.b64encode(key.encode()).decode()}),
    "the key in escapes": lambda key: '{"title": "' + "".join(f"\\u{ord(c):04x}" for c in key) + '"}',
    "the key as no json": lambda key: f"Your key is {key}",
    "the key as an extra key": lambda key: json.dumps({key: 1}),
    "the key as a refusal": lambda key: (200, build_completion(None, refusal=key)),
    "the key cut short": lambda key: (200, build_completion('{"title": "' + key, finish="length")),
    "the key as a redirect": lambda key: FaultAnswer(302, b"", {"location": f"http://127.0.0.1:9/{key}"}),
    "the key as html": lambda key: FaultAnswer(200, f"<html>{key}</html>".encode(), {"content-type": "text/html"}),
}


@pytest.mark.fault(7)
@pytest.mark.parametrize("mode", ["live", "record"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_key_is_nowhere(
    scenario: str,
    mode: str,
    key: str,
    place: Path,
    faults: Start,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("OPENAI_API_KEY", f" {key}\n")
    told = SCENARIOS[scenario](key)
    server = faults(lambda body, n: told)
    run(server.url, "--mode", mode)
    assert server.headers[0]["authorization"] == f"Bearer {key}"
    nowhere(key, place, *capfd.readouterr(), caplog.text)


@pytest.mark.parametrize("bad", ["{}\nmore", "{}é", "{} {}", "{}\0"])
def test_a_key_that_cannot_be_sent_is_refused_unseen(
    bad: str, key: str, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "key").write_text(bad.format(key, key))
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(place / "key"))
    assert run("http://127.0.0.1:9/v1") == 2
    out, err = capfd.readouterr()
    assert key not in out + err and "OPENAI_API_KEY_FILE" in err


def test_a_key_comes_from_a_file_trimmed(key: str, place: Path, faults: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "key").write_text(f"\n  {key} \r\n")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(place / "key"))
    server = faults(lambda body, n: '{"title": "bolt"}')
    assert run(server.url, "--quiet") == 0
    assert server.headers[0]["authorization"] == f"Bearer {key}"


@pytest.mark.parametrize("content", ["", " \n", "x" * 9000, None, "folder"])
def test_a_file_that_holds_no_key_is_named(
    content: str | None, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = place / "key"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(path))
    assert run("http://127.0.0.1:9/v1") == 2
    assert str(path) in capfd.readouterr().err


def test_two_keys_are_one_too_many(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "one")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", "two")
    assert main(["run", ".", "--task", "invoice", "--model", "m"]) == 2
    assert "unset one" in capfd.readouterr().err


def test_no_flag_takes_a_key(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    flags = [word for word in capfd.readouterr().out.split() if word.startswith("--")]
    assert flags and not [f for f in flags if "key" in f or "secret" in f or "token=" in f]


def test_no_traceback_shows_the_key(key: str) -> None:
    choice = choose_model("m", "http://127.0.0.1:9/v1", {"OPENAI_API_KEY": key})
    try:
        raise RuntimeError(repr(choice))
    except RuntimeError as failed:
        lines = traceback.TracebackException.from_exception(failed, capture_locals=True).format()
        assert key not in "".join(line for line in lines if "key =" not in line)


def test_an_address_with_a_password_is_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("http://user:hunter22@127.0.0.1:9/v1") == 2
    out, err = capfd.readouterr()
    assert "hunter22" not in out + err and "OPENAI_API_KEY" in err


def test_a_document_is_in_no_log(
    place: Path, faults: Start, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    canary = "canary-" + secrets.token_hex(8)
    (place / "in" / "a.txt").write_text(f"A bolt, {canary}.")
    caplog.set_level(logging.INFO)
    for n, told in enumerate([(400, build_error(f"bad: {canary}")), f"no json {canary}", (500, build_error(canary))]):
        server = faults(lambda body, i, t=told: t)
        run(server.url, "-o", f"out{n}", "--no-cache")
    out, err = capfd.readouterr()
    assert canary not in out + err + caplog.text


@pytest.mark.fault(21)
def test_a_proxy_is_gone_through_when_it_is_asked_for(
    place: Path, faults: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = faults(lambda body, n: '{"title": "bolt"}')
    monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
    monkeypatch.setenv("no_proxy", "")
    assert run("http://endpoint.invalid/v1", "--use-proxy", "--quiet") == 0
    assert proxy.paths == ["http://endpoint.invalid/v1/chat/completions"]
