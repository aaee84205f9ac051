"""The machine against us: signals, full and read-only disks, two runs at once, few descriptors, closed pipes."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kennel
import pytest
from kennel import Kennel

from extractor.testing import FaultEndpoint

pytestmark = pytest.mark.xdist_group("runs")  # they share a process to fork from, and measure time
NAMESPACE = ["unshare", "--mount", "--propagation", "private"]
"""Mounts that only the runs see."""


@pytest.fixture(scope="module")
def runs() -> Iterator[Kennel]:
    with kennel.start() as started:
        yield started


@pytest.fixture(scope="module")
def apart() -> Iterator[Kennel]:
    """Runs that see mounts of their own."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here; run as root on Linux: sudo make test")
    with kennel.start(*NAMESPACE) as started:
        yield started


class Bolts:
    """Names the bolt of each document; waits where one says so. Counts the requests for each."""

    def __init__(self) -> None:
        self.asked, self.waiting, self._lock = Counter[str](), threading.Event(), threading.Lock()
        self.on_request: Any = lambda n: None
        self.before_reply: Any = lambda: None
        self.over = threading.Event()

    async def __call__(self, body: dict[str, Any], n: int) -> str:
        text = body["messages"][-1]["content"]
        name = next(w for w in text.split() if w.startswith("bolt-"))
        with self._lock:
            self.asked[name] += 1
            self.on_request(self.asked.total())
        if "patience" in text:
            self.waiting.set()
            await asyncio.to_thread(self.over.wait, 120)
        await asyncio.to_thread(self.before_reply)
        return json.dumps({"title": name})


@pytest.fixture
def answer() -> Iterator[Bolts]:
    bolts = Bolts()
    yield bolts
    bolts.over.set()


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    schema = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}}
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n")
    return folder


def write(folder: Path, count: int, slow: int | None = None) -> Path:
    folder.mkdir()
    for i in range(count):
        more = " With patience." if i == slow else ""
        (folder / f"{i}.txt").write_text(f"The bolt-{i} of a catalogue.{more}\n")
    return folder


def order(papers: Path, out: Path, task: Path, url: str, *more: object) -> list[object]:
    return ["run", papers, "-o", out, "--task", task, "--model", "m", "--base-url", url, *more]


def statuses(out: Path) -> dict[str, str]:
    return {d["name"]: d["status"] for d in json.loads((out / "run.json").read_text())["documents"]}


@pytest.mark.fault(26)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_soon_with_its_state_saved(
    runs: Kennel, task: Path, tmp_path: Path, answer: Bolts, number: int, code: int
) -> None:
    papers, out = write(tmp_path / "in", 4, slow=2), tmp_path / "out"

    def send() -> None:
        answer.waiting.wait()
        os.kill(int((out / ".extractor.lock").read_text()), number)

    with FaultEndpoint(answer) as server:
        sender = threading.Thread(target=send)
        sender.start()
        ended = runs.run(order(papers, out, task, server.url, "--concurrency", 1))
        sender.join()
        assert ended.code == code
        assert "2 to go; what was finished is kept" in ended.said and "Traceback" not in ended.said
        assert ended.seconds < 100, "it did not wait for the reply"
        answer.over.set()
        assert statuses(out) == {"0.txt": "complete", "1.txt": "complete"}
        asked = answer.asked.copy()
        (papers / "2.txt").write_text("The bolt-2 of a catalogue.\n")
        assert runs.run(order(papers, out, task, server.url)).code == 0
    assert answer.asked - asked == Counter({"bolt-2": 1, "bolt-3": 1})


