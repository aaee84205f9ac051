"""Runs -> a file or folder in one of the forms: looked through once, written once, in place only when it is whole."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from extractor.errors import MachineError, UsageError
from extractor.results.export.csv import CSV_SUFFIX as CSV
from extractor.results.export.csv import CsvTableWriter
from extractor.results.export.jsonl import append_json_line
from extractor.results.export.layout import CellValue, ExportLayout, UniqueTableNames, survey_results
from extractor.results.export.parquet import PARQUET_SUFFIX as PARQUET
from extractor.results.export.parquet import ParquetTableWriter
from extractor.results.export.reader import SavedResult, SavedRun
from extractor.results.export.sqlite import SqliteTableWriter
from extractor.results.export.tables import build_rows, build_run_row
from extractor.types import Status

EXPORT_FORMATS = ("jsonl", "csv", "parquet", "sqlite")


@dataclass(slots=True)
class ExportSummary:
    """What was written: documents, those of them that failed, those whose result was gone or broken; rows by table."""

    documents: int = 0
    failed: int = 0
    lost: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def export_runs(runs: Sequence[SavedRun], form: str, target: Path, *, force: bool = False) -> ExportSummary:
    """Writes the runs to `target`, a file for jsonl and sqlite, else a folder with a file for each table.

    Raises UsageError where something is there already and `force` is not given, or is not an export; MachineError where
    it cannot be written.
    """
    suffix = {"csv": CSV, "parquet": PARQUET}.get(form)
    if suffix:
        _refuse_folder(target, suffix, force)
    elif target.is_dir() or (target.exists() and not force):
        raise UsageError(f"{target} is there already; name another file, or replace it with --force.")
    try:
        if suffix:
            with _replace_folder(target) as draft:
                return _write_tables(runs, lambda plan: _open_folder_writer(form, draft, plan))
        with _replace_file(target) as draft:
            if form == "jsonl":
                with draft.open("wb") as file:
                    return write_json_lines(runs, file)
            return _write_tables(runs, lambda plan: SqliteTableWriter(draft, plan))
    except (OSError, sqlite3.OperationalError) as error:
        raise MachineError(f"{target} cannot be written ({error}); free the disk or choose another -o.") from error


def write_json_lines(runs: Sequence[SavedRun], file: BinaryIO) -> ExportSummary:
    written = ExportSummary()
    for run in runs:
        for entry in run:
            append_json_line(file, entry.content.to_content())
            _count_result(written, entry)
    return written


def write_parquet_tables(runs: Sequence[SavedRun], folder: Path) -> tuple[ExportSummary, dict[str, Path]]:
    """Writes a Parquet file for each table into an empty folder: what was written, and each table's file by a name that
    any store takes. Raises UsageError where pyarrow is not installed."""
    written = _write_tables(runs, lambda plan: _open_folder_writer("parquet", folder, plan))
    return written, {path.stem: path for path in sorted(folder.iterdir())}


def _write_tables(
    runs: Sequence[SavedRun], begin: Callable[[ExportLayout], CsvTableWriter | ParquetTableWriter | SqliteTableWriter]
) -> ExportSummary:
    declared = [run.schema for run in runs if run.schema is not None]
    plan = survey_results((entry for run in runs for entry in run), declared)
    written = ExportSummary(rows=dict.fromkeys(plan.headers, 0))
    writer = begin(plan)

    def put(table: str, row: dict[str, CellValue]) -> None:
        writer.write_row(table, row)
        written.rows[table] += 1

    try:
        for key, number in plan.runs.items():
            put("runs", build_run_row(key, number))
        for run in runs:
            for entry in run:
                _count_result(written, entry)
                for table, row in build_rows(entry, written.documents, plan):
                    put(table, row)
    except BaseException:
        writer.abandon()
        raise
    writer.close()
    return written


def _count_result(written: ExportSummary, entry: SavedResult) -> None:
    written.documents += 1
    written.failed += entry.content.status == Status.FAILED
    written.lost += entry.lost


def _open_folder_writer(form: str, folder: Path, plan: ExportLayout) -> CsvTableWriter | ParquetTableWriter:
    suffix, writer = (CSV, CsvTableWriter) if form == "csv" else (PARQUET, ParquetTableWriter)
    names = UniqueTableNames(())
    files = {table: names.claim_name(_safe_file_stem(table)) + suffix for table in plan.headers}
    return writer(folder, plan, files)


def _safe_file_stem(table: str) -> str:
    """The table's name as any file system takes it."""
    stem = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in table).strip(". ") or "_"
    while len(stem.encode()) > 120:
        stem = stem[:-1]
    return stem


def _refuse_folder(target: Path, suffix: str, force: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder for the tables.")
    inside = list(target.iterdir())
    if any(path.suffix != suffix or not path.is_file() for path in inside):
        raise UsageError(f"{target} holds other files than {suffix}; name a new folder.")
    if inside and not force:
        raise UsageError(f"{target} holds files already; name a new folder, or replace them with --force.")


@contextlib.contextmanager
def _replace_folder(target: Path) -> Iterator[Path]:
    """A new folder that takes the target's place when the block ends well."""
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-", ignore_cleanup_errors=True) as room:
        draft = Path(room) / "new"
        draft.mkdir()
        yield draft
        old = Path(room) / "old"
        if target.exists():
            target.replace(old)
        try:
            draft.replace(target)
        except OSError:
            if old.exists():
                old.replace(target)
            raise


@contextlib.contextmanager
def _replace_file(target: Path) -> Iterator[Path]:
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-", ignore_cleanup_errors=True) as room:
        draft = Path(room) / "new"
        yield draft
        draft.replace(target)
