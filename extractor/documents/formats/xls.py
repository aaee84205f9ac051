"""Sheets of old Excel files (.xls) as they are shown; xlrd reads values, formats and looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlrd

from extractor.documents.formats.number_format import GENERAL, show_value
from extractor.documents.formats.sheet import Sheet, SheetCell, SheetRemark, SheetRow
from extractor.documents.formats.sheet_styles import CellLook
from extractor.documents.formats.sight import BLACK, WHITE, Colour, Sight
from extractor.errors import DocumentError

_FLAT, _LOW = 30, 100
"""Heights of rows in twentieths of a point below which nothing is seen, and below which perhaps nothing is."""
_SOLID = 1


def read_old_workbook(path: Path, name: str) -> Iterator[Sheet]:
    """The sheets of a file. Raises DocumentError for one that is encrypted or broken."""
    try:
        book = xlrd.open_workbook(str(path), formatting_info=True)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            message = f"{name} is encrypted; save a copy without its password."
            raise DocumentError(message, reason="encrypted") from error
        raise DocumentError(f"{name} is broken ({error}); save it anew.", reason="broken") from error
    for table in book.sheets():
        yield _read_sheet(book, table)


def _read_sheet(book: Any, table: Any) -> Sheet:
    sheet = Sheet(table.name, Sight.SHOWN if table.visibility == 0 else Sight.HIDDEN)
    merges = {(top, left): (bottom - top, right - left) for top, bottom, left, right in table.merged_cells}
    columns = {number: Sight.HIDDEN for number, about in table.colinfo_map.items() if about.hidden or about.width == 0}
    for i in range(table.nrows):
        about = table.rowinfo_map.get(i)
        row_sight = max(sheet.sight, _judge_row(about) if about is not None else Sight.SHOWN)
        cells = []
        for j in range(table.row_len(i)):
            text, sight = _show_cell(book, table.cell(i, j))
            if text.strip():
                sight = max(sight, row_sight, columns.get(j, Sight.SHOWN))
                rows, wide = merges.get((i, j), (1, 1))
                cells.append(SheetCell(j + 1, text, sight, row_span=rows, column_span=wide))
        if cells:
            sheet.rows.append(SheetRow(i + 1, cells))
    for (i, j), note in table.cell_note_map.items():
        if note.text.strip():
            sheet.remarks.append(SheetRemark("comment", i + 1, j + 1, note.text, max(sheet.sight, Sight.DOUBTFUL)))
    return sheet


def _judge_row(about: Any) -> Sight:
    if about.hidden:
        return Sight.HIDDEN
    if about.has_default_height:
        return Sight.SHOWN
    return Sight.HIDDEN if about.height < _FLAT else Sight.DOUBTFUL if about.height < _LOW else Sight.SHOWN


def _show_cell(book: Any, cell: Any) -> tuple[str, Sight]:
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return "", Sight.SHOWN
    look = _read_look(book, cell.xf_index)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#ERROR"), look.judge()
    value = bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value
    shown = show_value(value, look.code, from_1904=book.datemode == 1)
    if not shown.text.strip() and str(value).strip():
        return ("" if value == 0 else show_value(value, GENERAL).text), Sight.HIDDEN
    return shown.text, look.judge(shown.colour)


def _read_look(book: Any, number: int | None) -> CellLook:
    if number is None or number >= len(book.xf_list):
        return CellLook()
    xf = book.xf_list[number]
    font = book.font_list[xf.font_index] if xf.font_index < len(book.font_list) else None
    code = book.format_map[xf.format_key].format_str if xf.format_key in book.format_map else GENERAL
    ground: Colour | None = WHITE
    if xf.background.fill_pattern:
        painted = book.colour_map.get(xf.background.pattern_colour_index) or BLACK
        ground = painted if xf.background.fill_pattern == _SOLID else None
    ink = (book.colour_map.get(font.colour_index) if font is not None else None) or BLACK
    return CellLook(code, tuple(ink), ground, font.height / 20 if font is not None else 11.0)
