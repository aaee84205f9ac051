"""The addresses of the review page: the page itself, the queue, documents, decisions, pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from extractor.errors import DecisionConflict, ExtractorError
from extractor.results.decisions.decision import Action
from extractor.results.fields import is_too_deep
from extractor.results.unseen import show_unseen
from extractor.review_app import desk as desks
from extractor.review_app.desk import NoDocument, ReviewDesk, VersionConflict
from extractor.review_app.guard import App, Guard
from extractor.review_app.inputs import InputRefused
from extractor.review_app.pages import PageFinder
from extractor.review_app.queue_index import QueueQuestion
from extractor.review_app.turns import PageFirst
from extractor.types import Json

STATIC_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MAX_DEPTH = 8
"""Levels of what a browser sends."""
STALE = (
    "Somebody else has changed this document since you opened it; nothing was overwritten, and here it is as it is now."
)


def build_app(desk: ReviewDesk, pages: PageFinder, token: str, port: int) -> App:
    """The whole application, guarded."""
    asked = _Addresses(desk, pages)
    routes = [
        Route("/", asked.show_page),
        Route("/static/{name}", asked.send_static),
        Route("/api/run", asked.describe_run),
        Route("/api/fields", asked.list_fields),
        Route("/api/queue", asked.list_queue),
        Route("/api/document", asked.show_document),
        Route("/api/candidates", asked.list_candidates),
        Route("/api/pages", asked.list_pages),
        Route("/api/picture", asked.send_picture),
        Route("/api/decisions", asked.decide, methods=["POST"]),
    ]
    return Guard(PageFirst(Starlette(routes=routes), desk.turns), token, port)


def _answer(content: Json, status: int = 200) -> Response:
    # ASCII, for a document may hold halves of characters, which no UTF-8 has
    return Response(json.dumps(content), status, media_type="application/json")


def _tell_error(status: int, sentence: str, **more: Json) -> Response:
    return _answer({"error": show_unseen(sentence), **more}, status)


class _Addresses:
    def __init__(self, desk: ReviewDesk, pages: PageFinder) -> None:
        self.desk, self.pages = desk, pages
        self._static = {
            entry.name: entry.read_bytes()
            for entry in (files("extractor.review_app") / "static").iterdir()
            if entry.name.endswith(tuple(STATIC_TYPES))
        }

    async def show_page(self, request: Request) -> Response:
        return Response(self._static["review.html"], media_type="text/html")

    async def send_static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._static:
            return _tell_error(404, "There is no such file.")
        return Response(self._static[name], media_type=STATIC_TYPES[name[name.rindex(".") :]])

    async def describe_run(self, request: Request) -> Response:
        return await _call(self._describe_run)

    def _describe_run(self) -> Json:
        run = self.desk.run
        return {
            "task": show_unseen(run.task) if run else "",
            "model": show_unseen(run.manifest.model.name) if run else "",
            "folder": show_unseen(self.desk.out.resolve().name),
            "who": show_unseen(self.desk.who),
            "progress": self.desk.index.count_progress(),
        }

    async def list_fields(self, request: Request) -> Response:
        return await _call(lambda: [[show_unseen(field), field, n] for field, n in self.desk.index.list_fields()])

    async def list_queue(self, request: Request) -> Response:
        told = request.query_params
        question = QueueQuestion(
            sort=told.get("sort", "confidence"),
            field=told.get("field", ""),
            status=told.get("status", ""),
            state=told.get("state", ""),
            search=told.get("search", "")[:500],
            offset=_read_number(told.get("offset")),
            limit=_read_number(told.get("limit")) or 50,
        )

        def find() -> Json:
            total, rows = self.desk.index.find(question)
            return {"total": total, "rows": rows, "progress": self.desk.index.count_progress()}

        return await _call(find)

    async def show_document(self, request: Request) -> Response:
        file = request.query_params.get("file", "")
        return await _call(lambda: self.desk.describe(self.desk.open(file)))

    async def list_candidates(self, request: Request) -> Response:
        told = request.query_params
        return await _call(lambda: self.desk.list_candidates(told.get("file", ""), told.get("path", "")))

    async def list_pages(self, request: Request) -> Response:
        file = request.query_params.get("file", "")

        def find() -> Json:
            document = self.desk.open(file).state.result.document
            return self.pages.find_pages(document.name, document.text).describe()

        return await _call(find)

    async def send_picture(self, request: Request) -> Response:
        file, number = request.query_params.get("file", ""), _read_number(request.query_params.get("page"))

        def find() -> bytes | None:
            document = self.desk.open(file).state.result.document
            pictures = self.pages.find_pages(document.name, document.text).pictures
            return next((p.data for p in pictures if p.number == number), None)

        try:
            picture = await run_in_threadpool(find)
        except (NoDocument, ExtractorError):
            picture = None
        return Response(picture, media_type="image/webp") if picture else _tell_error(404, "There is no such page.")

    async def decide(self, request: Request) -> Response:
        try:
            content = json.loads(await request.body(), parse_constant=_refuse_constant)
            file, wanted = _read_decision(content)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, ClientDisconnect):
            return _tell_error(400, "This is no decision; load the page anew.")

        def decide() -> Json:
            try:
                return self.desk.describe(self.desk.decide(file, wanted))
            except (VersionConflict, DecisionConflict):
                raise _Stale(self.desk.describe(self.desk.open(file))) from None

        return await _call(decide)


class _Stale(Exception):
    """The document as it is now, for a person who has seen another."""


async def _call(find: Callable[[], Json]) -> Response:
    """The answer of what may read a file, off the event loop, with errors told in a sentence."""
    try:
        return _answer(await run_in_threadpool(find))
    except _Stale as stale:
        return _tell_error(409, STALE, document=stale.args[0])
    except NoDocument as error:
        return _tell_error(404, str(error))
    except (InputRefused, ValueError) as error:
        return _tell_error(422, str(error))
    except ExtractorError as error:
        return _tell_error(500, str(error))


def _read_decision(content: Json) -> tuple[str, desks.Request]:
    """Raises ValueError, KeyError or TypeError for what is no decision."""
    if not isinstance(content, dict) or is_too_deep(content, MAX_DEPTH):
        raise ValueError("no object")
    spans = tuple((start, end) for start, end in content.get("spans") or ())
    numbers = [*(n for span in spans for n in span), content.get("position") or 0]
    if any(type(n) is not int or n < 0 for n in numbers):
        raise ValueError("a place is no number")
    texts = [content["file"], content["version"], content.get("path", "")]
    if any(type(text) is not str for text in texts):
        raise ValueError("a name is no text")
    return content["file"], desks.Request(
        version=content["version"],
        action=Action(content["action"]),
        path=content.get("path", ""),
        value=content.get("value"),
        from_words=content.get("from_words") is True,
        spans=spans,
        position=content.get("position"),
        seconds=float(content.get("seconds") or 0),
    )


def _refuse_constant(word: str) -> Json:
    raise ValueError(f"{word} is no number of JSON")


def _read_number(told: str | None) -> int:
    return int(told) if told and told.isascii() and told.isdecimal() and len(told) < 10 else 0
