"""What an engine has running: its model, and an event loop of its own, each begun when it is first needed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from extractor.api.event_loop import run_event_loop
from extractor.models.choice import ModelSpec
from extractor.models.client_options import ClientOptions
from extractor.models.session import ModelSession, build_own_session, open_session
from extractor.models.settings import ModelSettings
from extractor.types import Model

Done = TypeVar("Done")


class RunningEngine:
    """It knows nothing of the engine that it is of, so that it can be closed when nobody holds that any more."""

    def __init__(self, model: ModelSpec | Model, options: ClientOptions, settings: ModelSettings) -> None:
        self._model, self._options, self._settings = model, options, settings
        self._open = contextlib.ExitStack()
        self._lock = threading.RLock()
        self._session: ModelSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def open_session(self) -> ModelSession:
        """The session, which may start an embedded model, and take seconds for it."""
        with self._lock:
            if self._session is None:
                if isinstance(self._model, ModelSpec):
                    self._session = self._open.enter_context(open_session(self._model, self._options))
                else:
                    self._session = build_own_session(self._model, self._options.concurrency, self._settings)
            return self._session

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
            if self._session is not None:
                self._session.close()
            self._open.close()
            self._session = self._loop = None
