"""An engine that stays between runs: where it is told of, who uses it, and how it is ended.

A file beside the model files tells those who may read it, its owner alone, where the engine listens and with which key.
Who uses the engine holds a shared lock; its keeper ends it once nobody has for a while. The keeper holds a lock of its
own, without which the file means nothing. A lock ends with its holder, however that ends, so that no killed run keeps
an engine for ever.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from extractor.child_processes import build_python_command, find_neutral_folder
from extractor.errors import MachineError, UsageError, WeightsError
from extractor.files import require_regular_file, write_atomically
from extractor.models.local.catalog import Weights, find_models_folder
from extractor.models.local.engines import ENGINE_VARIABLES, XLLAMACPP, EngineBuild, LocalEngine
from extractor.models.local.server import (
    LOOPBACK,
    LocalServer,
    ServerSettings,
    serve_or_fall_back,
)

STATE_FILE, USE_LOCK, KEEPER_LOCK = "engine.json", "engine.lock", "keeper.lock"
MAX_STATE_BYTES = 1 << 16
KEPT_CACHE_MIB = 2048
"""Memory for what has left its slot: of the 1.5B 28 kB a token, so some 30 documents of 2,500 tokens."""
DEFAULT_IDLE_MINUTES = 30.0
_LEASE_SECONDS, _STEP_SECONDS = 1.0, 0.05
"""How long a run waits for a keeper that looks whether anybody is there, and how often it tries."""
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class KeptEngine:
    """An engine that is kept, as its file tells. The key shows in no representation of it."""

    server: LocalServer
    keeper: int
    """The process that ends it."""
    idle_minutes: float

    def serves(self, weights: Weights, settings: ServerSettings, engine: LocalEngine) -> bool:
        """Whether it is the same engine that a run would start: of the same model and sizes."""
        own = self.server
        if (own.build.name, own.program) != (engine.name, engine.program):
            return False
        same = replace(settings, cache_mib=own.settings.cache_mib, verbose=False, port=own.settings.port)
        return (own.digest, own.model, own.settings) == (weights.digest, weights.name, same)


def find_engine_folder() -> Path:
    """Where the engine that is kept is told of: beside the folder of model files."""
    return find_models_folder().parent / "engine"


@contextmanager
def use_engine(
    weights: Weights,
    settings: ServerSettings,
    folder: Path | None = None,
    *,
    engine: LocalEngine = XLLAMACPP,
    note: Callable[[str], None] = lambda text: None,
) -> Iterator[LocalServer]:
    """The engine that is kept, if it is the one that is wanted; else one of one's own, until the block ends.

    Where that does not start, xllamacpp answers, and `note` is told so. Raises what `serve_model` raises.
    """
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(lease_engine(folder or find_engine_folder()))
        if kept is not None and kept.serves(weights, settings, engine):
            yield kept.server
        else:
            yield stack.enter_context(serve_or_fall_back(weights, settings, engine, note))


@contextmanager
def lease_engine(folder: Path) -> Iterator[KeptEngine | None]:
    """The engine that is kept, which stays while the block lasts; None where there is none."""
    if read_state(folder) is None:
        yield None
        return
    with open_lock(folder / USE_LOCK) as handle:
        if handle is None or not _try_to_share(handle):
            yield None
            return
        kept = read_state(folder)  # it may have ended before the lock was held
        yield kept if kept is not None and _answers(kept) else None
        with contextlib.suppress(OSError):
            os.utime(handle)


@contextmanager
def open_lock(path: Path) -> Iterator[int | None]:
    """The file of a lock, open while the block lasts; None where it cannot be opened."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        yield None
        return
    try:
        require_regular_file(handle)
        yield handle
    finally:
        os.close(handle)


def _try_to_share(handle: int) -> bool:
    import fcntl  # it is not on Windows

    until = time.monotonic() + _LEASE_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(_STEP_SECONDS)


