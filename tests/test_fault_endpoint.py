"""The fault matrix, part one: an endpoint that refuses, breaks off, drips, lies or asks too much. Rows 1 to 22.

Every test runs the real client against a server on loopback that does what the row says.
"""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import json
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import ModelError, ModelFatal, ReplyCutShort, ReplyRefused, ReplyUnreadable
from extractor.extraction.pipeline import extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.document_model import DocumentModel
from extractor.models.endpoint import Connection, Dialect, Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.openai.client import LiveModel
from extractor.schema.reader import read_schema
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion, build_error
from extractor.testing.fault_endpoint import EndpointScript
from extractor.types import Document, Record, Reply, Request, Usage

Start = Callable[..., FaultEndpoint]


def bomb(megabytes: int) -> FaultAnswer:
    """A completion of so many MB that travels as some KB."""
    content = json.dumps(build_completion("x" * 10))[:-1].encode() + b', "padding": "'
    packer, block = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS), b" " * (1 << 20)
    # never whole in memory: whoever measures what a client takes may be in this process
    parts = [packer.compress(content), *(packer.compress(block) for _ in range(megabytes))]
    parts += [packer.compress(b'"}'), packer.flush()]
    return FaultAnswer(body=b"".join(parts), headers={"content-encoding": "gzip"})


SHAPE = {
    "type": "object",
    "properties": {"item": {"type": ["string", "null"]}, "count": {"type": ["integer", "null"]}},
    "required": ["item", "count"],
    "additionalProperties": False,
}
GOOD = '{"item": "bolt", "count": 3}'
SECRET = "sk-a-key-that-nobody-may-see"


def asked(user: str = "What is it?") -> Request:
    return Request("m", "Copy.", user, SHAPE, {"temperature": 0, "max_tokens": 50})


Outcome = Reply | ModelError
WAITS = {"attempts", "question_deadline"}


def ask_all(
    server: FaultEndpoint | str, users: Sequence[str] = ("What is it?",), at_once: int = 64, **settings: Any
) -> list[Outcome]:
    """Every question's reply or error, all asked at the same time."""

    async def go() -> list[Outcome]:
        url = server if isinstance(server, str) else server.url
        waits = {"attempts": 3, "question_deadline": 20.0} | {k: settings.pop(k) for k in WAITS & settings.keys()}
        fast = {"dialect": Dialect.SCHEMA, "connection": Connection(**waits)} | settings
        model = LiveModel(Endpoint(url, "m", SECRET, **fast), limiter=ConcurrencyLimiter(at_once))
        try:
            told = await asyncio.gather(*(model.complete(asked(u)) for u in users), return_exceptions=True)
        finally:
            await model.aclose()
        for one in told:
            if not isinstance(one, Reply | ModelError):
                raise one
        return list(told)  # type: ignore[arg-type]

    return asyncio.run(go())


def ask(server: FaultEndpoint | str, **settings: Any) -> Reply:
    (told,) = ask_all(server, **settings)
    if isinstance(told, ModelError):
        raise told
    return told


def fails(server: FaultEndpoint | str, **settings: Any) -> ModelError:
    (told,) = ask_all(server, **settings)
    assert isinstance(told, ModelError)
    return told


def first(n: int, fault: FaultAnswer | tuple[int, Any], then: str = GOOD) -> EndpointScript:
    return lambda body, i: fault if i <= n else then


def busy(**headers: str) -> FaultAnswer:
    return FaultAnswer(429, build_error("slow down"), {k.replace("_", "-"): v for k, v in headers.items()})


# 1, 2, 3: asked to wait


@pytest.mark.fault(1)
def test_a_wait_that_is_asked_for_is_waited_by_everybody(faults: Start) -> None:
    server = faults(first(1, busy(retry_after="1")))
    told = ask_all(server, ["a", "b", "c", "d"], at_once=1)
    assert all(isinstance(one, Reply) for one in told)
    assert server.requests == 5
    assert min(t - server.times[0] for t in server.times[1:]) >= 1.0


