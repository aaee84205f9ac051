"""Tables of a page that are told by how their words are aligned: columns with gaps between them over several rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from extractor.documents.formats.headers import is_figure, is_period
from extractor.documents.formats.page_columns import (
    Columns,
    are_columns,
    find_column,
    find_columns,
    join_connected,
    join_names,
)
from extractor.documents.formats.page_rows import Row, Segment
from extractor.documents.formats.reading_order import TextPiece

MIN_ROWS = 3
"""Rows with words in two columns that a table has at least."""
HEADER_REACH = 5
"""Rows at the top that are looked at for headers that are the same again."""
APART, MAX_TITLE_ROWS = 1.35, 3
"""How much further down than usual a row is that may begin another table, and lines of a title above its names."""
MAX_LOOK = 40
"""Rows that are looked at for whether they are a table by themselves."""
MAX_LAYERS = 3
"""Rows at the top of which a name may reach over several columns that a rule joins."""
ROW_REACH = 3.5
"""The widest gap between two rows of a table, in heights of a line."""
LARGE = 1.3
"""How much higher than the rows above a single segment is that ends a table."""
TIGHT = 0.85
"""How much closer than rows usually are lines of one row stand."""
WRAPPED = 0.75
"""The part of its column's width that a line takes at least that is broken for want of room."""


@dataclass(slots=True)
class Cell:
    """A cell: its pieces in reading order, and its place; columns count from 0."""

    column: int
    pieces: list[TextPiece]
    text: str
    column_span: int = 1
    row_span: int = 1
    is_header: bool = False


@dataclass(slots=True)
class PageTable:
    """Rows of cells. `edges` are the left, top, right and bottom of it all."""

    rows: list[list[Cell]] = field(default_factory=list)
    header_rows: int | None = None
    """How many rows name columns, where it is known."""

    @property
    def pieces(self) -> list[TextPiece]:
        return [piece for row in self.rows for cell in row for piece in cell.pieces]


def find_aligned_tables(rows: Sequence[Row], rules: Sequence[tuple[float, float, float]]) -> Iterator[PageTable]:
    """The tables among a page's rows; `rules` are level lines: how far down, and from where to where."""
    for block in _find_blocks(rows):
        for headed in _part_headed(block):
            for part in _part_repeated(headed):
                table = _read_block(part, rules)
                if table is not None:
                    yield table


def _part_headed(block: list[Row]) -> Iterator[list[Row]]:
    """Tables that stand one below the other, told by a gap and below it a row of names over rows with figures."""
    steps = [below.top - above.top for above, below in pairwise(block)]
    widest = APART * median(steps) if steps else 0.0
    begin = 0
    for i in range(MIN_ROWS, len(block) - 2):
        start = i  # a title may stand above the names
        while i - start < MAX_TITLE_ROWS and start > begin and len(block[start - 1].segments) == 1:
            start -= 1
        if start - begin < MIN_ROWS or not any(step > widest for step in steps[start - 1 : i]):
            continue
        above = block[begin : min(start, begin + MAX_LOOK)]
        is_table = all(map(_has_figure, block[start - 2 : start])) and _is_complete(above)
        is_narrower = max(len(row.segments) for row in above) < len(block[i].segments)
        below = block[i : i + MAX_LOOK]
        if (is_table or is_narrower) and _names_columns(below) and _is_complete(below):
            yield from _trim_block(block[begin:start])
            begin = i
    yield from _trim_block(block[begin:]) if begin else (block,)


def _is_complete(rows: list[Row]) -> bool:
    """Whether the rows are a table by themselves that has a column for whatever stands in their first."""
    return len(find_columns(rows)) >= len(rows[0].segments) and _read_block(rows, ()) is not None


def _names_columns(rows: Sequence[Row]) -> bool:
    """Whether the rows begin with names of columns: a word over each figure below, and none of its own."""
    names = rows[0].segments
    held = [row for row in rows[1 : 1 + HEADER_REACH] if len(row.segments) > 1][:2]
    return (
        len(names) > 1
        and len(held) > 1
        and all(any(c.isalpha() for c in name.text) and not any(c.isdigit() for c in name.text) for name in names)
        and all(len(row.segments) <= len(names) + 1 and _has_figure(row) for row in held)
        and all(
            any(name.left <= figure.right and figure.left <= name.right for name in names)
            for row in held
            for figure in row.segments
            if figure.is_figure
        )
    )


def _has_figure(row: Row) -> bool:
    return any(segment.is_figure for segment in row.segments)


