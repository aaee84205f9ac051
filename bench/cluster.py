"""Runs on a cluster of processes: the same bytes, more nodes, a node and a run that are killed, a bound that is held.

The cluster is Ray's own for tests: a head without processors, and nodes of one each, on this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import crowd
import scene

from extractor.testing import FaultAnswer, FaultEndpoint, build_completion

ROOT = Path(__file__).parent.parent


class Script:
    """Answers after a while, counts what was asked of each document, and calls `then` at the n-th request."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.asked, self.times = seconds, Counter[str](), list[float]()
        self._at, self._then = 0, lambda: None
        self._lock = threading.Lock()

    def reset(self, at: int = 0, then: Callable[[], object] = lambda: None) -> None:
        self.asked.clear()
        self.times.clear()
        self._at, self._then = at, then

    def __call__(self, body: dict[str, Any], n: int) -> FaultAnswer:
        word = next(w for w in body["messages"][-1]["content"].split() if w.startswith("number-"))
        with self._lock:
            self.asked[word] += 1
            self.times.append(time.monotonic())
            if self.asked.total() == self._at:
                threading.Thread(target=self._then).start()
        return FaultAnswer(body=build_completion(json.dumps({"title": word})), sleep=self.seconds)

    def measure_rate(self) -> float:
        """Requests a second in the middle half, in which all nodes have started and none has run out."""
        middle = self.times[len(self.times) // 4 : 3 * len(self.times) // 4]
        return (len(middle) - 1) / (middle[-1] - middle[0])


@contextlib.contextmanager
def open_cluster() -> Iterator[Any]:
    """A head without processors, and no node yet."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster  # which reads that

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()


class Bench:
    def __init__(self, root: Path, url: str, address: str, flags: argparse.Namespace) -> None:
        self.root, self.url, self.address, self.flags = root, url, address, flags
        self.missed: list[str] = []

    def hold(self, bar: str, is_held: bool) -> None:
        """Remembers a bar that was missed."""
        if not is_held:
            self.missed.append(bar)

    def start(self, out: str, *more: object) -> subprocess.Popen[str]:
        words = ["run", self.root / "in", "-o", self.root / out, "--task", self.root / "task", "--model", "m"]
        words += ["--base-url", self.url, "--concurrency", self.flags.hands, "--cache", self.root / f"cache-{out}"]
        command = [sys.executable, "-m", "extractor", *map(str, words), "--quiet", *map(str, more)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environ)

    def run(self, out: str, *more: object) -> int:
        with self.start(out, *more) as process:
            said = process.communicate()[1]
            if process.returncode not in (0, 1):
                print(said, file=sys.stderr)
            return process.returncode

    def run_on(self, out: str, *more: object) -> int:
        return self.run(out, "--on", self.address, *more)

    def read(self, out: str) -> dict[str, bytes]:
        files = (self.root / out).iterdir()
        return {f.name: f.read_bytes() for f in files if f.suffix in (".json", ".jsonl")}

    def compare(self, out: str) -> str:
        whole, other = self.read("local"), self.read(out)
        differing = [name for name, data in other.items() if data != whole.get(name)]
        wrong = sum(_cut_usage(whole[name]) != _cut_usage(other[name]) for name in differing if name in whole)
        lost = len(set(whole) - set(other))
        self.hold(f"{out}: nothing lost, nothing wrong", not lost and not wrong)
        return f"{lost} lost, {wrong} wrong, {len(differing)} of {len(whole)} files not the same to the byte"


def _cut_usage(data: bytes) -> bytes:
    """A result file but for what it took: a reply of a node that was lost may come from the cache. Of the journal and
    run.json, which sum that up, nothing."""
    if b'"extractor.result/' not in data[:100]:
        return b""
    return re.sub(rb'\n "usage": \{.*?\n \}', b"", data, flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--hands", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", choices=["same", "node", "run", "bound"], nargs="+")
    flags = parser.parse_args()
    wanted = flags.only or ["same", "node", "run", "bound"]
    print(scene.machine(), flush=True)
    script = Script(flags.seconds)
    with tempfile.TemporaryDirectory() as name, FaultEndpoint(script, keep=False) as server, open_cluster() as cluster:
        root = Path(name)
        crowd.write(root / "in", flags.documents)
        crowd.task(root / "task")
        bench = Bench(root, server.url, cluster.address, flags)
        script.seconds = 0
        bench.run("local", "--concurrency", 64)
        script.seconds = flags.seconds
        nodes = [cluster.add_node(num_cpus=1)]
        if "same" in wanted:
            _measure_same(bench, script, cluster, nodes)
        while len(nodes) < 3:
            nodes.append(cluster.add_node(num_cpus=1))
        if "node" in wanted:
            _measure_lost_node(bench, script, cluster, nodes)
        if "run" in wanted:
            _measure_lost_run(bench, script)
        if "bound" in wanted:
            _measure_bound(bench, script, cluster, nodes)
    if bench.missed:
        raise SystemExit(f"missed: {'; '.join(bench.missed)}")


def _measure_same(bench: Bench, script: Script, cluster: Any, nodes: list[Any]) -> None:
    rates = []
    for count in (1, 3):
        while len(nodes) < count:
            nodes.append(cluster.add_node(num_cpus=1))
        script.reset()
        code = bench.run_on(f"nodes-{count}")
        rates.append(script.measure_rate())
        print(
            f"{count} node(s): exit {code}, {bench.compare(f'nodes-{count}')}, {rates[-1]:.1f} requests/s", flush=True
        )
    print(f"3 nodes against 1: {rates[1] / rates[0]:.2f} times (bar 2.7)", flush=True)
    bench.hold("3 nodes against 1", rates[1] >= 2.7 * rates[0])


def _measure_lost_node(bench: Bench, script: Script, cluster: Any, nodes: list[Any]) -> None:
    def kill() -> None:
        cluster.remove_node(nodes.pop(), allow_graceful=False)

    script.reset(bench.flags.documents // 3, kill)
    code = bench.run_on("node-lost")
    twice = script.asked.total() - bench.flags.documents
    print(f"a node killed: exit {code}, {bench.compare('node-lost')}, {twice} asked twice (bar {bench.flags.hands})")
    bench.hold("a node killed: asked twice", twice <= bench.flags.hands)


def _measure_lost_run(bench: Bench, script: Script) -> None:
    process = bench.start("run-lost", "--on", bench.address)
    script.reset(bench.flags.documents // 3, lambda: os.kill(process.pid, signal.SIGKILL))
    process.communicate()
    code = bench.run_on("run-lost")
    twice = script.asked.total() - bench.flags.documents
    bar = 3 * bench.flags.hands
    print(
        f"the run killed and started again: exit {code}, {bench.compare('run-lost')}, {twice} asked twice (bar {bar})"
    )
    bench.hold("the run killed: asked twice", twice <= bar)


def _measure_bound(bench: Bench, script: Script, cluster: Any, nodes: list[Any]) -> None:
    for bound, most in (("--max-requests", bench.flags.documents // 2), ("--max-tokens", 200_000)):
        while len(nodes) < 3:
            nodes.append(cluster.add_node(num_cpus=1))

        def kill() -> None:
            cluster.remove_node(nodes.pop(), allow_graceful=False)

        script.reset(bench.flags.documents // 6, kill)
        code = bench.run_on(f"bound{bound}", bound, most)
        spent = script.asked.total() * (1 if bound == "--max-requests" else 15)
        print(f"{bound} {most}, a node killed: exit {code}, {spent} spent", flush=True)
        bench.hold(f"{bound}, a node killed", spent <= most)


if __name__ == "__main__":
    main()