@pytest.mark.fault(2)
def test_a_wait_that_is_too_long_is_named_and_not_waited(faults: Start) -> None:
    server = faults(lambda body, n: busy(retry_after="600"))
    started = time.monotonic()
    told = ask_all(server, ["a", "b", "c"], at_once=1)
    assert time.monotonic() - started < 10
    assert [one.reason for one in told if isinstance(one, ModelError)] == ["rate limited"] * 3
    assert "600 s" in str(told[0])
    assert server.requests == 1


@pytest.mark.fault(2)
@pytest.mark.parametrize("value", ["-1", "0", "soon", "nan", "inf", "Sun, 06 Nov 1994 08:49:37 GMT", "9" * 400])
def test_a_wait_that_makes_no_sense_is_not_taken_at_its_word(faults: Start, value: str) -> None:
    server = faults(first(1, busy(retry_after=value)))
    assert ask(server).value["item"] == "bolt"
    assert server.requests == 2


@pytest.mark.fault(2)
def test_a_wait_until_a_date_counts_from_the_clock_of_the_endpoint(faults: Start) -> None:
    now = time.time() + 86400
    date, then = (email.utils.formatdate(t, usegmt=True) for t in (now, now + 1))
    server = faults(first(1, busy(retry_after=then, date=date)))
    assert ask(server).value["item"] == "bolt"
    assert 1.0 <= server.times[1] - server.times[0] < 5


@pytest.mark.fault(2)
def test_an_endpoint_that_only_refuses_is_given_up(faults: Start) -> None:
    server = faults(lambda body, n: busy(retry_after_ms="10"))
    assert fails(server).reason == "rate limited"
    assert server.requests == 3


@pytest.mark.fault(3)
def test_a_spent_quota_ends_the_run(faults: Start) -> None:
    server = faults(lambda body, n: (429, build_error("You exceeded your current quota", "insufficient_quota")))
    told = ask_all(server, [str(i) for i in range(20)], at_once=1)
    assert isinstance(told[0], ModelFatal) and "quota" in str(told[0])
    assert told[0].usage.requests == 1


# 4, 5, 6, 7: errors


@pytest.mark.fault(4)
@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_tries_do_not_multiply(faults: Start, status: int) -> None:
    server = faults(lambda body, n: (status, build_error("down")))
    failed = fails(server)
    assert failed.reason == "upstream" and str(status) in str(failed)
    assert server.requests == 3 == failed.usage.requests


@pytest.mark.fault(4)
def test_tries_and_reasks_add_up_and_do_not_multiply(faults: Start) -> None:
    server = faults(lambda body, n: (500, build_error("down")) if n % 2 else "no json")
    failed = fails(server, attempts=5, reasks=2)
    assert isinstance(failed, ReplyUnreadable)
    assert server.requests == 6  # three answers that do not fit, three errors; as loops within loops it was 15
    server = faults(lambda body, n: (500, build_error("down")) if n % 2 else "no json")
    assert fails(server, attempts=2, reasks=2).reason == "upstream"
    assert server.requests == 3  # the second error is one too many, though an answer that did not fit lay between


@pytest.mark.fault(5)
def test_an_error_that_passes_is_tried_again_and_tokens_are_counted_once(faults: Start) -> None:
    server = faults(first(1, (500, build_error("down"))))
    assert ask(server).usage == Usage(2, 10, 5, None)
    assert server.tokens == (10, 5)


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, build_error("maximum context length is 4096 tokens", "context_length_exceeded")),
        (413, build_error("too large")),
    ],
)
def test_a_chunk_that_is_too_long_is_sent_once(faults: Start, status: int, body: Any) -> None:
    server = faults(lambda _, n: (status, body))
    failed = fails(server)
    assert failed.reason == "too long" and "chunk_tokens" in str(failed)
    assert server.requests == 1


@pytest.mark.fault(7)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_fatal_at_once_and_not_shown(faults: Start, status: int) -> None:
    server = faults(lambda body, n: (status, build_error(f"Incorrect API key provided: {SECRET}")))
    failed = fails(server)
    assert isinstance(failed, ModelFatal)
    assert SECRET not in repr(failed) + str(failed)
    assert server.requests == 1


