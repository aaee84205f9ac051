"""The process that a llama-server runs under. `server` starts it; nothing else imports it.

It reads one line of JSON (see `engines`), starts the program with the settings of the order, waits until it has loaded
the model, and says where it listens. The program ends when this process does: when its standard input ends, and on
Linux also when it is killed.

Builds of llama.cpp differ in what they can be told, by years: what a build is to be told beside the model is said only
as far as its own help lists it.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from extractor.child_processes import build_child_environment
from extractor.models.local.engines import PROGRAM_VARIABLES, find_reason, read_features

STEP_SECONDS = 0.05
"""How often it is looked whether the program has loaded the model."""
TELL_SECONDS = 30.0
"""How long a program may take to say what it is."""
MAX_KEPT_LOG = 1 << 18
"""Bytes of a program's log that are kept, for what it says of itself and for the reason when it does not start."""
_OPTIONAL: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("--load-mode", "none"), ("--no-mmap",)),  # as for xllamacpp: mapped pages would count twice
    (("--cache-ram", "{cache_mib}"),),
    (("--fit", "off"),),  # it would shrink the context to the memory that happens to be free
    (("--no-kv-unified",),),  # a context for each document
    (("--offline",),),
    (("--no-ui",), ("--no-webui",)),
    (("--no-slots",),),
    (("--no-cors-credentials",),),  # no page in a browser has anything to ask here
    (("--log-verbosity", "4"),),  # what it uses of the processor is told at this level, prompts are not
)
"""What is said to builds that know it; of several, the first that the build knows."""


def build_command(program: str, order: Mapping[str, Any], help_text: str, port: int) -> list[str]:
    """The command that serves what is ordered on that port. The key is no part of it: others could read it there."""
    command = [program, "--model", str(order["path"]), "--alias", str(order["model"])]
    command += ["--host", str(order["host"]), "--port", str(port)]
    command += ["--ctx-size", str(order["n_ctx"]), "--parallel", str(order["n_parallel"])]
    command += ["--batch-size", str(order["n_batch"]), "--ubatch-size", str(order["n_ubatch"])]
    command += ["--threads", str(order["n_threads"]), "--threads-batch", str(order["n_threads"])]
    known = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", help_text))
    for ways in _OPTIONAL:
        if way := next((one for one in ways if one[0] in known), None):
            command += [part.format(**order) for part in way]
    return command


class _Log:
    """What a program prints: its beginning is kept, all of it is passed on if that is wanted, and nothing else."""

    def __init__(self, stream: IO[bytes], *, shown: bool) -> None:
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, args=(stream, shown), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes], shown: bool) -> None:
        while piece := os.read(stream.fileno(), 1 << 16):
            if shown:
                os.write(2, piece)
            self._kept += piece[: max(0, MAX_KEPT_LOG - len(self._kept))]

    def read_beginning(self, *, ended: bool = False) -> str:
        if ended:
            self._thread.join(1.0)  # what was printed last says why
        return bytes(self._kept).decode("utf-8", "replace")


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    order = json.loads(sys.stdin.readline())

    def report(**what: Any) -> None:
        answer.write(json.dumps(what) + "\n")
        answer.flush()

    try:
        _serve(order, report)
    except _NotStarted as error:
        report(failed="start", reason=str(error))
    finally:
        os._exit(0)  # a thread still waits for the end of the input


class _NotStarted(Exception):
    """Says why, in a clause."""


def _serve(order: Mapping[str, Any], report: Callable[..., None]) -> None:
    program = str(order["program"])
    version = re.search(r"version: *(.+)", told := _ask_program(program, "--version"))
    if version is None:
        raise _NotStarted(f"it does not say which version it is{_quote_end(told)}")
    port = order["port"] or _find_free_port(order["host"])
    process = _start(build_command(program, order, _ask_program(program, "--help"), port), str(order["key"]))
    try:
        threading.Thread(target=_end_with_parent, args=(process,), daemon=True).start()
        assert process.stdout is not None  # noqa: S101 -- opened with a pipe
        log = _Log(process.stdout, shown=order["verbose"])
        _wait_until_loaded(process, order, port, log)
        said = re.search(r"system_info:(.*)", log.read_beginning())
        features = read_features(said[1]) if said else []
        report(address=f"http://{order['host']}:{port}", build=version[1].strip(), features=features)
        process.wait()
    finally:
        _kill(process)


def _ask_program(program: str, question: str) -> str:
    """What it prints when it is asked."""
    try:
        done = subprocess.run(  # noqa: S603 -- the program that the user named, or that is in PATH
            [program, question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TELL_SECONDS,
            env=build_child_environment(*PROGRAM_VARIABLES),
        )
    except OSError as error:
        raise _NotStarted(error.strerror or type(error).__name__) from None
    except subprocess.TimeoutExpired:
        raise _NotStarted(f"it was silent for {TELL_SECONDS:g} s when asked for {question}") from None
    return done.stdout.decode("utf-8", "replace")


def _find_free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _start(command: Sequence[str], key: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 -- as above
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**build_child_environment(*PROGRAM_VARIABLES), "LLAMA_API_KEY": key},
            preexec_fn=_build_preparation() if sys.platform == "linux" else None,
            start_new_session=True,  # Ctrl-C in a terminal does not reach it
        )
    except OSError as error:
        raise _NotStarted(error.strerror or type(error).__name__) from None


def _build_preparation() -> Callable[[], None]:
    """What the program's process does before it becomes the program: asks to end with this one, however that ends."""
    prctl, parent, set_parent_death_signal = ctypes.CDLL(None).prctl, os.getpid(), 1

    def prepare() -> None:
        prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _end_with_parent(process: subprocess.Popen[bytes]) -> None:
    sys.stdin.read()
    _kill(process)
    os._exit(0)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)  # and what it started: it may be a script
        else:
            process.kill()


def _wait_until_loaded(process: subprocess.Popen[bytes], order: Mapping[str, Any], port: int, log: _Log) -> None:
    """Returns once the program serves to who has the key, and to nobody else."""
    while True:
        if process.poll() is not None:
            raise _NotStarted(find_reason(log.read_beginning(ended=True)) or f"it ended with {process.returncode}")
        if _ask_status(order, port, "/health", key=True) == http.client.OK:
            break
        time.sleep(STEP_SECONDS)
    if _ask_status(order, port, "/props", key=True) != http.client.OK:
        raise _NotStarted("it does not take the key that it was given")
    if _ask_status(order, port, "/props", key=False) != http.client.UNAUTHORIZED:
        raise _NotStarted("it answers without a key")


def _ask_status(order: Mapping[str, Any], port: int, path: str, *, key: bool) -> int | None:
    connection = http.client.HTTPConnection(order["host"], port, timeout=TELL_SECONDS)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {order['key']}"} if key else {})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None


def _quote_end(text: str) -> str:
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return f" ({last.strip()[:100]})" if last else ""
