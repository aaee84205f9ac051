"""How hard an endpoint is pressed that refuses: by chance, when it is full, or both. In simulated time, so that nothing
depends on how busy the machine is that the tests run on."""

from __future__ import annotations

import asyncio
import json
import os
import random
from dataclasses import dataclass

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_time import run_in_simulated_time

from extractor.errors import ModelError
from extractor.models.document_model import DocumentModel
from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.limits.full_house import Cause, Outcomes
from extractor.models.openai.client import LiveModel
from extractor.models.openai.sending import QuestionTally, RequestSender
from extractor.testing import build_completion
from extractor.types import Request

ANSWER = json.dumps(build_completion('{"title": "bolt"}')).encode()
JSON = {"content-type": "application/json"}


class House(httpx2.AsyncBaseTransport):
    """Answers after a second; refuses beyond so many at a time, and by chance. Each way takes `way` seconds."""

    def __init__(self, capacity: int, chance: float, rest: float | None, way: float, seed: int) -> None:
        self.capacity, self.chance, self.rest, self.way = capacity, chance, rest, way
        self.rng = random.Random(seed)
        self.now = self.most = self.requests = self.refused = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        await asyncio.sleep(self.way * self.rng.uniform(0.9, 1.1))
        if self.now >= self.capacity or self.rng.random() < self.chance:
            self.refused += 1
            await asyncio.sleep(self.way)
            rest = {} if self.rest is None else {"retry-after-ms": str(int(self.rest * 1000))}
            told = b'{"error": {"message": "too many requests"}}'
            return httpx2.Response(429, content=told, headers={**JSON, **rest}, request=request)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.rng.uniform(0.8, 1.2))
        self.now -= 1
        await asyncio.sleep(self.way)
        return httpx2.Response(200, content=ANSWER, headers=JSON, request=request)


class Trouble(House):
    """A house that fails in every way by chance: 5 % are answered 500, 5 % refused, 2 % cut, and 1 % never answered."""

    def __init__(self) -> None:
        super().__init__(10_000, 0.05, 1.0, 0.02, seed=2)
        self.hung = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        fate = self.rng.random()
        if fate < 0.01:
            self.hung += 1
            await asyncio.sleep(3600)
        response = await super().handle_async_request(request)
        if fate < 0.03:
            raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")
        if fate < 0.08 and response.status_code == 200:
            return httpx2.Response(500, content=b'{"error": {"message": "broken"}}', headers=JSON, request=request)
        return response


def test_a_long_run_against_an_endpoint_in_trouble_loses_what_hangs_and_little_time() -> None:
    """`make soak` does 20,000 documents; their number is EXTRACTOR_SOAK."""
    documents, deadline = int(os.environ.get("EXTRACTOR_SOAK", "300")), 15.0
    limiter, house = ConcurrencyLimiter(64), Trouble()
    random.seed(1)

    async def go() -> tuple[float, int]:
        endpoint = Endpoint("http://127.0.0.1:9/v1", "m", "none", dialect=Dialect.JSON)
        model = LiveModel(endpoint, house, limiter)
        shape = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}, "required": ["title"]}

        async def ask(number: int) -> bool:
            document = DocumentModel(model, limiter, seconds=deadline)
            try:
                await document.complete(Request("m", "s", f"Bolt {number}", shape, {}))
            except ModelError:
                return False
            return True

        answered = await asyncio.gather(*(ask(number) for number in range(documents)))
        seconds = asyncio.get_running_loop().time()
        await model.aclose()
        return seconds, documents - sum(answered)

    seconds, lost = run_in_simulated_time(go())
    assert 0 < lost <= house.hung
    ideal = (documents * 1.04 + deadline * house.hung) / 64
    assert seconds <= 1.5 * ideal + deadline  # what hangs last is waited for by itself


@dataclass(frozen=True, slots=True)
class Pressed:
    """What became of some questions."""

    seconds: float
    lost: int
    limits: list[float]
    """After each question."""
    house: House


def press(questions: int, *, capacity: int = 10_000, chance: float = 0.0, rest: float | None = 1.0) -> Pressed:
    limiter, house = ConcurrencyLimiter(64), House(capacity, chance, rest, 0.02, seed=1)
    limits: list[float] = []
    random.seed(1)

    async def go() -> tuple[float, int]:
        sender = RequestSender(Endpoint("http://127.0.0.1:9/v1", "m", "none"), house, limiter)
        lost = 0

        async def ask() -> None:
            nonlocal lost
            async with limiter.admit_question():
                try:
                    asked = {"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 9}
                    await sender.send(asked, QuestionTally())
                except ModelError:
                    lost += 1
                limits.append(limiter.limit)

        await asyncio.gather(*(ask() for _ in range(questions)))
        seconds = asyncio.get_running_loop().time()
        await sender.aclose()
        return seconds, lost

    return Pressed(*run_in_simulated_time(go()), limits, house)


@pytest.mark.parametrize("capacity", [1, 8])
def test_a_full_house_lowers_what_is_under_way_to_what_it_takes(capacity: int) -> None:
    pressed = press(25 * capacity, capacity=capacity)
    assert pressed.lost == 0
    assert pressed.house.most == capacity
    later = pressed.limits[len(pressed.limits) // 2 :]
    assert max(later) <= capacity + 1 and sum(later) < len(later) * (capacity + 0.5)
    assert pressed.seconds < 1.2 * 25 + 3


@pytest.mark.parametrize("chance", [0.05, 0.2])
def test_refusals_by_chance_leave_it_as_it_is_and_rest_alone(chance: float) -> None:
    pressed = press(400, chance=chance)
    assert pressed.lost == 0
    later = pressed.limits[len(pressed.limits) // 2 :]
    assert sum(later) / len(later) > 40
    assert pressed.house.most > 48
    assert pressed.seconds < 2.5 * 400 / 64 + 5  # were each rest everybody's, it would be that of all refusals


def test_a_full_house_is_found_among_refusals_by_chance() -> None:
    pressed = press(200, capacity=8, chance=0.05)
    assert pressed.lost == 0
    later = pressed.limits[len(pressed.limits) // 2 :]
    assert 6 < sum(later) / len(later) < 9
    assert pressed.seconds < 1.3 * 200 / 8 + 3


def find_cause(came: list[tuple[int, bool]], level: int) -> Cause:
    outcomes = Outcomes()
    for at, is_refused in [*came, (level, True)]:
        outcomes.add(at, "refused" if is_refused else "served")
    return outcomes.find_cause(level, "refused", [])


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(0, 63), st.integers(0, 2**32))
def test_what_was_taken_below_a_number_and_refused_from_it_on_is_a_full_house(
    capacity: int, more: int, seed: int
) -> None:
    rng = random.Random(seed)
    levels = [rng.randint(1, capacity + 1 + more) for _ in range(40)] + [capacity + 1] * 6 + [1] * 10
    rng.shuffle(levels)
    assert find_cause([(at, at > capacity) for at in levels], capacity + 1) is not Cause.CHANCE


def test_one_refusal_in_ten_at_every_number_is_chance() -> None:
    evenly = [(at, at % 10 == 5) for at in range(1, 64)]
    assert {find_cause(evenly, level) for level in range(1, 65)} == {Cause.CHANCE}
