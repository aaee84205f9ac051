"""Files read in a process of their own: one that hangs, eats memory or brings the parser down costs itself alone.

Readers are kept for the next file, since starting one takes longer than reading most files. A reader is used by one
thread at a time, as PDFium is safe in one thread only. It gets no key and no other setting of the environment, runs no
code of the working folder (`child_processes`), and answers with data (`answers`). What else is taken from it is in
`confinement`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from extractor.child_processes import build_child_environment, build_python_command, find_neutral_folder
from extractor.documents.formats.answers import NONCE_BYTES, decode_answer, read_frame, write_frame
from extractor.errors import DocumentError
from extractor.types import Document, Json

READ_SECONDS, OCR_READ_SECONDS = 60.0, 1800.0
"""Seconds for one file. OCR takes seconds a page."""
READER_MEMORY = 1_500_000_000
"""Bytes of address space that a reader may have, its libraries included."""
MAX_FILES_PER_READER = 200
"""Files after which a reader is not kept, so that what a parser leaks stays small."""
FORKS = sys.platform == "linux"
"""Whether a reader reads each file in a process of its own, which gives up all but that file (`confinement`)."""

PROBE = "probe"
"""The module that is asked for to have told what is taken from a reader, instead of a document."""

_idle_readers: list[_ReaderProcess] = []
_busy_readers: set[_ReaderProcess] = set()
_reader_slots = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


def load_in_sandbox(
    module: str, path: Path, name: str, ocr: bool, seconds: float | None = None, pages: Sequence[int] = ()
) -> Document:
    """The document that the loader of that name reads, or what it makes of the pages of those numbers.

    Raises DocumentError, also when the reader process ended.
    """
    bound = seconds or (OCR_READ_SECONDS if ocr else READ_SECONDS)
    try:
        answer = decode_answer(_ask_reader(module, path, name, (ocr, bound, list(pages))))
    except TimeoutError as error:
        raise DocumentError(
            f"{name} takes longer than {bound:.0f} seconds to read; split it, or convert it to text first.",
            reason="too costly",
        ) from error
    except (EOFError, ValueError) as error:
        raise DocumentError(
            f"{name} brings its reader down; it is broken, or made to do so: convert it to text first.",
            reason="broken",
        ) from error
    if isinstance(answer, DocumentError):
        raise answer
    return answer if answer.name == name else replace(answer, name=name)


def probe_reader() -> Mapping[str, bool]:
    """What is taken from a reader on this system, each tried by one: a promise, and whether it holds."""
    told = json.loads(_ask_reader(PROBE, Path(os.devnull), "", (False, READ_SECONDS, [])))
    return {str(promise): held is True for promise, held in told.items()}


def _ask_reader(module: str, path: Path, name: str, how: tuple[bool, float, list[int]]) -> bytes:
    """A reader's answer as it came; `how` is whether OCR may be used, the seconds that it has, and which pages.

    Raises TimeoutError, EOFError when the reader ended, and ValueError for what is no answer to this question; the
    reader is not used again then.
    """
    seconds = how[1]
    question = {"module": module, "path": os.fsencode(path.absolute()).decode("latin-1"), "rest": [name, *how]}
    with _reader_slots:
        reader = _idle_readers.pop() if _idle_readers else _ReaderProcess()
        try:
            try:
                answer = reader.request_answer(question, seconds)
            except (EOFError, ValueError):
                if not reader.files_read or reader.is_ended:
                    raise
                reader.close()  # an earlier file may have broken the reader: this file gets a fresh one
                reader = _ReaderProcess()
                answer = reader.request_answer(question, seconds)
        except BaseException:
            reader.close()
            raise
        reader.files_read += 1
        if reader.files_read < MAX_FILES_PER_READER:
            _idle_readers.append(reader)
        else:
            reader.close()
    return answer


@atexit.register
def close_readers() -> None:
    """Ends the readers that wait for a file."""
    while _idle_readers:
        _idle_readers.pop().close()


def end_readers() -> None:
    """Ends all readers, those that read a file too: this process is about to end, and waits for none."""
    for reader in list(_busy_readers):
        reader.end()
    close_readers()


class _ReaderProcess:
    """A process that reads one file after the other."""

    def __init__(self) -> None:
        self.files_read = 0
        self.is_ended = False
        self._process = subprocess.Popen(  # noqa: S603 (a module of this package)
            build_python_command(
                "extractor.documents.formats.reader_process", str(READER_MEMORY), "forks" if FORKS else "reads"
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=find_neutral_folder(),
            env={**build_child_environment("TESSDATA_PREFIX"), "OMP_THREAD_LIMIT": "1"},
            start_new_session=True,  # so that it ends with all that it started
        )
        self._questions, self._answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)

    def request_answer(self, question: Mapping[str, Json], seconds: float) -> bytes:
        """The reader's answer. Raises TimeoutError when it had to be killed, EOFError when it ended by itself, and
        ValueError for what is no answer to this question."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        nonce = secrets.token_bytes(NONCE_BYTES)
        _busy_readers.add(self)
        try:
            write_frame(self._questions, nonce, json.dumps(question).encode())
            return read_frame(self._answers, nonce)[1]
        except (OSError, EOFError) as error:
            raise (TimeoutError if late.is_set() else EOFError) from error
        finally:
            _busy_readers.discard(self)
            timer.cancel()

    def end(self) -> None:
        """Ends the process while a thread waits for its answer."""
        self.is_ended = True
        self._kill()

    def close(self) -> None:
        self._kill()
        for pipe in (self._questions, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()

    def _kill(self) -> None:
        """Ends the reader and what it started."""
        if os.name == "posix" and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
