"""One document asked of several models: of all of them at once, or of a second one what the first leaves in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from extractor.errors import BudgetSpent, ExtractorError, ModelFatal, UsageError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.asking import SecondQuestion, find_second_question, narrow_schema
from extractor.extraction.combining.judging import EnsembleCalibration, load_ensemble_calibration
from extractor.extraction.planning import WHOLE_RECORD
from extractor.extraction.task import Task
from extractor.models.client_options import Mode
from extractor.models.limits.budget import share_budgets
from extractor.results.combined import Combination, Member
from extractor.results.file import build_failed_result, build_unanswered_result
from extractor.results.manifest import build_ensemble_manifest
from extractor.results.model import Manifest, ResultFile
from extractor.results.opinion import read_opinion, restore_rejected
from extractor.runs.document import DocumentExtractor
from extractor.runs.finished import FinishedDocument, summarize_result
from extractor.schema.settling import settle_node
from extractor.types import Document, Json

APART_FROM = 16_000
"""Characters of a document from which on opinions are combined in a thread, so that other documents go on."""


@dataclass(frozen=True, slots=True)
class EnsembleExtractor:
    """What is asked of every document, and the models that answer. A member accepts all that a strong model says."""

    members: tuple[DocumentExtractor, ...]
    acceptance: Acceptance = field(default_factory=Acceptance)
    calibration: EnsembleCalibration = field(default_factory=load_ensemble_calibration)
    ask_again_below: float | None = None
    """The confidence below which the second member is asked what the first one said; None: all are asked at once."""
    dead: dict[int, ModelFatal] = field(default_factory=dict)
    """Members that answer no more, and why."""

    @property
    def task(self) -> Task:
        return self.members[0].task

    @property
    def model_name(self) -> str:
        return " + ".join(one.model_name for one in self.members)

    @property
    def concurrency(self) -> int:
        return max(one.concurrency for one in self.members)

    @property
    def mode(self) -> Mode:
        return self.members[0].mode

    @property
    def manifest(self) -> Mapping[str, Json]:
        told = [one.manifest for one in self.members]
        return build_ensemble_manifest(told, self.acceptance, self.calibration, self.ask_again_below)

    @property
    def final_manifest(self) -> Mapping[str, Json]:
        """The manifest, and what was learnt up to now of what answers, by model."""
        learnt = {one.session.model_name: one.session.describe_learnt() for one in self.members}
        told = {name: what for name, what in learnt.items() if what}
        return {**self.manifest, **({"learnt": told} if told else {})}

    def add_learnt(self, result: ResultFile) -> ResultFile:
        return result.model_copy(update={"manifest": Manifest.model_validate(self.final_manifest)})

    def build_failed_result(self, name: str, error: ExtractorError) -> ResultFile:
        return build_failed_result(name, error, self.task.name, self.manifest)

    def has_cassette(self, name: str) -> bool:
        """Whether what is always asked of the document of this name is recorded."""
        always = self.members if self.ask_again_below is None else self.members[:1]
        return all(one.has_cassette(name) for one in always)

    async def extract(self, document: Document) -> FinishedDocument:
        """The result of a document. A model that answers no more leaves the others', with that failure.

        Raises ModelFatal when none answers any more, BudgetSpent, and what an extractor of one model raises.
        """
        if self.ask_again_below is None:
            members = [Member(one) for one in await self._ask_all(document)]
        else:
            members = await self._ask_in_turn(document, self.ask_again_below)
        if len(self.dead) == len(self.members):
            raise self.dead[0]
        one = self.members[0]
        combination = Combination(one.task.schema, self.manifest, one.check_record, self.acceptance, self.calibration)
        if len(document.text) < APART_FROM:
            result = combination.combine(members)
        else:
            result = await asyncio.to_thread(combination.combine, members)
        return FinishedDocument(result, summarize_result(result))

    async def _ask_all(self, document: Document) -> Sequence[ResultFile]:
        tasks = [asyncio.ensure_future(self._ask(i, one, document)) for i, one in enumerate(self.members)]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _ask_in_turn(self, document: Document, below: float) -> list[Member]:
        """What the first member says, and what the second one says of that which is in doubt."""
        first, second = self.members
        said = await self._ask(0, first, document)
        if said.failures and not said.evidence:  # nothing was said that could be doubted: all of it is asked
            return [Member(said), Member(await self._ask(1, second, document))]
        root = settle_node(self.task.schema.root, [said.record])
        question = find_second_question(root, read_opinion(said, first.session.model_name, root), below)
        told = Member(said, asked_again=(question.asked if question else 0, len(said.evidence)))
        if question is None:
            return [told]
        asking = narrow_extractor(second, question, Path(first.session.model_name).name)
        return [told, Member(await self._ask(1, asking, document), question.scope)]

    async def _ask(self, number: int, member: DocumentExtractor, document: Document) -> ResultFile:
        """What a member says; nothing and the failure where its model answers no more."""
        error = self.dead.get(number)
        if error is None:
            try:
                result = (await member.extract(document)).result
                whole = ResultFile.model_validate_json(result) if isinstance(result, bytes) else result
                return restore_rejected(whole)
            except BudgetSpent:
                raise
            except ModelFatal as fatal:
                error = self.dead[number] = fatal
        return build_unanswered_result(document, error, member.task.name, member.manifest)


def build_ensemble(
    members: Sequence[DocumentExtractor],
    acceptance: Acceptance,
    calibration_file: Path | None = None,
    ask_again_below: float | None = None,
) -> EnsembleExtractor:
    """An ensemble of extractors, each for one model, that accept what `acceptance` says only together.

    Bounds on what may be spent hold over all of them. Raises UsageError for a cascade of other than two models, for a
    threshold that is none, and for weights that cannot be used.
    """
    if ask_again_below is not None:
        if len(members) != 2:
            raise UsageError(f"A second model is asked after a first one, and {len(members)} are named; name two.")
        if not 0 < ask_again_below <= 1:
            raise UsageError(f"{ask_again_below} is no threshold to ask again below; give a number above 0, up to 1.")
    share_budgets([one.session.budget for one in members])
    in_turn = ask_again_below is not None
    each = tuple(accept_with(one, _choose_own_acceptance(one, acceptance, in_turn)) for one in members)
    weights = load_ensemble_calibration(calibration_file) if calibration_file else load_ensemble_calibration()
    return EnsembleExtractor(each, acceptance, weights, ask_again_below)


def _choose_own_acceptance(one: DocumentExtractor, acceptance: Acceptance, in_turn: bool) -> Acceptance:
    """What a member accepts by itself: of a strong model all that it says, and of a small one no more than ever, since
    its inventions would be merged with what is right; but what is in doubt is to be seen where another is asked."""
    keeps_all = in_turn or one.reading.traits.asks_whole
    return Acceptance(0.0) if keeps_all else Acceptance(acceptance.threshold)


def accept_with(one: DocumentExtractor, acceptance: Acceptance) -> DocumentExtractor:
    """The extractor with another acceptance, which its manifest says."""
    reading = replace(one.reading, acceptance=acceptance)
    return replace(one, reading=reading, manifest={**one.manifest, "reading": reading.describe()})


def narrow_extractor(member: DocumentExtractor, question: SecondQuestion, first: str) -> DocumentExtractor:
    """The member, asking for what a question of a second model is about. Its cassettes are apart from those of a model
    that is asked for everything."""
    prompt = question.narrow_prompt(member.prompt, WHOLE_RECORD)
    task = Task(member.task.name, narrow_schema(member.task.schema, question.root), {})
    asked = tuple(sorted(question.scope.fields))
    return replace(member, task=task, prompt=replace(prompt, name=f"{prompt.name} after {first}"), only=asked)
