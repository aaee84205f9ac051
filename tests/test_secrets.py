"""No key in any file, log, stream, cassette, cache or traceback, whatever goes wrong: each scenario is run through the
command, then all files and both streams are searched for the key and its base64. Documents are in no log, either.
"""

from __future__ import annotations

import asyncio
import base64
import codecs
import json
import logging
import os
import re
import secrets
import string
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from extractor.cli.main import main
from extractor.models.choice import choose_model
from extractor.models.endpoint import Connection, Endpoint
from extractor.models.openai.transport import build_transport
from extractor.models.secrets import KEY_MASK, SecretMask, find_secrets
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion, build_error

REPOSITORY = Path(__file__).parent.parent
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


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "as it is sent": lambda key: f"Bearer {key}",
    "base64": lambda key: _base64(key.encode()),
    "base64 of the header": lambda key: _base64(f"Bearer {key}".encode()),
    "base64 after one sign": lambda key: _base64(f"x{key}y".encode()),
    "base64 after two signs": lambda key: _base64(f"xy{key}z".encode()),
    "base64 of JSON": lambda key: _base64(json.dumps({"key": key, "ok": False}).encode()),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(f"\u00ff?{key}".encode("latin-1")).decode(),
    "base64 in lines": lambda key: "\r\n".join(re.findall(".{1,16}", _base64(f"user:{key}".encode()))),
    "base32": lambda key: base64.b32encode(f"ab{key}".encode()).decode(),
    "hexadecimal": lambda key: key.encode().hex(),
    "HEXADECIMAL": lambda key: key.encode().hex().upper(),
    "a dump": lambda key: key.encode().hex(" "),
    "a fingerprint": lambda key: key.encode().hex(":"),
    "a list of bytes": lambda key: ", ".join(f"0x{b:02x}" for b in key.encode()),
    "a list of numbers": lambda key: str(list(key.encode())),
    "a list of signs": lambda key: ", ".join(f"'{c}'" for c in key),
    "percent": lambda key: "".join(f"%{b:02X}" for b in key.encode()),
    "percent twice": lambda key: "".join(f"%25{b:02x}" for b in key.encode()),
    "percent here and there": lambda key: "".join(f"%{ord(c):02x}" if i % 3 else c for i, c in enumerate(key)),
    "JSON escapes": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "JSON escapes, some": lambda key: "".join(f"\\u{ord(c):04X}" if i % 2 else c for i, c in enumerate(key)),
    "JSON escapes twice": lambda key: "".join(f"\\\\u{ord(c):04x}" for c in key),
    "escapes of C": lambda key: "".join(f"\\x{ord(c):02x}" for c in key),
    "octal": lambda key: "".join(f"\\{ord(c):03o}" for c in key),
    "escapes of Rust": lambda key: "".join(f"\\u{{{ord(c):x}}}" for c in key),
    "HTML": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "HTML, hexadecimal": lambda key: "".join(f"&#x{ord(c):X};" for c in key),
    "HTML twice": lambda key: "".join(f"&amp;#{ord(c)};" for c in key),
    "mail": lambda key: "".join(f"={ord(c):02X}" for c in key),
    "mail, in lines": lambda key: "=\r\n".join(re.findall(".{1,7}", key)),
    "reversed": lambda key: key[::-1],
    "upper case": str.upper,
    "lower case": str.lower,
    "in two lines": lambda key: f"{key[:9]}\n{key[9:]}",
    "in many lines": "\n".join,
    "spaced out": " ".join,
    "with invisible signs": "\u200b".join,
    "with soft hyphens": "\u00ad".join,
    "full width": lambda key: "".join(chr(ord(c) + 0xFEE0) for c in key),
    "in bold": lambda key: "".join(_bold(c) for c in key),
    "in marks": lambda key: "**".join(re.findall(".{1,5}", key)),
    "two bytes a letter": lambda key: "\0".join(key),
    "rot13": lambda key: codecs.encode(key, "rot13"),
    "a repr": lambda key: repr(key.encode()),
    "an address": lambda key: f"https://user:{key}@host/?k={key}",
}
"""Ways to send a key back from which it can be had again."""


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bold(letter: str) -> str:
    if letter.isascii() and letter.isalpha():
        return chr((0x1D400 if letter.isupper() else 0x1D41A) + ord(letter.lower()) - ord("a"))
    return letter


