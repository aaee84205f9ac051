"""Explains what will be asked for a schema: fields, kinds, keys, requests, what dialects drop, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from extractor.extraction.compact import compact_part
from extractor.extraction.enumerated import CandidateBatch, split_enumerated
from extractor.extraction.prompt import Prompt
from extractor.extraction.response_schema import build_response_schema
from extractor.extraction.task import Task
from extractor.models.endpoint import Dialect
from extractor.models.openai.dialects import adapt_to_dialect
from extractor.schema.annotations import Kind
from extractor.schema.groups import MAX_SCALARS
from extractor.schema.open_objects import as_rows
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, Schema, ValueList, count_scalars
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """One place of the schema."""

    place: str
    kind: str
    required: bool
    description: str = ""
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionSummary:
    """What one request asks of each chunk."""

    group: str
    fields: tuple[str, ...]
    leaves: int
    dropped: Mapping[str, tuple[str, ...]]
    """Dialect to the constraints that it cannot enforce on a reply."""
    refused: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TaskExplanation:
    name: str
    fields: tuple[FieldSummary, ...]
    questions: tuple[QuestionSummary, ...]
    warnings: tuple[str, ...]


def explain_task(task: Task, prompt: Prompt) -> TaskExplanation:
    schema = task.schema
    whole = prompt.strategy.ask == "whole"
    parts = [("record", as_rows(schema.root))] if whole else list(_asked_parts(schema))
    return TaskExplanation(
        task.name,
        tuple(_summarize_fields(schema.root, "")),
        tuple(_summarize_question(name, part, prompt) for name, part in parts),
        (*map(str, schema.notes), *_find_warnings(schema, whole)),
    )


def _summarize_fields(node: Object, place: str) -> Iterator[FieldSummary]:
    for f in node.fields:
        at = f"{place}/{f.name}"
        match f.node:
            case Scalar():
                yield FieldSummary(at, _describe_kind(f.node), f.required, f.description)
            case ValueList(item):
                yield FieldSummary(f"{at}[]", _describe_kind(item), f.required, f.description)
            case ObjectList(row, key):
                kind = f"rows, one for each {f.node.enumerate_by} in the text" if f.node.enumerate_by else "rows"
                yield FieldSummary(f"{at}[]", kind, f.required, f.description or row.description, key)
                yield from _summarize_fields(row, f"{at}[]")
            case Object():
                kind = "one of several objects" if f.node.branches else "object"
                yield FieldSummary(at, kind, f.required, f.description or f.node.description)
                yield from _summarize_fields(f.node, at)
                if f.node.entries:
                    named = Object((Field("*", f.node.entries.node, f.node.entries.description),))
                    yield from _summarize_fields(named, at)


def _describe_kind(leaf: Scalar) -> str:
    if leaf.enum:
        shown = ", ".join(map(str, leaf.enum[:4]))
        return f"one of {shown}" + (f", ... ({len(leaf.enum)})" if len(leaf.enum) > 4 else "")
    return str(leaf.kind) + (" as written" if leaf.verbatim_number or leaf.verbatim else "")


def _asked_parts(schema: Schema) -> Iterator[tuple[str, Object]]:
    """The parts that are asked for together; of enumerated rows, the part that is asked for each candidate."""
    for name, part in schema.parts.items():
        rest, lists = split_enumerated(part)
        if rest.fields:
            yield name, as_rows(compact_part(rest))
        for path, field in lists:
            yield f"{name}.{field.name}", CandidateBatch(path, field, ()).remaining_row


def _summarize_question(name: str, part: Object, prompt: Prompt) -> QuestionSummary:
    # no document is known yet: without candidates this is the schema at its widest
    schema = build_response_schema(part, "", replace(prompt.strategy, candidates=False))
    adapted = {str(d): adapt_to_dialect(d, schema) for d in Dialect}
    return QuestionSummary(
        name,
        tuple(f.name for f in part.fields),
        count_scalars(part),
        {d: s.dropped for d, s in adapted.items() if s.dropped},
        {d: s.refusal_reasons for d, s in adapted.items() if s.refusal_reasons},
    )


def _find_warnings(schema: Schema, whole: bool) -> Iterator[str]:
    for place, node in _walk_nodes(schema.root, ""):
        if isinstance(node, ObjectList) and not node.key_declared:
            yield (
                f"{place}[]: no key is declared; rows with the same {' and '.join(node.key)} become one. "
                'Declare the fields that tell rows apart with "x-key".'
            )
        if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN:
            yield f"{place}: is believed only where a document states it beside its label (yes, no, a ticked box)."
        if isinstance(node, Scalar) and node.kind is Kind.ENUM and any(not isinstance(v, str) for v in node.enum):
            yield f"{place}: its choices are not texts; the document must write them as they are."
    bare = [line.place for line in _summarize_fields(schema.root, "") if not line.description]
    if bare:
        shown = ", ".join(bare[:6]) + (f" and {len(bare) - 6} more" if len(bare) > 6 else "")
        yield f"no description: {shown}. A model that is told what a field holds finds more of it."
    for name, part in {"record": schema.root}.items() if whole else schema.parts.items():
        if (size := count_scalars(part)) > MAX_SCALARS:
            yield f"question {name!r} asks for {size} fields at once; more than {MAX_SCALARS} are answered badly."


def _walk_nodes(node: Node, place: str) -> Iterator[tuple[str, Node]]:
    yield place, node
    match node:
        case Object(fields):
            for f in fields:
                yield from _walk_nodes(f.node, f"{place}/{f.name}")
            if node.entries:
                yield from _walk_nodes(node.entries.node, f"{place}/*")
        case ObjectList(row):
            for inner, one in _walk_nodes(row, f"{place}[]"):
                if one is not row:
                    yield inner, one
        case ValueList(item):
            yield f"{place}[]", item
        case Scalar():
            pass


def explanation_to_json(explanation: TaskExplanation) -> dict[str, Json]:
    """The explanation as JSON."""
    return {
        "schema": explanation.name,
        "fields": [
            {"place": x.place, "kind": x.kind, "required": x.required, "description": x.description, "key": list(x.key)}
            for x in explanation.fields
        ],
        "questions": [
            {
                "group": q.group,
                "fields": list(q.fields),
                "leaves": q.leaves,
                "dropped": {d: list(reasons) for d, reasons in q.dropped.items()},
                "refused": {d: list(reasons) for d, reasons in q.refused.items()},
            }
            for q in explanation.questions
        ],
        "warnings": list(explanation.warnings),
    }


def format_explanation(explanation: TaskExplanation) -> str:
    """The explanation as text for a terminal."""
    out = [
        f"{explanation.name}: {len(explanation.fields)} places, {len(explanation.questions)} questions for each chunk",
        "",
    ]
    wide = min(44, max((len(x.place) for x in explanation.fields), default=0))
    for x in explanation.fields:
        mark = "*" if x.required else " "
        key = f"  key: {', '.join(x.key)}" if x.key else ""
        out.append(
            f"  {x.place:{wide}} {mark} {x.kind}{key}"
            + (f"  - {_shorten_text(x.description)}" if x.description else "")
        )
    out += ["", "  * a value is required", "", "Asked together:"]
    out += [f"  {q.group} ({q.leaves} fields): {_shorten_text(', '.join(q.fields))}" for q in explanation.questions]
    out += ["", "What a dialect cannot hold a reply to (it is checked when the reply is there):"]
    for dialect in Dialect:
        lines = list(_unique_sentences({q.group: q.dropped.get(dialect, ()) for q in explanation.questions}))
        lines += _unique_sentences(
            {q.group: [f"Not asked so: {why}." for why in q.refused.get(dialect, ())] for q in explanation.questions}
        )
        lines = lines or ["nothing is dropped."]
        out += [f"  {dialect:8} {line}" for line in lines]
    if explanation.warnings:
        out += ["", "Worth a look:", *(f"  {one}" for one in explanation.warnings)]
    return "\n".join(out)


def _unique_sentences(sentences_by_group: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Each sentence once, with the groups that it applies to unless those are all."""
    for one in dict.fromkeys(sentence for sentences in sentences_by_group.values() for sentence in sentences):
        groups = [group for group, sentences in sentences_by_group.items() if one in sentences]
        yield one if len(groups) == len(sentences_by_group) else f"{one} ({_shorten_text(', '.join(groups))})"


def _shorten_text(words: str, most: int = 80) -> str:
    return words if len(words) <= most else words[: most - 3] + "..."
