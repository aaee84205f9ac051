"""Columns of a page's rows: between gaps that many rows have, with words that are aligned and not all prose."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from extractor.documents.formats.page_rows import Row, Segment

MIN_COLUMN_GAP = 0.3
"""The narrowest gap between two columns, in heights of a line."""
BRIDGED = 0.3
"""How many rows may have words across a gap between two columns, titles and notes, for each that has the gap."""
ALIGNED, MIN_ALIGNED = 2.5, 0.5
"""Points within which edges are one, and the part of a column's cells whose left or right edges or middles are."""
PROSE_LENGTH, PROSE_WIDTH = 18, 0.3
"""Characters that half of a prose column's lines have at least, and the part of the table's width that it takes."""
_CONNECTING = frozenset("-–—－~〜～→/")

Columns = list[tuple[float, float]]
"""Where columns begin and end, from left to right."""


def find_columns(block: Sequence[Row]) -> Columns:
    """Where columns begin and end: between gaps that many rows have and few have words across."""
    several = [row for row in block if len(row.segments) > 1]
    narrowest = MIN_COLUMN_GAP * median(row.height for row in several)
    edges: list[tuple[float, int, int]] = []
    for row in several:
        edges += (row.segments[0].left, 0, 1), (max(s.right for s in row.segments), 0, -1)
        for segment in row.segments:
            edges += (segment.left, 1, 0), (segment.right, -1, 0)
    edges.sort()
    columns: Columns = []
    last, depth, reaching = 0.0, 0, 0
    start: float | None = None
    for i, (at, step, reach) in enumerate(edges):
        depth += step
        reaching += reach
        if i + 1 < len(edges) and edges[i + 1][0] == at:
            continue
        is_gap = depth <= BRIDGED * (reaching - depth) if reaching else True
        if start is None and not is_gap:
            start = columns.pop()[0] if columns and at - last < narrowest else at
        elif start is not None and is_gap:
            columns.append((start, at))
            start, last = None, at
    return [(a, b) for a, b in columns if b - a > 0.5]


def join_connected(block: Sequence[Row], columns: Columns) -> Columns:
    """The columns, those that go on with a dash or the like joined with the ones before: from - to."""
    joined: Columns = []
    for left, right in columns:
        held = [s for row in block for s in row.segments if s.left < right and left < s.right]
        going_on = sum(s.text[0] in _CONNECTING and not s.is_figure for s in held)
        if joined and 5 * going_on >= 3 * len(held) > 3:
            joined[-1] = joined[-1][0], right
        else:
            joined.append((left, right))
    return joined


def join_names(block: Sequence[Row], columns: Columns) -> Columns:
    """The columns, each together with its name where names stand beside what they name, such as in the middle above
    words on the left: the first row then fills as many columns as all others do, and not the same ones."""
    if any(segment.is_figure for segment in block[0].segments):
        return columns
    names = {find_column(s.left, s.right, columns)[0] for s in block[0].segments}
    others = {find_column(s.left, s.right, columns)[0] for row in block[1:] for s in row.segments}
    if len(names) != len(others) or names == others or len(names) != len(block[0].segments):
        return columns
    joined = [
        (min(columns[a][0], columns[b][0]), max(columns[a][1], columns[b][1]))
        for a, b in zip(sorted(names), sorted(others), strict=True)
    ]
    return joined if all(a[1] <= b[0] for a, b in pairwise(joined)) else columns


def find_column(segment_left: float, segment_right: float, columns: Columns) -> tuple[int, int]:
    """The first column that a segment stands in, and how many it takes."""
    inside = [i for i, (a, b) in enumerate(columns) if min(segment_right, b) - max(segment_left, a) > 0.5]
    if inside:
        return inside[0], inside[-1] - inside[0] + 1
    middle = (segment_left + segment_right) / 2
    return min(range(len(columns)), key=lambda i: abs((columns[i][0] + columns[i][1]) / 2 - middle)), 1


def are_columns(block: Sequence[Row], columns: Columns) -> bool:
    """Whether the columns are those of a table: aligned, of several kinds of content, and not all prose."""
    held: list[list[Segment]] = [[] for _ in columns]
    for row in block:
        for segment in row.segments:
            at, count = find_column(segment.left, segment.right, columns)
            if count == 1:
                held[at].append(segment)
    told = [cells for cells in held if len(cells) > 1 and sum(cell.is_mark for cell in cells) < 0.8 * len(cells)]
    if len(told) < 2:
        return False
    width = columns[-1][1] - columns[0][0]
    prose = sum(_is_prose(_join_lines(cells), width) for cells in told)
    if prose and prose >= len(told) - 1:
        return False
    labels = sum(
        sum(cell.text[-1] in ":：" or cell.text[0] in ":：" for cell in cells) >= 0.6 * len(cells) for cells in told
    )
    if 2 * labels >= len(told):
        return False  # labels and values: each label stands beside its value, and no column has a name
    figures = sum(2 * sum(cell.is_figure for cell in cells) > len(cells) for cells in told)
    if not _is_drawn_by_rows(block) and 2 * figures < len(told):
        return False  # columns of a page that happen to be level
    return sum(map(_is_aligned, told)) >= 0.6 * len(told)


def _is_drawn_by_rows(block: Sequence[Row]) -> bool:
    """Whether what stands beside each other is mostly drawn one after the other."""
    drawn = sorted((s.pieces[0].start, number) for number, row in enumerate(block) for s in row.segments)
    beside = sum(a == b for (_, a), (_, b) in pairwise(drawn))
    return 3 * beside >= sum(len(row.segments) - 1 for row in block)


def _join_lines(cells: Sequence[Segment]) -> list[Segment]:
    """What stands in a column, a segment for each line: justified text has wide gaps between its words."""
    lines: list[Segment] = []
    for cell in cells:
        if lines and cell.left > lines[-1].left and cell.pieces[0].on_same_line(lines[-1].pieces[0]):
            lines[-1] = Segment(lines[-1].pieces + cell.pieces, f"{lines[-1].text} {cell.text}")
        else:
            lines.append(cell)
    return lines


def _is_prose(cells: Sequence[Segment], width: float) -> bool:
    long = median(len(cell.text) for cell in cells) >= PROSE_LENGTH
    return long and median(cell.right - cell.left for cell in cells) >= PROSE_WIDTH * width


def _is_aligned(cells: Sequence[Segment]) -> bool:
    for edge in (lambda c: c.left, lambda c: c.right, lambda c: (c.left + c.right) / 2):
        at = sorted(map(edge, cells))
        most = max(sum(abs(b - a) <= ALIGNED for b in at) for a in at[:200])
        if most >= MIN_ALIGNED * len(at) and most > 1:
            return True
    return False
