"""llama-cpp-python as an engine: built for the machine, served by a process of ours; a scripted library here, and the
real one where it is installed."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from extractor.cli.main import main
from extractor.errors import name_install_command
from extractor.models.local.catalog import Weights, locate_weights
from extractor.models.local.engines import NATIVE, XLLAMACPP, choose_engine, list_engines
from extractor.models.local.grammar import build_plain_grammar
from extractor.models.local.kept_engine import start_engine, stop_engine, use_engine
from extractor.models.local.server import (
    EngineNotStarted,
    LocalServer,
    ServerSettings,
    serve_model,
    serve_or_fall_back,
)
from extractor.models.local.speed import measure_speeds
from extractor.models.openai.completion import join_stream
from tests import tiny_gguf
from tests.llama_cpp_library import read_asked, write_library

pytestmark = pytest.mark.xdist_group("engine")
ROOT = Path(__file__).parents[1]
FEW = ServerSettings(n_ctx=1024, n_threads=1, n_ubatch=64)
SHAPE = {
    "type": "object",
    "properties": {"title": {"type": ["string", "null"], "maxLength": 40}},
    "required": ["title"],
    "additionalProperties": False,
}
GRAMMAR = build_plain_grammar(SHAPE)
WORDS = {"messages": [{"role": "user", "content": "A bolt."}], "max_tokens": 60}
needs_xllamacpp = pytest.mark.skipif(not XLLAMACPP.is_here, reason=name_install_command("local"))
needs_native = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason=f"no llama-cpp-python; {name_install_command('native')}"
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    path = tiny_gguf.write(tmp_path_factory.mktemp("weights") / "tiny.gguf")
    return locate_weights(path, path.parent)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXTRACTOR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EXTRACTOR_ENGINE", raising=False)


@pytest.fixture
def lend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Installs the scripted library; called again, with another script."""
    monkeypatch.syspath_prepend(str(tmp_path / "library"))

    def write(**told: Any) -> Path:
        return write_library(tmp_path / "library", **told)

    return write


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def ask(
    server: LocalServer, body: object, path: str = "/v1/chat/completions", key: str | None = None
) -> tuple[int, Any]:
    address = urlsplit(server.base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    with contextlib.closing(connection):
        head = {"Authorization": f"Bearer {server.api_key if key is None else key}"}
        connection.request("POST", path, json.dumps(body), head)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def read_text(answer: Any) -> str:
    return str(answer["choices"][0]["message"]["content"])


# How it is started, and how it ends


def test_it_is_started_as_xllamacpp_is_and_says_what_it_was_built_of(
    tiny: Weights, lend: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    package = lend()
    with serve_model(tiny, FEW, NATIVE) as server:
        opened = read_asked(package)[0]
        assert server.base_url.startswith("http://127.0.0.1:") and opened["pid"] == server.pid
        assert str(server.build) == "native llama-cpp-python 0.3.99 (llama.cpp 0.5.0)"
        assert server.build.features == ("AVX2", "AVX512") and not server.build.is_default
    assert opened["path"] == str(tiny.path)
    assert (opened["n_ctx"], opened["n_seq_max"], opened["n_threads"], opened["n_threads_batch"]) == (1024, 1, 1, 1)
    assert (opened["n_batch"], opened["n_ubatch"]) == (64, 64)
    assert "OPENAI_API_KEY" not in opened["environ"]
    assert until(lambda: not lives(server.pid))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_of_it_is_left_when_who_started_it_is_ended(
    how: signal.Signals, tiny: Weights, lend: Callable[..., Path]
) -> None:
    package = lend()
    code = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(package.parent)!r})
        from extractor.models.local.catalog import Weights
        from extractor.models.local.engines import NATIVE
        from extractor.models.local.server import ServerSettings, serve_model
        with serve_model(Weights("tiny", Path({str(tiny.path)!r}), "1" * 64), ServerSettings(n_threads=1), NATIVE):
            print("served", flush=True)
            time.sleep(60)
        """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "served\n"
        process.send_signal(how)
    assert until(lambda: not lives(read_asked(package)[0]["pid"]))


# What it answers


@pytest.fixture
def serve(tiny: Weights, lend: Callable[..., Path]) -> Iterator[Callable[..., tuple[LocalServer, Path]]]:
    with contextlib.ExitStack() as stack:

        def start(settings: ServerSettings = FEW, **told: Any) -> tuple[LocalServer, Path]:
            package = lend(**told)
            return stack.enter_context(serve_model(tiny, settings, NATIVE)), package

        yield start


def test_who_has_no_key_is_told_so_and_nothing_else(serve: Callable[..., tuple[LocalServer, Path]]) -> None:
    server, package = serve()
    for path in ("/v1/chat/completions", "/completion", "/v1/models", "/elsewhere"):
        for key in ("", "x" * 43, server.api_key + "x"):
            assert ask(server, WORDS, path, key)[0] == 401
    assert ask(server, WORDS, "/elsewhere")[0] == 404
    assert not [one for one in read_asked(package) if "read" in one]


@pytest.mark.parametrize(("length", "status"), [("99999999999", 413), ("", 411), ("-1", 413), ("1e3", 413)])
def test_what_is_too_much_is_refused_unread(
    length: str, status: int, serve: Callable[..., tuple[LocalServer, Path]]
) -> None:
    server, _ = serve()
    address = urlsplit(server.base_url)
    with socket.create_connection((address.hostname, address.port), 10) as connection:
        head = f"POST /completion HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_key}\r\n"
        connection.sendall((head + (f"Content-Length: {length}\r\n" if length else "") + "\r\n").encode())
        answer = b""
        while piece := connection.recv(1 << 16):  # it ends the connection
            answer += piece
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_the_reply_is_the_likeliest_that_fits_the_grammar(serve: Callable[..., tuple[LocalServer, Path]]) -> None:
    server, _ = serve(reply={"title": "bolt é"}, temptations="xyz")
    status, free = ask(server, WORDS)
    assert (status, read_text(free)) == (200, "z" * 60) and free["choices"][0]["finish_reason"] == "length"
    status, bound = ask(server, {**WORDS, "grammar": GRAMMAR, "temperature": 0, "seed": 7})
    assert json.loads(read_text(bound)) == {"title": "bolt é"} and bound["choices"][0]["finish_reason"] == "stop"
    assert ask(server, {**WORDS, "grammar": GRAMMAR})[1]["choices"] == bound["choices"]
    used = bound["usage"]
    assert used["completion_tokens"] == len(read_text(bound)) + 1  # with its end
    assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"]
    assert all(bound["timings"][name] >= 0 for name in ("prompt_ms", "predicted_ms"))
    assert bound["model"] == "tiny"


def test_a_reply_that_is_drawn_fits_too_and_is_the_same_for_the_same_seed(
    serve: Callable[..., tuple[LocalServer, Path]],
) -> None:
    server, _ = serve(reply={"title": "bolt"}, temptations="".join(chr(n) for n in range(128, 255)))
    body = {**WORDS, "grammar": GRAMMAR, "temperature": 0.8, "seed": 3, "top_p": 0.9}
    one, two = (ask(server, body)[1]["choices"] for _ in range(2))
    assert one == two and json.loads(one[0]["message"]["content"]) == {"title": "bolt"}


def test_what_is_asked_next_about_the_same_words_is_read_from_where_it_differs(
    serve: Callable[..., tuple[LocalServer, Path]],
) -> None:
    server, package = serve(reply={"title": "bolt"})
    page = {"role": "user", "content": "A bolt of brass. " * 30 + "Its title?"}
    first = ask(server, {"messages": [page]})[1]["usage"]
    again = {**page, "content": page["content"].replace("title?", "maker?")}
    second = ask(server, {"messages": [again]})[1]["usage"]
    kept = second["prompt_tokens_details"]["cached_tokens"]
    assert first["prompt_tokens_details"]["cached_tokens"] == 0 and first["prompt_tokens"] == second["prompt_tokens"]
    assert kept == 512 and max(one["read"] for one in read_asked(package) if "read" in one) <= FEW.n_ubatch
    third = ask(server, {"messages": [again]})[1]["usage"]
    whole = third["prompt_tokens"] - third["prompt_tokens"] % FEW.n_ubatch  # sums of a portion are those of a whole one
    assert third["prompt_tokens_details"]["cached_tokens"] == whole


def test_each_of_several_documents_is_kept_in_mind(serve: Callable[..., tuple[LocalServer, Path]]) -> None:
    server, _ = serve(ServerSettings(n_ctx=2048, n_threads=1, n_parallel=2), reply={"title": None})
    pages = [{"messages": [{"role": "user", "content": word * 100}]} for word in ("bolt ", "gear ")]
    kept = [ask(server, page)[1]["usage"]["prompt_tokens_details"]["cached_tokens"] for page in pages * 2]
    assert max(kept[:2]) < 50 and min(kept[2:]) > 500


@pytest.mark.parametrize(("room", "is_kept"), [(0, False), (1, True)])
def test_what_was_read_before_another_document_is_kept_as_far_as_there_is_room(
    room: int, is_kept: bool, serve: Callable[..., tuple[LocalServer, Path]]
) -> None:
    server, _ = serve(ServerSettings(n_ctx=1024, n_threads=1, cache_mib=room), reply={"title": "bolt"})
    pages = [{"messages": [{"role": "user", "content": word * 100}]} for word in ("bolt ", "gear ", "nail ")]
    answers = [ask(server, page)[1] for page in pages * 2]
    kept = [one["usage"]["prompt_tokens_details"]["cached_tokens"] for one in answers]
    assert max(kept[:3]) < 50 and [one > 500 for one in kept[3:]] == [is_kept] * 3
    assert {read_text(one) for one in answers} == {'{"title": "bolt"}'}


def test_how_likely_tokens_were_is_told_where_it_is_asked(serve: Callable[..., tuple[LocalServer, Path]]) -> None:
    server, _ = serve(reply={"title": "bolt"})
    assert ask(server, WORDS)[1]["choices"][0]["logprobs"] is None
    answer = ask(server, {**WORDS, "logprobs": True})[1]
    told = answer["choices"][0]["logprobs"]["content"]
    assert "".join(one["token"] for one in told) == read_text(answer)
    assert all(-0.01 < one["logprob"] <= 0 and bytes(one["bytes"]).decode() == one["token"] for one in told)


def test_a_stream_spells_the_same_reply(serve: Callable[..., tuple[LocalServer, Path]]) -> None:
    server, _ = serve(reply={"title": "bolt é"})
    whole = ask(server, {**WORDS, "logprobs": True})[1]
    address = urlsplit(server.base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    with contextlib.closing(connection):
        body = json.dumps({**WORDS, "logprobs": True, "stream": True})
        connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {server.api_key}"})
        lines = connection.getresponse().read().decode().splitlines()
    assert lines[-2:] == ["data: [DONE]", ""]
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-2] if line]
    spelled = join_stream(events)["choices"][0]
    assert spelled["message"] == whole["choices"][0]["message"] and spelled["finish_reason"] == "stop"
    assert spelled["logprobs"] == whole["choices"][0]["logprobs"]
    used, later = whole["usage"], events[-1]["usage"]
    assert [one["completion_tokens"] for one in (used, later)] == [len(read_text(whole).encode()) + 1] * 2


def test_a_reply_in_circles_is_stopped_and_what_it_said_is_kept(
    tiny: Weights, lend: Callable[..., Path], tmp_path: Path
) -> None:
    package = lend(reply={"names": ["bolt", *["nut"] * 30]})
    (tmp_path / "a.txt").write_text("A bolt and a nut.")
    names = {"type": "object", "properties": {"names": {"type": "array", "items": {"type": "string"}}}}
    (tmp_path / "schema.json").write_text(json.dumps(names))
    command = ["run", str(tmp_path / "a.txt"), "-o", str(tmp_path / "out"), "--schema", str(tmp_path / "schema.json")]
    main([*command, "--model", str(tiny.path), "--set", "engine=native", "--quiet"])
    told = json.loads((tmp_path / "out" / "a.json").read_text())
    assert told["record"] == {"names": ["bolt", "nut"]}
    assert told["usage"]["output_tokens"] < 90  # a byte each here: all of it has 210
    assert max(one["accepted"] for one in read_asked(package) if "accepted" in one) < 90


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**WORDS, "top_k": 3}, "Unsupported parameter: 'top_k'"),
        ({**WORDS, "stream": True, "top_k": 3}, "Unsupported parameter: 'top_k'"),
        ({**WORDS, "n": 2}, "Unsupported parameter: 'n'"),
        ({**WORDS, "seed": "7"}, "Unsupported value: 'seed'"),
        ({**WORDS, "grammar": "start: %json {}"}, "The grammar cannot be read."),
        ({"messages": "A bolt."}, "messages is to be a list"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "image input is not supported"),
        ({"messages": [{"role": "user", "content": "A bolt. " * 200}]}, "exceeds the available context size"),
        (["A bolt."], "no object"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_the_next_is_answered(
    body: object, said: str, serve: Callable[..., tuple[LocalServer, Path]]
) -> None:
    server, _ = serve(reply={"title": "bolt"})
    status, answer = ask(server, body)
    assert status == 400 and said in answer["error"]["message"]
    assert json.loads(read_text(ask(server, WORDS)[1])) == {"title": "bolt"}


def test_nothing_more_is_computed_for_a_client_that_has_gone(serve: Callable[..., tuple[LocalServer, Path]]) -> None:
    server, package = serve(reply={"title": "bolt " * 100}, seconds=0.05)
    address = urlsplit(server.base_url)
    body = json.dumps({**WORDS, "max_tokens": 500}).encode()
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_key}\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert until(lambda: any("read" in one for one in read_asked(package)))
    begun = time.monotonic()
    assert ask(server, {**WORDS, "max_tokens": 2})[0] == 200
    assert time.monotonic() - begun < 5  # 500 tokens take 25 s


def test_a_run_is_answered_by_it_and_its_manifest_says_so(
    tiny: Weights, lend: Callable[..., Path], tmp_path: Path
) -> None:
    package = lend(reply={"title": "bolt"})
    (tmp_path / "a.txt").write_text("A bolt.")
    (tmp_path / "schema.json").write_text(json.dumps(SHAPE))
    command = ["run", str(tmp_path / "a.txt"), "-o", str(tmp_path / "out"), "--schema", str(tmp_path / "schema.json")]
    assert main([*command, "--model", str(tiny.path), "--set", "engine=native", "--quiet"]) == 0
    assert json.loads((tmp_path / "out" / "a.json").read_text())["record"] == {"title": "bolt"}
    manifest = json.loads((tmp_path / "out" / "run.json").read_text())["manifest"]
    assert manifest["learnt"]["engine"] == {
        "name": "native",
        "build": "llama-cpp-python 0.3.99 (llama.cpp 0.5.0)",
        "features": ["AVX2", "AVX512"],
    }
    assert manifest["model"]["engine"] == manifest["learnt"]["engine"]
    grammar = next(one["grammar"] for one in read_asked(package) if "grammar" in one)
    assert grammar.startswith("root ::= ")


def test_it_can_be_kept_between_runs(tiny: Weights, lend: Callable[..., Path], tmp_path: Path) -> None:
    package = lend()
    kept = start_engine(tiny, FEW, 60.0, tmp_path / "engine", NATIVE)
    try:
        with use_engine(tiny, FEW, tmp_path / "engine", engine=NATIVE) as server:
            assert server == kept.server and server.build.name == "native"
    finally:
        stop_engine(tmp_path / "engine")
    assert until(lambda: not lives(read_asked(package)[0]["pid"]))


# What does not start


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"error": "unknown model architecture: 'new'"}, "unknown model architecture: 'new'"),
        ({"unusable": "Failed to load shared library"}, "RuntimeError: Failed to load shared library"),
        ({"unusable": "no numpy", "kind": "ImportError"}, "ImportError: no numpy"),
    ],
)
def test_one_that_does_not_start_says_why_and_xllamacpp_answers(
    told: dict[str, str], why: str, tiny: Weights, lend: Callable[..., Path]
) -> None:
    lend(**told)
    with pytest.raises(EngineNotStarted) as raised, serve_model(tiny, FEW, NATIVE):
        pass
    assert str(raised.value) == f"The engine native did not start ({why}); name another engine, or leave it out."
    if XLLAMACPP.is_here:
        notes: list[str] = []
        with serve_or_fall_back(tiny, FEW, NATIVE, notes.append) as server:
            assert server.build.is_default
        assert notes == [f"The engine native did not start ({why}); xllamacpp answers in its place."]


@needs_xllamacpp
def test_one_that_is_not_installed_is_told_with_its_command_and_what_that_takes(
    tiny: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "llama_cpp" else find_spec(name))
    notes: list[str] = []
    with serve_or_fall_back(tiny, FEW, NATIVE, notes.append) as server:
        assert server.build.is_default
    assert len(notes) == 1 and notes[0].endswith("xllamacpp answers in its place.")
    main(["doctor"])
    main(["models"])
    roomy = tiny_gguf.write(tmp_path / "roomy.gguf", context=4096)
    assert main(["models", "bench", str(roomy), "--engine", "native"]) == 0
    said = capsys.readouterr()
    for text in (notes[0], *(line for line in said.out.splitlines() if "native" in line), said.err):
        assert name_install_command("native") in text and "C++ compiler" in text and "minutes" in text
    assert sum("native" in line for line in said.out.splitlines()) == 3 and "so it is not measured" in said.err


def test_it_is_found_and_answers_unasked_only_where_xllamacpp_is_not_installed(
    lend: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lend()
    monkeypatch.setenv("PATH", "")
    assert choose_engine("native") == NATIVE and NATIVE in list_engines()
    assert choose_engine(None) == (XLLAMACPP if XLLAMACPP.is_here else NATIVE)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "xllamacpp" else find_spec(name))
    assert choose_engine(None) == NATIVE


def test_it_is_measured(tiny: Weights, lend: Callable[..., Path]) -> None:
    package = lend(seconds=0.002)
    (speed,) = measure_speeds(tiny, [NATIVE], FEW, read_tokens=18)
    assert speed.engine_name == "native" and speed.used == ("AVX2", "AVX512")
    assert speed.read > speed.write > 0
    writes = sum(one["read"] == 1 for one in read_asked(package) if "read" in one)
    assert 4 * 47 <= writes <= 4 * 48  # though its reply would end at once


# With the library itself


@needs_native
def test_the_library_itself_replies_in_the_shape_of_the_grammar_and_the_same_whatever_was_asked_before(
    tiny: Weights,
) -> None:
    pages = [{"messages": [{"role": "user", "content": word * 60}]} for word in ("A bolt. ", "A gear. ", "A bolt, a ")]
    told = {"grammar": GRAMMAR, "max_tokens": 200, "logprobs": True}
    answers = []
    for settings in (replace(FEW, n_ctx=2048), replace(FEW, n_ctx=4096, n_parallel=2, cache_mib=64)):
        for order in (pages, pages[::-1] * 2):
            with serve_model(tiny, settings, NATIVE) as server:
                answers += [(pages.index(page), ask(server, {**page, **told})[1]) for page in order]
                assert ask(server, {**WORDS, "grammar": "root ::= nothing"})[0] == 400 and server.build.features
    for n in range(len(pages)):
        said = [one["choices"] for which, one in answers if which == n]
        assert said == said[:1] * 6
        assert set(json.loads(said[0][0]["message"]["content"])) == {"title"}
    assert any(one["usage"]["prompt_tokens_details"]["cached_tokens"] for _, one in answers)


@needs_native
def test_the_library_itself_says_why_it_does_not_load_a_file(tiny: Weights, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny.path.read_bytes()[:4000])
    with (
        pytest.raises(EngineNotStarted, match="native did not start"),
        serve_model(Weights("x", broken, "1" * 64), FEW, NATIVE),
    ):
        pass


@needs_native
def test_the_library_itself_is_measured(tiny: Weights) -> None:
    (speed,) = measure_speeds(tiny, [NATIVE], FEW, read_tokens=18)
    assert speed.read > 0 and speed.write > 0 and os.sep not in speed.engine
