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
from extractor.results.export import jsonl, layout, tables
from extractor.results.export import reader as sources
from extractor.results.export.csv import SUFFIX as CSV
from extractor.results.export.csv import Csv
from extractor.results.export.layout import Layout
from extractor.results.export.parquet import SUFFIX as PARQUET
from extractor.results.export.parquet import Parquet
from extractor.results.export.reader import Run
from extractor.results.export.sqlite import Sqlite
from extractor.types import Status

FORMS = ("jsonl", "csv", "parquet", "sqlite")


@dataclass(slots=True)
class Written:
    """What was written: documents, those of them that failed, those whose result was gone or broken; rows by table."""

    documents: int = 0
    failed: int = 0
    lost: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def export(runs: Sequence[Run], form: str, target: Path, *, force: bool = False) -> Written:
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
            with _folder(target) as draft:
                return _tables(runs, lambda plan: _folder_writer(form, draft, plan))
        with _file(target) as draft:
            if form == "jsonl":
                with draft.open("wb") as file:
                    return lines(runs, file)
            return _tables(runs, lambda plan: Sqlite(draft, plan))
    except (OSError, sqlite3.OperationalError) as error:
        raise MachineError(f"{target} cannot be written ({error}); free the disk or choose another -o.") from error


def lines(runs: Sequence[Run], file: BinaryIO) -> Written:
    written = Written()
    for run in runs:
        for entry in run:
            jsonl.write(file, entry.content)
            _count(written, entry)
    return written


def _tables(runs: Sequence[Run], begin: Callable[[Layout], Csv | Parquet | Sqlite]) -> Written:
    declared = [run.schema for run in runs if run.schema is not None]
    plan = layout.survey((entry for run in runs for entry in run), declared)
    written = Written(rows=dict.fromkeys(plan.headers, 0))
    writer = begin(plan)

    def put(table: str, row: dict[str, layout.Cell]) -> None:
        writer.write(table, row)
        written.rows[table] += 1

    try:
        for key, number in plan.runs.items():
            put("runs", tables.run(key, number))
        for run in runs:
            for entry in run:
                _count(written, entry)
                for table, row in tables.of(entry, written.documents, plan):
                    put(table, row)
    except BaseException:
        writer.abandon()
        raise
    writer.close()
    return written


def _count(written: Written, entry: sources.Entry) -> None:
    written.documents += 1
    written.failed += entry.content["status"] == Status.FAILED
    written.lost += entry.lost


def _folder_writer(form: str, folder: Path, plan: Layout) -> Csv | Parquet:
    suffix, writer = (CSV, Csv) if form == "csv" else (PARQUET, Parquet)
    names = layout.Names(())
    files = {table: names.free(_file_stem(table)) + suffix for table in plan.headers}
    return writer(folder, plan, files)


def _file_stem(table: str) -> str:
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
def _folder(target: Path) -> Iterator[Path]:
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
def _file(target: Path) -> Iterator[Path]:
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-", ignore_cleanup_errors=True) as room:
        draft = Path(room) / "new"
        yield draft
        draft.replace(target)