@pytest.mark.fault(7)
def test_a_document_that_a_filter_forbids_costs_itself_and_not_the_run(faults: Start) -> None:
    server = faults(lambda body, n: (403, build_error("blocked")) if "drop table" in str(body) else GOOD)
    told = ask_all(server, ["a", "drop table", "b", "drop table", "c"], at_once=1)
    assert [getattr(one, "reason", "done") for one in told] == ["done", "forbidden", "done", "forbidden", "done"]


@pytest.mark.fault(7)
def test_a_key_that_is_withdrawn_during_a_run_ends_it(faults: Start) -> None:
    server = faults(lambda body, n: GOOD if n == 1 else (401, build_error("expired")))
    told = ask_all(server, [str(i) for i in range(4)], at_once=1)
    assert [isinstance(one, ModelFatal) for one in told] == [False, False, False, True]


# 8 to 12: the connection


@pytest.mark.fault(8)
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://nowhere.invalid/v1"])
def test_an_endpoint_that_is_not_there_is_named_with_the_cause(url: str) -> None:
    failed = fails(url, attempts=2)
    assert failed.reason == "network"
    assert url in str(failed) and "ConnectError" in str(failed)
    assert failed.usage.lost == 0


@pytest.mark.fault(9)
@pytest.mark.parametrize(
    "fault",
    [
        FaultAnswer(reset=True),
        FaultAnswer(body=build_completion(GOOD), cut=80),
        FaultAnswer(body=build_completion(GOOD), cut=0),
    ],
)
def test_a_connection_that_breaks_is_tried_again_and_may_be_billed_twice(faults: Start, fault: FaultAnswer) -> None:
    server = faults(first(1, fault))
    reply = ask(server)
    assert reply.value == {"item": "bolt", "count": 3}
    assert (reply.usage.requests, reply.usage.lost, reply.usage.input_tokens) == (2, 1, 10)


@pytest.mark.fault(10)
def test_a_drip_of_bytes_does_not_outlast_the_deadline(faults: Start) -> None:
    server = faults(lambda body, n: FaultAnswer(body=build_completion(GOOD), drip=0.02))
    started = time.monotonic()
    failed = fails(server, question_deadline=1.0)
    took = time.monotonic() - started
    assert failed.reason == "deadline" and failed.usage == Usage(1, lost=1)
    assert 0.9 <= took < 4  # of 5 s and more that the answer drips; a busy machine needs its time, too


@pytest.mark.fault(10)
def test_the_connection_of_a_drip_is_closed(faults: Start) -> None:
    server = faults(lambda body, n: FaultAnswer(body=build_completion(GOOD), drip=0.02))
    fails(server, question_deadline=0.3)
    for _ in range(200):
        if server.closed_early:
            break
        time.sleep(0.02)
    assert server.closed_early == 1
    assert server.in_flight == 0


@pytest.mark.fault(11)
def test_headers_that_never_come_hold_up_nobody_else(faults: Start) -> None:
    server = faults(lambda body, n: FaultAnswer(body=build_completion(GOOD), sleep=30) if "slow" in str(body) else GOOD)
    told = ask_all(server, ["slow", *map(str, range(30))], at_once=2, question_deadline=1.0)
    assert isinstance(told[0], ModelError) and told[0].reason == "deadline"
    assert all(isinstance(one, Reply) for one in told[1:])


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    "fault",
    [
        FaultAnswer(body=json.dumps(build_completion(GOOD)).encode()[:-9]),
        FaultAnswer(body=b""),
        FaultAnswer(body=b"null"),
        FaultAnswer(body=b"[]"),
        FaultAnswer(body=b'"text"'),
        FaultAnswer(body=b"\xff\xfe\x00"),
    ],
)
def test_a_reply_that_is_no_completion_is_a_bad_response(faults: Start, fault: FaultAnswer) -> None:
    server = faults(lambda body, n: fault)
    failed = fails(server, attempts=2)
    assert failed.reason == "bad response", failed
    assert server.requests == 2
    assert failed.usage.lost == 2


