"""Many documents: in order, a bounded number at a time, each result on disk as soon as it is there.

A run goes on where an earlier one in the same folder ended, however it ended; `resume` says what is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from extractor import telemetry
from extractor.documents.discovery import Source
from extractor.errors import DocumentError, ExtractorError, MachineError, ModelFatal
from extractor.files import remove_drafts
from extractor.results import outcome as outcomes
from extractor.results.file import encode_part, write_run_file
from extractor.results.model import RUN_FILE
from extractor.results.outcome import DocumentOutcome as DocumentOutcome
from extractor.results.outcome import RunOutcomes
from extractor.runs.bugs import describe_bug
from extractor.runs.executor import Assignment, Executor, LocalExecutor, WorkedDocument
from extractor.runs.job import Job
from extractor.runs.journal import Journal
from extractor.runs.keeping import EndedDocument, ResultKeeper, describe_unwritable
from extractor.runs.large_blocks import give_back_large_blocks
from extractor.runs.lock import hold_folder_lock
from extractor.runs.output_folder import read_learnt, reserve_disk_space
from extractor.runs.progress_file import RunningJob, announce_run
from extractor.runs.resume import EarlierResults, printable_source_path
from extractor.runs.shards import ShardHead, remove_shard_file, write_shard_file
from extractor.runs.source_state import SourceState, observe_source
from extractor.runs.telling import describe_run, tell_outcome
from extractor.types import Json, Status

GRACE_SECONDS = 1.0
"""Seconds that documents under way have to end when a run is stopped."""
SCAN_SLICE_SECONDS = 0.1
"""Seconds after which a look through finished results lets the event loop have its say."""
LOOK_AHEAD, LOOK_AHEAD_SECONDS = 8, 0.005
"""Documents that are looked for at a time, and seconds after which no more are: each look is a thread's turn."""


@dataclass(frozen=True, slots=True)
class _PendingDocument:
    """A document to do: where it stands among the sources, and what was seen of it."""

    index: int
    source: Source
    file: str
    sighting: SourceState | None


async def run_job(
    job: Job, sources: Sequence[Source], stop: asyncio.Event | None = None, executor: Executor | None = None
) -> RunOutcomes:
    """Every document's outcome, in the order of the sources, whatever order they finish in.

    `executor` does them; without one, this process. A document that fails costs itself. When `stop` is set, what is
    under way has GRACE seconds to end; what has not begun is pending. ModelFatal and MachineError end the run in the
    same way and are raised then. Raises UsageError when another run holds the folder.
    """
    give_back_large_blocks()
    with hold_folder_lock(job.out), telemetry.trace("run", describe_run(job, sources)):
        remove_drafts(job.out)
        _describe_part(job, sources)
        ledger = Journal(job.out, fresh=job.ignores_earlier_results, expected=_count_documents(job, sources))
        try:
            reserve = reserve_disk_space(job.out)
            try:
                keeper = ResultKeeper(job.out, job.fingerprint, ledger, reserve)
                hands = max(1, min(job.extractor.concurrency, len(sources)))
                with announce_run(job.out, _describe_job(job, sources, ledger)):
                    async with executor or LocalExecutor(job.extractor, hands) as doer:
                        return await _JobRunner(job, sources, keeper, doer, stop or asyncio.Event()).run_all()
            finally:
                reserve.release()
        finally:
            ledger.close()


def _count_documents(job: Job, sources: Sequence[Source]) -> int:
    return len(sources) if job.part is None else len(job.part.indexes)


def _describe_job(job: Job, sources: Sequence[Source], ledger: Journal) -> RunningJob:
    documents = _count_documents(job, sources)
    model, is_fresh = job.extractor.model_name, job.ignores_earlier_results
    return RunningJob(documents, job.fingerprint, model, job.price, job.currency, ledger.size, is_fresh)


def _describe_part(job: Job, sources: Sequence[Source]) -> None:
    """Says in the folder which part of a run it has, if it is one."""
    part, one = job.part, job.extractor
    if part is None:
        remove_shard_file(job.out)
        return
    shard, source = part.shard, dict(one.task.schema.source)
    head = ShardHead(
        *(shard.number, shard.count, len(sources), part.digest),
        *(job.fingerprint, one.task.name, dict(one.manifest), source),
    )
    try:
        write_shard_file(job.out, head, part.indexes, sources)
    except OSError as error:
        raise describe_unwritable(job.out, error) from error


