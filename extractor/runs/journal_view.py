"""A journal as another process sees it: read as it is, without its lock, and nothing of it changed."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from pathlib import Path

from extractor.errors import UsageError
from extractor.files import open_regular_file
from extractor.runs.entry_index import EntryIndex
from extractor.runs.journal import (
    JOURNAL_FILE,
    JOURNAL_FORMAT,
    MAX_LINE_BYTES,
    JournalEntry,
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
    """The entries of a journal that no later line has replaced, some 35 bytes of memory for each."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError, FileNotFoundError where there is none, and UsageError for one of another version."""
        path = folder / JOURNAL_FILE
        self._handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._handle)
        self._index = EntryIndex()
        for place, entry in iterate_entries(path):
            self._index.add(entry.source, entry.outcome.file, place)

    def find_by_source(self, source: str) -> JournalEntry | None:
        """The entry about the document of this path."""
        number = self._index.find_source(source)
        if number is None:
            return None
        entry = read_entry_at(self._handle, self._index.get_place(number))
        return entry if entry.source == source else None

    def iterate(self) -> Iterator[tuple[int, JournalEntry]]:
        """Place and entry of each."""
        for place in self._index.iterate_places():
            yield place, read_entry_at(self._handle, place)
