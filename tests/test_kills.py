"""Runs that are killed at any moment and right before any change of the disk: nothing lost, little paid twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kennel
import pytest
from kennel import Kennel

from extractor.testing import FaultAnswer, FaultEndpoint, build_completion

pytestmark = pytest.mark.xdist_group("runs")  # they share a process to fork from, and measure time
KILLS = int(os.environ.get("EXTRACTOR_KILLS", "12"))
"""More of them in `make soak`."""
AT_ONCE = 8


@pytest.fixture(scope="module")
def runs() -> Iterator[Kennel]:
    with kennel.start() as started:
        yield started


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    schema = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}}
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n")
    return folder


def write(folder: Path, count: int) -> Path:
    folder.mkdir()
    for i in range(count):
        (folder / f"paper-{i:03}.txt").write_text(f"The bolt number-{i} of a catalogue.\n")
    return folder


def named(body: dict[str, Any]) -> str:
    """The word of the document that the record is about."""
    return next(w for w in body["messages"][-1]["content"].split() if w.startswith("number-"))


def records(out: Path) -> dict[str, Any]:
    """Every result but for what it cost: a reply may come from the cache of paid ones."""
    found = {}
    for file in sorted(out.glob("*.json")):
        content = json.loads(file.read_text())  # whole, at any moment
        if content["format"] == "extractor.result/1":
            found[file.name] = {k: v for k, v in content.items() if k not in ("usage", "manifest")}
    return found


def tidy(out: Path) -> bool:
    return not list(out.glob(".extractor-*")) and not (out / ".extractor.reserve").exists()


class Slow:
    """Answers after some ms, and counts what was asked of each document. A fuse is lit by the n-th request from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.asked, self._lock = seconds, Counter[str](), threading.Lock()
        self._left, self._fuse = 0, threading.Timer(0, print)

    def arm(self, requests: int, seconds: float, out: Path) -> threading.Timer:
        """Kills the run in the folder so many seconds after so many requests have arrived."""

        def kill() -> None:
            with contextlib.suppress(ValueError, OSError):  # it has ended already
                os.kill(int((out / ".extractor.lock").read_text()), signal.SIGKILL)

        self._left, self._fuse = requests, threading.Timer(seconds, kill)
        return self._fuse

    def __call__(self, body: dict[str, Any], n: int) -> FaultAnswer:
        with self._lock:
            self.asked[named(body)] += 1
            self._left -= 1
            if self._left == 0:
                self._fuse.start()
        return FaultAnswer(body=build_completion(json.dumps({"title": named(body)})), sleep=self.seconds)


Flags = Callable[[Path, Path, str], list[object]]


@pytest.fixture
def flags(task: Path, tmp_path: Path) -> Flags:
    def made(papers: Path, out: Path, url: str) -> list[object]:
        about = ["--task", task, "--model", "m", "--base-url", url, "--concurrency", AT_ONCE, "--quiet"]
        return ["run", papers, "-o", out, *about]

    return made


@pytest.mark.fault(24)
def test_kills_at_random_moments_lose_nothing_and_pay_little_twice(
    runs: Kennel, flags: Flags, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers, whole = write(tmp_path / "in", 120), tmp_path / "whole"
    moments = random.Random(24)
    killed = paid = rounds = 0
    while killed < KILLS:
        answer, out = Slow(0.05), tmp_path / f"out-{rounds}"
        rounds += 1
        with FaultEndpoint(answer) as server:
            met = _kills(runs, flags(papers, out, server.url), answer, moments, out)
            answer.seconds, answer._left = 0, 0
            assert runs.run(flags(papers, out, server.url)).code == 0
            asked = answer.asked.total()
            before = {file.name: file.read_bytes() for file in out.iterdir()}
            assert runs.run(flags(papers, out, server.url)).code == 0
            assert answer.asked.total() == asked, "a finished run asks nothing"
            assert {file.name: file.read_bytes() for file in out.iterdir()} == before
            if not whole.exists():
                assert runs.run(flags(papers, whole, server.url)).code == 0
        assert records(out) == records(whole)
        assert len(records(out)) == 120
        assert [d["status"] for d in json.loads((out / "run.json").read_text())["documents"]] == ["complete"] * 120
        assert tidy(out)
        assert met > 3, "the run was over before it could be killed"
        assert 120 < asked <= 120 + met * AT_ONCE
        killed, paid = killed + met, paid + asked
    twice = paid - rounds * 120
    with capsys.disabled():
        print(f"\n{killed} kills of {rounds} runs: {twice} requests paid twice (bound {killed * AT_ONCE})")


def _kills(runs: Kennel, command: list[object], answer: Slow, moments: random.Random, out: Path) -> int:
    """How often a run was killed at random moments before it got to its end."""
    for killed in range(120):
        fuse = answer.arm(moments.randint(1, 2 * AT_ONCE), moments.uniform(0, 0.1), out)
        ended = runs.run(command)
        fuse.cancel()
        assert ended.code in (-9, 0), ended.said
        records(out)
        if ended.code == 0:
            return killed
    raise AssertionError("the run never ends")


@pytest.mark.fault(25)
def test_a_kill_right_before_any_change_of_the_disk_leaves_a_folder_that_goes_on(
    runs: Kennel, flags: Flags, tmp_path: Path
) -> None:
    papers, out = write(tmp_path / "in", 2), tmp_path / "out-whole"
    answer = Slow(0)
    with FaultEndpoint(answer) as server:
        ended = runs.run(flags(papers, out, server.url), folder=out)
        assert ended.code == 0
        assert ended.changes > 10
        expected = records(out)
        for n in range(1, ended.changes + 1):
            out = tmp_path / f"out-{n}"
            answer.asked.clear()
            met = runs.run(flags(papers, out, server.url), folder=out, kill_at=n)
            # A run whose documents end in order puts no journal in order, and so has one change less.
            assert met.code == -9 or (met.code == 0 and met.changes >= ended.changes - 2)
            if out.exists():
                records(out)
                if (out / "run.json").exists():
                    json.loads((out / "run.json").read_text())
            assert runs.run(flags(papers, out, server.url)).code == 0
            assert records(out) == expected, f"after a kill before change {n}"
            assert answer.asked.total() <= 4
            assert tidy(out)
