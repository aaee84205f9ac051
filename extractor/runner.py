"""Many documents: in order, a bounded number at a time, each result on disk as soon as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from extractor import documents, pipeline, results
from extractor.documents import Source
from extractor.domain import Document, Json, Status, Usage
from extractor.errors import DocumentError
from extractor.pipeline import Model
from extractor.prompts import Prompt
from extractor.tasks import Task


@dataclass(frozen=True, slots=True)
class Outcome:
    """One document of a run, as the summary shows it."""

    name: str
    file: str
    status: Status
    values: int = 0
    unsupported: int = 0
    conflicts: int = 0
    failures: int = 0
    usage: Usage = field(default_factory=Usage)
    message: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every document of a run."""

    task: Task
    prompt: Prompt
    model_name: str
    manifest: Mapping[str, Json]
    out: Path
    open_model: Callable[[Document], AbstractAsyncContextManager[Model]]
    """The model for one document; a tape is one document's, a live endpoint everybody's."""
    at_once: int = 1
    """Requests under way at a time, over all documents."""
    keep_unsupported: bool = False
    on_reply: Callable[[Usage], None] = lambda usage: None
    on_document: Callable[[Outcome], None] = lambda outcome: None


async def run(job: Job, sources: Sequence[Source]) -> list[Outcome]:
    """Every document's outcome, in the order of the sources, whatever order they finish in.

    A document that fails costs itself; ModelFatal and MachineError end the run, and what is written stays.
    """
    names = results.Names()
    files = [names.file(source.path) for source in sources]
    limit = asyncio.Semaphore(job.at_once)
    outcomes: dict[int, Outcome] = {}
    pending = iter(range(len(sources)))

    async def work() -> None:
        for i in pending:
            outcomes[i] = await _one(job, sources[i], files[i], limit)
            job.on_document(outcomes[i])

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(job.at_once, len(sources))):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        done = [outcomes[i] for i in sorted(outcomes)]
        results.write(job.out / results.RUN, _summary(job, done))
    return done


async def _one(job: Job, source: Source, file: str, limit: asyncio.Semaphore) -> Outcome:
    target = job.out / file
    try:
        document = await asyncio.to_thread(documents.read, source)
    except DocumentError as error:
        name = source.name
        results.write(target, results.of_failure(name, error, job.task.name, job.manifest))
        return Outcome(name, file, Status.FAILED, message=str(error))
    async with job.open_model(document) as model:
        record = await pipeline.extract(
            document,
            job.task,
            job.prompt,
            model,
            job.model_name,
            limit=limit,
            keep_unsupported=job.keep_unsupported,
            progress=job.on_reply,
        )
    results.write(target, results.of_record(record, job.task.name, job.manifest))
    return Outcome(
        document.name,
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


def _summary(job: Job, outcomes: Sequence[Outcome]) -> dict[str, Json]:
    return {
        "format": results.RUN_FORMAT,
        "task": job.task.name,
        "manifest": dict(job.manifest),
        "schema": dict(job.task.schema.source),
        "documents": [{"name": o.name, "file": o.file, "status": str(o.status)} for o in outcomes],
        "usage": results.usage(sum((o.usage for o in outcomes), Usage())),
    }


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 when every record is complete, 1 when some is not."""
    return 0 if all(o.status is Status.COMPLETE for o in outcomes) else 1
