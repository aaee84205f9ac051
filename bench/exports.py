"""How fast results are exported and how much memory that takes, at 1,000 and 10,000 results of some 12 kB.

    python bench/exports.py

Each figure is of a process of its own; beside each form stands reading and parsing the same lines and doing nothing
else, which no export can beat.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from extractor.results.export.export import EXPORT_FORMATS, export_runs
from extractor.results.export.reader import open_runs

FORMS = ("read", *EXPORT_FORMATS)


def result(number: int) -> str:
    text = "A line of a document, with some words in it. " * 120
    proof = {"match": "exact", "spans": [{"start": 2, "end": 6, "quote": "line"}], "said": "line", "confidence": None}
    lines = [{"item": f"item {i}", "count": i, "notes": ["a", "b"]} for i in range(10)]
    paths = ["/number", *(f"/lines/{i}/{name}" for i in range(10) for name in ("item", "count", "notes/0", "notes/1"))]
    spent = {"requests": 2, "input_tokens": 1000, "output_tokens": 300, "seconds": None}
    return json.dumps(
        {
            "format": "extractor.result/1",
            "document": {"name": f"{number}.txt", "sha256": "0" * 64, "characters": len(text), "text": text},
            "task": "orders",
            "status": "complete",
            "record": {"number": f"A-{number}", "lines": lines},
            "evidence": dict.fromkeys(paths, proof),
            "usage": {**spent, "groups": {"values": spent}},
            "manifest": {"extractor": "1", "model": {"name": "m"}, "prompt": {"name": "p"}},
        }
    )


def once(form: str, path: Path, target: Path) -> None:
    """Exports in this process, and prints seconds and the most memory it held in MB."""
    runs = open_runs([path])
    start = time.perf_counter()
    if form == "read":
        for _ in runs[0]:
            pass
    else:
        export_runs(runs, form, target)
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def main() -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}\n")
    print("| form | results | seconds | results/s | times reading | peak MB |")
    print("| --- | --: | --: | --: | --: | --: |")
    with tempfile.TemporaryDirectory() as room:
        for count in (1_000, 10_000):
            path = Path(room) / f"{count}.jsonl"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(result(i) + "\n" for i in range(count))
            reading = 0.0
            for form in FORMS:
                command = [sys.executable, __file__, form, str(path), str(Path(room) / f"{form}{count}")]
                seconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                reading = reading or seconds
                speed = f"{count / seconds:,.0f} | {seconds / reading:.1f}"
                print(f"| {form} | {count:,} | {seconds:.2f} | {speed} | {peak:.0f} |")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        once(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
