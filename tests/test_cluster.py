"""Runs whose documents are done on nodes: the same results, whatever is lost on the way; Ray is a double here."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from extractor.documents.discovery import find_sources
from extractor.errors import BudgetSpent, MachineError, ModelFatal
from extractor.extraction.task import load_task
from extractor.models.choice import choose_model
from extractor.models.client_options import ClientOptions
from extractor.models.limits.budget import BudgetLimits
from extractor.models.session import open_session
from extractor.results.outcome import RunOutcomes
from extractor.runs.cluster import node as nodes
from extractor.runs.cluster.connection import ClusterNode
from extractor.runs.cluster.executor import ClusterExecutor, ClusterOptions
from extractor.runs.document import build_extractor
from extractor.runs.job import Job
from extractor.runs.runner import run_job
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion
from extractor.types import Status

RULES = """
from pydantic import BaseModel, field_validator

class Record(BaseModel):
    title: str | None = None

    @field_validator("title")
    @classmethod
    def is_even(cls, title):
        if title and int(title.partition("-")[2]) % 2:
            raise ValueError("odd")
        return title
"""
"""A task with rules that are code, and in no module that a node could import."""


class ActorLost(Exception):
    """As Ray has it for an actor whose node or process is gone."""


class DoubleActor:
    """A node's worker in this process, whose calls all fail from when it is lost."""

    def __init__(self, cluster: DoubleCluster, machine: ClusterNode) -> None:
        self._worker, self._lost, self.machine = nodes.NodeWorker(), asyncio.Event(), machine
        self._cluster = cluster

    def lose(self) -> None:
        self._lost.set()

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=lambda *arguments: asyncio.ensure_future(self._call(name, arguments)))

    async def _call(self, name: str, arguments: tuple[bytes, ...]) -> Any:
        if self._cluster.poison and name == "work" and self._cluster.poison in arguments[0]:
            self.lose()
        call = asyncio.ensure_future(getattr(self._worker, name)(*arguments))
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({call, lost}, return_when=asyncio.FIRST_COMPLETED)
            if self._lost.is_set():
                raise ActorLost
            await self._cluster.on_call(self, name)
            return call.result()
        finally:
            call.cancel()
            lost.cancel()


class DoubleCluster:
    """Machines that come and go. `on_call` is told of each call that ended, and may lose the actor by it."""

    def __init__(self, *names: str) -> None:
        self.machines = [ClusterNode(name, name, 1, 0) for name in names]
        self.actors: list[DoubleActor] = []
        self.wanted: list[int] = []
        self.poison = b""
        """What is in an assignment under which a worker ends."""
        self.on_call: Callable[[DoubleActor, str], Awaitable[None]] = self._do_nothing
        exceptions = SimpleNamespace(RayError=ActorLost)
        self.ray = SimpleNamespace(exceptions=exceptions, kill=lambda actor: actor.lose())

    async def _do_nothing(self, actor: DoubleActor, name: str) -> None:
        pass

    def list_nodes(self) -> list[ClusterNode]:
        return list(self.machines)

    def start_worker(self, node: ClusterNode, *, owns_node: bool) -> DoubleActor:
        self.actors.append(DoubleActor(self, node))
        return self.actors[-1]

    def want_nodes(self, count: int) -> None:
        self.wanted.append(count)

    def lose(self, machine: str) -> None:
        """The machine goes, and all that is on it."""
        self.machines = [one for one in self.machines if one.id != machine]
        for actor in self.actors:
            if actor.machine.id == machine:
                actor.lose()


class Server:
    """Answers after some ms, and counts what was asked of each document."""

    def __init__(self) -> None:
        self.asked, self.seconds = Counter[str](), 0.01

    def __call__(self, body: dict[str, Any], n: int) -> FaultAnswer:
        word = next(w for w in body["messages"][-1]["content"].split() if w.startswith("number-"))
        self.asked[word] += 1
        usage = {"prompt_tokens": 400, "completion_tokens": 600, "total_tokens": 1000}
        return FaultAnswer(body=build_completion(json.dumps({"title": word}), usage=usage), sleep=self.seconds)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(40):
        (folder / f"paper-{i:03}.txt").write_text(f"The bolt number-{i} of a catalogue.\n")
    (folder / "paper-bad.txt").write_bytes(b"")
    lines = [json.dumps({"id": f"line-{i}", "text": f"A line about number-{i + 100} ."}) for i in range(10)]
    (folder / "lines.jsonl").write_text("\n".join(lines))
    return folder


