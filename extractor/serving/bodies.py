"""Requests to what is asked: forms with a file, and JSON with a text, each bounded before it is in memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import IO, Any, TypeVar

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from extractor.documents.discovery import printable_name
from extractor.results.fields import is_too_deep
from extractor.serving.options import MAX_JSON_LEVELS, MAX_RECORD_BYTES, MAX_SCHEMA_BYTES, UPLOAD_SECONDS
from extractor.serving.problems import Refused
from extractor.types import Json

T = TypeVar("T")
_FORM_BYTES = 64 << 10
"""Bytes of a form that are no part of its file or its fields."""
_PIECE_BYTES = 1 << 20
_LONGEST_NAME = 200
TEXT_NAME, FILE_NAME = "text.txt", "document"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
_MEMBERS = frozenset({"text", "name", "schema", "accept", "only_proven", "record"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants done with a document."""

    name: str
    size: int
    document: Iterable[bytes] = field(repr=False)
    schema: Mapping[str, Json] | None = None
    record: Mapping[str, Json] | None = None
    accept: float | None = None
    only_proven: bool = False


@contextlib.asynccontextmanager
async def read_asked(request: Request, document_bytes: int) -> AsyncIterator[Asked]:
    """What the body of a request asks; its document can be read in the block.

    Raises Refused for a body that is too large, too slow, or none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "multipart/form-data"):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Send a form (multipart/form-data) with a file, or JSON (application/json) with a text.",
        )
    if kind == "multipart/form-data":
        _require_utf8(request.headers["content-type"])
    most = document_bytes + MAX_SCHEMA_BYTES + MAX_RECORD_BYTES + _FORM_BYTES
    bounded = Request(request.scope, _bound_body(request, most))
    if kind == "application/json":
        yield await asyncio.to_thread(_read_json_body, await _arrive(bounded.body()), document_bytes)
        return
    form = await _arrive(_read_form(bounded))
    try:
        yield await asyncio.to_thread(_read_form_fields, form, document_bytes)
    finally:
        await form.close()


def _require_utf8(content_type: str) -> None:
    """Raises Refused for a form in another encoding: of some, names and fields take the square of their length."""
    _, told = parse_options_header(content_type)
    if told.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A form is in UTF-8; leave out another charset.")


async def _arrive(body: Coroutine[Any, Any, T]) -> T:
    """The body, in the time that it has."""
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            return await body
    except TimeoutError:
        raise Refused(
            HTTPStatus.REQUEST_TIMEOUT, f"The body took longer than {UPLOAD_SECONDS:.0f} seconds; send less at once."
        ) from None


def _bound_body(request: Request, most: int) -> Receive:
    """What the body comes from, up to so many bytes."""
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > most:
        raise _too_large(most)
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise _too_large(most)
        return message

    return receive


def _too_large(most: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A request may have {most / 1e6:,.1f} MB; split the document, or ask who runs the server for more.",
    )


def _read_json_body(body: bytes, document_bytes: int) -> Asked:
    # what is parsed takes up to 30 times its length, but for the text
    if len(_STRING.sub(b'""', body)) > MAX_SCHEMA_BYTES + MAX_RECORD_BYTES:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body holds too much beside its text; send a schema or a record."
        )
    told = _parse_object(body, "The body")
    if unknown := sorted(set(told) - _MEMBERS):
        raise _bad(f"The body has a member {unknown[0][:40]!r}; known are {', '.join(sorted(_MEMBERS))}.")
    text = told.get("text")
    if not isinstance(text, str) or not text.strip():
        raise _bad("The body has no text; give it as the member 'text', or send a file in a form.")
    content = text.encode("utf-8", "replace")
    return _build_asked(told.get("name"), TEXT_NAME, len(content), [content], told, document_bytes)


async def _read_form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=8, max_part_size=MAX_RECORD_BYTES)
    except HTTPException as error:
        raise _bad(f"The form cannot be read ({error.detail.rstrip('.')}); send one file and its fields.") from error


def _read_form_fields(form: FormData, document_bytes: int) -> Asked:
    file, fields = form.get("file"), dict[str, Json]()
    if not isinstance(file, UploadFile):
        raise _bad("The form has no file; send the document as its field 'file'.")
    for name, value in form.multi_items():
        if name == "file":
            continue
        if name not in _MEMBERS - {"text"} or isinstance(value, UploadFile):
            raise _bad(f"The form has a field {name[:40]!r}; known are file, {', '.join(sorted(_MEMBERS - {'text'}))}.")
        fields[name] = _parse_field(name, value)
    pieces = _read_pieces(file.file)
    return _build_asked(fields.get("name", file.filename), FILE_NAME, file.size or 0, pieces, fields, document_bytes)


def _parse_field(name: str, value: str) -> Json:
    if name == "name":
        return value
    try:
        return _parse_json(value.encode("utf-8", "replace"))
    except ValueError:
        raise _bad(f"The field {name!r} is no JSON; correct it.") from None


def _read_pieces(file: IO[bytes]) -> Iterable[bytes]:
    """The file, piece by piece, when it is written."""
    file.seek(0)
    return iter(partial(file.read, _PIECE_BYTES), b"")


def _build_asked(
    name: Json, unnamed: str, size: int, document: Iterable[bytes], told: Mapping[str, Json], document_bytes: int
) -> Asked:
    if size > document_bytes:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The document has {size / 1e6:,.1f} MB, and the server takes {document_bytes / 1e6:,.1f}; split it.",
        )
    if size == 0:
        raise _bad("The file is empty; there is nothing to extract.")
    accept, only_proven = told.get("accept"), told.get("only_proven", False)
    is_number = isinstance(accept, int | float) and not isinstance(accept, bool)
    if accept is not None and not (is_number and 0 <= accept <= 1):
        raise _bad("'accept' is a confidence; give a number from 0 to 1.")
    if not isinstance(only_proven, bool):
        raise _bad("'only_proven' is true or false; give one of them.")
    schema, record = (_require_object(told, one) for one in ("schema", "record"))
    if schema is not None and len(json.dumps(schema)) > MAX_SCHEMA_BYTES:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The schema has more than {MAX_SCHEMA_BYTES >> 10} kB; leave out what is not needed.",
        )
    return Asked(_clean_name(name, unnamed), size, document, schema, record, accept, only_proven)


def _require_object(told: Mapping[str, Json], member: str) -> Mapping[str, Json] | None:
    value = told.get(member)
    if value is not None and not isinstance(value, dict):
        raise _bad(f"{member!r} is no JSON object; give one.")
    if value is not None and is_too_deep(value, MAX_JSON_LEVELS):
        raise _bad(f"{member!r} nests deeper than {MAX_JSON_LEVELS} levels; flatten it.")
    return value


def _clean_name(name: Json, unnamed: str) -> str:
    """What the document is called: the last part of a path, on one line."""
    if name is not None and not isinstance(name, str):
        raise _bad("'name' is no text; give the name of the document's file.")
    last = (name or "").replace("\\", "/").rpartition("/")[2].strip()
    return printable_name(last.encode("utf-8", "replace").decode()[-_LONGEST_NAME:]) or unnamed


def _parse_object(body: bytes, what: str) -> dict[str, Any]:
    try:
        told = _parse_json(body)
    except ValueError:
        raise _bad(f"{what} is no JSON; correct it.") from None
    if not isinstance(told, dict):
        raise _bad(f"{what} is no JSON object; send one.")
    return told


def _parse_json(data: bytes) -> Json:
    """Raises ValueError for what is no JSON."""
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_constant(word: str) -> Json:
    raise ValueError(f"{word} is no number of JSON")


def _bad(detail: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, detail)
