"""Tables of OpenDocument files: rows and cells with their spans, as they are shown; repeated ones are written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from extractor.documents.formats.builder import TableCell
from extractor.documents.formats.odf_styles import OdfStyles, TextLook, qualify
from extractor.documents.formats.odf_text import H, P, Paragraph, read_paragraph
from extractor.documents.formats.package_xml import Element
from extractor.documents.formats.sight import Sight
from extractor.errors import DocumentError

MAX_CELLS = 1_000_000
"""Cells with words of one document that are written."""
_ROW, _CELL, _COVERED = (qualify(f"table:{n}") for n in ("table-row", "table-cell", "covered-table-cell"))
_COLUMN, _HEADER_ROWS = qualify("table:table-column"), qualify("table:table-header-rows")
_GROUPS = frozenset(
    qualify(f"table:{n}") for n in ("table-header-rows", "table-row-group", "table-rows", "table-header-columns")
)
_COMMENT = qualify("office:annotation")
_MAX_COLUMNS = 20_000


@dataclass(slots=True)
class OdfTable:
    """The rows of a table, what is anchored in its cells, and how many formulas have no result in the file."""

    rows: list[list[TableCell]]
    comments: list[Element]
    drawn: list[Element]
    notes: list[Element]
    unread_formulas: int = 0


@dataclass(slots=True)
class TableReader:
    """Reads tables of one document. `label` gives what a cell is called, from its row and column, from 1."""

    styles: OdfStyles
    name: str
    cell_count: int = 0

    def read_table(
        self, table: Element, look: TextLook, sight: Sight, label: Callable[[int, int], Sequence[int]]
    ) -> OdfTable:
        """Raises DocumentError for one with too many cells."""
        found = OdfTable([], [], [], [])
        unseen = _find_hidden_columns(table)
        number = 0
        for row, is_header in _walk_rows(table, False):
            repeats = _count(row, "table:number-rows-repeated")
            seen = Sight.HIDDEN if row.get(qualify("table:visibility")) in ("collapse", "filter") else sight
            cells = list(self._read_row(row, look, seen, unseen, found))
            if any(cell.text.strip() for _, cell in cells):
                self.cell_count += len(cells) * repeats
                if self.cell_count > MAX_CELLS:
                    raise DocumentError(
                        f"{self.name} has more than {MAX_CELLS:,} cells; save the part that matters by itself.",
                        reason="too large",
                    )
                for i in range(number + 1, number + repeats + 1):
                    found.rows.append([replace(c, label=tuple(label(i, j)), header=is_header) for j, c in cells])
            else:
                found.rows.append([])
            number += repeats
        return found

    def _read_row(
        self, row: Element, look: TextLook, sight: Sight, unseen: Sequence[range], found: OdfTable
    ) -> Iterator[tuple[int, TableCell]]:
        column = 0
        owed = 0
        for cell in row:
            if cell.tag not in (_CELL, _COVERED):
                continue
            if column > _MAX_COLUMNS:
                return
            repeats = _count(cell, "table:number-columns-repeated")
            if cell.tag == _COVERED:
                column += repeats
                continue
            width, height = (_count(cell, f"table:number-{n}-spanned") for n in ("columns", "rows"))
            pieces, words = self._read_cell(cell, look, found)
            if not words.strip() and width == height == 1:
                owed += repeats
                column += repeats
                continue
            for blank in range(owed):
                yield column - owed + blank + 1, TableCell("", ())
            owed = 0
            for _ in range(min(repeats, _MAX_COLUMNS)):
                column += 1
                hidden = sight if not any(column in r for r in unseen) else Sight.HIDDEN
                seen = [(text, max(hidden, own)) for text, own in pieces]
                yield column, TableCell(words, (), False, height, width, False, seen)

    def _read_cell(self, cell: Element, look: TextLook, found: OdfTable) -> tuple[list[tuple[str, Sight]], str]:
        """The cell's words in pieces, paragraphs apart by a blank."""
        own = self.styles.apply(look, "table-cell", cell.get(qualify("table:style-name")))
        runs: list[tuple[str, Sight]] = []
        for element in _walk_paragraphs(cell):
            paragraph: Paragraph = read_paragraph(element, self.styles, own)
            if runs and paragraph.runs:
                runs.append((" ", Sight.SHOWN))
            runs += paragraph.runs
            found.comments += paragraph.comments
            found.drawn += paragraph.drawn
            found.notes += paragraph.notes
        found.comments += [child for child in cell if child.tag == _COMMENT]
        if not runs and (value := _read_value(cell)):
            runs.append((value, Sight.SHOWN))
        if not runs and cell.get(qualify("table:formula")):
            found.unread_formulas += 1
        return runs, "".join(text for text, _ in runs)


def _walk_paragraphs(cell: Element) -> Iterator[Element]:
    """Paragraphs of a cell, those of lists and tables in it too, but not those of comments and drawings."""
    for child in cell:
        if child.tag in (P, H):
            yield child
        elif isinstance(child.tag, str) and child.tag != _COMMENT and not child.tag.startswith(_DRAWING):
            yield from _walk_paragraphs(child)


_DRAWING = qualify("draw:frame").rpartition("}")[0]


def _read_value(cell: Element) -> str:
    """The value of a cell that has no words of its own."""
    for name in ("string-value", "date-value", "time-value", "boolean-value", "value"):
        if value := cell.get(qualify(f"office:{name}")):
            return str(value)
    return ""


def _walk_rows(element: Element, in_header: bool) -> Iterator[tuple[Element, bool]]:
    for child in element:
        if child.tag == _ROW:
            yield child, in_header
        elif child.tag in _GROUPS:
            yield from _walk_rows(child, in_header or child.tag == _HEADER_ROWS)


def _find_hidden_columns(table: Element) -> list[range]:
    """The columns, from 1, that are not shown."""
    hidden, at = [], 1
    for column in table.iter(_COLUMN):
        repeats = _count(column, "table:number-columns-repeated")
        if column.get(qualify("table:visibility")) in ("collapse", "filter"):
            hidden.append(range(at, at + repeats))
        at += repeats
    return hidden


def _count(element: Element, name: str) -> int:
    written = element.get(qualify(name), "1")
    return max(1, int(written)) if written.isdecimal() and len(written) < 9 else 1
