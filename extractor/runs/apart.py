"""Work on large documents and replies in processes of their own, so that it holds up nothing else and can be ended.

A document of some pages costs some milliseconds, and is worked on where it is. What costs seconds would stop all other
documents, deadlines and signals for as long, since Python runs one thing at a time and a pattern cannot be interrupted.
A worker is given the document and what was said of it, and answers with what is to be asked, or with the result. While
models are asked it is free for another document, so that a worker for each processor is enough.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

from extractor.child_processes import build_child_environment, build_python_command, find_neutral_folder
from extractor.errors import DocumentError, ReplyCutShort, TaskError
from extractor.extraction.pipeline import QuestionPath, RecordCheck, Said
from extractor.runs.finished import FinishedDocument
from extractor.runs.worker_messages import (
    encode_problems,
    encode_said,
    read_frame,
    read_requests,
    read_summary,
    write_frame,
)
from extractor.types import Json, PageImage, Reply, Request

APART_FROM = 16_000
"""Characters of a document and of what was said of it, leaves counted as 20 more, from which on a worker is used."""
WORKERS = max(1, os.cpu_count() or 1)
STEP_SECONDS, CHARACTERS_A_SECOND = 60.0, 2_000
"""Seconds that a step of work may take, and characters for each of which a second is added: ten times what is usual."""
PATIENCE = 4
"""How often over these seconds a step may wait for a processor that others have, where the system tells its work."""
MOST_BYTES, MOST_BYTES_A_CHARACTER = 64 << 20, 60
"""Bytes that an answer of a worker may have at most, and by how many more for each character."""

Step = dict[QuestionPath, Request] | FinishedDocument
"""What is to be asked, or the result."""
AllSaid = Mapping[QuestionPath, Said]


def measure_outcome(outcome: Said) -> int:
    """The characters of what was said, its plain values counted as 20 more each; of very much at least what tells that
    it is very much."""
    if isinstance(outcome, ReplyCutShort):
        return len(outcome.text)
    said = (outcome.value, *(one for _, one in outcome.said_besides)) if isinstance(outcome, Reply) else ()
    size, todo = 0, list[Json](said)
    while todo and size < APART_FROM * 1_000:
        value = todo.pop()
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list):
            todo += value
        size += 20 + (len(value) if isinstance(value, str) else 0)
    return size


class WorkerFailed(Exception):
    """An error in a worker that nobody foresaw. `trace` is its traceback; the text says where it was."""

    def __init__(self, where: str, trace: str) -> None:
        super().__init__(where)
        self.trace = trace


@dataclass(frozen=True, slots=True)
class ApartJob:
    """A document on its way to workers: its name, and the frames that tell of it and of what to do with it."""

    name: str
    frames: tuple[bytes, bytes]
    check: RecordCheck
    """Applies the task's own rules, which no worker has."""
    deadline: float | None = None
    """Seconds for a step."""
    pictures: Mapping[str, PageImage] = field(default_factory=dict)
    """The document's pictures by their digests, which no worker needs to see."""


async def advance_apart(job: ApartJob, said: AllSaid, size: int) -> Step:
    """The next step of a document, made by a worker. `size` is that of all that it is given, in characters.

    Raises DocumentError for a step that takes too long, or brings the worker down; TaskError for a schema that cannot
    be used; WorkerFailed for an error of ours.
    """
    bound = STEP_SECONDS + size / CHARACTERS_A_SECOND
    call = _Call(job, said, min(bound, job.deadline or bound), MOST_BYTES + MOST_BYTES_A_CHARACTER * size)
    try:
        return await asyncio.get_running_loop().run_in_executor(_callers(), call.run)
    except asyncio.CancelledError:
        call.cancel()
        raise


@cache
def _callers() -> ThreadPoolExecutor:
    """A thread for each worker, which waits for it."""
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="extractor-apart")


