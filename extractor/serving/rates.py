"""How often each key may ask: a bucket of requests that fills up by itself."""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimiter:
    """So many requests a minute for each owner, as many at once."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = max(1.0, per_minute), clock
        self._per_second = per_minute / 60
        self._left: dict[str, tuple[float, float]] = {}
        """Of each owner the requests that were left, and when that was so."""

    def take(self, owner: str) -> float:
        """0 for a request that may be done, else the seconds until one may."""
        now = self._clock()
        left, since = self._left.get(owner, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        if left >= 1:
            self._left[owner] = left - 1, now
            return 0.0
        self._left[owner] = left, now
        return (1 - left) / self._per_second
