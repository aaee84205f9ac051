"""Which results of an earlier run still hold: same text, same job, and a result file as it was written."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from extractor._version import __version__
from extractor.digest_set import DigestSet
from extractor.documents.discovery import Source, printable_name
from extractor.results.outcome import RunTally
from extractor.runs.executor import KnownText
from extractor.runs.filenames import FilenameRegistry
from extractor.runs.journal import Journal, JournalEntry
from extractor.runs.source_state import SourceState, digest_result_file
from extractor.types import Status

FINISHED_STATUSES = frozenset({Status.COMPLETE, Status.SUSPECT})
"""Everything was asked and answered."""

_REDO_REMARKS = {
    "changed": "{} done again, since the document has changed.",
    "asked otherwise": "{} done again, since schema, prompt, model or parameters have changed.",
    "damaged": "{} done again, since the file was missing or not as it was written.",
    "no cassette": "{} done again, since there was no cassette.",
    "failed": "{} done again that had failed or were incomplete.",
}
"""Why an earlier result was not kept, for people."""


class EarlierResults:
    """The earlier results of an output folder, for the documents of one run.

    A result holds when the document's bytes (or, where those differ, its text) and the job are the same, and the file
    is the one that was written, down to the last byte. With `retry_failed` only finished ones hold, with `fresh` none.
    `taped` tells of a document's name whether its cassette is there, where a result without one does not hold.
    """

    def __init__(
        self,
        journal: Journal,
        folder: Path,
        job: str,
        sources: Sequence[Source],
        *,
        fresh: bool = False,
        retry_failed: bool = False,
        taped: Callable[[str], bool] = lambda name: True,
    ) -> None:
        self._journal, self._folder, self._job, self._sources = journal, folder, job, sources
        self._fresh, self._retry_failed, self._taped = fresh, retry_failed, taped
        self._names = FilenameRegistry(len(sources))
        self._present: DigestSet | None = None
        self.redo_counts = Counter[str]()
        """Why earlier results were not kept."""

    def choose_result_file(self, source: Source) -> str:
        """The name of the source's result file: the one that it had, or a new one that no other source has."""
        known = self._journal.find_by_source(printable_source_path(source))
        if known is not None:
            file = known[1].outcome.file
            self._names.reserve_name(file)
            return file
        return self._names.choose_filename(source.path, lambda name: self._is_free(name, source))

    def _is_free(self, name: str, source: Source) -> bool:
        """A file of a source that is gone is taken over by a document of the same name: the folder was moved."""
        found = self._journal.find_by_file(name)
        if found is None:
            return True
        if self._present is None:
            self._present = DigestSet(len(self._sources))
            for one in self._sources:
                self._present.add(printable_source_path(one))
        same = found[1].outcome.name == source.name
        return same and found[1].source not in self._present

    def find_kept(self, file: str, sighting: SourceState) -> int | None:
        """The number of the entry that holds for what was seen at the source, before its text is read."""
        found = self._find_entry(file)
        if found is None or sighting.seen is None:
            return None
        number, entry = found
        if entry.seen != sighting.seen or entry.reader != __version__:
            return None
        return number if self._find_redo_reason(entry) is None else None

    def has_entry(self, file: str) -> bool:
        """Whether there is an earlier result of this name at all, be it one that holds or not."""
        return self._find_entry(file) is not None

    def find_known_text(self, file: str) -> KnownText | None:
        """The text whose result in that file would hold, if the document is still that."""
        found = self._find_entry(file)
        if found is None or found[1].text is None or self._find_redo_reason(found[1]) is not None:
            return None
        return KnownText(found[1].text, found[1].seen)

    def find_kept_by_text(self, file: str, text: str, sighting: SourceState, loader: str) -> JournalEntry | None:
        """The entry that holds for the text with this SHA-256, though bytes or reader are others.

        Where a loader made the text, other bytes may have its words on other pages: such a result does not hold.
        """
        found = self._find_entry(file)
        if found is None:
            return None
        entry = found[1]
        if entry.text != text or (loader and entry.seen != sighting.seen):
            if entry.text is not None:
                self.redo_counts["changed"] += 1
            return None
        why = self._find_redo_reason(entry)
        if why is not None:
            self.redo_counts[why] += 1
        return entry if why is None else None

    def _find_entry(self, file: str) -> tuple[int, JournalEntry] | None:
        return None if self._fresh else self._journal.find_by_file(file)

    def _find_redo_reason(self, entry: JournalEntry) -> str | None:
        """Why an entry about the same text does not hold; None when it does."""
        if entry.job != self._job:
            return "asked otherwise"
        if self._retry_failed and entry.outcome.status not in FINISHED_STATUSES:
            return "failed"
        if digest_result_file(self._folder / entry.outcome.file) != entry.result:
            return "damaged"
        if entry.text is not None and not self._taped(entry.outcome.name):
            return "no cassette"
        return None

    def list_left_files(self, numbers: array[int]) -> list[str]:
        """Result files of documents that this run was not given, as the journal has them."""
        files = (self._journal.read_entry(number).outcome.file for number in self._journal.list_others(numbers))
        return sorted(f for f in files if (self._folder / f).exists())

    def write_remarks(self, numbers: array[int], tally: RunTally) -> list[str]:
        """The notes about them at the end of a run; `numbers` are those of its own documents in the journal."""
        notes = [
            words.format(_format_result_count(self.redo_counts[why]))
            for why, words in _REDO_REMARKS.items()
            if self.redo_counts[why]
        ]
        unfinished = sum(n for s, n in tally.counts.items() if s not in FINISHED_STATUSES)
        if tally.kept:
            notes.append(f"{_format_result_count(tally.kept)} of an earlier run kept, and not asked again.")
        if tally.kept and unfinished and not self._retry_failed:
            notes.append("Failed and incomplete ones were kept with them; --retry-failed asks these again.")
        left = self.list_left_files(numbers) if not tally.pending else []
        if left:
            listed = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
            notes.append(f"Left as they were, of documents that were not in this run: {listed}.")
        return notes


def _format_result_count(n: int) -> str:
    return f"{n:,} {'result' if n == 1 else 'results'}"


def printable_source_path(source: Source) -> str:
    """A source's path as text that can be written down."""
    return printable_name(str(source.path))
