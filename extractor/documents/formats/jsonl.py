"""JSON lines: a document a line, `{"id": ..., "text": ...}`; the id is its name, the text is the document.

`text` may also be called `content` or `body`, and `id` `name` or `doc_id`; other keys are the user's own. An object
without any of them, as programs export their rows, is a document by itself: its keys are labels, as in a JSON file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.documents.formats.io import open_regular, printable_name, require_text
from extractor.documents.formats.json import is_own_format, parse_json
from extractor.documents.formats.named_writer import write_named_values
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document

MAX_LINE_BYTES = 20_000_000
"""Bytes of one line that are read. The file may have any number of them."""
_TEXTS, _NAMES = ("text", "content", "body"), ("id", "doc_id", "name")


@dataclass(frozen=True, slots=True)
class JsonLine:
    """Where one document stands in a file: its line, from 1, and its bytes."""

    file: Path
    number: int
    start: int
    size: int
    namesake: int = 0
    """The line before it that has the same name, if one has."""


def find_json_lines(path: Path) -> Iterator[tuple[str, JsonLine]]:
    """The name of each line's document, and where it stands. Lines of white space are none.

    A line that can't be read has its number for a name; loading it raises the error. No two names are the same: of
    lines with one id the later ones have their number behind it.
    """
    first_lines: dict[bytes, int] = {}
    with open_regular(path, 1 << 62) as file:
        number = start = 0
        while data := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            size = len(data)
            while not data.endswith(b"\n") and (rest := file.readline(MAX_LINE_BYTES)):  # over the bound: only counted
                data = rest
                size += len(rest)
            if size > MAX_LINE_BYTES or data.strip():
                name = (_read_name(data) if size <= MAX_LINE_BYTES else "") or str(number)
                namesake = first_lines.get(_hash_name(name), 0)
                while _hash_name(name) in first_lines:
                    name = f"{name} (line {number})"
                first_lines[_hash_name(name)] = number
                yield name, JsonLine(path, number, start, size, namesake)
            start += size


def _spell_object(data: bytes, where: str) -> str:
    """The keys and values of a line, as those of a JSON file are written."""
    source = data.decode("utf-8-sig")
    try:
        root = parse_json(source)
    except ValueError as error:
        raise DocumentError(f"{where} is no whole JSON ({error}); write it anew.", reason="broken") from error
    if any(is_own_format(child) for child in root.children):
        raise DocumentError(f"{where} is a result of this program, and no document; leave it out.", reason="not read")
    return write_named_values(root, source, where, "json").text


def _hash_name(name: str) -> bytes:
    """Enough of a digest to tell a hundred million names apart, in less memory than they take."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _read_name(data: bytes) -> str:
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    found = (
        next((row[key] for key in _NAMES if isinstance(row.get(key), str | int)), "") if isinstance(row, dict) else ""
    )
    return "".join(c if c.isprintable() and c != "/" else "_" for c in str(found)).strip(". ")[:200]


def load_json_line(line: JsonLine, name: str) -> Document:
    """The document of a line. Raises DocumentError for one that holds none, naming file and line."""
    where = f"Line {line.number} of {printable_name(line.file.name)}"
    if line.size > MAX_LINE_BYTES:
        raise DocumentError(f"{where} is {line.size / 1e6:.0f} MB; split its document.", reason="too large")
    with open_regular(line.file, 1 << 62) as file:
        file.seek(line.start)
        data = file.read(line.size)
    try:
        row: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{where} is not JSON; write one object a line.", reason="broken") from error
    text = next((row[key] for key in _TEXTS if isinstance(row.get(key), str)), None) if isinstance(row, dict) else None
    if (
        text is None
        and isinstance(row, dict)
        and any(row[key] not in (None, "", [], {}) for key in row if key not in _NAMES)
    ):
        text = _spell_object(data, where)
    if text is None:
        raise DocumentError(f'{where} has no text; write it as {{"id": "...", "text": "..."}}.', reason="broken")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"{where} holds half a character (a lone surrogate); write it anew.", reason="encoding"
        ) from error
    places = PieceLabels(("line",))
    places.add_piece(0, len(text), (line.number,))
    notes: tuple[str, ...] = ()
    if line.namesake:
        notes = (
            f"Lines {line.namesake} and {line.number} of {printable_name(line.file.name)} have the same name; "
            f"this is line {line.number}.",
        )
    return Document(name, require_text(text, where), locations=places, notes=notes)
