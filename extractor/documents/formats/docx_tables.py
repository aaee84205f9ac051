"""Tables of Word: which columns and rows a cell takes, and what the table's style says of its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

from extractor.documents.formats.docx_styles import Ground, Properties, Style, StyleSheet
from extractor.documents.formats.docx_words import SEEN_THROUGH
from extractor.documents.formats.office_package import is_on

P, TBL, TR, TC = (qn(f"w:{tag}") for tag in ("p", "tbl", "tr", "tc"))
_VAL = qn("w:val")
_LOOK_BITS = {
    "firstRow": 0x20,
    "lastRow": 0x40,
    "firstColumn": 0x80,
    "lastColumn": 0x100,
    "noHBand": 0x200,
    "noVBand": 0x400,
}


@dataclass(slots=True)
class WordCell:
    """A cell: its element, its first column, from 0, and how many columns and rows it takes."""

    element: Any
    column: int
    column_span: int = 1
    row_span: int = 1


def find_children(element: Any, tag: str) -> Iterator[Any]:
    """The elements of a tag right under another, or in content controls there."""
    for inner in element:
        if inner.tag == tag:
            yield inner
        elif inner.tag in SEEN_THROUGH:
            yield from find_children(inner, tag)


def find_rows(table: Any) -> list[tuple[Any, list[WordCell]]]:
    """The rows of a table that were not deleted, with their cells; a cell that goes on from above is part of that."""
    rows: list[tuple[Any, list[WordCell]]] = []
    above: dict[int, WordCell] = {}
    for row in find_children(table, TR):
        if row.find(f"{qn('w:trPr')}/{qn('w:del')}") is not None:
            continue
        column = _integer(row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}"), 0)
        cells: list[WordCell] = []
        for element in find_children(row, TC):
            properties = element.find(qn("w:tcPr"))
            span = _integer(_find(properties, "gridSpan"), 1)
            merged, beside = _find(properties, "vMerge"), _find(properties, "hMerge")
            goes_on = merged is not None and merged.get(_VAL, "continue") == "continue" and column in above
            if beside is not None and beside.get(_VAL, "continue") == "continue" and cells:
                cells[-1].column_span += span
            elif goes_on:
                above[column].row_span += 1
            elif _find(properties, "cellDel") is None:
                cells.append(WordCell(element, column, span))
                if merged is not None:
                    above[column] = cells[-1]
                else:
                    above.pop(column, None)
            column += span
        rows.append((row, cells))
    return rows


def _find(properties: Any, name: str) -> Any:
    return properties.find(qn(f"w:{name}")) if properties is not None else None


def _integer(element: Any, otherwise: int) -> int:
    text = element.get(_VAL, "") if element is not None else ""
    return min(int(text), 1000) if text.isdigit() else otherwise


class TableLook:
    """What a table's style, and the table itself, say of the words and the ground of a cell."""

    def __init__(self, table: Any, styles: StyleSheet, rows: int, columns: int) -> None:
        self._styles, self._rows, self._columns = styles, rows, columns
        self._own = table.find(qn("w:tblPr"))
        named = _find(self._own, "tblStyle")
        self._style: Style = styles.find(named.get(_VAL) if named is not None else None, "table")
        self._on = _read_look(_find(self._own, "tblLook"))

    def resolve(self, cell: WordCell, row: int) -> tuple[Properties, Ground | None]:
        """The looks of words in a cell, and what is behind them, where the table says so."""
        words: Properties = dict(self._style.run)
        shading = [self._style.cell, self._own] if self._own is not None else [self._style.cell]
        grounds = [self._styles.read_shading(_find(one, "shd")) for one in shading]
        for name in self._find_conditions(cell, row):
            run, paragraph, place = self._style.conditions[name]
            words.update(run)
            grounds += [self._styles.read_shading(_find(one, "shd")) for one in (paragraph, place)]
        grounds.append(self._styles.read_shading(_find(cell.element.find(qn("w:tcPr")), "shd")))
        return words, next((ground for ground in reversed(grounds) if ground is not None), None)

    def _find_conditions(self, cell: WordCell, row: int) -> list[str]:
        """The parts of the table's style that are for a cell, the weightiest last (17.7.6)."""
        first_row, first_column = "firstRow" in self._on, "firstColumn" in self._on
        last = cell.column + cell.column_span >= self._columns
        left, right = first_column and cell.column == 0, "lastColumn" in self._on and last
        top, bottom = first_row and row == 0, "lastRow" in self._on and row == self._rows - 1
        band, stripe = row - first_row, cell.column - first_column
        found = [
            ("wholeTable", True),
            (f"band{1 + stripe % 2}Vert", "noVBand" not in self._on and stripe >= 0),
            (f"band{1 + band % 2}Horz", "noHBand" not in self._on and band >= 0),
            ("firstCol", left),
            ("lastCol", right),
            ("firstRow", top),
            ("lastRow", bottom),
            ("nwCell", top and left),
            ("neCell", top and right),
            ("swCell", bottom and left),
            ("seCell", bottom and right),
        ]
        return [name for name, holds in found if holds and name in self._style.conditions]


def _read_look(element: Any) -> frozenset[str]:
    """Which parts of its style a table uses: all but bands of columns where it says nothing."""
    if element is None:
        return frozenset({"firstRow", "firstColumn", "noVBand"})
    bits = element.get(_VAL)
    mask = int(bits, 16) if bits and all(c in "0123456789abcdefABCDEF" for c in bits) else 0
    return frozenset(
        name
        for name, bit in _LOOK_BITS.items()
        if (is_on(element.get(qn(f"w:{name}"))) if element.get(qn(f"w:{name}")) is not None else mask & bit)
    )
