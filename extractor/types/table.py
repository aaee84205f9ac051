"""Tables in a document's text: which cell a position stands in, and what the headers over it and beside it say."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field

from extractor.types.span import Span

_REACH = 100
"""Rows above a cell that are looked at for one that reaches down to its row."""


def _new_integers() -> array[int]:
    return array("I")


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell with words in it. Rows and columns count from 0 within its table; a cell may reach over several."""

    span: Span
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    header: bool = False
    """Whether it names its column or its row, as far as the file says so or it looks so."""

    def covers_column(self, other: GridCell) -> bool:
        """Whether it stands in a column of the other cell."""
        return self.column < other.column + other.column_span and other.column < self.column + self.column_span

    def covers_row(self, other: GridCell) -> bool:
        """Whether it stands in a row of the other cell."""
        return self.row < other.row + other.row_span and other.row < self.row + self.row_span


@dataclass(slots=True)
class TableGrid:
    """The cells of one table that have words, in the order of the text; positions count from the table's start.

    Kept in arrays: a spreadsheet has half a million cells. `header_rows` is how many rows at the top name columns.
    """

    header_rows: int = 0
    first_header_row: int = 0
    """Rows above it are titles."""
    starts: array[int] = field(default_factory=_new_integers)
    ends: array[int] = field(default_factory=_new_integers)
    places: array[int] = field(default_factory=_new_integers)
    """Of each cell its row, column, how many rows and columns it takes, and 1 where it is a header."""

    def add_cell(
        self, start: int, end: int, place: tuple[int, int], size: tuple[int, int] = (1, 1), header: bool = False
    ) -> None:
        """Adds a cell at a row and column, which takes so many rows and columns."""
        self.starts.append(start)
        self.ends.append(end)
        self.places.extend((*place, *size, header))

    def cell(self, number: int, by: int = 0) -> GridCell:
        """The cell of that number, its span moved by so much."""
        row, column, rows, columns, header = self.places[5 * number : 5 * number + 5]
        span = Span(self.starts[number] + by, self.ends[number] + by)
        return GridCell(span, row, column, rows, columns, bool(header))


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows of a table in a document's text, a line each. `header` is the rows that name the columns, if any does."""

    span: Span
    header: Span | None = None
    grid: TableGrid | None = field(default=None, compare=False, repr=False)
    """Its cells, where the reader of the format knows them."""

    def shift(self, by: int) -> TextTable:
        """The table where its text begins so much later."""
        return TextTable(self.span.shift(by), self.header.shift(by) if self.header else None, self.grid)

    def cells(self) -> list[GridCell]:
        """Every cell that has words."""
        grid = self.grid
        return [grid.cell(i, self.span.start) for i in range(len(grid.starts))] if grid else []

    def cell_at(self, position: int) -> GridCell | None:
        """The cell that a position of the document's text stands in."""
        if self.grid is None:
            return None
        i = bisect_right(self.grid.starts, position - self.span.start) - 1
        return self.grid.cell(i, self.span.start) if i >= 0 and position - self.span.start < self.grid.ends[i] else None

    def column_headers(self, cell: GridCell) -> list[Span]:
        """The header cells above a cell, from the top; none for a cell that is above them or one of them."""
        grid = self.grid
        if grid is None or cell.row < grid.first_header_row + grid.header_rows:
            return []
        found = []
        for i in range(len(grid.starts)):
            above = grid.cell(i, self.span.start)
            if above.row >= grid.first_header_row + grid.header_rows:
                break
            if above.row >= grid.first_header_row and above.covers_column(cell):
                found.append(above.span)
        return found

    def row_headers(self, cell: GridCell) -> list[Span]:
        """The cells to the left that name a cell's row: those marked as headers, or else the first of the row."""
        if self.grid is None or cell.column == 0:
            return []
        starts = self.grid.starts
        at = bisect_right(starts, cell.span.start - self.span.start) - 1
        found: list[GridCell] = []
        for i in range(at - 1, -1, -1):
            left = self.grid.cell(i, self.span.start)
            if left.row + _REACH < cell.row:
                break
            if left.covers_row(cell) and left.column + left.column_span <= cell.column:
                found.append(left)
        found.reverse()
        marked = [left.span for left in found if left.header]
        return marked or [left.span for left in found[:1] if left.column == 0]
