"""The whole path of one document, on one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from extractor.errors import ModelError, ModelFatal, ReplyCutShort
from extractor.extraction.acceptance import Acceptance, accept_leaves
from extractor.extraction.conform import conform_record
from extractor.extraction.enumerated import ground_candidates
from extractor.extraction.fitting import find_misfits, fit_value
from extractor.extraction.grounding.confidence import Calibration, load_calibration
from extractor.extraction.grounding.derived import fill_derived_values
from extractor.extraction.grounding.findings import ROW_UNPLACED, ROW_WITHOUT_KEY
from extractor.extraction.grounding.grounder import ground_reply
from extractor.extraction.grounding.kind_index import KindIndex
from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.grounding.name_ownership import find_names_of_rows
from extractor.extraction.grounding.tree import Tree, add_findings, collect_evidence, has_words, iterate_leaves, to_json
from extractor.extraction.linking import link_to_parent
from extractor.extraction.merging import PartialRecord, merge_records
from extractor.extraction.planning import Plan, Question, plan_document
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.extraction.validation import check_rejected, validate_record
from extractor.models.openai.reply import read_truncated_reply
from extractor.models.traits import SMALL, STRONG, ModelTraits
from extractor.types import (
    Document,
    Failure,
    GroundedList,
    GroundedObject,
    Json,
    Model,
    Problem,
    Record,
    RejectedValue,
    Span,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question brought: the leaves that are accepted and those that are not, or the failure."""

    question: Question
    tree: GroundedObject | GroundedList | None = None
    """A record's part; of a question about candidates their rows."""
    rejected: tuple[RejectedValue, ...] = ()
    failure: Failure | None = None
    usage: Usage = field(default_factory=Usage)
    ran_on: bool = False
    """The reply went on without telling anything new that the chunk supports; what it said before is what was found."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How replies are read: by whom they are, how sure one must be of a leaf, and how that is computed."""

    traits: ModelTraits = STRONG
    acceptance: Acceptance = field(default_factory=Acceptance)
    calibration: Calibration = field(default_factory=load_calibration)
    day_first: bool | None = None
    """Whether 03/04/2024 is the third of April; None: the document's other dates and its language decide."""

    def describe(self) -> dict[str, Json]:
        """What a manifest says of it."""
        return {
            "class": self.traits.model_class.value,
            "window": self.traits.window,
            "max_output": self.traits.max_output,
            "traits_by": self.traits.source,
            "accept": self.acceptance.threshold,
            "only_proven": self.acceptance.only_proven,
            "calibration": self.calibration.fingerprint,
            **({} if self.day_first is None else {"day_first": self.day_first}),
        }

    def judge(self, node: Tree) -> Tree:
        return self.calibration.judge(node, self.traits)


async def extract_record(
    document: Document,
    task: Task,
    prompt: Prompt,
    model: Model,
    model_name: str,
    *,
    reading: Reading | None = None,
    progress: Callable[[Usage], None] = lambda usage: None,
) -> Record:
    """The record of one document. All its questions are asked at once; how many are under way is the model's affair.

    Raises ModelFatal when no document could be answered, and nothing else of ours.
    """
    reading = reading or Reading(SMALL)
    plan = plan_document(document, task.schema, prompt, model_name, reading.traits)
    index = KindIndex(document, reading.day_first)

    async def answer(question: Question) -> list[Answer]:
        one = await _answer_question(question, task, model, reading, index)
        progress(one.usage)
        cut_short = one.failure is not None and one.failure.reason == ReplyCutShort.reason
        if not cut_short or not (parts := question.in_parts()):
            return [one]
        answered = [Answer(question, usage=one.usage)]
        for part in parts:
            answered += await answer(part)
        return answered

    answers = [a for batch in await asyncio.gather(*map(answer, plan.questions)) for a in batch]
    return build_record(document, task, plan, answers, reading)


async def _answer_question(question: Question, task: Task, model: Model, reading: Reading, index: KindIndex) -> Answer:
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
        if reading.traits.repairs_values and not cut.is_early:
            latest = ground_question(question, task, cut.latest_entries, reading, index) if cut.latest_entries else None
            if latest is None or not has_words(latest):
                failure, ran_on = None, True
    tree, rejected = accept_reply(question, ground_question(question, task, value, reading, index), reading)
    if question.batch is None:
        rejected = [*find_misfits(question.part, question.expand_reply(value), question.chunk.span), *rejected]
    return Answer(question, tree, tuple(rejected), failure, usage, ran_on)