class Bench:
    """Runs over one folder of papers."""

    def __init__(self, root: Path, papers: Path, endpoint: FaultEndpoint, server: Server) -> None:
        self.root, self.papers, self.endpoint, self.server = root, papers, endpoint, server
        task = root / "task"
        task.mkdir()
        (task / "schema.py").write_text(RULES)
        (task / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n")
        self.task = load_task(task)
        self.notes: list[str] = []

    def run(self, out: str, cluster: DoubleCluster | None = None, per_node: int = 1, **how: Any) -> RunOutcomes:
        folder = self.root / out
        folder.mkdir(exist_ok=True)
        choice = choose_model("m", self.endpoint.url, {"OPENAI_API_KEY": "sk-0123456789abcdef"})
        how = {"concurrency": 4, **how}
        client = ClientOptions(note=self.notes.append, **how)

        async def work(job: Job) -> RunOutcomes:
            options = ClusterOptions(cluster, choice, client, per_node, 3) if cluster else None  # type: ignore[arg-type]
            executor = ClusterExecutor(job.extractor, options) if options else None
            return await run_job(job, find_sources([self.papers]), None, executor)

        with open_session(choice, client, elsewhere=cluster is not None) as session:
            extractor = build_extractor(self.task, self.task.choose_prompt(None), session)
            return asyncio.run(work(Job(extractor, folder)))

    def read(self, out: str) -> dict[str, bytes]:
        return {f.name: f.read_bytes() for f in (self.root / out).iterdir() if f.name != ".extractor.lock"}


@pytest.fixture
def bench(tmp_path: Path, papers: Path, faults: Callable[..., FaultEndpoint], monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("extractor.runs.cluster.executor.LOOK_SECONDS", 0.02)
    server = Server()
    return Bench(tmp_path, papers, faults(server), server)


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c")])
def test_nodes_leave_what_one_process_leaves_to_the_last_byte(bench: Bench, names: tuple[str, ...]) -> None:
    here = bench.run("here")
    there = bench.run("there", cluster := DoubleCluster(*names))
    assert bench.read("there") == bench.read("here")
    assert there.tally == here.tally
    assert there.tally.counts[Status.SUSPECT] > 10, "the task's own rules were applied"
    assert len(cluster.actors) == len(names)
    assert cluster.wanted == [3, 0]


def test_a_run_on_nodes_goes_on_where_one_here_ended_and_the_other_way_round(bench: Bench) -> None:
    bench.run("out")
    before, asked = bench.read("out"), bench.server.asked.total()
    for cluster in (DoubleCluster("a"), None):
        bench.run("out", cluster)
        assert bench.read("out") == before
    assert bench.server.asked.total() == asked


def test_a_lost_machine_costs_what_was_under_way_there_and_another_takes_its_place(bench: Bench) -> None:
    cluster = DoubleCluster("a", "b")
    done = Counter[str]()

    async def lose_one(actor: DoubleActor, name: str) -> None:
        done[name] += 1
        if name == "work" and done[name] == 15:
            cluster.lose("b")
            cluster.machines.append(ClusterNode("c", "c", 1, 0))

    cluster.on_call = lose_one
    bench.run("here")
    asked = bench.server.asked.total()
    bench.run("there", cluster)
    assert bench.read("there") == bench.read("here")
    assert bench.server.asked.total() - 2 * asked <= 4
    assert {actor.machine.id for actor in cluster.actors} == {"a", "b", "c"}


def test_what_a_lost_node_had_been_answered_is_told_in_usage_and_changes_no_other_byte(
    bench: Bench, tmp_path: Path
) -> None:
    cluster = DoubleCluster("a", "b")
    done = Counter[str]()

    async def lose_one_with_its_reply(actor: DoubleActor, name: str) -> None:
        done[name] += 1
        if name == "work" and done[name] == 15:
            actor.lose()
            raise ActorLost

    cluster.on_call = lose_one_with_its_reply
    bench.run("here")
    bench.run("there", cluster, cache=tmp_path / "cache")
    here, there = bench.read("here"), bench.read("there")
    assert set(here) == set(there)
    differing = {name for name in here if here[name] != there[name]} - {"run.json", "journal.jsonl"}
    assert 1 <= len(differing) <= 4
    for name in differing:
        assert json.loads(there[name])["usage"]["cached"] == 1
        assert cut_usage(there[name]) == cut_usage(here[name])


def cut_usage(data: bytes) -> bytes:
    """A result file without its one member that tells what it took."""
    cut, count = re.subn(rb'\n "usage": \{.*?\n \},', b"", data, flags=re.DOTALL)
    assert count == 1
    return cut


def test_a_document_that_brings_its_workers_down_is_given_up_and_the_others_are_done(bench: Bench) -> None:
    cluster = DoubleCluster("a", "b")
    cluster.poison = b"paper-007"
    outcomes = bench.run("there", cluster)
    failed = {o.name: o.message for o in outcomes if o.status is Status.FAILED}
    assert set(failed) == {"paper-007.txt", "paper-bad.txt"}
    assert "brings the processes down" in failed["paper-007.txt"]


@pytest.mark.parametrize(
    ("limits", "spent"),
    [
        (BudgetLimits(requests=20), lambda asked: asked <= 20),
        (BudgetLimits(tokens=20_000), lambda asked: asked * 1000 <= 20_000),
        (BudgetLimits(cost=20.0, price=(1000.0, 1000.0)), lambda asked: asked <= 20),
    ],
)
def test_the_bounds_of_a_run_hold_over_all_nodes_also_where_one_is_lost(
    bench: Bench, limits: BudgetLimits, spent: Callable[[int], bool]
) -> None:
    cluster = DoubleCluster("a", "b", "c")
    done = Counter[str]()

    async def lose_one(actor: DoubleActor, name: str) -> None:
        done[name] += 1
        if name == "work" and done[name] == 5:
            cluster.lose("b")

    cluster.on_call = lose_one
    with pytest.raises(BudgetSpent):
        bench.run("there", cluster, limits=limits)
    assert bench.server.asked.total() >= 5
    assert spent(bench.server.asked.total())


def test_requests_a_minute_are_those_of_all_nodes_together(bench: Bench) -> None:
    cluster = DoubleCluster("a", "b", "c")
    bench.run("there", cluster, rpm=6000)
    times = sorted(bench.endpoint.times)
    assert len(times) == 50
    assert times[-1] - times[0] >= 49 * 0.01 * 0.9


def test_replies_are_paid_for_once_by_all_nodes(bench: Bench, tmp_path: Path) -> None:
    bench.run("one", DoubleCluster("a", "b"), cache=tmp_path / "cache")
    asked = bench.server.asked.total()
    bench.run("two", DoubleCluster("c"), cache=tmp_path / "cache")
    bench.run("three", cache=tmp_path / "cache")
    assert bench.server.asked.total() == asked
    assert bench.read("two") == bench.read("three")


def test_documents_that_nodes_do_not_see_are_read_here_and_that_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run("here")
    monkeypatch.setattr(nodes.os, "access", lambda path, mode: False)
    bench.run("there", DoubleCluster("a", "b"))
    assert bench.read("there") == bench.read("here")
    assert sum("do not see" in note for note in bench.notes) == 1


def test_a_node_of_another_version_ends_the_run_before_anything_is_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "__version__", "0.0.1")
    with pytest.raises(MachineError, match=r"has extractor 0\.0\.1"):
        bench.run("there", DoubleCluster("a"))
    assert not bench.server.asked


def test_a_cluster_that_can_do_nothing_ends_the_run_and_says_so(bench: Bench) -> None:
    cluster = DoubleCluster("a")

    async def fail(actor: DoubleActor, name: str) -> None:
        if name == "open":
            raise ActorLost

    cluster.on_call = fail
    with pytest.raises(MachineError, match="No node of the cluster can do documents"):
        bench.run("there", cluster)
    assert any("cannot do documents" in note for note in bench.notes)


def test_an_endpoint_that_refuses_the_key_ends_the_run_without_showing_it(
    bench: Bench, faults: Callable[..., FaultEndpoint]
) -> None:
    bench.endpoint = faults(lambda body, n: (401, {"error": {"message": "bad key sk-0123456789abcdef"}}))
    with pytest.raises(ModelFatal) as raised:
        bench.run("there", DoubleCluster("a"))
    assert "sk-0123456789abcdef" not in str(raised.value)
