"""The real engine on a model of 100 kB; and on real weights, where they are, what only they can show."""

import asyncio
import errno
import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from extractor.child_processes import build_python_command
from extractor.errors import UsageError, WeightsError, name_install_command
from extractor.models.choice import choose_model
from extractor.models.client_options import Mode
from extractor.models.endpoint import Endpoint
from extractor.models.local.catalog import Weights, locate_weights
from extractor.models.local.grammar import build_plain_grammar, build_reply_grammar
from extractor.models.local.server import LocalServer, ServerSettings, count_usable_threads, serve_model
from extractor.models.open_endpoint import open_endpoint
from extractor.models.openai.client import LiveModel
from extractor.types import Reply, Request
from tests import tiny_gguf
from tests.tiny_gguf import CONTEXT

pytestmark = pytest.mark.xdist_group("engine")  # one engine is enough for a machine
ROOT = Path(__file__).parents[1]
FEW = ServerSettings(n_ctx=1024, n_threads=1)
SHAPE = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["colour", "count"],
    "additionalProperties": False,
}

REPLY = {
    "type": "object",
    "properties": {
        "colour": {"enum": ['the "red" one', "grün", None]},
        "name": {"type": ["string", "null"], "maxLength": 9},
        "mails": {"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 2},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"sure": {"type": "boolean"}, "price": {"type": ["number", "string"], "maxLength": 4}},
                "required": ["sure", "price"],
                "additionalProperties": False,
            },
            "maxItems": 3,
        },
    },
    "required": ["colour", "name", "mails", "rows"],
    "additionalProperties": False,
}

pytest.importorskip("xllamacpp", reason=f"no embedded engine; {name_install_command('local')}")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    path = tiny_gguf.write(tmp_path_factory.mktemp("weights") / "tiny.gguf")
    return locate_weights(path, path.parent)


@pytest.fixture(scope="module")
def engine(tiny: Weights) -> Iterator[LocalServer]:
    with serve_model(tiny, FEW) as engine:
        yield engine


def ask(engine: LocalServer, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
    """Status and JSON of one request."""
    request = urllib.request.Request(
        engine.base_url + path,
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json", **({} if key is None else {"Authorization": f"Bearer {key}"})},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def chat(engine: LocalServer, text: str = "What colour, and how many?", **more: Any) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": text}], "temperature": 0, "seed": 1, "max_tokens": 60, **more}
    status, reply = ask(engine, "/chat/completions", body, engine.api_key)
    assert status == 200, reply
    return dict(reply)


def said(reply: dict[str, Any]) -> str:
    return str(reply["choices"][0]["message"]["content"])


@pytest.mark.parametrize("key", [None, "", "wrong", "no-key-required"])
@pytest.mark.parametrize("path", ["/models", "/chat/completions", "/completions", "/embeddings"])
def test_who_has_no_key_gets_nothing(engine: LocalServer, path: str, key: str | None) -> None:
    body = None if path == "/models" else {"messages": [{"role": "user", "content": "x"}], "prompt": "x", "input": "x"}
    assert ask(engine, path, body, key)[0] == 401


def test_who_has_the_key_gets_an_answer_in_the_models_name(engine: LocalServer) -> None:
    reply = chat(engine)
    assert reply["model"] == engine.model == "tiny"
    assert reply["usage"]["completion_tokens"] > 0


def test_no_reply_tells_where_the_file_is(engine: LocalServer, tiny: Weights) -> None:
    listed = ask(engine, "/models", key=engine.api_key)[1]
    assert listed["data"][0]["id"] == "tiny"
    for reply in (listed, chat(engine)):
        assert str(tiny.path.parent) not in json.dumps(reply)


def test_the_key_is_new_each_time_and_shows_nowhere(tiny: Weights, engine: LocalServer) -> None:
    with serve_model(tiny, FEW) as other:
        assert other.api_key != engine.api_key
        assert len(other.api_key) >= 32
        assert ask(engine, "/models", key=other.api_key)[0] == 401
    assert engine.api_key not in repr(engine)


