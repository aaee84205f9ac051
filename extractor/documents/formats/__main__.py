"""The process in which `sandbox` reads files: requests on stdin, replies on stdout, until stdin ends."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

from extractor.documents.formats.sandbox import receive_pickled, send_pickled
from extractor.errors import DocumentError, ExtractorError


def main(memory: int) -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for a reply
    _limit_memory(memory)
    gc.disable()  # a page makes a thousand small things and no cycles; what cycles there are go after each file
    questions = sys.stdin.buffer
    while True:
        try:
            module, path, name, ocr = receive_pickled(questions)
        except EOFError:
            return
        answer: object
        try:
            answer = import_module(f"extractor.documents.formats.{module}").load(path, name, ocr)
            send_pickled(answers, answer)
            del answer
            gc.collect()
            continue
        except ExtractorError as error:
            answer = error
        except MemoryError:
            answer = DocumentError(
                f"{name} takes more memory than {memory / 1e6:.0f} MB to read; split it, or convert it to text first.",
                reason="too costly",
            )
        except RecursionError:
            answer = DocumentError(f"{name} is nested too deep to be read; convert it to text first.", reason="broken")
        except Exception as error:  # noqa: BLE001 (parsers raise what they like at broken files)
            reason = " ".join(str(error).split())[:120]
            answer = DocumentError(
                f"{name} cannot be read ({type(error).__name__}: {reason}); open it elsewhere and save it anew.",
                reason="broken",
            )
        send_pickled(answers, answer)


def _limit_memory(memory: int) -> None:
    try:
        import resource
    except ImportError:  # no such limits on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux" and (hard == resource.RLIM_INFINITY or memory < hard):
        resource.setrlimit(resource.RLIMIT_AS, (memory, hard))


if __name__ == "__main__":
    main(int(sys.argv[1]))
