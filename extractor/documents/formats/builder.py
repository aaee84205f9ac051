"""A canonical text while it is written, piece by piece: paragraphs apart by blank lines, a line for each table row.

Headings get the marks of Markdown, and cells a bar between them: that is what the outline of a text is read from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from extractor.documents.formats.headers import HeaderRows, find_header_rows
from extractor.documents.formats.headers import looks_like_header as looks_like_header
from extractor.documents.formats.sight import Sight
from extractor.documents.locations import PieceLabels
from extractor.types import Document, Locations, Span, TableGrid, TextTable, UnreadPart

CELL_SEPARATOR = " | "
MOST_HEADER_ROWS = 8
"""Rows at the top whose spans are looked at for names of columns in layers."""
MAX_SPAN = 1000
"""Rows or columns that one cell may take; HTML has the same bound for columns (HTML, 4.9.11)."""
_BLANKS = re.compile(r"[ \t\r\n\v\f\x1c-\x1f\x85\u2028\u2029]+")
"""White space that is one blank in a cell; a no-break space stays, since it may stand inside a number."""


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell to be written: its text, what its place is called, and how far it reaches to the right and down."""

    text: str
    label: Sequence[int]
    hidden: bool = False
    row_span: int = 1
    column_span: int = 1
    header: bool = False
    """Whether the file says that it names its column or row."""
    pieces: Sequence[tuple[str, Sight]] = ()
    """Its text in pieces where they are not seen alike; together they are the text."""
    column: int = -1
    """Its column, from 0, where empty cells before it are not given."""

    def seen_pieces(self) -> Iterable[tuple[str, Sight]]:
        """Its text without line ends and surplus blanks, in pieces that are seen alike."""
        return _join_blanks(self.pieces or [(self.text, Sight.HIDDEN if self.hidden else Sight.SHOWN)])


def _join_blanks(pieces: Sequence[tuple[str, Sight]]) -> Iterator[tuple[str, Sight]]:
    blank = ""  # owed before the next letter; none before the first
    began = False
    for text, sight in pieces:
        if text.isalnum():
            yield blank + text, sight
            blank, began = "", True
            continue
        plain = _BLANKS.sub(" ", text)
        inner = plain.strip(" ")
        if not inner:
            blank = " " if began and plain else blank
            continue
        yield (blank or (" " if began and plain[0] == " " else "")) + inner, sight
        blank, began = " " if plain[-1] == " " else "", True


