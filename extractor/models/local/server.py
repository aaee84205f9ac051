"""The embedded engine: llama.cpp behind an OpenAI-compatible server, for as long as a `with` block lasts.

It runs in a process of its own (see `engines`: the library xllamacpp, one that was built for the machine, or a
llama-server), listens on loopback only, requires a key that is drawn anew each time, and stops when the block ends or
the process that opened it does, in whatever way.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import IO

from extractor.child_processes import build_child_environment, build_python_command, find_neutral_folder
from extractor.errors import UsageError, WeightsError, name_install_command
from extractor.models.local.catalog import Weights, check_gguf_file
from extractor.models.local.engines import (
    ENGINE_VARIABLES,
    NATIVE,
    XLLAMACPP,
    EngineBuild,
    LocalEngine,
    find_reason,
    tell_native_cost,
)
from extractor.types import Json

LOOPBACK = "127.0.0.1"
_ENDING_SECONDS = 2.0
"""How long an engine's process may take to end what it started."""
_SETTING_BOUNDS = (
    ("n_ctx", 1, 1 << 20),  # beyond what any model takes, llama.cpp fills the memory before it notices
    ("n_parallel", 1, 64),
    ("n_threads", 1, 512),
    ("n_batch", 1, 1 << 16),
    ("n_ubatch", 1, 1 << 16),
    ("cache_mib", 0, 1 << 20),
    ("port", 0, 65535),
    ("spin", 0, 10**9),
)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the engine runs; names are llama.cpp's where it has one."""

    n_ctx: int = 12288
    """Tokens of context, shared by the slots."""
    n_parallel: int = 1
    """Slots: requests at once."""
    n_threads: int | None = None
    """None: as many as `count_usable_threads` returns."""
    n_batch: int = 2048
    n_ubatch: int = 512
    """Tokens of a prompt that are computed at once; more take more memory."""
    cache_mib: int = 0
    """MiB for prompts that left their slot; without, a slot still goes on from the prefix of its last request."""
    port: int = 0
    """0: any that is free."""
    spin: int | None = 1000
    """How long threads wait for each other awake (GOMP_SPINCOUNT). None: as long as OpenMP likes, which is some 10 %
    faster on a machine that does nothing else, and with 1 or 2 other busy processes on 2 cores 2 or 8 times slower."""
    verbose: bool = False
    """Whether llama.cpp may write its log to stderr."""

    def __post_init__(self) -> None:
        for name, least, most in _SETTING_BOUNDS:
            if (given := getattr(self, name)) is not None and not least <= given <= most:
                raise UsageError(f"{name} must be from {least} to {most}, not {given}.")


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running engine, as a client needs it. The key shows in no representation of it."""

    base_url: str
    api_key: str = field(repr=False)
    model: str
    digest: str
    build: EngineBuild
    """Which engine it is, and what of the processor it uses."""
    settings: ServerSettings
    pid: int
    """Of the process that ends with the one that started it, and the model with it."""
    program: str = ""
    """The path of the llama-server that runs; none where it is a library."""

    @property
    def threads(self) -> int:
        return self.settings.n_threads or count_usable_threads()


class EngineNotStarted(UsageError):
    """`why`, a clause, says what kept the engine from serving."""

    def __init__(self, engine: LocalEngine, why: str) -> None:
        super().__init__(f"{describe_engine(engine)} did not start ({why}); name another engine, or leave it out.")
        self.why = why


def describe_engine(engine: LocalEngine) -> str:
    """The engine as a sentence names it."""
    return f"The {engine.name} {engine.program}" if engine.program else f"The engine {engine.name}"


@contextmanager
def serve_or_fall_back(
    weights: Weights, settings: ServerSettings, engine: LocalEngine, note: Callable[[str], None]
) -> Iterator[LocalServer]:
    """Serve with that engine; where it does not start, say so in one sentence and serve with xllamacpp.

    Raises what `serve_model` raises, of the engine that was tried last.
    """
    with ExitStack() as stack:
        try:
            server = stack.enter_context(serve_model(weights, settings, engine))
        except EngineNotStarted as error:
            if not XLLAMACPP.is_here:
                raise
            note(f"{describe_engine(engine)} did not start ({error.why}); xllamacpp answers in its place.")
            server = stack.enter_context(serve_model(weights, settings))
        yield server


@contextmanager
def serve_model(
    weights: Weights, settings: ServerSettings | None = None, engine: LocalEngine = XLLAMACPP
) -> Iterator[LocalServer]:
    """Load the model and serve it until the block ends; what is being answered then is broken off.

    Raises UsageError (no engine installed, port taken), EngineNotStarted (of another than xllamacpp), and WeightsError
    (xllamacpp cannot load the file).
    """
    settings = settings or ServerSettings()
    check_gguf_file(weights.path)
    if not engine.is_here:
        raise _not_here_error(engine)
    _require_free_port(settings.port)
    key = secrets.token_urlsafe(32)
    order = {
        **asdict(settings),
        "path": str(weights.path.absolute()),
        "model": weights.name,
        "host": LOOPBACK,
        "key": key,
        "n_threads": settings.n_threads or count_usable_threads(),
        "program": engine.program,
    }
    with tempfile.TemporaryFile() as log, _start_process(engine, settings, log) as process:
        try:
            message = _read_startup_message(process, order)
            if "address" not in message:
                raise _startup_error(engine, message, process, weights, settings, log)
            yield LocalServer(
                base_url=f"{message['address']}/v1",
                api_key=key,
                model=weights.name,
                digest=weights.digest,
                build=EngineBuild(engine.name, str(message["build"]), tuple(map(str, message["features"]))),
                settings=settings,
                pid=process.pid,
                program=engine.program,
            )
        finally:
            _end_process(engine, process)


def _not_here_error(engine: LocalEngine) -> UsageError:
    if engine.program:
        return EngineNotStarted(engine, "there is no such program")
    if engine == NATIVE:
        return EngineNotStarted(engine, tell_native_cost())
    return _not_installed_error(f"no {engine.name}")


def _start_process(engine: LocalEngine, settings: ServerSettings, log: IO[bytes]) -> subprocess.Popen[bytes]:
    environ = build_child_environment(*ENGINE_VARIABLES)
    if settings.spin is not None and "OMP_WAIT_POLICY" not in environ:
        environ.setdefault("GOMP_SPINCOUNT", str(settings.spin))
    return subprocess.Popen(  # noqa: S603 - a module of this package
        build_python_command(engine.process),
        cwd=find_neutral_folder(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if settings.verbose else log,
        env=environ,
        bufsize=0,
    )


def _end_process(engine: LocalEngine, process: subprocess.Popen[bytes]) -> None:
    """Kills it; one that runs a program has a moment to end that first, which it does when its input ends."""
    if engine.program and process.stdin is not None:
        with suppress(OSError, subprocess.TimeoutExpired):
            process.stdin.close()
            process.wait(_ENDING_SECONDS)
    process.kill()


def _read_startup_message(process: subprocess.Popen[bytes], order: dict[str, Json]) -> dict[str, Json]:
    """The line that the process writes when it serves or has failed; empty if it ended before."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("opened with pipes")
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        line = process.stdout.readline()
    except BrokenPipeError:
        line = b""
    return dict(json.loads(line)) if line else {}


