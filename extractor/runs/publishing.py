"""A run's results, copied to an object store while it goes on.

The folder stays the run's own: locks, journal and resume need a disk. What is copied is what is finished, so that a
machine may go at any time; run.json, which tells of all of it, comes last. A repeat copies what has changed alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from extractor.digest_set import DigestSet
from extractor.errors import ExtractorError, MachineError
from extractor.object_stores import ObjectStore, ObjectUrl
from extractor.results.model import RUN_FILE
from extractor.runs.journal import JOURNAL_FILE

COPIED_FILE = ".published"
"""What was copied where, a line for each file: hidden, since it is of this folder alone."""
AT_ONCE, MOST_WAITING = 8, 10_000
"""Copies under way, and files that wait for one; what is more is copied at the end."""


class ResultPublisher:
    """Copies files of one run's folder. Raises UsageError and MachineError where the store cannot be used."""

    def __init__(self, folder: Path, url: ObjectUrl) -> None:
        self._folder, self._url, self._store = folder, url, ObjectStore(url)
        next(iter(self._store.list(url.key)), None)  # before anything is paid
        self._copied = _read_copied(folder / COPIED_FILE, url)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="publish")
        self._lock = threading.Lock()
        self._waiting: set[Future[None]] = set()
        self._error: ExtractorError | None = None

    def __enter__(self) -> ResultPublisher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)

    def copy(self, file: str) -> None:
        """Copies a file when there is a hand for it, unless it is there as it is. Never raises, nor waits."""
        if self._error is None and len(self._waiting) < MOST_WAITING:
            future = self._pool.submit(self._copy, file)
            self._waiting.add(future)
            future.add_done_callback(self._waiting.discard)

    def finish(self, files: Iterable[str]) -> int:
        """Copies what of these is not there yet, then the journal and run.json; how many files the run has there.

        Raises MachineError where something could not be copied: the folder has it, and a repeat copies it.
        """
        for waiting in list(self._waiting):
            waiting.result()
        self._error = None  # what failed is tried once more
        names = list(files)
        for done in self._pool.map(self._copy, names):
            assert done is None  # noqa: S101 -- waits for each
        for name in (JOURNAL_FILE, RUN_FILE):
            self._copy(name)
        if self._error is not None:
            raise MachineError(
                f"Not all results could be copied to {self._url} ({self._error}); {self._folder} has them, and the "
                "same command copies the rest."
            )
        return len(names)

    def _copy(self, file: str) -> None:
        path = self._folder / file
        try:
            seen = path.stat()
            mark = f"{self._url} {file} {seen.st_size} {seen.st_mtime_ns}"
            with self._lock:
                if self._error is not None or mark in self._copied:
                    return
            self._store.write_file(self._url.join(file).key, path)
            with self._lock:
                self._copied.add(mark)
                with (self._folder / COPIED_FILE).open("a", encoding="utf-8") as lines:
                    lines.write(mark + "\n")
        except FileNotFoundError:
            return  # a result that was replaced by one of another name
        except (ExtractorError, OSError) as error:
            told = error if isinstance(error, ExtractorError) else MachineError(f"{path}: {error.strerror}")
            with self._lock:
                self._error = self._error or told


def _read_copied(path: Path, url: ObjectUrl) -> DigestSet:
    copied = DigestSet()
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith(f"{url} "):
                    copied.add(line.rstrip("\n"))
    except OSError:
        pass
    return copied
