"""The process that works on large documents (see `apart`): it asks no model, opens no file and has no key.

What it reads was pickled by the process that started it, which has the documents; what it answers is JSON, and the
bytes of a result file.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from extractor.extraction.pipeline import DocumentWork, QuestionPath, Reading, Said
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.results.file import build_result, encode_part
from extractor.runs.finished import summarize_record
from extractor.types import Document, Json, Problem

NICENESS = 5
"""How much less a worker is favoured by the system than the process that has all other documents in hand."""
MOST_MEMORY = 300_000_000
"""Bytes that a worker may have had at most to be kept for another document."""
_SIZE = 8


@dataclass(frozen=True, slots=True)
class DocumentJob:
    """A document, and all that is needed to know what to ask of it and to make its result."""

    document: Document
    task: Task
    prompt: Prompt
    model_name: str
    reading: Reading
    manifest: Mapping[str, Json]
    checked_elsewhere: bool = False
    """Whether the task has rules of its own, which are code of the user's and stay in the user's process."""


def main() -> None:
    """Answers one job after the other until its input ends."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed is no answer
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    answer_jobs(questions, answers)


def answer_jobs(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answers one job after the other, until there is none or this process has grown too large to be kept."""
    while (asked := read_frame(questions)) is not None:
        try:
            job, said = pickle.loads(asked)  # noqa: S301 -- written by the parent
            _do_job(job, said, questions, answers)
        except Exception as error:  # noqa: BLE001 -- it is the document's failure, and told to the parent
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
            _send(answers, {"failed": where, "trace": traceback.format_exc()})
        if _has_grown():
            return


def _do_job(job: DocumentJob, said: Mapping[QuestionPath, Said], questions: IO[bytes], answers: IO[bytes]) -> None:
    """Sends what is still to be asked, or else the result."""
    work = DocumentWork(job.document, job.task, job.prompt, job.model_name, job.reading)
    wanted = work.find_requests(said)
    if wanted:
        asked = [[list(path), asdict(request)] for path, request in wanted.items()]
        _send(answers, {"requests": asked, "leaves": _has_grown()})
        return

    def have_checked(value: Mapping[str, Json]) -> tuple[Problem, ...]:
        _send(answers, {"check": value})
        told = pickle.loads(read_frame(questions) or b"")  # noqa: S301 -- written by the parent
        return tuple(told)

    record = work.build_record(said, have_checked if job.checked_elsewhere else None)
    content = encode_part(build_result(record, job.task.name, job.manifest))
    _send(answers, {"finished": asdict(summarize_record(record)), "leaves": _has_grown()})
    write_frame(answers, content)


def _has_grown() -> bool:
    try:
        import resource
    except ImportError:  # no such figure, as on Windows
        return False
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit > MOST_MEMORY


def _send(pipe: IO[bytes], answer: Mapping[str, Any]) -> None:
    write_frame(pipe, json.dumps(answer).encode())


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """Writes the length of the data, and the data."""
    pipe.write(len(data).to_bytes(_SIZE, "little"))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: IO[bytes], most: int | None = None) -> bytes | None:
    """The next data; None at the end. Raises ValueError for data that is torn, or longer than `most`."""
    size = pipe.read(_SIZE)
    if not size:
        return None
    length = int.from_bytes(size, "little")
    if len(size) < _SIZE or (most is not None and length > most):
        raise ValueError("not a frame")
    data = pipe.read(length)
    if len(data) < length:
        raise ValueError("a torn frame")
    return data
