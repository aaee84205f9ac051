"""Whose turn it is: the page's while it asks, and else that of what is done beside it.

Python does one thing at a time: a page that asks while documents are read for the queue would wait for its share of
each of its steps. So the reading rests until the page has had its answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import MutableMapping
from typing import Any

from extractor.review_app.guard import App, Receive, Send

QUIET_SECONDS = 0.25
"""Seconds after an answer in which a page that is being drawn may ask on."""


class Turns:
    """Tells what is done beside the page when it may go on. Threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self._answered = float("-inf")

    def begin_answer(self) -> None:
        with self._lock:
            self._under_way += 1

    def end_answer(self) -> None:
        with self._lock:
            self._under_way -= 1
            self._answered = time.monotonic()

    def wait(self, stopping: threading.Event) -> bool:
        """Waits until the page asks for nothing; whether there is a turn at all: none comes when all is stopping."""
        while (left := self._find_seconds_left()) > 0:
            if stopping.wait(left):
                return False
        return not stopping.is_set()

    def _find_seconds_left(self) -> float:
        with self._lock:
            return QUIET_SECONDS if self._under_way else self._answered + QUIET_SECONDS - time.monotonic()


class PageFirst:
    """An ASGI application whose answers come before what is done beside it."""

    def __init__(self, app: App, turns: Turns) -> None:
        self.app, self.turns = app, turns

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self.turns.begin_answer()
        try:
            await self.app(scope, receive, send)
        finally:
            self.turns.end_answer()