def test_the_engine_says_what_it_is(engine: LocalServer, tiny: Weights) -> None:
    assert engine.digest == tiny.digest
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", engine.base_url)
    assert engine.build.name == "xllamacpp" and engine.build.build
    assert engine.settings == FEW


def test_it_listens_on_loopback_only(engine: LocalServer) -> None:
    port = int(engine.base_url.split(":")[2].split("/")[0])
    with socket.socket() as free:  # who listens on all addresses holds this one too
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.2", port))
    with socket.socket() as taken, pytest.raises(OSError):
        taken.bind(("127.0.0.1", port))


def test_nothing_listens_after_the_block(tiny: Weights) -> None:
    with serve_model(tiny, FEW) as engine:
        pass
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(engine, "/models", key=engine.api_key)


def test_nothing_listens_after_an_error_in_the_block(tiny: Weights) -> None:
    with pytest.raises(ZeroDivisionError), serve_model(tiny, FEW) as engine:
        raise ZeroDivisionError
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(engine, "/models", key=engine.api_key)


def test_a_schema_is_kept_to(engine: LocalServer) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "r", "strict": True, "schema": SHAPE}}
    value = json.loads(said(chat(engine, response_format=form)))
    assert value["colour"] in ("red", "green")
    assert value["count"] in range(10)


def test_a_compact_grammar_is_kept_to_without_white_space(engine: LocalServer) -> None:
    compact = {**SHAPE, "x-guidance": {"whitespace_flexible": False}}
    text = said(chat(engine, grammar="%llguidance {}\nstart: %json " + json.dumps(compact)))
    assert re.fullmatch(r'\{"colour":"(red|green)","count":[0-9]\}', text)


def test_the_grammar_that_every_build_reads_allows_the_same_replies(engine: LocalServer) -> None:
    plain = build_plain_grammar(REPLY)
    assert plain is not None
    for text in ("What colour, and how many?", "Where?", "Who wrote to whom?"):
        replies = [chat(engine, text, grammar=one, max_tokens=200) for one in (build_reply_grammar(REPLY), plain)]
        assert said(replies[0]) == said(replies[1])
        assert replies[0]["choices"][0]["finish_reason"] == replies[1]["choices"][0]["finish_reason"] == "stop"


def test_words_can_be_held_to_those_of_the_document(engine: LocalServer) -> None:
    words = json.dumps({"substring_words": "the quick brown fox"})
    text = said(chat(engine, grammar=f'%llguidance {{}}\nstart: "<" SPAN ">"\nSPAN: %regex {words}'))
    assert text[0] + text[-1] == "<>"
    assert text[1:-1] in "the quick brown fox"


def test_a_reply_that_hits_its_limit_says_so(engine: LocalServer) -> None:
    reply = chat(engine, max_tokens=3, grammar='root ::= "abcdefgh"')
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 3


def test_the_same_question_gets_the_same_answer_from_a_new_engine_and_from_a_warm_one(
    engine: LocalServer, tiny: Weights
) -> None:
    document = "A document that several questions are asked of. " * 5
    chat(engine, document + "Another question?")
    warm = chat(engine, document + "The question.")
    with serve_model(tiny, FEW) as new:
        cold = chat(new, document + "The question.")
    assert warm["timings"]["cache_n"] > 200 > cold["timings"]["cache_n"]
    assert said(warm) == said(cold)


def test_a_reply_tells_how_long_the_engine_computed(engine: LocalServer) -> None:
    timings = chat(engine)["timings"]
    assert timings["prompt_ms"] > 0
    assert timings["predicted_ms"] > 0


def test_a_prompt_beyond_the_context_is_refused_and_not_cut(engine: LocalServer) -> None:
    body = {"messages": [{"role": "user", "content": "word " * 1000}], "max_tokens": 5}
    status, reply = ask(engine, "/chat/completions", body, engine.api_key)
    assert status == 400
    assert reply["error"]["type"] == "exceed_context_size_error"


