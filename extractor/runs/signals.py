"""Ctrl-C, SIGTERM and a closed terminal: the first lets what is under way end, the second ends at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import TypeVar

from extractor.documents.formats.sandbox import end_readers

T = TypeVar("T")

FORCED_EXIT_SECONDS = 4.5
"""Seconds after the first signal at which the process ends, whatever is still running; its state is saved by then."""
_STOP_SIGNALS = [s for name in ("SIGINT", "SIGTERM", "SIGHUP") if (s := getattr(signal, name, None)) is not None]


def run_until_signal(work: Callable[[asyncio.Event], Awaitable[T]]) -> tuple[T, int]:
    """The result of `work` and the signal that arrived meanwhile, 0 for none. `work` is given the event that it sets.

    Signals that the process was started to ignore stay ignored. On a thread that is not the main one, none is handled.
    """
    heard: list[int] = []
    watches: list[threading.Timer] = []

    async def run_work() -> T:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        threads = ThreadPoolExecutor(thread_name_prefix="extractor-run")
        loop.set_default_executor(threads)

        def handle_signal(number: int, frame: FrameType | None) -> None:
            if heard:
                os._exit(128 + number)
            heard.append(number)
            loop.call_soon_threadsafe(stop.set)
            watches.append(threading.Timer(FORCED_EXIT_SECONDS, os._exit, [128 + number]))
            watches[0].daemon = True
            watches[0].start()
            with contextlib.suppress(OSError, RuntimeError, ValueError):  # a closed stderr, or one in mid-sentence
                print("\nStopping within seconds; once more ends at once.", file=sys.stderr, flush=True)

        with _handle_signals(handle_signal):
            try:
                return await work(stop)
            finally:
                if heard:
                    _leave_threads(loop, threads)

    try:
        return asyncio.run(run_work()), heard[0] if heard else 0
    finally:
        for watch in watches:
            watch.cancel()


def _leave_threads(loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor) -> None:
    """Sees to it that nobody waits for a file that is being read, or for a reply: what counts is saved by now."""
    end_readers()
    threads.shutdown(wait=False, cancel_futures=True)
    loop.set_default_executor(ThreadPoolExecutor(1))


@contextlib.contextmanager
def _handle_signals(hear: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.getsignal(s) for s in _STOP_SIGNALS}
    mine = [s for s, handler in before.items() if handler is not signal.SIG_IGN]
    for s in mine:
        signal.signal(s, hear)
    try:
        yield
    finally:
        for s in mine:
            signal.signal(s, before[s])