def _part_repeated(block: list[Row], depth: int = 4) -> Iterator[list[Row]]:
    """Tables that stand side by side, told by headers that are the same again: Number, Date; Number, Date."""
    at = next(filter(None, map(_find_repetition, block[:HEADER_REACH])), None) if depth else None
    if at is None:
        yield block
        return
    left, right = list[Row](), list[Row]()
    for row in block:
        for side, segments in (
            (left, [s for s in row.segments if s.left < at]),
            (right, [s for s in row.segments if s.left >= at]),
        ):
            if segments:
                side.append(Row(segments, row.top, row.bottom))
    yield left
    for trimmed in _trim_block(right):
        yield from _part_repeated(trimmed, depth - 1)


def _find_repetition(row: Row) -> float | None:
    """Where on a row its words begin again."""
    texts = [segment.text for segment in row.segments]
    for j in range(2, len(texts)):
        i = texts.index(texts[j])
        start = j - i
        # names that are the same again behind a name of all rows are of one table: Region, Plan, Actual, Plan, Actual
        if i < j and texts[0] != texts[start] and len(texts) % start:
            continue
        if i < j and start > i and sum(a == b for a, b in zip(texts, texts[start:], strict=False)) >= 2:
            return row.segments[start].left - 1
    return None


def _find_blocks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Runs of rows that may be tables: they begin and end with rows of several segments, not far apart."""
    block: list[Row] = []
    for row in rows:
        if block and row.top - block[-1].bottom > ROW_REACH * max(6.0, min(row.height, block[-1].height)):
            yield from _trim_block(block)
            block = []
        if len(row.segments) == 1 and block and (_is_broad(row, block) or _is_large(row, block)):
            yield from _trim_block(block)
            block = []
            continue
        block.append(row)
    yield from _trim_block(block)


def _is_broad(row: Row, block: Sequence[Row]) -> bool:
    """Whether a single segment goes across the gaps of most of the rows above."""
    left, right = row.segments[0].left, row.segments[0].right
    several = [other for other in block[-6:] if len(other.segments) > 1]
    crossed = sum(any(left < a.right - 1 and b.left + 1 < right for a, b in pairwise(o.segments)) for o in several)
    return bool(several) and 2 * crossed > len(several) and len(row.segments[0].text) > 25


def _is_large(row: Row, block: Sequence[Row]) -> bool:
    """Whether a single segment is a heading by its size, below rows of cells."""
    several = [other.height for other in block[-6:] if len(other.segments) > 1]
    return bool(several) and row.height > LARGE * max(several)


def _trim_block(block: list[Row]) -> Iterator[list[Row]]:
    several = [i for i, row in enumerate(block) if len(row.segments) > 1]
    if len(several) >= MIN_ROWS:
        end = several[-1] + 1
        left = block[several[-1]].segments[0].right
        while end < len(block) and block[end].top - block[end - 1].bottom < 0.5 * block[end].height:
            if block[end].segments[0].left < left:
                break
            end += 1  # the rest of the last row's cells
        yield block[several[0] : end]


def _read_block(block: list[Row], rules: Sequence[tuple[float, float, float]]) -> PageTable | None:
    columns = join_names(block, join_connected(block, find_columns(block)))
    if len(columns) < 2 or not are_columns(block, columns):
        return None
    merged = merge_lines(block, columns, rules)
    table = PageTable([make_cells(lines, columns) for lines in merged])
    for lines, cells, below in zip(merged[:MAX_LAYERS], table.rows, table.rows[1:], strict=False):
        if any(is_figure(cell.text) and not is_period(cell.text) for cell in cells):
            break  # names stand above what has figures
        if not _reach_over_repeated(cells, below, columns):
            _reach_over_rules(cells, lines[-1], {cell.column for cell in below}, (columns, rules))
    full = sum(len(row) > 1 for row in table.rows)
    return table if full >= MIN_ROWS - 1 and 3 * full >= len(table.rows) else None


def merge_lines(block: list[Row], columns: Columns, rules: Sequence[tuple[float, float, float]]) -> list[list[Row]]:
    """The lines of the table's rows: lines with no rule between them, or closer than rows are, may be of one row."""
    between = [_has_rule(a, b, columns, rules) for a, b in pairwise(block)]
    is_ruled = sum(between) >= MIN_ROWS - 1 and 2 * sum(between) >= len(between)
    steps = [b.top - a.top for a, b in pairwise(block)]
    usual = _usual_step(steps)
    found = [[block[0]]]
    for above, row, ruled, step in zip(block, block[1:], between, steps, strict=False):
        if is_ruled:
            near = row.top - above.bottom < row.height and len(found[-1]) < 4
            joined = near and not ruled and _complete(found[-1], row, columns)
        else:
            tight = step < TIGHT * usual and step < 1.6 * max(above.height, 6.0)
            joined = (tight and _complete(found[-1], row, columns)) or _goes_on(found[-1], row, columns)
        if joined:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _usual_step(steps: Sequence[float]) -> float:
    """From row to row: of two usual steps, the larger."""
    counts = Counter(round(step) for step in steps)
    often = [step for step, count in counts.items() if count >= max(2, 0.2 * len(steps))]
    return max(often, default=0.0)