@pytest.mark.fault(26)
def test_a_second_signal_ends_it_at_once(runs: Kennel, task: Path, tmp_path: Path, answer: Bolts) -> None:
    papers, out = write(tmp_path / "in", 2, slow=1), tmp_path / "out"

    def send() -> None:
        answer.waiting.wait()
        pid = int((out / ".extractor.lock").read_text())
        for _ in range(2):
            os.kill(pid, signal.SIGINT)
            time.sleep(0.3)

    with FaultEndpoint(answer) as server:
        sender = threading.Thread(target=send)
        sender.start()
        ended = runs.run(order(papers, out, task, server.url, "--concurrency", 1))
        sender.join()
        answer.over.set()
        assert ended.code == 130
        assert "Interrupted" not in ended.said and "Traceback" not in ended.said
        (papers / "1.txt").write_text("The bolt-1 of a catalogue.\n")
        assert runs.run(order(papers, out, task, server.url)).code == 0
    assert answer.asked["bolt-0"] == 1


@pytest.mark.fault(28)
@pytest.mark.parametrize("at_once", [2, 6])
def test_a_disk_that_fills_up_loses_no_answer_and_the_run_goes_on_when_there_is_room(
    apart: Kennel, task: Path, tmp_path: Path, answer: Bolts, at_once: int
) -> None:
    """All answers under way arrive when the disk is full, so that all are saved at once."""
    papers, disk, full = write(tmp_path / "in", 12), tmp_path / "disk", threading.Event()
    disk.mkdir()
    apart.shell(f"mount -t tmpfs -o size=5m none '{disk}'")
    seen = Path(f"/proc/{apart.pid}/root{disk}")
    out = disk / "out"

    def fill(n: int) -> None:
        if n == at_once:
            with (seen / "ballast").open("wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)):
                        pass
                except OSError:
                    full.set()

    answer.on_request, answer.before_reply = fill, lambda: full.wait(60)
    with FaultEndpoint(answer) as server:
        ended = apart.run(order(papers, out, task, server.url, "--concurrency", at_once))
        assert ended.code == 3
        assert "is full" in ended.said and str(out) in ended.said and "Traceback" not in ended.said
        done = statuses(seen / "out")
        assert len(done) == answer.asked.total() < 12, "every answer that was paid for is on disk"
        for name in done:
            assert json.loads((seen / "out" / f"{Path(name).stem}.json").read_text())["status"] == "complete"

        paid = answer.asked.total()
        still = apart.run(order(papers, out, task, server.url))
        assert still.code == 3
        assert "less than 4 MB left" in still.said and str(out) in still.said
        assert answer.asked.total() == paid, "nothing is paid for that could not be saved"

        (seen / "ballast").unlink()
        assert apart.run(order(papers, out, task, server.url)).code == 0
    assert answer.asked == Counter({f"bolt-{i}": 1 for i in range(12)})
    assert len(statuses(seen / "out")) == 12
    assert not (seen / "out" / ".extractor.reserve").exists()


@pytest.mark.fault(29)
def test_a_read_only_folder_is_named_before_anything_is_paid(
    apart: Kennel, task: Path, tmp_path: Path, answer: Bolts
) -> None:
    papers, disk = write(tmp_path / "in", 2), tmp_path / "read-only"
    disk.mkdir()
    apart.shell(f"mount -t tmpfs -o ro,size=8m none '{disk}'")
    with FaultEndpoint(answer) as server:
        for out in (disk, disk / "out"):
            ended = apart.run(order(papers, out, task, server.url))
            assert ended.code == 3
            assert f"Nothing can be written to {out}" in ended.said
    assert answer.asked.total() == 0


@pytest.mark.fault(32)
def test_two_runs_at_once_in_one_folder_are_one_run_and_a_refusal(
    runs: Kennel, task: Path, tmp_path: Path, answer: Bolts
) -> None:
    papers, out = write(tmp_path / "in", 3, slow=1), tmp_path / "out"
    second: list[Any] = []

    def interfere() -> None:
        answer.waiting.wait()
        pid = int((out / ".extractor.lock").read_text())
        try:
            with kennel.start() as others:
                second.append((pid, others.run(order(papers, out, task, server.url))))
        finally:
            os.kill(pid, signal.SIGKILL)

    with FaultEndpoint(answer) as server:
        other = threading.Thread(target=interfere)
        other.start()
        first = runs.run(order(papers, out, task, server.url, "--concurrency", 1))
        other.join()
        answer.over.set()
        pid, refused = second[0]
        assert refused.code == 2
        assert f"locked by pid {pid}" in refused.said
        assert first.code == -9
        assert answer.asked == Counter({"bolt-0": 1, "bolt-1": 1})
        (papers / "1.txt").write_text("The bolt-1 of a catalogue.\n")
        assert runs.run(order(papers, out, task, server.url)).code == 0, "a kill leaves no lock behind"


@pytest.mark.fault(41)
def test_with_64_descriptors_fewer_are_asked_at_a_time_and_all_are_done(
    runs: Kennel, task: Path, tmp_path: Path, answer: Bolts
) -> None:
    papers, out = write(tmp_path / "in", 80), tmp_path / "out"
    with FaultEndpoint(answer) as server:
        ended = runs.run(order(papers, out, task, server.url, "--concurrency", 64, "--quiet"), files=64)
        assert ended.code == 0, ended.said
        assert set(statuses(out).values()) == {"complete"}
        starved = runs.run(order(papers, tmp_path / "none", task, server.url), files=32)
    assert starved.code == 3
    assert "ulimit" in starved.said


@pytest.mark.fault(41)
def test_with_512_megabytes_and_one_processor_all_are_done(task: Path, tmp_path: Path, answer: Bolts) -> None:
    papers, out = write(tmp_path / "in", 60), tmp_path / "out"

    def run(megabytes: int, out: Path) -> subprocess.CompletedProcess[str]:
        def little() -> None:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

        words = list(map(str, order(papers, out, task, server.url, "--concurrency", 64, "--quiet", "--no-cache")))
        command = [sys.executable, "-m", "extractor", *words]
        return subprocess.run(command, capture_output=True, text=True, preexec_fn=little, check=False)

    with FaultEndpoint(answer) as server:
        ended = run(512, out)
        starved = run(256, tmp_path / "none")
    assert ended.returncode == 0, ended.stderr
    assert Counter(statuses(out).values()) == {"complete": 60}
    assert answer.asked == Counter({f"bolt-{i}": 1 for i in range(60)})
    assert starved.returncode == 3, starved.stderr
    assert "ulimit" in starved.stderr and "Traceback" not in starved.stderr


@pytest.mark.fault(38)
def test_the_same_text_under_two_names_is_paid_once(runs: Kennel, task: Path, tmp_path: Path, answer: Bolts) -> None:
    papers, out = write(tmp_path / "in", 1), tmp_path / "out"
    for i in range(1, 6):
        (papers / f"{i}.txt").write_bytes((papers / "0.txt").read_bytes())
    with FaultEndpoint(answer) as server:
        assert runs.run(order(papers, out, task, server.url)).code == 0
    assert len(statuses(out)) == 6
    assert answer.asked.total() == 1


@pytest.mark.fault(42)
def test_a_closed_stdout_a_plain_locale_and_a_strange_path_cost_nothing(
    task: Path, tmp_path: Path, answer: Bolts
) -> None:
    papers = write(tmp_path / "in put", 2)
    (papers / "0.txt").rename(papers / "naïve \U0001f600 \x1b]0;x\x07.txt")
    out = tmp_path / "out put für \u4e2d"
    environ = {
        **os.environ,
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    reading, writing = os.pipe()
    os.close(reading)
    with FaultEndpoint(answer) as server:
        words = list(map(str, order(papers, out, task, server.url)))
        command = [sys.executable, "-m", "extractor", *words]
        closed = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environ, check=False)
        os.close(writing)
        assert closed.returncode == 0, closed.stderr
        assert b"Traceback" not in closed.stderr and b"BrokenPipe" not in closed.stderr
        assert len(statuses(out)) == 2
        again = subprocess.run(command, capture_output=True, env=environ, check=False)
    assert again.returncode == 0, again.stderr
    assert b"\x1b]" not in again.stdout + again.stderr
    assert answer.asked.total() == 2
