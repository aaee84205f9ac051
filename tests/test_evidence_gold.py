"""The labelled set of eval/evidence: every label stands in its document exactly once, every leaf of gold has one."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from extractor.documents import discovery
from extractor.types import Json, json_pointer

FOLDER = Path(__file__).parent.parent / "eval" / "evidence"
SAMPLES = sorted((FOLDER / "samples").iterdir())
LONGEST = 64
"""Characters of `before`; the longest are those of rows that repeat the row above."""


def read(folder: str, sample: Path) -> Json:
    return json.loads((FOLDER / folder / f"{sample.stem}.json").read_text(encoding="utf-8"))


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    """The JSON pointer of every value that is said."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if steps is not None:
        for step, part in steps:
            yield from leaves(part, (*path, step))
    elif value is not None:
        yield json_pointer(path)


def labels(sample: Path) -> Iterator[dict[str, str]]:
    for label in read("spans", sample).values():
        yield from label if isinstance(label, list) else filter(None, [label])


@pytest.fixture(params=SAMPLES, ids=lambda path: path.name)
def sample(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_label_is_found_exactly_once(sample: Path) -> None:
    text = discovery.load_document(sample).text
    for label in labels(sample):
        words = label["before"] + label["quote"]
        first = text.find(words)
        assert first >= 0, f"{label} is not in the document"
        assert text.find(words, first + 1) < 0, f"{label} is in the document twice"


def test_a_label_is_short_and_quotes_no_white_space_around_its_words(sample: Path) -> None:
    for label in labels(sample):
        assert set(label) == {"quote", "before"}
        assert label["quote"] and label["quote"] == label["quote"].strip()
        assert len(label["before"]) <= LONGEST


def test_every_leaf_has_a_label_and_every_label_a_leaf(sample: Path) -> None:
    assert list(read("spans", sample)) == list(leaves(read("gold", sample)))


def test_gold_fits_its_schema(sample: Path) -> None:
    schema = read("schemas", sample)
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(read("gold", sample))
    assert '"x-' not in json.dumps(schema), "a schema as a user writes it, without notes of ours"


def test_the_evidence_of_right_values_is_on_the_words_that_a_person_points_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar of bench/evidence.py, which tells what is missed."""
    monkeypatch.syspath_prepend(FOLDER.parent.parent / "bench")
    evidence = importlib.import_module("evidence")
    whole = sum((evidence.judged(path) for path in SAMPLES), evidence.Tally())
    assert whole.counts["kept"] == whole.counts["said"]
    assert whole.share("hit") >= evidence.BAR == 0.95


def test_there_are_enough_documents_and_leaves() -> None:
    words = [label for sample in SAMPLES for label in read("spans", sample).values() if label is not None]
    assert len(SAMPLES) >= 8
    assert len({sample.suffix for sample in SAMPLES}) >= 6
    assert len(words) >= 250
