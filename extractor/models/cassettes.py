"""Recorded exchanges, so that anybody can replay a run with no key, no model and no network.

vcrpy keeps the cassette: its format, its matching (method, path, body), its record modes. Two things differ here. It
sits in the client's transport instead of patching the process, so that documents can be replayed side by side; and a
cassette is JSON with the bodies spelled out, which a person can read in a diff and which cannot run code.
No header of a request or reply is kept.
"""

from __future__ import annotations

import difflib
import itertools
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from vcr.cassette import Cassette
from vcr.persisters.filesystem import CassetteNotFoundError, FilesystemPersister
from vcr.record_mode import RecordMode
from vcr.request import Request as Recorded
from vcr.serialize import serialize

from extractor.errors import CassetteMissing, CassetteStale, MachineError, UsageError
from extractor.models.openai.pictures import replace_pictures
from extractor.types import Json

if TYPE_CHECKING:
    from types import ModuleType

MAX_CASSETTE_BYTES = 32_000_000
"""Bytes of a cassette that are read; that of one document has some tens of thousands."""


class _ReadableSerializer:
    """vcrpy's serializer interface over JSON whose bodies are objects, not strings of JSON."""

    @staticmethod
    def serialize(cassette: Mapping[str, Any]) -> str:
        interactions = [
            {
                "request": {
                    "method": i["request"]["method"],
                    "path": _extract_path(i["request"]["uri"]),
                    "body": _decode_body(i["request"]["body"]),
                },
                "response": {
                    "status": i["response"]["status"]["code"],
                    "body": _decode_body(i["response"]["body"]["string"]),
                },
            }
            for i in cassette["interactions"]
        ]
        interactions.sort(key=lambda i: json.dumps(i["request"], sort_keys=True))
        return json.dumps({"version": 1, "interactions": interactions}, ensure_ascii=False, indent=1) + "\n"

    @staticmethod
    def deserialize(text: str) -> dict[str, Any]:
        cassette = json.loads(text)
        return {
            "version": cassette["version"],
            "interactions": [
                {
                    "request": {
                        "method": i["request"]["method"],
                        "uri": "http://recorded" + i["request"]["path"],
                        "body": _encode_body(i["request"]["body"]),
                        "headers": {},
                    },
                    "response": {
                        "status": {"code": i["response"]["status"], "message": ""},
                        "headers": {},
                        "body": {"string": _encode_body(i["response"]["body"])},
                    },
                }
                for i in cassette["interactions"]
            ],
        }


def _extract_path(uri: str) -> str:
    return httpx2.URL(uri).path


def _decode_body(body: str | bytes | None) -> Json:
    text = body.decode() if isinstance(body, bytes) else body or ""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _encode_body(body: Json) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


class _AtomicPersister(FilesystemPersister):  # type: ignore[misc]
    """vcrpy's persister, but a cassette is written whole or not at all, and a broken one is an error."""

    @classmethod
    def load_cassette(cls, cassette_path: Path, serializer: ModuleType) -> Any:
        if not cassette_path.is_file():
            raise CassetteNotFoundError
        if cassette_path.stat().st_size > MAX_CASSETTE_BYTES:
            raise UsageError(f"The cassette {cassette_path} is too large to be one; delete it and record it again.")
        try:
            if not cassette_path.stat().st_size:
                raise ValueError("an empty file")  # vcrpy would take it for a new cassette
            return super().load_cassette(cassette_path, serializer)
        except CassetteNotFoundError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(f"The cassette {cassette_path} is broken; delete it and record it again.") from error

    @staticmethod
    def save_cassette(cassette_path: Path, cassette_dict: Mapping[str, Any], serializer: Any) -> None:
        try:
            cassette_path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=cassette_path.parent, suffix=".tmp", delete=False, encoding="utf-8"
            ) as file:
                file.write(serialize(cassette_dict, serializer))
            Path(file.name).chmod(0o644)
            Path(file.name).replace(cassette_path)
        except OSError as error:
            raise MachineError(f"The cassette {cassette_path} cannot be written ({error.strerror}).") from error


def _open_cassette(path: Path, mode: RecordMode) -> Any:
    """The cassette of the file, with what it holds where it is played."""
    cassette = Cassette(
        path=path,
        serializer=_ReadableSerializer,
        persister=_AtomicPersister,
        record_mode=mode,
        match_on=(_match_method, _match_path, _match_body),
    )
    if mode is RecordMode.NONE:
        cassette._load()
    return cassette


def _match_method(a: Recorded, b: Recorded) -> None:
    assert a.method == b.method, f"{a.method} is not {b.method}"  # noqa: S101 -- vcrpy's matchers raise AssertionError


def _match_path(a: Recorded, b: Recorded) -> None:
    assert a.path == b.path, f"{a.path} is not {b.path}"  # noqa: S101


def _match_body(a: Recorded, b: Recorded) -> None:
    assert _decode_body(a.body) == _decode_body(b.body), "the body differs"  # noqa: S101


FORM_STATUSES = frozenset({400, 404, 405, 415, 416, 422, 500, 501})
"""Statuses with which an endpoint refuses the form of a request: they are recorded, too, since a replay learns of them
what the recording did. All other refusals are not worth replaying."""


def _list_form(request: Recorded) -> tuple[Any, ...]:
    """What of a request's body an endpoint may refuse whatever is asked: its members, and how the schema is sent."""
    body = _decode_body(request.body)
    if not isinstance(body, dict):
        return ()
    kind = body.get("response_format", {}).get("type")
    return (
        *sorted(body),
        kind,
        str(body.get("tool_choice")),
        str([m.get("role") for m in body.get("messages", ())[:1]]),
        any(_holds_picture(m) for m in body.get("messages", ())),
    )


