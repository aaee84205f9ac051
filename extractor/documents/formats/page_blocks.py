"""A page's pieces -> blocks in reading order: lines of text, and tables with their rows and cells.

Tables with rules are found by what the rules enclose, others by how their words are aligned. A table takes the place of
its first piece in the order of the page's text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

from extractor.documents.formats.drawing_order import goes_down, is_one_column, join_floats
from extractor.documents.formats.page_cells import (
    LONGEST_ENTRY,
    Held,
    find_rows_beside,
    is_table_row,
    names_cells,
    part_bands,
)
from extractor.documents.formats.page_grid import Grid, Line, Region, find_grids
from extractor.documents.formats.page_rows import Row, Segment, group_rows, part_at_gutters
from extractor.documents.formats.page_tables import Cell, PageTable, find_aligned_tables, make_cells, merge_lines
from extractor.documents.formats.reading_order import (
    PageLayout,
    TextLine,
    TextPiece,
    count_level,
    order_lines,
    order_pieces,
    round_height,
    turn_upright,
)

MAX_CELL_LINES, MAX_WIDE_CELL_LINES = 6, 3
"""Lines of a table's cell, and of one in a table of two columns; what is enclosed with more is a part of the page."""
MIN_NAMED_ROWS, MAX_NAMED_CELL_LINES = 3, 25
"""Rows of a grid that begins with a row of names, and lines of its cells."""
MIN_PHRASE_GAP, USUAL_GAPS = 0.5, 1.6
"""The gap between words of a table, in heights of their line and in usual gaps, that may part two columns."""
MAX_PIECES = 20_000
"""Pieces of a page that are arranged; those of a page with more stay in the order of the file."""


@dataclass(slots=True)
class PageRules:
    """Straight lines of a page as it is shown, in points from its upper left corner."""

    level: list[Line] = field(default_factory=list)
    upright: list[Line] = field(default_factory=list)
    level_edges: list[Line] = field(default_factory=list)
    upright_edges: list[Line] = field(default_factory=list)
    """Edges of shaded areas."""


Block = list[TextLine] | PageTable


def arrange_page(
    layout: PageLayout, pieces: Sequence[TextPiece], rules: PageRules, *, is_drawn_in_order: bool = True
) -> list[Block]:
    """The blocks of the page in reading order."""
    if is_drawn_in_order and is_one_column(pieces) and not (rules.upright or rules.level_edges):
        return [[TextLine([piece], round_height(piece)) for piece in pieces]]
    upright = [piece for piece in pieces if piece.turn == 0]
    turned = [piece for piece in pieces if piece.turn]
    blocks: list[Block] = []
    if upright and (_may_have_table(upright, rules) or not is_drawn_in_order) and len(upright) <= MAX_PIECES:
        arrangement = _Arrangement(layout, upright, rules, is_drawn_in_order)
        arrangement.turned = turned
        blocks += arrangement.arrange()
        turned = arrangement.turned
    elif upright:
        blocks.append(order_lines(order_pieces(upright)))
    if turned:
        blocks += [lines for turn in (1, 3, 2, 4) if (lines := _order_turned(turned, turn))]
        if sum(p.end - p.start for p in upright) * 2 < sum(p.end - p.start for p in pieces):
            blocks.sort(key=lambda block: isinstance(block, list) and block[0].pieces[0].turn == 0)
    return blocks


def _may_have_table(pieces: Sequence[TextPiece], rules: PageRules) -> bool:
    if len(rules.level) > 1 and len(rules.upright) > 1:
        return True
    if len(rules.level_edges) > 1:
        return True
    by_level = sorted(pieces, key=lambda piece: piece.top + piece.bottom)
    return sum(a.on_same_line(b) for a, b in pairwise(by_level)) > 2 or not goes_down(pieces)


def _order_turned(pieces: Sequence[TextPiece], turn: int) -> list[TextLine]:
    """Words that are turned, in lines as they are read when the page is turned so that they stand upright."""
    words = [piece for piece in pieces if piece.turn == turn]
    if turn == 4:  # slanted: as they are drawn
        return [TextLine([piece], 0.0) for piece in words]
    real = {piece.start: piece for piece in words}
    lines = order_lines(sorted((turn_upright(p) for p in words), key=lambda p: (round(p.top), p.left)))
    return [TextLine([real[p.start] for p in line.pieces], line.height) for line in lines]


