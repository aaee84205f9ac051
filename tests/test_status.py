"""What another shell sees of a run, and what a run tells of itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.cli import progress
from extractor.cli.main import main
from extractor.models.prices import load_prices
from extractor.runs.state import RunState, read_run_state
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    task, papers = tmp_path / "task", tmp_path / "in"
    task.mkdir()
    papers.mkdir()
    (task / "schema.json").write_text(json.dumps({"type": "object", "properties": {"title": {"type": "string"}}}))
    (task / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n")
    for i in range(6):
        (papers / f"paper-{i}.txt").write_text(f"The bolt number-{i} of a catalogue.\n")
    (papers / "bad.txt").write_text("")
    about = ["--task", str(task), "--model", "gpt-5-mini", "--no-cache", "--concurrency", "1"]
    return ["run", str(papers), "-o", str(tmp_path / "out"), *about]


def title(body: dict[str, Any], n: int) -> FaultAnswer:
    return FaultAnswer(body=build_completion(json.dumps({"title": f"number-{n - 1}"})))


def read(tmp_path: Path) -> RunState:
    return read_run_state(tmp_path / "out", load_prices())


def test_a_run_is_seen_while_it_goes_on(
    flags: list[str], tmp_path: Path, faults: Callable[..., FaultEndpoint], capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[RunState] = []
    said: list[dict[str, Any]] = []

    def answer(body: dict[str, Any], n: int) -> FaultAnswer:
        if n == 4:
            watching = threading.Thread(target=lambda: seen.append(read(tmp_path)))
            watching.start()
            watching.join()
        return title(body, n)

    server = faults(answer)
    main([*flags, "--base-url", server.url, "--quiet"])
    state = seen[0]
    assert state.state == "running"
    assert state.documents == 7
    assert state.statuses == {"complete": 3, "failed": 1}
    assert state.pending == 3
    assert state.per_minute is not None and state.per_minute > 0
    assert state.seconds_to_go is not None and state.cost is not None and state.cost > 0
    capsys.readouterr()
    assert main(["status", str(tmp_path / "out"), "--json"]) == 0
    said.append(json.loads(capsys.readouterr().out))
    assert said[0]["state"] == "finished"
    assert said[0]["statuses"] == {"complete": 6, "failed": 1}
    assert said[0]["pending"] == 0
    assert said[0]["tokens"] == 6 * 15
    assert main(["status", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith("finished · 7 of 7 documents · 6 complete · 1 failed")


def test_a_run_that_stopped_is_not_finished(
    flags: list[str], tmp_path: Path, faults: Callable[..., FaultEndpoint]
) -> None:
    main([*flags, "--base-url", faults(title).url, "--quiet", "--max-requests", "2"])
    state = read(tmp_path)
    assert (state.state, state.pending, state.documents) == ("stopped", 4, 7)


def test_looking_changes_nothing_and_wants_a_folder_of_a_run(
    flags: list[str], tmp_path: Path, faults: Callable[..., FaultEndpoint]
) -> None:
    assert main(["status", str(tmp_path / "in")]) == 2
    main([*flags, "--base-url", faults(title).url, "--quiet"])
    journal = tmp_path / "out" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"source": "torn')
    before = {f.name: f.read_bytes() for f in (tmp_path / "out").iterdir()}
    assert main(["status", str(tmp_path / "out")]) == 0
    assert {f.name: f.read_bytes() for f in (tmp_path / "out").iterdir()} == before


def test_progress_as_events_is_a_json_object_a_line(
    flags: list[str],
    faults: Callable[..., FaultEndpoint],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "TICK_SECONDS", 0.01)
    main([*flags, "--base-url", faults(title, latency=0.02).url, "--quiet", "--progress", "json"])
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "begin" and kinds[-1] == "end"
    assert kinds.count("document") == 7
    assert "progress" in kinds
    assert events[-1]["finished"] == events[-1]["documents"] == 7
    assert events[-1]["statuses"] == {"complete": 6, "failed": 1}


def test_without_a_terminal_there_is_a_line_a_minute(
    flags: list[str],
    faults: Callable[..., FaultEndpoint],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "TICK_SECONDS", 0.01)
    main([*flags, "--base-url", faults(title, latency=0.02).url])
    lines = [line for line in capsys.readouterr().err.splitlines() if "/7 documents" in line]
    assert lines
    assert "\x1b" not in "".join(lines)
