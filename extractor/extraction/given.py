"""A record that came from anywhere, grounded in its document: proof and confidence for other people's JSON."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.extraction.answering import Answer, Reading, accept_reply, ground_question
from extractor.extraction.fitting import find_misfits, list_contradictions
from extractor.extraction.pipeline import build_record
from extractor.extraction.planning import WHOLE_RECORD, Plan, build_field_question
from extractor.extraction.task import Task
from extractor.schema.settling import settle_node
from extractor.types import Chunk, Document, Json, Record, Span


def ground_record(document: Document, task: Task, value: Mapping[str, Json], reading: Reading) -> Record:
    """The record with the words that support each leaf, as if a model had said it about the whole document.

    A leaf that the task's schema has no place for is rejected, and so is one that has not the form of its place.
    """
    chunk = Chunk(document, 0, Span(0, max(1, len(document.text))))
    prompt = task.choose_prompt(None).fit_to_model(reading.traits)
    question = build_field_question(prompt, chunk, WHOLE_RECORD, task.schema.root, "given")
    tree, rejected = accept_reply(question, ground_question(question, task, value, reading), reading)
    said, besides = question.expand_reply(value)
    misfits = find_misfits(settle_node(task.schema.root, [said]), said, chunk.span, text=chunk.text)
    answer = Answer(question, tree, (*misfits, *list_contradictions(besides, chunk.span), *rejected))
    return build_record(document, task, Plan((question,), ()), [answer], reading)
