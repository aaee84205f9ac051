"""The embedded engine: llama.cpp behind an OpenAI-compatible server, for as long as a `with` block lasts.

It listens on loopback only, requires a key that is drawn anew each time, and stops when the block ends or the process
that opened it does, in whatever way.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO

from extractor.child_processes import build_child_environment, build_python_command, find_neutral_folder
from extractor.errors import UsageError, WeightsError, name_install_command
from extractor.models.local.catalog import Weights, check_gguf_file
from extractor.types import Json

LOOPBACK = "127.0.0.1"
ENGINE_VARIABLES = (
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "OMP_*",
    "GOMP_*",
    "KMP_*",
    "GGML_*",
    "LLAMA_*",
    "CUDA_*",
    "HIP_*",
)
"""What the engine and the libraries that it computes with are set by."""

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
    version: str
    """Of xllamacpp, which brings its own llama.cpp."""
    settings: ServerSettings
    pid: int
    """Of the process that holds the model."""

    @property
    def threads(self) -> int:
        return self.settings.n_threads or count_usable_threads()


@contextmanager
def serve_model(weights: Weights, settings: ServerSettings | None = None) -> Iterator[LocalServer]:
    """Load the model and serve it until the block ends; what is being answered then is broken off.

    Raises UsageError (no engine installed, port taken) and WeightsError (llama.cpp cannot load the file).
    """
    settings = settings or ServerSettings()
    check_gguf_file(weights.path)
    if importlib.util.find_spec("xllamacpp") is None:
        raise _not_installed_error("no xllamacpp")
    _require_free_port(settings.port)
    key = secrets.token_urlsafe(32)
    order = {
        **asdict(settings),
        "path": str(weights.path.absolute()),
        "model": weights.name,
        "host": LOOPBACK,
        "key": key,
        "n_threads": settings.n_threads or count_usable_threads(),
    }
    with tempfile.TemporaryFile() as log, _start_process(settings, log) as process:
        try:
            message = _read_startup_message(process, order)
            if "address" not in message:
                raise _startup_error(message, process, weights, settings, log)
            yield LocalServer(
                base_url=f"{message['address']}/v1",
                api_key=key,
                model=weights.name,
                digest=weights.digest,
                version=message["version"],
                settings=settings,
                pid=process.pid,
            )
        finally:
            process.kill()


def _start_process(settings: ServerSettings, log: IO[bytes]) -> subprocess.Popen[bytes]:
    environ = build_child_environment(*ENGINE_VARIABLES)
    if settings.spin is not None and "OMP_WAIT_POLICY" not in environ:
        environ.setdefault("GOMP_SPINCOUNT", str(settings.spin))
    return subprocess.Popen(  # noqa: S603 - a module of this package
        build_python_command("extractor.models.local.process"),
        cwd=find_neutral_folder(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if settings.verbose else log,
        env=environ,
        bufsize=0,
    )


def _read_startup_message(process: subprocess.Popen[bytes], order: dict[str, Json]) -> dict[str, str]:
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
    message: dict[str, str],
    process: subprocess.Popen[bytes],
    weights: Weights,
    settings: ServerSettings,
    log: IO[bytes],
) -> UsageError:
    if message.get("failed") == "import":
        return _not_installed_error(message["reason"])
    process.wait()
    _require_free_port(settings.port)  # it may have been taken since we looked
    log.seek(0)
    lines = re.findall(r"(?m)^[\d.]+ E (.*)$", log.read(1 << 20).decode("utf-8", "replace"))
    reason = lines[0] if lines else message.get("reason", "")
    if not message:
        reason += f" ended by {signal.Signals(-process.returncode).name}" if process.returncode < 0 else ""
    reason = re.sub(r"^(\w+: |error loading model: )+", "", reason)  # first come the names of C functions
    reason = " ".join("".join(c if c.isprintable() else " " for c in reason).split())[:200]
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
