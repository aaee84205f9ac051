"""A record that came from anywhere, grounded in its document: proof and confidence for other people's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.extraction.pipeline import Answer, Reading, accept_reply, build_record, ground_question
from extractor.extraction.planning import WHOLE_RECORD, Plan, build_field_question
from extractor.extraction.task import Task
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Chunk, Document, Evidence, Json, Match, Record, RejectedValue, Span, ValuePath

NOT_IN_SCHEMA = "not in the schema"


def ground_record(document: Document, task: Task, value: Mapping[str, Json], reading: Reading) -> Record:
    """The record with the words that support each leaf, as if a model had said it about the whole document.

    A leaf that the task's schema has no place for is rejected, and so is one that has not the form of its place.
    """
    chunk = Chunk(document, 0, Span(0, max(1, len(document.text))))
    prompt = task.choose_prompt(None).fit_to_model(reading.traits)
    question = build_field_question(prompt, chunk, WHOLE_RECORD, task.schema.root, "given")
    misfits: list[RejectedValue] = []
    for path, leaf in _iterate_misfits(task.schema.root, value, ()):
        evidence = Evidence(Match.NONE, (), str(leaf), 0.0, (NOT_IN_SCHEMA,))
        misfits.append(RejectedValue(path, leaf, NOT_IN_SCHEMA, chunk.span, evidence))
    fitting = _fit_value(task.schema.root, value)
    tree, rejected = accept_reply(question, ground_question(question, task, fitting, reading), reading)
    answer = Answer(question, tree, (*misfits, *rejected))
    return build_record(document, task, Plan((question,), ()), [answer], reading)


def _fit_value(node: Node, value: Json) -> Json:
    """What of the value the schema has a place for; None where it is of another form."""
    match node, value:
        case Object(fields), dict():
            return {f.name: _fit_value(f.node, value.get(f.name)) for f in fields}
        case ObjectList(row), list():
            return [_fit_value(row, one) for one in value if isinstance(one, dict)]
        case ValueList(item), list():
            return [_fit_value(item, one) for one in value]
        case Scalar(), str() | int() | float() | bool():
            return value
    return None


def _iterate_misfits(node: Node, value: Json, path: ValuePath) -> Iterator[tuple[ValuePath, Json]]:
    """Every leaf of the value that `_fit_value` leaves out."""
    match node, value:
        case Object(fields), dict():
            nodes = {f.name: f.node for f in fields}
            for name, inner in value.items():
                if name in nodes:
                    yield from _iterate_misfits(nodes[name], inner, (*path, name))
                else:
                    yield from _iterate_leaves(inner, (*path, name))
        case ObjectList(row), list():
            for i, one in enumerate(value):
                yield from _iterate_misfits(row, one, (*path, i))
        case ValueList(item), list():
            for i, one in enumerate(value):
                yield from _iterate_misfits(item, one, (*path, i))
        case Scalar(), str() | int() | float() | bool() | None:
            pass
        case _:
            yield from _iterate_leaves(value, path)


def _iterate_leaves(value: Json, path: ValuePath) -> Iterator[tuple[ValuePath, Json]]:
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _iterate_leaves(inner, (*path, step))
    elif value is not None:
        yield path, value
