"""Finished runs, result by result: a folder that a run wrote, or the JSON Lines that an export made of one.

Nothing that a run lists goes missing: a file that is gone or broken is a failed result, with that as its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import ResultUnreadable, UsageError
from extractor.results.decisions.reviewed import ReviewedFolder, open_reviewed_folder
from extractor.results.model import RESULT_FORMAT, RUN_FILE, DocumentEntry, Manifest, ReadError, ResultFile, RunFile
from extractor.results.reading import Reading, parse_result, read_result_file, read_run_file
from extractor.types import Json, Status

LOST_REASONS = frozenset({"result missing", "result broken"})
"""Reasons of failed results that are made here, not read."""


@dataclass(frozen=True, slots=True)
class SavedResult:
    """One result, of which run's folder, and in which file."""

    run: str
    file: str
    content: ResultFile

    @property
    def lost(self) -> bool:
        return self.content.error is not None and self.content.error.reason in LOST_REASONS


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A folder or a file of results. `schema` is the task's, where the run tells it; `strays` are not of this run."""

    path: Path
    schema: Mapping[str, Json] | None
    strays: tuple[str, ...] = ()
    _files: tuple[str, ...] = ()
    _run: RunFile | None = None
    _decided: ReviewedFolder | None = None
    """What people decided about the results, where these are wanted with it."""

    def __iter__(self) -> Iterator[SavedResult]:
        """Every result, in the run's order; one is held at a time."""
        if self.path.is_dir():
            names = _document_names(self._run)
            for file in self._files:
                content = _load_result(self.path / file, names.get(file, file), self._run)
                content = self._decided.review_result(file, content) if self._decided else content
                yield SavedResult(self.path.name, file, content)
            return
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield SavedResult(self.path.name, f"line {number}", _parse_line(line, f"line {number}"))


def open_runs(paths: Sequence[Path], *, reviewed: bool = False) -> list[SavedRun]:
    """The runs at these places; `reviewed` with what people decided. Raises UsageError for a place without results."""
    return [_open_run(path, reviewed) for path in paths]


def _open_run(path: Path, reviewed: bool) -> SavedRun:
    if path.is_file() and path.suffix == ".jsonl":
        if reviewed:
            raise UsageError(f"{path} has no decisions beside it; name the folder that was reviewed.")
        return SavedRun(path, None)
    if not path.is_dir():
        raise UsageError(f"{path} is no folder; name the one that results were written to, or a .jsonl file.")
    run = _read_run(path)
    present = sorted(p.name for p in path.glob("*.json") if p.name != RUN_FILE)
    files = tuple(_document_names(run)) if run else tuple(present)
    if not files:
        raise UsageError(f"{path} holds no results; name the folder that results were written to.")
    strays = tuple(name for name in present if name not in files)
    decided = open_reviewed_folder(path, run) if reviewed else None
    return SavedRun(path, run.record_schema if run else None, strays, files, run, decided)


def _read_run(folder: Path) -> RunFile | None:
    try:
        return read_run_file(folder / RUN_FILE).file
    except ResultUnreadable:
        return None


def _document_names(run: RunFile | None) -> dict[str, str]:
    """File to document's name, as the run lists them; a name with a folder in it is not the run's."""
    listed = run.names if run else {}
    return {file: name for file, name in listed.items() if Path(file).name == file}


def _load_result(path: Path, name: str, run: RunFile | None) -> ResultFile:
    try:
        return _require_whole(read_result_file(path))
    except ResultUnreadable as error:
        reason = "result missing" if error.missing else "result broken"
        return _make_lost_result(name, reason, f"{path.name} {error.why}.", run)


def _parse_line(line: str, name: str) -> ResultFile:
    try:
        return _require_whole(parse_result(line))
    except ResultUnreadable as error:
        return _make_lost_result(name, "result broken", f"The result {error.why}.", None)


def _require_whole(reading: Reading[ResultFile]) -> ResultFile:
    """The result, where the members that tables are made of are there and as the format has them."""
    missing = {"document", "status", "record", "manifest"} - reading.file.model_fields_set
    if wrong := sorted({*missing, *reading.damaged_members}):
        raise ResultUnreadable(f'is not whole (its "{wrong[0]}" is missing or of the wrong kind)')
    return reading.file


def _make_lost_result(name: str, reason: str, message: str, run: RunFile | None) -> ResultFile:
    return ResultFile(
        format=RESULT_FORMAT,
        document=DocumentEntry(name=name),
        task=run.task if run else "",
        status=Status.FAILED,
        record=None,
        error=ReadError(reason=reason, message=message),
        manifest=run.manifest if run else Manifest(),
    )
