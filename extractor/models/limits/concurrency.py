"""How hard an endpoint is pressed: how many requests are under way, and when the next one may go.

Everything that a run sends to one endpoint passes one `ConcurrencyLimiter`, by two gates: no more questions are in hand
than may be under way at most, so that what is found out with the first holds for those that wait, and each of their
requests is sent when the endpoint can be expected to take it. The number under way follows what the endpoint takes: it
doubles in a round while no ceiling is near, and goes up by one at a ceiling that refused before, which is tried ever
more rarely; a refusal (HTTP 429) of a full house falls back to what was not refused, by half at most. That is additive
increase, multiplicative decrease (Chiu and Jain 1989) behind a slow start.

A refusal by chance, such as an endpoint's that refuses one in twenty whatever is under way, lowers nothing, and a rest
that it asks for is its own; `full_house` tells the two apart.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from extractor.errors import ModelBusy
from extractor.models.limits.budget import Budget, TokenEstimate
from extractor.models.limits.full_house import Cause, Outcomes
from extractor.models.limits.work_clock import wait_in_queue
from extractor.types import Usage

MAX_REST_SECONDS = 120.0
"""Seconds of an asked-for wait that are waited; an endpoint that asks for more is named as rate-limiting instead."""
RAMP_INTERVAL = 0.004
"""Seconds between the first requests, so that a refusal is heard before all are sent: 64 in a quarter second."""
MAX_CAUTION = 64
"""Clean rounds at most until a ceiling that refused is tried again."""
HALF_A_ROUND = 0.5
"""Clean rounds until a ceiling is tried again that may have been none."""
FAILURE_COST = 4
"""Clean requests that a failure which is no refusal takes back: where one in five fails, nothing grows."""


@dataclass(frozen=True, slots=True)
class SendPermit:
    """The leave to send one request."""

    estimate: TokenEstimate
    episode: int
    """How often the number under way had been lowered before."""
    served: int
    """Replies that had come before, to anybody's request."""
    level: int
    """How many were under way with it."""


@dataclass(slots=True, eq=False)
class _WaitingRequest:
    estimate: TokenEstimate
    future: asyncio.Future[SendPermit]


