"""Record -> problems: what a person should look at before trusting it. One small function per rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, ValidationError

from extractor import schemas
from extractor.domain import Document, Evidence, Json, Match, Path, Problem, Span, pointer
from extractor.schemas import Object


def apply(
    node: Object,
    value: Mapping[str, Json],
    evidence: Mapping[Path, Evidence],
    document: Document,
    model: type[BaseModel] | None,
) -> tuple[Problem, ...]:
    """Every problem that a rule finds, in the record's order."""
    return (
        *_unsupported(node, value, evidence, document),
        *_invalid(value, model),
    )


def _unsupported(
    node: Object, value: Mapping[str, Json], evidence: Mapping[Path, Evidence], document: Document
) -> Iterator[Problem]:
    for path, _, _ in schemas.leaves(node, value):
        found = evidence.get(path)
        if found is None or found.match is Match.NONE:
            yield Problem("unsupported", path, f"Nothing in the document supports {pointer(path)}.")
        elif any(span.end > len(document.text) for span in found.spans):
            yield Problem("misplaced", path, f"The evidence of {pointer(path)} lies outside the document.")


def _invalid(value: Mapping[str, Json], model: type[BaseModel] | None) -> Iterator[Problem]:
    """What the task's own Pydantic class says of the record; its validators have the last word."""
    if model is None:
        return
    try:
        model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            yield Problem("schema", tuple(problem["loc"]), problem["msg"])


def uncovered(document: Document, asked: Sequence[Span]) -> list[Span]:
    """The parts of the document that no question was about."""
    gaps, at = [], 0
    for span in sorted(asked):
        if span.start > at:
            gaps.append(Span(at, span.start))
        at = max(at, span.end)
    if at < len(document.text):
        gaps.append(Span(at, len(document.text)))
    return gaps
