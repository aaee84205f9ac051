"""Cells of a grid of a page: what stands in them, which of its rows are a table's, and rows that go on beside it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from extractor.documents.formats.headers import looks_like_header
from extractor.documents.formats.page_grid import Grid, Region
from extractor.documents.formats.page_rows import Row
from extractor.documents.formats.reading_order import TextPiece

LONGEST_ENTRY = 40
"""Characters of what is written in one go into a cell of a form, at most."""
Held = tuple[Region, list[TextPiece]]
"""A cell of a grid and what stands in it."""


def part_bands(cells: list[Held]) -> Iterator[list[Held]]:
    """Cells of one row, or of rows that a cell takes together."""
    band: list[Held] = []
    end = 0.0
    for region, inner in cells:
        if band and region.row >= end:
            yield band
            band = []
        end = max(end, region.row_end) if band else region.row_end
        band.append((region, inner))
    if band:
        yield band


def names_cells(band: Sequence[Held], rows: dict[int, list[Row]]) -> bool:
    """Whether a band is a line of short names, as a table begins with."""
    names = [" ".join(s.text for row in rows[id(region)] for s in row.segments) for region, _ in band]
    is_line = all(len(rows[id(region)]) == 1 for region, _ in band)
    return is_line and looks_like_header(names) and all(len(n) <= LONGEST_ENTRY and n[-1] not in ":：" for n in names)


def is_table_row(band: Sequence[Held], rows: dict[int, list[Row]], most: int) -> bool:
    """Whether what is enclosed are cells of a table, of so many lines at most, not parts of the page with a layout of
    their own."""
    held = [rows[id(region)] for region, _ in band]
    return all(len(lines) <= most and sum(len(row.segments) > 1 for row in lines) <= 1 for lines in held)


def find_rows_beside(grid: Grid, rows: Sequence[Row]) -> list[Held]:
    """Cells of those rows that go on below a grid of shaded areas, where every other row has no shade."""
    step = (grid.ys[-1] - grid.ys[0]) / (len(grid.ys) - 1)
    found: list[Held] = []
    edge, number = grid.ys[-1], len(grid.ys) - 1
    for row in rows:
        if row.bottom <= edge:
            continue
        held = [(bisect_right(grid.xs, (s.left + s.right) / 2) - 1, s) for s in row.segments]
        if row.top > edge + step or len(held) < 2 or len({column for column, _ in held}) < len(held):
            break
        if held[0][0] < 0 or held[-1][0] >= len(grid.xs) - 1:
            break
        found += [(Region(number, number + 1, column, column + 1), s.pieces) for column, s in held]
        edge, number = row.bottom + step / 2, number + 1
    return found