# 13 to 18: what the model says


@pytest.mark.fault(13)
def test_json_that_breaks_off_is_asked_for_again(faults: Start) -> None:
    server = faults(lambda body, n: GOOD[:-3] if n == 1 else GOOD)
    assert ask(server).usage == Usage(2, 20, 10, None)
    assert "not JSON" in server.bodies[1]["messages"][-1]["content"]


@pytest.mark.fault(14)
def test_half_a_list_is_not_taken_for_a_whole_one(faults: Start) -> None:
    server = faults(lambda body, n: (200, build_completion('{"item": "bolt"}', finish="length")))
    failed = fails(server)
    assert isinstance(failed, ReplyCutShort) and failed.usage == Usage(1, 10, 5, None)
    assert server.requests == 1


@pytest.mark.fault(15)
@pytest.mark.parametrize("dialect", [Dialect.SCHEMA, Dialect.TOOLS, Dialect.JSON])
@pytest.mark.parametrize(
    "body",
    [
        build_completion(None, refusal="I cannot."),
        build_completion("", finish="content_filter"),
        build_completion(None, refusal=""),
    ],
)
def test_a_refusal_is_paid_once(faults: Start, dialect: Dialect, body: Any) -> None:
    server = faults(lambda _, n: (200, body))
    failed = fails(server, dialect=dialect)
    if body["choices"][0]["message"]["refusal"] == "" and body["choices"][0]["finish_reason"] == "stop":
        assert isinstance(failed, ReplyUnreadable)  # an empty reply is no refusal: it is asked for again
    else:
        assert isinstance(failed, ReplyRefused)
        assert server.requests == 1


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    "body",
    [
        {**build_completion(GOOD), "choices": []},
        {**build_completion(GOOD), "choices": None},
        {**build_completion(GOOD), "choices": "none"},
        {**build_completion(GOOD), "choices": [None]},
        {**build_completion(GOOD), "choices": [{"index": 0, "finish_reason": "stop", "message": None}]},
        {"error": {"message": "overloaded"}},
        {},
    ],
)
def test_a_completion_without_a_choice_is_tried_again_as_what_never_came(faults: Start, body: Any) -> None:
    server = faults(first(1, (200, body)))
    assert ask(server).value["item"] == "bolt"
    server = faults(lambda _, n: (200, body))
    failed = fails(server, attempts=2)
    assert failed.reason == "bad response" and "IndexError" not in str(failed).split("(")[0]


def script_reply(dialect: Dialect, text: str) -> Any:
    def script(body: dict[str, Any], n: int) -> Any:
        if dialect is not Dialect.TOOLS:
            return text
        name = body["tools"][0]["function"]["name"]
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": text}}
        return 200, build_completion(None, tool_calls=[call])

    return script


DIALECTS = [Dialect.SCHEMA, Dialect.TOOLS, Dialect.JSON, Dialect.TEXT]


@pytest.mark.fault(17)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "odd",
    [
        '{"item": "a", "count": 1, "more": 2}',
        '{"item": "a", "count": "1"}',
        '{"item": 7, "count": "some 12"}',
    ],
)
def test_a_leaf_that_can_be_read_all_the_same_is_paid_once(faults: Start, dialect: Dialect, odd: str) -> None:
    server = faults(script_reply(dialect, odd))
    assert ask(server, dialect=dialect).value == json.loads(odd)
    assert server.requests == 1


