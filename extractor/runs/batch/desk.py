"""Batches on their way: submitted once, whatever crashes when, looked at, and their replies taken in."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import ModelBusy, ModelError, ModelFatal
from extractor.models.batch.interface import BatchInterface, BatchState, BatchStatus
from extractor.models.batch.questions import BatchQuestions
from extractor.models.limits.budget import Budget, TokenEstimate
from extractor.runs.batch.journal import Batch, BatchEvent, BatchJournal
from extractor.runs.batch.replies import read_custom_ids, read_replies

SETTLE_SECONDS = 120.0
"""Seconds that a vendor has to list a batch that was submitted when the connection or this process ended."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two looks; each pause is twice as long as the one before."""
MAX_BUSY_LOOKS = 60
"""Looks in a row that may fail while one waits."""
REPLY_BYTES, SPARE_BYTES = 1_000_000, 64_000_000
"""Bytes that the replies to a request may have on average, and more for all of them."""
LOST = "lost by the endpoint"
_WHOLE_WORDS = ("", "completed", "success", "ended")
"""Words for a batch that is finished and should have all replies."""


@dataclass(slots=True)
class BatchTotals:
    """What the batches took whose replies were taken in."""

    batches: int = 0
    answered: int = 0
    unanswered: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    notes: list[str] = field(default_factory=list)


class BatchDesk:
    """The batches of one folder at one endpoint. `share` is what they cost of the price that the budget has."""

    def __init__(
        self,
        journal: BatchJournal,
        interface: BatchInterface,
        questions: BatchQuestions,
        budget: Budget,
        *,
        address: str,
        share: float = 0.5,
        note: Callable[[str], None] = lambda text: None,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._journal, self._interface, self._questions = journal, interface, questions
        self._budget, self._share, self._note = budget, share, note
        self._settle_seconds = settle_seconds
        self.address = address
        self.totals = BatchTotals()
        for one in self.list_open():
            budget.add_batch(one.requests, one.most, share)

    def list_open(self) -> list[Batch]:
        return self._journal.list_open(self.address)

    async def advance_all(self, *, wait: bool, stop: asyncio.Event) -> list[Batch]:
        """Submits what is not, looks at all, and takes in what has ended; with `wait` until all have.

        Gives those that are left. Raises ModelFatal where a batch was refused or the key is, and ModelBusy where an
        endpoint that is waited for does not come back.
        """
        pause, busy = FIRST_PAUSE, 0
        while (left := self.list_open()) and not stop.is_set():
            before = len(left)
            failure = await self._advance_each(left)
            busy = busy + 1 if failure else 0
            if failure and busy >= MAX_BUSY_LOOKS:
                raise failure
            if failure and busy == 1:
                self._note(f"Batches cannot be looked at now: {failure}")
            left = self.list_open()
            if not left or not wait:
                break
            pause = FIRST_PAUSE if len(left) < before else min(2 * pause, LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
        return self.list_open()

    async def _advance_each(self, left: list[Batch]) -> ModelBusy | None:
        """Gives what kept an endpoint from answering, if it did not."""
        failure = None
        for one in left:
            try:
                await self._advance(one)
            except ModelBusy as error:
                failure = error
        return failure

    async def _advance(self, one: Batch) -> None:
        if one.state is not BatchEvent.SUBMITTED and not await self._submit(one):
            return
        status = await self._interface.look(one.batch_id)
        if status.state is BatchState.RUNNING or self._may_be_late(one, status):
            return
        await self._take_in(one, status)

    def _may_be_late(self, one: Batch, status: BatchStatus) -> bool:
        return status.state is BatchState.GONE and time.time() - one.since < self._settle_seconds

    async def _submit(self, one: Batch) -> bool:
        """Whether the batch is submitted now. Never twice: one that may have been submitted is looked for first."""
        record, batch = self._journal.record, self._journal.describe_submission(one)
        try:
            if one.state is BatchEvent.WRITTEN:
                record(one.name, BatchEvent.UPLOADED, file=await self._interface.upload(batch))
            elif one.state is BatchEvent.SUBMITTING:
                others = one.foreign | {other.batch_id for other in self._journal.batches.values() if other.batch_id}
                found = await self._interface.find(batch, one.uploaded, one.since, frozenset(others))
                if found is not None:
                    record(one.name, BatchEvent.SUBMITTED, id=found, found=True)
                    return True
                if time.time() - one.since < self._settle_seconds:
                    return False
            record(one.name, BatchEvent.SUBMITTING)
            record(one.name, BatchEvent.SUBMITTED, id=await self._interface.submit(batch, one.uploaded))
            self._note(f"Submitted a batch of {one.requests:,} requests: {one.batch_id}.")
        except ModelFatal as error:
            if error.reason in ("refused", "gone"):
                record(one.name, BatchEvent.REFUSED)
                self._budget.add_batch(-one.requests, _negate(one.most), self._share)
            raise
        return True

    async def _take_in(self, one: Batch, status: BatchStatus) -> None:
        """The replies of a batch that has ended, into the cache; then it is journaled as ended."""
        target = self._journal.name_reply_file(one.name)
        target.unlink(missing_ok=True)
        try:
            await self._interface.fetch(status, target, one.requests * REPLY_BYTES + SPARE_BYTES)
        except ModelBusy:
            raise
        except ModelError as error:
            if not target.exists():
                raise
            self._note(str(error))
        wanted = await asyncio.to_thread(read_custom_ids, self._journal.name_request_file(one.name))
        found = await asyncio.to_thread(read_replies, target, wanted, self._interface.read_line, self._questions.keep)
        if found.lines and not found.known:
            self._note(f"The batch {one.batch_id} is not of this run, though it looked so; its own is looked for.")
            self._journal.record(one.name, BatchEvent.FOREIGN)
            return
        missing = status.message or (LOST if status.word.lower() in _WHOLE_WORDS else status.word)
        reasons = {key: found.failed.get(key, missing) for key in wanted if key not in found.answered}
        self._journal.record(
            one.name,
            BatchEvent.ENDED,
            answered=len(found.answered),
            unanswered=reasons,
            input_tokens=found.input_tokens,
            output_tokens=found.output_tokens,
        )
        self._count(one, found.tells_all_usage)
        self.totals.notes += found.describe_dropped(one.name)
        if reasons:
            said = one.describe_failures()
            self.totals.notes.append(f"{len(reasons):,} of {one.requests:,} requests have no reply: {said}.")
        for path in (target, self._journal.name_request_file(one.name)):
            path.unlink(missing_ok=True)

    def _count(self, one: Batch, tells_all: bool) -> None:
        total = self.totals
        total.batches += 1
        total.answered += one.answered
        total.unanswered += len(one.unanswered)
        total.input_tokens += one.took.input_tokens
        total.output_tokens += one.took.output_tokens
        if tells_all:
            spare = TokenEstimate(
                one.took.input_tokens - one.most.input_tokens, one.took.output_tokens - one.most.output_tokens
            )
            self._budget.add_batch(0, spare, self._share)


def _negate(tokens: TokenEstimate) -> TokenEstimate:
    return TokenEstimate(-tokens.input_tokens, -tokens.output_tokens)


def describe_pending(left: list[Batch], folder: Path) -> str:
    """What is still under way, in a sentence."""
    many = sum(one.requests for one in left)
    ids = ", ".join(one.batch_id or "being submitted" for one in left[:3]) + (" …" if len(left) > 3 else "")
    return (
        f"Pending: {len(left):,} {'batch' if len(left) == 1 else 'batches'} with {many:,} requests ({ids}), "
        f"journaled in {folder}; the same command goes on when they have ended, or waits with --wait."
    )
