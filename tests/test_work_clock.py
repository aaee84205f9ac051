"""A document's deadline counts the seconds in which something is done for it, and not those in the queue."""

from __future__ import annotations

import asyncio

import pytest
from simulated_time import run_in_simulated_time

from extractor.errors import ReplyLate
from extractor.models.document_model import DocumentModel
from extractor.models.limits.budget import TokenEstimate
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.types import Reply, Request, Usage

REQUEST = Request("m", "s", "u", {"type": "object", "properties": {}}, {})


class Slow:
    """Answers after so many seconds, each time by leave of the limiter."""

    name = "slow"

    def __init__(self, limiter: ConcurrencyLimiter, seconds: float) -> None:
        self.limiter, self.seconds = limiter, seconds

    async def complete(self, request: Request) -> Reply:
        turn = await self.limiter.acquire(TokenEstimate(1, 1))
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.limiter.record_reply(turn, Usage(1))
        return Reply({}, Usage(1))


def ask(documents: int, questions: int, most: int, seconds: float, deadline: float) -> tuple[int, float]:
    """Questions that were answered in time, and when all was over."""
    limiter = ConcurrencyLimiter(most)

    async def go() -> tuple[int, float]:
        async def ask_about_one() -> int:
            model = DocumentModel(Slow(limiter, seconds), limiter, seconds=deadline)
            asked = (model.complete(REQUEST) for _ in range(questions))
            told = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(one, Reply | ReplyLate) for one in told), told
            return sum(isinstance(one, Reply) for one in told)

        answered = sum(await asyncio.gather(*(ask_about_one() for _ in range(documents))))
        return answered, asyncio.get_running_loop().time()

    return run_in_simulated_time(go())


def test_waiting_for_a_turn_is_no_work() -> None:
    answered, seconds = ask(documents=20, questions=1, most=1, seconds=1.0, deadline=1.5)
    assert (answered, seconds) == (20, pytest.approx(20, abs=0.2))


def test_questions_that_are_answered_at_once_count_once() -> None:
    assert ask(documents=1, questions=8, most=8, seconds=1.0, deadline=1.5)[0] == 8


def test_questions_one_after_the_other_count_together() -> None:
    answered, seconds = ask(documents=1, questions=8, most=1, seconds=1.0, deadline=3.5)
    assert (answered, seconds) == (3, pytest.approx(3.5, abs=0.1))


def test_what_hangs_ends_at_the_deadline() -> None:
    answered, seconds = ask(documents=3, questions=1, most=1, seconds=3600.0, deadline=15.0)
    assert (answered, seconds) == (0, pytest.approx(45, abs=0.2))