def test_documents_that_are_read_at_a_time_have_a_context_each(tiny: Weights) -> None:
    def request(text: str) -> Request:
        user = f"{text} " * 20
        return Request(
            "tiny",
            "",
            user,
            SHAPE,
            {"temperature": 0, "seed": 1, "max_tokens": 60},
            build_reply_grammar(SHAPE),
        )

    async def ask_both(endpoint: Endpoint) -> list[Reply]:
        model = LiveModel(endpoint)
        try:
            return await asyncio.gather(*(model.complete(request(t)) for t in ("ab", "cd")))
        finally:
            await model.aclose()

    choice = choose_model(str(tiny.path), None)
    with open_endpoint(choice, Mode.LIVE, at_once=2) as endpoint:
        for reply in asyncio.run(ask_both(endpoint)):
            assert reply.value["colour"] in ("red", "green")
    with (
        pytest.raises(UsageError, match="lower --concurrency"),
        open_endpoint(choice, Mode.LIVE, at_once=17),
    ):
        pass


def test_a_given_port_is_used(tiny: Weights) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serve_model(tiny, ServerSettings(n_ctx=512, n_threads=1, port=port)) as engine:
        assert engine.base_url == f"http://127.0.0.1:{port}/v1"
        assert chat(engine)["model"] == "tiny"


def test_a_port_that_is_taken_is_one_sentence(tiny: Weights, engine: LocalServer) -> None:
    port = int(engine.base_url.split(":")[2].split("/")[0])
    with (
        pytest.raises(UsageError, match=rf"^Port {port} is taken; name another, or 0 for any that is free\.$"),
        serve_model(tiny, ServerSettings(port=port)),
    ):
        pass


