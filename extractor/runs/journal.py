"""The journal of a run: one line for each document that ended, appended when its result is on disk.

The format is `extractor.journal/1`, JSON Lines: the first line names it, each other is an entry. A later line about the
same source or result file replaces an earlier one. A line that a kill has torn is dropped, and its document done again.
docs/durability.md says what the journal promises.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
import weakref
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from extractor.errors import MachineError, UsageError
from extractor.files import require_regular_file, sync_folder, write_atomically
from extractor.results.outcome import DocumentOutcome
from extractor.runs.entry_index import EntryIndex
from extractor.runs.filenames import fold_filename
from extractor.types import Json, Status, Usage

JOURNAL_FILE = "journal.jsonl"
JOURNAL_FORMAT = "extractor.journal/1"
SYNC_INTERVAL = 1.0
"""Seconds of finished documents that a power loss may undo; a kill undoes none."""
HEADER_LINE = json.dumps({"format": JOURNAL_FORMAT}).encode() + b"\n"
MAX_LINE_BYTES = 1 << 20
"""Bytes of a line that are read; no line that a run writes is near it."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A document that ended: where its result is, and all that decides whether it still holds."""

    source: str
    """The path, as it was given."""
    seen: str | None
    """What was found there: "sha256:" of the file's bytes, or "refused:" and why; None when it is not known."""
    reader: str
    """The version of extractor that read the text out of these bytes."""
    text: str | None
    """SHA-256 of the document's text; None when there was none to read."""
    job: str
    """The fingerprint of what was asked: schema, prompt, model, parameters."""
    result: str
    """SHA-256 of the result file's bytes."""
    outcome: DocumentOutcome

    def to_line(self) -> bytes:
        own = {name: getattr(self, name) for name in _ENTRY_KEYS}
        about, usage = self.outcome, self.outcome.usage
        fields: dict[str, Json] = {"file": about.file, **own, **{name: getattr(about, name) for name in _OUTCOME_KEYS}}
        fields["usage"] = {
            name: getattr(usage, name) for name in _USAGE_KEYS if usage.cached or name not in _FIRST_USAGE_KEYS
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


_ENTRY_KEYS = tuple(f.name for f in fields(JournalEntry) if f.name != "outcome")
_OUTCOME_KEYS = tuple(f.name for f in fields(DocumentOutcome))
_USAGE_KEYS = tuple(f.name for f in fields(Usage))
_FIRST_USAGE_KEYS = tuple(name for name in _USAGE_KEYS if name.startswith("cached_"))


def parse_journal_line(line: bytes) -> JournalEntry:
    """The entry in a line. Raises ValueError for a line that holds none."""
    try:
        fields = json.loads(line)
        spent = fields["usage"]
        counts = {name: spent[name] for name in _USAGE_KEYS if name in spent}
        if any(type(n) not in (int, float, type(None)) for n in counts.values()):
            raise ValueError("usage is no number")
        own = {name: fields[name] for name in _ENTRY_KEYS}
        about = {name: fields[name] for name in _OUTCOME_KEYS}
        if counts.get("cached"):  # a line of before that was kept does not say what they took first
            counts = {**dict.fromkeys(_FIRST_USAGE_KEYS), **counts}
        about |= {"status": Status(fields["status"]), "usage": Usage(**counts)}
        for name in ("source", "reader", "job", "result", "name", "file", "message"):
            if type(fields[name]) is not str:
                raise ValueError(f"{name} is no text")
        for name in ("seen", "text"):
            if type(fields[name]) not in (str, type(None)):
                raise ValueError(f"{name} is no text")
        for name in ("values", "unsupported", "conflicts", "failures"):
            if type(fields[name]) is not int:
                raise ValueError(f"{name} is no number")
        if os.path.basename(fields["file"]) != fields["file"] or fields["file"] in ("", ".", ".."):  # noqa: PTH119 -- no path: it would intern its name
            raise ValueError("the file is not in the folder")
        return JournalEntry(**own, outcome=DocumentOutcome(**about))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no entry ({type(error).__name__})") from error


class Journal:
    """The journal of one output folder, for one run: read once, appended to, put in order at the end.

    Memory holds where each entry stands, not its content: some 35 bytes for a document. An entry is named by the number
    of its result file, which stays the same when the journal is put in order. Threads may use it.
    """

    def __init__(self, folder: Path, *, fresh: bool = False, expected: int = 0) -> None:
        """`expected` entries have their room in memory at once.

        Raises UsageError for a journal of another version, and MachineError where it cannot be opened.
        """
        self._folder, self._path = folder, folder / JOURNAL_FILE
        self._index = EntryIndex(expected)
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        self._is_unsynced = False
        self.changed = False
        self.notes: list[str] = []
        self._last: tuple[int, JournalEntry] | None = None
        self._end = self._begun = 0
        try:
            self._handle = self._open_file(fresh)
            self._begun = self._end
        except OSError as error:
            raise MachineError(f"{self._path} cannot be opened ({error.strerror}); choose another -o.") from error

    def _open_file(self, fresh: bool) -> int:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            require_regular_file(handle)
            foreign, bad, self._end = self._index_lines(handle)
            if foreign and not fresh:
                raise UsageError(
                    f"{self._path} is of another version ({foreign[:40]!r}, not {JOURNAL_FORMAT}); "
                    "use the extractor that wrote it, choose another -o, or begin anew with --fresh."
                )
            if foreign or (bad and not self._index):
                self._set_aside("of another version" if foreign else "no journal of a run")
            elif bad:
                self.notes.append(
                    f"{bad} lines of {self._path} cannot be read; the documents that they were about are done again."
                )
            if not foreign and not (bad and not self._index):
                if os.fstat(handle).st_size > self._end:
                    os.ftruncate(handle, self._end)
                if self._end == 0:
                    self._end = os.pwrite(handle, HEADER_LINE, 0)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        return self._open_file(fresh)

    def _index_lines(self, handle: int) -> tuple[str, int, int]:
        """The version if it is another one, how many lines are no entries, and where the whole lines end."""
        bad = end = 0
        with os.fdopen(os.dup(handle), "rb") as file:
            file.seek(0)
            for line in iter(lambda: file.readline(MAX_LINE_BYTES), b""):
                if not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
                    if end:
                        self.notes.append(f"The last line of {self._path} was torn; its document is done again.")
                    return "", bad + (not end and not HEADER_LINE.startswith(line)), end
                journal_format = read_format(line) if end == 0 else None
                if journal_format is not None and journal_format != JOURNAL_FORMAT:
                    return str(journal_format), bad, end
                if journal_format is None:
                    try:
                        entry = parse_journal_line(line)
                        self._index.add(entry.source, entry.outcome.file, end)
                    except ValueError:
                        bad += 1
                end += len(line)
        return "", bad, end

    def _set_aside(self, why: str) -> None:
        spare = next(
            p for n in range(1, 10_000) if not (p := self._path.with_name(f"{JOURNAL_FILE}.aside-{n}")).exists()
        )
        self._path.rename(spare)
        self.notes.append(f"{self._path} is {why}; it is now {spare.name}, and every document is done again.")

    @property
    def size(self) -> int:
        """Bytes of what stands in it."""
        return self._end

    def append(self, entry: JournalEntry) -> int:
        """Appends an entry, whole or not at all; returns its number. Raises OSError."""
        line = entry.to_line()
        with self._lock:
            place = self._end
            try:
                written = 0
                while written < len(line):
                    written += os.pwrite(self._handle, line[written:], place + written)
            except OSError:
                os.ftruncate(self._handle, place)
                raise
            self._end += len(line)
            number = self._index.add(entry.source, entry.outcome.file, place)
            self.changed = self._is_unsynced = True
            if time.monotonic() - self._synced >= SYNC_INTERVAL:
                self._sync_to_disk()
            return number

    def _sync_to_disk(self) -> None:
        sync_folder(self._folder)
        os.fsync(self._handle)
        self._synced, self._is_unsynced = time.monotonic(), False

    def find_by_source(self, source: str) -> tuple[int, JournalEntry] | None:
        """Number and entry."""
        found = self._locate_entry(self._index.find_source(source))
        return found if found and found[1].source == source else None

    def find_by_file(self, file: str) -> tuple[int, JournalEntry] | None:
        """The entry about a result file of this name, or one that a file system may take for the same."""
        found = self._locate_entry(self._index.find_file(file))
        return found if found and fold_filename(found[1].outcome.file) == fold_filename(file) else None

    def _locate_entry(self, number: int | None) -> tuple[int, JournalEntry] | None:
        return None if number is None else (number, self.read_entry(number))

    def read_entry(self, number: int) -> JournalEntry:
        """The entry of this number. The last one is at hand: it is asked for by source, then by file."""
        last, place = self._last, self._index.get_place(number)
        if last is None or last[0] != place:
            last = self._last = place, read_entry_at(self._handle, place)
        return last[1]

    def list_others(self, numbers: array[int]) -> list[int]:
        """The entries that no later line has replaced, but for these, in the order of the journal."""
        return self._index.list_others(numbers)

    def is_in_order(self, numbers: array[int]) -> bool:
        """Whether the entries stand in this order."""
        places = map(self._index.get_place, numbers)
        return all(a <= b for a, b in itertools.pairwise(places))

    def rewrite_in_order(self, first: array[int]) -> None:
        """Rewrites the journal with these entries first, in this order, the others that hold after them.

        The old journal or the new one is there at any moment. Raises OSError.
        """
        moved, end = self._index.begin_move(), len(HEADER_LINE)

        def reordered_lines() -> Iterator[bytes]:
            nonlocal end
            yield HEADER_LINE
            for number in itertools.chain(first, self._index.list_others(first)):
                place = self._index.get_place(number)
                own = self._begun <= place  # this run has written it, as it is written today
                line = read_line_at(self._handle, place) if own else self.read_entry(number).to_line()
                moved[number] = end
                end += len(line)
                yield line

        with self._lock:
            write_atomically(self._path, reordered_lines())
            self._begun = 0
            sync_folder(self._folder)
            handle = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            os.dup2(handle, self._handle, inheritable=False)
            os.close(handle)
            self._index.move(moved)
            self._end, self._is_unsynced, self.changed, self._last = end, False, False, None

    def open_outcome_reader(self) -> OutcomeReader:
        """Reads outcomes from the journal as it is now, also when this object is closed."""
        return OutcomeReader(os.dup(self._handle), self._index)

    def close(self) -> None:
        """Syncs what was appended to disk. Raises OSError."""
        with self._lock:
            try:
                if self._is_unsynced:
                    self._sync_to_disk()
            finally:
                os.close(self._handle)


class OutcomeReader:
    """The outcome of a number in a journal; the file is closed with the last who could ask."""

    def __init__(self, handle: int, index: EntryIndex) -> None:
        self._handle, self._index = handle, index
        weakref.finalize(self, os.close, handle)

    def __call__(self, number: int) -> DocumentOutcome:
        return read_entry_at(self._handle, self._index.get_place(number)).outcome


def read_entry_at(handle: int, place: int) -> JournalEntry:
    return parse_journal_line(read_line_at(handle, place))


def read_line_at(handle: int, place: int) -> bytes:
    """The line that begins there, its end included. Raises ValueError where none does."""
    size = 1024
    while not (line := os.pread(handle, size, place).partition(b"\n"))[1]:
        if size > MAX_LINE_BYTES:
            raise ValueError(f"no entry at {place}")
        size *= 8
    return line[0] + line[1]


def read_format(line: bytes) -> Json:
    try:
        return json.loads(line).get("format")
    except (ValueError, AttributeError, RecursionError):
        return None
