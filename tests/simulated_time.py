"""An event loop whose clock jumps to what is due next: hours of waiting take no time, and every run is the same."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Never waits: the time that it was to wait has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("nothing is due any more, and something is still waited for")
        if not ready and timeout is not None:
            self.passed += max(0.0, timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.passed

    def run_in_executor(self, executor: Any, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        """Does it at once: what another thread takes is no time of this clock."""
        done = self.create_future()
        done.set_result(work(*arguments))
        return done


def run_in_simulated_time(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of what does no input or output but in this process."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
