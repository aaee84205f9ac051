"""A server in a thread of the test's own process, with a model of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from extractor.extraction.task import task_from_json_schema
from extractor.models.session import build_own_session
from extractor.runs.document import build_extractor
from extractor.serving.keys import ServerKeys
from extractor.serving.options import Bounds, ServerOptions
from extractor.serving.server import Served, open_listener, serve_requests
from extractor.types import Model

ORDER = {
    "title": "Order",
    "type": "object",
    "properties": {"number": {"type": ["string", "null"], "description": "number of the order"}},
}


@dataclass
class RunningServer:
    """What tests ask, and what it said."""

    client: httpx2.Client
    stop: Any
    ended: Future[None]
    bugs: list[tuple[str, Exception]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@contextlib.contextmanager
def run_server(
    folder: Path,
    model: Model,
    *,
    bounds: Bounds | None = None,
    keys: ServerKeys | None = None,
    has_task: bool = True,
    takes_schemas: bool = True,
    **settings: Any,
) -> Iterator[RunningServer]:
    options = ServerOptions(folder, bounds or Bounds(), takes_schemas, **settings)
    session = build_own_session(model, 8)
    task = task_from_json_schema(ORDER)
    own = build_extractor(task, task.choose_prompt(None), session) if has_task else None
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    ended: Future[None] = Future()
    with open_listener("127.0.0.1", 0, keys or ServerKeys()) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        running = RunningServer(httpx2.Client(base_url=address, timeout=60), None, ended)
        served = Served(
            session,
            own,
            keys or ServerKeys(),
            running.notes.append,
            lambda name, error: running.bugs.append((name, error)),
        )

        async def serve() -> None:
            stop = asyncio.Event()
            begun.set_result((asyncio.get_running_loop(), stop))
            await serve_requests(served, options, listener, stop)

        def run() -> None:
            try:
                asyncio.run(serve())
                ended.set_result(None)
            except Exception as error:  # noqa: BLE001 -- it is the test's to raise
                ended.set_exception(error)

        thread = threading.Thread(target=run)
        thread.start()
        loop, stop = begun.result(10)
        running.stop = lambda: loop.call_soon_threadsafe(stop.set)
        try:
            with running.client:
                yield running
        finally:
            with contextlib.suppress(RuntimeError):
                running.stop()
            thread.join(20)
        ended.result(1)
        assert not running.bugs, running.bugs
