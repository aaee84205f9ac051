"""A server from its start to its end: the folder held, the model open, jobs at work, and requests answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from extractor.errors import MachineError, UsageError
from extractor.models.session import ModelSession
from extractor.runs.document import DocumentExtractor
from extractor.serving.app import Interface, ServerParts
from extractor.serving.board import JobBoard, JobTools
from extractor.serving.keys import KEY_VARIABLE, ServerKeys, is_loopback
from extractor.serving.metrics import ServerMetrics
from extractor.serving.options import ServerOptions
from extractor.serving.shelf import TaskShelf
from extractor.serving.store import JobStore

MAX_CONNECTIONS = 1000
"""Connections at a time; more are told to come again."""
HEAD_SECONDS = 20.0
"""Seconds in which the head of a request is there."""
UNREAD_SECONDS = 60.0
"""Seconds in which some of an answer is read."""
SHUTDOWN_SECONDS = 1
"""Seconds that answers under way have to end when the server stops."""
SWEEP_SECONDS = 600.0
"""Seconds after which old jobs are looked for."""
_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
    ("Server", "extractor"),
]


@dataclass(frozen=True, slots=True)
class Served:
    """What answers, and what it is asked."""

    session: ModelSession
    own: DocumentExtractor | None
    """Of the task that the server was started with."""
    keys: ServerKeys
    on_note: Callable[[str], None] = lambda sentence: None
    on_bug: Callable[[str, Exception], None] = lambda name, error: None


@contextlib.contextmanager
def open_listener(host: str, port: int, keys: ServerKeys) -> Iterator[socket.socket]:
    """What listens at an address; port 0 is any that is free.

    Raises UsageError for an address that others reach where there is no key, MachineError for one that is taken.
    """
    if not is_loopback(host) and not keys.digests:
        raise UsageError(
            f"Everybody who reaches {host} could ask; name a file of keys with --keys, or one in {KEY_VARIABLE}."
        )
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=512)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else an answer may wait 40 ms for its client
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]  # where Python names the address again
        raise MachineError(f"{host}:{port} cannot be listened at ({why}); choose another --port.") from error
    with listener:
        yield listener


async def serve_requests(served: Served, options: ServerOptions, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answers requests until `stop` is set; what is not done then is done after the next start.

    Raises UsageError when another server holds the folder, MachineError where it cannot be written.
    """
    store = JobStore(options.folder)
    with store.hold() as orders:
        for note in store.notes:
            served.on_note(note)
        metrics = ServerMetrics()
        shelf = TaskShelf(served.own, served.session, options.document_timeout)
        board = JobBoard(JobTools(store, shelf, metrics, options.ocr, served.on_bug), orders)
        metrics.watch_jobs(board.count_states)
        accept = served.own.reading.acceptance.threshold if served.own is not None else 0.5
        parts = ServerParts(options, served.keys, board, shelf, metrics, accept, served.on_bug)
        server = _DeafServer(_build_config(parts))
        answering = asyncio.create_task(server.serve([listener]))
        working = asyncio.create_task(board.run(served.session.concurrency))
        sweeping = asyncio.create_task(_sweep(board, options.bounds.kept_hours))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({answering, working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        board.is_stopping.set()
        server.should_exit = True
        sweeping.cancel()
        await asyncio.gather(answering, working)
        stopping.cancel()


class _PunctualProtocol(H11Protocol):
    """A connection that ends where nothing comes of it: no request before long, or nobody who reads the answer.

    uvicorn waits for both without end, and who sends nothing could have all connections.
    """

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._look_for_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look_for_request()

    def _look_for_request(self) -> None:
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)
        elif not waits and self._late is not None:
            self._late.cancel()
            self._late = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_for_reader(self.transport.get_write_buffer_size())

    def _look_for_reader(self, left: int) -> None:
        def look() -> None:
            now = self.transport.get_write_buffer_size()
            if now >= left:
                self.transport.abort()
            else:
                self._look_for_reader(now)

        self._unread = self.loop.call_later(UNREAD_SECONDS, look)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget(self._unread)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(UNREAD_SECONDS, self.transport.abort)  # what is not read keeps it open

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget(self._late)
        self._forget(self._unread)

    def _forget(self, timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


class _DeafServer(uvicorn.Server):
    """A server that leaves signals to the command."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _build_config(parts: ServerParts) -> uvicorn.Config:
    return uvicorn.Config(
        Interface(parts).build_app(),
        http=_PunctualProtocol,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        headers=_HEADERS,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws="none",
    )


async def _sweep(board: JobBoard, hours: float) -> None:
    while True:
        await board.remove_old(time.time() - hours * 3600)
        await asyncio.sleep(SWEEP_SECONDS)
