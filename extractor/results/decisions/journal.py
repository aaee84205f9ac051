"""The journal of decisions: OUT/decisions/journal.jsonl, appended to and never rewritten.

JSON Lines: the first line names the format, each other is a decision. A decision is on disk before its person is told
so. A line that a kill has torn is cut off by whoever writes next. Several people, in several processes, may append: a
lock on the file, and the number of decisions that a person had seen, keep them from deciding over each other's heads.
Beside it, OUT/decisions/seen/ keeps each result that somebody decided about as it was, for a run may replace it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from extractor.errors import DecisionConflict, MachineError, UsageError
from extractor.files import make_folder, open_regular_file, require_regular_file, sync_folder, write_atomically
from extractor.results.decisions.decision import Decision, parse_decision
from extractor.types import Json

DECISIONS_FOLDER = "decisions"
JOURNAL_FILE = "journal.jsonl"
SEEN_FOLDER = "seen"
DECISIONS_FORMAT = "extractor.decisions/1"
_HEADER_LINE = json.dumps({"format": DECISIONS_FORMAT}).encode() + b"\n"
_MAX_LINE_BYTES = 16 << 20
"""Bytes of a line that are read; a decision that a person made is far from it."""


class DecisionJournal:
    """The decisions of one run's folder. Memory holds where the lines stand, not what they say. Threads may use it."""

    def __init__(self, out: Path) -> None:
        """Reads what is there, if anything is. Raises UsageError for a journal of another version."""
        self.folder = out / DECISIONS_FOLDER
        self.path = self.folder / JOURNAL_FILE
        self.broken = 0
        """Lines that are no decisions."""
        self._places: dict[str, array[int]] = {}
        self._end = 0
        self._lock = threading.Lock()
        self.refresh()

    def refresh(self) -> set[str]:
        """Takes in what others appended since; the result files that it is about."""
        try:
            with self._lock, open_regular_file(self.path, follow=False) as file:
                return self._index_lines(file.fileno())
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise MachineError(f"{self.path} cannot be read ({error.strerror}); check the folder.") from error

    def list_files(self) -> list[str]:
        """The result files that were decided about."""
        with self._lock:
            return list(self._places)

    def count_decisions(self, file: str) -> int:
        with self._lock:
            return len(self._places.get(file, ()))

    def read_decisions(self, file: str) -> tuple[Decision, ...]:
        """The decisions about one result file, in their order."""
        with self._lock:
            places = list(self._places.get(file, ()))
        if not places:
            return ()
        with open_regular_file(self.path, follow=False) as journal:
            return tuple(_read_lines(journal.fileno(), places))

    def append(self, decision: Decision) -> None:
        """Appends a decision, on disk when this returns.

        Raises DecisionConflict where there are other decisions about its document than the person had seen, and
        MachineError where it cannot be written.
        """
        line = decision.to_line()
        try:
            with self._lock, self._open_locked() as handle:
                self._index_lines(handle)
                if len(self._places.get(decision.file, ())) != decision.version:
                    raise DecisionConflict(
                        f"Somebody else has decided about {decision.document} meanwhile; look at it again."
                    )
                os.ftruncate(handle, self._end)
                _write_all(handle, line, self._end)
                os.fsync(handle)
                self._index_lines(handle)
        except OSError as error:
            raise MachineError(f"{self.path} cannot be written ({error.strerror}); free the disk.") from error

    def keep_seen_result(self, sha256: str, data: bytes) -> None:
        """Keeps a result as it was when it was decided about. Raises MachineError."""
        path = self.folder / SEEN_FOLDER / f"{sha256}.json"
        try:
            if not path.exists():
                make_folder(self.folder)
                make_folder(path.parent)
                write_atomically(path, [data])
                sync_folder(path.parent)
        except OSError as error:
            raise MachineError(f"{path} cannot be written ({error.strerror}); check the folder.") from error

    def read_seen_result(self, sha256: str) -> bytes | None:
        """The result of that digest, where it is kept as it was."""
        if len(sha256) != 64 or not sha256.isalnum():
            return None
        try:
            with open_regular_file(self.folder / SEEN_FOLDER / f"{sha256}.json", follow=False) as file:
                data = file.read()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    @contextmanager
    def _open_locked(self) -> Iterator[int]:
        import fcntl

        make_folder(self.folder)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            require_regular_file(handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.fstat(handle).st_size == 0:
                _write_all(handle, _HEADER_LINE, 0)
                sync_folder(self.folder)
            yield handle
        finally:
            os.close(handle)

    def _index_lines(self, handle: int) -> set[str]:
        changed = set()
        if os.fstat(handle).st_size < self._end:  # another journal has taken its place
            self._places, self._end, self.broken = {}, 0, 0
        with os.fdopen(os.dup(handle), "rb") as file:
            file.seek(self._end)
            for line in iter(lambda: file.readline(_MAX_LINE_BYTES), b""):
                if not line.endswith(b"\n"):
                    break  # torn, or being written
                if self._end == 0:
                    self._require_format(line)
                else:
                    try:
                        decision = parse_decision(line)
                        self._places.setdefault(decision.file, array("q")).append(self._end)
                        changed.add(decision.file)
                    except ValueError:
                        self.broken += 1
                self._end += len(line)
        return changed

    def _require_format(self, line: bytes) -> None:
        try:
            told: Json = json.loads(line).get("format")
        except (ValueError, AttributeError, RecursionError):
            told = None
        if told != DECISIONS_FORMAT:
            raise UsageError(
                f"{self.path} is no journal of this version ({str(told)[:40]!r}, not {DECISIONS_FORMAT}); "
                "use the extractor that wrote it, or move the file away."
            )


def _read_lines(handle: int, places: Sequence[int]) -> Iterator[Decision]:
    with os.fdopen(os.dup(handle), "rb") as file:
        for place in places:
            file.seek(place)
            yield parse_decision(file.readline(_MAX_LINE_BYTES))


def _write_all(handle: int, data: bytes, place: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(handle, data[written:], place + written)
