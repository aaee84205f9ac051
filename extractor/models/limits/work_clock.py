"""A document's deadline, which counts the time in which something is done for it, and not the time in queues.

Of many documents at a time most wait for their turn most of the time. A deadline on the wall clock would cut off those
that wait, and the longer a run's queue the more of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar

_current: ContextVar[WorkClock | None] = ContextVar("extractor_work_clock", default=None)
"""The clock of the document that this task does something for."""


class WorkClock:
    """Runs while at least one of a document's questions is worked on. `seconds` is its deadline; None is none."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = math.inf if seconds is None else seconds
        self._spent = 0.0
        self._at_work = 0
        self._since = 0.0
        self._open: set[asyncio.Timeout] = set()

    @property
    def is_over(self) -> bool:
        return self._left() <= 0

    @contextlib.asynccontextmanager
    async def enforce_deadline(self) -> AsyncIterator[asyncio.Timeout]:
        """A block in which what is awaited is cancelled when the deadline is over, with TimeoutError."""
        async with asyncio.timeout(None) as bound:
            self._open.add(bound)
            self._set(bound)
            try:
                yield bound
            finally:
                self._open.discard(bound)

    @contextlib.contextmanager
    def work(self) -> Iterator[None]:
        """A block in which a question is worked on, but for the waiting in it that `wait_in_queue` tells of."""
        token = _current.set(self)
        self.change(1)
        try:
            yield
        finally:
            self.change(-1)
            _current.reset(token)

    def _left(self) -> float:
        running = asyncio.get_running_loop().time() - self._since if self._at_work else 0.0
        return self.seconds - self._spent - running

    def change(self, by: int) -> None:
        """Counts so many more questions as being worked on."""
        if self.seconds == math.inf:
            return
        now = asyncio.get_running_loop().time()
        if self._at_work:
            self._spent += now - self._since
        self._at_work += by
        self._since = now
        for bound in self._open:
            self._set(bound)

    def _set(self, bound: asyncio.Timeout) -> None:
        """Moves a deadline to where the clock reaches it if it goes on as it does; nowhere while it stands."""
        if bound.expired():
            return
        over = asyncio.get_running_loop().time() + self._left()
        bound.reschedule(over if self._at_work and over != math.inf else None)


@contextlib.contextmanager
def wait_in_queue() -> Iterator[None]:
    """A block in which the document that this task works for only waits for its turn."""
    clock = _current.get()
    if clock is None:
        yield
        return
    clock.change(-1)
    try:
        yield
    finally:
        clock.change(1)
