"""Runs of the command line that are killed, stopped and starved: forked from one process that has imported everything.

    with kennel.start() as runs:
        ended = runs.run(["run", ...], kill_at=7, folder=out)

The process reads one order a line on stdin, forks a run for it and answers with how it ended.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGES = ("open", "os.rename", "os.remove", "os.truncate")
"""What Python announces (PEP 578) before it changes something on disk: a run is killed right before the n-th."""


@dataclass(frozen=True)
class Ended:
    """`code` is the exit code, negative for the signal that ended the run; `changes` what it did to its folder."""

    code: int
    seconds: float
    said: str
    changes: int = 0


class Kennel:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def shell(self, command: str) -> None:
        """Runs a command where the runs are run."""
        subprocess.run(
            ["nsenter", "--target", str(self.pid), "--mount", "sh", "-c", command], check=True, capture_output=True
        )

    def run(
        self,
        arguments: Sequence[object],
        *,
        kill_at: int | None = None,
        folder: Path | None = None,
        files: int | None = None,
        memory: int | None = None,
        environ: dict[str, str] | None = None,
    ) -> Ended:
        """One run to its end. SIGKILL right before its n-th change in `folder`; limits of open files
        and of memory, in bytes."""
        order = {
            "arguments": list(map(str, arguments)),
            "kill_at": kill_at,
            "folder": str(folder) if folder else None,
            "files": files,
            "memory": memory,
            "environ": environ or {},
        }
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def start(*before: str) -> Iterator[Kennel]:
    """A kennel; `before` are the words that its command begins with, such as unshare's."""
    environ = {k: v for k, v in os.environ.items() if k not in ("OPENAI_API_KEY", "OPENAI_BASE_URL")}
    command = [*before, sys.executable, __file__]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ | {"HOME": home, "XDG_CACHE_HOME": home},
        ) as process,
    ):
        yield Kennel(process)
        assert process.stdin
        process.stdin.close()


def _serve() -> None:
    import instructor  # noqa: F401 -- imported once, here, for all the runs
    import openai.resources  # noqa: F401
    import rich.console
    import rich.table  # noqa: F401

    from extractor.cli import main as cli
    from extractor.models import session as models  # noqa: F401
    from extractor.runs import journal as ledger  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(_one(cli.main, json.loads(line))), flush=True)


def _one(main: Any, order: dict[str, Any]) -> dict[str, Any]:
    begun = time.monotonic()
    with (
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as counted,
        tempfile.TemporaryFile() as imported,
    ):
        pid = os.fork()
        if not pid:
            _child(main, order, said.fileno(), counted.fileno(), imported.fileno())
        _, status = os.waitpid(pid, 0)
        seconds = time.monotonic() - begun
        said.seek(0)
        counted.seek(0)
        imported.seek(0)
        for name in sorted(set(imported.read().decode().split()) - set(sys.modules)):
            with contextlib.suppress(Exception):  # what a run has imported when it ended is there for all after it
                importlib.import_module(name)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "seconds": seconds,
            "said": said.read().decode("utf-8", "replace"),
            "changes": len(counted.read()),
        }


def _child(main: Any, order: dict[str, Any], said: int, counted: int, imported: int) -> None:
    code = 99
    try:
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(order["environ"])
        if order["folder"]:
            _watch(Path(order["folder"]), order["kill_at"], counted)
        if order["files"]:
            resource.setrlimit(resource.RLIMIT_NOFILE, (order["files"], order["files"]))
        if order["memory"]:
            resource.setrlimit(resource.RLIMIT_AS, (order["memory"], order["memory"]))
        code = main(order["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 98
    except BaseException:  # noqa: BLE001 -- a run's own process ends here, whatever happened
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        with contextlib.suppress(OSError):
            os.write(imported, "\n".join(sys.modules).encode())
        os._exit(code)


def _watch(folder: Path, kill_at: int | None, counted: int) -> None:
    numbers = itertools.count(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CHANGES or not isinstance(arguments[0], str | os.PathLike):
            return
        if not os.fspath(arguments[0]).startswith(str(folder)):
            return
        os.write(counted, b".")
        if next(numbers) == kill_at:  # of two threads, one has that number
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    _serve()
