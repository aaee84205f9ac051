"""The one path from a document to its result: every door to the package, and every run, takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import ExtractorError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.grounding.confidence import load_calibration
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.models.session import ModelSession
from extractor.results.file import build_failed_result, build_result
from extractor.results.manifest import build_run_manifest
from extractor.results.model import ResultFile
from extractor.types import Document, Json, Record, Usage


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

    async def extract_record(self, document: Document) -> Record:
        """The record of a document. Raises ModelFatal, and errors of the machine and of cassettes."""
        cassette = self.find_cassette(document.name)
        async with self.session.open_model(cassette, self.document_timeout) as model:
            return await extract_record(
                document,
                self.task,
                self.prompt,
                model,
                self.session.model_name,
                reading=self.reading,
                progress=self.on_reply,
            )

    def build_result(self, record: Record) -> ResultFile:
        """The result as a file of a run has it, whose run.json tells what was learnt meanwhile."""
        return build_result(record, self.task.name, self.manifest)

    def build_single_result(self, record: Record) -> ResultFile:
        """The result by itself, with what was learnt meanwhile of what answers."""
        return build_result(record, self.task.name, self.final_manifest)

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
