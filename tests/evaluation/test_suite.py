"""A suite from its folder to the exit code, through the command and a scripted endpoint."""

import json
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.main import main
from extractor.testing import FaultEndpoint

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": ["string", "null"]}, "size": {"type": ["integer", "null"]}},
}
PROMPT = "# system\nCopy.\n\n# user\n{document}\n\n{question}\n"
TEXTS = {"a.txt": "A bolt of 12.", "b.txt": "A nut of 7."}
GOLD: dict[str, dict[str, Any]] = {"a.txt": {"title": "bolt", "size": 12}, "b.txt": {"title": "nut", "size": 7}}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for name in ("task", "suite", "suite/samples", "suite/gold"):
        (tmp_path / name).mkdir()
    (tmp_path / "task/schema.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    (tmp_path / "task/plain.md").write_text(PROMPT, encoding="utf-8")
    write(tmp_path / "suite")
    for name, text in TEXTS.items():
        (tmp_path / "suite/samples" / name).write_text(text, encoding="utf-8")
        gold = {"document": name, "record": GOLD[name], "optional": [], "accept": {}}
        (tmp_path / "suite/gold" / name).with_suffix(".json").write_text(json.dumps(gold), encoding="utf-8")
    return tmp_path / "suite"


def write(suite: Path, **more: Any) -> None:
    told: dict[str, Any] = {
        "task": "../task",
        "samples": "samples",
        "gold": "gold",
        "models": ["m"],
        "prompts": ["plain"],
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in (told | more).items()]
    (suite / "suite.toml").write_text("\n".join(lines), encoding="utf-8")


def right(body: dict[str, Any], n: int) -> str:
    return json.dumps(GOLD["a.txt"] if "bolt" in body["messages"][-1]["content"] else GOLD["b.txt"])


def wrong(body: dict[str, Any], n: int) -> str:
    return json.dumps({"title": "bolt" if "bolt" in body["messages"][-1]["content"] else "of", "size": None})


def evaluate(suite: Path, out: Path, server: FaultEndpoint, *flags: object) -> int:
    common = ["--suite", suite, "-o", out, "--base-url", server.url, "--mode", "live", *flags]
    return main(["eval", *map(str, common)])


def told(out: Path) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((out / "report.json").read_text(encoding="utf-8"))["runs"]
    return content


def test_a_suite_is_run_scored_and_judged_and_what_is_there_is_not_run_again(suite: Path, tmp_path: Path) -> None:
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "out", server, "--fail-under", 1, "--fail-under", "title=1") == 0
        asked = len(server.bodies)
        assert evaluate(suite, tmp_path / "out", server) == 0
        assert len(server.bodies) == asked > 0
    [run] = told(tmp_path / "out")
    assert (run["model"], run["prompt"], run["micro"]["f1"]) == ("m", "plain", 1)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        *("report.html", "report.json", "report.md", "junit.xml", "runs")
    }


def test_how_claimed_words_cover_those_of_gold_is_in_the_report_where_gold_has_any(suite: Path, tmp_path: Path) -> None:
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "none", server) == 0
        spans = {"/title": [[0, 6]], "/size": [[10, 12]]}  # "A bolt", of which "bolt" is claimed, and "12"
        gold = {"document": "a.txt", "record": GOLD["a.txt"], "spans": spans}
        (suite / "gold/a.json").write_text(json.dumps(gold), encoding="utf-8")
        assert evaluate(suite, tmp_path / "some", server) == 0
    assert told(tmp_path / "none")[0]["spans"] is None
    assert told(tmp_path / "some")[0]["spans"] == {"precision": 1, "recall": 0.75}
    assert "words of gold" in (tmp_path / "some" / "report.html").read_text(encoding="utf-8")


def test_a_gate_that_does_not_hold_is_exit_1(suite: Path, tmp_path: Path, capsys: Any) -> None:
    with FaultEndpoint(wrong) as server:
        assert evaluate(suite, tmp_path / "out", server, "--fail-under", "size=0.5") == 1
        assert "Failed" in capsys.readouterr().out
        assert evaluate(suite, tmp_path / "out", server, "--max-invented", "title=5") == 0
        assert evaluate(suite, tmp_path / "out", server, "--fail-under", "colour=0.5") == 2
        assert "colour" in capsys.readouterr().err


