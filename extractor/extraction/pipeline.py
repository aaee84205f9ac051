"""The whole path of one document, on one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from extractor.errors import ModelError, ModelFatal, ReplyCutShort
from extractor.extraction.chunking import halve_chunk, split_document
from extractor.extraction.conform import conform_record
from extractor.extraction.enumerated import ground_candidates
from extractor.extraction.grounding.derived import fill_derived_values
from extractor.extraction.grounding.grounder import GroundingResult, ground_reply
from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.grounding.name_ownership import resolve_name_ownership
from extractor.extraction.linking import link_to_parent
from extractor.extraction.merging import PartialRecord, merge_records
from extractor.extraction.planning import Plan, Question, build_field_question, plan_questions
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.extraction.validation import check_record, validate_record
from extractor.models.openai.reply import read_truncated_reply
from extractor.types import Document, Failure, Json, Model, Problem, Record, RejectedValue, Span, Usage


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question brought: what its reply supports, or the failure."""

    question: Question
    partial_record: PartialRecord | None = None
    rejected: tuple[RejectedValue, ...] = ()
    failure: Failure | None = None
    usage: Usage = field(default_factory=Usage)
    ran_on: bool = False
    """The reply went on without telling anything new that the chunk supports; what it said before is what was found."""


async def extract_record(
    document: Document,
    task: Task,
    prompt: Prompt,
    model: Model,
    model_name: str,
    *,
    limit: asyncio.Semaphore | None = None,
    keep_unsupported: bool = False,
    progress: Callable[[Usage], None] = lambda usage: None,
) -> Record:
    """The record of one document. Raises ModelFatal when no document could be answered, and nothing else of ours."""
    limit = limit or asyncio.Semaphore(1)
    pieces = split_document(document, prompt.strategy.chunk_tokens)
    plan = plan_questions(task.schema, prompt, pieces, model_name)

    async def answer(question: Question) -> list[Answer]:
        async with limit:
            one = await _answer_question(question, task, model, keep_unsupported)
        progress(one.usage)
        cut_short = one.failure is not None and one.failure.reason == ReplyCutShort.reason
        if not (cut_short and question.can_be_halved):
            return [one]
        halves = halve_chunk(question.chunk)
        smaller = [
            build_field_question(prompt, half, question.group, question.part, model_name, full=True) for half in halves
        ]
        answered = [Answer(question, usage=one.usage)]
        for half in smaller:
            answered += await answer(half)
        return answered

    answers = [a for batch in await asyncio.gather(*map(answer, plan.questions)) for a in batch]
    return _build_record(document, task, plan, answers)


async def _answer_question(question: Question, task: Task, model: Model, keep_unsupported: bool) -> Answer:
    def trace(value: Json) -> GroundingResult:
        page = TextIndex(question.chunk)
        if question.batch:
            return ground_candidates(question.batch, value, page, keep_unsupported=keep_unsupported)
        return ground_reply(
            question.part, question.expand_reply(value), page, keep_unsupported=keep_unsupported, whole=task.schema.root
        )

    failure, ran_on = None, False
    try:
        reply = await model.complete(question.request)
        value, usage = reply.value, reply.usage
    except ModelFatal:
        raise
    except ModelError as error:
        failure, usage = Failure(question.chunk.span, question.group, error.reason, str(error)), error.usage
        cut = read_truncated_reply(error.text, question.request.schema) if isinstance(error, ReplyCutShort) else None
        if cut is None:
            return Answer(question, failure=failure, usage=usage)
        value = cut.value
        if not cut.is_early and not (
            cut.latest_entries and any(e.spans for e in trace(cut.latest_entries).evidence.values())
        ):
            failure, ran_on = None, True
    traced = trace(value)
    found = PartialRecord((question.chunk.span.start,), traced.value, traced.evidence)
    return Answer(question, found, tuple(traced.rejected), failure, usage, ran_on)


def _build_record(document: Document, task: Task, plan: Plan, answers: Sequence[Answer]) -> Record:
    root = task.schema.root
    found, stray = _link_answers(answers)
    combined = merge_records(root, found)
    settled = resolve_name_ownership(root, combined.value, combined.evidence)
    value: dict[str, Json] = settled.value
    proof = fill_derived_values(root, value, settled.evidence, document)
    fitted = conform_record(root, value)
    return Record(
        document=document,
        value=fitted,
        evidence=proof,
        conflicts=tuple(combined.conflicts),
        rejected=(*(r for a in answers for r in a.rejected), *stray, *settled.rejected),
        failures=tuple(a.failure for a in answers if a.failure),
        problems=(
            *_unread_problems(document),
            *_run_on_problems(answers),
            *check_record(root, value, proof, document),
            *validate_record(fitted, task.model_class, task.schema.source),
        ),
        answered_spans=_answered_spans(answers),
        skipped=plan.skipped,
        usage=sum((a.usage for a in answers), Usage()),
        usage_by_group=_usage_by_group(answers),
    )


def _link_answers(answers: Sequence[Answer]) -> tuple[list[PartialRecord], list[RejectedValue]]:
    """What the answers brought, rows that were asked for one by one in the rows they belong to; the rest of these."""
    found = {i: a.partial_record for i, a in enumerate(answers) if a.partial_record and not a.question.batch}
    more: list[PartialRecord] = []
    stray: list[RejectedValue] = []
    for a in answers:
        if a.partial_record and a.question.batch:
            here = [i for i in found if answers[i].question.chunk.span.within(a.question.chunk.span)]
            attached, lost = link_to_parent(
                a.question.batch, a.partial_record, a.question.chunk, [found[i] for i in here]
            )
            found |= zip(here, attached, strict=False)
            more += attached[len(here) :]
            stray += lost
    return [*found.values(), *more], stray


def _unread_problems(document: Document) -> tuple[Problem, ...]:
    return tuple(Problem(part.reason, (), part.message) for part in document.unread)


def _usage_by_group(answers: Sequence[Answer]) -> dict[str, Usage]:
    """What each field group cost, in the order in which they were asked."""
    groups: dict[str, Usage] = {}
    for a in answers:
        groups[a.question.group] = groups.get(a.question.group, Usage()) + a.usage
    return groups


def _run_on_problems(answers: Sequence[Answer]) -> tuple[Problem, ...]:
    said = "Asked for {}, the model ran on without saying anything new; the list may be short of entries."
    return tuple(
        Problem("ran on", tuple(f.name for f in a.question.part.fields[-1:]), said.format(a.question.group))
        for a in answers
        if a.ran_on
    )


def _answered_spans(answers: Sequence[Answer]) -> tuple[Span, ...]:
    """What at least one question about was answered, adjoining spans joined."""
    joined: list[Span] = []
    for span in sorted({a.question.chunk.span for a in answers if a.partial_record and not a.failure}):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(span.end, joined[-1].end))
        else:
            joined.append(span)
    return tuple(joined)