def _startup_error(
    engine: LocalEngine,
    message: dict[str, Json],
    process: subprocess.Popen[bytes],
    weights: Weights,
    settings: ServerSettings,
    log: IO[bytes],
) -> UsageError:
    if message.get("failed") == "import":
        return _not_installed_error(str(message["reason"]))
    process.wait()
    _require_free_port(settings.port)  # it may have been taken since we looked
    log.seek(0)
    reason = find_reason(log.read(1 << 20).decode("utf-8", "replace")) or str(message.get("reason", ""))
    if not message:
        reason += f" ended by {signal.Signals(-process.returncode).name}" if process.returncode < 0 else ""
    reason = " ".join("".join(c if c.isprintable() else " " for c in reason).split())[:200]
    if engine != XLLAMACPP:
        return EngineNotStarted(engine, reason or "no reason given")
    return WeightsError(
        f"llama.cpp cannot load {weights.path} with a context of {settings.n_ctx} tokens "
        f"({reason or 'no reason given'}); name another file, or ask for less context."
    )


def _not_installed_error(why: str) -> UsageError:
    return UsageError(
        f"The embedded engine cannot be used ({why}); run `{name_install_command('local')}`, "
        "or name an endpoint with --base-url."
    )


def _require_free_port(port: int) -> None:
    """Raise UsageError when nobody could listen on the port now."""
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere the option means that a port may be taken from who has it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            how = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
            raise UsageError(f"Port {port} {how}; name another, or 0 for any that is free.") from None


def count_usable_threads() -> int:
    """Cores that this process may use. Beyond four, half of what the system counts: the others share their units."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return allowed if allowed <= 4 else max(4, allowed // 2)
