"""A long run against an endpoint that fails in every way by chance: what is lost, how long it takes, what memory.

    python bench/soak.py [--documents 20000] [--at-once 64] [--latency 1.0] [--deadline 15]

Of the requests one in twenty is answered 500, one in twenty 429 with a second's rest, one in fifty is cut off, and one
in a hundred never answered. The ideal wall time is that of all answers, one after the other in each of the hands, with
the deadline for each that never came; with few documents the start of the process and the deadline of the last one that
never comes, which is waited for in any case, are a large part of the wall time, so both are told apart from it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crowd
import scene


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--deadline", type=float, default=15.0)
    flags = parser.parse_args()
    print(scene.machine())
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        crowd.write(root / "in", flags.documents)
        crowd.task(root / "task")
        began = time.time()
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "soak_server.py"), "--latency", str(flags.latency)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(scene.ROOT)},
        )
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        run = [sys.executable, "-m", "extractor", "run", str(root / "in"), "-o", str(root / "out"), "--quiet"]
        run += ["--task", str(root / "task"), "--model", "m", "--base-url", url, "--no-cache"]
        run += ["--concurrency", str(flags.at_once), "--document-timeout", str(flags.deadline)]
        started = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(scene.ROOT), "OPENAI_API_KEY": "none"}
        ran = subprocess.Popen(run, env=environment)
        _, status, usage = os.wait4(ran.pid, 0)
        wall = time.perf_counter() - started
        did = json.loads(server.communicate()[0])
        did["first"] -= began
        counts = json.loads((root / "out" / "run.json").read_text())["counts"]
    ideal = (
        flags.latency * (did["answers"] + did.get("cuts", 0) + did.get("errors", 0) / 2)
        + flags.deadline * did.get("hangs", 0)
    ) / flags.at_once
    print(
        f"exit {os.waitstatus_to_exitcode(status)}, {counts}, server {did}, CPU {usage.ru_utime + usage.ru_stime:.0f} s"
    )
    lost = flags.documents - counts.get("complete", 0)
    print(f"not complete {lost}, bar <= {did.get('hangs', 0)} (the hangs)")
    tail = flags.deadline if did.get("hangs") else 0.0
    share = (wall - did["first"] - tail) / ideal
    print(f"wall {wall:.0f} s, ideal {ideal:.0f} s: {wall / ideal:.2f}, bar <= 1.5")
    print(
        f"{did['first']:.0f} s were to the first request, {tail:.0f} s the last deadline; the rest / ideal {share:.2f}"
    )
    print(f"peak memory {usage.ru_maxrss / 1024:.0f} MB, bar <= 200")


if __name__ == "__main__":
    main()
