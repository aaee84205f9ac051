"""Values that a right model says, and what supports them: every case of tests/kinds, played through the whole path.

`supported` says whether the text supports what was said: yes, no, or either way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.prompt import read_prompt
from extractor.extraction.task import SHIPPED_TASKS, Task
from extractor.models.traits import STRONG
from extractor.schema.reader import read_schema
from extractor.testing import ScriptedModel
from extractor.types import Document, Json, Match, Record

CASES = Path(__file__).parent / "kinds"
CLASSES = {"G29"}
"""Said values that are a class, such as a sentiment: no words prove them, and the record keeps them without."""
ENUMS = {"status": ["paid", "open"], "sentiment": ["positive", "negative"]}


def read_cases() -> Iterator[Any]:
    for file in ("numbers", "dates", "words"):
        for line in (CASES / f"{file}.jsonl").read_text("utf-8").splitlines():
            case = json.loads(line)
            for described in (False, True) if file == "dates" else (False,):
                yield pytest.param(case, described, id=f"{case['id']}{'-described' if described else ''}")


def schema_of(said: dict[str, Json], *, described: bool) -> dict[str, Json]:
    """As a user writes it: a date is declared so, or a text of which the description says how."""
    properties: dict[str, Json] = {}
    for name, value in said.items():
        if name == "day" and not described:
            properties[name] = {"type": "string", "format": "date"}
        elif name in ("day", "isodate"):
            properties[name] = {"type": "string", "description": "the date as YYYY-MM-DD"}
        elif name in ENUMS:
            properties[name] = {"enum": ENUMS[name]}
        elif isinstance(value, bool):
            properties[name] = {"type": "boolean"}
        elif isinstance(value, int | float):
            properties[name] = {"type": "integer" if name == "n" else "number"}
        else:
            properties[name] = {"type": "string"}
    return {"type": "object", "properties": properties}


def play(text: str, said: dict[str, Json], *, described: bool) -> Record:
    prompt = read_prompt(SHIPPED_TASKS / "default.md")
    task = Task("case", read_schema(schema_of(said, described=described)), {prompt.name: prompt})
    model = ScriptedModel(said)
    return asyncio.run(extract_record(Document("d", text), task, prompt, model, "m", reading=Reading(STRONG)))


@pytest.mark.parametrize(("case", "described"), [*read_cases()])
def test_what_the_text_supports_is_kept_with_its_words_and_what_it_does_not_has_none(
    case: dict[str, Any], described: bool
) -> None:
    said = case["said"]
    record = play(case["text"], said, described=described)
    proved = {str(path[0]) for path, e in record.evidence.items() if e.match is not Match.NONE and e.spans}
    if case["id"] in CLASSES:
        assert {name: record.value[name] for name in said} == said
        assert not proved
    elif case["supported"] == "yes":
        assert {name: record.value[name] for name in said} == said
        assert proved == set(said)
    elif case["supported"] == "no":
        assert not proved


@pytest.mark.parametrize(
    ("text", "said", "supported"),
    [
        ("Thing number 1 costs 1.20", "ghost 1", False),
        ("Room 14 has 12 seats.", "room 12", False),
        ("The fee is 12.50 EUR.", "EUR 12.50", True),
        ("It weighs 2,0 kg.", "2 kg", True),
    ],
)
def test_a_text_with_a_number_is_not_proved_by_the_number_alone(text: str, said: str, supported: bool) -> None:
    record = play(text, {"text": said}, described=False)
    assert (record.evidence[("text",)].match is not Match.NONE) == supported
