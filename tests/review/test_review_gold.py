"""Gold out of what was reviewed: as somebody would have written it by hand, and fit to score with."""

import json
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.main import main
from extractor.evaluation.gold import load_gold_file, load_gold_folder
from extractor.evaluation.review_gold import measure_agreement, read_folder_review

from .run_folder import RECORD, TEXT, Client, open_client, write_run


def walk(record: Any, path: str = "") -> dict[str, Any]:
    """Every value and every list of a record by its place."""
    if isinstance(record, dict):
        return {at: one for key, inner in record.items() for at, one in walk(inner, f"{path}/{key}").items()}
    if isinstance(record, list):
        return {at: one for n, inner in enumerate(record) for at, one in walk(inner, f"{path}/{n}").items()}
    return {path: record}


def make_equal(client: Client, file: str, wanted: dict[str, Any]) -> None:
    """Corrects, rejects and adds, through the page's addresses, until the record says what is wanted."""
    for field, value in wanted.items():
        path = f"/{field}"
        held = {one["path"]: one for one in client.open(file)["lines"]}
        if path in held and held[path]["type"] == "list" and held[path]["rows"]:
            fit_rows(client, file, path, value, held)
        elif isinstance(value, list):
            fit_entries(client, file, path, value, held)
        elif isinstance(value, dict):
            for at, one in walk(value, path).items():
                fit_value(client, file, at, one, held)
        else:
            fit_value(client, file, path, value, held)


def fit_value(client: Client, file: str, path: str, value: Any, held: dict[str, Any]) -> None:
    current = held[path]["value"] if path in held else None
    if value == current:
        return
    if value is None:
        client.decide("reject", path, file)
    else:
        client.decide("correct" if current is not None else "add", path, file, value=value)


def fit_entries(client: Client, file: str, path: str, value: list[Any], held: dict[str, Any]) -> None:
    length = held[path]["length"]
    for n in range(max(length, len(value))):
        fit_value(client, file, f"{path}/{n}", value[n] if n < len(value) else None, held)


def fit_rows(client: Client, file: str, path: str, value: list[Any], held: dict[str, Any]) -> None:
    length = held[path]["length"]
    for n, row in enumerate(value):
        if n >= length:
            client.decide("add_row", path, file, position=n)
        held = {one["path"]: one for one in client.open(file)["lines"]}
        for name, inner in row.items():
            at = f"{path}/{n}/{name}"
            if isinstance(inner, list) and any(isinstance(one, dict) for one in inner):
                fit_rows(client, file, at, inner, held)
            elif isinstance(inner, list):
                fit_entries(client, file, at, inner, held)
            else:
                fit_value(client, file, at, inner, held)
    for n in range(len(value), length):
        client.decide("remove_row", f"{path}/{n}", file)


@pytest.mark.parametrize("suite", ["eval/invoice", "eval"])
def test_gold_of_a_review_is_that_of_a_careful_reader_who_decided_the_same(
    suite: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    task = {"eval": "researcher"}.get(suite, Path(suite).name)
    model = ["--model", "qwen2.5-coder-1.5b", "--mode", "replay", "--quiet"]
    out = tmp_path / "out"
    assert main(["run", f"{suite}/samples", "--task", task, "--out", str(out), *model]) in (0, 1)
    client = open_client(out)
    golds = load_gold_folder(repository / suite / "gold")[:1]
    for gold in golds:
        file = f"{Path(gold.document).stem}.json"
        make_equal(client, file, dict(gold.record))
        client.decide("finish", file=file)
    assert main(["gold", "from", str(out), "-o", str(tmp_path / "gold")]) == 0
    for gold in golds:
        own = load_gold_file(tmp_path / "gold" / f"{Path(gold.document).stem}.json")
        assert own.document == gold.document
        said, wanted = walk(own.record), walk(gold.record)
        assert {at: one for at, one in said.items() if one is not None} == {
            at: one for at, one in wanted.items() if one is not None
        }
        text = (repository / suite / "samples" / gold.document).read_text(encoding="utf-8")
        assert own.spans and all(0 <= start < end <= len(text) for one in own.spans.values() for start, end in one)
    capsys.readouterr()
    score = ["eval", "--suite", suite, "--runs", str(out), "--gold", str(tmp_path / "gold")]
    assert main([*score, "--out", str(tmp_path / "report")]) in (0, 1)
    assert (tmp_path / "report" / "report.html").exists()


def test_only_finished_documents_are_gold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = open_client(write_run(tmp_path / "out", {"a.txt": (TEXT, RECORD), "b.txt": (TEXT, RECORD)}))
    client.decide("correct", "/number", "00000.json", value="B")
    client.decide("finish", file="00000.json")
    client.decide("reject", "/number", "00001.json")
    assert main(["gold", "from", str(tmp_path / "out")]) == 1
    assert "1 gold files; 1 begun and not finished" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out" / "gold").iterdir()] == ["00000.json"]
    gold = json.loads((tmp_path / "out" / "gold" / "00000.json").read_text())
    assert gold["record"]["number"] == "B"
    assert gold["spans"]["/placed"] == [[14, 26]]


def test_agreement_is_told_by_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = write_run(tmp_path / "out", {f"{n}.txt": (TEXT, RECORD) for n in range(4)})
    client = open_client(out)
    for n in range(3):
        if n == 0:
            client.decide("correct", "/number", "00000.json", value="B", seconds=5)
            client.decide("remove_row", "/lines/2", "00000.json", seconds=2)
        client.decide("finish", file=f"0000{n}.json", seconds=3)
    ((_, agreed),) = measure_agreement(read_folder_review(out).finished)
    assert (agreed.documents, agreed.untouched) == (3, 2)
    assert agreed.touch_free == pytest.approx(2 / 3)
    assert agreed.seconds_per_document == pytest.approx(16 / 3)
    assert agreed.agreement == pytest.approx((3 * 12 - 3) / (3 * 12))
    assert main(["gold", "stats", str(out)]) == 0
    told = capsys.readouterr().out
    assert "66.7%" in told and "5.3" in told


def test_a_folder_that_nobody_reviewed_has_no_gold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gold", "from", str(write_run(tmp_path / "out"))]) == 2
    assert "extractor review" in capsys.readouterr().err
