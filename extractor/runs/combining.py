"""Finished runs of the same documents by several models -> one run: `extractor combine`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.documents.discovery import printable_name
from extractor.errors import MachineError, ResultUnreadable, UsageError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.judging import EnsembleCalibration, load_ensemble_calibration
from extractor.extraction.validation import validate_record
from extractor.results.combined import Combination, Member
from extractor.results.file import write_result, write_run_file
from extractor.results.manifest import build_ensemble_manifest
from extractor.results.model import RUN_FILE, ResultFile, RunFile
from extractor.results.opinion import restore_rejected
from extractor.results.outcome import DocumentOutcome
from extractor.results.reading import read_result_file, read_run_file
from extractor.runs.filenames import FilenameRegistry
from extractor.schema.reader import read_schema
from extractor.types import Status


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A folder that a run wrote."""

    folder: Path
    file: RunFile

    def list_files(self) -> dict[str, str]:
        """Result file by the name of its document. Raises UsageError where two documents have one name, and where a
        result is said to be elsewhere than in the folder."""
        files: dict[str, str] = {}
        for row in self.file.documents:
            if Path(row.file).name != row.file or row.file == RUN_FILE:
                raise UsageError(
                    f"{self.folder / RUN_FILE} has a result of {printable_name(row.name)} that is none of its folder; "
                    "run that document again."
                )
            if row.name in files:
                raise UsageError(
                    f"{self.folder} has two documents called {row.name}; run them by folders of their own to combine."
                )
            files[row.name] = row.file
        return files

    def read(self, file: str) -> ResultFile:
        try:
            return restore_rejected(read_result_file(self.folder / file).file)
        except ResultUnreadable as error:
            raise UsageError(f"{self.folder / file} {error.why}; run that document again.") from error


def read_finished_run(folder: Path) -> FinishedRun:
    """The run in a folder. Raises UsageError where there is none that can be combined."""
    try:
        file = read_run_file(folder / RUN_FILE).file
    except ResultUnreadable as error:
        raise UsageError(f"{folder / RUN_FILE} {error.why}; name folders that extractor run wrote.") from error
    if file.record_schema is None:
        raise UsageError(f"{folder / RUN_FILE} does not tell the schema; run those documents again.")
    return FinishedRun(folder, file)


@dataclass(frozen=True, slots=True)
class CombinedRuns:
    """What several runs come to. `alone` are documents that only some of them have, each with the folders."""

    runs: Sequence[FinishedRun]
    combination: Combination
    alone: Mapping[str, Sequence[Path]]

    def combine(self) -> Iterator[tuple[str, ResultFile]]:
        """Each document's file name and result, in the order of the first run."""
        files = [run.list_files() for run in self.runs]
        chosen = {name: file for some in reversed(files) for name, file in some.items()}
        names = FilenameRegistry()
        for name, file in chosen.items():
            having = [(run, some[name]) for run, some in zip(self.runs, files, strict=True) if name in some]
            results = [run.read(file) for run, file in having]
            _require_same_text(name, results, [run.folder for run, _ in having])
            if not names.has_name(file):
                names.reserve_name(file)
            else:  # another document's, of another run
                file = names.choose_filename(Path(name), lambda one: one not in chosen.values())
            yield file, self.combination.combine([Member(one) for one in results])


def combine_runs(
    folders: Sequence[Path],
    acceptance: Acceptance | None = None,
    calibration: EnsembleCalibration | None = None,
) -> CombinedRuns:
    """What finished runs in folders come to, to be read document by document.

    Raises UsageError for fewer than two folders, and for runs of different schemas, or with no document in common.
    """
    if len(folders) < 2:
        raise UsageError("One run cannot be combined; name the folders of two runs or more.")
    runs = [read_finished_run(folder) for folder in folders]
    first = runs[0]
    for other in runs[1:]:
        if other.file.record_schema != first.file.record_schema:
            raise UsageError(
                f"{first.folder} and {other.folder} are runs of different schemas; combine runs of one schema."
            )
    names = [set(run.list_files()) for run in runs]
    common = names[0].intersection(*names[1:])
    if not common:
        raise UsageError(f"{', '.join(map(str, folders))} have no document in common; combine runs of the same ones.")
    alone = {
        name: [run.folder for run, some in zip(runs, names, strict=True) if name in some]
        for name in sorted(names[0].union(*names[1:]) - common)
    }
    schema = read_schema(dict(first.file.record_schema or {}))
    kind = calibration or load_ensemble_calibration()
    accept = acceptance or Acceptance()
    manifest = build_ensemble_manifest([run.file.manifest.to_content() for run in runs], accept, kind)
    combination = Combination(schema, manifest, lambda value: validate_record(value, None, schema.source), accept, kind)
    return CombinedRuns(runs, combination, alone)


def _require_same_text(name: str, results: Sequence[ResultFile], folders: Sequence[Path]) -> None:
    told = [
        (one.document.sha256, folder) for one, folder in zip(results, folders, strict=True) if one.record is not None
    ]
    for text, folder in told[1:]:
        if text != told[0][0]:
            raise UsageError(
                f"{name} has another text in {told[0][1]} than in {folder}; combine runs over the same documents."
            )


def write_combined_runs(runs: CombinedRuns, out: Path) -> dict[Status, int]:
    """Writes a result for each document, and run.json; how many there are of each status. Raises MachineError."""
    outcomes: list[DocumentOutcome] = []
    try:
        for file, result in runs.combine():
            write_result(out / file, result)
            outcomes.append(_summarize(file, result))
        counts = Counter(one.status for one in outcomes)
        told = {status: counts[status] for status in Status if counts[status]}
        first = runs.runs[0].file
        schema, manifest = dict(first.record_schema or {}), runs.combination.manifest
        named = {str(status): many for status, many in told.items()}
        write_run_file(out / RUN_FILE, first.task, manifest, schema, outcomes, named)
    except OSError as error:
        raise MachineError(
            f"{out} cannot be written ({error.strerror}); free the disk or choose another -o."
        ) from error
    return told


def _summarize(file: str, result: ResultFile) -> DocumentOutcome:
    return DocumentOutcome(
        result.document.name,
        file,
        result.status,
        len(result.evidence),
        sum(not proof.spans for proof in result.evidence.values()) + len(result.rejected),
        len(result.conflicts),
        len(result.failures),
        result.usage.to_usage(),
        result.failures[0].message if result.failures else "",
    )
