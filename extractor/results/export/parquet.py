"""A folder of Parquet files, one a table, with the columns' types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extractor.errors import UsageError, name_install_command
from extractor.results.export.layout import CellValue, ExportLayout

PARQUET_SUFFIX = ".parquet"
BATCH_ROWS = 4_000
"""Rows of a table that are held before they are written."""
BATCH_CHARACTERS = 4_000_000
"""Characters of them."""


class ParquetTableWriter:
    """Writes rows in batches. Raises UsageError where pyarrow is not installed."""

    def __init__(self, folder: Path, layout: ExportLayout, files: Mapping[str, str]) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            how = name_install_command("parquet")
            raise UsageError(f"Parquet needs pyarrow; install it with: {how}") from error
        types = {
            "integer": pyarrow.int64(),
            "number": pyarrow.float64(),
            "boolean": pyarrow.bool_(),
            "string": pyarrow.string(),
        }
        self._arrow = pyarrow
        self._writers: dict[str, Any] = {}
        self._rows: dict[str, list[Mapping[str, CellValue]]] = {}
        self._sizes: dict[str, int] = {}
        for name, header in layout.headers.items():
            schema = pyarrow.schema([(column, types[type_]) for column, type_ in header.items()])
            self._writers[name] = parquet.ParquetWriter(folder / files[name], schema, compression="zstd")
            self._rows[name], self._sizes[name] = [], 0

    def write_row(self, table: str, row: Mapping[str, CellValue]) -> None:
        self._rows[table].append(row)
        self._sizes[table] += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(self._rows[table]) >= BATCH_ROWS or self._sizes[table] >= BATCH_CHARACTERS:
            self._flush_table(table)

    def _flush_table(self, table: str) -> None:
        writer = self._writers[table]
        writer.write_table(self._arrow.Table.from_pylist(self._rows[table], schema=writer.schema))
        self._rows[table], self._sizes[table] = [], 0

    def close(self) -> None:
        for table, writer in self._writers.items():
            self._flush_table(table)
            writer.close()

    def abandon(self) -> None:
        for writer in self._writers.values():
            writer.close()
