import asyncio
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.errors import BudgetSpent, ModelBusy
from extractor.models.limits.budget import Budget, BudgetLimits, TokenEstimate
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.types import Usage

SOME = TokenEstimate(10, 10)


class Server:
    """Takes so many at a time; the rest is refused at once."""

    def __init__(
        self, pressure: ConcurrencyLimiter, capacity: Callable[[], int], retry_after: float | None = None
    ) -> None:
        self.pressure, self.capacity, self.retry_after = pressure, capacity, retry_after
        self.now = self.most = self.requests = self.refused = 0

    async def ask(self) -> None:
        again = False
        while True:
            turn = await self.pressure.acquire(SOME, again=again)
            self.requests += 1
            if self.now >= self.capacity():
                self.refused += 1
                await asyncio.sleep(0.001)
                self.pressure.record_refusal(turn, self.retry_after)
                again = True
                continue
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.01)
            self.now -= 1
            self.pressure.record_reply(turn, Usage(1, 5, 5, None))
            return


def run(server: Server, requests: int) -> float:
    async def go() -> float:
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(requests):
                group.create_task(server.ask())
        return time.monotonic() - started

    return asyncio.run(go())


@settings(max_examples=15)
@given(st.integers(1, 20), st.integers(1, 40))
def test_everybody_gets_a_turn_and_no_more_than_allowed_are_under_way(most: int, capacity: int) -> None:
    pressure = ConcurrencyLimiter(most)
    server = Server(pressure, lambda: capacity)
    run(server, 40)
    assert server.most <= min(most, capacity)
    assert pressure.under_way == 0 and not pressure._waiting
    assert server.requests == 40 + server.refused == 40 + pressure.refused


def test_a_ceiling_that_goes_up_is_found() -> None:
    pressure = ConcurrencyLimiter(32)
    server = Server(pressure, lambda: 2 if server.requests < 200 else 32)
    run(server, 1500)
    assert server.most > 8


def test_rounds_with_a_refusal_get_rarer() -> None:
    server = Server(ConcurrencyLimiter(64), lambda: 4)
    run(server, 800)
    assert server.refused < 60  # a try in each of 200 rounds would be 200 of them


def test_requests_a_minute_are_spread() -> None:
    server = Server(ConcurrencyLimiter(10, rpm=1200), lambda: 99)
    assert run(server, 11) >= 10 * 60 / 1200


def test_tokens_a_minute_are_spread_by_what_replies_took() -> None:
    server = Server(ConcurrencyLimiter(1, tpm=6000), lambda: 99)
    took = run(server, 6)
    assert took >= 5 * 10 * 60 / 6000  # of the 20 that were kept aside, 10 came back


def test_who_is_cancelled_while_waiting_leaves_no_hole() -> None:
    async def go() -> None:
        pressure = ConcurrencyLimiter(1)
        first = await pressure.acquire(SOME)
        others = [asyncio.create_task(pressure.acquire(SOME)) for _ in range(3)]
        await asyncio.sleep(0)
        others[0].cancel()
        await asyncio.sleep(0)
        pressure.record_reply(first, Usage(1, 1, 1))
        others[1].cancel()  # when it has its turn already, but does not know
        await asyncio.gather(*others[:2], return_exceptions=True)
        async with asyncio.timeout(2):
            await others[2]
        assert pressure.under_way == 1

    asyncio.run(go())


def test_a_rest_that_is_too_long_is_for_all_who_wait_and_all_who_come() -> None:
    async def go() -> None:
        pressure = ConcurrencyLimiter(1)
        turn = await pressure.acquire(SOME)
        waiting = asyncio.create_task(pressure.acquire(SOME))
        await asyncio.sleep(0)
        pressure.record_refusal(turn, 3600)
        for one in (waiting, asyncio.create_task(pressure.acquire(SOME))):
            with pytest.raises(ModelBusy, match="3600 s") as error:
                await one
            assert error.value.reason == "rate limited"

    asyncio.run(go())


@pytest.mark.parametrize(
    ("limits", "sent", "says"),
    [
        (BudgetLimits(requests=3), 3, "--max-requests"),
        (BudgetLimits(tokens=50), 4, "--max-tokens"),
        (BudgetLimits(cost=0.000_5, price=(10.0, 10.0)), 4, "--max-cost"),
    ],
)
def test_a_budget_is_held_and_what_was_kept_aside_is_given_back(limits: BudgetLimits, sent: int, says: str) -> None:
    server = Server(ConcurrencyLimiter(1, budget=Budget(limits)), lambda: 99)  # 20 tokens kept aside, 10 taken

    async def go() -> None:
        with pytest.raises(BudgetSpent, match=says):
            for _ in range(99):
                await server.ask()

    asyncio.run(go())
    assert server.requests == sent


@settings(max_examples=15)
@given(st.integers(1, 30), st.integers(1, 300))
def test_no_budget_is_overdrawn_whatever_is_under_way(at_once: int, tokens: int) -> None:
    pressure = ConcurrencyLimiter(at_once, budget=Budget(BudgetLimits(tokens=tokens)))
    server = Server(pressure, lambda: 99)

    async def go() -> int:
        told = await asyncio.gather(*(server.ask() for _ in range(40)), return_exceptions=True)
        return sum(one is None for one in told)

    served = asyncio.run(go())
    assert served * 10 <= tokens
    assert served * 10 > tokens - 20 or served == 40
    assert pressure.under_way == 0


def test_an_unknown_usage_counts_as_the_most_it_can_be() -> None:
    budget = Budget(BudgetLimits(tokens=100))
    for took in (Usage(1, None, None), None):
        budget.reserve(SOME)
        budget.settle_reservation(SOME, took)
    assert budget.input_tokens + budget.output_tokens == 40
