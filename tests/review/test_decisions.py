"""Decisions are data beside results: a reviewed record is the result and the decisions, and nothing is lost."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor import Result
from extractor.cli.main import main
from extractor.errors import DecisionConflict, UsageError
from extractor.results.decisions.decision import Action, Decision, Words, drop_undone, parse_decision
from extractor.results.decisions.journal import DecisionJournal
from extractor.results.decisions.replay import SeenResult, replay_decisions
from extractor.results.decisions.reviewed import build_reviewed_result
from extractor.results.decisions.tree import grow_tree, read_value, walk_record
from extractor.results.model import ResultFile
from extractor.results.reading import read_result_file
from extractor.types import Json, Status

from .run_folder import ORDER, RECORD, TEXT, line, make_task, open_client, write_run

SCHEMA = make_task().schema


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ResultFile:
    return read_result_file(write_run(tmp_path_factory.mktemp("run") / "out") / "order.json").file


def decide(action: Action, path: str = "", after: Json = None, version: int = 0, **more: Any) -> Decision:
    given = {"file": "order.json", "document": "order.txt", "seen": "seen", "who": "ann", "at": "2026-11-28T10:00:00Z"}
    return Decision(action=action, path=path, after=after, version=version, **{**given, **more})


def review(result: ResultFile, *decisions: Decision, seen: ResultFile | None = None) -> ResultFile:
    """The reviewed result, of decisions about it or about `seen`."""
    sha = "seen" if seen is None else "now"
    numbered = [replace(d, version=n) for n, d in enumerate(decisions)]
    return build_reviewed_result(replay_decisions(SeenResult(sha, result), numbered, lambda _: seen), SCHEMA)


LEAVES = [f"/{name}" for name in ("number", "placed", "total", "state", "rush", "tags/0", "tags/1", "tags/2")] + [
    f"/lines/{n}/{name}" for n in range(4) for name in ("item", "count")
]
VALUES = st.one_of(st.text(max_size=8), st.integers(-9, 99), st.booleans(), st.none())
WORDS = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9)), max_size=2).map(
    lambda spans: tuple(Words(start, start + n, TEXT[start : start + n]) for start, n in spans)
)
STEPS = st.one_of(
    st.builds(decide, st.sampled_from([Action.ACCEPT, Action.REJECT]), st.sampled_from([*LEAVES, "/lines/0", "/tags"])),
    st.builds(decide, st.sampled_from([Action.CORRECT, Action.ADD]), st.sampled_from(LEAVES), VALUES, evidence=WORDS),
    st.builds(decide, st.just(Action.ADD_ROW), st.just("/lines"), st.just({}), position=st.integers(0, 5)),
    st.builds(decide, st.just(Action.REMOVE_ROW), st.sampled_from([f"/lines/{n}" for n in range(5)])),
    st.builds(
        decide, st.just(Action.MOVE_ROW), st.sampled_from([f"/lines/{n}" for n in range(5)]), position=st.integers(0, 5)
    ),
    st.builds(decide, st.sampled_from([Action.FINISH, Action.REOPEN])),
    st.builds(decide, st.just(Action.ACCEPT), st.text(max_size=5)),
)


@given(st.lists(STEPS, max_size=10))
@settings(max_examples=150, deadline=None)
def test_any_decisions_make_a_record_whose_evidence_is_of_its_values_and_stands_in_the_text(
    result: ResultFile, steps: list[Decision]
) -> None:
    made = review(result, *steps)
    again = review(result, *steps)
    assert made == again
    state = replay_decisions(
        SeenResult("seen", result), [replace(d, version=n) for n, d in enumerate(steps)], lambda _: None
    )
    assert {path for path, _ in walk_record(state.root)} == made.evidence.keys()
    for proof in made.evidence.values():
        assert bool(proof.spans) == (proof.match != "none")
        assert all(TEXT[quote.start : quote.end] == quote.quote for quote in proof.spans)
    assert len(state.lost) <= len(steps)


@given(st.lists(STEPS, max_size=8), st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_what_is_undone_was_never_decided(result: ResultFile, steps: list[Decision], kept: int) -> None:
    steps = [replace(step, version=n) for n, step in enumerate(steps)]
    undone = steps[kept:][::-1]
    undoing = [decide(Action.UNDO, undoes=d.version, version=len(steps) + n) for n, d in enumerate(undone)]
    assert drop_undone((*steps, *undoing)) == tuple(steps[:kept])
    assert review(result, *steps, *undoing) == review(result, *steps[:kept])


@given(st.lists(STEPS, max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_rerun_that_says_the_same_keeps_every_decision(result: ResultFile, steps: list[Decision]) -> None:
    rerun = result.model_copy()
    before, after = review(result, *steps), review(rerun, *steps, seen=result)
    assert after.record == before.record
    assert (after.review.lost if after.review else []) == (before.review.lost if before.review else [])
    assert (after.review and after.review.finished) == (before.review and before.review.finished)


@given(st.lists(STEPS, max_size=6), VALUES)
@settings(max_examples=50, deadline=None)
def test_a_decision_reads_as_it_was_written(steps: list[Decision], before: Json) -> None:
    for step in steps:
        written = replace(step, before=before, seconds=1.5)
        assert parse_decision(written.to_line()) == written
        assert written.to_line().count(b"\n") == 1


def test_without_decisions_a_result_is_itself(result: ResultFile) -> None:
    assert review(result) is result


def test_a_tree_that_nobody_edits_is_the_record() -> None:
    assert read_value(grow_tree(RECORD, {})) == RECORD


def test_rows_are_added_moved_and_removed_and_values_taken_back(result: ResultFile) -> None:
    made = review(
        result,
        decide(Action.ADD_ROW, "/lines", {}, position=1),
        decide(Action.ADD, "/lines/1/item", "drill", evidence=(Words(85, 90, TEXT[85:90]),)),
        decide(Action.MOVE_ROW, "/lines/1", position=0),
        decide(Action.REMOVE_ROW, "/lines/3"),
        decide(Action.REJECT, "/tags/0"),
        decide(Action.FINISH),
    )
    assert made.record is not None
    assert [row["item"] for row in made.record["lines"]] == ["drill", "saw", "hammer"]
    assert made.record["tags"] == ["paper"]
    assert made.status is Status.COMPLETE
    assert made.review is not None and made.review.finished and made.review.who == ["ann"]
    assert made.review.decided["/lines/0/item"] == "added"
    assert [(r.path, r.value) for r in made.rejected] == [
        ("/tags/0", "urgent"),
        ("/lines/3/item", "axe"),
        ("/lines/3/count", 9),
    ]


def test_a_finished_document_is_suspect_where_the_schema_does_not_take_it(result: ResultFile) -> None:
    made = review(result, decide(Action.REJECT, "/lines/0/item"), decide(Action.FINISH))
    assert made.status is Status.SUSPECT
    assert [p.code for p in made.problems] == ["schema"]


CHANGED = "A new letterhead\n\n" + TEXT.replace("hammer     5", "mallet     5")


@pytest.fixture(scope="module")
def rerun(tmp_path_factory: pytest.TempPathFactory) -> ResultFile:
    """The same order, edited: everything stands elsewhere, a row says something else, and another is new."""
    lines = [{"item": "drill", "count": 1}, {"item": "mallet", "count": 5}, {"item": "saw", "count": 2}]
    record = {**RECORD, "number": "A-1", "lines": lines}
    return read_result_file(
        write_run(tmp_path_factory.mktemp("rerun") / "out", {"order.txt": (CHANGED, record)}) / "00000.json"
    ).file


def test_a_rerun_keeps_decisions_whose_words_still_stand_and_names_the_others(
    result: ResultFile, rerun: ResultFile
) -> None:
    at = TEXT.index("2024-04-09")
    made = review(
        rerun,
        decide(Action.ACCEPT, "/number"),
        decide(Action.CORRECT, "/placed", "2024-04-09", evidence=(Words(at, at + 10, "2024-04-09"),)),
        decide(Action.CORRECT, "/lines/0/count", 3, evidence=(Words(58, 59, "2"),)),
        decide(Action.ACCEPT, "/lines/1/item"),
        decide(Action.REMOVE_ROW, "/lines/2"),
        decide(Action.CORRECT, "/total", 77),
        decide(Action.FINISH),
        seen=result,
    )
    assert made.record is not None and made.review is not None
    assert made.record["number"] == "A-17"
    assert made.record["placed"] == "2024-04-09"
    moved = made.evidence["/placed"].spans[0]
    assert (moved.start, moved.quote) == (CHANGED.index("2024-04-09"), "2024-04-09")
    assert {"item": "saw", "count": 3} in made.record["lines"]
    assert {"item": "drill", "count": 1} in made.record["lines"]
    assert not any(row["item"] in ("hammer", "axe") for row in made.record["lines"])
    assert made.record["total"] == 1024.5
    assert not made.review.finished
    told = " ".join(made.review.lost)
    assert "/total: It has no words" in told
    assert "/lines/1/item: Its words do not stand" in told
    assert "open again" in told


def test_decisions_about_a_result_that_is_gone_are_named(result: ResultFile) -> None:
    state = replay_decisions(SeenResult("now", result), [decide(Action.REJECT, "/number")], lambda _: None)
    assert [lost.reason for lost in state.lost] == ["The result that it was about is not there any more."]
    assert read_value(state.root) == result.record


def test_a_torn_line_is_cut_off_and_the_rest_is_kept(tmp_path: Path) -> None:
    journal = DecisionJournal(tmp_path)
    journal.append(decide(Action.ACCEPT, "/number"))
    with journal.path.open("ab") as file:
        file.write(decide(Action.REJECT, "/number", version=1).to_line()[:-20])
    again = DecisionJournal(tmp_path)
    assert [d.action for d in again.read_decisions("order.json")] == [Action.ACCEPT]
    again.append(decide(Action.REJECT, "/total", version=1))
    lines = journal.path.read_bytes().splitlines()
    assert [json.loads(one).get("path") for one in lines] == [None, "/number", "/total"]


def test_a_line_that_is_no_decision_is_passed_over_and_counted(tmp_path: Path) -> None:
    journal = DecisionJournal(tmp_path)
    journal.append(decide(Action.ACCEPT, "/number"))
    with journal.path.open("ab") as file:
        file.write(b'{"file": 7}\n' + b"[" * 100_000 + b"\nnull\n")
    journal.append(decide(Action.ACCEPT, "/total", version=1))
    again = DecisionJournal(tmp_path)
    assert again.broken == 3
    assert len(again.read_decisions("order.json")) == 2


def test_a_journal_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "journal.jsonl").write_text('{"format": "extractor.decisions/9"}\n')
    with pytest.raises(UsageError, match="no journal of this version"):
        DecisionJournal(tmp_path)


def test_of_two_who_decide_at_once_one_is_told(tmp_path: Path) -> None:
    first, second = DecisionJournal(tmp_path), DecisionJournal(tmp_path)
    first.append(decide(Action.ACCEPT, "/number"))
    with pytest.raises(DecisionConflict):
        second.append(decide(Action.REJECT, "/number"))
    assert [d.action for d in second.read_decisions("order.json")] == [Action.ACCEPT]


def test_many_who_decide_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(who: str) -> None:
        journal = DecisionJournal(tmp_path)
        for n in range(20):
            journal.append(decide(Action.ACCEPT, "/number", version=n, file=f"{who}.json", who=who))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = DecisionJournal(tmp_path)
    assert journal.broken == 0
    assert {file: journal.count_decisions(file) for file in journal.list_files()} == {f"{n}.json": 20 for n in "abcd"}


def test_what_was_decided_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    program = (
        "import os, sys; sys.path[:0] = [sys.argv[2]]\n"
        "from pathlib import Path\nfrom run_folder import open_client\n"
        "client = open_client(Path(sys.argv[1]))\n"
        "client.decide('correct', '/number', value='B-1')\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(out), str(Path(__file__).parent)], env=os.environ)
    assert done.returncode == -9
    assert line(open_client(out).open(), "/number")["value"] == "B-1"


def test_exports_and_results_give_either(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    before = hashlib.sha256((out / "order.json").read_bytes()).hexdigest()
    client = open_client(out)
    client.decide("correct", "/number", value="B-1")
    client.decide("remove_row", "/lines/2")
    client.decide("finish")
    assert hashlib.sha256((out / "order.json").read_bytes()).hexdigest() == before
    assert main(["export", str(out), "-f", "jsonl", "-o", str(tmp_path / "raw.jsonl"), "--quiet"]) == 0
    assert main(["export", str(out), "-f", "jsonl", "-o", str(tmp_path / "own.jsonl"), "--quiet", "--reviewed"]) == 0
    assert main(["export", str(out), "-f", "sqlite", "-o", str(tmp_path / "own.db"), "--quiet", "--reviewed"]) == 0
    raw, own = (json.loads((tmp_path / f"{name}.jsonl").read_text()) for name in ("raw", "own"))
    assert (raw["record"]["number"], own["record"]["number"]) == ("A-17", "B-1")
    assert "review" not in raw and own["review"]["finished"]
    assert len(own["record"]["lines"]) == 2
    with sqlite3.connect(tmp_path / "own.db") as base:
        assert base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    base.close()
    assert Result.read(out / "order.json", dict).value == raw["record"]
    assert Result.read(out / "order.json", dict, reviewed=True).value == own["record"]


def test_a_reviewed_file_is_a_result_file(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    open_client(out).decide("accept", "/number")
    saved = tmp_path / "saved.json"
    Result.read(out / "order.json", dict, reviewed=True).save(saved)
    reading = read_result_file(saved)
    assert not reading.damage
    assert reading.file.review is not None and reading.file.review.decided == {"/number": "accepted"}
    assert reading.file.evidence["/number"].confidence == 1.0


def test_orders_have_a_schema_that_is_read() -> None:
    assert [f.name for f in SCHEMA.root.fields] == list(ORDER["properties"])


def test_values_under_names_of_the_document_are_looked_at_and_corrected_as_others_are(tmp_path: Path) -> None:
    texts = {"type": "array", "items": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": {
            "figures": {"type": "object", "additionalProperties": {"type": "number"}},
            "tags": {"anyOf": [texts, {"type": "string"}]},
        },
    }
    documents = {"sheet.txt": ("Revenue 1,200\nCosts 800\nurgent\n", {"figures": {"Revenue": 12}, "tags": "urgent"})}
    out = write_run(tmp_path / "out", documents, schema)
    client = open_client(out)
    assert line(client.open("00000.json"), "/tags")["value"] == "urgent"
    assert line(client.open("00000.json"), "/figures/Revenue")["value"] == 12
    view = client.decide("correct", "/figures/Revenue", "00000.json", value="1,200")
    assert line(view, "/figures/Revenue")["value"] == 1200
    reviewed = Result.read(out / "00000.json", dict, reviewed=True)
    assert reviewed.value == {"figures": {"Revenue": 1200}, "tags": "urgent"}
    assert reviewed.evidence.figures["Revenue"].quote == "1,200"
