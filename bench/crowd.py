"""Many tiny documents, and a run over them that a plain function answers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from extractor.documents.discovery import find_sources
from extractor.extraction.task import Task, load_task
from extractor.models.openai.client import Endpoint
from extractor.results.manifest import build_run_manifest
from extractor.runs.job import Job
from extractor.runs.output_folder import prepare_output_folder
from extractor.runs.runner import run_job
from extractor.types import Document, Model, Reply, Request, Usage

URL = "http://127.0.0.1:9/v1"
"""The discard port: nobody listens there."""


def write(folder: Path, count: int) -> None:
    for i in range(count):
        if i % 1000 == 0:
            part = folder / f"{i // 1000:03}"
            part.mkdir(parents=True)
        (part / f"{i:06}.txt").write_text(f"The bolt number-{i} is made of steel.\n", encoding="utf-8")


def task(folder: Path) -> Task:
    folder.mkdir()
    schema = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}}
    (folder / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n", encoding="utf-8")
    return load_task(str(folder))


class Function:
    asked = 0

    async def complete(self, request: Request) -> Reply:
        self.asked += 1
        await asyncio.sleep(0)
        return Reply({"title": "steel"}, Usage(1, 10, 5, 0.0))

    @asynccontextmanager
    async def open(self, _: Document) -> AsyncIterator[Model]:
        yield self


def run(papers: Path, out: Path, task: Task, at_once: int = 8) -> int:
    """Requests that one run over the folder made."""
    model, prompt = Function(), task.choose_prompt(None)
    manifest = build_run_manifest(task, prompt, Endpoint(URL, "m", "none"))
    prepare_output_folder(out)
    job = Job(task, prompt, "m", manifest, out, model.open, at_once)
    asyncio.run(run_job(job, find_sources([papers])))
    return model.asked
