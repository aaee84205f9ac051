"""The process that keeps an engine between runs. `kept_engine` starts it; nothing else imports it.

It reads one line of JSON (see `kept_engine.start_engine`), loads the model, tells where it is in a file, writes one
line ({"kept": true} or {"failed": reason}), and ends once nobody has used the engine for a while, or when it is told
to: the engine ends with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from extractor.errors import ExtractorError, UsageError, WeightsError
from extractor.models.local import kept_engine
from extractor.models.local.catalog import Weights
from extractor.models.local.engines import LocalEngine
from extractor.models.local.server import LocalServer, ServerSettings, serve_model

LOOK_SECONDS = 5.0
"""How often it is looked whether anybody uses the engine, at most; of short times a twentieth."""


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    order = json.loads(sys.stdin.readline())
    folder, said = Path(order["folder"]), order["weights"]
    weights = Weights(said["name"], Path(said["path"]), said["sha256"])
    settings, engine = ServerSettings(**order["settings"]), LocalEngine(**order["engine"])
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _hold_keeper_lock(folder), serve_model(weights, settings, engine) as server:
            _keep(server, folder, order["idle_minutes"])
    except ExtractorError as error:
        _report({"failed": str(error), "weights": isinstance(error, WeightsError)})
    except OSError as error:
        _report({"failed": f"{folder} cannot be written to ({error.strerror}); set EXTRACTOR_HOME to another folder."})


@contextlib.contextmanager
def _hold_keeper_lock(folder: Path) -> Iterator[None]:
    """Raises UsageError where another keeper holds it."""
    import fcntl

    with kept_engine.open_lock(folder / kept_engine.KEEPER_LOCK) as handle:
        try:
            if handle is None:
                raise OSError
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError("Another engine is being started; wait for it, or end it.") from None
        yield


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _report(what: dict[str, str | bool]) -> None:
    with contextlib.suppress(OSError):  # who started it may have gone
        os.write(1, json.dumps(what).encode() + b"\n")


def _keep(engine: LocalServer, folder: Path, idle_minutes: float) -> None:
    os.umask(0o077)
    kept = kept_engine.KeptEngine(engine, os.getpid(), idle_minutes)
    lock = os.open(folder / kept_engine.USE_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.utime(lock)
    kept_engine.write_state(folder, kept)
    try:
        _report({"kept": True})
        with Path(os.devnull).open("r+b") as nothing:  # who started it need not wait for the pipes
            os.dup2(nothing.fileno(), 0)
            os.dup2(nothing.fileno(), 1)
        _wait_until_idle(lock, 60 * idle_minutes, engine.pid)
    finally:
        with contextlib.suppress(OSError):
            (folder / kept_engine.STATE_FILE).unlink()


def _wait_until_idle(lock: int, seconds: float, engine_pid: int) -> None:
    """Returns once nobody has held the lock for so long, which it then holds, or when the engine has ended.

    A run that came and went between two looks has left its mark: it sets the time of the file.
    """
    import fcntl

    marked, since = os.fstat(lock).st_mtime_ns, time.monotonic()
    while True:
        time.sleep(min(LOOK_SECONDS, seconds / 20))
        try:
            if os.waitid(os.P_PID, engine_pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return
        except ChildProcessError:
            return
        if (mark := os.fstat(lock).st_mtime_ns) != marked:
            marked, since = mark, time.monotonic()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            since = time.monotonic()
            continue
        if time.monotonic() - since >= seconds:
            return
        fcntl.flock(lock, fcntl.LOCK_UN)
