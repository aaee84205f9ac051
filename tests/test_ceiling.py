"""A perfect model loses nothing: gold as replies, through the whole path, and every leaf of it is in the record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from extractor.documents.discovery import load_document
from extractor.evaluation.suite import load_suite
from extractor.extraction.pipeline import Reading, extract_record
from extractor.models.traits import STRONG
from extractor.testing import ScriptedModel
from extractor.types import Json

ROOT = Path(__file__).parent.parent
SUITES = ("eval", "eval/heldout", "eval/invoice", "eval/contract")


def list_leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    if isinstance(value, Mapping | list):
        for step, part in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from list_leaves(part, (*path, step))
    elif value is not None:
        yield path, value


def gold_files() -> Iterator[Any]:
    for name in SUITES:
        for file in sorted(load_suite(ROOT / name).gold.glob("*.json")):
            yield pytest.param(name, file, id=f"{name}-{file.stem}")


@pytest.mark.parametrize(("name", "file"), [*gold_files()])
def test_a_perfect_model_that_is_asked_once_for_the_whole_record_loses_nothing(name: str, file: Path) -> None:
    suite, one = load_suite(ROOT / name), json.loads(file.read_text(encoding="utf-8"))
    model, prompt = ScriptedModel(one["record"]), suite.task.choose_prompt(None)
    document = load_document(suite.samples / one["document"])
    reading = Reading(STRONG)
    record = asyncio.run(extract_record(document, suite.task, prompt, model, model.name, reading=reading))
    found = dict(list_leaves(record.value))
    said = dict(list_leaves(one["record"]))
    assert len(model.requests) == 1
    assert {path: (value, found.get(path)) for path, value in said.items() if found.get(path) != value} == {}
    assert len(said) > 10
    assert not [r for r in record.rejected if r.path in said] and not record.conflicts
    assert set(record.evidence) == set(found)


CHUNKED: dict[str, set[tuple[str, str]]] = {
    # the place of work stands in the first chunk, and the teaching, which is of the same place, in another
    "h2_home_page.txt": {("experience/3/organization", "University of Edinburgh"), ("experience/0/end", "present")},
    "h6_phd_page.txt": {("experience/2/organization", "Uppsala University")},
    # a grade stands pages below its school, and a cut parts a figure from the name of its system
    "000_b88fed4cc4341690.txt": {("education/0/gpa", "3.866")},
    "001_d352af73050d3b3a.txt": {("systems/4/results/0/value", "3.3x"), ("systems/4/results/0/measure", "performance")},
}
"""What is lost in chunks of 500 tokens: leaves whose row no chunk has together."""


@pytest.mark.parametrize("tokens", [500, 1100])
@pytest.mark.parametrize("name", SUITES)
def test_a_perfect_reader_of_parts_loses_but_what_no_part_has_together(
    name: str, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    import gold_replies

    task, golds = gold_replies.suite(ROOT / name)
    for path, gold in golds:
        line = gold_replies.document(path, gold, task, tokens, held=False)
        lost = {(one["at"], one["said"]) for one in line.lost}
        assert lost <= CHUNKED.get(path.name, set()), path.name
        assert not line.silent or lost <= CHUNKED["h6_phd_page.txt"], path.name
