"""What an engine has running: its model, and an event loop of its own, each begun when it is first needed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from extractor.api.event_loop import run_event_loop
from extractor.models.choice import ModelSpec
from extractor.models.client_options import ClientOptions
from extractor.models.session import ModelSession, build_own_session, open_session
from extractor.models.settings import ModelSettings
from extractor.types import Model, Vision

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """One of the models of an engine, and how it is asked."""

    model: ModelSpec | Model
    options: ClientOptions
    settings: ModelSettings
    name: str
    concurrency: int
    vision: Vision


class RunningEngine:
    """It knows nothing of the engine that it is of, so that it can be closed when nobody holds that any more."""

    def __init__(self, models: Sequence[ChosenModel]) -> None:
        self._models = models
        self._open = contextlib.ExitStack()
        self._lock = threading.RLock()
        self._sessions: list[ModelSession] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def open_sessions(self) -> list[ModelSession]:
        """A session for each model, which may start embedded ones, and take seconds for it."""
        with self._lock:
            if not self._sessions:
                self._sessions = [self._open_session(one) for one in self._models]
            return self._sessions

    def _open_session(self, one: ChosenModel) -> ModelSession:
        if isinstance(one.model, ModelSpec):
            return self._open.enter_context(open_session(one.model, one.options))
        return build_own_session(one.model, one.options.concurrency, one.settings)

    def submit(self, work: Coroutine[Any, Any, Done]) -> Future[Done]:
        """Begins work on the engine's own loop."""
        with self._lock:
            if self._loop is None:
                self._loop = self._open.enter_context(run_event_loop())
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait_for(self, work: Coroutine[Any, Any, Done]) -> Done:
        """Does work on the engine's own loop."""
        begun = self.submit(work)
        try:
            return begun.result()
        finally:
            begun.cancel()

    def close(self) -> None:
        """Ends what runs; what is needed again after that is begun anew."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._open.close()
            self._sessions, self._loop = [], None
