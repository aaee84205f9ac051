"""Lines of JSON on a server of no latency: CPU for each, and the most memory, for two sizes and so for a million."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crowd
import scene

from extractor.documents.discovery import find_sources
from extractor.extraction.task import load_task
from extractor.models.choice import choose_model
from extractor.models.client_options import ClientOptions
from extractor.models.session import open_session
from extractor.runs.document import build_extractor
from extractor.runs.job import Job
from extractor.runs.output_folder import prepare_output_folder
from extractor.runs.runner import run_job

WARM = 100
"""Lines that are done before anything is counted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs=2, default=[5_000, 20_000])
    parser.add_argument("--replies", action="store_true", help="keep replies in a cache, too, as runs do by themselves")
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.inside:
        root, count, url = flags.inside
        measure(Path(root), int(count), url, flags.replies)
        return
    print(scene.machine(), flush=True)
    told: list[dict[str, float]] = []
    with scene.server(content='{"title": "steel"}') as (url, _), tempfile.TemporaryDirectory() as name:
        crowd.task(Path(name) / "task")
        for count in flags.lines:
            inside = [sys.executable, __file__, "--inside", name, str(count), url]
            inside += ["--replies"] if flags.replies else []
            told.append(json.loads(subprocess.run(inside, check=True, stdout=subprocess.PIPE, text=True).stdout))
            print(
                f"{count:,} lines: {told[-1]['cpu']:.2f} ms of CPU a line (bar 4), {told[-1]['peak']:.1f} MiB",
                flush=True,
            )
    each = (told[1]["peak"] - told[0]["peak"]) / (flags.lines[1] - flags.lines[0])
    at_a_million = told[1]["peak"] + each * (1_000_000 - flags.lines[1])
    print(f"{2**20 * each:.0f} bytes a line, so {at_a_million:.0f} MiB at 1 M (bar 200)")


def measure(root: Path, count: int, url: str, keeps_replies: bool) -> None:
    lines, out = root / f"lines-{count}.jsonl", root / f"out-{count}"
    with lines.open("w", encoding="utf-8") as file:
        for i in range(count):
            told = {"id": f"line-{i:07}", "text": f"The bolt number-{i} is made of steel.\n"}
            file.write(json.dumps(told) + "\n")
    task = load_task(str(root / "task"))
    sources = find_sources([lines])
    prepare_output_folder(out)
    choice = choose_model("m", url, {})
    client = ClientOptions(cache=root / f"replies-{count}" if keeps_replies else None)
    with open_session(choice, client) as session:
        job = Job(build_extractor(task, task.choose_prompt(None), session), out)
        asyncio.run(run_job(job, sources[:WARM]))
        before = time.process_time()
        asyncio.run(run_job(job, sources))
        spent = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": 1000 * spent / (count - WARM), "peak": peak}))


if __name__ == "__main__":
    main()
