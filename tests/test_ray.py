"""Ray itself, in processes: a run is killed, goes on, and loses a node meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor.testing import FaultAnswer, FaultEndpoint, build_completion

pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = pytest.mark.xdist_group("ray")  # one cluster for all of them

KEY = "sk-fedcba9876543210fedcba98"
DOCUMENTS, HANDS = 36, 3


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home folder that Ray keeps its own in, and nothing of what is asked by default. Its path is short, as those of
    sockets have to be."""
    with (
        tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as short,
        pytest.MonkeyPatch.context() as patch,
    ):
        home = Path(short)
        patch.setenv("HOME", str(home))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_TMPDIR", str(home))
        yield home


@pytest.fixture(scope="module")
def cluster(home: Path) -> Iterator[Any]:
    """A head without processors, and two nodes of one each; all of it is gone after the last test."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        try:
            for _ in range(2):
                started.add_node(num_cpus=1)
            yield started
        finally:
            started.shutdown()
    left = subprocess.run(["pgrep", "-f", str(home)], capture_output=True, text=True).stdout.split()
    assert not left, "processes of Ray are left"


class Script:
    """Answers after a while, counts what was asked of each document, and does something at the n-th request."""

    def __init__(self) -> None:
        self.asked, self.seconds, self.keys = Counter[str](), 0.1, set[str]()
        self._at, self._then = 0, lambda: None
        self._lock = threading.Lock()

    def at(self, count: int, then: Callable[[], object]) -> None:
        self._at, self._then = self.asked.total() + count, then

    def __call__(self, body: dict[str, Any], n: int) -> FaultAnswer:
        word = next(w for w in body["messages"][-1]["content"].split() if w.startswith("number-"))
        with self._lock:
            self.asked[word] += 1
            if self.asked.total() == self._at:
                threading.Thread(target=self._then).start()
        return FaultAnswer(body=build_completion(json.dumps({"title": word})), sleep=self.seconds)


def test_a_killed_run_goes_on_over_a_lost_node_and_leaves_what_one_process_leaves(
    cluster: Any, home: Path, tmp_path: Path, repository: Path
) -> None:
    task, papers, script = tmp_path / "task", tmp_path / "in", Script()
    task.mkdir()
    papers.mkdir()
    (task / "schema.json").write_text(json.dumps({"type": "object", "properties": {"title": {"type": "string"}}}))
    (task / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n")
    for i in range(DOCUMENTS):
        (papers / f"paper-{i:03}.txt").write_text(f"The bolt number-{i} of a catalogue.\n")
    with FaultEndpoint(script) as server:

        def start(out: str, *more: str) -> subprocess.Popen[str]:
            words = ["run", "in", "-o", out, "--task", "task/", "--model", "m", "--base-url", server.url, "--quiet"]
            command = [sys.executable, "-m", "extractor", *words, "--concurrency", str(HANDS), *more]
            environ = {**os.environ, "PYTHONPATH": str(repository), "OPENAI_API_KEY": KEY}
            return subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True)

        def run(out: str, *more: str) -> None:
            process = start(out, *more)
            _, said = process.communicate()
            assert process.returncode == 0, said
            assert said == ""

        script.seconds = 0
        run("here", "--no-cache")
        script.asked.clear()
        script.seconds = 0.1

        first = start("there", "--on", cluster.address, "--max-requests", "1000")
        script.at(DOCUMENTS // 3, first.kill)
        first.communicate()
        assert first.returncode == -signal.SIGKILL
        killed = script.asked.total()
        assert killed < DOCUMENTS

        lost = next(iter(cluster.worker_nodes))
        script.at(DOCUMENTS // 3, lambda: cluster.remove_node(lost, allow_graceful=False))
        run("there", "--on", cluster.address, "--max-requests", "1000")

        assert set(script.asked) == {f"number-{i}" for i in range(DOCUMENTS)}
        assert script.asked.total() - DOCUMENTS <= 2 * HANDS + HANDS, "what was under way, twice"
        assert {h.get("authorization") for h in server.headers} == {f"Bearer {KEY}"}
    whole, other = _read(tmp_path / "here"), _read(tmp_path / "there")
    assert set(whole) == set(other)
    assert [name for name in whole if whole[name] != other[name] and name not in ("run.json", "journal.jsonl")] == []
    _assert_key_is_nowhere(home)


def _read(folder: Path) -> dict[str, bytes]:
    """Every result to the byte, but for what it took: replies of the run that was killed come from the cache."""
    usage = re.compile(rb'\n "usage": \{.*?\n \},', re.DOTALL)
    return {file.name: usage.sub(b"", file.read_bytes()) for file in folder.glob("*.json*")}


def _assert_key_is_nowhere(folder: Path) -> None:
    """No log of Ray's, no file of its session, and no environment of a process of its has the key."""
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if file.is_file():
                assert KEY.encode() not in file.read_bytes(), file
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes():
                assert KEY.encode() not in (process / "environ").read_bytes()
                assert KEY.encode() not in (process / "cmdline").read_bytes()