class _JobRunner:
    def __init__(
        self, job: Job, sources: Sequence[Source], keeper: ResultKeeper, executor: Executor, stop: asyncio.Event
    ) -> None:
        self._job, self._sources, self._keeper, self._executor, self._stop = job, sources, keeper, executor, stop
        self._ledger, self._extractor = keeper.journal, job.extractor
        self._earlier_results = EarlierResults(
            self._ledger,
            job.out,
            keeper.job,
            sources,
            fresh=job.ignores_earlier_results,
            retry_failed=job.retry_failed,
            taped=job.is_recorded,
        )
        self._documents = _count_documents(job, sources)
        self._under_way = set[asyncio.Task[None]]()
        self._remaining = self._list_own()
        self._found = deque[_PendingDocument]()
        self._numbers = array("i", [-1]) * len(sources)
        """Of each document that ended, the number of its entry in the journal."""
        self._statuses = Counter[Status]()
        self._kept = 0
        self._error: ModelFatal | MachineError | None = None
        self._bug: Exception | None = None

    def _list_own(self) -> Iterator[tuple[int, Source, str]]:
        """The documents of this run, and the names of their result files, which are given among those of all parts."""
        own = None if self._job.part is None else iter(self._job.part.indexes)
        following = None if own is None else next(own, -1)
        for index, source in enumerate(self._sources):
            file = self._earlier_results.choose_result_file(source)
            if own is None:
                yield index, source, file
            elif index == following:
                following = next(own, -1)
                yield index, source, file

    async def run_all(self) -> RunOutcomes:
        handing_out = asyncio.create_task(self._hand_out())
        try:
            await _wait_until_done(handing_out, self._stop)
        finally:
            tasks = [handing_out, *self._under_way]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            ended = self._finish_run()
        if self._bug is not None:
            raise self._bug
        if (error := self._keeper.error or self._error) is not None:
            raise error
        return ended

    async def _hand_out(self) -> None:
        """Gives a document to each hand that is free, until there is none to give, and waits for those under way."""
        with self._noting_errors():
            while not self._stop.is_set():
                await self._executor.take_hand()
                found = None
                try:
                    found = await self._take_next()
                finally:
                    if found is None:
                        self._executor.return_hand()
                if found is None:
                    break
                task = asyncio.create_task(self._run_in_hand(found))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _run_in_hand(self, found: _PendingDocument) -> None:
        try:
            with self._noting_errors(), telemetry.trace("document", {"recordproof.number": found.index}) as told:
                await self._run_document(found, told)
        finally:
            self._executor.return_hand()

    @contextlib.contextmanager
    def _noting_errors(self) -> Iterator[None]:
        """A block whose errors end the run, and are raised at its end: the first is told."""
        try:
            yield
        except (ModelFatal, MachineError) as error:
            self._error = self._error or error
            self._stop.set()
        except Exception as error:  # noqa: BLE001 -- what is under way is saved before anything is raised
            self._bug = self._bug or error
            self._stop.set()

    async def _take_next(self) -> _PendingDocument | None:
        """The next document whose result is not there yet; those before it count as kept."""
        while not self._stop.is_set():
            if self._found:
                return self._found.popleft()
            kept = await asyncio.to_thread(self._scan_sources)
            self._kept += len(kept)
            for index, number, outcome in kept:
                self._count_outcome(index, number, outcome)
            if not kept and not self._found:
                return None
        return None

    def _scan_sources(self) -> list[tuple[int, int, DocumentOutcome]]:
        """The documents whose results hold, up to some that are to be done."""
        kept: list[tuple[int, int, DocumentOutcome]] = []
        until = time.monotonic() + SCAN_SLICE_SECONDS
        for index, source, file in self._remaining:
            number, sighting = None, None
            if self._executor.reads_here or self._earlier_results.has_entry(file):
                sighting = observe_source(source)
                number = self._earlier_results.find_kept(file, sighting)
            if number is not None:
                kept.append((index, number, self._ledger.read_entry(number).outcome))
            else:
                self._found.append(_PendingDocument(index, source, file, sighting))
                until = min(until, time.monotonic() + LOOK_AHEAD_SECONDS)
            if len(self._found) >= LOOK_AHEAD or time.monotonic() > until:
                break
        return kept

    async def _run_document(self, found: _PendingDocument, told: telemetry.Trace) -> None:
        members: Mapping[str, Json] | None = None
        try:
            worked = await self._work_on(found)
            if worked is None:
                return
            if worked.summary is not None and worked.content is not None:
                members = worked.summary.members
                text, content = worked.text, worked.content
                outcome = worked.summary.to_outcome(found.source.name, found.file)
            else:
                error = worked.error or DocumentError(f"{found.source.name} brought no result.", reason="broken")
                text, content, outcome = None, *self._build_failure(found, error)
            sighting = worked.sighting
        except ExtractorError:
            raise
        except Exception as error:  # noqa: BLE001 -- one document must not end the run for ten thousand others
            self._job.on_bug(found.source.name, error)
            text, content, outcome = None, *self._build_failure(found, describe_bug(found.source.name, error))
            sighting = SourceState(None)
        await self._save_outcome(found, sighting, text, content, outcome)
        tell_outcome(told, outcome, self._job)
        self._job.on_record(outcome, members)

    async def _work_on(self, found: _PendingDocument) -> WorkedDocument | None:
        """What became of the document; None where the result of the same text was there, and stays."""
        known = self._earlier_results.find_known_text(found.file)
        sighting = found.sighting if self._executor.reads_here else None
        worked = await self._executor.work(Assignment(found.source, sighting, known))
        if worked.text is None:
            return worked
        held = self._earlier_results.find_kept_by_text(found.file, worked.text, worked.sighting, worked.loader)
        if worked.content is not None or worked.error is not None:
            return worked
        if held is None:  # its file went away meanwhile
            return await self._executor.work(Assignment(found.source, sighting))
        self._kept += 1
        await self._save_outcome(found, worked.sighting, worked.text, held.result, held.outcome)
        return None

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
        ended = EndedDocument(printable_source_path(found.source), sighting, text, result, outcome)
        saving = asyncio.ensure_future(asyncio.to_thread(self._keeper.keep, ended))
        try:
            number = await asyncio.shield(saving)
        except asyncio.CancelledError:
            self._count_outcome(found.index, await saving, outcome)
            raise
        self._count_outcome(found.index, number, outcome)

    def _count_outcome(self, index: int, number: int, outcome: DocumentOutcome) -> None:
        self._numbers[index] = number
        self._statuses[outcome.status] += 1
        self._job.on_document(outcome)
        if self._keeper.error is not None:
            self._stop.set()

    def _finish_run(self) -> RunOutcomes:
        """Journal in order, run.json, and what there is to say."""
        numbers = array("i", (n for n in self._numbers if n >= 0)) if -1 in self._numbers else self._numbers
        tally = outcomes.tally_statuses(self._statuses, self._documents, self._kept)
        counts = {**{str(s): n for s, n in tally.counts.items()}, "pending": tally.pending}
        path, has_written = self._job.out / RUN_FILE, self._keeper.has_written
        try:
            if not tally.pending and (self._ledger.changed or not self._ledger.is_in_order(numbers)):
                self._ledger.rewrite_in_order(numbers)
            ended = RunOutcomes(
                numbers,
                self._ledger.open_outcome_reader(),
                tally,
                [*self._ledger.notes, *self._earlier_results.write_remarks(numbers, tally)],
            )
            if has_written or not tally.pending:
                task = self._extractor.task
                manifest = self._extractor.final_manifest
                if not has_written:
                    manifest = {**manifest, **read_learnt(path)}
                write_run_file(path, task.name, manifest, task.schema.source, ended, counts)
        except OSError as error:
            self._error = self._error or describe_unwritable(path, error)
            return RunOutcomes(numbers, self._ledger.open_outcome_reader(), tally)
        return ended


async def _wait_until_done(work: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Waits for the work; from the moment of `stop` not longer than GRACE."""
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({work}, timeout=GRACE_SECONDS)
    finally:
        stopped.cancel()


def compute_exit_code(outcomes: RunOutcomes) -> int:
    """0 when every record is complete, 1 when some is not."""
    tally = outcomes.tally
    return 1 if tally.pending or set(tally.counts) - {Status.COMPLETE} else 0