@pytest.mark.fault(17)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("bad", "left", "says"),
    [
        ('{"item": ["a", "b"], "count": 1}', {"item": ["a", "b"], "count": 1}, "item"),
        ('{"item": "a", "count": true}', {"item": "a", "count": True}, "count"),
        ('{"item": "a", "count": 1.5}', {"item": "a", "count": 1.5}, "count"),
        ('{"item": "a", "count": 1e999}', {"item": "a", "count": float("inf")}, "count"),
        ('{"item": "a", "count": NaN}', {"item": "a", "count": "NaN"}, "NaN"),
        ('{"item": "a", "item": "EVIL", "count": 1}', {"item": "a", "count": 1}, "stands twice"),
        ('{"item": "\\ud800", "count": 1}', {"item": "\N{REPLACEMENT CHARACTER}", "count": 1}, "half a character"),
    ],
)
def test_a_leaf_that_does_not_fit_is_asked_for_again_alone_and_then_costs_itself(
    faults: Start, dialect: Dialect, bad: str, left: dict[str, Any], says: str
) -> None:
    server = faults(script_reply(dialect, bad))
    reply = ask(server, dialect=dialect, reasks=1)
    assert reply.value == left
    assert reply.said_besides == (((("item",), "EVIL"),) if "EVIL" in bad else ())
    assert server.requests == 2 and says in json.dumps(server.bodies[1]["messages"])
    assert "value_1" in json.dumps(server.bodies[1]) and "value_2" not in json.dumps(server.bodies[1])


@pytest.mark.fault(17)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_integer_of_thousands_of_digits_is_a_text(faults: Start, dialect: Dialect) -> None:
    server = faults(script_reply(dialect, '{"item": "a", "count": ' + "9" * 5000 + "}"))
    assert ask(server, dialect=dialect).value == {"item": "a", "count": "9" * 5000}


@pytest.mark.fault(17)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("bad", ["[" * 5000 + "]" * 5000, "{" * 5000, '{"item": "a"'])
def test_what_cannot_be_read_is_asked_for_again_in_short_and_then_failed(
    faults: Start, dialect: Dialect, bad: str
) -> None:
    server = faults(script_reply(dialect, bad))
    failed = fails(server, dialect=dialect, reasks=1)
    assert isinstance(failed, ReplyUnreadable), failed
    assert server.requests == 2
    assert len(str(failed)) < 1500
    again = json.dumps(server.bodies[1]["messages"])
    assert len(again) < len(json.dumps(server.bodies[0]["messages"])) + 2 * len(bad) + 1500


@pytest.mark.fault(17)
@pytest.mark.parametrize("dialect", [Dialect.SCHEMA, Dialect.GRAMMAR])
@pytest.mark.parametrize("prose", [f'{GOOD}\n{{"item": "EVIL", "count": 1}}', f'{{"item": "EVIL", "count": 1}} {GOOD}'])
def test_of_two_objects_in_prose_none_is_picked(faults: Start, dialect: Dialect, prose: str) -> None:
    server = faults(lambda body, n: prose)
    assert isinstance(fails(server, dialect=dialect, reasks=0), ReplyUnreadable)


@pytest.mark.fault(18)
@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -4, "completion_tokens": -1},
        {"prompt_tokens": "ten", "completion_tokens": "5"},
        {"prompt_tokens": 1.5, "completion_tokens": True},
        [1, 2],
        "many",
    ],
)
def test_usage_that_is_not_told_is_unknown_and_not_nothing(faults: Start, usage: Any) -> None:
    server = faults(lambda body, n: (200, build_completion(GOOD, usage=usage)))
    assert ask(server).usage == Usage(1, None, None, None)


@pytest.mark.fault(18)
def test_one_reply_without_usage_makes_the_sum_unknown(faults: Start) -> None:
    server = faults(lambda body, n: (200, build_completion("no json", usage=None)) if n == 1 else GOOD)
    assert ask(server).usage == Usage(2, None, None, None)


# 19, 20, 21: bytes


@pytest.mark.fault(19)
@pytest.mark.skipif(sys.platform != "linux", reason="the highest of a process's memory is asked of /proc")
@pytest.mark.parametrize(
    "make",
    [
        lambda: bomb(1000),
        lambda: FaultAnswer(body=b" " * (1 << 20), endless=True),
        lambda: FaultAnswer(body=gzip.compress(b" " * (1 << 20)), headers={"content-encoding": "gzip"}, endless=True),
    ],
    ids=["bomb", "endless", "endless packed"],
)
def test_a_reply_without_end_is_not_read_to_it(faults: Start, make: Callable[[], FaultAnswer]) -> None:
    fault = make()
    server = faults(lambda body, n: fault)
    Path("/proc/self/clear_refs").write_text(
        "5"
    )  # the highest so far is what it is now: tests before this one had theirs
    before = highest()
    assert fails(server).reason in ("too large", "bad response")
    assert server.requests == 1 or fault.endless
    grown = highest() - before
    assert grown < 400_000, f"{grown} KiB more"


