"""Many documents: in order, a bounded number at a time, each result on disk as soon as it is there.

A run goes on where an earlier one in the same folder ended, however it ended; `resume` says what is kept.
"""

from __future__ import annotations

import asyncio
import itertools
import time
import traceback
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor import files as durable
from extractor._version import __version__
from extractor.documents import discovery as documents
from extractor.documents.discovery import Source
from extractor.errors import DocumentError, ExtractorError, MachineError, ModelFatal
from extractor.extraction import pipeline
from extractor.results import file as results
from extractor.results import outcome as outcomes
from extractor.results.outcome import Outcome as Outcome
from extractor.results.outcome import Outcomes
from extractor.runs import lock as locks
from extractor.runs import output_folder, resume
from extractor.runs import source_state as sightings
from extractor.runs.deadline import Bounded
from extractor.runs.job import Job
from extractor.runs.journal import Entry, Ledger
from extractor.runs.resume import Earlier
from extractor.runs.source_state import Sighting
from extractor.types import Document, Json, Record, Status

GRACE = 2.0
"""Seconds that documents under way have to end when a run is stopped."""
SLICE = 0.1
"""Seconds after which a look through finished results lets the event loop have its say."""
BUGS = 3
"""Documents in a row that end in an error of ours, after which it is not the documents."""


@dataclass(frozen=True, slots=True)
class _Next:
    """A document to do: where it stands among the sources, and what was seen of it."""

    index: int
    source: Source
    file: str
    sighting: Sighting


async def run(job: Job, sources: Sequence[Source], stop: asyncio.Event | None = None) -> Outcomes:
    """Every document's outcome, in the order of the sources, whatever order they finish in.

    A document that fails costs itself. When `stop` is set, what is under way has GRACE seconds to end; what has not
    begun is pending. ModelFatal and MachineError end the run in the same way and are raised then. Raises UsageError
    when another run holds the folder.
    """
    with locks.hold(job.out):
        durable.clean(job.out)
        ledger = Ledger(job.out, fresh=job.fresh or job.replayed)
        try:
            reserve = output_folder.reserve(job.out)
            try:
                return await _Run(job, sources, ledger, reserve, stop or asyncio.Event()).all()
            finally:
                reserve.release()
        finally:
            ledger.close()


