"""A journal as another process sees it: read as it is, without its lock, and nothing of it changed."""

from __future__ import annotations

import os
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path

from extractor.errors import UsageError
from extractor.files import open_regular_file
from extractor.runs.filenames import fold_filename
from extractor.runs.journal import (
    JOURNAL_FILE,
    JOURNAL_FORMAT,
    MAX_LINE_BYTES,
    JournalEntry,
    hash_key,
    parse_journal_line,
    read_entry_at,
    read_format,
)


def iterate_entries(path: Path) -> Iterator[tuple[int, JournalEntry]]:
    """Place and entry of each line that holds one, in the order of the file, replaced ones too.

    A line that cannot be read, or is being written, is passed over. Raises OSError, and UsageError for a journal of
    another version.
    """
    with open_regular_file(path, follow=False) as file:
        place = 0
        for line in iter(lambda: file.readline(MAX_LINE_BYTES), b""):
            if place == 0 and read_format(line) != JOURNAL_FORMAT:
                raise UsageError(f"{path} is no journal of this version; use the extractor that wrote it.")
            if place and line.endswith(b"\n"):
                entry = _parse_or_pass(line)
                if entry is not None:
                    yield place, entry
            place += len(line)


def _parse_or_pass(line: bytes) -> JournalEntry | None:
    try:
        return parse_journal_line(line)
    except ValueError:
        return None


class JournalView:
    """The entries of a journal that no later line has replaced, some 100 bytes of memory for each."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError, FileNotFoundError where there is none, and UsageError for one of another version."""
        path = folder / JOURNAL_FILE
        self._handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._handle)
        self._sources: dict[int, int] = {}
        self._files: dict[int, int] = {}
        for place, entry in iterate_entries(path):
            self._sources[hash_key(entry.source)] = place
            self._files[hash_key(fold_filename(entry.outcome.file))] = place

    def find_by_source(self, source: str) -> JournalEntry | None:
        """The entry about the document of this path."""
        place = self._sources.get(hash_key(source))
        if place is None:
            return None
        entry = read_entry_at(self._handle, place)
        is_replaced = self._files.get(hash_key(fold_filename(entry.outcome.file))) != place
        return None if is_replaced or entry.source != source else entry

    def iterate(self) -> Iterator[tuple[int, JournalEntry]]:
        """Place and entry of each."""
        of_files = set(self._files.values())
        for place in array("q", sorted(p for p in self._sources.values() if p in of_files)):
            yield place, read_entry_at(self._handle, place)
