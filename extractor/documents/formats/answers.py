"""What goes through the pipes between `sandbox` and a reader: JSON, checked against the types that it stands for.

A reader has read a stranger's file and may be the stranger's by now. So an answer is data: a size, bounded, then an
object whose every member is of the declared type of a field, in one of the classes that are listed here, and whose
numbers fit each other. Anything else is ValueError, and the document cannot be read.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import types
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import IO, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from extractor.documents import locations as places
from extractor.errors import DocumentError
from extractor.types import Document, Json, Locations, Span
from extractor.types.table import TableGrid

MAX_ANSWER_BYTES = 200_000_000
"""Bytes of one answer that are read: a text, where its words stand, and the files that it encloses."""
NONCE_BYTES = 16
"""Bytes that a question has and its answer begins with, so that no answer is taken for another question's."""
_SIZE_BYTES = 8
_LONGEST_MESSAGE, _LONGEST_REASON = 2000, 40
_MAX_NESTED_PLACES = 8
_Kind = TypeVar("_Kind", bound=type[Document])

_DOCUMENTS: dict[str, type[Any]] = {Document.__name__: Document}
_LOCATIONS: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        places.WordBoxes,
        places.SourceOffsets,
        places.PieceLabels,
        places.AttachmentLocations,
        places.MovedLocations,
    )
}


def allow_answer(kind: _Kind) -> _Kind:
    """Lets a reader answer with a document of this class, a frozen dataclass of declared types."""
    _DOCUMENTS[kind.__name__] = kind
    return kind


def write_frame(pipe: IO[bytes], nonce: bytes, body: bytes) -> None:
    pipe.write(nonce + len(body).to_bytes(_SIZE_BYTES, "little"))
    pipe.write(body)
    pipe.flush()


def read_frame(pipe: IO[bytes], nonce: bytes | None = None, largest: int = MAX_ANSWER_BYTES) -> tuple[bytes, bytes]:
    """Nonce and body of what was sent. Raises EOFError at the end, ValueError for another nonce or too large a body."""
    head = pipe.read(NONCE_BYTES + _SIZE_BYTES)
    if len(head) < NONCE_BYTES + _SIZE_BYTES:
        raise EOFError
    if nonce is not None and head[:NONCE_BYTES] != nonce:
        raise ValueError("an answer to another question")
    size = int.from_bytes(head[NONCE_BYTES:], "little")
    if size > largest:
        raise ValueError("an answer that is too large")
    body = pipe.read(size)
    if len(body) < size:
        raise EOFError
    return head[:NONCE_BYTES], body


def encode_document(document: Document) -> bytes:
    """Raises UnicodeEncodeError for a text with half a character, and TypeError for what no answer may hold."""
    return json.dumps({"document": _to_plain(document)}, ensure_ascii=False).encode()


def encode_failure(error: DocumentError) -> bytes:
    told = {"message": str(error)[:_LONGEST_MESSAGE], "reason": error.reason}
    return json.dumps({"failure": told}).encode()


def decode_answer(body: bytes) -> Document | DocumentError:
    """The document that a reader has read, or why it has not. Raises ValueError for what is neither."""
    try:
        match json.loads(body.decode()):
            case {"document": dict() as told}:
                document = _read_tagged(told, _DOCUMENTS)
                _check_document(document)
                return cast(Document, document)
            case {"failure": {"message": str() as message, "reason": str() as reason}}:
                shown = "".join(c if c.isprintable() else " " for c in message[:_LONGEST_MESSAGE])
                return DocumentError(shown, reason=reason if _is_code(reason) else "broken")
    except (RecursionError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise ValueError("no answer") from error
    raise ValueError("no answer")


def _is_code(reason: str) -> bool:
    return 0 < len(reason) <= _LONGEST_REASON and reason.isascii() and reason.isprintable()


def _to_plain(value: object) -> Json:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, array):
        return base64.b64encode(value.tobytes()).decode()
    if isinstance(value, Mapping):
        return {str(name): _to_plain(one) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_to_plain(one) for one in value]
    if is_dataclass(value):
        inner = {f.name: _to_plain(getattr(value, f.name)) for f in fields(value) if f.init}
        return {"is": type(value).__name__, **inner}
    raise TypeError(f"{type(value).__name__} is nothing that a reader may send")


def _read_tagged(told: Mapping[str, Json], known: Mapping[str, type[Any]]) -> Any:
    return _read_dataclass(known[told["is"]], told)


def _read_dataclass(kind: type[Any], told: Mapping[str, Json]) -> Any:
    readers = _field_readers(kind)  # type: ignore[arg-type]
    if told.get("is") != kind.__name__ or len(told) != len(readers) + 1:
        raise ValueError(f"no {kind.__name__}")
    return kind(**{name: read(told[name]) for name, read in readers.items()})


