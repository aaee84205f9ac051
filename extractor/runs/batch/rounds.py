"""Rounds of batches before a run: what is under way is taken in, and what nobody was asked yet is submitted."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from extractor.documents.discovery import Source
from extractor.errors import ModelError, ModelFatal
from extractor.files import open_private_file
from extractor.models.batch.choice import open_batches
from extractor.models.batch.interface import BatchInterface, BatchLimits
from extractor.models.batch.questions import BatchQuestions
from extractor.models.limits.budget import TokenEstimate
from extractor.models.session import BatchParts
from extractor.runs.batch.desk import SETTLE_SECONDS, BatchDesk, BatchTotals
from extractor.runs.batch.journal import Batch, BatchEvent, BatchJournal
from extractor.runs.batch.open_questions import OpenQuestion, find_open_questions
from extractor.runs.job import Job
from extractor.runs.lock import hold_folder_lock
from extractor.types import Request

MAX_ROUNDS = 2
"""Batches that one question is in, at most; what has no reply then is asked live."""
MAX_TRIALS = 3
"""Questions that are asked live until one is answered, to see how the endpoint wants them."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How batches are gone about. `share` is what they cost of the price that bounds the run."""

    wait: bool = False
    again: bool = False
    """Whether what has no reply is asked in a second batch, and not live."""
    share: float = 0.5
    limits: BatchLimits | None = None
    """Smaller ones than the vendor's."""
    settle_seconds: float = SETTLE_SECONDS


@dataclass(slots=True)
class BatchOutcome:
    """What became of the batches; where some are pending, the run is not to begin."""

    pending: list[Batch] = field(default_factory=list)
    totals: BatchTotals = field(default_factory=BatchTotals)


async def run_batches(
    job: Job, sources: Sequence[Source], options: BatchOptions, stop: asyncio.Event | None = None
) -> BatchOutcome:
    """Takes in what has ended and submits what is to be asked, until nothing is left to submit or some is pending.

    Raises UsageError where the model has no batches or another run holds the folder, ModelFatal where the endpoint
    refuses them, MachineError where the journal cannot be written.
    """
    parts = job.lone_extractor.session.open_batch_parts()
    stop = stop or asyncio.Event()
    interface = open_batches(parts.endpoint, parts.use_proxy)
    try:
        with hold_folder_lock(job.out):
            journal = BatchJournal(job.out)
            try:
                return await _Rounds(job, sources, options, parts, interface, journal).run(stop)
            finally:
                journal.close()
    finally:
        await interface.aclose()


class _Rounds:
    def __init__(
        self,
        job: Job,
        sources: Sequence[Source],
        options: BatchOptions,
        parts: BatchParts,
        interface: BatchInterface,
        journal: BatchJournal,
    ) -> None:
        self._job, self._sources, self._options, self._parts = job, sources, options, parts
        self._interface, self._journal = interface, journal
        self._questions = BatchQuestions(parts)
        self._desk = BatchDesk(
            journal,
            interface,
            self._questions,
            parts.budget,
            address=parts.endpoint.base_url,
            share=options.share,
            note=parts.note,
            settle_seconds=options.settle_seconds,
        )

    async def run(self, stop: asyncio.Event) -> BatchOutcome:
        self._journal.remove_strays()
        while True:
            pending = await self._desk.advance_all(wait=self._options.wait, stop=stop)
            if pending or stop.is_set() or not await self._write_round(stop):
                return BatchOutcome(pending, self._desk.totals)

    async def _write_round(self, stop: asyncio.Event) -> bool:
        """Whether there are requests for a round of batches; they are in files then, and journaled."""
        seen = Counter(key for one in self._journal.batches.values() for key in one.unanswered)
        most = MAX_ROUNDS if self._options.again else 1
        writer = BatchWriter(self._journal, self._interface, self._options.limits)
        trials = left_out = 0
        try:
            async with aclosing(find_open_questions(self._job, self._sources, self._parts)) as found:
                async for one in found:
                    if stop.is_set():
                        break
                    key = self._questions.name(one.request)
                    if seen[key] >= most or (one.follows and not self._options.again) or writer.holds(key):
                        continue
                    if not self._questions.is_form_known and trials < MAX_TRIALS:
                        trials += 1
                        if await self._ask_live(one.request, is_last=trials == MAX_TRIALS):
                            continue
                    left_out += not self._add(writer, key, one)
        except BaseException:
            writer.abandon()
            raise
        if left_out:
            self._parts.note(
                f"{left_out:,} questions are not in this batch, since the bounds of the run allow no more."
            )
        written = writer.finish()
        for name, requests, tokens in written:
            self._journal.record(
                name,
                BatchEvent.WRITTEN,
                address=self._desk.address,
                model=self._parts.endpoint.model,
                requests=requests,
                input_tokens=tokens.input_tokens,
                output_tokens=tokens.output_tokens,
            )
        return bool(written) and not stop.is_set()

    async def _ask_live(self, request: Request, *, is_last: bool) -> bool:
        """Asks one question live, so that the batch is in the form that the endpoint takes; whether it was answered."""
        try:
            async with self._job.lone_extractor.session.open_model(Path()) as model:
                await model.complete(request)
        except ModelFatal:
            raise
        except ModelError:
            if is_last:
                raise
            return False
        return True

    def _add(self, writer: BatchWriter, key: str, one: OpenQuestion) -> bool:
        """Adds a question to the round, where the bounds of the run allow it."""
        body = self._questions.build_body(one.request)
        estimate = self._questions.estimate(body)
        budget, share = self._parts.budget, self._options.share
        if not budget.fits(estimate, share):
            return False
        writer.add(key, self._interface.build_line(key, body), estimate)
        budget.add_batch(1, estimate, share)
        return True


class BatchWriter:
    """Files of requests, each within the limits of a batch."""

    def __init__(self, journal: BatchJournal, interface: BatchInterface, limits: BatchLimits | None) -> None:
        self._journal = journal
        own = interface.limits
        self._limits = limits or own
        self._keys: set[bytes] = set()
        self._written: list[tuple[str, int, TokenEstimate]] = []
        self._file: BinaryIO | None = None
        self._name = ""
        self._requests = self._bytes = self._input = self._output = 0

    def holds(self, key: str) -> bool:
        return bytes.fromhex(key) in self._keys

    def add(self, key: str, line: bytes, estimate: TokenEstimate) -> None:
        full = self._requests >= self._limits.requests or self._bytes + len(line) > self._limits.bytes
        if self._file is not None and full:
            self._close()
        if self._file is None:
            self._name = f"extractor-{secrets.token_hex(8)}"
            self._file = open_private_file(self._journal.name_request_file(self._name))
        self._file.write(line)
        self._keys.add(bytes.fromhex(key))
        self._requests += 1
        self._bytes += len(line)
        self._input += estimate.input_tokens
        self._output += estimate.output_tokens

    def _close(self) -> None:
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self._written.append((self._name, self._requests, TokenEstimate(self._input, self._output)))
        self._requests = self._bytes = self._input = self._output = 0

    def finish(self) -> list[tuple[str, int, TokenEstimate]]:
        """Name, requests and the most tokens of each file, all of them on disk."""
        self._close()
        return self._written

    def abandon(self) -> None:
        """Removes what was written: nobody was told of it."""
        self._close()
        for name, _, _ in self._written:
            self._journal.name_request_file(name).unlink(missing_ok=True)
