"""The whole path of one document, on one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from extractor.errors import TOO_LONG, ModelError, ModelFatal, ReplyCutShort
from extractor.extraction.acceptance import accept_leaves
from extractor.extraction.answering import Answer, read_answer, runs_on
from extractor.extraction.answering import Reading as Reading
from extractor.extraction.bounds import is_held_back
from extractor.extraction.conform import conform_record
from extractor.extraction.grounding.derived import fill_derived_values
from extractor.extraction.grounding.findings import ROW_UNPLACED
from extractor.extraction.grounding.kind_index import KindIndex
from extractor.extraction.grounding.name_ownership import find_names_of_rows
from extractor.extraction.grounding.tree import add_findings, collect_evidence, iterate_leaves, to_json
from extractor.extraction.linking import link_to_parent
from extractor.extraction.merging import PartialRecord, merge_records
from extractor.extraction.planning import Plan, Question, plan_document
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.extraction.validation import check_rejected, validate_record
from extractor.models.traits import SMALL
from extractor.schema.settling import settle_node
from extractor.schema.written_form import path_writer
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
    Reply,
    Request,
    Span,
    Usage,
    ValuePath,
)

RecordCheck = Callable[[Mapping[str, Json]], tuple[Problem, ...]]
"""Says what is wrong with a finished record's value."""
TOO_MANY_REQUESTS = "request budget"
ALWAYS_ASKED, FOLLOW_UPS, CHARACTERS_FOR_FOLLOW_UP = 64, 4, 200
"""How often a document may be asked about: so often, so often for each planned question, and once more for so many
characters of its text. A model whose every reply is cut short would be asked about every line otherwise."""


QuestionPath = tuple[int, ...]
"""Which question of a document: its number in the plan, then of the questions that took its place the number."""

Said = Reply | ModelError
"""What came of a question: a reply, or why there is none."""


class DocumentWork:
    """The questions about one document, and the record that what is said comes to.

    It asks nothing itself, and gives the same for the same: whoever has the document and what was said of it can go on
    where another left off, in another process too.
    """

    def __init__(self, document: Document, task: Task, prompt: Prompt, model_name: str, reading: Reading) -> None:
        self.document, self.task, self.reading = document, task, reading
        self._plan = plan_document(document, task.schema, prompt, model_name, reading.traits)
        self._index = KindIndex(document, reading.day_first)
        self._parts: dict[QuestionPath, list[Question]] = {}

    @property
    def most_requests(self) -> int:
        """How often may be asked about the document: all that is planned, and again by its size."""
        by_size = len(self.document.text) // CHARACTERS_FOR_FOLLOW_UP
        return ALWAYS_ASKED + FOLLOW_UPS * len(self._plan.questions) + by_size

    def find_requests(self, said: Mapping[QuestionPath, Said]) -> dict[QuestionPath, Request]:
        """What is still to be asked; nothing when the record can be built.

        A question whose reply was cut short is asked again of parts of its text, and one whose reply a bound held back
        without bounds, as long as the document's size allows.
        """
        wanted: dict[QuestionPath, Request] = {}

        def look_at(question: Question, path: QuestionPath) -> None:
            if path not in said:
                wanted[path] = question.request
                return
            parts = self._find_parts(question, path, said[path])
            if (*path, 0) in said or len(said) + len(wanted) + len(parts) <= self.most_requests:
                for number, part in enumerate(parts):
                    look_at(part, (*path, number))

        for number, question in enumerate(self._plan.questions):
            look_at(question, (number,))
        return wanted

    def build_record(self, said: Mapping[QuestionPath, Said], check: RecordCheck | None = None) -> Record:
        """The record, when nothing is to be asked any more. `check` says what is wrong with its value, where the task's
        own rules are not for this process to apply."""
        answers: list[Answer] = []

        def read(question: Question, path: QuestionPath) -> None:
            outcome = said[path]
            parts = self._find_parts(question, path, outcome)
            if not parts:
                answers.append(read_answer(question, self.task, outcome, self.reading, self._index))
            elif isinstance(outcome, Reply) and self._ran_on(parts[0], said.get((*path, 0))):
                answer = read_answer(question, self.task, outcome, self.reading, self._index)
                answers.append(replace(answer, usage=answer.usage + said[(*path, 0)].usage, ran_on=True))
            elif (*path, 0) in said:
                answers.append(Answer(question, usage=outcome.usage))
                for number, part in enumerate(parts):
                    read(part, (*path, number))
            else:
                answer = read_answer(question, self.task, outcome, self.reading, self._index)
                answers.append(replace(answer, failure=self._say_too_many(question)))

        for number, question in enumerate(self._plan.questions):
            read(question, (number,))
        return build_record(self.document, self.task, self._plan, answers, self.reading, check)

    def _find_parts(self, question: Question, path: QuestionPath, outcome: Said) -> list[Question]:
        """What is asked in place of a question whose reply was cut short or held back, or which was too long itself."""
        if isinstance(outcome, Reply):
            if path not in self._parts:
                self._parts[path] = [question.without_bounds()] if is_held_back(question, outcome.value) else []
            return self._parts[path]
        is_too_long = outcome.reason == TOO_LONG
        if not is_too_long and not isinstance(outcome, ReplyCutShort):
            return []
        if path not in self._parts and is_too_long:
            self._parts[path] = question.in_halves()
        if path not in self._parts and isinstance(outcome, ReplyCutShort):
            repeats = self.reading.traits.repairs_values and self._ran_on(question, outcome)
            self._parts[path] = [] if repeats else question.in_parts()
        return self._parts[path]

    def _ran_on(self, question: Question, outcome: Said | None) -> bool:
        """Whether a reply without bounds was a loop: what the bound had left is all there was."""
        return isinstance(outcome, ReplyCutShort) and runs_on(question, self.task, outcome, self.reading, self._index)

    def _say_too_many(self, question: Question) -> Failure:
        return Failure(
            question.chunk.span,
            question.group,
            TOO_MANY_REQUESTS,
            f"The {self.most_requests} requests that the document's size allows were sent, and replies are still cut "
            "short; ask for less at a time, or of a model that writes longer replies.",
        )


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
    work = DocumentWork(document, task, prompt, model_name, reading or Reading(SMALL))
    said: dict[QuestionPath, Said] = {}
    while wanted := work.find_requests(said):
        said |= await ask_all(model, wanted, progress)
    return work.build_record(said)


