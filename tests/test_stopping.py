"""What nobody waits for: large replies are read beside all else, and a signal ends a run though a file is read."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.openai import client, completion
from extractor.models.openai.client import LiveModel
from extractor.testing import FaultEndpoint
from extractor.types import Reply, Request

SHAPE = {"type": "object", "properties": {"item": {"type": ["string", "null"]}}, "required": ["item"]}


@pytest.mark.parametrize(("where", "name"), [(client, "read_reply"), (completion, "parse_completion")])
def test_others_go_on_while_a_large_reply_is_read(where: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it waits, here, for something that only the event loop can do."""
    begun, others_went_on = threading.Event(), threading.Event()
    read = getattr(where, name)

    def read_with_patience(*given: object) -> object:
        begun.set()
        assert others_went_on.wait(30), "the event loop stood still"
        return read(*given)

    monkeypatch.setattr(where, name, read_with_patience)

    async def go(url: str) -> Reply:
        model = LiveModel(Endpoint(url, "m", "none", dialect=Dialect.JSON))
        asking = asyncio.create_task(model.complete(Request("m", "s", "u", SHAPE, {})))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        others_went_on.set()
        reply = await asking
        await model.aclose()
        return reply

    with FaultEndpoint(lambda body, n: json.dumps({"item": "b" * 300_000})) as server:
        assert asyncio.run(go(server.url)).value == {"item": "b" * 300_000}


STOPPED = """
import asyncio, os, signal, threading
from extractor.runs.signals import run_until_signal

async def work(stop):
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    os.kill(os.getpid(), signal.SIGTERM)
    await stop.wait()
    return "left"

print(*run_until_signal(work), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(os.name != "posix", reason="no signals but those of POSIX")
def test_a_signal_ends_a_run_though_a_thread_does_not_end(repository: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", STOPPED],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )
    assert (ran.returncode, ran.stdout) == (0, "left 15\n"), ran.stderr