def _has_rule(above: Row, below: Row, columns: Columns, rules: Sequence[tuple[float, float, float]]) -> bool:
    low, high = (above.top + above.bottom) / 2, (below.top + below.bottom) / 2
    return any(low < y < high and left < columns[-1][1] and right > columns[0][0] for y, left, right in rules)


def _columns_of(row: Row, columns: Columns) -> dict[int, Segment]:
    return {find_column(segment.left, segment.right, columns)[0]: segment for segment in row.segments}


def _complete(lines: Sequence[Row], row: Row, columns: Columns) -> bool:
    """Whether the line can be of the row that the lines above begin: it fills other columns, or goes on in one."""
    held: dict[int, Segment] = {}
    for line in lines:
        held |= _columns_of(line, columns)
    shared = [(held[at], segment) for at, segment in _columns_of(row, columns).items() if at in held]
    if any(a.is_figure and b.is_figure for a, b in shared):
        return False
    return len(shared) <= 1 or 2 * len(shared) <= min(len(held), len(row.segments) + 1)


def _goes_on(lines: Sequence[Row], row: Row, columns: Columns) -> bool:
    """Whether the line is the rest of one cell's words, by what it says: the line above had no room for it."""
    if len(row.segments) != 1 or len(lines) > 3:
        return False
    ((at, segment),) = _columns_of(row, columns).items()
    above = _columns_of(lines[-1], columns).get(at)
    if above is None or segment.is_figure or above.is_figure or row.top - lines[-1].bottom > 0.6 * row.height:
        return False
    filled = above.right - above.left >= WRAPPED * (columns[at][1] - columns[at][0])
    return filled and (segment.text[0].islower() or (at > 0 and len(lines[0].segments) > 1))


def make_cells(lines: Sequence[Row], columns: Columns) -> list[Cell]:
    cells: dict[int, Cell] = {}
    for line in lines:
        for segment in line.segments:
            at, count = find_column(segment.left, segment.right, columns)
            cell = cells.setdefault(at, Cell(at, [], ""))
            cell.pieces += segment.pieces
            cell.text = f"{cell.text} {segment.text}".strip()
            cell.column_span = max(cell.column_span, count)
    return _part_overlaps([cells[at] for at in sorted(cells)])


def _reach_over_repeated(cells: list[Cell], below: Sequence[Cell], columns: Columns) -> bool:
    """Lets names reach over the columns below them whose own names are the same again under each: 2023 and 2024 over
    Plan, Actual, Plan, Actual. Whether they do."""
    names, count = [cell.text.casefold() for cell in below], len(cells)
    for labels in range(min(3, len(names))):
        period, rest = divmod(len(names) - labels, max(1, count))
        groups = [below[labels + i * period : labels + (i + 1) * period] for i in range(count)]
        if count < 2 or period < 2 or rest or names[labels:-period] != names[labels + period :]:
            continue
        middles = [(min(p.left for p in cell.pieces) + max(p.right for p in cell.pieces)) / 2 for cell in cells]
        reach = [(columns[group[0].column][0], columns[group[-1].column][1]) for group in groups]
        if all(left - 3 <= at <= right + 3 for at, (left, right) in zip(middles, reach, strict=True)):
            for cell, group in zip(cells, groups, strict=True):
                cell.column, cell.column_span = group[0].column, group[-1].column - group[0].column + 1
            return True
    return False


def _reach_over_rules(
    cells: list[Cell], row: Row, named: Set[int], page: tuple[Columns, Sequence[tuple[float, float, float]]]
) -> None:
    """Lets names reach over the columns that a rule right below them joins, as above 2023: Plan, Actual."""
    columns, rules = page
    below = [(left, right) for y, left, right in rules if row.bottom - 3 <= y <= row.bottom + 0.8 * row.height]
    for number, cell in enumerate(cells):
        start, end = min(piece.left for piece in cell.pieces), max(piece.right for piece in cell.pieces)
        for left, right in below:
            inside = [i for i, (a, b) in enumerate(columns) if left - 3 <= (a + b) / 2 <= right + 3]
            first = cells[number - 1].column + cells[number - 1].column_span if number else 0
            last = cells[number + 1].column if number + 1 < len(cells) else len(columns)
            inside = [i for i in inside if first <= i < max(last, cell.column + 1)]
            if left <= start + 1 and end - 1 <= right and 1 < len(inside) < len(columns) and named >= set(inside):
                cell.column, cell.column_span = inside[0], len(inside)
                break


def _part_overlaps(cells: list[Cell]) -> list[Cell]:
    """The cells, none reaching over the next."""
    for cell, after in pairwise(cells):
        cell.column_span = min(cell.column_span, after.column - cell.column)
    return cells
