"""Sheets as text: each of their tables for itself, titles above it, and what lies far from everything marked.

A sheet has no marks where a table begins. Rows without words between them may be a gap within one, so what follows is
a table of its own only where it has a header of its own, or stands in other columns.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.enclosed_pictures import enclose_pictures
from extractor.documents.formats.headers import Row, find_header_rows, is_figure
from extractor.documents.formats.sheet import Sheet, SheetCell, SheetRow, spell_cells
from extractor.documents.formats.sight import Sight
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

FAR_ROWS, FAR_COLUMNS = 1000, 200
"""Empty rows or columns before a cell beyond which nobody who opens the sheet sees it."""
AWAY_ROWS, AWAY_COLUMNS = 200, 50
"""And beyond which perhaps nobody does."""
PARTS = ("comment", "text box", "chart")
_HEADER_DEPTH = 3


def write_workbook(sheets: Sequence[Sheet], name: str, loader: str, *, ocr: bool) -> Document:
    """The document of a workbook, with its pictures where OCR is wanted. Raises DocumentError for an empty one."""
    labels = PieceLabels(("sheet", "row", "column", "part"), {"sheet": [s.name for s in sheets], "part": list(PARTS)})
    draft = DocumentBuilder(labels)
    for number, sheet in enumerate(sheets, 1):
        write_sheet(draft, sheet, number, titled=len(sheets) > 1)
        if sheet.uncomputed:
            where = f"{sheet.name}!{spell_cells(sheet.uncomputed)}"
            message = f"The formulas in {where} have no result in the file; save it anew in a spreadsheet program."
            draft.unread.append(UnreadPart(f"cells {where}", "formula", message))
    if loader.startswith("python-calamine"):
        draft.notes.append(
            "Values are shown as they are stored: how the file formats numbers, as percentages, is not read."
        )
    pictures = [picture for sheet in sheets for picture in sheet.pictures]
    document = enclose_pictures(draft.build_document(name, loader), pictures, wanted=ocr)
    if not draft.length and not isinstance(document, MailDocument):
        why = draft.unread[0].message if draft.unread else f"{name} is empty; there is nothing to extract."
        raise DocumentError(why, reason="empty")
    return document


def write_sheet(draft: DocumentBuilder, sheet: Sheet, number: int, *, titled: bool) -> None:
    """Writes what a sheet shows; its places are its number, a row, a column and 0, or the number of a part."""
    if not sheet.rows and not sheet.remarks:
        return
    if titled:
        start = draft.length
        draft.end_paragraph()
        draft.add_text(f"# {sheet.name}")
        if sheet.sight is Sight.HIDDEN:
            draft.hide_from(start)
    _mark_far_cells(sheet)
    for block in _find_blocks(sheet.rows):
        _write_block(draft, block, number)
    for remark in sorted(sheet.remarks, key=lambda one: (one.row, one.column)):
        label = (number, remark.row, remark.column, PARTS.index(remark.kind) + 1)
        draft.add_paragraph(remark.text, label, sight=remark.sight)


def _mark_far_cells(sheet: Sheet) -> None:
    """Lowers the sight of cells that stand behind very many empty rows or columns."""
    sight, before = Sight.SHOWN, 0
    for row in sheet.rows:
        gap = row.number - before - 1
        away = AWAY_ROWS if before else FAR_ROWS  # above the first row there is nothing to be far from
        before = row.number
        sight = max(sight, _judge_gap(gap, away, FAR_ROWS))
        if sight is not Sight.SHOWN:
            row.cells = [replace(cell, sight=max(cell.sight, sight)) for cell in row.cells]
    used = sorted({cell.column for row in sheet.rows for cell in row.cells})
    far = {}
    sight, before = Sight.SHOWN, 0
    for column in used:
        sight = max(sight, _judge_gap(column - before - 1, AWAY_COLUMNS if before else FAR_COLUMNS, FAR_COLUMNS))
        before = column
        if sight is not Sight.SHOWN:
            far[column] = sight
    for row in sheet.rows if far else ():
        row.cells = [replace(c, sight=max(c.sight, far.get(c.column, Sight.SHOWN))) for c in row.cells]


def _judge_gap(gap: int, away: int, far: int) -> Sight:
    return Sight.HIDDEN if gap >= far else Sight.DOUBTFUL if gap >= away else Sight.SHOWN


def _find_blocks(rows: Sequence[SheetRow]) -> list[list[SheetRow]]:
    """The tables of a sheet from the top, those side by side from the left."""
    blocks: list[list[SheetRow]] = []
    left, right = 0, 0
    for band in _find_bands(rows):
        for part in _split_columns(band):
            low, high = _extent(part)
            if blocks and left <= low and high <= right and _goes_on(blocks[-1], part, (left, right) == (low, high)):
                blocks[-1] += part
            else:
                blocks.append(part)
                left, right = low, high
    return blocks


def _find_bands(rows: Sequence[SheetRow]) -> list[list[SheetRow]]:
    """Rows without an empty one between them; a cell that reaches down closes a gap."""
    bands: list[list[SheetRow]] = []
    reach = -1
    for row in rows:
        if row.number > reach + 1:
            bands.append([])
        bands[-1].append(row)
        reach = max(row.number, *(row.number + cell.row_span - 1 for cell in row.cells if cell.row_span < 1000), 0)
    return bands


def _split_columns(band: Sequence[SheetRow]) -> list[list[SheetRow]]:
    """The band cut at empty columns, where both sides are tables with a header of their own."""
    taken = sorted({c for row in band for cell in row.cells for c in (cell.column, cell.column + cell.column_span - 1)})
    spans = [(cell.column, cell.column + cell.column_span - 1) for row in band for cell in row.cells]
    cuts = [b for a, b in pairwise(taken) if b > a + 1 and not any(x < b - 1 < y for x, y in spans)]
    if not cuts or len(band) < 2:
        return [list(band)]
    edges = [0, *cuts, 1 << 30]
    parts = [_cut_rows(band, low, high) for low, high in pairwise(edges)]
    if all(len(part) > 1 and _has_header(part) for part in parts):
        return parts
    return [list(band)]


def _cut_rows(band: Sequence[SheetRow], low: int, high: int) -> list[SheetRow]:
    cut = [SheetRow(row.number, [cell for cell in row.cells if low <= cell.column < high]) for row in band]
    return [row for row in cut if row.cells]


def _texts(rows: Sequence[SheetRow]) -> list[Row]:
    return [[(cell.column, cell.text) for cell in row.cells] for row in rows]


def _has_header(rows: Sequence[SheetRow]) -> bool:
    """Whether the first rows name their columns for certain: figures stand under words, or the file says so."""
    if any(cell.header for cell in rows[0].cells):
        return True
    header = find_header_rows(_texts(rows[:12]))
    if not header.count or header.first > _HEADER_DEPTH:
        return False
    columns = {cell.column for cell in rows[header.first].cells}
    below = rows[header.first + 1 : header.first + 6]
    return any(is_figure(cell.text) and cell.column in columns for row in below for cell in row.cells)


def _goes_on(block: Sequence[SheetRow], band: Sequence[SheetRow], same_columns: bool) -> bool:
    """Whether rows below an empty one, in no other columns, belong to the table above."""
    if len(block) == 1:  # a title, or a header apart from its table
        return same_columns and len(block[0].cells) > 1
    return not _has_header(band) and not all(len(row.cells) == 1 for row in band)


def _extent(rows: Sequence[SheetRow]) -> tuple[int, int]:
    columns = [cell.column for row in rows for cell in row.cells]
    return min(columns), max(columns)


def _write_block(draft: DocumentBuilder, rows: Sequence[SheetRow], number: int) -> None:
    if all(len(row.cells) == 1 for row in rows):
        draft.end_paragraph()
        for i, row in enumerate(rows):
            cell = _build_cell(row.cells[0], row, number, 0)
            draft.add_text("\n" if i else "")
            for text, sight in cell.seen_pieces():
                draft.add_words(text, cell.label, sight=sight)
        return
    left = _extent(rows)[0]
    numbers = [row.number for row in rows]
    draft.add_table([[_build_cell(cell, row, number, left, numbers) for cell in row.cells] for row in rows])


def _build_cell(cell: SheetCell, row: SheetRow, number: int, left: int, numbers: Sequence[int] = ()) -> TableCell:
    pieces = cell.pieces or [(cell.text, cell.sight)]
    reach = cell.row_span
    if reach > 1 and numbers:  # in rows that hold something
        reach = bisect_left(numbers, row.number + cell.row_span) - bisect_left(numbers, row.number)
    return TableCell(
        cell.text,
        (number, row.number, cell.column, 0),
        row_span=reach,
        column_span=cell.column_span,
        header=cell.header,
        pieces=[(text, max(sight, cell.sight)) for text, sight in pieces],
        column=max(0, cell.column - left),
    )