def _holds_picture(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any("image" in str(part.get("type")) for part in content)


class DocumentCassette:
    """The cassette of one document with one model and one prompt."""

    def __init__(self, path: Path, *, record: bool, keep: bool = False) -> None:
        """`keep`, with `record`: an exchange that the file has is taken from it, and only the others are asked."""
        if record and os.environ.get("CI"):
            raise UsageError("Cassettes are not recorded in CI; record them on your machine with --mode record.")
        self.path = path
        self._cassette = _open_cassette(path, RecordMode.ALL if record else RecordMode.NONE)
        self._kept = _open_cassette(path, RecordMode.NONE) if keep else None
        self.recording = record
        if not record and not len(self._cassette):
            raise CassetteMissing(f"There is no cassette {path}; record it with --mode record.")
        self.missed = 0

    @property
    def unplayed_count(self) -> int:
        """Recorded replies that no request asked for: the cassette is of another prompt, schema or document.

        Where the endpoint had to be asked in several forms, how many were asked in vain was chance, and none counts.
        """
        if self.recording or len({_list_form(request) for request in self._cassette.requests}) > 1:
            return 0
        return len(self._cassette) - len(self._cassette.play_counts)

    def find_kept(self, request: Recorded) -> tuple[int, bytes] | None:
        """The exchange of an earlier recording that is taken over instead of being asked again."""
        if self._kept is None or not self._kept.can_play_response_for(request):
            return None
        response = self._kept.play_response(request)
        return response["status"]["code"], response["body"]["string"]

    def play(self, request: Recorded) -> tuple[int, bytes]:
        if not self._cassette.can_play_response_for(request):
            if refusal := self._find_refusal(request):
                return refusal
            self.missed += 1
            raise CassetteMissing(self._describe_difference(request))
        response = self._cassette.play_response(request)
        return response["status"]["code"], response["body"]["string"]

    def _find_refusal(self, request: Recorded) -> tuple[int, bytes] | None:
        """The refusal of a request in the same form: whose turn it was to be refused is chance."""
        form = _list_form(request)
        for recorded, response in self._cassette.data:
            if response["status"]["code"] != 200 and _list_form(recorded) == form:
                return response["status"]["code"], response["body"]["string"]
        return None

    def record(self, request: Recorded, status: int, body: bytes) -> None:
        self._cassette.append(
            request, {"status": {"code": status, "message": ""}, "headers": {}, "body": {"string": body}}
        )

    def finish(self) -> None:
        """Writes what was recorded. Raises CassetteStale when a recorded exchange was never asked for."""
        if self.recording and len(self._cassette):
            self._cassette._save()
        if self.unplayed_count and not self.missed:
            raise CassetteStale(
                f"{self.unplayed_count} exchanges of {self.path} were never asked for; "
                "record it again with --mode record."
            )

    def _describe_difference(self, request: Recorded) -> str:
        """The first lines in which the closest recording differs."""
        requested = _split_body_lines(request)
        recorded = [_split_body_lines(r) for r in self._cassette.requests]
        closest = max(recorded, key=lambda r: difflib.SequenceMatcher(None, requested, r).quick_ratio(), default=[])
        lines = [
            line
            for line in difflib.unified_diff(closest, requested, "recorded", "asked", lineterm="", n=0)
            if not line.startswith(("---", "+++", "@@"))
        ]
        lines = _shorten_changed_lines(lines)
        changed = " | ".join(lines[:4]) if lines else "the same request was already played"
        what = f"A request is not on {self.path.name}; if the change is meant, record with --mode record."
        return f"{what} Changed: {changed}"


def _shorten_changed_lines(lines: list[str]) -> list[str]:
    """A long line that changed, from shortly before its change on; a prompt is one line of a body."""
    if len(lines) < 2 or lines[0][0] == lines[1][0]:
        return [line[:160] for line in lines]
    pairs = zip(lines[0][1:], lines[1][1:], strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    start = max(0, same - 30)
    return [f"{line[0]}{'…' if start else ''}{line[1 + start :][:120]}" for line in lines[:2]] + [
        line[:160] for line in lines[2:]
    ]


def _split_body_lines(request: Recorded) -> list[str]:
    """A request's body in lines short enough to show which one changed."""
    return (
        json.dumps(_decode_body(request.body), ensure_ascii=False, indent=1, sort_keys=True)
        .replace("\\n", "\n")
        .split("\n")
    )


class CassetteTransport(httpx2.AsyncBaseTransport):
    """Replays or records every exchange of one client on one cassette."""

    def __init__(self, cassette: DocumentCassette, inner: httpx2.AsyncBaseTransport | None = None) -> None:
        self._cassette = cassette
        self._inner = inner or (httpx2.AsyncHTTPTransport() if cassette.recording else None)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        recorded = Recorded(request.method, str(request.url), replace_pictures(body), {})
        if self._inner is None:
            status, content = self._cassette.play(recorded)
            return httpx2.Response(
                status, content=content, headers={"content-type": "application/json"}, request=request
            )
        status, content = self._cassette.find_kept(recorded) or await self._ask(self._inner, request)
        if status == 200 or status in FORM_STATUSES:
            self._cassette.record(recorded, status, content)
        return httpx2.Response(status, content=content, headers={"content-type": "application/json"}, request=request)

    @staticmethod
    async def _ask(inner: httpx2.AsyncBaseTransport, request: httpx2.Request) -> tuple[int, bytes]:
        response = await inner.handle_async_request(request)
        content = await response.aread()
        await response.aclose()
        return response.status_code, content

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()