def ground_question(
    question: Question, task: Task, value: Json, reading: Reading, kinds: KindIndex | None = None
) -> GroundedObject | GroundedList:
    """Everything that a reply to the question says, each leaf with its evidence and findings.

    `kinds` is the index of the document, which the questions about it share; without one it is made.
    """
    kinds = kinds or KindIndex(question.chunk.document, reading.day_first)
    index = TextIndex(question.chunk, kinds, kinds_first=not reading.traits.repairs_values)
    if question.batch is not None:
        return ground_candidates(question.batch, value, index, reading.traits)
    fitting = fit_value(question.part, question.expand_reply(value)) or {}
    return ground_reply(question.part, fitting, index, reading.traits, whole=task.schema.root)


def accept_reply(
    question: Question, grounded: GroundedObject | GroundedList, reading: Reading
) -> tuple[GroundedObject | GroundedList, list[RejectedValue]]:
    """What is accepted of a reply, and the rest; a row of a candidate only with the candidate itself."""
    span = question.chunk.span
    if isinstance(grounded, GroundedObject):
        return accept_leaves(reading.judge(grounded), reading.acceptance, span)
    assert question.batch is not None  # noqa: S101 -- only candidates are answered by a list
    kept, rejected = accept_leaves(GroundedObject({"": reading.judge(grounded)}), reading.acceptance, span)
    own, rows = str(question.batch.object_list.enumerate_by), kept.fields.get("")
    left = rows.items if isinstance(rows, GroundedList) else ()
    rejected = [replace(r, path=(*question.batch.path, *r.path[1:])) for r in rejected]
    whole: list[GroundedObject] = []
    for number, row in enumerate(left):
        if isinstance(row, GroundedObject) and own in row.fields:
            whole.append(row)
            continue
        for path, leaf in iterate_leaves(row):  # of a candidate that is not believed nothing else is
            at = (*question.batch.path, number, *path)
            rejected.append(RejectedValue(at, leaf.value, ROW_WITHOUT_KEY, span, leaf.evidence))
    return GroundedList(tuple(whole)), rejected


def build_record(document: Document, task: Task, plan: Plan, answers: Sequence[Answer], reading: Reading) -> Record:
    """One record out of what the questions of a plan brought."""
    root = task.schema.root
    records, unplaced = _link_answers(answers, reading)
    merged = merge_records(root, records)
    owned = reading.judge(find_names_of_rows(root, merged.tree))
    kept, of_rows = accept_leaves(owned, reading.acceptance, Span(0, max(1, len(document.text))))
    tree = fill_derived_values(root, kept, document)
    value = conform_record(root, to_json(tree))
    rejected = (*(r for a in answers for r in a.rejected), *unplaced, *of_rows)
    return Record(
        document=document,
        value=value,
        evidence=collect_evidence(tree),
        conflicts=merged.conflicts,
        rejected=rejected,
        failures=tuple(a.failure for a in answers if a.failure),
        problems=(
            *_unread_problems(document),
            *_run_on_problems(answers),
            *check_rejected(rejected, reading.traits),
            *validate_record(value, task.model_class, task.schema.source),
        ),
        answered_spans=_answered_spans(answers),
        skipped=plan.skipped,
        usage=sum((a.usage for a in answers), Usage()),
        usage_by_group=_usage_by_group(answers),
    )


def _link_answers(answers: Sequence[Answer], reading: Reading) -> tuple[list[PartialRecord], list[RejectedValue]]:
    """What the answers brought, rows that were asked for one by one in the rows they belong to; the rest of these."""
    trees = {i: a.tree for i, a in enumerate(answers) if isinstance(a.tree, GroundedObject)}
    more: list[PartialRecord] = []
    unplaced: list[RejectedValue] = []
    for n, a in enumerate(answers):
        if a.question.batch is None or not isinstance(a.tree, GroundedList):
            continue
        span = a.question.chunk.span
        here = [i for i in trees if answers[i].question.chunk.span.within(span)]
        linked, stray = link_to_parent(a.question.batch, a.tree, a.question.chunk, [trees[i] for i in here])
        trees |= zip(here, linked, strict=False)
        more += [PartialRecord((span.start,), tree, n) for tree in linked[len(here) :]]
        for number, row in stray:
            for path, leaf in iterate_leaves(reading.judge(add_findings(row, ROW_UNPLACED))):
                at = (*a.question.batch.path, number, *path)
                unplaced.append(RejectedValue(at, leaf.value, ROW_UNPLACED, span, leaf.evidence))
    asked = [PartialRecord((answers[i].question.chunk.span.start,), tree, i) for i, tree in trees.items()]
    return [*asked, *more], unplaced


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
    for span in sorted({a.question.chunk.span for a in answers if a.tree is not None and not a.failure}):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(span.end, joined[-1].end))
        else:
            joined.append(span)
    return tuple(joined)
