"""Small documents, each with the answer of a right model: the record is that answer, and nothing of it is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor import Engine
from extractor.errors import ReplyCutShort
from extractor.testing import ScriptedModel
from extractor.types import Json, Request

CASES = Path(__file__).parent / "cases" / "records"
CHARACTERS_A_TOKEN = 3


def list_cases() -> Iterator[Any]:
    for folder in sorted(CASES.iterdir()):
        yield pytest.param(folder, id=folder.name)


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def without_nothing(value: Json) -> Json:
    """The value without what is null or empty."""
    if isinstance(value, dict):
        inner = {name: without_nothing(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one not in (None, [], {})}
    return [without_nothing(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("folder", [*list_cases()])
def test_the_record_is_what_a_right_model_answers(folder: Path) -> None:
    answer = read(folder, "answer")

    def say(request: Request) -> Any:
        said = {name: answer.get(name) for name in request.schema["properties"]}
        text, most = json.dumps(said, ensure_ascii=False), request.parameters["max_tokens"] * CHARACTERS_A_TOKEN
        return ReplyCutShort("cut", text=text[:most]) if len(text) > most else said

    (document,) = folder.glob("doc.*")
    with Engine(ScriptedModel(say)) as engine:
        result = engine.extract(document, read(folder, "schema"))
    assert without_nothing(result.value) == without_nothing(answer)
    assert not result.failures
