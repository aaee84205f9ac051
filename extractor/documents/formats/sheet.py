"""A sheet of a workbook as it is read from any format: the cells that show something, and how well they are seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.documents.formats.sight import Sight


@dataclass(slots=True)
class SheetCell:
    """A cell that shows something. Columns count from 1."""

    column: int
    text: str
    sight: Sight = Sight.SHOWN
    pieces: Sequence[tuple[str, Sight]] = ()
    """Its text in pieces, where they are not seen alike."""
    row_span: int = 1
    column_span: int = 1
    header: bool = False


@dataclass(slots=True)
class SheetRow:
    """A row that holds cells, in the order of their columns. Rows count from 1."""

    number: int
    cells: list[SheetCell]
    sight: Sight = Sight.SHOWN


@dataclass(slots=True)
class SheetRemark:
    """Words that lie on a sheet and in none of its cells: a comment, a text box."""

    kind: str
    row: int
    column: int
    text: str
    sight: Sight = Sight.SHOWN


@dataclass(slots=True)
class Sheet:
    """What one sheet shows."""

    name: str
    sight: Sight = Sight.SHOWN
    rows: list[SheetRow] = field(default_factory=list)
    remarks: list[SheetRemark] = field(default_factory=list)
    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    """Names and bytes of those that are seen on it."""
    uncomputed: list[tuple[int, int]] = field(default_factory=list)
    """Rows and columns of formulas of which the file keeps no result."""


@dataclass(frozen=True, slots=True)
class CellRange:
    """A rectangle of cells, its last row and column included."""

    top: int
    left: int
    bottom: int
    right: int

    def holds(self, row: int, column: int) -> bool:
        """Whether a cell lies in it."""
        return self.top <= row <= self.bottom and self.left <= column <= self.right


_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})(?::\$?([A-Za-z]{1,3})\$?(\d{1,7}))?")


def parse_range(reference: str | None) -> CellRange | None:
    """The rectangle that a reference such as B2:D7, or B2, names."""
    found = _REFERENCE.fullmatch((reference or "").strip())
    if found is None:
        return None
    left, top = column_number(found[1]), int(found[2])
    right, bottom = (column_number(found[3]), int(found[4])) if found[3] else (left, top)
    return CellRange(min(top, bottom), min(left, right), max(top, bottom), max(left, right))


def column_number(letters: str) -> int:
    """The number of a column by its letters: 1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def spell_cell(row: int, column: int) -> str:
    """A cell as spreadsheets call it, such as B3."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def spell_cells(cells: Sequence[tuple[int, int]], most: int = 5) -> str:
    """Cells by name, those below each other as ranges; of many the first."""
    runs: list[tuple[int, int, int]] = []
    for column, row in sorted((column, row) for row, column in cells):
        if runs and runs[-1][0] == column and runs[-1][2] == row - 1:
            runs[-1] = column, runs[-1][1], row
        else:
            runs.append((column, row, row))
    names = [
        spell_cell(first, column) + (f":{spell_cell(last, column)}" if last > first else "")
        for column, first, last in runs[:most]
    ]
    return ", ".join(names) + (f" and {len(runs) - most} more" if len(runs) > most else "")
