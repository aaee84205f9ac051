"""Deadlines that hold against a slow drip of bytes, and that do not expire while the process is stopped.

They use the event loop's clock, which is monotonic: setting the wall clock changes nothing. Time in which this process
did not run at all (SIGSTOP, a closed lid) does not count.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

WATCH_INTERVAL = 0.5
"""Seconds between two looks at the clock."""
STALL_SECONDS = 1.5
"""Seconds between two looks from which on the process is taken to have been stopped."""


class _DeadlineWatch:
    """One per loop while any deadline is open: moves them all on when the loop stood still."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.open_timeouts: set[asyncio.Timeout] = set()
        self.handle: asyncio.TimerHandle | None = None
        self.last = 0.0

    def add(self, timeout: asyncio.Timeout) -> None:
        self.open_timeouts.add(timeout)
        if self.handle is None:
            self.last = self.loop.time()
            self.handle = self.loop.call_later(WATCH_INTERVAL, self.check_clock)

    def remove(self, timeout: asyncio.Timeout) -> None:
        self.open_timeouts.discard(timeout)
        if not self.open_timeouts and self.handle is not None:
            self.handle.cancel()
            self.handle = None

    def check_clock(self) -> None:
        now = self.loop.time()
        stood = now - self.last
        # The look was due before any deadline that passed while the loop stood, so it comes before them, too.
        if stood > STALL_SECONDS:
            for timeout in self.open_timeouts:
                when = timeout.when()
                if when is not None and not timeout.expired():
                    timeout.reschedule(when + stood)
        self.last = now
        self.handle = self.loop.call_later(WATCH_INTERVAL, self.check_clock)


_watch_by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _DeadlineWatch] = weakref.WeakKeyDictionary()


@asynccontextmanager
async def enforce_deadline(seconds: float) -> AsyncIterator[None]:
    """Raises TimeoutError, and cancels what is awaited in the block, after so many seconds of running."""
    loop = asyncio.get_running_loop()
    watch = _watch_by_loop.get(loop)
    if watch is None:
        watch = _watch_by_loop[loop] = _DeadlineWatch(loop)
    async with asyncio.timeout(seconds) as timeout:
        watch.add(timeout)
        try:
            yield
        finally:
            watch.remove(timeout)
