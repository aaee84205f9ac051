"""What is to be done with every document of a run, and what makes two runs ask the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError
from extractor.models.client_options import Mode
from extractor.results.outcome import DocumentOutcome
from extractor.runs.document import DocumentExtractor
from extractor.runs.ensemble import EnsembleExtractor
from extractor.runs.shards import ShardPart
from extractor.types import Json, fingerprint_json


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every document of a run."""

    extractor: DocumentExtractor | EnsembleExtractor
    out: Path
    fresh: bool = False
    """Ask everything, whatever is there."""
    retry_failed: bool = False
    """Ask again what failed or is incomplete; without, it stays as it is."""
    on_document: Callable[[DocumentOutcome], None] = lambda outcome: None
    on_record: Callable[[DocumentOutcome, Mapping[str, Json] | None], None] = lambda outcome, members: None
    """Told of each document that the run itself finished, when it is saved, with its record's members in short; of one
    that failed None."""
    on_bug: Callable[[str, Exception], None] = lambda name, error: None
    """Told of an error of ours that a document brought on, which costs that document alone."""
    price: tuple[float, float] | None = None
    """Of a million tokens of the model, in and out, for whoever looks at the run; in this currency:"""
    currency: str = ""
    part: ShardPart | None = None
    """Which of the documents are the run's, where others do the rest in folders of their own."""

    @property
    def lone_extractor(self) -> DocumentExtractor:
        """The extractor of a run of one model. Raises UsageError for a run of several."""
        if not isinstance(self.extractor, DocumentExtractor):
            raise UsageError("This asks one model; name it with --model, and leave out the others.")
        return self.extractor

    @property
    def ignores_earlier_results(self) -> bool:
        """Cassettes are all played, and no result of theirs is taken for a live one."""
        return self.fresh or self._is_replay

    def is_recorded(self, name: str) -> bool:
        """Whether the document of this name has its cassette, where they are recorded; elsewhere none is wanted."""
        return not self.extractor.mode.records or self.extractor.has_cassette(name)

    @property
    def fingerprint(self) -> str:
        """Of all that is asked of every document. Versions are not in it: a new one does not make old answers wrong."""
        one = self.extractor
        asked = _leave_out_versions(one.manifest)
        return fingerprint_json(
            [
                one.task.name,
                asked,
                one.acceptance.threshold,
                one.acceptance.only_proven,
                self._is_replay,
            ]
        )

    @property
    def _is_replay(self) -> bool:
        return self.extractor.mode is Mode.REPLAY


def _leave_out_versions(manifest: Mapping[str, Json]) -> dict[str, Json]:
    """What a manifest says is asked, of an ensemble that of each member too."""
    asked = {k: v for k, v in manifest.items() if k not in ("extractor", "versions")}
    if "members" in asked:
        asked["members"] = [_leave_out_versions(one) for one in asked["members"]]
    return asked
