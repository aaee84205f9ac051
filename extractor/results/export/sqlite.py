"""A SQLite database of records, evidence and runs, with views that put each value beside the words it came from.

SELECT name, status, reason FROM documents WHERE status <> 'complete';
SELECT document, path, value, quote, match FROM proofs WHERE match <> 'exact';
SELECT number, number_quote FROM records_proved;
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from extractor.errors import UsageError
from extractor.results.export.layout import CellValue, ColumnType, ExportLayout, TableLayout, UniqueTableNames
from extractor.types import json_pointer

_TYPES: Mapping[ColumnType, str] = {"integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN", "string": "TEXT"}
_KEYS = {
    "runs": "PRIMARY KEY (run)",
    "documents": "PRIMARY KEY (_document), FOREIGN KEY (run) REFERENCES runs (run)",
    "usage": "PRIMARY KEY (_document, field_group), FOREIGN KEY (_document) REFERENCES documents (_document)",
    "evidence": "FOREIGN KEY (_document) REFERENCES documents (_document)",
    "issues": "FOREIGN KEY (_document) REFERENCES documents (_document)",
}
_BATCH_ROWS = 500
"""Rows that are held at most before they are written; those of one table come one after the other."""
_MAX_VIEW_COLUMNS = 900
"""Columns of a table that get a view; SQLite has at most 2,000 in one."""


class SqliteTableWriter:
    """Writes rows as they come, all in one transaction."""

    def __init__(self, path: Path, layout: ExportLayout) -> None:
        self._layout = layout
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")  # the file takes its place only when it is whole
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("BEGIN")
        self._insert: dict[str, str] = {}
        self._table = ""
        self._rows: list[list[CellValue]] = []
        keys = {t.name: _declare_row_keys(t, layout) for t in layout.tables.values()} | _KEYS
        for name, header in layout.headers.items():
            columns = ", ".join(f"{_quote_name(column)} {_TYPES[type_]}" for column, type_ in header.items())
            try:
                self._db.execute(f"CREATE TABLE {_quote_name(name)} ({columns}, {keys[name]})")
            except sqlite3.Error as error:
                raise UsageError(f"Table {name!r} is none for SQLite ({error}); export to parquet instead.") from error
            marks = ", ".join("?" * len(header))
            self._insert[name] = f"INSERT INTO {_quote_name(name)} VALUES ({marks})"  # noqa: S608 (names are quoted)

    def write_row(self, table: str, row: Mapping[str, CellValue]) -> None:
        if table != self._table or len(self._rows) >= _BATCH_ROWS:
            self._flush_rows()
            self._table = table
        self._rows.append(list(row.values()))

    def _flush_rows(self) -> None:
        if self._rows:
            self._db.executemany(self._insert[self._table], self._rows)
            self._rows.clear()

    def close(self) -> None:
        self._flush_rows()
        self._db.execute("CREATE INDEX evidence_by_path ON evidence (_document, path, span)")
        self._db.execute("CREATE INDEX issues_by_document ON issues (_document)")
        views = UniqueTableNames(self._layout.headers)
        self._db.execute(f"CREATE VIEW {views.claim_name('proofs')} AS {_PROOFS}")
        for table in self._layout.tables.values():
            if len(table.header) <= _MAX_VIEW_COLUMNS:
                view = views.claim_name(f"{table.name}_proved")
                self._db.execute(f"CREATE VIEW {_quote_name(view)} AS {_select_proved(table)}")
        self._db.execute("PRAGMA user_version = 1")
        self._db.execute("COMMIT")
        self._db.close()

    def abandon(self) -> None:
        self._db.close()


_PROOFS = """
SELECT d.name AS document, e.path, e.value, e.quote, e.match, e.start_at, e.end_at, e.said, e.confidence, e.place,
       e._document
FROM evidence e JOIN documents d USING (_document)
"""


def _declare_row_keys(table: TableLayout, layout: ExportLayout) -> str:
    keys = "PRIMARY KEY (_document, _path), FOREIGN KEY (_document) REFERENCES documents (_document)"
    outer = _find_outer_table(table, layout)
    if outer is not None:
        keys += f", FOREIGN KEY (_document, _parent) REFERENCES {_quote_name(outer.name)} (_document, _path)"
    return keys


def _find_outer_table(table: TableLayout, layout: ExportLayout) -> TableLayout | None:
    """The table that the rows of a list belong to."""
    inside = [layout.tables[table.path[:n]] for n in range(len(table.path)) if table.path[:n] in layout.tables]
    return inside[-1] if inside else None


def _select_proved(table: TableLayout) -> str:
    """Every column of a table, each value followed by the first words that support it and how they match."""
    names = UniqueTableNames(table.header)
    columns = [f"t.{_quote_name(key)}" for key in table.keys]
    for steps, column in table.columns.items():
        within = "" if table.path and steps == ("value",) else json_pointer(steps)
        columns.append(f"t.{_quote_name(column)}")
        for what in ("quote", "match"):
            found = (
                f"SELECT e.{what} FROM evidence e WHERE e._document = t._document "  # noqa: S608
                f"AND e.path = t._path || {_quote_text(within)} ORDER BY e.span LIMIT 1"
            )
            columns.append(f"({found}) AS {_quote_name(names.claim_name(f'{column}_{what}'))}")
    rows = f"{_quote_name(table.name)} t JOIN documents d USING (_document)"
    return f"SELECT d.name AS {names.claim_name('_name')}, {', '.join(columns)} FROM {rows}"  # noqa: S608


def _quote_name(name: str) -> str:
    """A name as SQL has it, whatever stands in it."""
    return '"' + name.replace('"', '""').replace("\0", "") + '"'


def _quote_text(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\0", "") + "'"
