"""Results to disk: the file, then its line in the journal; when the disk fills up, what is paid for first."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from extractor._version import __version__
from extractor.errors import MachineError
from extractor.files import DISK_FULL_ERRORS, DiskReserve, write_atomically
from extractor.results.model import RUN_FILE
from extractor.results.outcome import DocumentOutcome
from extractor.runs.journal import Journal, JournalEntry
from extractor.runs.source_state import SourceState


@dataclass(frozen=True, slots=True)
class EndedDocument:
    """A document that ended, to be kept."""

    source: str
    """Its path, as it was given."""
    sighting: SourceState
    text: str | None
    """SHA-256 of its text; None where there was none to read."""
    result: bytes | str
    """The bytes of the result file, or the digest of the one that is there."""
    outcome: DocumentOutcome


@dataclass(slots=True)
class ResultKeeper:
    """Writes the results of one run to its folder. Threads may use it."""

    folder: Path
    job: str
    """The fingerprint of what is asked."""
    journal: Journal
    reserve: DiskReserve
    error: MachineError | None = field(default=None, init=False)
    """Why the run is to end: an answer that could not be saved before any other reason, as it may have been promised
    that all are."""
    has_written: bool = field(default=False, init=False)

    def keep(self, ended: EndedDocument) -> int:
        """The number of its entry in the journal. Raises MachineError where it cannot be kept."""
        target = self.folder / ended.outcome.file
        try:
            return self._write(target, ended)
        except OSError as error:
            if error.errno not in DISK_FULL_ERRORS:
                raise self._set_error(target, error) from error
        # The disk is full, and there is the room that was kept back for this, for all answers of this moment.
        self.reserve.release()
        try:
            number = self._write(target, ended)
        except OSError as error:
            raise self._set_error(target, error) from error
        self.error = self.error or MachineError(
            f"The disk of {self.folder} is full; every document that was answered is saved. "
            "Free it, and the same command goes on where it was."
        )
        return number

    def _set_error(self, path: Path, error: OSError) -> MachineError:
        self.error = failure = describe_unwritable(path, error)
        return failure

    def _write(self, target: Path, ended: EndedDocument) -> int:
        if not self.has_written:
            (self.folder / RUN_FILE).unlink(missing_ok=True)  # it would tell of a run that is no more
            self.has_written = True
        result = ended.result
        digest = result if isinstance(result, str) else write_atomically(target, [result])
        return self.journal.append(
            JournalEntry(ended.source, ended.sighting.seen, __version__, ended.text, self.job, digest, ended.outcome)
        )


def describe_unwritable(path: Path, error: OSError) -> MachineError:
    return MachineError(f"{path} cannot be written ({error.strerror}); free the disk or choose another -o.")
