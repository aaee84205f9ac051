"""A second run over documents that are finished: how many a second, and that nothing is asked."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crowd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        crowd.write(root / "in", flags.documents)
        task = crowd.task(root / "task")
        started = time.perf_counter()
        asked = crowd.run(root / "in", root / "out", task)
        print(f"first run: {time.perf_counter() - started:.1f} s, {asked:,} requests of {flags.documents:,} documents")
        # nobody listens there: one request, and the run would fail
        command = [sys.executable, "-m", "extractor", "run", root / "in", "-o", root / "out", "--task", root / "task"]
        command += ["--model", "m", "--base-url", crowd.URL, "--quiet"]
        took = []
        for _ in range(flags.times):
            started = time.perf_counter()
            subprocess.run(list(map(str, command)), check=True, cwd=Path(__file__).parent.parent)
            took.append(time.perf_counter() - started)
    best, median = min(took), statistics.median(took)
    print(f"rerun, the whole command: best {best:.2f} s, median {median:.2f} s; bar 2,000 documents/s")
    print(
        f"{flags.documents / best:,.0f} documents/s at best, {flags.documents / median:,.0f} in the median, 0 requests"
    )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