class _Call:
    """One step of one document, in a worker."""

    def __init__(self, job: ApartJob, said: AllSaid, seconds: float, most: int) -> None:
        self._job, self._said, self._seconds, self._most = job, said, seconds, most
        self._worker: _Worker | None = None
        self._begun = 0.0
        self._worked: float | None = None
        self._ended = ""
        self._timer = threading.Timer(0, self._look_at_time)
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Ends the worker, or sees to it that none begins."""
        self._end("cancelled")

    def _end(self, why: str) -> None:
        with self._lock:
            self._ended = self._ended or why
            if self._worker is not None:
                self._worker.kill()

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._look_at_time)
        self._timer.daemon = True
        self._timer.start()

    def _look_at_time(self) -> None:
        """Ends the worker if it has worked for its time, or has waited too long for a processor."""
        with self._lock:
            worker = self._worker
            if worker is None or self._ended:
                return
            worked = worker.measure_work()
            if worked is not None and self._worked is not None:
                left = self._seconds - (worked - self._worked)
                if left > 0.1 and time.monotonic() - self._begun + left <= PATIENCE * self._seconds:
                    self._wait(left)
                    return
        self._end("late")

    def run(self) -> Step:
        question = (*self._job.frames, encode_said(self._said))
        with self._lock:
            if self._ended:
                raise asyncio.CancelledError
            worker = self._worker = _take_worker()
        self._worked = worker.measure_work()
        self._begun = time.monotonic()
        self._wait(self._seconds)
        refused: TaskError | None = None
        try:
            step, leaves = worker.do_step(question, self._job, self._most)
        except TaskError as error:
            refused, leaves = error, False
        except (OSError, _BadAnswer) as error:
            worker.close()
            raise self._describe_end() from error
        except BaseException:
            worker.close()
            raise
        finally:
            self._timer.cancel()
        with self._lock:  # whoever ends the call from now on ends no worker that another call may have
            self._worker = None
            self._timer.cancel()
            is_whole = not self._ended
        if is_whole and not leaves:
            _idle_workers.append(worker)
        else:
            worker.close()
        if refused is not None:
            raise refused
        return step

    def _describe_end(self) -> BaseException:
        name = self._job.name
        if self._ended == "late":
            return DocumentError(
                f"{name} takes longer than {self._seconds:.0f} seconds to work on; split it, or give it more time with "
                "--document-timeout.",
                reason="too costly",
            )
        if self._ended:
            return asyncio.CancelledError()
        return DocumentError(
            f"{name} brings the process down that works on it; split it, or free some memory.", reason="broken"
        )


class _BadAnswer(Exception):
    """What a worker sent is no answer, or it ended before there was one."""


_idle_workers: list[_Worker] = []


def _take_worker() -> _Worker:
    with contextlib.suppress(IndexError):
        while True:
            worker = _idle_workers.pop()
            if worker.is_running():
                return worker
            worker.close()
    return _Worker()


@atexit.register
def close_workers() -> None:
    """Ends the workers that wait for a document."""
    while _idle_workers:
        _idle_workers.pop().close()


class _Worker:
    """A process that works on one document after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- a module of this package
            build_python_command("extractor.runs.worker_start"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=find_neutral_folder(),
            env=build_child_environment(),
        )
        self._questions, self._answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def measure_work(self) -> float | None:
        """Seconds that the process has had a processor for; None where the system does not tell."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_bytes().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return None

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """Ends the process and waits for it."""
        self._process.kill()
        for pipe in (self._questions, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()

    def do_step(self, question: tuple[bytes, ...], job: ApartJob, most: int) -> tuple[Step, bool]:
        """The next step, and whether the worker ends after it. Raises OSError and _BadAnswer when it ended before, and
        what the job's `check` raises."""
        for frame in question:
            write_frame(self._questions, frame)
        while True:
            answer = self._read_answer(most)
            if "check" in answer:
                write_frame(self._questions, encode_problems(job.check(answer["check"])))
            elif "refused" in answer:
                raise TaskError(str(answer["refused"]))
            elif "failed" in answer:
                raise WorkerFailed(str(answer["failed"]), str(answer.get("trace")))
            else:
                return self._decode_step(answer, job, most), answer.get("leaves") is not False

    def _read_answer(self, most: int) -> dict[str, Any]:
        try:
            answer = json.loads(self._read(most))
        except (ValueError, RecursionError) as error:
            raise _BadAnswer from error
        if not isinstance(answer, dict) or not isinstance(answer.get("check", {}), dict):
            raise _BadAnswer
        return answer

    def _decode_step(self, answer: Mapping[str, Any], job: ApartJob, most: int) -> Step:
        try:
            if "requests" in answer:
                return read_requests(answer["requests"], job.pictures)
            return FinishedDocument(self._read(most), read_summary(answer["finished"]))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _BadAnswer from error

    def _read(self, most: int) -> bytes:
        data = read_frame(self._answers, most)
        if data is None:
            raise ValueError("the worker ended")
        return data
