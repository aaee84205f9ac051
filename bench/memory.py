"""The memory of a run over many tiny documents, and of its rerun: each in a process of its own."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crowd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.inside:
        from extractor.extraction.task import load_task

        papers, out, task = map(Path, flags.inside)
        started = time.perf_counter()
        asked = crowd.run(papers, out, load_task(str(task)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{asked:,} requests, {time.perf_counter() - started:.1f} s, {peak:.0f} MiB at most", flush=True)
        return
    for count in flags.documents:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            crowd.write(root / "in", count)
            crowd.task(root / "task")
            for what in ("first run", "rerun"):
                print(f"{count:,} documents, {what}: ", end="", flush=True)
                inside = [sys.executable, __file__, "--inside", root / "in", root / "out", root / "task"]
                subprocess.run(list(map(str, inside)), check=True)
    print(f"bar: 300 MiB. {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
