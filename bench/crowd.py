"""Many tiny documents, and a run over them that a plain function answers."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from extractor.documents.discovery import find_sources
from extractor.extraction.pipeline import Reading
from extractor.extraction.task import Task, load_task
from extractor.models.endpoint import Endpoint
from extractor.models.session import build_own_session
from extractor.results.manifest import build_run_manifest
from extractor.runs.document import DocumentExtractor
from extractor.runs.job import Job
from extractor.runs.output_folder import prepare_output_folder
from extractor.runs.runner import run_job
from extractor.testing import ScriptedModel

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


def run(papers: Path, out: Path, task: Task, at_once: int = 8) -> int:
    """Requests that one run over the folder made."""
    model, prompt = ScriptedModel({"title": "steel"}), task.choose_prompt(None)
    manifest = build_run_manifest(task, prompt, Endpoint(URL, "m", "none"), Reading())
    prepare_output_folder(out)
    job = Job(DocumentExtractor(task, prompt, build_own_session(model, at_once), manifest), out)
    asyncio.run(run_job(job, find_sources([papers])))
    return len(model.requests)
