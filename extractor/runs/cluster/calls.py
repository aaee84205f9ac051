"""Calls of actors that are waited for: whoever waits may be cancelled, the call goes on to its end.

Ray answers in a thread of its own, and cannot forget a call that nobody waits for any more: its answer would find a
future that was cancelled, or an event loop that is closed.
"""

from __future__ import annotations

import asyncio
from typing import Any


class ActorCalls:
    """The calls that are under way. For one event loop."""

    def __init__(self) -> None:
        self._calls = set[asyncio.Future[Any]]()

    async def wait_for(self, reference: Any) -> Any:
        """What a call gives. Raises what Ray does."""
        return await asyncio.shield(self.begin(reference))

    def begin(self, reference: Any) -> asyncio.Future[Any]:
        """Waits for a call whether anybody else does or not."""
        call = asyncio.ensure_future(_wait_for(reference))
        self._calls.add(call)
        call.add_done_callback(self._forget)
        return call

    def _forget(self, call: asyncio.Future[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # who waits for it has noticed

    async def wait_for_all(self, seconds: float) -> None:
        """Waits for the calls that are under way, so many seconds at most."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=seconds)


async def _wait_for(reference: Any) -> Any:
    return await reference
