"""The one path from a document to its result: every door to the package, and every run, takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from extractor.errors import ExtractorError, ReplyCutShort
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.opinion import FieldPath
from extractor.extraction.grounding.confidence import load_calibration
from extractor.extraction.pipeline import DocumentWork, QuestionPath, Reading, RecordCheck, Said, ask_all
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.extraction.validation import validate_record
from extractor.models.client_options import Mode
from extractor.models.session import ModelSession
from extractor.results.file import build_failed_result, build_result
from extractor.results.manifest import build_run_manifest
from extractor.results.model import Manifest, ResultFile
from extractor.runs.apart import APART_FROM, ApartJob, Step, advance_apart, measure_outcome
from extractor.runs.finished import FinishedDocument, summarize_record
from extractor.runs.worker_messages import DocumentJob, encode_job
from extractor.types import Document, Json, Model, Problem, Request, Usage


@dataclass(frozen=True, slots=True)
class DocumentExtractor:
    """What is asked of every document, and what answers."""

    task: Task
    prompt: Prompt
    session: ModelSession
    manifest: Mapping[str, Json]
    """What is said in every result of what made it."""
    reading: Reading = field(default_factory=Reading)
    """How replies are read: by whom they are, and how sure one must be of a leaf."""
    document_timeout: float | None = None
    """Seconds for one document; questions that are not answered by then are failures of it."""
    on_reply: Callable[[Usage], None] = lambda usage: None
    only: tuple[FieldPath, ...] = ()
    """Fields that alone the task's schema was narrowed to; none: it has all that its source declares."""

    @property
    def acceptance(self) -> Acceptance:
        return self.reading.acceptance

    @property
    def model_name(self) -> str:
        return self.session.model_name

    @property
    def concurrency(self) -> int:
        """Documents in hand at a time, at most."""
        return self.session.concurrency

    @property
    def mode(self) -> Mode:
        return self.session.mode

    checks: RecordCheck | None = None
    """Applies the task's own rules where they are code of another process; it may take a while."""
    works_apart: bool = False
    """Whether workers do what is to be done with small documents, too: for a schema of a stranger's, whose patterns may
    not end."""

    async def extract(self, document: Document) -> FinishedDocument:
        """The result of a document. Raises DocumentError, ModelFatal, and errors of the machine and of cassettes."""
        async with self.session.open_model(self.find_cassette(document.name), self.document_timeout) as model:
            steps, said = _Steps(self, document), dict[QuestionPath, Said]()
            while not isinstance(step := await steps.advance(said), FinishedDocument):
                more = await ask_all(model, step, self.on_reply)
                steps.size += sum(map(measure_outcome, more.values()))
                said |= more
            return step

    async def ask_kept(self, document: Document, kept: Model) -> dict[QuestionPath, tuple[Request, Said]]:
        """Every question that is to be asked about a document as far as it is known, and what was said of it; `kept`
        has what was said before, and fails for the rest. Raises as `extract` does."""
        steps, said = _Steps(self, document), dict[QuestionPath, Said]()
        asked: dict[QuestionPath, Request] = {}
        while True:
            step = await steps.advance(said)
            if isinstance(step, FinishedDocument):
                break
            more = await ask_all(kept, step)
            asked |= step
            said |= more
            if not any(isinstance(one, ReplyCutShort) for one in more.values()):
                break  # nothing else brings further questions
            steps.size += sum(map(measure_outcome, more.values()))
        return {path: (request, said[path]) for path, request in asked.items()}

    def check_record(self, value: Mapping[str, Json]) -> tuple[Problem, ...]:
        """What is wrong with the value of a finished record."""
        if self.checks is not None:
            return self.checks(value)
        return validate_record(value, self.task.model_class, self.task.schema.source)

    def add_learnt(self, result: ResultFile) -> ResultFile:
        """The result by itself, with what was learnt meanwhile of what answers; of a run, run.json tells it."""
        return result.model_copy(update={"manifest": Manifest.model_validate(self.final_manifest)})

    @property
    def final_manifest(self) -> Mapping[str, Json]:
        """The manifest, and what was learnt up to now of what answers."""
        learnt = self.session.describe_learnt()
        return {**self.manifest, **({"learnt": learnt} if learnt else {})}

    def build_failed_result(self, name: str, error: ExtractorError) -> ResultFile:
        """The result of a document, by its name, that could not be read at all."""
        return build_failed_result(name, error, self.task.name, self.manifest)

    def has_cassette(self, name: str) -> bool:
        """Whether the exchanges about the document of this name are recorded."""
        return self.find_cassette(name).is_file()

    def find_cassette(self, name: str) -> Path:
        """Where the exchanges about the document of this name are recorded."""
        return self.session.find_cassette(self.task.name, self.prompt.name, name)


class _Steps:
    """The steps of one document: made here while it is small, in workers from when it is not."""

    def __init__(self, extractor: DocumentExtractor, document: Document) -> None:
        self._extractor, self._document = extractor, document
        self.size = len(document.text)
        """Of the document and what was said of it, in characters."""

    async def advance(self, said: Mapping[QuestionPath, Said]) -> Step:
        """What is to be asked next, or the result."""
        if (self.size >= APART_FROM or self._extractor.works_apart) and (job := self._job) is not None:
            return await advance_apart(job, said, self.size)
        if wanted := self._work.find_requests(said):
            return wanted
        if self._extractor.checks is not None:
            return await asyncio.to_thread(self._finish, said)
        return self._finish(said)

    @cached_property
    def _work(self) -> DocumentWork:
        one = self._extractor
        return DocumentWork(self._document, one.task, one.prompt, one.session.model_name, one.reading)

    def _finish(self, said: Mapping[QuestionPath, Said]) -> FinishedDocument:
        one, record = self._extractor, self._work.build_record(said, self._extractor.checks)
        return FinishedDocument(build_result(record, one.task.name, one.manifest), summarize_record(record))

    @cached_property
    def _job(self) -> ApartJob | None:
        """What workers are given, which has no code of the user's; None for a document that cannot be sent."""
        one = self._extractor
        bare, own_rules = (
            Task(one.task.name, one.task.schema, {}),
            one.task.model_class is not None or one.checks is not None,
        )
        job = DocumentJob(
            self._document,
            bare,
            one.prompt,
            one.session.model_name,
            one.reading,
            dict(one.manifest),
            own_rules,
            one.only,
        )
        try:
            pictures = {page.digest: page for page in self._document.pictures}
            return ApartJob(self._document.name, encode_job(job), one.check_record, one.document_timeout, pictures)
        except (TypeError, ValueError):
            return None


def build_extractor(
    task: Task,
    prompt: Prompt,
    session: ModelSession,
    *,
    acceptance: Acceptance | None = None,
    calibration_file: Path | None = None,
    day_first: bool | None = None,
    document_timeout: float | None = None,
    on_reply: Callable[[Usage], None] = lambda usage: None,
) -> DocumentExtractor:
    """The extractor whose manifest says what the session's model is.

    `acceptance` says how sure one must be of a value that goes into the record, `calibration_file` has weights of
    one's own to compute that with. `document_timeout` is in seconds.
    """
    calibration = load_calibration(calibration_file) if calibration_file else load_calibration()
    reading = Reading(session.traits, acceptance or Acceptance(), calibration, day_first)
    manifest = build_run_manifest(task, prompt, session.endpoint, reading)
    return DocumentExtractor(task, prompt, session, manifest, reading, document_timeout, on_reply)