async def ask_all(
    model: Model,
    requests: Mapping[QuestionPath, Request],
    progress: Callable[[Usage], None] = lambda usage: None,
) -> dict[QuestionPath, Said]:
    """What came of each request. Raises ModelFatal, and ends the others then."""

    async def ask(request: Request) -> Said:
        try:
            outcome: Said = await model.complete(request)
        except ModelFatal:
            raise
        except ModelError as error:
            outcome = error.with_traceback(None)
        progress(outcome.usage)
        return outcome

    tasks = [asyncio.ensure_future(ask(request)) for request in requests.values()]
    try:
        return dict(zip(requests, await asyncio.gather(*tasks), strict=True))
    finally:
        for task in tasks:
            task.cancel()


def build_record(
    document: Document,
    task: Task,
    plan: Plan,
    answers: Sequence[Answer],
    reading: Reading,
    check: RecordCheck | None = None,
) -> Record:
    """One record out of what the questions of a plan brought; `check` has the last word instead of the task's rules."""
    records, unplaced = _link_answers(answers, reading)
    root = settle_node(task.schema.root, (to_json(one.tree) for one in records))
    merged = merge_records(root, records, document)
    owned = reading.judge(find_names_of_rows(root, merged.tree))
    kept, of_rows = accept_leaves(owned, reading.acceptance, Span(0, max(1, len(document.text))))
    tree = fill_derived_values(root, kept, document)
    value = conform_record(root, to_json(tree))
    write = path_writer(root)
    found = (*(r for a in answers for r in a.rejected), *unplaced, *of_rows)
    rejected = tuple(replace(r, path=write(r.path)) for r in found)
    return Record(
        document=document,
        value=value,
        evidence={write(path): one for path, one in collect_evidence(tree).items()},
        conflicts=tuple(replace(c, path=write(c.path)) for c in merged.conflicts),
        rejected=rejected,
        failures=tuple(a.failure for a in answers if a.failure),
        problems=(
            *_unread_problems(document),
            *_run_on_problems(answers),
            *_fragment_problems(merged.fragments),
            *check_rejected(rejected, reading.traits),
            *(check(value) if check else validate_record(value, task.model_class, task.schema.source)),
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


def _fragment_problems(lists: Sequence[ValuePath]) -> tuple[Problem, ...]:
    said = (
        "A row says nothing that tells it apart, and may be the rest of one that another part of the text names; "
        "raise chunk_tokens in the prompt, or join the rows in a review."
    )
    return tuple(Problem("row in pieces", path, said) for path in lists)


def _answered_spans(answers: Sequence[Answer]) -> tuple[Span, ...]:
    """What at least one question about was answered, adjoining spans joined."""
    joined: list[Span] = []
    for span in sorted({a.question.chunk.span for a in answers if a.tree is not None and not a.failure}):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(span.end, joined[-1].end))
        else:
            joined.append(span)
    return tuple(joined)
