"""The flag that has a run copy its results to an object store as they are finished."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from extractor.errors import UsageError

if TYPE_CHECKING:
    from extractor.results.outcome import DocumentOutcome
    from extractor.runs.job import Job
    from extractor.runs.publishing import ResultPublisher


def add_publish_flag(run: argparse.ArgumentParser) -> None:
    where = "copy results to s3://, gs:// or az:// as they are finished; OUT stays the run's own (docs/scale.md)"
    run.add_argument("--publish", metavar="URL", help=where)


def refuse_publishing(flags: argparse.Namespace) -> None:
    """Raises UsageError where results are to be copied of a run that has a folder for each task."""
    if flags.publish is not None:
        raise UsageError("--publish copies the results of one task; leave it out beside --split and --route.")


def open_publisher(flags: argparse.Namespace) -> contextlib.AbstractContextManager[ResultPublisher | None]:
    """What copies results, for as long as the block lasts. Raises UsageError and MachineError."""
    if flags.publish is None:
        return contextlib.nullcontext()
    from extractor.object_stores import parse_object_url
    from extractor.runs.publishing import ResultPublisher

    url = parse_object_url(flags.publish)
    if url is None:
        raise UsageError(f"{flags.publish} is no object store; write s3://BUCKET/PREFIX, gs:// or az://.")
    return ResultPublisher(flags.out, url)


def publish_documents(job: Job, publisher: ResultPublisher | None) -> Job:
    """The job, each of whose results is copied once it is saved."""
    if publisher is None:
        return job

    def follow(outcome: DocumentOutcome) -> None:
        job.on_document(outcome)
        publisher.copy(outcome.file)

    return replace(job, on_document=follow)
