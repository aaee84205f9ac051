"""Ten documents beside one that costs all the time that it can get: how much later they are done than by themselves.

    python bench/beside_hostile.py [--runs 5] [--hostile 400000]

Each run is a pair: the ten alone, then the ten with the hostile one, which comes first. Measured is the time from the
start of the command to the last of the ten results; the run with the hostile one is ended by SIGTERM then, and the
seconds until it is gone are told. The bar is 1.1, and 2 s.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crowd
import scene
from hostile_texts import HONEST, HOSTILE

DOCUMENTS, CHARACTERS = 10, 12_000
MOST_SECONDS = 300.0


def run_ten(root: Path, url: str, name: str, extra: list[str]) -> tuple[float, float]:
    """Seconds until the ten results were there, and from SIGTERM to the end of the command."""
    out = root / name
    command = [sys.executable, "-m", "extractor", "run", *extra, str(root / "in"), "-o", str(out), "--quiet"]
    command += ["--task", str(root / "task"), "--model", "m", "--base-url", url, "--no-cache", "--concurrency", "16"]
    environment = {**os.environ, "PYTHONPATH": str(scene.ROOT), "OPENAI_API_KEY": "none"}
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        while len(list(out.glob("honest-*.json"))) < DOCUMENTS and time.monotonic() - began < MOST_SECONDS:
            time.sleep(0.01)
        done = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(MOST_SECONDS)
        return done - began, time.monotonic() - done
    finally:
        process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--hostile", type=int, default=400_000, help="characters of the hostile document")
    flags = parser.parse_args()
    print(scene.machine(), flush=True)
    ratios, ends = [], []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "in").mkdir()
        for number in range(DOCUMENTS):
            (root / "in" / f"honest-{number}.txt").write_text(HONEST["prose"](CHARACTERS), encoding="utf-8")
        hostile = root / "0-hostile.txt"
        hostile.write_text(HOSTILE["kanji and digits"](flags.hostile), encoding="utf-8")
        crowd.task(root / "task")
        for number in range(flags.runs):
            with scene.server(latency=flags.latency, content='{"title":"1.5"}') as (url, _):
                alone, _ = run_ten(root, url, f"alone-{number}", [])
                beside, end = run_ten(root, url, f"beside-{number}", [str(hostile)])
            ratios.append(beside / alone)
            ends.append(end)
            load = os.getloadavg()[0]
            print(f"  alone {alone:.2f} s, beside {beside:.2f} s, SIGTERM {end:.2f} s; load {load:.1f}", flush=True)
    said = f"median of {flags.runs}: {statistics.median(ratios):.2f}"
    scene.row("ten beside a hostile one / alone", ratios, "<= 1.1", said, lower=True)
    scene.row("seconds from SIGTERM to the end", ends, "<= 2", "", lower=True)


if __name__ == "__main__":
    main()
