"""A reply to one question about a document, read: what it says with its evidence, and which of it is accepted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from extractor.errors import ModelError, ReplyCutShort
from extractor.extraction.acceptance import Acceptance, accept_leaves
from extractor.extraction.enumerated import ground_candidates
from extractor.extraction.fitting import find_misfits, fit_value, list_contradictions
from extractor.extraction.grounding.confidence import Calibration, load_calibration
from extractor.extraction.grounding.entry_names import find_unseen_names
from extractor.extraction.grounding.findings import ROW_WITHOUT_KEY
from extractor.extraction.grounding.grounder import ground_reply
from extractor.extraction.grounding.kind_index import KindIndex
from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.grounding.tree import Tree, has_words, iterate_leaves
from extractor.extraction.planning import Question
from extractor.extraction.task import Task
from extractor.models.openai.truncated_reply import read_truncated_reply, read_whole_leaves
from extractor.models.traits import STRONG, ModelTraits
from extractor.schema.reader import Object
from extractor.schema.settling import settle_node
from extractor.types import Failure, GroundedList, GroundedObject, Json, RejectedValue, Reply, Usage


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
            "traits_by": self.traits.describe_sources(),
            "accept": self.acceptance.threshold,
            "only_proven": self.acceptance.only_proven,
            "calibration": self.calibration.fingerprint,
            **({} if self.day_first is None else {"day_first": self.day_first}),
        }

    def judge(self, node: Tree) -> Tree:
        return self.calibration.judge(node, self.traits)


def read_answer(question: Question, task: Task, said: Reply | ModelError, reading: Reading, index: KindIndex) -> Answer:
    """What was said, grounded and judged; of a reply that was cut short what it held, and the failure."""
    failure, ran_on = None, False
    if isinstance(said, Reply):
        value = said.value
    else:
        failure = Failure(question.chunk.span, question.group, said.reason, str(said))
        cut = read_truncated_reply(said.text, question.request.schema) if isinstance(said, ReplyCutShort) else None
        if cut is None:
            return Answer(question, failure=failure, usage=said.usage)
        value = cut.value
        if isinstance(said, ReplyCutShort) and reading.traits.repairs_values:
            ran_on = runs_on(question, task, said, reading, index)
            failure = None if ran_on else failure
        elif isinstance(said, ReplyCutShort):  # no loop: what is said again is there again
            value = read_whole_leaves(said.text, question.request.schema) or value
    tree, rejected = accept_reply(question, ground_question(question, task, value, reading, index), reading)
    if question.batch is None:
        said_value, besides = question.expand_reply(value)
        part = settle_node(question.part, [said_value])
        chunk = question.chunk
        misfits = find_misfits(part, said_value, chunk.span, task.schema.root.constants, chunk.text)
        rejected = [*misfits, *list_contradictions(besides, question.chunk.span), *rejected]
    if isinstance(said, Reply):
        rejected += list_contradictions(said.said_besides, question.chunk.span)
    return Answer(question, tree, tuple(rejected), failure, said.usage, ran_on)


def runs_on(question: Question, task: Task, said: ReplyCutShort, reading: Reading, index: KindIndex) -> bool:
    """Whether a reply that was cut short went on without telling anything new that the chunk supports."""
    cut = read_truncated_reply(said.text, question.request.schema)
    if cut is None or cut.is_early:
        return False
    latest = ground_question(question, task, cut.latest_entries, reading, index) if cut.latest_entries else None
    return latest is None or not has_words(latest)


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
    said, _ = question.expand_reply(value)
    part = settle_node(question.part, [said])
    whole = task.schema.root if part is question.part else _put_in_place(part, task.schema.root)
    tree = ground_reply(part, fit_value(part, said) or {}, index, reading.traits, whole=whole)
    return find_unseen_names(question.part, tree, index)


def _put_in_place(part: Object, root: Object) -> Object:
    """The record with the fields of a part, whose names are those that were said."""
    named = {f.name: f for f in part.fields}
    return replace(root, fields=tuple(named.get(f.name, f) for f in root.fields))


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
