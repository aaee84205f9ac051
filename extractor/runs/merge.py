"""The parts of a run in one folder: results, journal and summary as one run over all documents would have left them."""

from __future__ import annotations

import heapq
import itertools
import os
import shutil
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import UsageError
from extractor.files import remove_drafts, sync_folder
from extractor.results.file import write_run_file
from extractor.results.model import RUN_FILE
from extractor.results.outcome import RunOutcomes, tally_statuses
from extractor.runs.filenames import fold_filename
from extractor.runs.journal import JOURNAL_FILE, Journal, JournalEntry
from extractor.runs.journal_view import JournalView, iterate_entries
from extractor.runs.keeping import describe_unwritable
from extractor.runs.lock import hold_folder_lock
from extractor.runs.output_folder import read_learnt
from extractor.runs.shards import ShardHead, read_shard_file
from extractor.runs.source_state import digest_result_file
from extractor.types import Json, Status

MAX_NAMED = 20
"""Documents that are missing, and parts, that a note names."""
_DRAFT = ".extractor-merged.tmp"
_ASKED = ("model", "prompt", "schema", "parameters", "reading")
"""Members of a manifest by which runs ask differently."""


@dataclass(slots=True)
class _Part:
    """A part and its folder."""

    folder: Path
    head: ShardHead
    documents: Iterator[tuple[int, str]]
    journal: JournalView | None


@dataclass(slots=True)
class _Gaps:
    """What is not there of the whole."""

    documents: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, source: str, why: str) -> None:
        self.count += 1
        if len(self.documents) < MAX_NAMED:
            self.documents.append(f"{source} ({why})")


def merge_shards(folders: Sequence[Path], out: Path) -> RunOutcomes:
    """Merges the parts in the folders into the folder `out`, in the order of all documents; what is missing is pending,
    and named in the notes. The same files on one disk are links to those of the parts, which are never changed.

    Raises UsageError for folders that are no parts of one run: another part twice, other documents, another schema,
    prompt or model; and where `out` has results of something else. Raises MachineError where nothing can be written.
    """
    parts = [_open_part(folder) for folder in folders]
    _require_one_run(parts)
    gaps, first = _Gaps(), parts[0].head
    with hold_folder_lock(out):
        remove_drafts(out)
        _require_own_folder(out, parts)
        numbers, statuses = array("i"), Counter[Status]()
        try:
            (out / RUN_FILE).unlink(missing_ok=True)
            (out / JOURNAL_FILE).unlink(missing_ok=True)
            journal = Journal(out)
            try:
                for part, entry in _list_entries(parts, journal, gaps):
                    _take_over_file(part.folder / entry.outcome.file, out)
                    numbers.append(journal.append(entry))
                    statuses[entry.outcome.status] += 1
                sync_folder(out)
                outcomes = RunOutcomes(
                    numbers,
                    journal.open_outcome_reader(),
                    tally_statuses(statuses, first.documents, 0),
                    _describe_gaps(parts, gaps),
                )
                _write_summary(out, parts, outcomes)
            finally:
                journal.close()
        except OSError as error:
            raise describe_unwritable(out, error) from error
    return outcomes


def _open_part(folder: Path) -> _Part:
    try:
        head, documents = read_shard_file(folder)
    except OSError:
        raise UsageError(f"{folder} holds no part of a run; name folders that run --shard wrote to.") from None
    try:
        journal: JournalView | None = JournalView(folder)
    except OSError:
        journal = None
    return _Part(folder, head, documents, journal)


def _require_one_run(parts: Sequence[_Part]) -> None:
    """Raises UsageError where the parts are not those of one run."""
    first = parts[0]
    for part in parts[1:]:
        one, other = first.head, part.head
        if (one.documents, one.digest, one.of) != (other.documents, other.digest, other.of):
            raise UsageError(
                f"{first.folder} and {part.folder} are not parts of the same documents ({one}, of {one.documents:,}; "
                f"{other}, of {other.documents:,}); run one of them again over what the other was run over."
            )
        if one.job != other.job:
            names = [name for name in _ASKED if one.manifest.get(name) != other.manifest.get(name)]
            what = ", ".join(names) or "task or acceptance"
            raise UsageError(
                f"{first.folder} and {part.folder} were asked differently ({what}); run one of them again as the other."
            )
    by_number: dict[int, _Part] = {}
    for part in parts:
        if (twin := by_number.setdefault(part.head.shard, part)) is not part:
            raise UsageError(f"{twin.folder} and {part.folder} both hold part {part.head}; leave one of them out.")