@dataclass(slots=True)
class DocumentBuilder:
    """A document's text, what is hidden or doubtful in it, and its tables, as they grow."""

    labels: PieceLabels = field(default_factory=PieceLabels)
    hidden: list[Span] = field(default_factory=list)
    doubtful: list[Span] = field(default_factory=list)
    tables: list[TextTable] = field(default_factory=list)
    unread: list[UnreadPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictured: list[int] = field(default_factory=list)
    """Pages that are pictures of words."""
    length: int = 0
    _pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is written so far."""
        return "".join(self._pieces)

    def add_text(self, text: str) -> None:
        """The text as it is."""
        self._pieces.append(text)
        self.length += len(text)

    def add_words(self, text: str, label: Sequence[int], *, hidden: bool = False, sight: Sight = Sight.SHOWN) -> None:
        """Text that stands somewhere in the file."""
        if text:
            start = self.length
            self.add_text(text)
            self.labels.add_piece(start, self.length, label)
            if hidden or sight is Sight.HIDDEN:
                self.hide_from(start)
            elif sight is Sight.DOUBTFUL:
                self.doubt_from(start)

    def hide_from(self, start: int) -> None:
        """Marks all from there on as what a reader can't see."""
        _mark_from(self.hidden, start, self.length)

    def doubt_from(self, start: int) -> None:
        """Marks all from there on as what a reader may not see, or only if he asks for it."""
        _mark_from(self.doubtful, start, self.length)

    def end_paragraph(self) -> None:
        """Ends a paragraph: what comes next stands below a blank line."""
        if self.length:
            self.add_text("\n\n")

    def add_paragraph(
        self, text: str, label: Sequence[int], *, level: int = 0, hidden: bool = False, sight: Sight = Sight.SHOWN
    ) -> None:
        """A paragraph, or with a level a heading."""
        if not text.strip():
            return
        self.end_paragraph()
        if level:
            self.add_text("#" * min(level, 6) + " ")
            text = " ".join(text.split())
        self.add_words(text, label, hidden=hidden, sight=sight)

    def add_table(self, rows: Sequence[Sequence[TableCell]], *, headed: bool | None = None) -> None:
        """Writes rows of cells without the empty ones. A cell that reaches over columns or rows is written once, with
        empty cells where it reaches, so that each column holds its own.

        `headed` is whether the first row names the columns; else cells marked as headers say so, or how the rows look.
        """
        placed = [row for row in _place_cells(rows) if any(cell.text.strip() for _, cell in row)]
        if not placed:
            return
        self.end_paragraph()
        start = self.length
        header = find_header_rows(
            [[(at, cell.text) for at, cell in row if cell.text.strip()] for row in placed],
            _count_marked(placed, headed),
            {
                (number, at): (cell.row_span, cell.column_span)
                for number, row in enumerate(placed[:MOST_HEADER_ROWS])
                for at, cell in row
                if cell.row_span > 1 or cell.column_span > 1
            },
        )
        grid = TableGrid(header.count, header.first)
        ends = []
        for number, row in enumerate(placed):
            self._add_row(row, number, start, grid, header)
            ends.append(self.length)
        first = (ends[header.first - 1] + 1 if header.first else start) if header.count else start
        named = Span(first, ends[header.first + header.count - 1]) if header.count else None
        self.tables.append(TextTable(Span(start, self.length), named, grid))

    def _add_row(
        self, row: Sequence[tuple[int, TableCell]], number: int, start: int, grid: TableGrid, header: HeaderRows
    ) -> None:
        if number:
            self.add_text("\n")
        written = 0
        for column, cell in row:
            if not cell.text.strip():
                continue
            if column > written:
                self.add_text(CELL_SEPARATOR * (column - written))
                written = column
            began = self.length
            for text, sight in cell.seen_pieces():
                self.add_words(text, cell.label, sight=sight)
            if self.length > began:
                named = cell.header or header.first <= number < header.first + header.count
                grid.add_cell(
                    began - start, self.length - start, (number, column), (cell.row_span, cell.column_span), named
                )

    def build_document(self, name: str, loader: str, places: Locations | None = None) -> Document:
        """The document as far as it is written."""
        return Document(
            name,
            "".join(self._pieces),
            tuple(self.hidden),
            tuple(self.tables),
            tuple(self.unread),
            self.labels if places is None else places,
            loader,
            tuple(self.notes),
            tuple(self.doubtful),
            tuple(self.pictured),
        )


def _mark_from(marks: list[Span], start: int, end: int) -> None:
    if start < end:
        if marks and marks[-1].end >= start:
            start = min(start, marks.pop().start)
        marks.append(Span(start, end))


def _place_cells(rows: Sequence[Sequence[TableCell]]) -> Iterator[list[tuple[int, TableCell]]]:
    """The cells of each row with their columns, from 0, where those that reach down from above leave room."""
    taken: dict[int, int] = {}  # columns, and the row down to which a cell from above has them
    for number, row in enumerate(rows):
        placed, column = [], 0
        for cell in row:
            column = cell.column if cell.column >= 0 else column
            while cell.column < 0 and taken.get(column, 0) > number:
                column += 1
            placed.append((column, cell))
            width = min(max(1, cell.column_span), MAX_SPAN)
            if cell.row_span > 1:
                taken.update(dict.fromkeys(range(column, column + width), number + min(cell.row_span, MAX_SPAN)))
            column += width
        yield placed


def _count_marked(rows: Sequence[Sequence[tuple[int, TableCell]]], headed: bool | None) -> int | None:
    """How many rows at the top name the columns, as far as the file says it; None where it does not."""
    count = 0
    for row in rows:
        if not all(cell.header for _, cell in row if cell.text.strip()):
            break
        count += 1
    if 0 < count < len(rows):
        return count
    return None if headed is None else int(headed and len(rows) > 1)
