"""Tables as text: a line for each row, a bar between cells; each cell is known by its row and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from extractor.documents.formats import CSV_FORMAT
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.io import decode_text, read_file_bytes, require_text
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document

_SAMPLE = 20_000


def load(path: Path, name: str, ocr: bool) -> Document:
    text = require_text(decode_text(read_file_bytes(path, CSV_FORMAT.max_bytes), name), name)
    draft = DocumentBuilder(PieceLabels(("row", "column")))
    try:
        draft.add_table(list(_read_rows(text, path.suffix.lower() == ".tsv")))
    except csv.Error as error:
        raise DocumentError(
            f"{name} is no table of comma separated values ({error}); is it broken?", reason="broken"
        ) from error
    return draft.build_document(name, "csv")


def _read_rows(text: str, tabs: bool) -> Iterator[list[TableCell]]:
    dialect: type[csv.Dialect] = csv.excel_tab if tabs else csv.excel
    if not tabs:
        try:
            dialect = csv.Sniffer().sniff(text[:_SAMPLE], delimiters=",;\t|")
        except csv.Error:
            dialect = csv.excel
    for i, row in enumerate(csv.reader(io.StringIO(text, newline=""), dialect), 1):
        yield [TableCell(cell, (i, j)) for j, cell in enumerate(row, 1)]
