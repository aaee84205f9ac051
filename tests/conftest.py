"""Every test runs the real code with no network: sockets to anything but loopback are refused."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from extractor.documents.formats import sandbox
from extractor.testing import FaultEndpoint

REPOSITORY = Path(__file__).parent.parent
_SETTING_VARIABLES = ("OPENAI_BASE_URL", "SSL_CERT_FILE", "SSL_CERT_DIR")
_LOOPBACK = ("127.", "::1", "localhost")

# The same examples each time; `make soak` tries many more, and others each time.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.register_profile(
    "soak",
    deadline=None,
    max_examples=int(os.environ.get("EXTRACTOR_EXAMPLES", "1000")),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("soak" if "EXTRACTOR_EXAMPLES" in os.environ else "repeatable")


# What is made while tests are collected stays until the end, and searching it for garbage again and again finds none.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


# A shell that starts the tests in the background has them deaf to Ctrl-C, and with them the runs that they interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _measured_readers() -> Iterator[None]:
    """Lets coverage see the processes that read files: they start with an environment of their own, and are killed."""
    setting = os.environ.get("COVERAGE_PROCESS_CONFIG")
    if not setting:
        yield
        return

    def start(*command: Any, env: dict[str, str], **how: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(*command, env={**env, "COVERAGE_PROCESS_CONFIG": setting}, **how)

    kill = sandbox._ReaderProcess.close

    def close(reader: sandbox._ReaderProcess) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            reader._questions.close()
            reader._process.wait(10)
        kill(reader)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "FORKS", False)  # a fork that is confined can write no measurement
        patch.setattr(sandbox, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": start}))
        patch.setattr(sandbox._ReaderProcess, "close", close)
        yield
        sandbox.close_readers()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = str(address[0]) if isinstance(address, tuple) else "127.0.0.1"
        if not host.startswith(_LOOPBACK):
            raise RuntimeError(f"a test wanted to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for name in [one for one in os.environ if one.endswith(("_API_KEY", "_API_KEY_FILE")) or one in _SETTING_VARIABLES]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_replies_of_others(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paid replies and state are each test's own, and not the user's; no config file of the user's is read."""
    for name in ("cache", "config", "state"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path_factory.mktemp(name)))


@pytest.fixture
def faults() -> Iterator[Callable[..., FaultEndpoint]]:
    """Starts endpoints, as FaultEndpoint takes its arguments; they stop with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *script, **settings: stack.enter_context(FaultEndpoint(*script, **settings))


@pytest.fixture
def repository() -> Path:
    return REPOSITORY
