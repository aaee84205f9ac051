"""Deadlines that hold against a slow drip of bytes, and that a stopped process does not fall victim to.

They are of the event loop's clock, which is monotonic: setting the wall clock changes nothing. A time in which this
process did not run at all (SIGSTOP, a closed lid) is nobody's slowness and does not count.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TICK = 0.5
"""Seconds between two looks at the clock."""
STALLED = 1.5
"""Seconds between two looks from which on the process is taken to have been stopped."""


class _Watch:
    """One per loop while any deadline is open: moves them all on when the loop stood still."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.open: set[asyncio.Timeout] = set()
        self.handle: asyncio.TimerHandle | None = None
        self.last = 0.0

    def add(self, timeout: asyncio.Timeout) -> None:
        self.open.add(timeout)
        if self.handle is None:
            self.last = self.loop.time()
            self.handle = self.loop.call_later(TICK, self.look)

    def remove(self, timeout: asyncio.Timeout) -> None:
        self.open.discard(timeout)
        if not self.open and self.handle is not None:
            self.handle.cancel()
            self.handle = None

    def look(self) -> None:
        now = self.loop.time()
        stood = now - self.last
        # The look was due before any deadline that passed while the loop stood, so it comes before them, too.
        if stood > STALLED:
            for timeout in self.open:
                when = timeout.when()
                if when is not None and not timeout.expired():
                    timeout.reschedule(when + stood)
        self.last = now
        self.handle = self.loop.call_later(TICK, self.look)


_watches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = weakref.WeakKeyDictionary()


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Raises TimeoutError, and cancels what is awaited in the block, after so many seconds of running."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None:
        watch = _watches[loop] = _Watch(loop)
    async with asyncio.timeout(seconds) as timeout:
        watch.add(timeout)
        try:
            yield
        finally:
            watch.remove(timeout)
