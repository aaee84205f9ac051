"""Schemas as they are found in the world: read, put into every dialect, asked, and answered by a scripted model.

The document says what the schema's own example says. The model answers each question from the schema that it is sent,
with what that allows. The record that comes out must be the example again, and valid by the schema as declared.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from extractor.extraction.pipeline import extract_record
from extractor.extraction.planning import plan_questions
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task, task_from_schema
from extractor.extraction.validation import build_validator
from extractor.models.endpoint import Dialect
from extractor.models.openai.dialects import adapt_to_dialect, walk_schema
from extractor.testing import ScriptedModel, fit_reply
from extractor.types import Document, Json, Match, Record, Request

FOLDER = Path(__file__).parent / "schemas"
WILD = sorted(FOLDER.glob("*.schema.json"))


def page(value: Json, name: str = "", depth: int = 0) -> list[str]:
    """A document that says what the value says: a line for each plain value, a paragraph for each row."""
    match value:
        case dict():
            lines = [line for key, inner in value.items() for line in page(inner, key, depth + 1)]
            return ["", f"# {name}", *lines] if depth == 1 else lines
        case list() if value and isinstance(value[0], dict):
            rows = [line for row in value for line in ["", *page(row, "", depth + 1)]]
            return ["", f"# {name}", *rows, ""] if depth == 1 else rows
        case list():
            return [f"{name}:", *(f"- {one}" for one in value)] if value else []
        case None:
            return []
        case bool():
            return [f"{name}: {'yes' if value else 'no'}"]
    return [f"{name}: {value}"]


def knowing(truth: Json, dialect: Dialect) -> ScriptedModel:
    """A model that knows the truth, and is told the shape in one dialect."""

    def answer(request: Request) -> Json:
        spoken = adapt_to_dialect(dialect, request.schema)
        assert not spoken.refusal_reasons
        return fit_reply(truth, {**request.schema, **spoken.response_schema})

    return ScriptedModel(answer)


def extract(task: Task, text: str, truth: Json, dialect: Dialect = Dialect.GRAMMAR) -> tuple[Record, ScriptedModel]:
    model = knowing(truth, dialect)
    document = Document("d.txt", text)
    return asyncio.run(extract_record(document, task, task.choose_prompt(None), model, "m")), model


def said(value: Json) -> Json:
    """The value without what says nothing."""
    if isinstance(value, dict):
        inner = {k: said(v) for k, v in value.items()}
        return {k: v for k, v in inner.items() if v not in (None, [], {})}
    return [said(v) for v in value] if isinstance(value, list) else value


def read(path: Path) -> tuple[Task, dict[str, Any]]:
    return task_from_schema(str(path)), json.loads(path.read_text(encoding="utf-8"))["examples"][0]


def test_there_are_twenty_of_them() -> None:
    assert len(WILD) >= 20


@pytest.mark.parametrize("path", WILD, ids=lambda p: p.name.split(".")[0])
def test_a_schema_comes_round_to_a_record_that_it_calls_valid(path: Path) -> None:
    task, truth = read(path)
    record, model = extract(task, "\n".join(page(truth)), truth)
    assert said(record.value) == said(truth)
    assert list(build_validator(task.schema.source).iter_errors(record.value)) == []
    assert record.problems == ()
    assert all(e.match is not Match.NONE for e in record.evidence.values())
    assert {r.label.split()[-1] for r in model.requests} == set(task.schema.groups)


@pytest.mark.parametrize("path", WILD, ids=lambda p: p.name.split(".")[0])
def test_every_question_fits_every_dialect(path: Path) -> None:
    task, truth = read(path)
    prompt = task.choose_prompt(None)
    plan = plan_questions(task.schema, prompt, [*_chunks("\n".join(page(truth)), prompt)], "m")
    for question in plan.questions:
        for dialect in Dialect:
            spoken = adapt_to_dialect(dialect, question.request.schema)
            assert not spoken.refusal_reasons
            if dialect is Dialect.SCHEMA:
                for node in walk_schema(spoken.response_schema):
                    assert node.get("type") or len(node["anyOf"]) > 1
                    assert set(node) <= {
                        "anyOf",
                        "type",
                        "enum",
                        "properties",
                        "required",
                        "additionalProperties",
                        "items",
                        "maxItems",
                    }
                    if "properties" in node:
                        assert node["additionalProperties"] is False
                        assert node["required"] == list(node["properties"])


def _chunks(text: str, prompt: Prompt) -> Any:
    from extractor.extraction.chunking import split_document

    return split_document(Document("d.txt", text), prompt.strategy.chunk_tokens)