@cache
def _field_readers(kind: type[Any]) -> Mapping[str, Callable[[Json], Any]]:
    """A function for each field of a class, which reads its value or raises ValueError."""
    hints = get_type_hints(kind, localns={"array": list})  # before 3.12 an array's class takes no type
    return {f.name: _build_reader(hints[f.name], f) for f in fields(kind) if f.init}


def _build_reader(hint: Any, field: Field[Any]) -> Callable[[Json], Any]:
    """What reads a value of a declared type."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Locations:
        return lambda told: _read_tagged(told, _LOCATIONS)
    if origin in (Union, types.UnionType):
        (one,) = (kind for kind in inner if kind is not types.NoneType)
        read = _build_reader(one, field)
        return lambda told: None if told is None else read(told)
    if field.default_factory is not MISSING and isinstance(empty := field.default_factory(), array):
        return lambda told: _read_array(empty.typecode, told)
    if origin is tuple or origin is list:
        read_one = _build_reader(inner[0], field)
        return lambda told: origin(read_one(one) for one in _require(list, told))
    if origin is dict:
        read_value = _build_reader(inner[1], field)
        return lambda told: {_require(str, name): read_value(one) for name, one in _require(dict, told).items()}
    if hint is bytes:
        return lambda told: base64.b64decode(_require(str, told), validate=True)
    if hint in (str, int, float, bool):
        return lambda told: _require(hint, told)
    if is_dataclass(hint):
        return lambda told: _read_dataclass(cast(type[Any], hint), _require(dict, told))
    raise TypeError(f"{hint} is nothing that a reader may send")


def _require(kind: type[Any], told: Json) -> Any:
    if type(told) is not kind:
        raise ValueError(f"no {kind.__name__}")
    return told


def _read_array(code: str, told: Json) -> array[Any]:
    values = array(code)
    values.frombytes(base64.b64decode(_require(str, told), validate=True))
    return values


def _check_document(document: Any) -> None:
    """Raises ValueError where spans or places are not within the text, or not in order."""
    length = len(document.text)
    _check_order(document.hidden, length)
    _check_order(document.doubtful, length)
    _check_order([table.span for table in document.tables], length)
    for table in document.tables:
        if table.header is not None and not table.header.within(table.span):
            raise ValueError("a header that is not in its table")
        if table.grid is not None:
            _check_grid(table.grid, len(table.span))
    _check_places(document.locations, _MAX_NESTED_PLACES)


def _check_grid(grid: TableGrid, length: int) -> None:
    """Raises ValueError for cells that are not in their table, or not in order."""
    many = len(grid.starts)
    if len(grid.ends) != many or len(grid.places) != 5 * many:
        raise ValueError("cells that are not whole")
    at = 0
    for start, end in zip(grid.starts, grid.ends, strict=True):
        if not at <= start < end <= length:
            raise ValueError("cells that are not in order")
        at = end


def _check_order(spans: Sequence[Span], length: int) -> None:
    at = 0
    for span in spans:
        if span.start < at or span.end > length:
            raise ValueError("spans that are not in order")
        at = span.end


def _is_ascending(numbers: Iterable[int]) -> bool:
    return all(a <= b for a, b in itertools.pairwise(numbers))


def _check_places(found: Locations | None, depth: int) -> None:
    """Raises ValueError where numbers are missing that others count on."""
    match found:
        case None:
            return
        case places.WordBoxes():
            words, lines = len(found.starts), len(found.lines)
            same = len(found.lefts) == len(found.rights) == words
            same = same and len(found.ends) == len(found.tops) == len(found.bottoms) == lines
            same = same and (not words or (lines > 0 and found.lines[0] == 0))
            edges = (found.lefts, found.rights, found.tops, found.bottoms)
            same = same and all(math.isfinite(sum(numbers)) for numbers in edges)
        case places.SourceOffsets():
            same = len(found.starts) == len(found.ends) == len(found.sources) == len(found.source_ends)
        case places.PieceLabels():
            width = len(found.keys)
            same = len(found.starts) == len(found.ends) and len(found.numbers) == width * len(found.starts)
            same = same and ("sheet" not in found.keys or {"row", "column"} <= set(found.keys))
            for i, key in enumerate(found.keys):
                if same and key in found.names and (numbers := found.numbers[i::width]):
                    same = max(numbers) <= len(found.names[key])
        case places.AttachmentLocations():
            same = len(found.starts) == len(found.ends) == len(found.names) == len(found.places) and depth > 0
            same = same and _is_ascending(n for pair in zip(found.starts, found.ends, strict=True) for n in pair)
            for inner in (found.own_places, *found.places):
                _check_places(inner, depth - 1)
        case places.MovedLocations():
            same = found.by >= 0 and depth > 0
            _check_places(found.places, depth - 1)
        case _:
            same = False
    if not same:
        raise ValueError(f"places that do not fit each other: {type(found).__name__}")
