"""What is to be done with every document of a run, and what makes two runs ask the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from extractor.extraction.pipeline import Reading
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.results.outcome import DocumentOutcome
from extractor.types import Document, Json, Model, Usage, fingerprint_json


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every document of a run."""

    task: Task
    prompt: Prompt
    model_name: str
    manifest: Mapping[str, Json]
    out: Path
    open_model: Callable[[Document], AbstractAsyncContextManager[Model]]
    """The model for one document; a tape is one document's, a live endpoint everybody's."""
    concurrency: int = 1
    """Requests under way at a time, over all documents."""
    in_turn: bool = False
    """The questions about a document wait for each other: what answers them has read it once, in one place."""
    reading: Reading = field(default_factory=Reading)
    on_reply: Callable[[Usage], None] = lambda usage: None
    on_document: Callable[[DocumentOutcome], None] = lambda outcome: None
    on_record: Callable[[DocumentOutcome, Json], None] = lambda outcome, record: None
    """Told of each document that the run itself finished, when it is saved; the record of one that failed is None."""
    document_timeout: float | None = None
    """Seconds for one document; questions that are not answered by then are failures of it."""
    fresh: bool = False
    """Ask everything, whatever is there."""
    retry_failed: bool = False
    """Ask again what failed or is incomplete; without, it stays as it is."""
    is_replay: bool = False
    """Tapes answer: all of them are played, and no result of theirs is taken for a live one."""
    has_cassette: Callable[[str], bool] = lambda name: True
    """Whether the document of this name has its tape, where tapes are recorded."""

    @property
    def fingerprint(self) -> str:
        """Of all that is asked of every document. Versions are not in it: a new one does not make old answers wrong."""
        asked = {k: v for k, v in self.manifest.items() if k not in ("extractor", "versions")}
        return fingerprint_json([self.task.name, asked, self.reading.acceptance.threshold == 0, self.is_replay])
