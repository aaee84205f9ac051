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
