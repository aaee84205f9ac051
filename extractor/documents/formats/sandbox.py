"""Files read in a process of their own: one that hangs, eats memory or brings the parser down costs itself alone.

Readers are kept for the next file, since starting one takes longer than reading most files. A reader is used by one
thread at a time, as PDFium is safe in one thread only. It gets no key and no other setting of the environment.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, cast

import extractor
from extractor.errors import DocumentError, ExtractorError
from extractor.types import Document

READ_SECONDS, OCR_READ_SECONDS = 60.0, 1800.0
"""Seconds for one file. OCR takes seconds a page."""
READER_MEMORY = 1_500_000_000
"""Bytes of address space that a reader may have, its libraries included."""
MAX_FILES_PER_READER = 200
"""Files after which a reader is not kept, so that what a parser leaks stays small."""
_SIZE = 8

_idle_readers: list[_ReaderProcess] = []
_reader_slots = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


def load_in_sandbox(module: str, path: Path, name: str, ocr: bool, seconds: float | None = None) -> Document:
    """The document that the loader of that name reads. Raises DocumentError, also when the reader process ended."""
    bound = seconds or (OCR_READ_SECONDS if ocr else READ_SECONDS)
    question = (module, path, name, ocr)
    with _reader_slots:
        reader = _idle_readers.pop() if _idle_readers else _ReaderProcess()
        try:
            try:
                answer = reader.request_document(question, bound)
            except EOFError:
                if not reader.files_read:
                    raise
                reader.close()  # an earlier file may have broken the reader: this file gets a fresh one
                reader = _ReaderProcess()
                answer = reader.request_document(question, bound)
        except TimeoutError as error:
            reader.close()
            raise DocumentError(
                f"{name} takes longer than {bound:.0f} seconds to read; split it, or convert it to text first.",
                reason="too costly",
            ) from error
        except EOFError as error:
            reader.close()
            raise DocumentError(
                f"{name} brings its reader down; it is broken, or made to do so: convert it to text first.",
                reason="broken",
            ) from error
        except BaseException:
            reader.close()
            raise
        reader.files_read += 1
        if reader.files_read < MAX_FILES_PER_READER:
            _idle_readers.append(reader)
        else:
            reader.close()
    if isinstance(answer, ExtractorError):
        raise answer
    document: Document = answer
    return document


@atexit.register
def close_readers() -> None:
    """Ends the readers that wait for a file."""
    while _idle_readers:
        _idle_readers.pop().close()


class _ReaderProcess:
    """A process that reads one file after the other."""

    def __init__(self) -> None:
        package_parent = str(Path(extractor.__file__).parent.parent)
        kept = {
            k: os.environ[k] for k in ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "TESSDATA_PREFIX") if k in os.environ
        }
        paths = os.pathsep.join(filter(None, [package_parent, os.environ.get("PYTHONPATH", "")]))
        self.files_read = 0
        self._process = subprocess.Popen(  # noqa: S603 (a module of this package)
            [sys.executable, "-m", "extractor.documents.formats", str(READER_MEMORY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**kept, "PYTHONPATH": paths, "OMP_THREAD_LIMIT": "1"},
        )
        self._questions, self._answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)

    def request_document(self, question: Any, seconds: float) -> Any:
        """The reader's reply. Raises TimeoutError when it had to be killed, and EOFError when it ended by itself."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            send_pickled(self._questions, question)
            return receive_pickled(self._answers)
        except (OSError, EOFError) as error:
            raise (TimeoutError if late.is_set() else EOFError) from error
        finally:
            timer.cancel()

    def close(self) -> None:
        self._process.kill()
        for pipe in (self._questions, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()


def send_pickled(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(len(data).to_bytes(_SIZE, "little"))
    pipe.write(data)
    pipe.flush()


def receive_pickled(pipe: IO[bytes]) -> Any:
    """The object that was sent. The reader runs as the same user with the same rights, so unpickling adds no risk."""
    size = pipe.read(_SIZE)
    if len(size) < _SIZE:
        raise EOFError
    data = pipe.read(int.from_bytes(size, "little"))
    return pickle.loads(data)  # noqa: S301
