"""The process in which `sandbox` reads files: requests on stdin, answers on stdout, until stdin ends.

On Linux each file is read in a fork of it, which has loaded the libraries already, gives up what it does not need for
this one file, and ends with it: a file that takes its reader over has the reader of no other. Elsewhere the process
reads one file after the other itself.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, NamedTuple

from extractor.documents.confinement.confine import (
    confine_process,
    end_with_parent,
    limit_memory,
    limit_work,
    probe_confinement,
)
from extractor.documents.formats.answers import encode_document, encode_failure, read_frame, write_frame
from extractor.documents.formats.sandbox import PROBE
from extractor.errors import DocumentError, ExtractorError

_ANSWERED = 77
"""How a fork ends that has answered, and no library that ends a process does."""


class _Question(NamedTuple):
    module: str
    path: Path
    name: str
    ocr: bool
    seconds: float
    pages: list[int]
    """The pages that are wanted of it; of most loaders all are."""


def main(memory: str, forks: str) -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    limit_memory(int(memory))
    gc.disable()  # a page makes a thousand small things and no cycles; what cycles there are go after each file
    questions = sys.stdin.buffer
    while True:
        try:
            nonce, body = read_frame(questions)
        except EOFError:
            return
        told = json.loads(body)
        question = _Question(told["module"], Path(os.fsdecode(told["path"].encode("latin-1"))), *told["rest"])
        if forks == "forks":
            _answer_in_fork(question, nonce, answers, int(memory))
        else:
            write_frame(answers, nonce, _answer(question, int(memory)))
            gc.collect()


def _answer_in_fork(question: _Question, nonce: bytes, answers: IO[bytes], memory: int) -> None:
    """Answers in a process that ends with the answer. This one ends, too, if that one did not end well."""
    with suppress(Exception):  # a library that cannot be loaded is told of by the fork
        _import_loader(question.module)
    child = os.fork()
    if not child:
        status = 0
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the next questions are not for it
            end_with_parent()
            limit_work(question.seconds, run_programs=question.ocr)
            confine_process(question.path, run_programs=question.ocr)
            write_frame(answers, nonce, _answer(question, memory))
            status = _ANSWERED
        finally:
            os._exit(status)
    signal.alarm(int(question.seconds) + 30)  # whoever asked is gone by then
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    if os.waitstatus_to_exitcode(status) != _ANSWERED:
        os._exit(1)


@cache
def _import_loader(module: str) -> None:
    """Loads what all files of a format need, once: its library, and what the loader's `warm_up` does, if it has one."""
    if module == PROBE:
        return
    loader = import_module(f"extractor.documents.formats.{module}")
    getattr(loader, "warm_up", lambda: None)()


def _answer(question: _Question, memory: int) -> bytes:
    module, path, name, ocr, _, pages = question
    if module == PROBE:
        return json.dumps(dict(probe_confinement())).encode()
    try:
        loader = import_module(f"extractor.documents.formats.{module}")
        return encode_document(loader.load_pages(path, name, pages) if pages else loader.load(path, name, ocr))
    except DocumentError as error:
        failed = error
    except ExtractorError as error:
        failed = DocumentError(str(error), reason="broken")
    except MemoryError:
        failed = DocumentError(
            f"{name} takes more memory than {memory / 1e6:.0f} MB to read; split it, or convert it to text first.",
            reason="too costly",
        )
    except RecursionError:
        failed = DocumentError(f"{name} is nested too deep to be read; convert it to text first.", reason="broken")
    except Exception as error:  # noqa: BLE001 (parsers raise what they like at broken files)
        reason = " ".join(str(error).split())[:120]
        failed = DocumentError(
            f"{name} cannot be read ({type(error).__name__}: {reason}); open it elsewhere and save it anew.",
            reason="broken",
        )
    return encode_failure(failed)
