"""What a document's words support, kind by kind: tables of cases, properties, and time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.schema.kinds import KINDS, BooleanKind, Folded, Reading, denied, fold_with_offsets, index, support
from extractor.schema.kinds.figures import key_of_value

HERE = Path(__file__).parent / "kinds"
FIELDS = {
    "amount": "number", "num": "number", "n": "integer", "day": "date", "isodate": "date", "currency": "currency", "cur": "currency",
    "phone": "phone", "insured": "boolean:insured", "text": "text", "status": "enum", "sentiment": "enum", "url": "url", "email": "email",
}  # fmt: skip
CLASSES = {"G29"}
"""Said values that are a class: no words prove them, and the record keeps them without."""


def supports(text: str, kind: str, said: Any) -> str | None:
    """The rule by which the text supports what was said ("" as it stands); None where it does not."""
    reading = Reading.of(text)
    name, _, label = kind.partition(":")
    if name == "boolean":
        found = index(BooleanKind().find_about(text, label, reading))
        return next((m.rule for m in support(KINDS[name], said, found)), None)
    if name in ("text", "enum", "name"):
        folded = Folded(text)
        for key, rule in KINDS[name].keys(said):
            for span in folded.find_folded(str(key)):
                if name != "text" or not denied(text, span):
                    return rule
        return None
    return next((m.rule for m in support(KINDS[name], said, index(KINDS[name].find(text, reading)))), None)


def copied() -> Iterator[Any]:
    for file in ("numbers", "dates", "words"):
        for line in (HERE / f"{file}.jsonl").read_text("utf-8").splitlines():
            case = json.loads(line)
            for field, said in case["said"].items():
                if case["id"] not in CLASSES:
                    yield pytest.param(FIELDS[field], case["text"], said, case["supported"], id=f"{case['id']}-{field}")


def invented() -> Iterator[Any]:
    for number, line in enumerate((HERE / "more.txt").read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            kind, text, said, supported = line.split(" | ")
            for mark, character in (("\\n", "\n"), ("\\t", "\t"), ("\\u0308", "\u0308"), ("\\u00ad", "\u00ad")):
                text = text.replace(mark, character)
            yield pytest.param(kind, text, json.loads(said), supported, id=f"line{number}-{kind}")


@pytest.mark.parametrize(("kind", "text", "said", "supported"), [*copied(), *invented()])
def test_supported_values_are_found_and_others_are_not(kind: str, text: str, said: Any, supported: str) -> None:
    rule = supports(text, kind, said)
    if supported != "either":
        assert (rule is not None) == (supported == "yes"), (rule, Reading.of(text))
