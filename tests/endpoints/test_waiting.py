"""An endpoint that is loading, or that limits how fast it is asked, is waited for; one that is down is given up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from extractor.errors import ModelError
from extractor.models.endpoint import Connection, Dialect, Endpoint
from extractor.models.openai.client import LiveModel
from extractor.models.openai.problem import read_duration, read_problem
from extractor.models.openai.retry_after import read_retry_after
from extractor.testing import FaultAnswer, build_completion, build_error
from extractor.types import Reply, Request
from tests.endpoints.door import Body, serve

SHAPE = {"type": "object", "properties": {"item": {"type": ["string", "null"]}}, "required": ["item"]}
GOOD = '{"item": "bolt"}'


def ask(url: str, **waits: Any) -> Reply | ModelError:
    """One question's reply or error, with so much patience."""

    async def go() -> Reply | ModelError:
        model = LiveModel(Endpoint(url, "m", "none", dialect=Dialect.SCHEMA, connection=Connection(**waits)))
        try:
            return await model.complete(Request("m", "Copy.", "What?", SHAPE, {"max_tokens": 50}))
        except ModelError as error:
            return error
        finally:
            await model.aclose()

    return asyncio.run(go())


NOT_READY: dict[str, Any] = {
    "llama.cpp": (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
    "hugging face": (503, {"error": "Model m is currently loading", "estimated_time": 20.0}),
    "ollama": (503, {"error": "server busy, please try again. maximum pending requests exceeded"}),
    "wordless 503": (503, {}),
    "a proxy's page": FaultAnswer(
        503, b"<html>503 Service Temporarily Unavailable</html>", {"content-type": "text/html"}
    ),
    "anthropic": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    "loading as 500": (500, {"error": "model is loading"}),
    "429 without a time": (429, build_error("Rate limit reached", "rate_limit_exceeded")),
    "429 wordless": (429, {}),
    "429 of google": (
        429,
        [{"error": {"code": 429, "message": "Resource has been exhausted", "status": "RESOURCE_EXHAUSTED"}}],
    ),
    "in a good answer": (200, {"error": {"code": 429, "message": "Rate limit exceeded"}}),
}


@pytest.mark.parametrize("what", NOT_READY, ids=lambda what: what.replace(" ", "_"))
def test_an_endpoint_that_is_not_ready_is_waited_for_longer_than_its_tries(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractor.models.openai.sending.FIRST_WAIT", 0.01)
    monkeypatch.setattr("extractor.models.openai.sending.LONGEST_WAIT", 0.02)
    with serve(lambda body, n: NOT_READY[what] if n <= 7 else GOOD) as server:
        reply = ask(server.url, attempts=2, patience=5)
    assert isinstance(reply, Reply), reply
    assert server.requests == 8


@pytest.mark.parametrize("what", ["llama.cpp", "429 without a time", "wordless 503"])
def test_patience_ends(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extractor.models.openai.sending.FIRST_WAIT", 0.05)
    with serve(lambda body, n: NOT_READY[what]) as server:
        failed = ask(server.url, patience=0.3)
        assert isinstance(failed, ModelError) and failed.reason in ("upstream", "rate limited")
        assert 3 <= server.requests <= 8
        asked = server.requests
        assert isinstance(ask(server.url, patience=0), ModelError)
        assert server.requests == asked + 1


@pytest.mark.parametrize("status", [408, 424, 498, 499, 500, 502, 504, 520])
def test_an_endpoint_that_is_down_is_given_up_after_its_tries(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extractor.models.openai.sending.FIRST_WAIT", 0.01)
    with serve(lambda body, n: (status, build_error("down"))) as server:
        failed = ask(server.url, attempts=3, patience=60)
    assert isinstance(failed, ModelError) and failed.reason == "upstream"
    assert server.requests == 3


def test_a_request_that_takes_too_long_is_sent_again_within_the_time_of_its_question() -> None:
    def script(body: Body, n: int) -> Any:
        return FaultAnswer(body=build_completion(GOOD), sleep=5 if n == 1 else 0)

    with serve(script) as server:
        reply = ask(server.url, request_deadline=0.3, question_deadline=20)
    assert isinstance(reply, Reply) and reply.usage.lost == 1
    assert server.requests == 2


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, {}, 7),
        ({"retry-after": "1.5"}, {}, 1.5),
        ({"retry-after-ms": "250"}, {}, 0.25),
        ({"retry-after": "20s"}, {}, 20),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:47 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"}, {}, 10),
        ({}, build_error("Rate limit reached. Please try again in 6m0s."), 360),
        ({}, build_error("Please try again in 20ms."), 0.02),
        ({}, build_error("Please retry in 34.07s."), 34.07),
        ({}, {"error": {"message": "no", "details": [{"@type": "RetryInfo", "retryDelay": "34s"}]}}, 34),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2.5s"}, {}, 62.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "17ms"}, {}, 0.017),
        ({"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "1m"}, {}, None),
        ({"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "30s"}, {}, 30),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}, {}, 12),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, {}, None),
        ({"retry-after": "soon"}, {}, None),
        ({"retry-after": "-3"}, {}, None),
        ({}, {}, None),
    ],
    ids=str,
)
def test_the_time_that_an_endpoint_asks_for_is_read(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    found = read_retry_after(headers, read_problem(429, json.dumps(body).encode()))
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    "moment", ["2001-09-09T01:47:40Z", "1000000060", "1000000060000"], ids=["ISO 8601", "seconds", "milliseconds"]
)
@pytest.mark.parametrize("date", ["Sun, 09 Sep 2001 01:46:40 GMT", None])
def test_a_moment_at_which_a_limit_ends_is_waited_for(
    date: str | None, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of the endpoint, and by this machine's where it does not tell its own."""
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0 if date is None else 5e9)
    told = {} if date is None else {"Date": date}
    assert read_retry_after({**told, "x-ratelimit-remaining": "0", "x-ratelimit-reset": moment}) == pytest.approx(60)


def test_a_date_to_wait_for_is_read_where_the_endpoint_does_not_tell_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    assert read_retry_after({"retry-after": "Sun, 09 Sep 2001 01:46:50 GMT"}) == pytest.approx(10)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2 minutes", 120), ("1h 5m", 3900), ("90", 90), ("", None), ("a while", None), ("5 apples", None)],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert read_duration(text) == seconds


def test_a_quota_for_each_minute_is_waited_for_and_ends_no_run() -> None:
    words = "You exceeded your current quota, please check your plan and billing details. Please retry in 0.02s."
    limited = (429, [{"error": {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED"}}])
    with serve(lambda body, n: limited if n == 1 else GOOD) as server:
        assert isinstance(ask(server.url), Reply)


@pytest.mark.parametrize("finish", ["error", "insufficient_system_resource", "abort"])
def test_a_reply_that_the_endpoint_could_not_finish_is_asked_for_again(finish: str) -> None:
    broken = build_completion('{"item": "bo', finish=finish)
    with serve(lambda body, n: (200, broken) if n == 1 else GOOD) as server:
        assert isinstance(ask(server.url), Reply)
        assert server.requests == 2


def test_a_call_that_the_endpoint_cannot_read_is_asked_for_again() -> None:
    malformed = build_completion(None, finish="MALFORMED_FUNCTION_CALL")
    with serve(lambda body, n: (200, malformed) if n == 1 else GOOD) as server:
        assert isinstance(ask(server.url), Reply)
    with serve(lambda body, n: (200, malformed)) as server:
        failed = ask(server.url)
        assert isinstance(failed, ModelError) and failed.reason == "unreadable"
        assert server.requests == 3
