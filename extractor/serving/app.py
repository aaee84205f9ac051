"""The HTTP interface: who asks what, and what is answered. docs/serve.md describes it, /openapi.json lists it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from extractor.documents.discovery import load_bytes
from extractor.errors import ExtractorError
from extractor.extraction.acceptance import Acceptance
from extractor.results.file import encode_part
from extractor.runs.bugs import name_place
from extractor.runs.given_apart import ground_apart
from extractor.serving import openapi
from extractor.serving.board import JobBoard
from extractor.serving.bodies import Asked, read_asked
from extractor.serving.file_answer import FileAnswer
from extractor.serving.jobs import Job, JobOrder, JobState, draw_job_id
from extractor.serving.keys import ServerKeys, is_own_page
from extractor.serving.metrics import CONTENT_TYPE, ServerMetrics
from extractor.serving.options import MAX_WAIT_SECONDS, SMALL_BYTES, ServerOptions
from extractor.serving.problems import Refused, build_problem, explain_error
from extractor.serving.rates import RateLimiter
from extractor.serving.shelf import TaskShelf
from extractor.types import Json

ALIVE_SECONDS = 15.0
"""Seconds of silence after which a stream of events says that it is still there."""
MAX_UPLOADS = 32
"""Bodies of one key that are read at a time; others of it wait."""
MAX_UNDER_WAY = 400
"""Requests of one key that are answered at a time; more are told to come again, so that none has all connections."""
Endpoint = Callable[[Request, str], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What the interface stands before."""

    options: ServerOptions
    keys: ServerKeys
    board: JobBoard
    shelf: TaskShelf
    metrics: ServerMetrics
    accept: float = 0.5
    """The confidence from which on a value is in a record, unless the request says another."""
    on_bug: Callable[[str, Exception], None] = lambda name, error: None


@dataclass(frozen=True, slots=True)
class _Whole:
    """Stands for an application: of a function, Starlette would take it that it returns what is sent afterwards."""

    run: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.run(scope, receive, send)


