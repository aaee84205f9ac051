import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extractor.documents.discovery import find_sources
from extractor.errors import ModelFatal
from extractor.extraction.pipeline import Reading
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.client_options import ClientOptions
from extractor.models.endpoint import Endpoint
from extractor.models.session import ModelSession, build_own_session
from extractor.models.traits import SMALL
from extractor.runs.document import DocumentExtractor
from extractor.runs.job import Job
from extractor.runs.runner import compute_exit_code, run_job
from extractor.schema.reader import read_schema
from extractor.testing import FaultAnswer, FaultEndpoint, ScriptedModel, build_completion
from extractor.types import Json, Model, Request, Status

SCHEMA = read_schema({"type": "object", "properties": {"title": {"type": "string"}}})
PROMPT = Prompt("p", "s", "{document}{question}", {}, Strategy())


async def answer(request: Request) -> Json:
    await asyncio.sleep(0.02 if "slow" in request.user else 0)
    return ModelFatal("no key") if "fatal" in request.user else {"title": "word"}


def job(out: Path, at_once: int = 1, model: Model | None = None) -> Job:
    out.mkdir(exist_ok=True)
    session = build_own_session(model or ScriptedModel(answer), at_once)
    return Job(DocumentExtractor(Task("t", SCHEMA, {}), PROMPT, session, {}), out)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def test_results_are_in_the_order_of_the_sources_whatever_finishes_first(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a="slow word", b="word", c="word", d="slow word")
    outcomes = asyncio.run(run_job(job(tmp_path / "out", 4), find_sources([folder])))
    assert [o.name for o in outcomes] == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert compute_exit_code(outcomes) == 0


def test_questions_about_a_document_wait_for_each_other_where_one_place_answers_them(tmp_path: Path) -> None:
    two = {"x-group": "one"}, {"x-group": "two"}
    schema = {"type": "object", "properties": {n: {"type": "string", **g} for n, g in zip("ab", two, strict=True)}}
    most: list[tuple[int, int]] = []
    asked: list[str] = []

    async def count(request: Request) -> Json:
        document = request.label.split()[0]
        asked.append(document)
        most.append((len(asked), asked.count(document)))
        await asyncio.sleep(0.01)
        asked.remove(document)
        return {}

    folder = write(tmp_path / "in", a="word", b="word", c="word")
    for in_turn, of_one in ((True, 1), (False, 2)):
        most.clear()
        out = tmp_path / str(in_turn)
        out.mkdir()
        model = ScriptedModel(count)
        session = ModelSession(
            Endpoint("", "m", "none"), ClientOptions(concurrency=2), in_turn=in_turn, own_model=model
        )
        task = Task("t", read_schema(schema), {})
        this = Job(DocumentExtractor(task, PROMPT, session, {}, reading=Reading(SMALL)), out)
        asyncio.run(run_job(this, find_sources([folder])))
        assert len(most) == 6
        assert (max(all_of for all_of, _ in most), max(one for _, one in most)) == (2, of_one)


def test_a_file_of_another_kind_is_a_failed_document_and_not_a_silent_gap(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a="word")
    (folder / "b.exe").write_text("<p>word</p>", encoding="utf-8")
    outcomes = asyncio.run(run_job(job(tmp_path / "out"), find_sources([folder])))
    assert [o.status for o in outcomes] == [Status.COMPLETE, Status.FAILED]
    assert json.loads((tmp_path / "out" / "b.json").read_text())["error"]["reason"] == "not read"
    assert compute_exit_code(outcomes) == 1


def test_a_fatal_error_ends_the_run_and_what_was_written_stays(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a="word", b="fatal", c="word")
    with pytest.raises(ModelFatal):
        asyncio.run(run_job(job(tmp_path / "out"), find_sources([folder])))
    assert json.loads((tmp_path / "out" / "a.json").read_text())["status"] == "complete"
    assert not (tmp_path / "out" / "c.json").exists()
    assert [d["name"] for d in json.loads((tmp_path / "out" / "run.json").read_text())["documents"]] == ["a.txt"]


def test_what_ended_a_run_is_said_though_its_summary_cannot_be_written_either(tmp_path: Path) -> None:
    folder, out = write(tmp_path / "in", a="word", b="fatal"), tmp_path / "out"

    def spoil(request: Request) -> Json:
        if "fatal" not in request.user:
            return {"title": "word"}
        (out / "run.json").mkdir()
        return ModelFatal("no key")

    with pytest.raises(ModelFatal, match="no key"):
        asyncio.run(run_job(job(out, model=ScriptedModel(spoil)), find_sources([folder])))
    assert json.loads((out / "a.json").read_text())["status"] == "complete"


def test_ctrl_c_keeps_finished_records_and_exits_130(tmp_path: Path) -> None:
    task = write(tmp_path / "task")
    (task / "schema.json").write_text(json.dumps(SCHEMA.source), encoding="utf-8")
    (task / "p.md").write_text("# system\nx\n# user\n{document}{question}", encoding="utf-8")
    folder = write(tmp_path / "in", a="word", b="slow word", c="word")
    out = tmp_path / "out"

    def answer(body: dict[str, object], n: int) -> FaultAnswer:
        return FaultAnswer(body=build_completion('{"title": "word"}'), sleep=5 if "slow" in json.dumps(body) else 0)

    with FaultEndpoint(answer) as server:
        flags = ["-o", out, "--task", task, "--model", "m", "--base-url", server.url, "--concurrency", 1]
        command = [sys.executable, "-m", "extractor", "run", folder, *flags]
        process = subprocess.Popen(list(map(str, command)), env={**os.environ, "CI": ""}, stderr=subprocess.PIPE)
        while not (out / "a.json").exists():
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"what was finished is kept" in said and b"Traceback" not in said
    assert json.loads((out / "a.json").read_text())["status"] == "complete"
    assert [d["name"] for d in json.loads((out / "run.json").read_text())["documents"]] == ["a.txt"]
    assert not list(out.glob("*.tmp"))
