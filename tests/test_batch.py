"""Runs whose questions go by batch: asked once whatever crashes, taken in whatever comes back, and half the price."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_server import BatchServer, answer_order, build_completion

from extractor.cli.main import main
from extractor.models.batch.choice import open_batches
from extractor.models.batch.connection import BatchConnection
from extractor.models.batch.interface import BatchLimits, BatchState, Submission
from extractor.models.batch.openai_files import MistralBatches, TogetherBatches
from extractor.models.endpoint import Endpoint
from extractor.runs.batch import desk, rounds

SCHEMA = {"type": "object", "properties": {"number": {"type": ["string", "null"]}}}
MANY = 1000 if os.environ.get("EXTRACTOR_SOAK") else 100
"""Requests of the batches that crash."""


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(answer_order) as one:
        yield one


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(desk, "LONGEST_PAUSE", 0.05)


class Case:
    """Documents, a schema, and the command that reads them."""

    def __init__(self, folder: Path, many: int) -> None:
        self.folder, self.out = folder, folder / "out"
        (folder / "s.json").write_text(json.dumps(SCHEMA))
        (folder / "docs").mkdir()
        for n in range(many):
            (folder / "docs" / f"d{n:04}.txt").write_text(f"Order A{n} of many.")

    def arguments(self, server: BatchServer, *more: str) -> list[str]:
        return [
            *("run", str(self.folder / "docs"), "--schema", str(self.folder / "s.json"), "-o", str(self.out)),
            *("--model", "gpt-5-mini", "--base-url", server.url, "--cache", str(self.folder / "cache"), *more),
        ]

    def run(self, server: BatchServer, *more: str) -> int:
        return main(self.arguments(server, *more))

    def start(self, server: BatchServer, *more: str) -> subprocess.Popen[bytes]:
        """The same in a process of its own, which can be killed."""
        environ = {**os.environ, "OPENAI_API_KEY": "none"}
        command = [sys.executable, "-m", "extractor", *self.arguments(server, *more)]
        return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def numbers(self) -> dict[str, Any]:
        results = [json.loads(path.read_text()) for path in self.out.glob("d*.json")]
        return {one["document"]["name"]: one["record"]["number"] for one in results}

    def expected(self) -> dict[str, str]:
        return {path.name: f"A{int(path.stem[1:])}" for path in (self.folder / "docs").iterdir()}


def build_case(folder: Path, many: int = 10) -> Case:
    return Case(folder, many)


def test_a_batch_is_submitted_then_pending_then_a_whole_run(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    server.slow = 2
    assert case.run(server, "--batch") == 4
    assert not list(case.out.glob("d*.json"))
    assert case.run(server, "--batch") == 4
    assert case.run(server, "--batch") == 0
    assert case.numbers() == case.expected()
    assert server.live == 1 and len(server.asked) == len(set(server.asked)) == 9