def spellings(key: str) -> list[bytes]:
    """What a file is searched for: the forms above, and all whose JSON would be something else."""
    forms = [spell(key) for spell in SPELLINGS.values()]
    return [form.encode() for form in forms] + [json.dumps(form)[1:-1].encode() for form in forms]


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
ECHOES: dict[str, Callable[[str], Any]] = {
    "as a value": lambda words: json.dumps({"title": words, "maker": f"by {words}."}),
    "in an error": lambda words: (401, build_error(f"Incorrect API key: {words} (sent)")),
    "in a header": lambda words: FaultAnswer(400, build_error("no"), {"x-key": json.dumps(words)[1:-1]}),
    "as a name": lambda words: json.dumps({words: 1, "title": "bolt"}),
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


@pytest.mark.fault(7)
@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_is_nowhere_however_it_is_sent_back(
    echo: str,
    key: str,
    place: Path,
    faults: Start,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    told = ECHOES[echo](" ~ ".join(spell(key) for spell in SPELLINGS.values()))
    server = faults(lambda body, n: told)
    for mode in ("live", "record"):
        run(server.url, "--mode", mode, "-o", f"out-{mode}", "--accept", "0")
    assert len(server.bodies) >= 2
    nowhere(key, place, *capfd.readouterr(), caplog.text)


@given(
    st.text(string.ascii_letters + string.digits + "-_.+/", min_size=20, max_size=60),
    st.sampled_from(list(SPELLINGS)),
    st.text(max_size=9),
    st.text(max_size=9),
)
def test_any_key_is_masked_in_any_form_within_any_words(key: str, spelling: str, before: str, after: str) -> None:
    assume(len(set(key)) > 5)
    mask = SecretMask([key, "another-secret-9876543210"])
    form = SPELLINGS[spelling](key)
    for text in (form, f"{before} {form} {after}", json.dumps([f"{before} {form} {after}"])):
        masked = mask.mask_text(text)
        assert form not in masked and json.dumps(form)[1:-1] not in masked
        assert KEY_MASK in masked
        assert mask.mask_text(masked) == masked
        assert mask.mask_bytes(text.encode("utf-8", "surrogatepass")) != text.encode("utf-8", "surrogatepass")
    assert mask.mask_json({"a": [form, {form: 1}]}) == mask.mask_json(mask.mask_json({"a": [form, {form: 1}]}))


@given(st.text(), st.binary())
def test_what_holds_no_key_stays_as_it_is(text: str, data: bytes) -> None:
    mask = SecretMask(["sk-" + "q7Zx" * 8, "none", ""])
    assert mask.mask_text(text) == text
    assert mask.mask_bytes(data) == data
    assert mask.mask_json([text, {text: None}, 1.5]) == [text, {text: None}, 1.5]


@pytest.mark.parametrize("filler", ['"', "\\", "a"])
def test_a_key_is_masked_wherever_a_long_text_is_cut(filler: str, key: str) -> None:
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in key)
    for before in range((1 << 16) - len(escaped), (1 << 16) + 2, 13):
        assert "[key]" in SecretMask(key).mask_text(filler * before + "," + escaped + filler * 99)


def test_a_word_that_stands_in_a_key_s_place_masks_no_words() -> None:
    assert SecretMask("none").mask_text("none") == "none"
    assert SecretMask("lm-studio").mask_text("LM Studio, not lm-studio") == "LM Studio, not [key]"


@pytest.mark.parametrize("hostile", ["\\", "%25", "&amp;", "=", "\u0301\u0323", "\\u0", "sk", "a ", "%2", "\\ud835"])
def test_masking_takes_time_in_proportion(hostile: str) -> None:
    """A ratio of CPU times; sixteen times the text would take 256 times as long, were it looked at again and again."""
    mask = SecretMask("sk-" + "q7Zx" * 8)

    def measure(size: int) -> float:
        text = hostile * (size // len(hostile))
        started = time.process_time()
        mask.mask_text(text)
        return time.process_time() - started

    assert min(measure(160_000) for _ in range(2)) < 80 * max(0.001, min(measure(10_000) for _ in range(5)))


def test_secrets_of_an_endpoint_are_its_key_its_headers_and_its_proxy_s_password() -> None:
    endpoint = Endpoint(
        "http://h/v1",
        "m",
        "key-of-the-endpoint",
        connection=Connection(
            headers={"api-key": "value-of-a-header", "x": "Token its-second-word", "short": "1"},
            proxy="http://user:password-of-it@proxy:1",
        ),
    )
    assert set(find_secrets(endpoint)) == {
        *("key-of-the-endpoint", "value-of-a-header", "Token its-second-word", "its-second-word", "password-of-it")
    }


def test_a_response_reaches_the_client_without_the_key_in_its_headers(key: str, faults: Start) -> None:
    server = faults(lambda body, n: FaultAnswer(200, b"{}", {"x-key": f"Bearer {key}", "x-other": "stays"}))

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=build_transport(Endpoint(server.url, "m", key), 1)) as client:
            return await client.post(server.url + "/chat/completions", json={})

    headers = asyncio.run(ask()).headers
    assert headers["x-key"] == f"Bearer {KEY_MASK}" and headers["x-other"] == "stays"


def test_no_library_logs_a_document_or_a_key(place: Path, faults: Start, key: str) -> None:
    """In a process of its own, since openai sets its logs up when it is imported."""
    canary = "canary-" + secrets.token_hex(8)
    (place / "in" / "a.txt").write_text(f"A bolt, {canary}.")
    server = faults(lambda body, n: FaultAnswer(200, build_completion('{"title": "bolt"}'), {"x-echo": key}))
    code = (
        "import logging, sys; logging.basicConfig(level=1); logging.getLogger().setLevel(1);"
        "from extractor.cli.main import main; code = main(sys.argv[1:]);"
        "import openai; logging.getLogger('openai').debug('of the host'); sys.exit(code)"
    )
    flags = ["run", "in", "-o", "out", "--task", "./task", "--model", "m", "--base-url", server.url, "--no-cache"]
    env = {**os.environ, "OPENAI_LOG": "debug", "OPENAI_API_KEY": key, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", code, *flags], cwd=place, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert canary not in done.stdout + done.stderr and key not in done.stdout + done.stderr
    assert "HTTP Request: POST" in done.stderr and "of the host" in done.stderr


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