def test_a_damaged_file_is_refused_and_the_process_lives_on(tmp_path: Path, tiny: Weights) -> None:
    whole = tiny.path.read_bytes()
    for name, data in (
        ("half", whole[: len(whole) // 2]),
        ("header", whole[:200]),
        ("holes", whole[:100] + bytes(200) + whole[300:]),
        ("text", b"not a model"),
    ):
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(data)
        with (
            pytest.raises(WeightsError, match=rf"{name}\.gguf") as told,
            serve_model(Weights("x", path, "0" * 64), FEW),
        ):
            pass
        assert str(told.value).endswith(".")
        assert str(told.value).isprintable()


def test_the_reason_for_which_a_file_cannot_be_loaded_is_told(tmp_path: Path, tiny: Weights) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(tiny.path.read_bytes()[:-1000])
    with (
        pytest.raises(WeightsError, match=r"tokens \(.*data is not within the file bounds.*\); name another file"),
        serve_model(Weights("x", path, "0" * 64), FEW),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_ctx", 0),
        ("n_ctx", 2_000_000_000),
        ("n_parallel", 0),
        ("n_threads", 0),
        ("n_threads", 513),
        ("n_ubatch", -1),
        ("cache_mib", -1),
        ("port", -1),
        ("port", 65536),
        ("spin", -1),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=rf"^{name} must be from \d+ to \d+, not {value}\.$"):
        ServerSettings(**{name: value})


def test_there_is_at_least_one_thread() -> None:
    assert 1 <= count_usable_threads() <= (os.cpu_count() or 1)


def test_the_engine_ends_when_who_started_it_has_gone_while_it_loaded(tiny: Weights) -> None:
    order = {
        **asdict(FEW),
        "path": str(tiny.path),
        "model": "tiny",
        "host": "127.0.0.1",
        "key": "k",
    }
    process = subprocess.Popen(
        build_python_command("extractor.models.local.process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.close()
    process.stdout.close()
    assert process.wait(timeout=60) == 0


def refused(base: str) -> bool:
    """Whether, within 30 s, nobody listens there any more."""
    host, port = base.split("/")[2].split(":")
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == errno.ECONNREFUSED:
                return True
        time.sleep(0.1)
    return False


def child(tiny: Weights, block: str, *, verbose: bool = False) -> subprocess.Popen[str]:
    """A process that serves the model and runs the block within; its base URL is the first line of its output."""
    code = f"""
        import json, os, sys, time, urllib.request
        from pathlib import Path
        from extractor.models.local.server import ServerSettings, serve_model
        from extractor.models.local.catalog import Weights
        weights = Weights("tiny", Path({str(tiny.path)!r}), {tiny.sha256!r})
        with serve_model(weights, ServerSettings(n_ctx=512, n_threads=1, verbose={verbose})) as engine:
            print(engine.base_url, flush=True)
            {block}
        """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_engine_is_left_after_the_process_was_ended(how: signal.Signals, tiny: Weights) -> None:
    with child(tiny, "time.sleep(60)") as process:
        assert process.stdout
        base = process.stdout.readline().strip()
        assert urllib.request.urlopen(base.removesuffix("/v1") + "/health").status == 200
        process.send_signal(how)
        process.communicate(timeout=30)
    assert refused(base)


@pytest.mark.parametrize("stream", [True, False])
def test_the_block_ends_though_a_reply_is_being_made(stream: bool, tiny: Weights) -> None:
    with serve_model(tiny, ServerSettings(n_ctx=CONTEXT, n_threads=1)) as engine:
        connection = http.client.HTTPConnection(engine.base_url.split("/")[2])
        body = {"prompt": "x", "max_tokens": 100_000, "ignore_eos": True, "stream": stream}
        connection.request("POST", "/v1/completions", json.dumps(body), {"Authorization": f"Bearer {engine.api_key}"})
        if stream:
            assert connection.getresponse().readline().startswith(b"data:")
    with pytest.raises(ProcessLookupError):
        os.kill(engine.pid, 0)
    assert refused(engine.base_url)
    connection.close()


def test_the_engine_is_quiet_and_our_own_stderr_is_not(tiny: Weights) -> None:
    out, err = child(tiny, "print('ours', file=sys.stderr)").communicate(timeout=60)
    assert err == "ours\n"
    assert len(out.splitlines()) == 1


def test_the_engines_log_is_there_for_who_wants_it(tiny: Weights) -> None:
    _, err = child(tiny, "print('ours', file=sys.stderr)", verbose=True).communicate(timeout=60)
    assert "ours\n" in err
    assert "llama" in err


def test_without_the_package_the_message_says_what_to_install(tiny: Weights) -> None:
    code = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT)!r})
        from extractor.models.local.server import UsageError, serve_model
        from extractor.models.local.catalog import Weights
        try:
            with serve_model(Weights("tiny", Path({str(tiny.path)!r}), "")):
                pass
        except UsageError as error:
            print(error)
        """
    bare = [sys.executable, "-S", "-c", textwrap.dedent(code)]  # -S: as if no package were installed
    done = subprocess.run(bare, capture_output=True, text=True, timeout=60, cwd="/")
    done_by = shlex.quote(sys.executable)
    assert done.stdout == (
        "The embedded engine cannot be used (no xllamacpp); "
        f"run `{done_by} -m pip install -e '{ROOT}[local]'`, or name an endpoint with --base-url.\n"
    ), done.stderr


# With real weights


@pytest.fixture(scope="module")
def smol() -> Iterator[LocalServer]:
    try:
        found = locate_weights("smollm2-135m")
    except WeightsError as error:
        pytest.skip(str(error))
    with serve_model(found, ServerSettings(n_ctx=2048)) as engine:
        yield engine


def test_a_real_model_keeps_to_a_compact_grammar(smol: LocalServer) -> None:
    compact = {**SHAPE, "x-guidance": {"whitespace_flexible": False}}
    text = said(chat(smol, grammar="%llguidance {}\nstart: %json " + json.dumps(compact)))
    assert re.fullmatch(r'\{"colour":"(red|green)","count":[0-9]\}', text)


def test_a_real_model_answers_the_same_cold_and_warm(smol: LocalServer) -> None:
    document = "The ship left the harbour at dawn with nine sailors and a cat. " * 20
    cold = chat(smol, document + "Who was on board?", cache_prompt=False)
    chat(smol, document + "When did it leave?")
    warm = chat(smol, document + "Who was on board?")
    assert warm["timings"]["cache_n"] > 200
    assert said(warm) == said(cold)