class _Run:
    def __init__(
        self, job: Job, sources: Sequence[Source], ledger: Ledger, reserve: durable.Reserve, stop: asyncio.Event
    ) -> None:
        self._job, self._sources, self._ledger, self._reserve, self._stop = job, sources, ledger, reserve, stop
        self._asked = job.fingerprint
        self._earlier = Earlier(
            ledger,
            job.out,
            self._asked,
            sources,
            fresh=job.fresh or job.replayed,
            retry_failed=job.retry_failed,
            taped=job.taped,
        )
        self._limit = asyncio.Semaphore(job.at_once)
        self._looking = asyncio.Lock()
        self._remaining = iter(enumerate(sources))
        self._places = array("q", [-1]) * len(sources)
        self._statuses = Counter[Status]()
        self._kept = 0
        self._error: ModelFatal | MachineError | None = None
        self._bugs = 0
        self._begun = False

    async def all(self) -> Outcomes:
        crew = [asyncio.create_task(self._work()) for _ in range(min(self._job.at_once, len(self._sources)))]
        try:
            await _wait(crew, self._stop)
        finally:
            for worker in crew:
                worker.cancel()
            ends = await asyncio.gather(*crew, return_exceptions=True)
            ended = self._close()
        for end in ends:
            if isinstance(end, Exception):
                raise end
        if self._error is not None:
            raise self._error
        return ended

    async def _work(self) -> None:
        while not self._stop.is_set() and (found := await self._next()) is not None:
            try:
                await self._one(found)
            except (ModelFatal, MachineError) as error:
                self._error = self._error or error
                self._stop.set()

    async def _next(self) -> _Next | None:
        """The next document whose result is not there yet; those before it count as kept."""
        async with self._looking:
            while not self._stop.is_set():
                kept, found = await asyncio.to_thread(self._look)
                self._kept += len(kept)
                for index, place, outcome in kept:
                    self._ended(index, place, outcome)
                if found is not None:
                    return found
                if not kept:
                    return None
        return None

    def _look(self) -> tuple[list[tuple[int, int, Outcome]], _Next | None]:
        kept: list[tuple[int, int, Outcome]] = []
        until = time.monotonic() + SLICE
        for index, source in self._remaining:
            file = self._earlier.file(source)
            sighting = sightings.look(source)
            place = self._earlier.kept(file, sighting)
            if place is None:
                return kept, _Next(index, source, file, sighting)
            kept.append((index, place, self._ledger.entry(place).outcome))
            if time.monotonic() > until:
                break
        return kept, None

    async def _one(self, found: _Next) -> None:
        sighting = found.sighting
        try:
            document, sighting = await asyncio.to_thread(read_settled, found.source, sighting)
            text = document.sha256
            held = self._earlier.kept_text(found.file, text, sighting, document.loader)
            if held is not None:
                self._kept += 1
                await self._note(found, sighting, text, held.result, held.outcome)
                return
            record = await self._extract(document)
            self._bugs = 0
            result = results.of_record(record, self._job.task.name, self._job.manifest)
            outcome = _outcome(record, found.file)
        except DocumentError as error:
            text, result, outcome = None, *self._failure(found, error)
        except ExtractorError:
            raise
        except Exception as error:
            # One hostile document must not end the run for ten thousand others; three in a row are not the documents.
            self._bugs += 1
            if self._bugs >= BUGS:
                raise
            text, result, outcome = None, *self._failure(found, _bug(found, error))
            sighting = Sighting(None)
        await self._note(found, sighting, text, result, outcome)

    async def _extract(self, document: Document) -> Record:
        job = self._job
        async with job.open_model(document) as model:
            bounded = Bounded(model, self._limit, job.document_timeout)
            return await pipeline.extract(
                document,
                job.task,
                job.prompt,
                bounded,
                job.model_name,
                limit=asyncio.Semaphore(1) if job.in_turn else bounded.unlimited,
                keep_unsupported=job.keep_unsupported,
                progress=job.on_reply,
            )

    def _failure(self, found: _Next, error: DocumentError) -> tuple[dict[str, Json], Outcome]:
        name = found.source.name
        result = results.of_failure(name, error, self._job.task.name, self._job.manifest)
        return result, Outcome(name, found.file, Status.FAILED, message=str(error))

    async def _note(
        self, found: _Next, sighting: Sighting, text: str | None, result: Mapping[str, Json] | str, outcome: Outcome
    ) -> None:
        """Result and journal entry to disk, also when the run is being cancelled: what is in hand is paid for."""

        def save() -> int:
            return self._save(found, sighting, text, result, outcome)

        saving = asyncio.ensure_future(asyncio.to_thread(save))
        try:
            place = await asyncio.shield(saving)
        except asyncio.CancelledError:
            self._ended(found.index, await saving, outcome)
            raise
        self._ended(found.index, place, outcome)

    def _save(
        self, found: _Next, sighting: Sighting, text: str | None, result: Mapping[str, Json] | str, outcome: Outcome
    ) -> int:
        """Writes the result, unless its digest says that it is there, and where the journal has it. In a thread."""
        target = self._job.out / found.file
        try:
            return self._written(target, found, sighting, text, result, outcome)
        except OSError as error:
            if error.errno not in durable.FULL:
                raise self._lost(target, error) from error
        # The disk is full, and there is the room that was kept back for this, for all answers of this moment.
        self._reserve.release()
        try:
            place = self._written(target, found, sighting, text, result, outcome)
        except OSError as error:
            raise self._lost(target, error) from error
        self._error = self._error or MachineError(
            f"The disk of {self._job.out} is full; every document that was answered is saved. "
            "Free it, and the same command goes on where it was."
        )
        return place

    def _lost(self, path: Path, error: OSError) -> MachineError:
        """An answer that cannot be saved is said, whatever ended the run before: it may have promised that all are."""
        self._error = failure = _unwritable(path, error)
        return failure

    def _written(
        self,
        target: Path,
        found: _Next,
        sighting: Sighting,
        text: str | None,
        result: Mapping[str, Json] | str,
        outcome: Outcome,
    ) -> int:
        if not self._begun:
            (self._job.out / results.RUN).unlink(missing_ok=True)  # it would tell of a run that is no more
            self._begun = True
        digest = result if isinstance(result, str) else results.write(target, result)
        source = resume.told(found.source)
        return self._ledger.add(Entry(source, sighting.seen, __version__, text, self._asked, digest, outcome))

    def _ended(self, index: int, place: int, outcome: Outcome) -> None:
        self._places[index] = place
        self._statuses[outcome.status] += 1
        self._job.on_document(outcome)
        if self._error is not None:
            self._stop.set()

    def _close(self) -> Outcomes:
        """Journal in order, run.json, and what there is to say."""
        places = array("q", (p for p in self._places if p >= 0))
        tally = outcomes.tally(self._statuses, len(self._sources), self._kept)
        counts = {**{str(s): n for s, n in tally.counts.items()}, "pending": tally.pending}
        path = self._job.out / results.RUN
        try:
            if not tally.pending and (self._ledger.changed or any(a > b for a, b in itertools.pairwise(places))):
                places = self._ledger.order(places)
            ended = Outcomes(
                places, self._ledger.reader(), tally, [*self._ledger.notes, *self._earlier.remarks(places, tally)]
            )
            if self._begun or not tally.pending:
                source = self._job.task.schema.source
                results.write_run(path, self._job.task.name, self._job.manifest, source, ended, counts)
        except OSError as error:
            self._error = self._error or _unwritable(path, error)
            return Outcomes(places, self._ledger.reader(), tally)
        return ended


async def _wait(crew: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
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
            await asyncio.wait(left, timeout=GRACE)
    finally:
        stopped.cancel()


def read_settled(source: Source, sighting: Sighting) -> tuple[Document, Sighting]:
    """The document, and what was seen at its source when it was read. Raises DocumentError."""
    for _ in range(3):
        document = documents.read(source)
        if sightings.unchanged(source, sighting):
            return document, sighting
        sighting = sightings.look(source)
    name = source.name
    raise DocumentError(f"{name} changed while it was read; run again when nothing writes to it.", reason="changing")


def _outcome(record: Record, file: str) -> Outcome:
    return Outcome(
        record.document.name,
        file,
        record.status,
        values=len(record.evidence),
        unsupported=sum(not e.spans for e in record.evidence.values())
        + sum(r.reason != "duplicate" for r in record.rejected),
        conflicts=len(record.conflicts),
        failures=len(record.failures),
        usage=record.usage,
        message=record.failures[0].message if record.failures else "",
    )


def _bug(found: _Next, error: Exception) -> DocumentError:
    """What is said of an error that nobody foresaw: its kind and place. Its words may be the document's."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    name = found.source.name
    return DocumentError(f"{name} made extractor fail ({where}); please report it.", reason="internal error")


def _unwritable(path: Path, error: OSError) -> MachineError:
    return MachineError(f"{path} cannot be written ({error.strerror}); free the disk or choose another -o.")


def exit_code(outcomes: Outcomes) -> int:
    """0 when every record is complete, 1 when some is not."""
    tally = outcomes.tally
    return 1 if tally.pending or set(tally.counts) - {Status.COMPLETE} else 0
