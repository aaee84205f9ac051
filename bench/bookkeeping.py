"""The memory that a run takes for its documents beside the work on them: lines that are read, and answered by nobody.

Two sizes, each in a process of its own, and what a million of them would take. What the work itself keeps is bounded
(caches of words, of some 16,000 each), and is not in it: bench/lines.py has both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import crowd

from extractor.documents.discovery import find_sources, read_source
from extractor.extraction.pipeline import Reading
from extractor.models.endpoint import Endpoint
from extractor.models.session import build_own_session
from extractor.results.manifest import build_run_manifest
from extractor.runs.document import DocumentExtractor
from extractor.runs.executor import Assignment, LocalExecutor, WorkedDocument
from extractor.runs.finished import RecordSummary
from extractor.runs.job import Job
from extractor.runs.output_folder import prepare_output_folder
from extractor.runs.runner import run_job
from extractor.runs.source_state import observe_source
from extractor.testing import ScriptedModel
from extractor.types import Status, Usage


class Instantly(LocalExecutor):
    """Reads a document, and has a result at once."""

    async def work(self, assignment: Assignment) -> WorkedDocument:
        document = read_source(assignment.source)
        seen = assignment.sighting or observe_source(assignment.source)
        summary = RecordSummary(Status.COMPLETE, 1, 0, 0, 0, "", Usage(1, 100, 10, None), {})
        return WorkedDocument(seen, document.sha256, "", b"{}\n", summary)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs=2, default=[20_000, 100_000])
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.inside:
        measure(Path(flags.inside[0]), int(flags.inside[1]))
        return
    peaks = []
    for count in flags.lines:
        with tempfile.TemporaryDirectory() as name:
            inside = [sys.executable, __file__, "--inside", name, str(count)]
            peaks.append(json.loads(subprocess.run(inside, check=True, stdout=subprocess.PIPE, text=True).stdout))
        print(f"{count:,} lines: {peaks[-1] / 2**20:.1f} MiB at most", flush=True)
    each = (peaks[1] - peaks[0]) / (flags.lines[1] - flags.lines[0])
    at_a_million = peaks[1] + each * (1_000_000 - flags.lines[1])
    print(f"{each:.0f} bytes a line, so {at_a_million / 2**20:.0f} MiB at 1 M (bar 200)")


def measure(root: Path, count: int) -> None:
    with (root / "lines.jsonl").open("w", encoding="utf-8") as file:
        for i in range(count):
            told = {"id": f"line-{i:07}", "text": f"The bolt number-{i} is made of steel.\n"}
            file.write(json.dumps(told) + "\n")
    task = crowd.task(root / "task")
    prompt = task.choose_prompt(None)
    manifest = build_run_manifest(task, prompt, Endpoint(crowd.URL, "m", "none"), Reading())
    extractor = DocumentExtractor(task, prompt, build_own_session(ScriptedModel({}), 8), manifest)
    prepare_output_folder(root / "out")
    job, sources = Job(extractor, root / "out"), find_sources([root / "lines.jsonl"])
    outcomes = asyncio.run(run_job(job, sources, None, Instantly(extractor, 8)))
    assert len(outcomes) == count
    print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
