"""The estimate beside what recorded runs really used: whatever is on the cassettes, with nothing fitted here."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.main import main
from extractor.documents.discovery import find_sources, read_source
from extractor.extraction.chunking import split_document
from extractor.extraction.planning import plan_questions
from extractor.extraction.task import load_task
from extractor.models.local.known_models import DEFAULT_MODEL
from extractor.models.prices import Price, Speed
from extractor.runs.estimate import AmountRange, GroupEstimate, RunEstimate, _estimate_question, estimate_run
from extractor.types import Document

NEAR = 0.15
SCHEMA = """from pydantic import BaseModel
class Record(BaseModel):
    title: str | None = None
"""
PROMPT = "# system\nCopy.\n\n# user\n{document}\n\n{question}\n"


@dataclass(frozen=True)
class Used:
    requests: int
    read: int
    written: int
    cut_short: int
    written_whole: int
    """By replies that were not cut short."""


def used(tapes: Path, samples: Path) -> Used:
    names = {sample.stem for sample in samples.iterdir()}
    replies = [
        exchange["response"]["body"]
        for tape in sorted(tapes.glob("*.json"))
        if tape.stem in names
        for exchange in json.loads(tape.read_text(encoding="utf-8"))["interactions"]
    ]
    return Used(
        len(replies),
        sum(r["usage"]["prompt_tokens"] for r in replies),
        sum(r["usage"]["completion_tokens"] for r in replies),
        sum(r["choices"][0]["finish_reason"] == "length" for r in replies),
        sum(r["usage"]["completion_tokens"] for r in replies if r["choices"][0]["finish_reason"] != "length"),
    )


def estimated(samples: Path, prompt: str | None, model: str, of: str = "researcher") -> RunEstimate:
    task = load_task(of)
    sources = find_sources([samples])
    return estimate_run(task, task.choose_prompt(prompt), sources, model, None)


def off(estimate: float, real: float) -> float:
    return abs(estimate / real - 1)


def test_the_run_that_is_the_default_takes_what_was_estimated(repository: Path) -> None:
    prompt = load_task("researcher").choose_prompt(None).name
    samples = repository / "eval" / "samples"
    real = used(repository / "cassettes" / "researcher" / DEFAULT_MODEL / prompt, samples)
    total = estimated(samples, prompt, DEFAULT_MODEL).total_amounts
    assert off(total.requests.expected, real.requests) <= NEAR
    assert off(total.input_tokens.expected, real.read) <= NEAR
    assert off(total.output_tokens.expected, real.written_whole) <= NEAR, "what runs on is not foreseen"
    assert real.written <= total.output_tokens.high


def test_every_recorded_run_takes_what_was_estimated_but_for_replies_that_were_cut_short(repository: Path) -> None:
    runs = [folder for folder in (repository / "cassettes" / "researcher").glob("*/*") if any(folder.glob("*.json"))]
    assert len(runs) >= 4
    samples = repository / "eval" / "samples"
    for folder in runs:
        real, found = used(folder, samples), estimated(samples, folder.name, folder.parent.name)
        total = found.total_amounts
        assert 0 <= real.requests - total.requests.expected <= 2 * real.cut_short, folder
        assert real.read >= total.input_tokens.expected * (1 - NEAR), folder
        if not real.cut_short:  # a model that loops writes to the limit, which is why the ceiling is told
            assert real.read <= total.input_tokens.expected * (1 + NEAR), folder
            assert total.output_tokens.low <= real.written <= total.output_tokens.high, folder
            assert real.written <= found.max_output_tokens, folder


def test_planning_for_the_estimate_is_planning_for_the_run(repository: Path) -> None:
    task = load_task("researcher")
    prompt = task.choose_prompt("groups")
    sources = find_sources([repository / "eval" / "samples"])
    plans = [
        plan_questions(task.schema, prompt, split_document(read_source(s), prompt.strategy.chunk_tokens), "m")
        for s in sources
    ]
    found = estimate_run(task, prompt, sources, "m", None)
    assert found.total_amounts.requests.expected == sum(len(plan.questions) for plan in plans)
    assert set(found.groups) == {q.group for plan in plans for q in plan.questions}


def test_money_and_time_follow_from_tokens_and_are_unknown_without_a_price() -> None:
    group = GroupEstimate(AmountRange(1, 1, 1), AmountRange(500_000, 1e6, 2e6), AmountRange(0, 500_000, 1e6))
    found = RunEstimate(1, (), 10, {"g": group}, 400_000, 0)
    assert found.estimate_cost(Price(2, 8)) == AmountRange(1, 6, 12)
    assert found.estimate_cost(None) is None
    assert found.estimate_seconds(Speed(1000, 100), prefix_cache=False) == AmountRange(500, 6000, 12000)
    assert found.estimate_seconds(Speed(1000, 100), prefix_cache=True) == AmountRange(100, 5600, 11600)
    assert found.estimate_seconds(None, prefix_cache=True) is None


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "schema.py").write_text(SCHEMA)
    (folder / "plain.md").write_text(PROMPT)
    return folder


def dry(capsys: pytest.CaptureFixture[str], *flags: object) -> tuple[int, dict[str, Any]]:
    code = main(["run", *map(str, flags), "--dry-run", "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, told


def test_a_dry_run_sends_nothing_writes_nothing_and_prices_every_model(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("A bolt.")
    prices = tmp_path / "mine.toml"
    prices.write_text('dated = 2026-01-02\ncurrency = "EUR"\n[models."big"]\ninput = 1000\noutput = 2000\n')
    code, told = dry(capsys, tmp_path / "a.txt", "--task", task, "-o", tmp_path / "out", "--prices", prices)
    assert code == 0
    assert not (tmp_path / "out").exists()
    assert told["prices"] == {"file": "mine.toml", "dated": "2026-01-02", "currency": "EUR"}
    chosen, big = told["models"]
    assert (chosen["name"], chosen["chosen"], chosen["money"]["expected"]) == (DEFAULT_MODEL, True, 0)
    read, written = told["input_tokens"]["expected"], told["output_tokens"]["expected"]
    assert abs(big["money"]["expected"] - (read * 1000 + written * 2000) / 1e6) < 0.003


def test_several_models_are_estimated_each_as_it_is_asked_and_added_up(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("A bolt.")
    names = ("gpt-5-mini", "claude-sonnet-4-5")
    flags = (tmp_path / "a.txt", "--task", task, "--base-url", "http://127.0.0.1:9/v1", "-o", tmp_path / "out")
    alone = [dry(capsys, *flags, "--model", name)[1]["models"][0]["money"] for name in names]
    code, told = dry(capsys, *flags, "--models", ",".join(names))
    assert code == 0 and [one["models"][0]["name"] for one in told["estimates"]] == list(names)
    assert [one["models"][0]["money"] for one in told["estimates"]] == alone
    assert told["money"] == {key: pytest.approx(sum(one[key] for one in alone)) for key in alone[0]}
    _, unknown = dry(capsys, *flags, "--models", "gpt-5-mini,nobody-knows-1")
    assert unknown["money"] is None, "a sum of what is not known is none"
    assert main(["run", *map(str, flags), "--model", names[0], "--then", names[1], "--dry-run"]) == 0
    assert f"{names[1]} is asked only of what {names[0]} says less surely" in capsys.readouterr().out


def test_a_model_without_a_price_is_estimated_in_tokens_alone(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("A bolt.")
    (tmp_path / "b.txt").write_bytes(b"\0\0")
    flags = [tmp_path / "a.txt", tmp_path / "b.txt", "--task", task, "-o", tmp_path / "out"]
    code, told = dry(capsys, *flags, "--model", "nobody-knows")
    assert code == 1
    assert told["unreadable"][0]["name"] == "b.txt"
    assert told["models"][0]["money"] is None and told["models"][0]["price"] is None
    main(["run", *map(str, flags), "--model", "nobody-knows", "--dry-run"])
    assert "price not known" in capsys.readouterr().out


def test_finished_results_make_the_estimate_of_what_is_written_a_measured_one(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from extractor.testing import FaultEndpoint

    (tmp_path / "a.txt").write_text("A bolt.")
    flags = [tmp_path / "a.txt", "--task", task, "-o", tmp_path / "out", "--model", "m"]
    with FaultEndpoint(lambda body, n: '{"title": "bolt"}') as server:  # which says it read 10 tokens and wrote 5
        assert main(["run", *map(str, flags), "--base-url", server.url, "--quiet"]) == 0
    usage = json.loads((tmp_path / "out" / "a.json").read_text())["usage"]
    assert usage["groups"]["record"] == {key: usage[key] for key in usage if key != "groups"}
    assert dry(capsys, *flags)[1]["output_basis"] == "measured on 1 document"
    assert dry(capsys, *flags[:-1], "other")[1]["output_basis"] == "assumed"


def test_a_question_that_may_be_cut_short_widens_the_range() -> None:
    task = load_task("researcher")
    text = "\n".join(f"Paper {i}: a title of some words, A. Author, 2020. Accepted at a workshop." for i in range(60))
    prompt = task.choose_prompt("groups")
    prompt = replace(prompt, strategy=replace(prompt.strategy, max_tokens=150))
    pieces = split_document(Document("d", text), 800)
    plan = plan_questions(task.schema, prompt, pieces, "m")
    found = [_estimate_question(q, None) for q in plan.questions]
    assert any(g.requests.high == 3 and g.input_tokens.high > 2 * g.input_tokens.low for g in found)
