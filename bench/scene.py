"""What the benchmarks share: the machine they ran on, a server in a process of its own, and rows of one form."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def machine() -> str:
    """Processor, cores, load of the last minute, Python: without them no figure below means anything."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"{name}, {os.cpu_count()} cores, {load}, Python {platform.python_version()}, {platform.system()}"


@contextmanager
def server(**flags: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Its address, and the counts, which are filled in when the block has ended."""
    counts: dict[str, Any] = {}
    words = [w for name, value in flags.items() for w in (f"--{name.replace('_', '-')}", str(value))]
    process = subprocess.Popen(
        [sys.executable, "-m", "extractor.testing.fault_endpoint", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), counts
        out, _ = process.communicate(timeout=60)
        counts.update(json.loads(out))
    finally:
        process.kill()


def row(name: str, figures: Sequence[float], bar: str, absolute: str, *, lower: bool) -> None:
    """One bar: the best and the median of the runs, as ratios, and the absolute figures of the best."""
    best = min(figures) if lower else max(figures)
    middle = statistics.median(figures)
    print(f"{name:44}  best {best:7.3f}  median {middle:7.3f}  bar {bar:9}  {absolute}")
