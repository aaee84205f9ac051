"""The process that works on large documents (see `apart`): it asks no model, opens no file and has no key."""

from __future__ import annotations

import gc
import json
import os
import signal
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from extractor.errors import TaskError
from extractor.extraction.pipeline import DocumentWork, QuestionPath, Said
from extractor.results.file import build_result, encode_part
from extractor.runs.finished import summarize_record
from extractor.runs.given import GIVEN_MANIFEST, ground_any_record
from extractor.runs.worker_messages import (
    DocumentJob,
    GroundingJob,
    decode_job,
    decode_problems,
    decode_said,
    describe_requests,
    describe_summary,
    read_frame,
    write_frame,
)
from extractor.types import Json, Problem

COLLECTS_AFTER = 100_000, 20, 50
"""Objects after which cycles are looked for: a document of a million makes next to none."""
SHORT_STEP, STEPPED_BACK = 1.0, 10
"""Seconds of work from which on a step steps back behind all others, and by how much the system favours it less."""
MOST_MEMORY = 300_000_000
"""Bytes that a worker may have at most to be kept for another document."""


def main() -> None:
    """Answers one job after the other until its input ends."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed is no answer
    gc.set_threshold(*COLLECTS_AFTER)
    answer_jobs(questions, answers, _StepBack())


class _StepBack:
    """Sees to it that a document that takes long takes no processor from those that do not.

    What has stepped back stays there, as the system has it, so that its process does one document and no other.
    """

    def __init__(self) -> None:
        self.is_done = False
        self._can = hasattr(signal, "setitimer") and hasattr(os, "nice")
        if self._can:
            signal.signal(signal.SIGVTALRM, self._step_back)

    def watch(self) -> None:
        """Counts the work from now on."""
        if self._can and not self.is_done:
            signal.setitimer(signal.ITIMER_VIRTUAL, SHORT_STEP)

    def _step_back(self, *_: object) -> None:
        self.is_done = True
        os.nice(STEPPED_BACK)


def answer_jobs(questions: IO[bytes], answers: IO[bytes], back: _StepBack | None = None) -> None:
    """Answers one job after the other, until there is none or this process is not to be kept: it has grown too large,
    or has stepped back."""
    while (document := read_frame(questions)) is not None:
        rest, said = _read(questions), _read(questions)
        if back is not None:
            back.watch()
        try:
            job = decode_job(document, rest)
            if isinstance(job, GroundingJob):
                _ground(job, answers, back)
            else:
                _do_job(job, decode_said(said), questions, answers, back)
        except TaskError as error:
            _send(answers, {"refused": str(error)})
        except Exception as error:  # noqa: BLE001 -- it is the document's failure, and told to the parent
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
            _send(answers, {"failed": where, "trace": traceback.format_exc()})
        if _is_worn(back):
            return


def _do_job(
    job: DocumentJob,
    said: Mapping[QuestionPath, Said],
    questions: IO[bytes],
    answers: IO[bytes],
    back: _StepBack | None,
) -> None:
    """Sends what is still to be asked, or else the result."""
    work = DocumentWork(job.document, job.task, job.prompt, job.model_name, job.reading)
    wanted = work.find_requests(said)
    if wanted:
        _send(answers, {"requests": describe_requests(wanted), "leaves": _is_worn(back)})
        return

    def have_checked(value: Mapping[str, Json]) -> tuple[Problem, ...]:
        _send(answers, {"check": value})
        return decode_problems(_read(questions))

    record = work.build_record(said, have_checked if job.checked_elsewhere else None)
    content = encode_part(build_result(record, job.task.name, job.manifest))
    _send(answers, {"finished": describe_summary(summarize_record(record)), "leaves": _is_worn(back)})
    write_frame(answers, content)


def _ground(job: GroundingJob, answers: IO[bytes], back: _StepBack | None) -> None:
    """Sends the result of a record that was given."""
    record, task = ground_any_record(job.document, job.record, job.schema, job.acceptance)
    content = encode_part(build_result(record, task.name, GIVEN_MANIFEST))
    _send(answers, {"finished": describe_summary(summarize_record(record)), "leaves": _is_worn(back)})
    write_frame(answers, content)


def _is_worn(back: _StepBack | None) -> bool:
    """Whether the process is to do no other document."""
    return _has_grown() or (back is not None and back.is_done)


def _has_grown() -> bool:
    """Whether the process holds more than it should; its peak would count what its parent held when it was started."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):  # no such figure, as on macOS and Windows
        return False
    return pages * os.sysconf("SC_PAGE_SIZE") > MOST_MEMORY


def _send(pipe: IO[bytes], answer: Mapping[str, Any]) -> None:
    write_frame(pipe, json.dumps(answer).encode())


def _read(pipe: IO[bytes]) -> bytes:
    data = read_frame(pipe)
    if data is None:
        raise EOFError
    return data
