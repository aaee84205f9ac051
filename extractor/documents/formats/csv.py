"""Tables as text: a line for each row, a bar between cells; each cell is known by its row and column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from extractor.documents.formats import CSV_FORMAT
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.csv_dialect import detect_dialect, iterate_rows
from extractor.documents.formats.encodings import decode_bytes
from extractor.documents.formats.io import read_file_bytes, require_text
from extractor.documents.locations import PieceLabels
from extractor.types import Document

_MOST_WORDS = 6
"""Words of a line, on average, up to which lines are a list."""


def load(path: Path, name: str, ocr: bool) -> Document:
    read = decode_bytes(read_file_bytes(path, CSV_FORMAT.max_bytes), name)
    text = require_text(read.text, name)
    dialect = detect_dialect(text, "\t" if path.suffix.lower() == ".tsv" else "")
    if not dialect.separator and _is_prose(text):
        return Document(name, text, notes=tuple(filter(None, [read.note])))
    draft = DocumentBuilder(PieceLabels(("row", "column")))
    if read.note:
        draft.notes.append(read.note)
    write_rows(draft, list(iterate_rows(text, dialect)))
    return draft.build_document(name, "csv")


def _is_prose(text: str) -> bool:
    """Whether lines that no sign divides into values are paragraphs rather than a list of names."""
    lines = text.strip().splitlines()
    words = sum(len(line.split()) for line in lines)
    return '"' not in text and (not all(map(str.strip, lines)) or words > _MOST_WORDS * len(lines))


def write_rows(draft: DocumentBuilder, rows: Sequence[Sequence[str]]) -> None:
    """Writes the rows as one table. A formula that says a text, which keeps zeros before a number, is that text."""
    draft.add_table(
        [
            [TableCell(_read_formula(cell), (i, j), column=j - 1) for j, cell in enumerate(row, 1) if cell]
            for i, row in enumerate(rows, 1)
        ]
    )


def _read_formula(cell: str) -> str:
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') and cell.count('"') == 2 else cell
