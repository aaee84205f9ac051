"""Weights of confidence, learnt from a user's own gold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extractor.cli.main import main
from extractor.errors import UsageError
from extractor.evaluation.analysis.fitting import LabelledLeaf, fit_calibration
from extractor.extraction.grounding.confidence import load_calibration
from extractor.extraction.grounding.findings import LABEL_BESIDE, NO_WORDS
from extractor.models.traits import SMALL, STRONG, ModelClass


def labelled(right: int, wrong: int, *findings: str, document: str = "a") -> list[LabelledLeaf]:
    return [LabelledLeaf(document, frozenset(findings), n < right) for n in range(right + wrong)]


def written(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "weights.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_many_labelled_leaves_decide_what_a_finding_means(tmp_path: Path) -> None:
    leaves = [
        *(leaf for n in range(20) for leaf in labelled(19, 1, LABEL_BESIDE, document=f"d{n}")),
        *(leaf for n in range(20) for leaf in labelled(2, 18, NO_WORDS, document=f"d{n}")),
    ]
    found = load_calibration(written(tmp_path, fit_calibration(leaves, ModelClass.STRONG, load_calibration())))
    assert found.confidence(STRONG, [LABEL_BESIDE]) == pytest.approx(0.95, abs=0.02)
    assert found.confidence(STRONG, [NO_WORDS]) == pytest.approx(0.10, abs=0.02)
    shipped = load_calibration()
    assert found.confidence(SMALL, [NO_WORDS]) == shipped.confidence(SMALL, [NO_WORDS])


def test_few_labelled_leaves_change_little(tmp_path: Path) -> None:
    shipped = load_calibration()
    leaves = [*labelled(28, 2, LABEL_BESIDE), *labelled(1, 1, NO_WORDS)]
    found = load_calibration(written(tmp_path, fit_calibration(leaves, ModelClass.STRONG, shipped)))
    assert abs(found.confidence(STRONG, [NO_WORDS]) - shipped.confidence(STRONG, [NO_WORDS])) < 0.25


@pytest.mark.parametrize("leaves", [labelled(5, 5), labelled(60, 0), labelled(0, 60)])
def test_too_few_or_too_equal_leaves_are_refused(leaves: list[LabelledLeaf]) -> None:
    with pytest.raises(UsageError, match="too few to learn from"):
        fit_calibration(leaves, ModelClass.STRONG, load_calibration())


@pytest.mark.parametrize(
    "content",
    [
        {"format": "extractor.calibration/9"},
        {"format": "extractor.calibration/1", "source": "x", "dated": "y", "classes": {}},
        {"format": "extractor.calibration/1", "source": "x", "dated": "y", "classes": {"small": {"intercept": "1"}}},
        [],
    ],
)
def test_a_calibration_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, content: object) -> None:
    with pytest.raises(UsageError, match="calibration"):
        load_calibration(written(tmp_path, content))


def test_a_suite_is_learnt_from_and_used_by_the_next_run(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    run = ["run", "eval/invoice/samples", "--task", "invoice", "--mode", "replay", "--prompt", "groups", "--quiet"]
    run += ["--model", "qwen2.5-coder-1.5b"]
    all_of_it, weights = tmp_path / "all", tmp_path / "weights.json"
    assert main([*run, "--accept", "0", "-o", str(all_of_it)]) in (0, 1)
    learn = ["eval", "--suite", "eval/invoice", "--runs", str(all_of_it), "--calibrate", str(weights)]
    assert main([*learn, "-o", str(tmp_path / "report")]) == 0
    assert "eval --calibrate" in json.loads(weights.read_text(encoding="utf-8"))["source"]
    assert main([*run, "--calibration", str(weights), "-o", str(tmp_path / "next")]) in (0, 1)
    made = json.loads(next((tmp_path / "next").glob("0*.json")).read_text(encoding="utf-8"))["manifest"]["reading"]
    assert made["calibration"] == load_calibration(weights).fingerprint != load_calibration().fingerprint
