"""An event loop in a thread of its own, for callers that have none, or one that runs already, as a notebook has."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

CLOSING_SECONDS = 10.0
"""Seconds that a loop has to end; what hangs longer is left to the end of the process, which does not wait for it."""


@contextlib.contextmanager
def run_event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop, running while the block lasts; what still runs on it at the end is cancelled."""
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve_until_stopped() -> None:
        stop = asyncio.Event()
        begun.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve_until_stopped()), name="extractor", daemon=True)
    thread.start()
    loop, stop = begun.result()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        if thread is not threading.current_thread():  # garbage may be collected anywhere, and with it an engine
            thread.join(CLOSING_SECONDS)
