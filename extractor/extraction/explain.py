"""What will be asked for a schema: fields, kinds, keys, questions, what dialects drop, and what is worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from extractor.extraction import compact as terse
from extractor.extraction import enumerated as stems
from extractor.extraction import response_schema as shapes
from extractor.extraction.enumerated import Stems
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.models.openai import dialects
from extractor.models.openai.dialects import Dialect
from extractor.schema.annotations import Kind
from extractor.schema.groups import MOST
from extractor.schema.reader import Leaf, Node, Object, Rows, Schema, Values, count
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class Line:
    """One place of the schema."""

    place: str
    kind: str
    required: bool
    about: str = ""
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each chunk in one request."""

    group: str
    fields: tuple[str, ...]
    leaves: int
    dropped: Mapping[str, tuple[str, ...]]
    """Dialect to what it cannot hold a reply to."""
    refused: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Survey:
    name: str
    lines: tuple[Line, ...]
    questions: tuple[Question, ...]
    warnings: tuple[str, ...]


def of(task: Task, prompt: Prompt) -> Survey:
    schema = task.schema
    whole = prompt.strategy.ask == "whole"
    parts = [("record", schema.root)] if whole else list(_parts(schema))
    return Survey(
        task.name,
        tuple(_lines(schema.root, "")),
        tuple(_question(name, part, prompt) for name, part in parts),
        (*map(str, schema.notes), *_warnings(schema, whole)),
    )


def _lines(node: Object, place: str) -> Iterator[Line]:
    for f in node.fields:
        at = f"{place}/{f.name}"
        match f.node:
            case Leaf():
                yield Line(at, _kind(f.node), f.required, f.description)
            case Values(item):
                yield Line(f"{at}[]", _kind(item), f.required, f.description)
            case Rows(row, key):
                kind = f"rows, one for each {f.node.each} in the text" if f.node.each else "rows"
                yield Line(f"{at}[]", kind, f.required, f.description or row.description, key)
                yield from _lines(row, f"{at}[]")
            case Object():
                kind = "one of several objects" if f.node.branches else "object"
                yield Line(at, kind, f.required, f.description or f.node.description)
                yield from _lines(f.node, at)


def _kind(leaf: Leaf) -> str:
    if leaf.enum:
        shown = ", ".join(map(str, leaf.enum[:4]))
        return f"one of {shown}" + (f", ... ({len(leaf.enum)})" if len(leaf.enum) > 4 else "")
    return str(leaf.kind) + (" as written" if leaf.copied or leaf.verbatim else "")


def _parts(schema: Schema) -> Iterator[tuple[str, Object]]:
    """What is asked for together; of rows that are asked for one by one what each is asked for."""
    for name, part in schema.parts.items():
        rest, lists = stems.apart(part)
        if rest.fields:
            yield name, terse.of(rest)
        for path, field in lists:
            yield f"{name}.{field.name}", Stems(path, field, ()).rest


def _question(name: str, part: Object, prompt: Prompt) -> Question:
    # no document is known yet: without candidates this is the shape at its widest
    shape = shapes.shape(part, "", replace(prompt.strategy, candidates=False))
    spoken = {str(d): dialects.speak(d, shape) for d in Dialect}
    return Question(
        name,
        tuple(f.name for f in part.fields),
        count(part),
        {d: s.dropped for d, s in spoken.items() if s.dropped},
        {d: s.refused for d, s in spoken.items() if s.refused},
    )


def _warnings(schema: Schema, whole: bool) -> Iterator[str]:
    for place, node in _nodes(schema.root, ""):
        if isinstance(node, Rows) and not node.declared:
            yield (
                f"{place}[]: no key is declared; rows with the same {' and '.join(node.key)} become one. "
                'Declare the fields that tell rows apart with "x-key".'
            )
        if isinstance(node, Leaf) and node.kind is Kind.BOOLEAN:
            yield f"{place}: is believed only where a document states it beside its label (yes, no, a ticked box)."
        if isinstance(node, Leaf) and node.kind is Kind.ENUM and any(not isinstance(v, str) for v in node.enum):
            yield f"{place}: its choices are not texts; the document must write them as they are."
    bare = [line.place for line in _lines(schema.root, "") if not line.about]
    if bare:
        shown = ", ".join(bare[:6]) + (f" and {len(bare) - 6} more" if len(bare) > 6 else "")
        yield f"no description: {shown}. A model that is told what a field holds finds more of it."
    for name, part in {"record": schema.root}.items() if whole else schema.parts.items():
        if count(part) > MOST:
            yield f"question {name!r} asks for {count(part)} fields at once; more than {MOST} are answered badly."


def _nodes(node: Node, place: str) -> Iterator[tuple[str, Node]]:
    yield place, node
    match node:
        case Object(fields):
            for f in fields:
                yield from _nodes(f.node, f"{place}/{f.name}")
        case Rows(row):
            for inner, one in _nodes(row, f"{place}[]"):
                if one is not row:
                    yield inner, one
        case Values(item):
            yield f"{place}[]", item
        case Leaf():
            pass


def plain(survey: Survey) -> dict[str, Json]:
    """The survey as JSON."""
    return {
        "schema": survey.name,
        "fields": [
            {"place": x.place, "kind": x.kind, "required": x.required, "description": x.about, "key": list(x.key)}
            for x in survey.lines
        ],
        "questions": [
            {
                "group": q.group,
                "fields": list(q.fields),
                "leaves": q.leaves,
                "dropped": {d: list(said) for d, said in q.dropped.items()},
                "refused": {d: list(said) for d, said in q.refused.items()},
            }
            for q in survey.questions
        ],
        "warnings": list(survey.warnings),
    }


def text(survey: Survey) -> str:
    """The survey for a terminal."""
    out = [f"{survey.name}: {len(survey.lines)} places, {len(survey.questions)} questions for each chunk", ""]
    wide = min(44, max((len(x.place) for x in survey.lines), default=0))
    for x in survey.lines:
        mark = "*" if x.required else " "
        key = f"  key: {', '.join(x.key)}" if x.key else ""
        out.append(f"  {x.place:{wide}} {mark} {x.kind}{key}" + (f"  - {_cut(x.about)}" if x.about else ""))
    out += ["", "  * a value is required", "", "Asked together:"]
    out += [f"  {q.group} ({q.leaves} fields): {_cut(', '.join(q.fields))}" for q in survey.questions]
    out += ["", "What a dialect cannot hold a reply to (it is checked when the reply is there):"]
    for dialect in Dialect:
        lines = list(_told({q.group: q.dropped.get(dialect, ()) for q in survey.questions}))
        lines += _told(
            {q.group: [f"Not asked so: {why}." for why in q.refused.get(dialect, ())] for q in survey.questions}
        )
        lines = lines or ["nothing is dropped."]
        out += [f"  {dialect:8} {line}" for line in lines]
    if survey.warnings:
        out += ["", "Worth a look:", *(f"  {one}" for one in survey.warnings)]
    return "\n".join(out)


def _told(said: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Each sentence once, with the questions that it is said of unless those are all."""
    for one in dict.fromkeys(sentence for sentences in said.values() for sentence in sentences):
        groups = [group for group, sentences in said.items() if one in sentences]
        yield one if len(groups) == len(said) else f"{one} ({_cut(', '.join(groups))})"


def _cut(words: str, most: int = 80) -> str:
    return words if len(words) <= most else words[: most - 3] + "..."
