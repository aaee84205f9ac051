"""The model as one document has it: under its session's limiter, and within the document's own deadline."""

from __future__ import annotations

import asyncio
import contextlib

from extractor.errors import ReplyLate
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.limits.work_clock import WorkClock
from extractor.types import Model, Reply, Request, Usage


class DocumentModel:
    """Asks `model` the questions of one document.

    Each waits until `limiter` admits it, with the questions of all other documents; `in_turn`, also until the one
    before it is answered. After `seconds` in which any of them was worked on all of it ends, retries and replies that
    come byte by byte included; waiting for a turn does not count; None is no deadline. A question that is cut off is a
    failure of the document; what was answered before stays answered.
    """

    def __init__(
        self, model: Model, limiter: ConcurrencyLimiter, *, in_turn: bool = False, seconds: float | None = None
    ) -> None:
        self._model, self._limiter = model, limiter
        self._turn = asyncio.Lock() if in_turn else contextlib.nullcontext()
        self._clock = WorkClock(seconds)

    async def complete(self, request: Request) -> Reply:
        """The reply. Raises ReplyLate after the deadline, and what the model raises."""
        if self._clock.is_over:
            raise self._late_reply_error(Usage())
        asked = False
        late: asyncio.Timeout | None = None
        try:
            async with self._clock.enforce_deadline() as late, self._turn, self._limiter.admit_question():
                asked = True
                with self._clock.work():
                    return await self._model.complete(request)
        except TimeoutError:
            if late is None or not late.expired():
                raise
            # what was broken off may have been answered and billed all the same
            raise self._late_reply_error(Usage(1, None, None, None) if asked else Usage()) from None

    def _late_reply_error(self, usage: Usage) -> ReplyLate:
        late = ReplyLate(
            f"The document's {self._clock.seconds:g} s of work were over; give it more with --document-timeout."
        )
        late.usage = usage
        return late