def test_a_baseline_holds_until_the_figures_drop(suite: Path, tmp_path: Path) -> None:
    pins = tmp_path / "baseline.json"
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "good", server, "--update-baseline", pins) == 0
        assert evaluate(suite, tmp_path / "good", server, "--baseline", pins) == 0
    with FaultEndpoint(wrong) as server:
        assert evaluate(suite, tmp_path / "bad", server, "--baseline", pins) == 1


def test_a_run_out_of_the_cache_costs_what_it_took_when_it_was_paid_for(suite: Path, tmp_path: Path) -> None:
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "one", server) == 0
        paid = server.requests
        assert evaluate(suite, tmp_path / "two", server) == 0
        assert server.requests == paid
    one, two = told(tmp_path / "one")[0], told(tmp_path / "two")[0]
    assert one["usage"] == two["usage"] and one["usage"]["per_document"]["tokens"] == 15


def test_a_known_models_money_is_counted_without_being_told_its_price(suite: Path, tmp_path: Path) -> None:
    write(suite, models=["gpt-5-mini"])
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "one", server) == 0
    assert told(tmp_path / "one")[0]["usage"]["price"] == {"input": 0.25, "output": 2.0}


def test_repeats_are_runs_of_one_entrant(suite: Path, tmp_path: Path) -> None:
    write(suite, repeats=2)
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "out", server) == 0
    [run] = told(tmp_path / "out")
    assert run["repeats"] == 2


def test_pairs_that_a_suite_leaves_out_are_not_run(suite: Path, tmp_path: Path) -> None:
    write(suite, models=["m", "n"], left_out=[["n", "plain"]])
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "out", server) == 0
    assert [run["model"] for run in told(tmp_path / "out")] == ["m"]


def test_two_runs_of_the_same_are_told_apart_by_their_folders(suite: Path, tmp_path: Path) -> None:
    for name, answer in (("old", wrong), ("new", right)):
        with FaultEndpoint(answer) as server:
            flags = ["-o", tmp_path / name, "--task", suite.parent / "task", "--model", "m", "--base-url", server.url]
            main(["run", *map(str, [suite / "samples", *flags, "--quiet"])])
    folders = [str(tmp_path / "old"), str(tmp_path / "new")]
    assert main(["eval", "--suite", str(suite), "--runs", *folders, "-o", str(tmp_path / "out")]) == 0
    assert {r["label"]: r["micro"]["f1"] == 1 for r in told(tmp_path / "out")} == {
        "m · plain · old": False,
        "m · plain · new": True,
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("task = ", "not TOML"),
        ("task = '../task'", "does not say 'models'"),
        ("task = 'task'", "No task 'task' ships"),
        ("task = './nowhere'", "no task folder"),
        ("task = 3", "No task '3' ships"),
        ("task='../task'\nsamples='samples'\ngold='gold'\nmodels=[]\nprompts=['plain']", "at least one model"),
        ("task='../task'\nsamples='samples'\ngold='gold'\nmodels=['m']\nprompts=['nope']", "no prompt 'nope'"),
        ("task='../task'\nsamples='samples'\ngold='gold'\nmodels=['m']\nprompts=['plain']\nrepeats='x'", "understood"),
        (
            "task='../task'\nsamples='samples'\ngold='gold'\nmodels=['m']\nprompts=['plain']\nleft_out=[['n','plain']]",
            "leaves out n with plain, which it would not run",
        ),
        ("task='../task'\nsamples='samples'\ngold='gold'\nmodels=['m']\nprompts=['plain']\nleft_out=3", "understood"),
    ],
)
def test_a_suite_with_an_error_is_one_sentence_and_exit_2(suite: Path, content: str, says: str, capsys: Any) -> None:
    (suite / "suite.toml").write_text(content, encoding="utf-8")
    assert main(["eval", "--suite", str(suite)]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_gold_that_cannot_be_scored_with_is_named_before_anything_is_run(
    suite: Path, tmp_path: Path, capsys: Any
) -> None:
    (suite / "gold" / "a.json").write_text('{"document": "a.txt", "record": {"colour": "red"}}', encoding="utf-8")
    with FaultEndpoint(right) as server:
        assert evaluate(suite, tmp_path / "out", server) == 2
        assert server.bodies == []
    assert "colour" in capsys.readouterr().err
