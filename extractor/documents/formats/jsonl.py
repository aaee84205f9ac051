"""JSON lines: a document a line, `{"id": ..., "text": ...}`; the id is its name, the text is the document.

`text` may also be called `content` or `body`, and `id` `name` or `doc_id`; other keys are the user's own. An object
without any of them, as programs export their rows, is a document by itself: its keys are labels, as in a JSON file.
"""

from __future__ import annotations

import itertools
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, overload

from extractor.digest_set import DigestSet
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


class JsonLines(Sequence[tuple[str, JsonLine]]):
    """The documents of a file, each line's name and where it stands. Lines of white space are none.

    A line that can't be read has its number for a name; loading it raises the error. No two names are the same: of
    lines with one id the later ones have their number behind it.

    The lines are read when they are asked for. In memory are the places of a few of them, from which the others are
    found, and what cannot be told from a line alone: that an earlier one has its name.
    """

    def __init__(self, path: Path) -> None:
        """Looks through the file once. Raises DocumentError for one that cannot be read."""
        self.path = path
        self._marks = array("Q")
        """Of every so-manieth document, where its line begins, and its number."""
        self._namesakes: dict[int, tuple[int, int]] = {}
        """Of a line whose name an earlier one has, by its number: that one, and how often its own number is added."""
        self._count = 0
        names, numbers = DigestSet(), array("Q")
        with open_regular(path, _NO_BOUND) as file:
            for number, start, _, data in _iterate_lines(file, 0, 0):
                if self._count % _STRIDE == 0:
                    self._marks.extend((start, number))
                self._count += 1
                base = _name_line(data, number)
                name, times = base, 0
                first = names.find(name)
                while name in names:
                    times += 1
                    name = _add_number(base, number, times)
                if first is not None:
                    self._namesakes[number] = numbers[first], times
                if names.add(name) == len(numbers):
                    numbers.append(number)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, JsonLine]]:
        return self._iterate_from(0)

    @overload
    def __getitem__(self, i: int) -> tuple[str, JsonLine]: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[tuple[str, JsonLine]]: ...
    def __getitem__(self, i: int | slice) -> tuple[str, JsonLine] | Sequence[tuple[str, JsonLine]]:
        if isinstance(i, slice):
            return [self[n] for n in range(*i.indices(self._count))]
        index = range(self._count)[i]
        return next(itertools.islice(self._iterate_from(index // _STRIDE), index % _STRIDE, None))

    def _iterate_from(self, mark: int) -> Iterator[tuple[str, JsonLine]]:
        """The documents from a mark on. Of a file that was shortened since, the lines that were there are told all the
        same: reading them fails."""
        index = mark * _STRIDE
        start, last = self._marks[2 * mark : 2 * mark + 2] or (0, 1)
        try:
            with open_regular(self.path, _NO_BOUND) as file:
                file.seek(start)
                for number, at, size, data in _iterate_lines(file, last - 1, start):
                    if index == self._count:
                        return
                    index, last = index + 1, number
                    yield self._describe(number, at, size, data)
        except DocumentError:  # it is gone
            pass
        for more in range(1, self._count - index + 1):
            yield self._describe(last + more, start, 0, b"")

    def _describe(self, number: int, start: int, size: int, data: bytes) -> tuple[str, JsonLine]:
        namesake, times = self._namesakes.get(number, (0, 0))
        name = _add_number(_name_line(data, number), number, times)
        return name, JsonLine(self.path, number, start, size, namesake)


_STRIDE = 32
"""Documents from one whose place is kept to the next."""
_NO_BOUND = 1 << 62


def _iterate_lines(file: IO[bytes], number: int, start: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Number, place, size and bytes of each line that holds a document, from where the file stands; `number` is that of
    the line before. Of a line that is over the bound, bytes are not given."""
    while data := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        size = len(data)
        while not data.endswith(b"\n") and (rest := file.readline(MAX_LINE_BYTES)):  # over the bound: only counted
            data = rest
            size += len(rest)
        if size > MAX_LINE_BYTES or data.strip():
            yield number, start, size, data if size <= MAX_LINE_BYTES else b""
        start += size


def _name_line(data: bytes, number: int) -> str:
    return (_read_name(data) if data else "") or str(number)


def _add_number(name: str, number: int, times: int) -> str:
    return name + times * f" (line {number})"


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
    with open_regular(line.file, _NO_BOUND) as file:
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
