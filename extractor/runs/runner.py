"""Many documents: in order, a bounded number at a time, each result on disk as soon as it is there.

A run goes on where an earlier one in the same folder ended, however it ended; `resume` says what is kept.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor._version import __version__
from extractor.documents.discovery import Source, read_source
from extractor.errors import DocumentError, ExtractorError, MachineError, ModelFatal
from extractor.files import DISK_FULL_ERRORS, DiskReserve, remove_drafts, write_atomically
from extractor.results import outcome as outcomes
from extractor.results.file import encode_part, write_run_file
from extractor.results.model import RUN_FILE
from extractor.results.outcome import DocumentOutcome as DocumentOutcome
from extractor.results.outcome import RunOutcomes
from extractor.runs.bugs import describe_bug
from extractor.runs.job import Job
from extractor.runs.journal import Journal, JournalEntry
from extractor.runs.lock import hold_folder_lock
from extractor.runs.output_folder import read_learnt, reserve_disk_space
from extractor.runs.resume import EarlierResults, printable_source_path
from extractor.runs.source_state import SourceState, is_source_unchanged, observe_source
from extractor.types import Document, Json, Status

GRACE_SECONDS = 1.0
"""Seconds that documents under way have to end when a run is stopped."""
SCAN_SLICE_SECONDS = 0.1
"""Seconds after which a look through finished results lets the event loop have its say."""


@dataclass(frozen=True, slots=True)
class _PendingDocument:
    """A document to do: where it stands among the sources, and what was seen of it."""

    index: int
    source: Source
    file: str
    sighting: SourceState


async def run_job(job: Job, sources: Sequence[Source], stop: asyncio.Event | None = None) -> RunOutcomes:
    """Every document's outcome, in the order of the sources, whatever order they finish in.

    A document that fails costs itself. When `stop` is set, what is under way has GRACE seconds to end; what has not
    begun is pending. ModelFatal and MachineError end the run in the same way and are raised then. Raises UsageError
    when another run holds the folder.
    """
    with hold_folder_lock(job.out):
        remove_drafts(job.out)
        ledger = Journal(job.out, fresh=job.ignores_earlier_results)
        try:
            reserve = reserve_disk_space(job.out)
            try:
                return await _JobRunner(job, sources, ledger, reserve, stop or asyncio.Event()).run_all()
            finally:
                reserve.release()
        finally:
            ledger.close()


class _JobRunner:
    def __init__(
        self, job: Job, sources: Sequence[Source], ledger: Journal, reserve: DiskReserve, stop: asyncio.Event
    ) -> None:
        self._job, self._sources, self._ledger, self._reserve, self._stop = job, sources, ledger, reserve, stop
        self._extractor = job.extractor
        self._job_fingerprint = job.fingerprint
        self._earlier_results = EarlierResults(
            ledger,
            job.out,
            self._job_fingerprint,
            sources,
            fresh=job.ignores_earlier_results,
            retry_failed=job.retry_failed,
            taped=job.is_recorded,
        )
        self._looking = asyncio.Lock()
        self._remaining = iter(enumerate(sources))
        self._places = array("q", [-1]) * len(sources)
        self._statuses = Counter[Status]()
        self._kept = 0
        self._error: ModelFatal | MachineError | None = None
        self._has_written = False

    async def run_all(self) -> RunOutcomes:
        hands = min(self._extractor.concurrency, len(self._sources))
        crew = [asyncio.create_task(self._run_worker()) for _ in range(hands)]
        try:
            await _wait_for_workers(crew, self._stop)
        finally:
            for worker in crew:
                worker.cancel()
            ends = await asyncio.gather(*crew, return_exceptions=True)
            ended = self._finish_run()
        for end in ends:
            if isinstance(end, Exception):
                raise end
        if self._error is not None:
            raise self._error
        return ended

    async def _run_worker(self) -> None:
        while not self._stop.is_set() and (found := await self._take_next()) is not None:
            try:
                await self._run_document(found)
            except (ModelFatal, MachineError) as error:
                self._error = self._error or error
                self._stop.set()

    async def _take_next(self) -> _PendingDocument | None:
        """The next document whose result is not there yet; those before it count as kept."""
        async with self._looking:
            while not self._stop.is_set():
                kept, found = await asyncio.to_thread(self._scan_sources)
                self._kept += len(kept)
                for index, place, outcome in kept:
                    self._count_outcome(index, place, outcome)
                if found is not None:
                    return found
                if not kept:
                    return None
        return None

    def _scan_sources(self) -> tuple[list[tuple[int, int, DocumentOutcome]], _PendingDocument | None]:
        kept: list[tuple[int, int, DocumentOutcome]] = []
        until = time.monotonic() + SCAN_SLICE_SECONDS
        for index, source in self._remaining:
            file = self._earlier_results.choose_result_file(source)
            sighting = observe_source(source)
            place = self._earlier_results.find_kept(file, sighting)
            if place is None:
                return kept, _PendingDocument(index, source, file, sighting)
            kept.append((index, place, self._ledger.read_entry(place).outcome))
            if time.monotonic() > until:
                break
        return kept, None

    async def _run_document(self, found: _PendingDocument) -> None:
        sighting: SourceState = found.sighting
        members: Mapping[str, Json] | None = None
        try:
            document, sighting = await asyncio.to_thread(read_unchanging_document, found.source, sighting)
            text = document.sha256
            held = self._earlier_results.find_kept_by_text(found.file, text, sighting, document.loader)
            if held is not None:
                self._kept += 1
                await self._save_outcome(found, sighting, text, held.result, held.outcome)
                return
            done = await self._extractor.extract(document)
            members = done.summary.members
            content = done.result if isinstance(done.result, bytes) else encode_part(done.result)
            outcome = done.summary.to_outcome(document.name, found.file)
        except DocumentError as error:
            text, content, outcome = None, *self._build_failure(found, error)
        except ExtractorError:
            raise
        except Exception as error:  # noqa: BLE001 -- one document must not end the run for ten thousand others
            self._job.on_bug(found.source.name, error)
            text, content, outcome = None, *self._build_failure(found, describe_bug(found.source.name, error))
            sighting = SourceState(None)
        await self._save_outcome(found, sighting, text, content, outcome)
        self._job.on_record(outcome, members)

    def _build_failure(self, found: _PendingDocument, error: DocumentError) -> tuple[bytes, DocumentOutcome]:
        name = found.source.name
        content = encode_part(self._extractor.build_failed_result(name, error))
        return content, DocumentOutcome(name, found.file, Status.FAILED, message=str(error))

    async def _save_outcome(
        self,
        found: _PendingDocument,
        sighting: SourceState,
        text: str | None,
        result: bytes | str,
        outcome: DocumentOutcome,
    ) -> None:
        """Result and journal entry to disk, also when the run is being cancelled: what is in hand is paid for."""

        def save_in_thread() -> int:
            return self._save_result(found, sighting, text, result, outcome)

        saving = asyncio.ensure_future(asyncio.to_thread(save_in_thread))
        try:
            place = await asyncio.shield(saving)
        except asyncio.CancelledError:
            self._count_outcome(found.index, await saving, outcome)
            raise
        self._count_outcome(found.index, place, outcome)

    def _save_result(
        self,
        found: _PendingDocument,
        sighting: SourceState,
        text: str | None,
        result: bytes | str,
        outcome: DocumentOutcome,
    ) -> int:
        """Writes the result, unless its digest says that it is there, and where the journal has it. In a thread."""
        target = self._job.out / found.file
        try:
            return self._write_result(target, found, sighting, text, result, outcome)
        except OSError as error:
            if error.errno not in DISK_FULL_ERRORS:
                raise self._set_save_error(target, error) from error
        # The disk is full, and there is the room that was kept back for this, for all answers of this moment.
        self._reserve.release()
        try:
            place = self._write_result(target, found, sighting, text, result, outcome)
        except OSError as error:
            raise self._set_save_error(target, error) from error
        self._error = self._error or MachineError(
            f"The disk of {self._job.out} is full; every document that was answered is saved. "
            "Free it, and the same command goes on where it was."
        )
        return place

    def _set_save_error(self, path: Path, error: OSError) -> MachineError:
        """An answer that cannot be saved is said, whatever ended the run before: it may have promised that all are."""
        self._error = failure = _unwritable_error(path, error)
        return failure

    def _write_result(
        self,
        target: Path,
        found: _PendingDocument,
        sighting: SourceState,
        text: str | None,
        result: bytes | str,
        outcome: DocumentOutcome,
    ) -> int:
        if not self._has_written:
            (self._job.out / RUN_FILE).unlink(missing_ok=True)  # it would tell of a run that is no more
            self._has_written = True
        digest = result if isinstance(result, str) else write_atomically(target, [result])
        source = printable_source_path(found.source)
        return self._ledger.append(
            JournalEntry(source, sighting.seen, __version__, text, self._job_fingerprint, digest, outcome)
        )

    def _count_outcome(self, index: int, place: int, outcome: DocumentOutcome) -> None:
        self._places[index] = place
        self._statuses[outcome.status] += 1
        self._job.on_document(outcome)
        if self._error is not None:
            self._stop.set()

    def _finish_run(self) -> RunOutcomes:
        """Journal in order, run.json, and what there is to say."""
        places = array("q", (p for p in self._places if p >= 0))
        tally = outcomes.tally_statuses(self._statuses, len(self._sources), self._kept)
        counts = {**{str(s): n for s, n in tally.counts.items()}, "pending": tally.pending}
        path = self._job.out / RUN_FILE
        try:
            if not tally.pending and (self._ledger.changed or any(a > b for a, b in itertools.pairwise(places))):
                places = self._ledger.rewrite_in_order(places)
            ended = RunOutcomes(
                places,
                self._ledger.open_outcome_reader(),
                tally,
                [*self._ledger.notes, *self._earlier_results.write_remarks(places, tally)],
            )
            if self._has_written or not tally.pending:
                task = self._extractor.task
                manifest = self._extractor.final_manifest
                if not self._has_written:
                    manifest = {**read_learnt(path), **manifest}
                write_run_file(path, task.name, manifest, task.schema.source, ended, counts)
        except OSError as error:
            self._error = self._error or _unwritable_error(path, error)
            return RunOutcomes(places, self._ledger.open_outcome_reader(), tally)
        return ended


async def _wait_for_workers(crew: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Waits for the crew; from the moment of `stop`, or of a bug in one of it, not longer than GRACE."""
    stopped = asyncio.create_task(stop.wait())
    try:
        left: set[asyncio.Task[object]] = {*crew}
        while left and not stop.is_set():
            done, _ = await asyncio.wait({*left, stopped}, return_when=asyncio.FIRST_COMPLETED)
            left -= done
            if any(t is not stopped and not t.cancelled() and t.exception() for t in done):
                stop.set()
        if left:
            await asyncio.wait(left, timeout=GRACE_SECONDS)
    finally:
        stopped.cancel()


def read_unchanging_document(source: Source, sighting: SourceState) -> tuple[Document, SourceState]:
    """The document, and what was seen at its source when it was read. Raises DocumentError."""
    for _ in range(3):
        document = read_source(source)
        if is_source_unchanged(source, sighting):
            return document, sighting
        sighting = observe_source(source)
    name = source.name
    raise DocumentError(f"{name} changed while it was read; run again when nothing writes to it.", reason="changing")


def _unwritable_error(path: Path, error: OSError) -> MachineError:
    return MachineError(f"{path} cannot be written ({error.strerror}); free the disk or choose another -o.")


def compute_exit_code(outcomes: RunOutcomes) -> int:
    """0 when every record is complete, 1 when some is not."""
    tally = outcomes.tally
    return 1 if tally.pending or set(tally.counts) - {Status.COMPLETE} else 0