class ConcurrencyLimiter:
    """One run's requests to one endpoint. For use from one event loop.

    `most` are under way at a time, at most; `rpm` and `tpm` are requests and tokens per minute, evenly spread.
    """

    def __init__(
        self, most: int, *, rpm: float | None = None, tpm: float | None = None, budget: Budget | None = None
    ) -> None:
        self.max_concurrency = max(1, most)
        self.limit = float(self.max_concurrency)
        self.under_way = 0
        self.served = 0
        self.refused = 0
        self.budget = budget or Budget()
        self._request_every = 60 / rpm if rpm else 0.0
        self._token_every = 60 / tpm if tpm else 0.0
        self._not_before = -math.inf
        """Of the loop's clock, as all times here."""
        self._next_request = self._next_token = self._next_first = -math.inf
        self._highest = 0
        """The most that were under way at a time, so far."""
        self._episode = 0
        self._floor = 1
        self._clean = 0
        self._ceiling = math.inf
        """The number under way that was refused last."""
        self._caution = HALF_A_ROUND
        self._outcomes = Outcomes()
        self._levels: Counter[int] = Counter()
        """Of all that are under way the number that were with each."""
        self._questions = asyncio.Semaphore(self.max_concurrency)
        self._waiting: deque[_WaitingRequest] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def admit_question(self) -> AbstractAsyncContextManager[None]:
        """A block in which one question is answered, with all its requests; entered in the order of asking."""
        return self._questions

    async def acquire(self, estimate: TokenEstimate, *, again: bool = False) -> SendPermit:
        """Waits for leave to send; whoever was sent away before comes first.

        Raises BudgetSpent, once nothing is under way that could give some back, and ModelBusy when the endpoint asked
        for a longer rest than is waited for.
        """
        loop = asyncio.get_running_loop()
        if (rest := self._not_before - loop.time()) > MAX_REST_SECONDS:
            raise rest_too_long_error(rest)
        waiting = _WaitingRequest(estimate, loop.create_future())
        if again:
            self._waiting.appendleft(waiting)
        else:
            self._waiting.append(waiting)
        self._admit_waiting()
        try:
            with wait_in_queue():
                return await waiting.future
        except asyncio.CancelledError:
            if waiting.future.done() and not waiting.future.cancelled() and waiting.future.exception() is None:
                self._release_permit(waiting.future.result(), None)
            elif waiting in self._waiting:
                self._waiting.remove(waiting)
            raise

    def record_reply(self, turn: SendPermit, took: Usage) -> None:
        """A reply came, fitting or not."""
        self.served += 1
        self._outcomes.add(turn.level, "served")
        at_the_limit = self.under_way >= int(self.limit)
        if at_the_limit and turn.episode == self._episode:
            self._raise_limit()
        self._release_permit(turn, took)

    def record_refusal(self, turn: SendPermit, retry_after: float | None) -> bool:
        """The endpoint does not take the request, and says (or not) for how many seconds it wants rest.

        Whether the rest is everybody's, and waited for in the queue; else whoever asked has to wait by himself.
        """
        self.refused += 1
        self._outcomes.add(turn.level, "refused")
        cause = self._outcomes.find_cause(turn.level, "refused", self._list_held(turn))
        if cause is Cause.CHANCE:
            self._release_permit(turn, Usage(1))
            return False
        self._clean = 0
        if turn.episode == self._episode:
            self._episode += 1
            self._floor = max(1, self.under_way // 2)
            again = self.under_way >= self._ceiling
            first = 2.0 if cause is Cause.FULL else HALF_A_ROUND
            self._caution = min(2 * self._caution, MAX_CAUTION) if again else first
            self._ceiling = self.under_way
        # What is still under way was not refused, or not yet: the last of a burst of refusals tells it exactly.
        self.limit = max(float(self._floor), min(self.limit, float(self.under_way - 1)))
        self._rest(retry_after)
        self._release_permit(turn, Usage(1))
        return True

    def record_failure(self, turn: SendPermit, took: Usage | None, retry_after: float | None = None) -> bool:
        """No reply, for whatever reason; None when nobody knows what it cost. It is no time to grow.

        Whether the rest that was asked for is everybody's, as it is unless others are served.
        """
        self._clean = max(0, self._clean - FAILURE_COST)
        self._outcomes.add(turn.level, "failed")
        is_everybody_s = self._outcomes.find_cause(turn.level, "failed", self._list_held(turn)) is not Cause.CHANCE
        if is_everybody_s:
            self._rest(retry_after)
        self._release_permit(turn, took)
        return is_everybody_s

    def _rest(self, seconds: float | None) -> None:
        if seconds is not None:
            self._not_before = max(self._not_before, asyncio.get_running_loop().time() + seconds)

    def _list_held(self, but: SendPermit) -> list[int]:
        return list((self._levels - Counter([but.level])).elements())

    def _raise_limit(self) -> None:
        self._clean += 1
        is_near = self.limit + 1 >= self._ceiling
        wanted = self.limit * self._caution if is_near else 1.0
        if self._clean < wanted or self.limit >= self.max_concurrency:
            return
        self._clean = 0
        if self.limit >= self._ceiling:  # a whole round at what was refused once: that ceiling is gone
            self._ceiling, self._caution = math.inf, 1.0
        self.limit = min(self.limit + 1, float(self.max_concurrency))

    def _release_permit(self, turn: SendPermit, took: Usage | None) -> None:
        self.under_way -= 1
        self._levels[turn.level] -= 1
        self.budget.settle_reservation(turn.estimate, took)
        if self._token_every and took is not None and None not in (took.input_tokens, took.output_tokens):
            spare = turn.estimate.total_tokens - (took.input_tokens or 0) - (took.output_tokens or 0)
            self._next_token -= spare * self._token_every
        self._admit_waiting()

    def _admit_waiting(self) -> None:
        """Gives leave to as many as may go now, and sets a clock for the next."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            first = self._waiting[0]
            if first.future.done():
                self._waiting.popleft()
                continue
            if self.under_way >= int(self.limit):
                return
            now = loop.time()
            if self._not_before - now > MAX_REST_SECONDS:
                self._waiting.popleft().future.set_exception(rest_too_long_error(self._not_before - now))
                continue
            rising = self.under_way >= self._highest
            ready = max(self._not_before, self._next_request, self._next_token, self._next_first if rising else now)
            if ready > now:
                self._schedule_admission(ready)
                return
            if not self.budget.fits(first.estimate):
                if self.under_way:
                    return  # a reply that takes less than was kept aside for it may leave enough
                self._waiting.popleft().future.set_exception(self.budget.budget_spent_error(first.estimate))
                continue
            self._waiting.popleft()
            self._grant_permit(first, now, rising)

    def _grant_permit(self, one: _WaitingRequest, now: float, rising: bool) -> None:
        self.under_way += 1
        self._levels[self.under_way] += 1
        self.budget.reserve(one.estimate)
        self._next_request = max(now, self._next_request) + self._request_every
        self._next_token = max(now, self._next_token) + one.estimate.total_tokens * self._token_every
        if rising:
            self._highest = self.under_way
            self._next_first = now + RAMP_INTERVAL
        one.future.set_result(SendPermit(one.estimate, self._episode, self.served, self.under_way))

    def _schedule_admission(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._admit_waiting)


def rest_too_long_error(seconds: float) -> ModelBusy:
    return ModelBusy(
        f"The endpoint wants no request for {math.ceil(seconds)} s, which is too long to wait for; run again then.",
        reason="rate limited",
    )