class Interface:
    """The routes of a server."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._rates = RateLimiter(parts.options.bounds.requests_per_minute)
        self._under_way = Counter[str | None]()
        self._uploads = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(MAX_UPLOADS))

    def build_app(self) -> Starlette:
        routes = [
            self._build_route("/health", self._tell_health, "GET", is_open=True),
            self._build_route("/openapi.json", self._describe, "GET"),
            self._build_route("/metrics", self._tell_figures, "GET"),
            self._build_route("/extract", self._extract, "POST"),
            self._build_route("/ground", self._ground, "POST"),
            self._build_route("/jobs/{id}", self._show_job, "GET"),
            self._build_route("/jobs/{id}", self._remove_job, "DELETE"),
            self._build_route("/jobs/{id}/events", self._stream_events, "GET"),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _explain_routing})

    def _build_route(self, path: str, endpoint: Endpoint, method: str, *, is_open: bool = False) -> Route:
        """A route that answers whatever comes with a problem where it does not do it."""

        async def answer(request: Request, owner: str | None) -> Response:
            try:
                response = await endpoint(request, self._admit(request, owner) if not is_open else "")
            except Refused as refused:
                response = build_problem(refused)
            except ExtractorError as error:
                response = build_problem(explain_error(error))
            except ClientDisconnect:
                response = Response(status_code=499)  # nobody reads it
            except Exception as error:  # noqa: BLE001 -- one request must not end the server for all others
                self._parts.on_bug(path, error)
                said = f"This made extractor fail ({name_place(error)}); please report it."
                response = build_problem(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, said))
            self._parts.metrics.count_request(f"{method} {path}", response.status_code)
            return response

        async def answer_whole(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            owner = self._parts.keys.find_owner(request.headers.get("authorization", ""))
            self._under_way[owner] += 1  # until all of the answer is sent
            try:
                await (await answer(request, owner))(scope, receive, send)
            finally:
                self._under_way[owner] -= 1

        return Route(path, _Whole(answer_whole), methods=[method], include_in_schema=False)

    def _admit(self, request: Request, owner: str | None) -> str:
        """Who asks. Raises Refused for who may not, or asks too much at a time."""
        if owner is None:
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "The key is missing or not known here; send 'Authorization: Bearer KEY'.",
                {"WWW-Authenticate": "Bearer"},
            )
        if not self._parts.keys.digests and not is_own_page(request.headers):
            raise Refused(
                HTTPStatus.FORBIDDEN, "Web pages and other hosts may not ask a server without keys; start it with one."
            )
        if self._under_way[owner] > MAX_UNDER_WAY:
            raise _too_many(f"more than {MAX_UNDER_WAY:,} requests at a time", 1)
        return owner

    async def _extract(self, request: Request, owner: str) -> Response:
        wait = _read_wait(request)
        repeat = _read_repeat(request)
        job = self._parts.board.find_repeat(owner, repeat)
        if job is None:
            job = await self._take_in(request, owner, repeat)
        if wait is None:
            wait = self._parts.options.bounds.wait_seconds if job.order.size <= SMALL_BYTES else 0.0
        await self._wait_for(job, wait)
        if job.state is JobState.DONE:
            return FileAnswer(await self._parts.board.open_result(job), headers=_locate(job))
        if job.is_removed:
            raise _not_found()
        return _send_json(job.describe(), HTTPStatus.ACCEPTED, _locate(job))

    async def _take_in(self, request: Request, owner: str, repeat: str) -> Job:
        """The job of a request, which is on disk then."""
        self._require_room(owner)
        board = self._parts.board
        async with self._uploads[owner], read_asked(request, self._parts.options.bounds.document_bytes) as asked:
            order = await self._build_order(asked, owner, repeat)
            return board.find_repeat(owner, repeat) or await board.accept(order, asked.document)

    def _require_room(self, owner: str) -> None:
        """Raises Refused for who has asked too much, and where the server stops."""
        board, bounds = self._parts.board, self._parts.options.bounds
        if board.is_stopping.is_set():
            raise _stopping()
        if seconds := self._rates.take(owner):
            raise _too_many(f"more than {bounds.requests_per_minute:g} documents a minute", seconds)
        if board.count_unfinished(owner) >= bounds.jobs_per_key:
            raise _too_many(f"{bounds.jobs_per_key:,} jobs of this key are not done", 30)

    async def _build_order(self, asked: Asked, owner: str, repeat: str) -> JobOrder:
        shelf = self._parts.shelf
        if asked.record is not None:
            raise Refused(HTTPStatus.BAD_REQUEST, "A record is proved by POST /ground; leave out 'record' here.")
        self._require_welcome(asked.schema)
        if asked.schema is not None:
            await shelf.read_schema(asked.schema, owner)
        elif shelf.own is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "The server has no task of its own; send a JSON Schema as 'schema'.")
        return JobOrder(
            id=draw_job_id(),
            owner=owner,
            name=asked.name,
            size=asked.size,
            created=time.time(),
            task="" if asked.schema is not None else shelf.own_fingerprint,
            schema=asked.schema,
            accept=self._parts.accept if asked.accept is None else asked.accept,
            only_proven=asked.only_proven,
            repeat=repeat,
        )

    def _require_welcome(self, schema: Mapping[str, Json] | None) -> None:
        if schema is not None and not self._parts.options.takes_schemas:
            raise Refused(HTTPStatus.FORBIDDEN, "This server has one task and takes no schema; leave out 'schema'.")

    async def _wait_for(self, job: Job, seconds: float) -> None:
        """Until the job is over, the server stops, or so long."""
        await wait_for_any([job.wait_until_over(), self._parts.board.is_stopping.wait()], seconds)

    async def _ground(self, request: Request, owner: str) -> Response:
        self._require_room(owner)
        async with self._uploads[owner], read_asked(request, self._parts.options.bounds.document_bytes) as asked:
            if asked.record is None:
                raise Refused(HTTPStatus.BAD_REQUEST, "There is no record to prove; send it as 'record', an object.")
            self._require_welcome(asked.schema)
            content = await asyncio.to_thread(b"".join, asked.document)
        document = await self._parts.board.run_apart(load_bytes, content, asked.name)
        acceptance = Acceptance(asked.accept or 0.0, asked.only_proven)
        own = self._parts.shelf.own
        schema = asked.schema or (own.task.schema.source if own is not None else None)
        found = await ground_apart(document, asked.record, schema, acceptance, self._parts.options.document_timeout)
        content = found.result if isinstance(found.result, bytes) else encode_part(found.result)
        return Response(content, 200, media_type="application/json")

    def _find_job(self, request: Request, owner: str) -> Job:
        job = self._parts.board.find(owner, request.path_params["id"])
        if job is None:
            raise _not_found()
        return job

    async def _show_job(self, request: Request, owner: str) -> Response:
        job = self._find_job(request, owner)
        await self._wait_for(job, _read_wait(request) or 0.0)
        if job.is_removed:
            raise _not_found()
        if job.state is not JobState.DONE:
            return _send_json(job.describe())
        head = json.dumps(job.describe(), ensure_ascii=False).encode("utf-8", "replace")
        return FileAnswer(await self._parts.board.open_result(job), head[:-1] + b', "result": ', b"}\n")

    async def _remove_job(self, request: Request, owner: str) -> Response:
        await self._parts.board.remove(self._find_job(request, owner))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _stream_events(self, request: Request, owner: str) -> Response:
        job = self._find_job(request, owner)
        return StreamingResponse(self._list_events(job), media_type="text/event-stream")

    async def _list_events(self, job: Job) -> AsyncIterator[bytes]:
        """The job as it is, at each change, until it is over or the server stops."""
        stopping = self._parts.board.is_stopping
        while True:
            change = job.next_change
            told = json.dumps(job.describe())
            yield f"event: {job.describe()['state']}\ndata: {told}\n\n".encode()
            if job.is_over:
                return
            while not change.is_set():
                await wait_for_any([change.wait(), stopping.wait()], ALIVE_SECONDS)
                if stopping.is_set():
                    return
                if not change.is_set():
                    yield b": waiting\n\n"

    async def _describe(self, request: Request, owner: str) -> Response:
        return _send_json(openapi.build_description(self._parts.shelf.own, has_keys=bool(self._parts.keys.digests)))

    async def _tell_figures(self, request: Request, owner: str) -> Response:
        return Response(self._parts.metrics.render(), 200, {"Content-Type": CONTENT_TYPE})

    async def _tell_health(self, request: Request, owner: str) -> Response:
        board = self._parts.board
        if board.is_stopping.is_set():
            raise _stopping()
        if board.trouble:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, board.trouble)
        return _send_json({"status": "ok"})


async def wait_for_any(waits: Iterable[Coroutine[Any, Any, object]], seconds: float) -> None:
    """Until one of them is over, or so long."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _read_wait(request: Request) -> float | None:
    """Seconds that a request wants to wait (RFC 7240: `Prefer: wait=60`, `respond-async`); None where it says none."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = (part.strip() for part in preference.strip().lower().partition("="))
        if name == "respond-async":
            return 0.0
        if name == "wait" and value.isdecimal():
            return min(float(value), MAX_WAIT_SECONDS)
    return None


def _read_repeat(request: Request) -> str:
    """A digest of what tells a request that is sent again from another; nothing where it says nothing."""
    key = request.headers.get("idempotency-key", "")
    return hashlib.sha256(key.encode()).hexdigest() if key else ""


def _send_json(content: Mapping[str, Json], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body + b"\n", status, headers, "application/json")


def _locate(job: Job) -> dict[str, str]:
    return {"Location": f"/jobs/{job.order.id}"}


def _not_found() -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, "There is no such job of this key; it may have been removed.")


def _stopping() -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE, "The server is stopping; send it again in a moment.", {"Retry-After": "5"}
    )


def _too_many(what: str, seconds: float) -> Refused:
    wait = max(1, round(seconds + 0.5))
    return Refused(
        HTTPStatus.TOO_MANY_REQUESTS, f"That is {what}; send it again in {wait} s.", {"Retry-After": str(wait)}
    )


async def _explain_routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- it is registered for these
    known = (
        "POST /extract, POST /ground, GET and DELETE /jobs/ID, GET /jobs/ID/events, /health, /metrics, /openapi.json"
    )
    with contextlib.suppress(ValueError):
        return build_problem(Refused(error.status_code, f"Nothing is here; there are {known}.", error.headers))
    return Response(status_code=error.status_code)
