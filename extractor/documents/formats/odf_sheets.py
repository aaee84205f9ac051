"""Spreadsheets of OpenDocument as sheets of any workbook: the file has the words of each cell, as they are shown."""

from __future__ import annotations

from collections.abc import Iterator

from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.odf_styles import OdfStyles, TextLook, qualify
from extractor.documents.formats.odf_tables import OdfTable, TableReader
from extractor.documents.formats.odf_text import H, P, read_paragraph
from extractor.documents.formats.package_xml import Element
from extractor.documents.formats.sheet import Sheet, SheetCell, SheetRemark, SheetRow
from extractor.documents.formats.sheet_layout import PARTS, write_sheet
from extractor.documents.formats.sight import Sight
from extractor.documents.locations import PieceLabels
from extractor.types import UnreadPart


def write_sheets(body: Element, styles: OdfStyles, name: str) -> DocumentBuilder:
    """The draft of a spreadsheet's document. Raises DocumentError for one with too many cells."""
    reader = TableReader(styles, name)
    sheets = [_read_sheet(table, styles, reader) for table in body if table.tag == qualify("table:table")]
    labels = PieceLabels(("sheet", "row", "column", "part"), {"sheet": [s.name for s in sheets], "part": list(PARTS)})
    draft = DocumentBuilder(labels)
    for number, sheet in enumerate(sheets, 1):
        write_sheet(draft, sheet, number, titled=len(sheets) > 1)
        if sheet.uncomputed:
            message = f"{len(sheet.uncomputed)} formulas of the sheet {sheet.name} have no result in the file."
            draft.unread.append(UnreadPart(f"sheet {sheet.name}", "formula", message))
    return draft


def _read_sheet(table: Element, styles: OdfStyles, reader: TableReader) -> Sheet:
    about = styles.properties("table", table.get(qualify("table:style-name"), ""))
    sight = Sight.HIDDEN if about.get("display") == "false" else Sight.SHOWN
    found = reader.read_table(table, TextLook(), sight, lambda row, column: (row, column))
    sheet = Sheet(table.get(qualify("table:name"), ""), sight)
    for row in found.rows:
        cells = [_build_cell(cell) for cell in row if cell.text.strip()]
        if cells:
            sheet.rows.append(SheetRow(row[-1].label[0], cells))
    sheet.remarks += _read_remarks(found, styles)
    sheet.uncomputed = [(0, 0)] * found.unread_formulas
    return sheet


def _build_cell(cell: TableCell) -> SheetCell:
    sight = min((sight for text, sight in cell.pieces if text.strip()), default=Sight.SHOWN)
    pieces = cell.pieces if len({sight for _, sight in cell.pieces}) > 1 else ()
    return SheetCell(cell.label[1], cell.text, sight, pieces, cell.row_span, cell.column_span, cell.header)


def _read_remarks(found: OdfTable, styles: OdfStyles) -> Iterator[SheetRemark]:
    """Comments and text boxes. Where they lie is not kept, so they stand below the sheet."""
    for kind, elements, sight in (
        ("comment", found.comments, Sight.DOUBTFUL),
        ("text box", found.drawn, Sight.SHOWN),
    ):
        for element in elements:
            words = " ".join(read_paragraph(p, styles, TextLook()).text for p in element.iter(P, H))
            if words.strip():
                yield SheetRemark(kind, 1, 1, words, sight)
