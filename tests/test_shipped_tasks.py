"""The tasks that ship beside the first: their gold is what a model that knows it makes of their samples."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from test_wild_schemas import knowing, said

from extractor.documents.discovery import load_document
from extractor.evaluation.suite import load_suite, load_suite_gold
from extractor.extraction.chunking import split_document
from extractor.extraction.pipeline import extract_record
from extractor.extraction.task import load_task
from extractor.extraction.validation import validate_record
from extractor.models.endpoint import Dialect
from extractor.types import Json, Record

REPOSITORY = Path(__file__).parent.parent
SUITES = {name: REPOSITORY / "eval" / name for name in ("invoice", "contract")}
SAMPLES = [(name, path) for name, folder in SUITES.items() for path in sorted((folder / "samples").iterdir())]


def gold(name: str, sample: Path) -> dict[str, Any]:
    return dict(json.loads((SUITES[name] / "gold" / f"{sample.stem}.json").read_text(encoding="utf-8")))


def spelled(value: Json, text: str) -> Json:
    """The gold with each number as the document spells it."""
    if isinstance(value, dict):
        return {k: spelled(v, text) for k, v in value.items()}
    if isinstance(value, list):
        return [spelled(v, text) for v in value]
    if isinstance(value, int | float):
        english = f"{value:,.2f}"
        german = english.translate(str.maketrans(",.", ".,"))
        plain = f"{value:g}"
        forms = (english, german, english.removesuffix(".00"), plain, plain.replace(".", ","))
        return next((s for s in forms if s in text), value)
    return value


def extract(name: str, sample: Path, prompt: str | None = None) -> tuple[Record, Json]:
    task, truth = load_task(name), gold(name, sample)["record"]
    document = load_document(sample)
    model = knowing(spelled(truth, document.text), Dialect.SCHEMA)
    return asyncio.run(extract_record(document, task, task.choose_prompt(prompt), model, "m")), truth


@pytest.mark.parametrize("name", SUITES)
def test_gold_is_fit_to_score_with(name: str) -> None:
    true = load_suite_gold(load_suite(SUITES[name]))
    assert len(true.golds) == 3
    assert true.findings == ()


def told(value: Json, path: str = "") -> set[tuple[str, str]]:
    """Plain values by field, rows apart from their order: a row may be met first where another clause names it."""
    if isinstance(value, dict):
        return {one for k, v in value.items() for one in told(v, f"{path}.{k}")}
    if isinstance(value, list):
        return {one for v in value for one in told(v, path)}
    number = isinstance(value, int | float)
    return {(path, str(float(value)) if number else str(value).casefold())}


OUT_OF_REACH = {
    ("003_nda", (".parties.signatory", "carlos mendieta")),
    ("003_nda", (".parties.registration", "11208846")),
    ("003_nda", (".parties.address", "cambridge science park, unit 318 cambridge cb4 0wg, united kingdom")),
}
"""What may stand nearer to another row of its list than to its own: a letter names its parties at both its ends."""


@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=lambda v: v if isinstance(v, str) else v.stem)
@pytest.mark.parametrize("prompt", ["groups", "whole"])
def test_gold_stands_in_its_document_and_comes_out_of_it(name: str, sample: Path, prompt: str) -> None:
    record, truth = extract(name, sample, prompt)
    missing = {(sample.stem, one) for one in told(said(truth)) - told(said(record.value))}
    assert missing <= OUT_OF_REACH
    assert not told(said(record.value)) - told(said(truth))
    for field, rows in truth.items():
        if isinstance(rows, list):
            assert len(record.value[field]) == len(rows)


def test_an_invoice_that_does_not_add_up_is_a_problem_and_its_numbers_stay() -> None:
    found = {path.stem: extract("invoice", path)[0] for name, path in SAMPLES if name == "invoice"}
    assert {k: [p.path for p in r.problems] for k, r in found.items()} == {
        "001_bindery": [],
        "002_imkerei": [],
        "003_rigging": [("lines", 3), ("total",)],
    }
    messages = [p.message for p in found["003_rigging"].problems]
    assert "3 x 140.00 is 420.00, not 450.00" in messages[0]
    assert "7065.03, not 7165.03" in messages[1]
    assert found["003_rigging"].value["total"] == 7165.03


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({}, []),
        ({"subtotal": 11.0}, [("subtotal",)]),
        ({"total": 13.0}, [("total",)]),
        ({"discount": -2.0}, [("total",)]),
        ({"discount": -2.0, "total": 10.0}, []),
        ({"subtotal": None, "tax": None, "total": 10.0}, []),
        ({"tax": None, "total": 10.0}, []),
        ({"lines": [], "total": 12.0}, []),
    ],
)
def test_what_adds_up(change: dict[str, Any], places: list[tuple[str, ...]]) -> None:
    task = load_task("invoice")
    line = {"description": "nails", "quantity": 4.0, "unit_price": 2.5, "amount": 10.0}
    value = {"lines": [line], "subtotal": 10.0, "tax": 2.0, "total": 12.0} | change
    assert [p.path for p in validate_record(value, task.model_class, task.schema.source)] == places


def test_a_contract_that_ends_before_it_begins_is_a_problem() -> None:
    task = load_task("contract")
    assert [p.path for p in validate_record({"effective": "2026-02-01", "expires": "2026"}, task.model_class, {})] == []
    assert [
        p.path for p in validate_record({"effective": "2026-02-01", "expires": "2025-12-31"}, task.model_class, {})
    ] == [("expires",)]


def test_the_long_contract_is_read_in_several_chunks() -> None:
    document = load_document(SUITES["contract"] / "samples" / "001_lifts.txt")
    assert len(document.text) >= 20_000
    for prompt in load_task("contract").prompts.values():
        assert len(split_document(document, prompt.strategy.chunk_tokens)) >= 3