class _Arrangement:
    def __init__(
        self, layout: PageLayout, pieces: Sequence[TextPiece], rules: PageRules, is_drawn_in_order: bool
    ) -> None:
        self._layout, self._rules = layout, rules
        self._grids = find_grids(rules.level, rules.upright)
        self._pieces = list(self._part_at_rules(pieces)) if self._grids else list(pieces)
        self._texts = {piece: layout.words_of(piece) for piece in self._pieces}
        self._is_drawn_in_order = is_drawn_in_order
        self._usual_gap = self._find_usual_gap()
        self._blocks: dict[TextPiece, list[Block]] = {}
        """What stands in the place of a piece that is none."""
        self.turned: list[TextPiece] = []
        """Pieces that are turned and stand in no cell of a grid."""

    def arrange(self) -> list[Block]:
        free = self._pieces
        for grid in self._grids:
            free = self._take_grid(grid, free)
        for grid in find_grids(self._rules.level + self._rules.level_edges, self._rules.upright_edges):
            free = self._take_grid(grid, free, is_shaded=True)
        free = self._take_aligned(free)
        return self._order(free)

    def _part_at_rules(self, pieces: Sequence[TextPiece]) -> Iterator[TextPiece]:
        """The pieces, none across an upright rule that stands between its words."""
        for piece in pieces:
            middle = (piece.top + piece.bottom) / 2
            crossed = [
                line.at
                for line in self._rules.upright
                if piece.left < line.at < piece.right and line.start <= middle <= line.end
            ]
            yield from self._layout.part_piece(piece, crossed) if crossed else (piece,)

    def _take_grid(self, grid: Grid, pieces: list[TextPiece], *, is_shaded: bool = False) -> list[TextPiece]:
        """The pieces without those in the grid, and what stands there in their place."""
        held: dict[int, list[TextPiece]] = {}
        regions = {id(region): region for region in grid.regions}
        for piece in pieces:
            region = grid.find_region((piece.left + piece.right) / 2, (piece.top + piece.bottom) / 2)
            if region is not None and piece.first >= 0:
                held.setdefault(id(region), []).append(piece)
        cells = [(regions[key], inner) for key, inner in held.items()]
        turned = self._find_turned(grid, set(held))
        cells += turned
        self._texts |= {piece: self._layout.words_of(piece) for _, inner in turned for piece in inner}
        beside = Counter(region.row for region, _ in cells)
        if max(beside.values(), default=0) < 2 or self._is_part(grid, cells, pieces):
            return pieces  # boxes one below the other, or columns of a larger table
        if is_shaded:
            inside = {piece for _, inner in cells for piece in inner}
            free = [p for p in pieces if p not in inside and p.first >= 0 and grid.xs[0] - 2 < p.left < grid.xs[-1]]
            cells += find_rows_beside(grid, group_rows(free, self._texts))
        in_cells = {piece for _, inner in turned for piece in inner}
        self.turned = [piece for piece in self.turned if piece not in in_cells]
        blocks = list(self._read_grid(grid, cells))
        taken = {piece for _, inner in cells for piece in inner} - in_cells
        return self._put(blocks, taken, pieces)

    def _find_turned(self, grid: Grid, filled: Set[int]) -> list[Held]:
        """Cells of the grid with nothing in them but turned words: names of narrow columns, or of several rows."""
        held: dict[int, Held] = {}
        for piece in self.turned:
            region = grid.find_region((piece.left + piece.right) / 2, (piece.top + piece.bottom) / 2)
            if region is None or id(region) in filled:
                continue
            if region.row == 0 or (region.column == 0 and region.row_end - region.row > 1):
                held.setdefault(id(region), (region, []))[1].append(piece)
        return list(held.values())

    def _is_part(self, grid: Grid, cells: list[Held], pieces: list[TextPiece]) -> bool:
        """Whether most rows of the grid go on beside it, so that its rules are of some columns of a table only."""
        inside = {piece for _, inner in cells for piece in inner}
        outside = [p for p in pieces if p not in inside and p.first >= 0 and not self._is_in_other_grid(grid, p)]
        near = [p for p in outside if grid.ys[0] < (p.top + p.bottom) / 2 < grid.ys[-1]]
        held = [next(iter(row.pieces)) for row in group_rows(list(inside), self._texts)]
        return bool(near) and 2 * count_level(held, near) > len(held)

    def _is_in_other_grid(self, grid: Grid, piece: TextPiece) -> bool:
        x, y = (piece.left + piece.right) / 2, (piece.top + piece.bottom) / 2
        return any(other is not grid and other.find_region(x, y) for other in self._grids)

    def _put(self, blocks: list[Block], taken: set[TextPiece], pieces: list[TextPiece]) -> list[TextPiece]:
        first = next(piece for piece in pieces if piece in taken)
        edges = (
            min(p.left for p in taken),
            min(p.top for p in taken),
            max(p.right for p in taken),
            max(p.bottom for p in taken),
        )
        stand_in = TextPiece(first.start, first.end, -1, -1, *edges)
        self._blocks[stand_in] = blocks
        return [stand_in if piece is first else piece for piece in pieces if piece is first or piece not in taken]

    def _read_grid(self, grid: Grid, cells: list[Held]) -> Iterator[Block]:
        """The grid's rows: those of a table together, and others cell by cell."""
        cells.sort(key=lambda pair: (pair[0].row, pair[0].column))
        rows = {id(region): self._group_rows(inner) for region, inner in cells}
        columns = len({region.column for region, _ in cells})
        table: list[Held] = []
        most = MAX_CELL_LINES if columns > 2 else MAX_WIDE_CELL_LINES
        bands = list(part_bands(cells))
        if len(bands) >= MIN_NAMED_ROWS and names_cells(bands[0], rows):
            most = MAX_NAMED_CELL_LINES
        for band in bands:
            if is_table_row(band, rows, most):
                table += band
            elif parted := self._part_band(grid, band):
                for region, inner in parted:
                    rows[id(region)] = group_rows(inner, self._texts)
                table += parted
            else:
                yield from self._make_table(table, rows)
                table = []
                for _, inner in band:
                    yield from self._order_cell(inner)
        yield from self._make_table(table, rows)

    def _group_rows(self, pieces: list[TextPiece]) -> list[Row]:
        """What stands in a cell, row by row; turned words are one row."""
        if not pieces[0].turn:
            return group_rows(pieces, self._texts)
        ordered = [piece for line in _order_turned(pieces, pieces[0].turn) for piece in line.pieces]
        text = " ".join(self._texts[piece] for piece in ordered)
        return [Row([Segment(ordered, text)], min(p.top for p in ordered), max(p.bottom for p in ordered))]

    def _order_cell(self, pieces: list[TextPiece]) -> Iterator[Block]:
        """What stands in a cell that is no table's: of a form's few short entries line by line, in whatever order a
        program has drawn them, with signs that were printed between words that were typed."""
        aligned = self._take_aligned(pieces)
        if aligned != pieces:
            yield from self._order(aligned)
            return
        rows = group_rows(pieces, self._texts)
        entries = [segment.text for row in rows for segment in row.segments]
        if len(rows) > MAX_CELL_LINES or max(map(len, entries), default=0) > LONGEST_ENTRY:
            yield from self._order(pieces)
            return
        lines = [piece for row in rows for piece in self._part_at_signs(list(row.pieces))]
        yield order_lines(lines)

    def _part_at_signs(self, pieces: list[TextPiece]) -> list[TextPiece]:
        """The pieces of a line, each parted where another stands between its words."""
        inner = {piece: [p.left for p in pieces if piece.left < p.left and p.right < piece.right] for piece in pieces}
        parts = [part for piece, at in inner.items() for part in self._layout.part_piece(piece, at)]
        if len(parts) == len(pieces):
            return pieces
        self._texts |= {part: self._layout.words_of(part) for part in parts if part not in self._texts}
        return sorted(parts, key=lambda part: part.left)

    def _part_band(self, grid: Grid, band: list[Held]) -> list[Held]:
        """The rows of a band that upright rules part into columns and no level ones into rows; empty if it has none."""
        lines = group_rows([piece for _, inner in band for piece in inner], self._texts)
        several = [row for row in lines if len(row.segments) > 1]
        segments = [segment.text for row in lines for segment in row.segments]
        labels = sum(text.endswith(":") or text.startswith(":") for text in segments)
        if len(band) < 3 or 2 * len(several) < len(lines) or len(several) < 2 or 4 * labels > len(segments):
            return []
        columns = [(grid.xs[region.column], grid.xs[region.column_end]) for region, _ in band]
        top = band[0][0].row
        found: list[Held] = []
        merged = merge_lines(lines, columns, [])
        for number, group in enumerate(merged):
            row = top + number / len(merged)
            for cell in make_cells(group, columns):
                first, last = band[cell.column][0], band[cell.column + cell.column_span - 1][0]
                place = Region(row, row + 0.5 / len(merged), first.column, last.column_end)
                found.append((place, cell.pieces))
        return found

    def _make_table(self, cells: list[Held], rows: dict[int, list[Row]]) -> Iterator[Block]:
        if not cells:
            return
        numbers = sorted({region.row for region, _ in cells})
        columns = sorted({region.column for region, _ in cells} | {region.column_end for region, _ in cells})
        if len(numbers) < 2 or len({region.column for region, _ in cells}) < 2:
            for _, inner in cells:
                yield from self._order(inner)
            return
        table = PageTable([[] for _ in numbers])
        for region, _ in cells:
            row, row_end = numbers.index(region.row), sum(n < region.row_end for n in numbers)
            column, column_end = columns.index(region.column), columns.index(region.column_end)
            lines = rows[id(region)]
            table.rows[row].append(
                Cell(
                    column,
                    [piece for line in lines for piece in line.pieces],
                    " ".join(segment.text for line in lines for segment in line.segments),
                    column_end - column,
                    row_end - row,
                )
            )
        yield table

    def _take_aligned(self, pieces: list[TextPiece]) -> list[TextPiece]:
        """The pieces without those of tables that have no rules, with the tables in their place."""
        parted = {part: piece for piece in pieces if piece.first >= 0 for part in self._part_phrases(piece)}
        self._texts |= {part: self._layout.words_of(part) for part in parted if part not in self._texts}
        rules = [(line.at, line.start, line.end) for line in self._rules.level]
        for region in part_at_gutters(list(parted)):
            for table in list(find_aligned_tables(group_rows(region, self._texts), rules)):
                pieces = self._put([table], {parted[part] for part in table.pieces}, pieces)
        return pieces

    def _part_phrases(self, piece: TextPiece) -> list[TextPiece]:
        """The piece, parted at gaps that are wider than those between words are on this page."""
        lefts, rights = self._layout.lefts, self._layout.rights
        widest = max(MIN_PHRASE_GAP * (piece.bottom - piece.top), USUAL_GAPS * self._usual_gap)
        wide = [
            (rights[i] + lefts[i + 1]) / 2 if lefts[i + 1] > rights[i] else (lefts[i] + rights[i + 1]) / 2
            for i in range(piece.first, piece.last - 1)
            if lefts[i + 1] - rights[i] > widest or lefts[i] - rights[i + 1] > widest  # read to the left
        ]
        return self._layout.part_piece(piece, wide) if wide else [piece]

    def _find_usual_gap(self) -> float:
        """A gap between words of this page that a quarter of its gaps is not wider than."""
        lefts, rights = self._layout.lefts, self._layout.rights
        gaps = [lefts[i + 1] - rights[i] for p in self._pieces for i in range(p.first, p.last - 1)]
        forwards = sorted(gap for gap in gaps if gap > 0)
        return forwards[len(forwards) // 4] if forwards else 0.0

    def _order(self, pieces: list[TextPiece]) -> list[Block]:
        """Lines and tables in reading order."""
        if not (self._is_drawn_in_order and goes_down(pieces)):
            rows = group_rows(pieces, {piece: self._texts.get(piece, "") for piece in pieces})
            pieces = [piece for row in rows for piece in row.pieces]
        else:
            pieces = join_floats(pieces, self._texts)
        found: list[Block] = []
        together: list[TextPiece] = []
        for piece in order_pieces(pieces):
            if piece in self._blocks:
                if together:
                    found.append(order_lines(together))
                    together = []
                found += self._blocks[piece]
            else:
                together.append(piece)
        if together:
            found.append(order_lines(together))
        return found
