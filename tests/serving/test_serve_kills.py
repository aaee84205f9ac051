"""A server that is killed while many send documents: what it accepted is there after the next start."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from running_server import ORDER

from extractor.testing import FaultAnswer, FaultEndpoint, build_completion
from extractor.types import Json

UPLOADS = int(os.environ.get("EXTRACTOR_UPLOADS", "48"))
"""More of them in `make soak`."""
KILLS = max(1, UPLOADS // 48)
AT_ONCE = UPLOADS
HOSTILE = {
    "broken.pdf": b"%PDF-1.7\n1 0 obj\n<< /Pages 1 0 R >>",
    "none.docx": b"PK\x03\x04" + bytes(200),
    "program.xlsx": b"\x7fELF" + bytes(500),
    "blank.txt": b" \n",
    "lines.jsonl": b'{"text": "a"}\n{"text": "b"}\n',
    "../../up.csv": b"a,b\n" + b",".join([b"x"] * 5000),
}

pytestmark = pytest.mark.xdist_group("runs")


def answer(body: dict[str, Any], n: int) -> FaultAnswer:
    words = body["messages"][-1]["content"].split()
    number = next((word for word in words if word.startswith("N-")), None)
    told: Json = {"number": number}
    return FaultAnswer(body=build_completion(json.dumps(told)), sleep=0.02)


@dataclass
class Sender:
    """Documents on their way to a server that may be gone at any moment: each is sent until it is accepted."""

    client: httpx2.Client
    accepted: dict[str, str] = field(default_factory=dict)
    """Of each document its job."""

    def send(self, number: int) -> None:
        name = f"doc-{number}.txt"
        content = f"Order N-{number} of bolts".encode()
        if number % 4 == 0:
            name, content = list(HOSTILE.items())[number // 4 % len(HOSTILE)]
        headers = {"Prefer": "respond-async", "Idempotency-Key": f"document-{number}"}
        for _ in range(400):
            with contextlib.suppress(httpx2.HTTPError):
                told = self.client.post("/extract", files={"file": (name, content)}, headers=headers)
                if told.status_code in (200, 202):
                    before = self.accepted.setdefault(str(number), told.headers["location"])
                    assert before == told.headers["location"]
                    return
                assert told.status_code in (429, 503), told.text
            time.sleep(0.2)
        raise AssertionError(f"{name} is never accepted")


@contextlib.contextmanager
def started(folder: Path, schema: Path, url: str, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "extractor", "serve", "--schema", str(schema), "--model", "m"]
    command += ["--base-url", url, "--no-cache", "--jobs", str(folder), "--port", str(port), "--rate", "100000"]
    environ = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")} | {"OPENAI_API_KEY": "k"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ)
    try:
        assert process.stderr is not None
        assert "Listening at" in process.stderr.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def wait_for(client: httpx2.Client, where: str) -> dict[str, Any]:
    for _ in range(600):
        told = client.get(where, headers={"Prefer": "wait=5"})
        assert told.status_code == 200, f"{where} is lost: {told.text}"
        if told.json()["state"] == "done":
            found: dict[str, Any] = told.json()
            return found
    raise AssertionError(f"{where} is never done")


def test_no_job_is_lost_when_the_server_is_killed_among_uploads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, schema, moments = tmp_path / "jobs", tmp_path / "order.json", random.Random(20)
    schema.write_text(json.dumps(ORDER))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    limits = httpx2.Limits(max_connections=AT_ONCE)
    sender = Sender(httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits))
    marks = sorted(moments.sample(range(UPLOADS // 6, UPLOADS - UPLOADS // 6), KILLS))
    with sender.client, FaultEndpoint(answer) as model, ThreadPoolExecutor(AT_ONCE) as crowd:
        sent = [crowd.submit(sender.send, number) for number in range(UPLOADS)]
        for mark in marks:
            with started(folder, schema, model.url, port) as server:
                while len(sender.accepted) < mark:
                    time.sleep(0.005)
                time.sleep(moments.uniform(0, 0.05))
                server.send_signal(signal.SIGKILL)
                server.wait()
        with started(folder, schema, model.url, port) as server:
            for one in sent:
                one.result(120)
            done = {number: wait_for(sender.client, where) for number, where in sender.accepted.items()}
            threading.Timer(0.1, server.send_signal, [signal.SIGTERM]).start()
            assert server.wait(20) == 0, "it stops of itself when it is asked to"
    assert len(done) == UPLOADS == len(list((folder / "jobs").iterdir())), "each document is one job, and none is lost"
    for number, job in done.items():
        if int(number) % 4:
            assert job["result"]["record"] == {"number": f"N-{number}"}, "each has its own record"
        else:
            assert job["status"] in ("failed", "complete", "suspect", "incomplete")
    assert not list((folder / "documents").iterdir())
    with capsys.disabled():
        print(f"\n{UPLOADS} uploads, {AT_ONCE} at once, {KILLS} kills: {UPLOADS - len(done)} jobs lost")
