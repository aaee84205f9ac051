"""A folder as a run writes it, out of texts and records, without a model: for tests of what comes after a run."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor._version import __version__
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.task import Task, task_from_json_schema
from extractor.results.file import write_result, write_run_file
from extractor.results.outcome import DocumentOutcome
from extractor.results.parts import Proof, Quote, RejectedEntry, TextRange
from extractor.review_app.app import build_app
from extractor.review_app.desk import ReviewDesk
from extractor.review_app.guard import App
from extractor.review_app.pages import PageFinder
from extractor.runs.given import build_grounded_result
from extractor.types import Document, Json, Match

ORDER: dict[str, Any] = {
    "title": "Order",
    "type": "object",
    "properties": {
        "number": {"type": ["string", "null"]},
        "placed": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "total": {"type": ["number", "null"], "minimum": 0},
        "state": {"enum": ["open", "shipped", None]},
        "rush": {"type": ["boolean", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"item": {"type": "string"}, "count": {"type": ["integer", "null"]}},
                "required": ["item"],
            },
        },
    },
}
TEXT = """Order A-17 of 3 March 2024
Tags: urgent, paper
saw        2 pieces
hammer     5 pieces
drill      1 piece
The order is open. Total: 1,024.50 EUR
Second date: 2024-04-09
"""
RECORD: dict[str, Any] = {
    "number": "A-17",
    "placed": "2024-03-03",
    "total": 1024.5,
    "state": "open",
    "tags": ["urgent", "paper"],
    "lines": [{"item": "saw", "count": 2}, {"item": "hammer", "count": 5}, {"item": "axe", "count": 9}],
}


def write_run(
    out: Path,
    documents: Mapping[str, tuple[str, Mapping[str, Json]]] | None = None,
    schema: Mapping[str, Json] = ORDER,
    rejected: Sequence[tuple[str, Json, str]] = (),
) -> Path:
    """The folder `out` with a result for each (text, record) and its run.json.

    `rejected` are values that every result lists as left out: path, value, and its words or nothing.
    """
    out.mkdir(parents=True, exist_ok=True)
    task = make_task(schema)
    outcomes = []
    manifest = {"extractor": __version__, "model": {"name": "given"}}
    for number, (name, (text, record)) in enumerate((documents or {"order.txt": (TEXT, RECORD)}).items()):
        result = build_grounded_result(Document(name, text), task, record, Acceptance(0.0))
        result = result.model_copy(update={"rejected": [_reject(text, *one) for one in rejected]})
        file = f"{number:05}.json" if documents else "order.json"
        write_result(out / file, result)
        outcomes.append(DocumentOutcome(name, file, result.status))
    write_run_file(out / "run.json", task.name, manifest, task.schema.source, outcomes, {})
    return out


def _reject(text: str, path: str, value: Json, words: str) -> RejectedEntry:
    start = text.find(words)
    spans = [Quote(start=start, end=start + len(words), quote=words)] if words and start >= 0 else []
    proof = Proof(match=Match.EXACT if spans else Match.NONE, spans=spans, said=str(value), confidence=0.2)
    return RejectedEntry(path, value, "row unannounced", TextRange(0, len(text)), proof)


def make_task(schema: Mapping[str, Json] = ORDER) -> Task:
    return task_from_json_schema(dict(schema))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Speaks to the application as the page's own script does, unless told otherwise."""

    app: App
    token: str = "secret"
    port: int = 4000
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str | None] | None = None) -> Answer:
        host = f"127.0.0.1:{self.port}"
        sent: dict[str, str | None] = {"host": host, "cookie": f"review_{self.port}={self.token}", **self.headers}
        if method == "POST":
            sent |= {"origin": f"http://{host}", "x-review": "1", "content-type": "application/json"}
        sent |= headers or {}
        where, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": where,
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "server": ("127.0.0.1", self.port),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in sent.items() if v is not None],
        }
        return asyncio.run(self._call(scope, body))

    async def _call(self, scope: dict[str, Any], body: bytes) -> Answer:
        told: list[Any] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        headers = {k.decode().lower(): v.decode("latin-1") for k, v in told[0]["headers"]}
        return Answer(told[0]["status"], headers, b"".join(m.get("body", b"") for m in told[1:]))

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return answer.json

    def open(self, file: str = "order.json") -> Any:
        return self.get(f"/api/document?file={file}")

    def post(self, **decision: Json) -> Answer:
        return self.ask("POST", "/api/decisions", json.dumps(decision).encode())

    def decide(self, action: str, path: str = "", file: str = "order.json", **more: Json) -> Any:
        """Makes a decision about the document as it is now; gives the document after it."""
        version = self.open(file)["version"]
        answer = self.post(file=file, version=version, action=action, path=path, **more)
        assert answer.status == 200, answer.body
        return answer.json


def open_client(out: Path, who: str = "ann", documents: Path | None = None) -> Client:
    desk = ReviewDesk(out, who)
    desk.index_documents()
    return Client(build_app(desk, PageFinder(documents), "secret", 4000))


def line(view: Any, path: str) -> Any:
    return next(one for one in view["lines"] if one["path"] == path)
