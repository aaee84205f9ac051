"""Jobs on disk: whole or not there at all, whenever the process or the machine is stopped.

jobs/ID.json        what is asked; the job exists from when this file is there, and is accepted then
documents/ID        the document, until its record is there
results/ID.json     the result file, as `extractor run` writes it

Files are written as a run writes them: a draft, fsync, rename, and fsync of the folder before anybody is told.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from extractor.errors import MachineError, UsageError
from extractor.files import make_folder, open_regular_file, remove_drafts, sync_folder, write_atomically
from extractor.runs.lock import hold_folder_lock
from extractor.serving.jobs import JobOrder, parse_order
from extractor.user_folders import find_state

_FOLDERS = ("documents", "results", "jobs")


def find_jobs_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """$EXTRACTOR_HOME/jobs, or extractor/jobs in the user's folder for state: what lies in a folder of jobs is done, so
    it is none that a stranger may have filled."""
    return find_state("jobs", environ)


class JobStore:
    """The jobs of one folder. Every call may wait for the disk, and raises MachineError where that fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.notes: list[str] = []
        """What was found that is no job: a sentence each."""

    @contextlib.contextmanager
    def hold(self) -> Iterator[list[JobOrder]]:
        """Holds the folder while the block lasts; gives the jobs in it, oldest first, and clears away remains.

        Raises UsageError where another server holds it.
        """
        if self._folder.is_symlink():
            raise UsageError(f"{self._folder} is a link; name {self._folder.resolve()} with --jobs.")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in _FOLDERS:
                make_folder(self._folder / name, 0o700)
        except OSError as error:
            raise MachineError(f"{self._folder} cannot be made ({error.strerror}); choose another --jobs.") from error
        with hold_folder_lock(self._folder, "server", "--jobs"):
            try:
                for name in _FOLDERS:
                    remove_drafts(self._folder / name)
                orders = sorted(self._read_orders(), key=lambda order: (order.created, order.id))
                self._remove_remains({order.id: order for order in orders})
            except OSError as error:
                raise MachineError(
                    f"{self._folder} cannot be read ({error.strerror}); choose another --jobs."
                ) from error
            yield orders

    def _read_orders(self) -> Iterator[JobOrder]:
        for file in sorted((self._folder / "jobs").glob("*.json")):
            try:
                with open_regular_file(file, follow=False) as content:
                    order = parse_order(content.read())
                if order.id != file.stem:
                    raise ValueError("another job's file")
            except (OSError, ValueError):
                self.notes.append(f"{file} is no job of this version; it is left alone.")
            else:
                yield order

    def _remove_remains(self, known: dict[str, JobOrder]) -> None:
        """Removes what a kill left behind: parts of jobs that were never accepted, or were being removed."""
        left_alone = {Path(note.split(" is no job")[0]).stem for note in self.notes}
        for name in ("documents", "results"):
            for file in (self._folder / name).iterdir():
                is_spent = name == "documents" and file.stem in known and known[file.stem].ended is not None
                if (file.stem not in known and file.stem not in left_alone) or is_spent:
                    file.unlink(missing_ok=True)

    def accept(self, order: JobOrder, document: Iterable[bytes]) -> None:
        """Has the job on disk, for good, when it returns."""
        with self._told("kept"):
            write_atomically(self._path("documents", order.id), document)
            sync_folder(self._folder / "documents")
            self._write_order(order)

    def finish(self, order: JobOrder, result: bytes) -> None:
        """Has the result on disk, and then notes that the job is done."""
        with self._told("saved"):
            write_atomically(self._path("results", order.id), [result])
            sync_folder(self._folder / "results")
            self._write_order(order)
            self._path("documents", order.id).unlink(missing_ok=True)

    def _write_order(self, order: JobOrder) -> None:
        write_atomically(self._path("jobs", order.id), [order.to_bytes()])
        sync_folder(self._folder / "jobs")

    def read_document(self, order: JobOrder) -> bytes:
        with self._told("read"), open_regular_file(self._path("documents", order.id), follow=False) as file:
            return file.read()

    def open_result(self, order: JobOrder) -> BinaryIO:
        with self._told("read"):
            return open_regular_file(self._path("results", order.id), follow=False)

    def remove(self, order: JobOrder) -> None:
        """Removes the job and all that is of it; after a kill half-way, the next start removes the rest."""
        with self._told("removed"):
            self._path("jobs", order.id).unlink(missing_ok=True)
            sync_folder(self._folder / "jobs")
            self._path("documents", order.id).unlink(missing_ok=True)
            self._path("results", order.id).unlink(missing_ok=True)

    def _path(self, folder: str, name: str) -> Path:
        return self._folder / folder / (name if folder == "documents" else f"{name}.json")

    @contextlib.contextmanager
    def _told(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MachineError(
                f"A job cannot be {done} ({error.strerror}); free the disk of the server, then send it again."
            ) from error
