"""What of a run's questions nobody has answered yet: planned as the run plans them, with what was said before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from extractor.documents.discovery import Source
from extractor.errors import DocumentError
from extractor.models.batch.questions import NotAskedYet, open_kept_model
from extractor.models.session import BatchParts
from extractor.runs.executor import read_unchanging_document
from extractor.runs.job import Job
from extractor.runs.journal import Journal
from extractor.runs.resume import EarlierResults
from extractor.runs.source_state import observe_source
from extractor.types import Document, Request


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """`follows`: it is asked since the reply to another was cut short."""

    request: Request
    follows: bool


async def find_open_questions(job: Job, sources: Sequence[Source], parts: BatchParts) -> AsyncGenerator[OpenQuestion]:
    """The questions of all documents without a result that holds, one document at a time; of one that cannot be read
    none: the run says so. A question whose reply has come and is to be asked for again is the run's to ask."""
    ledger = Journal(job.out, fresh=job.ignores_earlier_results)
    try:
        earlier = EarlierResults(
            ledger, job.out, job.fingerprint, sources, fresh=job.ignores_earlier_results, retry_failed=job.retry_failed
        )
        async with open_kept_model(parts) as kept:
            for source in sources:
                document = await asyncio.to_thread(_read_unless_done, source, earlier)
                if document is None:
                    continue
                said = await job.lone_extractor.ask_kept(document, kept)
                for path, (request, outcome) in said.items():
                    if isinstance(outcome, NotAskedYet) and not outcome.begun:
                        yield OpenQuestion(request, len(path) > 1)
    finally:
        ledger.close()


def _read_unless_done(source: Source, earlier: EarlierResults) -> Document | None:
    """The document, where it has no result that holds and can be read."""
    file = earlier.choose_result_file(source)
    sighting = observe_source(source)
    if earlier.find_kept(file, sighting) is not None:
        return None
    try:
        document, sighting = read_unchanging_document(source, sighting)
    except DocumentError:
        return None
    held = earlier.find_kept_by_text(file, document.sha256, sighting, document.loader)
    return document if held is None else None
