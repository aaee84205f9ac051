"""Requests written to a file of one's own, and replies read from one: for engines that take files, such as vLLM's
run-batch, and for whoever takes them to a vendor himself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from extractor.documents.discovery import Source
from extractor.errors import MachineError, UsageError
from extractor.files import open_private_file
from extractor.models.batch.openai_files import build_openai_line, read_openai_line
from extractor.models.batch.questions import BatchQuestions
from extractor.runs.batch.open_questions import find_open_questions
from extractor.runs.batch.replies import read_replies
from extractor.runs.job import Job
from extractor.runs.lock import hold_folder_lock


@dataclass(slots=True)
class FileOutcome:
    """What came of files of requests and replies."""

    written: int = 0
    """Requests in the file; the run is not to begin where there are any."""
    answered: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    notes: list[str] = field(default_factory=list)


async def exchange_files(
    job: Job, sources: Sequence[Source], requests: Path | None, replies: Path | None
) -> FileOutcome:
    """Takes in a file of replies, then writes a file of the requests that nobody has answered; either may be None.

    Raises UsageError for files that cannot be read or are there already, MachineError where nothing can be written.
    """
    if requests is not None and requests.exists():
        raise UsageError(f"{requests} is there already; remove it, or name another file with --batch-file.")
    questions = BatchQuestions(job.lone_extractor.session.open_batch_parts())
    outcome = FileOutcome()
    with hold_folder_lock(job.out):
        if replies is not None:
            await _take_in(job, sources, replies, questions, outcome)
        if requests is not None:
            await _write_requests(job, sources, requests, questions, outcome)
    return outcome


async def _take_in(
    job: Job, sources: Sequence[Source], path: Path, questions: BatchQuestions, outcome: FileOutcome
) -> None:
    if not path.exists():
        raise UsageError(f"The replies {path} are not there; name the file with --batch-replies.")
    wanted: dict[str, None] = {}
    async with aclosing(find_open_questions(job, sources, job.lone_extractor.session.open_batch_parts())) as found:
        async for one in found:
            wanted[questions.name(one.request)] = None
    taken = await asyncio.to_thread(read_replies, path, wanted, read_openai_line, questions.keep)
    outcome.answered = len(taken.answered)
    outcome.input_tokens, outcome.output_tokens = taken.input_tokens, taken.output_tokens
    outcome.notes += taken.describe_dropped(path.name)
    if missing := len(wanted) - len(taken.answered):
        outcome.notes.append(f"{missing:,} of {len(wanted):,} questions have no reply in {path.name}.")


async def _write_requests(
    job: Job, sources: Sequence[Source], path: Path, questions: BatchQuestions, outcome: FileOutcome
) -> None:
    """Writes all or nothing; no file where there is nothing to ask."""
    seen: set[str] = set()
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open_private_file(draft) as file:
            async with aclosing(
                find_open_questions(job, sources, job.lone_extractor.session.open_batch_parts())
            ) as found:
                async for one in found:
                    if (key := questions.name(one.request)) not in seen:
                        seen.add(key)
                        file.write(build_openai_line(key, questions.build_body(one.request)))
            file.flush()
            os.fsync(file.fileno())
        if seen:
            draft.replace(path)
    except OSError as error:
        raise MachineError(f"{path} cannot be written ({error.strerror}); choose another file.") from error
    finally:
        draft.unlink(missing_ok=True)
    outcome.written = len(seen)
