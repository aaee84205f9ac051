"""Spreadsheets: a table for each sheet, a line for each row; a cell is known by its sheet and name, such as B3."""

from __future__ import annotations

import datetime
from importlib.metadata import version
from pathlib import Path

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from extractor.documents.formats import SPREADSHEET_FORMAT
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.zip_guard import check_archive
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document

MAX_CELLS = 3_000_000
"""Of one sheet, empty ones included."""


def load(path: Path, name: str, ocr: bool) -> Document:
    if path.suffix.lower() != ".xls":
        check_archive(path, name, SPREADSHEET_FORMAT.max_bytes)
    try:
        book = CalamineWorkbook.from_path(str(path))
    except PasswordError as error:
        raise DocumentError(f"{name} is encrypted; save a copy without its password.", reason="encrypted") from error
    draft = DocumentBuilder(PieceLabels(("sheet", "row", "column"), {"sheet": book.sheet_names}))
    for number, about in enumerate(book.sheets_metadata, 1):
        if about.typ is not SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_index(number - 1)
        if sheet.total_height * sheet.total_width > MAX_CELLS:
            raise DocumentError(
                f"The sheet {about.name!r} of {name} has {sheet.total_height} rows of {sheet.total_width} cells; "
                f"save the part that matters as a file of its own.",
                reason="too large",
            )
        unseen = about.visible is not SheetVisibleEnum.Visible
        rows = [
            [TableCell(_format_value(value), (number, i, j), unseen) for j, value in enumerate(row, 1)]
            for i, row in enumerate(sheet.to_python(skip_empty_area=False), 1)
        ]
        if len(book.sheet_names) > 1 and any(cell.text for row in rows for cell in row):
            start = draft.length
            draft.end_paragraph()
            draft.add_text(f"# {about.name}")
            if unseen:
                draft.hide_from(start)
        draft.add_table(rows)
    if not draft.length:
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return draft.build_document(name, f"python-calamine {version('python-calamine')}")


def _format_value(value: object) -> str:
    """A cell's value in plain spelling: 2024-03-01 for a day, 3 for a whole number, as its format is not known."""
    match value:
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return repr(value)
        case datetime.datetime() if not (value.hour or value.minute or value.second):
            return value.date().isoformat()
        case datetime.datetime():
            return value.isoformat(" ", "seconds")
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)