def _answers(kept: KeptEngine) -> bool:
    """Whether somebody listens where the engine is said to."""
    address = urlsplit(kept.server.base_url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 0), 1.0):
            return True
    except OSError:
        return False


def read_state(folder: Path) -> KeptEngine | None:
    """The engine that the folder tells of; None where it tells of none, or where others could have written it."""
    try:
        handle = os.open(folder / STATE_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        try:
            require_regular_file(handle)
            told = os.fstat(handle)
            if told.st_uid != os.getuid() or told.st_mode & 0o077:
                return None
            said = json.loads(file.read(MAX_STATE_BYTES))
            own = said.pop("server")
            build = EngineBuild(**{**own["build"], "features": tuple(own["build"]["features"])})
            server = LocalServer(**{**own, "settings": ServerSettings(**own["settings"]), "build": build})
            kept = KeptEngine(server=server, **said)
            right = isinstance(kept.keeper, int) and urlsplit(server.base_url).hostname == LOOPBACK
            return kept if right and is_locked(folder / KEEPER_LOCK) else None
        except (OSError, ValueError, TypeError, AttributeError, KeyError, UsageError, MachineError, RecursionError):
            return None


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock now."""
    import fcntl

    with open_lock(path) as handle:
        if handle is None:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def write_state(folder: Path, kept: KeptEngine) -> None:
    """Tells of the engine, to its owner alone. Raises OSError."""
    write_atomically(folder / STATE_FILE, [json.dumps(asdict(kept)).encode()])


def start_engine(
    weights: Weights,
    settings: ServerSettings,
    idle_minutes: float,
    folder: Path | None = None,
    engine: LocalEngine = XLLAMACPP,
) -> KeptEngine:
    """Starts an engine that stays, in a process of its own that ends it once nobody has used it for so long.

    Raises UsageError where one is kept already, and what `serve_model` raises.
    """
    if os.name != "posix":  # neither its locks nor a session of its own are to be had there
        raise UsageError("An engine is kept on Linux and macOS alone; leave it to each run here.")
    folder = folder or find_engine_folder()
    if (running := read_state(folder)) is not None:
        raise UsageError(f"An engine with {running.server.model} is kept already; end it with `extractor engine stop`.")
    order = {
        "weights": {"name": weights.name, "path": str(weights.path.absolute()), "sha256": weights.sha256},
        "settings": asdict(replace(settings, verbose=False)),
        "engine": asdict(engine),
        "idle_minutes": idle_minutes,
        "folder": str(folder.absolute()),
    }
    process = subprocess.Popen(  # noqa: S603 - a module of this package
        build_python_command("extractor.models.local.keeper"),
        cwd=find_neutral_folder(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_keeper_environment(),
        start_new_session=True,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 -- opened with pipes
    with process.stdin, process.stdout:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
    said = json.loads(line) if line else {}
    if (kept := read_state(folder)) is not None and said.get("kept"):
        process.returncode = 0  # it stays: nobody waits for it
        return kept
    process.wait()
    error = WeightsError if said.get("weights") else UsageError
    raise error(str(said.get("failed") or "The engine ended before it served; start it again with -v."))


def _keeper_environment() -> dict[str, str]:
    from extractor.child_processes import build_child_environment

    return build_child_environment(*ENGINE_VARIABLES, "HOME", "EXTRACTOR_HOME", "XDG_CACHE_HOME")


def stop_engine(folder: Path | None = None) -> KeptEngine | None:
    """Ends the engine that is kept, whoever uses it, and says which it was; None where there is none."""
    folder = folder or find_engine_folder()
    kept = read_state(folder)
    if kept is None:
        return None
    with contextlib.suppress(OSError):
        os.kill(kept.keeper, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while is_locked(folder / KEEPER_LOCK) and time.monotonic() < until:
        time.sleep(_STEP_SECONDS)
    return kept


def is_in_use(folder: Path | None = None) -> bool:
    """Whether a run uses the engine now."""
    return is_locked((folder or find_engine_folder()) / USE_LOCK)