def _require_own_folder(out: Path, parts: Sequence[_Part]) -> None:
    """Raises UsageError for a folder with results that are not those of the parts: they would be lost."""
    if any(part.folder.resolve() == out.resolve() for part in parts):
        raise UsageError(f"{out} holds one of the parts; name another folder for the whole with -o.")
    try:
        jobs = {entry.job for _, entry in iterate_entries(out / JOURNAL_FILE)}
    except FileNotFoundError:
        return
    except OSError as error:
        raise describe_unwritable(out, error) from error
    if jobs - {parts[0].head.job}:
        raise UsageError(f"{out} holds results of another run; name an empty folder with -o.")


def _list_entries(parts: Sequence[_Part], taken: Journal, gaps: _Gaps) -> Iterator[tuple[_Part, JournalEntry]]:
    """What is there of each document, in the order of all, with the part that has it."""
    order = heapq.merge(*(zip(part.documents, itertools.repeat(part)) for part in parts), key=lambda one: one[0][0])
    last = -1
    for (index, source), part in order:
        if index <= last:
            raise UsageError(f"{part.folder} names a document twice, or one of another part; run its part again.")
        last = index
        entry = part.journal.find_by_source(source) if part.journal else None
        if entry is None or entry.job != part.head.job:
            gaps.add(source, f"not done yet in {part.folder}")
            continue
        file = fold_filename(entry.outcome.file)
        is_own = file.endswith(".json") and not file.startswith(".") and file != RUN_FILE
        is_own = is_own and taken.find_by_file(file) is None
        if not is_own or digest_result_file(part.folder / entry.outcome.file) != entry.result:
            gaps.add(source, f"its result in {part.folder} is missing or damaged")
            continue
        yield part, entry


def _take_over_file(file: Path, out: Path) -> None:
    """A link to the file, or a copy of it on another disk. Raises OSError."""
    draft = out / _DRAFT
    try:
        os.link(file, draft, follow_symlinks=False)
    except OSError:
        shutil.copyfile(file, draft, follow_symlinks=False)
        draft.chmod(0o600)
        with draft.open("rb") as copied:
            os.fsync(copied.fileno())
    draft.replace(out / file.name)
    draft.unlink(missing_ok=True)  # a link is not moved onto another of the same file


def _write_summary(out: Path, parts: Sequence[_Part], outcomes: RunOutcomes) -> None:
    head = parts[0].head
    learnt: Mapping[str, Json] = next(filter(None, (read_learnt(part.folder / RUN_FILE) for part in parts)), {})
    counts = {**{str(s): n for s, n in outcomes.tally.counts.items()}, "pending": outcomes.tally.pending}
    write_run_file(out / RUN_FILE, head.task, {**head.manifest, **learnt}, head.schema, outcomes, counts)


def _describe_gaps(parts: Sequence[_Part], gaps: _Gaps) -> list[str]:
    """What is missing, a sentence each."""
    head = parts[0].head
    missing = sorted(set(range(head.of)) - {part.head.shard for part in parts})
    notes = []
    if missing:
        listed = ", ".join(f"{number}/{head.of}" for number in missing[:MAX_NAMED])
        more = f" and {len(missing) - MAX_NAMED:,} more" if len(missing) > MAX_NAMED else ""
        notes.append(f"Missing parts: {listed}{more}; run them, and merge again.")
    if gaps.count:
        more = f" and {gaps.count - MAX_NAMED:,} more" if gaps.count > MAX_NAMED else ""
        notes.append(f"Missing documents: {', '.join(gaps.documents)}{more}; run their parts again, and merge again.")
    return notes
