"""Large documents are worked on in other processes: with the same result, and without holding anything up."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from extractor import extract
from extractor.documents.discovery import load_document
from extractor.errors import DocumentError, ModelFatal, ReplyCutShort
from extractor.extraction.pipeline import Reading
from extractor.extraction.task import Task, task_from_json_schema, task_from_model
from extractor.models.session import build_own_session
from extractor.models.traits import STRONG
from extractor.results.file import encode_part
from extractor.runs import apart, document, worker_process
from extractor.runs.bugs import describe_bug, format_trace
from extractor.runs.document import DocumentExtractor, build_extractor
from extractor.runs.finished import FinishedDocument
from extractor.runs.worker_messages import (
    DocumentJob,
    decode_job,
    decode_said,
    encode_job,
    encode_said,
    read_frame,
    read_requests,
    read_summary,
    write_frame,
)
from extractor.runs.worker_process import answer_jobs
from extractor.testing import ScriptedModel
from extractor.types import Document, Json, Model, Reply, Request, Span, Usage

ROW = {"type": "object", "properties": {"item": {"type": "string"}, "count": {"type": "integer"}}}
SCHEMA = {
    "title": "order",
    "type": "object",
    "properties": {"title": {"type": "string"}, "rows": {"type": "array", "items": ROW}},
}
BOLTS = [{"item": "bolt", "count": n} for n in range(1, 9)]
SAID = {"title": "Order 7", "rows": [*BOLTS, {"item": "none", "count": 0}]}
TEXT = "Order 7\n\n" + "".join(f"bolt {n}\n" for n in range(1, 40))


@pytest.fixture(autouse=True, scope="module")
def _ended() -> Iterator[None]:
    yield
    apart.close_workers()


def build(task: Task, model: Model, timeout: float | None = None) -> DocumentExtractor:
    return build_extractor(task, task.choose_prompt(None), build_own_session(model, 4), document_timeout=timeout)


def content(done: FinishedDocument) -> bytes:
    return done.result if isinstance(done.result, bytes) else encode_part(done.result)


def both_ways(
    task: Task, model: Model, page: Document, monkeypatch: pytest.MonkeyPatch
) -> tuple[FinishedDocument, FinishedDocument]:
    """What comes of the document here, and in a worker."""
    monkeypatch.setattr(document, "APART_FROM", 1 << 60)
    here = asyncio.run(build(task, model).extract(page))
    monkeypatch.setattr(document, "APART_FROM", 0)
    there = asyncio.run(build(task, model).extract(page))
    assert not isinstance(here.result, bytes) and isinstance(there.result, bytes)
    return here, there


@pytest.mark.parametrize("name", ["order.txt", "order.csv", "order.html"])
def test_a_worker_writes_what_would_be_written_here(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {"order.csv": "item,count\n" + TEXT.replace(" ", ","), "order.html": f"<p>{TEXT}<p hidden>bolt 3<p>bolt 4"}
    (tmp_path / name).write_text(lines.get(name, TEXT), encoding="utf-8")
    page = load_document(tmp_path / name)
    here, there = both_ways(task_from_json_schema(SCHEMA), ScriptedModel(SAID), page, monkeypatch)
    assert content(here) == content(there)
    assert here.summary == there.summary


def test_questions_that_are_asked_again_are_asked_by_way_of_the_worker_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> Any:
        if request.user.count("bolt") > 60:
            return ReplyCutShort("cut", text='{"title": "Order 7", "rows": [{"item": "bolt", "cou')
        return SAID

    page = Document("a.txt", f"{TEXT}\n\n{TEXT}")
    here, there = both_ways(task_from_json_schema(SCHEMA), ScriptedModel(answer), page, monkeypatch)
    assert content(here) == content(there)
    assert there.summary.members == {"title": "Order 7", "rows": 16}


class Checked(BaseModel):
    title: str

    @field_validator("title")
    @classmethod
    def is_short(cls, title: str) -> str:
        if os.getpid() != PARENT:
            raise ValueError("the rules of a task left the user's process")
        if len(title) > 3:
            raise ValueError("too long")
        return title


PARENT = os.getpid()


def test_the_rules_of_a_users_class_are_applied_in_the_users_process(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = both_ways(task_from_model(Checked), ScriptedModel(SAID), Document("a.txt", TEXT), monkeypatch)
    assert content(here) == content(there)
    assert "too long" in json.loads(content(there))["problems"][0]["message"]


def test_a_large_reply_about_a_small_document_is_read_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "APART_FROM", len(TEXT) + 100)
    done = asyncio.run(build(task_from_json_schema(SCHEMA), ScriptedModel(SAID)).extract(Document("a.txt", TEXT)))
    assert isinstance(done.result, bytes)
    assert done.summary.members == {"title": "Order 7", "rows": 8}


def test_what_is_said_twice_counts_too() -> None:
    besides = tuple((("title",), "a") for _ in range(5_000))
    assert apart.measure_outcome(Reply({"title": "b"}, Usage(1), 1, besides)) > 16_000


def test_from_python_a_large_document_gives_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "APART_FROM", 0)
    result = extract(TEXT, Checked, model=ScriptedModel(SAID))
    assert result.evidence.title.quote == "Order 7"


def test_a_step_that_takes_too_long_is_ended_and_the_next_document_has_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(document, "APART_FROM", 0)
    task, model = task_from_json_schema(SCHEMA), ScriptedModel(SAID)
    with pytest.raises(DocumentError, match="longer than") as told:
        asyncio.run(build(task, model, timeout=0.0001).extract(Document("a.txt", TEXT * 500)))  # slower than any timer
    assert told.value.reason == "too costly"
    assert asyncio.run(build(task, model).extract(Document("a.txt", TEXT))).summary.values > 0


def test_a_worker_that_ends_costs_its_document_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "APART_FROM", 0)
    task = task_from_json_schema(SCHEMA)

    def end_worker(request: Request) -> Json:
        for worker in apart._idle_workers:
            worker.kill()
            worker._process.wait()
        return SAID

    assert asyncio.run(build(task, ScriptedModel(end_worker)).extract(Document("a.txt", TEXT))).summary.values > 0
    monkeypatch.setattr(apart._Worker, "is_running", lambda self: True)
    with pytest.raises(DocumentError, match="brings the process down"):
        asyncio.run(build(task, ScriptedModel(end_worker)).extract(Document("a.txt", TEXT)))


def test_whoever_waits_for_a_worker_and_is_cancelled_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "APART_FROM", 0)
    one = build(task_from_json_schema(SCHEMA), ScriptedModel(SAID))
    ended: list[apart._Worker] = []
    kill, do_step, begun = apart._Worker.kill, apart._Worker.do_step, threading.Event()

    def begin_step(worker: apart._Worker, *rest: Any) -> Any:
        begun.set()
        return do_step(worker, *rest)

    monkeypatch.setattr(apart._Worker, "kill", lambda self: (ended.append(self), kill(self)))
    monkeypatch.setattr(apart._Worker, "do_step", begin_step)

    async def give_up() -> None:
        under_way = asyncio.ensure_future(one.extract(Document("a.txt", TEXT * 2000)))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        under_way.cancel()
        with pytest.raises(asyncio.CancelledError):
            await under_way

    asyncio.run(give_up())
    assert ended


def test_an_endpoint_that_refuses_everybody_ends_the_work_on_a_large_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "APART_FROM", 0)
    with pytest.raises(ModelFatal):
        asyncio.run(build(task_from_json_schema(SCHEMA), ScriptedModel(ModelFatal("no"))).extract(Document("a", TEXT)))


def test_an_error_of_ours_in_a_worker_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "APART_FROM", 0)
    task = task_from_json_schema(SCHEMA)
    session = build_own_session(ScriptedModel(SAID), 1)
    broken = DocumentExtractor(task, task.choose_prompt(None), session, {"extractor": 5})
    with pytest.raises(apart.WorkerFailed) as told:
        asyncio.run(broken.extract(Document("a.txt", TEXT)))
    assert "ValidationError" in str(describe_bug("a.txt", told.value)) and "Traceback" in format_trace(told.value)


class OwnPlaces:
    def locate(self, span: Span) -> list[dict[str, Json]]:
        return [{"page": 3}]


def test_a_document_of_classes_of_the_users_own_stays_in_the_users_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "APART_FROM", 0)
    page = Document("a.txt", TEXT, locations=OwnPlaces())
    done = asyncio.run(build(task_from_json_schema(SCHEMA), ScriptedModel(SAID)).extract(page))
    assert json.loads(content(done))["evidence"]["/title"]["spans"][0]["places"] == [{"page": 3}]


def a_job(text: str = TEXT) -> DocumentJob:
    task = task_from_json_schema(SCHEMA)
    one = build(task, ScriptedModel(SAID))
    return DocumentJob(Document("a.txt", text), Task("order", task.schema, {}), one.prompt, "m", one.reading, {})


def test_a_worker_answers_until_nothing_is_asked_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "MOST_MEMORY", 1 << 40)  # the process of the tests is larger
    said = {(0,): Reply(SAID, Usage(1, 2, 3))}
    asked, told = io.BytesIO(), io.BytesIO()
    for outcome in ({}, said):
        for frame in (*encode_job(a_job()), encode_said(outcome)):
            write_frame(asked, frame)
    asked.seek(0)
    answer_jobs(asked, told)
    told.seek(0)
    first, second = json.loads(read_frame(told) or b""), json.loads(read_frame(told) or b"")
    assert [request.label for request in read_requests(first["requests"]).values()] == ["a.txt 0 record"]
    assert read_summary(second["finished"]).usage == Usage(1, 2, 3)
    assert json.loads(read_frame(told) or b"")["record"]["title"] == "Order 7"
    assert read_frame(told) is None


def test_a_job_arrives_as_it_was_sent() -> None:
    known = replace(STRONG, refuses=frozenset({"seed", "temperature"}), sources={"window": "user"}, thinks=True)
    job = replace(a_job(), reading=Reading(known))
    sent = decode_job(*encode_job(job))
    assert (sent.document, sent.task.schema, sent.prompt, sent.reading) == (
        job.document,
        job.task.schema,
        job.prompt,
        job.reading,
    )


def test_what_was_said_arrives_with_what_was_said_besides() -> None:
    said = {(0, 1): Reply(SAID, Usage(1, 2, 3), said_besides=((("rows", 0, "sum"), 7),))}
    assert decode_said(encode_said(said)) == said


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
names = st.text(max_size=9)
anything = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=3))
fields = st.sampled_from(["model", "system", "user", "schema", "parameters", "grammar", "label", "values", "usage"])


@settings(deadline=None)
@given(anything | st.lists(st.tuples(anything, st.dictionaries(fields, anything))))
def test_what_a_worker_tells_is_taken_for_requests_or_a_summary_only_if_it_is(told: Any) -> None:
    for read in (read_requests, read_summary):
        try:
            found: Any = read(told)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        assert all(isinstance(request, Request) for request in found.values())


@given(st.binary(max_size=40))
def test_a_frame_that_is_torn_or_too_long_is_none(data: bytes) -> None:
    pipe = io.BytesIO(data)
    try:
        frame = read_frame(pipe, 16)
    except ValueError:
        return
    assert frame is None or len(frame) <= 16


class StubWorker:
    """A worker that has worked for so many seconds."""

    def __init__(self, worked: float | None) -> None:
        self.worked, self.killed = worked, False

    def measure_work(self) -> float | None:
        return self.worked

    def kill(self) -> None:
        self.killed = True


@pytest.mark.parametrize(
    ("worked", "waited", "ends"),
    [(3.0, 10.0, False), (9.95, 10.0, True), (None, 10.0, True), (3.0, 39.0, True)],
    ids=["others have the processor", "it has worked for its time", "nobody knows", "it waits for ever"],
)
def test_a_step_that_others_keep_from_working_has_time_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, worked: float | None, waited: float, ends: bool
) -> None:
    call = apart._Call(apart.ApartJob("a.txt", (b"", b""), lambda value: ()), {}, 10.0, 1)
    worker = StubWorker(worked)
    monkeypatch.setattr(call, "_worker", worker)
    monkeypatch.setattr(call, "_worked", 0.0)
    monkeypatch.setattr(call, "_begun", time.monotonic() - waited)
    waits: list[float] = []
    monkeypatch.setattr(call, "_wait", waits.append)
    call._look_at_time()
    assert (worker.killed, waits) == (ends, [] if ends else [7.0])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of work here")
def test_a_worker_that_works_for_long_steps_back_behind_all_others_and_does_no_other_document() -> None:
    asked = """
import os, time
from extractor.runs import worker_process
worker_process.SHORT_STEP = 0.05
back = worker_process._StepBack()
before, began = os.nice(0), time.monotonic()
back.watch()
assert not worker_process._is_worn(back)
while not back.is_done and time.monotonic() - began < 20:
    sum(range(1000))
print(os.nice(0) - before, worker_process._is_worn(back))
"""
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [str(worker_process.STEPPED_BACK), "True"]
