"""Token probabilities are asked for where they may be had, and become those of leaves, at no second request."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.models.endpoint import Dialect, Endpoint, ModelParameters
from extractor.models.openai.client import LiveModel
from extractor.models.openai.completion import parse_completion, read_message
from extractor.models.openai.probabilities import read_leaf_probabilities
from extractor.testing import FaultEndpoint, build_completion, build_error
from extractor.types import Reply, Request
from tests.endpoints.door import RIGHT, Body, answer_rightly, learnt, read, serve

SHAPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "item": {"type": ["string", "null"]},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"size": {"type": ["integer", "null"]}}}},
    },
}


def cut_into_tokens(content: str, cuts: list[int], logs: list[float]) -> list[dict[str, Any]]:
    """The tokens of a content that is cut at these places of its bytes, each with its logarithm."""
    data = content.encode()
    places = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    return [
        {"token": data[a:b].decode("utf-8", "replace"), "logprob": logs[a % len(logs)], "bytes": list(data[a:b])}
        for a, b in itertools.pairwise(places)
    ]


def ask(server: FaultEndpoint, **endpoint: Any) -> Reply:
    async def go() -> Reply:
        model = LiveModel(Endpoint(server.url, "m", "none", **endpoint))
        try:
            return await model.complete(Request("m", "Copy.", "What?", SHAPE, {"max_tokens": 50}, "start: x"))
        finally:
            await model.aclose()

    return asyncio.run(go())


SAID = '{"item": "bolt", "rows": [{"size": 12}, {"size": null}]}'
PIECES = [
    '{"',
    "item",
    '":',
    ' "',
    "bo",
    "lt",
    '",',
    ' "rows": [{"size',
    '":',
    " 1",
    "2",
    '}, {"size": ',
    "null",
    "}]}",
]
LOGS = [-0.1, -0.1, -0.1, -0.1, -0.5, -0.25, -0.1, -0.1, -0.1, -1.0, -2.0, -0.1, -0.75, -0.1]
TOKENS = [{"token": p, "logprob": log, "bytes": list(p.encode())} for p, log in zip(PIECES, LOGS, strict=True)]


def completion_of(tokens: list[dict[str, Any]], said: str = SAID) -> dict[str, Any]:
    body = build_completion(said)
    body["choices"][0]["logprobs"] = {"content": tokens}
    return body


def test_each_leaf_has_the_probability_of_the_tokens_that_spell_it() -> None:
    with serve(lambda body, n: (200, completion_of(TOKENS))) as server:
        reply = ask(server)
    assert server.requests == 1 and server.bodies[0]["logprobs"] is True
    found = {path: (round(one.log, 6), one.tokens) for path, one in reply.leaf_probabilities.items()}
    assert found == {("item",): (-0.75, 2), ("rows", 0, "size"): (-3.0, 2), ("rows", 1, "size"): (-0.75, 1)}
    size = reply.leaf_probabilities["rows", 0, "size"]
    assert size.joint == pytest.approx(math.exp(-3)) and size.mean == pytest.approx(math.exp(-1.5))


@pytest.mark.parametrize(
    "odd",
    [
        completion_of([{"token": "<|channel|>", "logprob": -9.0, "bytes": None}, *TOKENS]),
        completion_of([*TOKENS, {"token": "<|im_end|>", "logprob": -0.1, "bytes": None}]),
        completion_of([{name: one for name, one in token.items() if name != "bytes"} for token in TOKENS]),
    ],
    ids=["a mark before", "a mark after", "no bytes"],
)
def test_tokens_that_are_no_part_of_the_answer_are_passed_over(odd: dict[str, Any]) -> None:
    with serve(lambda body, n: (200, odd)) as server:
        assert ask(server).leaf_probabilities["item",].log == pytest.approx(-0.75)


@pytest.mark.parametrize(
    "told",
    [
        None,
        {"content": None},
        {"content": []},
        {"content": TOKENS[3:]},
        {"content": [{"token": SAID, "logprob": None}]},
        {"content": [{"token": SAID, "logprob": float("-inf")}]},
        {"content": [{"token": 5, "logprob": -1}]},
        {"tokens": ["a"], "token_logprobs": [-1]},
    ],
    ids=["none", "null", "empty", "a part", "no logarithm", "endless", "no token", "another form"],
)
def test_probabilities_that_tell_nothing_of_the_answer_are_none_and_no_fault(told: Any) -> None:
    body = build_completion(SAID)
    body["choices"][0]["logprobs"] = told
    with serve(lambda _, n: (200, json.loads(json.dumps(body)))) as server:
        reply = ask(server)
    assert reply.value["item"] == "bolt" and reply.leaf_probabilities == {}


@given(
    st.text(max_size=12),
    st.lists(st.none() | st.integers(), max_size=4),
    st.lists(st.integers(0, 150), max_size=40),
    st.lists(st.floats(-20, 0), min_size=1, max_size=7),
    st.booleans(),
)
def test_every_plain_value_gets_the_tokens_that_touch_it(
    item: str, sizes: list[int | None], cuts: list[int], logs: list[float], ascii_only: bool
) -> None:
    value = {"item": item, "rows": [{"size": size} for size in sizes]}
    content = json.dumps(value, ensure_ascii=ascii_only)
    tokens = cut_into_tokens(content, cuts, logs)
    completion = parse_completion(json.dumps(completion_of(tokens, content)).encode())
    found = read_leaf_probabilities(completion, read_message(completion), value)
    assert set(found) == {("item",), *(("rows", i, "size") for i in range(len(sizes)))}
    for one in found.values():
        assert 1 <= one.tokens <= len(tokens) and 0 <= one.joint <= one.mean <= 1 + 1e-12


def test_an_endpoint_that_gives_none_is_asked_once_and_never_again() -> None:
    def script(body: Body, n: int) -> Any:
        return (
            (403, build_error("You are not allowed to request logprobs from this model"))
            if "logprobs" in body
            else (answer_rightly(body))
        )

    with serve(script) as server:
        result = read(server)
    assert result.value == RIGHT and server.requests == 2
    assert learnt(result)["left_out"] == ["logprobs"]


@pytest.mark.parametrize(
    ("url", "wanted", "dialect", "asked"),
    [
        ("http://localhost:8000/v1", None, None, True),
        ("http://192.168.0.9:1234/v1", None, None, True),
        ("http://gpu.internal/v1", None, None, True),
        ("https://api.openai.com/v1", None, None, False),
        ("https://api.openai.com/v1", True, None, True),
        ("http://127.0.0.1:8000/v1", False, None, False),
        ("http://127.0.0.1:8000/v1", None, Dialect.GRAMMAR, False),
        ("http://127.0.0.1:8000/v1", True, Dialect.GRAMMAR, True),
    ],
)
def test_they_are_asked_for_where_that_is_said_or_the_server_is_ones_own(
    url: str, wanted: bool | None, dialect: Dialect | None, asked: bool
) -> None:
    from extractor.models.openai.parameters import asks_probabilities

    endpoint = Endpoint(url, "m", "none", dialect=dialect, parameters=ModelParameters(token_probabilities=wanted))
    assert asks_probabilities(endpoint) is asked


def test_the_embedded_engine_is_asked_for_them_only_where_that_is_said() -> None:
    with serve(lambda body, n: (200, completion_of(TOKENS))) as server:
        ask(server, dialect=Dialect.GRAMMAR)
        assert list(server.bodies[0]) == ["messages", "model", "max_tokens", "grammar"]
        said = ask(server, dialect=Dialect.GRAMMAR, parameters=ModelParameters(token_probabilities=True))
        assert "logprobs" in server.bodies[1] and said.leaf_probabilities
