"""Words that a reader may not see: what a value that rests on them is told to rest on, and what that is worth."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pydantic import BaseModel

from extractor.extraction.acceptance import Acceptance
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.traits import SMALL, STRONG, ModelTraits
from extractor.schema.reader import read_schema
from extractor.testing import ScriptedModel
from extractor.types import Document, Evidence, Span

TEXT = "Order 4711 of May.\n\nThe colour is green."


class Order(BaseModel):
    number: str | None = None
    colour: str | None = None


def prove(document: Document, traits: ModelTraits) -> dict[str, Evidence]:
    task = Task("order", read_schema(Order.model_json_schema()), {}, Order)
    prompt = Prompt("whole", "", "{document}{question}", {}, Strategy(ask="whole", chunk_tokens=100_000))
    model = ScriptedModel({"number": "4711", "colour": "green"})
    record = asyncio.run(
        extract_record(document, task, prompt, model, "m", reading=Reading(traits, Acceptance(threshold=0)))
    )
    return {"/".join(map(str, path)): proof for path, proof in record.evidence.items()}


@pytest.mark.parametrize("traits", [SMALL, STRONG])
def test_a_value_on_words_that_may_be_unseen_says_so_and_is_believed_less(traits: ModelTraits) -> None:
    at = TEXT.index("green")
    plain = Document("a.txt", TEXT)
    seen, doubted = prove(plain, traits), prove(replace(plain, doubtful=(Span(at, at + 5),)), traits)
    assert "doubtful sight" in doubted["colour"].findings and "doubtful sight" not in seen["colour"].findings
    assert doubted["colour"].confidence < seen["colour"].confidence
    assert doubted["number"] == seen["number"]
