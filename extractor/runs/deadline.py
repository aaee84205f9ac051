"""A model for one document that keeps the document's deadline and waits for its turn."""

from __future__ import annotations

import asyncio

from extractor.errors import ReplyLate
from extractor.types import Model, Reply, Request, Usage


class DeadlineModel:
    """Asks `model`, under `limit` with everybody else, until `seconds` from now; None is no deadline.

    The deadline bounds waiting, retries and replies that come byte by byte. A question that it cuts off is a failure of
    the document; what was answered before stays answered.
    """

    def __init__(self, model: Model, limit: asyncio.Semaphore, seconds: float | None) -> None:
        self._model, self._limit, self._seconds = model, limit, seconds
        self._until = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self.unlimited = asyncio.Semaphore(1 << 30)
        """For who would wait for a turn before asking: here is where one waits, with an eye on the clock."""

    async def complete(self, request: Request) -> Reply:
        """The reply. Raises ReplyLate after the deadline, and what the model raises."""
        if self._until is not None and asyncio.get_running_loop().time() >= self._until:
            raise self._late_reply_error(Usage())
        asked = False
        bound = asyncio.timeout_at(self._until)
        try:
            async with bound, self._limit:
                asked = True
                return await self._model.complete(request)
        except TimeoutError:
            if not bound.expired():
                raise
            # what was broken off may have been answered and billed all the same
            raise self._late_reply_error(Usage(1, None, None, None) if asked else Usage()) from None

    def _late_reply_error(self, usage: Usage) -> ReplyLate:
        late = ReplyLate(f"The document's {self._seconds:g} s were over; give it more with --document-timeout.")
        late.usage = usage
        return late
