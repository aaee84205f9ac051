"""Tables in a document's text: which cell a position stands in, and what the headers over it and beside it say."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from extractor.types.span import Span

_REACH = 100
"""Rows that a cell is taken to reach over, at most."""
MOST_HEADER_ROWS, MOST_NAMES = 16, 8
"""Header cells above a cell that are told, a row each, and cells to its left that name its row: the nearest."""


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
    _headers: _HeaderIndex | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def headers(self) -> _HeaderIndex:
        """Which cells name others; made when it is first asked for, when all cells are there."""
        if self._headers is None or self._headers.count != len(self.starts):
            self._headers = _HeaderIndex(self)
        return self._headers

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
        return GridCell(self.cell_span(number, by), row, column, rows, columns, bool(header))

    def cell_span(self, number: int, by: int = 0) -> Span:
        """Where the cell of that number stands, moved by so much."""
        return Span(self.starts[number] + by, self.ends[number] + by)


class _HeaderIndex:
    """Which cells of a grid name columns and rows, by row and column; cells are known by their numbers."""

    def __init__(self, grid: TableGrid) -> None:
        self.count = len(grid.starts)
        first, after = grid.first_header_row, grid.first_header_row + grid.header_rows
        above: dict[int, list[tuple[int, int, int]]] = {}
        self._over: dict[tuple[int, int], list[int]] = {}
        self._first: dict[int, int] = {}
        self._marked: dict[int, list[tuple[int, int]]] = {}
        for number in range(self.count):
            row, column, rows, columns, header = grid.places[5 * number : 5 * number + 5]
            if first <= row < after:
                above.setdefault(row, []).append((column, column + columns, number))
            reached = range(row, row + min(max(rows, 1), _REACH))
            if column == 0:
                for one in reached:
                    self._first.setdefault(one, number)
            if header:
                for one in reached:
                    self._marked.setdefault(one, []).append((column + columns, number))
        self._above = [sorted(above[row]) for row in sorted(above)][-MOST_HEADER_ROWS:]
        for marked in self._marked.values():
            marked.sort()

    def find_above(self, column: int, end: int) -> list[int]:
        """The header cells over the columns from the first to before the last, from the top."""
        found = self._over.get((column, end))
        if found is None:
            found = self._over[column, end] = []
            for cells in self._above:
                after = bisect_left(cells, (end,))
                near = cells[max(0, after - MOST_NAMES) : after]
                found += [number for _, reached, number in near if reached > column]
        return found

    def find_beside(self, row: int, column: int) -> list[int]:
        """The cells left of the column that name the row: those marked as headers, or else the one in column 0."""
        marked = self._marked.get(row, [])
        after = bisect_right(marked, (column, self.count))
        named = [number for _, number in marked[max(0, after - MOST_NAMES) : after]]
        return named or ([self._first[row]] if row in self._first else [])


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
        above = grid.headers.find_above(cell.column, cell.column + cell.column_span)
        return [grid.cell_span(number, self.span.start) for number in above]

    def row_headers(self, cell: GridCell) -> list[Span]:
        """The cells to the left that name a cell's row: those marked as headers, or else the first of the row."""
        if self.grid is None or cell.column == 0:
            return []
        beside = self.grid.headers.find_beside(cell.row, cell.column)
        return [self.grid.cell_span(number, self.span.start) for number in sorted(beside)]
