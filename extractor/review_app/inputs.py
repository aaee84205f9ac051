"""What a person types for a value: how it is asked for, read and checked, by the schema that a model was asked with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from extractor.errors import ExtractorError
from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.validation import validate_record
from extractor.results.decisions.decision import Words
from extractor.schema.annotations import Kind
from extractor.schema.kinds import KINDS, Reading
from extractor.schema.open_objects import list_entry_fields
from extractor.schema.reader import Node, Object, ObjectList, Scalar, Schema, ValueList
from extractor.schema.written_form import LONE
from extractor.types import Chunk, Document, Json, Span

TEXT = Scalar(Kind.TEXT)
"""What is asked for where the schema knows nothing of a place."""
MAX_TYPED = 100_000
"""Characters of a value that a person types."""
MOST_OFFERED = 6
"""Values of the document that are offered for a place."""
NEAR_ROW = 400
"""Characters from a row within which a number may be meant."""
_NOT_OF_KIND = {
    Kind.DATE: "is no date; write it as 2024-03-31, 2024-03 or 2024",
    Kind.NUMBER: "is no number; write digits, such as 1024.50",
    Kind.INTEGER: "is no whole number; write digits alone, such as 1024",
    Kind.EMAIL: "is no e-mail address; write it as name@example.org",
}


class InputRefused(ExtractorError):
    """What a person typed does not fit its place; the message says what does."""


def find_schema_node(root: Object, steps: Sequence[str]) -> Node | None:
    """The schema's node for a place of the record; None where it has none."""
    node: Node | None = root
    for step in steps:
        if isinstance(node, Object) and node.wraps:
            node = node.fields[0].node
        if isinstance(node, Object) and node.entries and node.entries.unnamed and step.isdecimal():
            node = node.entries.unnamed
        if isinstance(node, Object):
            node = next((f.node for f in (*node.fields, *list_entry_fields(node, [step])) if f.name == step), None)
        elif isinstance(node, ObjectList) and step.isdecimal():
            node = node.row
        elif isinstance(node, ValueList) and step.isdecimal():
            node = node.item
        else:
            return None
    return node[LONE].node if isinstance(node, Object) and node.or_value else node


def describe_input(leaf: Scalar) -> dict[str, Json]:
    """How a browser is to ask for a value."""
    if leaf.enum:
        return {"kind": "choice", "choices": [choice for choice in leaf.enum if choice is not None]}
    if leaf.kind is Kind.BOOLEAN:
        return {"kind": "choice", "choices": [True, False]}
    kind = str(leaf.kind)
    return {"kind": kind if kind in ("date", "number", "integer", "email", "url") else "text"}


def read_typed(leaf: Scalar, typed: Json, reading: Reading) -> Json:
    """The record's value for what a person typed or chose. Raises InputRefused, with a sentence."""
    if isinstance(typed, str):
        typed = typed.strip()
    if typed is None or typed == "":
        raise InputRefused("There is nothing to set; type a value, or reject the one that is there.")
    if isinstance(typed, dict | list) or (isinstance(typed, str) and len(typed) > MAX_TYPED):
        raise InputRefused("This is no plain value; type one that is.")
    if leaf.enum:
        return _read_choice(leaf.enum, typed)
    if leaf.kind is Kind.BOOLEAN:
        read = KINDS["boolean"].normalise(typed, reading)
        if not isinstance(read, bool):
            raise InputRefused(f"“{_shorten(typed)}” is neither true nor false; choose one of them.")
        return read
    if leaf.kind in _NOT_OF_KIND and not (leaf.verbatim or leaf.text_patterns):
        read = KINDS["datetime" if leaf.timed else leaf.kind.value].normalise(typed, reading)
        if read is None:
            raise InputRefused(f"“{_shorten(typed)}” {_NOT_OF_KIND[leaf.kind]}.")
        if leaf.type == "string" and leaf.kind is not Kind.DATE:
            return str(typed)
        return str(read) if leaf.type == "string" else read
    return str(typed) if leaf.type == "string" else typed


def _read_choice(choices: Sequence[Json], typed: Json) -> Json:
    for choice in choices:
        if choice == typed and type(choice) is type(typed):
            return choice
    folded = str(typed).casefold()
    for choice in choices:
        if str(choice).casefold() == folded:
            return choice
    told = ", ".join(str(choice) for choice in choices[:6] if choice is not None)
    raise InputRefused(f"“{_shorten(typed)}” is none of the schema's choices; choose one of {told}.")


def check_value(schema: Schema | None, record: Mapping[str, Json], path: tuple[str | int, ...]) -> None:
    """Raises InputRefused where the schema does not take the value that the record has at a place now."""
    if schema is None:
        return
    for problem in validate_record(record, None, schema.source):
        if tuple(problem.path) == path:
            raise InputRefused(f"The schema does not take it: {problem.message}; type another value.")


def read_words_as(leaf: Scalar, words: str, reading: Reading) -> Json:
    """The value that words of the document stand for, in the record's form. Raises InputRefused."""
    spelled = " ".join(words.split())
    if leaf.kind in (Kind.DATE, Kind.NUMBER, Kind.INTEGER, Kind.EMAIL) and not leaf.verbatim:
        parsed = KINDS["datetime" if leaf.timed else leaf.kind.value].parse(spelled, reading)
        if parsed is not None:
            return read_typed(leaf, parsed, reading)
    return read_typed(leaf, spelled, reading)


def find_evidence(leaf: Scalar, value: Json, text: str, near: int | None) -> tuple[Words, ...]:
    """The words of a document that say a value a person typed, nearest to where its row stands; none where none do."""
    if not text:
        return ()
    index = TextIndex(Chunk(Document("", text), 0, Span(0, len(text))))
    mentions = index.find_mentions(leaf, value)
    if not mentions:
        return ()
    best = min(mentions, key=lambda mention: (abs(mention.span.start - (near or 0)), mention.span.start))
    return (Words(best.span.start, best.span.end, text[best.span.start : best.span.end]),)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that may be meant, and where it stands."""

    value: Json
    words: tuple[Words, ...]
    source: str
    rejected: int | None = None
    """Its number among the rejected values, if it is one."""


def find_formed_candidates(leaf: Scalar, text: str, reading: Reading, near: int | None) -> Iterator[Candidate]:
    """Values of the leaf's kind in the document, the nearest first; none of kinds without a form.

    Numbers are offered near a row alone: away from one, a document has too many that are not meant.
    """
    is_number = leaf.kind in (Kind.NUMBER, Kind.INTEGER)
    if leaf.enum or not (is_number or leaf.kind in (Kind.DATE, Kind.EMAIL, Kind.URL)):
        return
    mentions = sorted(KINDS[leaf.kind.value].find(text, reading), key=lambda m: abs(m.span.start - (near or 0)))
    for mention in mentions[:MOST_OFFERED]:
        if is_number and (near is None or abs(mention.span.start - near) > NEAR_ROW):
            return
        quote = text[mention.span.start : mention.span.end]
        try:
            value = read_words_as(leaf, quote, reading)
        except InputRefused:
            continue
        yield Candidate(value, (Words(mention.span.start, mention.span.end, quote),), "")


def _shorten(typed: Json) -> str:
    said = str(typed)
    return said if len(said) <= 60 else said[:57] + "…"