def highest() -> int:
    """KiB of memory at the highest."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.fault(19)
def test_a_packed_reply_is_read_and_a_broken_one_is_named(faults: Start) -> None:
    packed = gzip.compress(json.dumps(build_completion(GOOD)).encode())
    for encoding, data in (("gzip", packed), ("identity", json.dumps(build_completion(GOOD)).encode())):
        server = faults(lambda body, n, e=encoding, d=data: FaultAnswer(body=d, headers={"content-encoding": e}))
        assert ask(server).value["item"] == "bolt"
    for encoding, data in (("gzip", b"no gzip"), ("br", packed), ("gzip", packed[:-12]), ("gzip", packed[:-8])):
        server = faults(lambda body, n, e=encoding, d=data: FaultAnswer(body=d, headers={"content-encoding": e}))
        assert fails(server, attempts=2).reason == "bad response"


@pytest.mark.fault(19)
@pytest.mark.parametrize("length", ["10", "99999", "-5", "many"])
def test_a_length_that_is_not_the_bodys_is_no_crash(faults: Start, length: str) -> None:
    body = json.dumps(build_completion(GOOD)).encode()
    server = faults(lambda _, n: FaultAnswer(body=body, headers={"content-length": length}, cut=len(body)))
    assert fails(server, attempts=2).reason in ("bad response", "network")


@pytest.mark.fault(20)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_document_does_not_follow_a_redirect(faults: Start, status: int) -> None:
    elsewhere = faults(lambda body, n: GOOD)
    server = faults(lambda body, n: FaultAnswer(status, b"", {"location": elsewhere.url + "/chat/completions"}))
    failed = fails(server)
    assert isinstance(failed, ModelFatal) and "redirects" in str(failed)
    assert (server.requests, elsewhere.requests, elsewhere.connections) == (1, 0, 0)


@pytest.mark.fault(21)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_a_proxy_of_the_environment_sees_nothing(faults: Start, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    proxy, server = faults(lambda body, n: GOOD), faults(lambda body, n: GOOD)
    monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
    assert ask(server).value["item"] == "bolt"
    assert (server.requests, proxy.connections) == (1, 0)


# 22: more than it admits


@pytest.mark.fault(22)
def test_an_endpoint_that_admits_less_than_is_asked_is_adapted_to() -> None:
    async def go(url: str) -> list[Record]:
        pressure = ConcurrencyLimiter(64)
        model = LiveModel(Endpoint(url, "m", SECRET, dialect=Dialect.SCHEMA), limiter=pressure)
        schema = read_schema({"type": "object", "properties": {"item": {"type": "string"}}})
        prompt, bounded = Prompt("p", "s", "{document}{question}", {}, Strategy()), DocumentModel(model, pressure)
        records = await asyncio.gather(
            *(
                extract_record(Document(str(i), f"bolt {i}"), Task("t", schema, {}), prompt, bounded, "m")
                for i in range(300)
            )
        )
        await model.aclose()
        return records

    with FaultEndpoint(lambda body, n: '{"item": "bolt"}', latency=0.05, capacity=8, keep=False) as server:
        records = asyncio.run(go(server.url))
    assert all(not r.failures and r.value == {"item": "bolt"} for r in records)
    assert server.requests == 300 + server.refused == sum(r.usage.requests for r in records)
    assert server.refused < 0.5 * server.requests  # how many depends on this machine; test_full_house.py is exact
    assert server.most == 8  # how many are under way then: tests/test_full_house.py, which depends on no clock
    assert server.tokens == (
        sum(r.usage.input_tokens or 0 for r in records),
        sum(r.usage.output_tokens or 0 for r in records),
    )
