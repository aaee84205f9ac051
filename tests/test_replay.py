"""The recorded comparison, end to end through the real client: models x prompts x documents, no key, no weights."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.main import main
from extractor.evaluation.suite import load_suite

RUNS = "runs"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parent.parent)
        code = main(["eval", "--mode", "replay", "-o", str(out), "--baseline", "eval/baseline.json"])
    assert code == 0, "a recorded run scores less than eval/baseline.json says; if that is meant, --update-baseline"
    return out


def told(report: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((report / "report.json").read_text(encoding="utf-8"))
    return content


def test_every_model_with_every_prompt_is_replayed_and_scored(report: Path, repository: Path) -> None:
    suite = load_suite(repository / "eval")
    pairs = {(run["model"], run["prompt"]) for run in told(report)["runs"]}
    assert pairs == {(m, p) for m in suite.models for p in suite.prompts} - suite.left_out
    assert len(suite.models) >= 3 and len(suite.prompts) >= 2
    for run in told(report)["runs"]:
        for average in ("micro", "macro"):
            assert set(run[average]) >= {"precision", "recall", "f1"}


def test_no_value_of_any_record_is_without_its_words(report: Path) -> None:
    seen = 0
    for file in (report / RUNS).rglob("*.json"):
        result = json.loads(file.read_text(encoding="utf-8"))
        if result["format"] != "extractor.result/1":
            continue
        text, evidence = result["document"]["text"], result["evidence"]
        leaves = dict(_leaves(result["record"], ""))
        assert set(leaves) == set(evidence)
        for found in evidence.values():
            assert found["spans"] or found["match"] == "none"
            for span in found["spans"]:
                assert text[span["start"] : span["end"]] == span["quote"]
                seen += 1
    assert seen > 500


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in _leaves(v, f"{path}/{k}")]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in _leaves(v, f"{path}/{i}")]
    return [] if value is None else [(path, value)]


def test_results_are_as_their_published_schema_says(report: Path, repository: Path) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads((repository / "docs" / "result.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    files = [f for f in (report / RUNS).rglob("*.json") if f.name != "run.json"]
    assert files
    for file in files:
        validator.validate(json.loads(file.read_text(encoding="utf-8")))


def test_a_replay_gives_the_same_bytes_at_any_concurrency(report: Path, tmp_path: Path, repository: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        for n in ("1", "7"):
            out = tmp_path / n
            code = main(["run", "-o", str(out), "--mode", "replay", "--concurrency", n, "--quiet"])
            assert code in (0, 1)
    names = sorted(f.name for f in (tmp_path / "1").glob("*.json*"))
    assert len(names) == 7, "five results, run.json and the journal"
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "7" / name).read_bytes()


def test_one_changed_word_of_a_prompt_fails_and_says_what_to_record(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = tmp_path / "researcher"
    shutil.copytree(repository / "prompts" / "researcher", task, ignore=shutil.ignore_patterns("__pycache__"))
    prompt = task / "groups.md"
    prompt.write_text(prompt.read_text(encoding="utf-8").replace("Never invent", "Do not invent"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        flags = ["--task", str(task), "--prompt", "groups", "--mode", "replay"]
        assert main(["run", "eval/samples", "-o", str(tmp_path / "out"), *flags]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "record with --mode record" in said
    assert "Do not invent" in said


@pytest.mark.parametrize(("suite", "least"), [("invoice", "0.88"), ("contract", "0.75"), ("heldout", "0.8")])
def test_every_other_suite_that_ships_is_recorded_and_keeps_its_worth(
    suite: str, least: str, tmp_path: Path, repository: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        flags = ["--suite", f"eval/{suite}", "--mode", "replay", "--fail-under", least, "--max-failed", "0"]
        assert main(["eval", *flags, "-o", str(tmp_path)]) == 0
    content = told(tmp_path)
    assert content["documents"] and content["runs"][0]["micro"]["f1"] < 1
