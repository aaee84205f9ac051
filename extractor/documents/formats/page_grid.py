"""Grids of a page: what its rules enclose, and how far each cell reaches."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MIN_RULE = 5.0
"""Points that a rule of a grid is long at least."""
TOUCH = 3.0
"""Points within which rules meet."""
SAME = 2.5
"""Points within which two rules are one, such as the edges of a broad one."""
COVERED = 0.6
"""The part of a cell's side that a rule takes at least to part it from its neighbour."""
MAX_RULES, MAX_CELLS = 3_000, 20_000
"""Rules of a page, and cells of a grid, that are looked at."""


class Line(NamedTuple):
    """A rule: where it is, across its own direction, and from where to where it goes."""

    at: float
    start: float
    end: float


@dataclass(slots=True)
class Region:
    """A cell of a grid: rows and columns of the grid that it takes, the ends not included. A row may be part of one."""

    row: float
    row_end: float
    column: int
    column_end: int


@dataclass(slots=True)
class Grid:
    """Rules that meet: `xs` are the edges of its columns from the left, `ys` those of its rows from the top."""

    xs: list[float]
    ys: list[float]
    regions: list[Region] = field(default_factory=list)
    _region_at: dict[tuple[int, int], Region] = field(default_factory=dict)

    def find_region(self, x: float, y: float) -> Region | None:
        """The cell that a point lies in."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        return self._region_at.get((row, column))

    def add_region(self, places: Sequence[tuple[int, int]]) -> None:
        """A cell that takes those rows and columns, and all between them."""
        rows, columns = [row for row, _ in places], [column for _, column in places]
        region = Region(min(rows), max(rows) + 1, min(columns), max(columns) + 1)
        self.regions.append(region)
        for place in places:
            self._region_at[place] = region


def find_grids(level: Sequence[Line], upright: Sequence[Line]) -> list[Grid]:
    """The grids that rules make: level ones are y, left and right; upright ones x, top and bottom."""
    rows, columns = _join_rules(level), _join_rules(upright)
    if not 2 <= len(rows) <= MAX_RULES or not 2 <= len(columns) <= MAX_RULES:
        return []
    found = []
    for some_rows, some_columns in _find_connected(rows, columns):
        ys, xs = _distinct(line.at for line in some_rows), _distinct(line.at for line in some_columns)
        if len(xs) > 1 and len(ys) > 1 and len(xs) * len(ys) <= MAX_CELLS:
            grid = Grid(xs, ys)
            _find_regions(grid, some_rows, some_columns)
            found.append(grid)
    return found


def _join_rules(lines: Sequence[Line]) -> list[Line]:
    """Rules in one place that touch are one."""
    found: list[Line] = []
    cluster: list[Line] = []
    for line in [*sorted(line for line in lines if line.end - line.start >= MIN_RULE), None]:
        if cluster and (line is None or line.at - cluster[0].at > SAME):
            found += _join_cluster(cluster)
            cluster = []
        if line is not None:
            cluster.append(line)
    return found


def _join_cluster(cluster: list[Line]) -> Iterator[Line]:
    at = sum(line.at for line in cluster) / len(cluster)
    start, end = None, 0.0
    for line in sorted(cluster, key=lambda line: line.start):
        if start is not None and line.start <= end + TOUCH:
            end = max(end, line.end)
            continue
        if start is not None:
            yield Line(at, start, end)
        start, end = line.start, line.end
    if start is not None:
        yield Line(at, start, end)


def _find_connected(rows: list[Line], columns: list[Line]) -> Iterator[tuple[list[Line], list[Line]]]:
    """Rules that hang together."""
    owner = list(range(len(rows) + len(columns)))

    def find(i: int) -> int:
        while owner[i] != i:
            owner[i] = owner[owner[i]]
            i = owner[i]
        return i

    heights = [row.at for row in rows]
    for j, column in enumerate(columns, len(rows)):
        for i in range(bisect_left(heights, column.start - TOUCH), bisect_right(heights, column.end + TOUCH)):
            if rows[i].start - TOUCH <= column.at <= rows[i].end + TOUCH:
                owner[find(i)] = find(j)
    groups: dict[int, tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
    for i, row in enumerate(rows):
        groups[find(i)][0].append(row)
    for j, column in enumerate(columns, len(rows)):
        groups[find(j)][1].append(column)
    yield from groups.values()


def _distinct(places: Iterator[float] | Sequence[float]) -> list[float]:
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > SAME:
            found.append(place)
    return found


def _find_regions(grid: Grid, rows: list[Line], columns: list[Line]) -> None:
    """The cells: places of the grid with no rule between them are one."""
    height, width = len(grid.ys) - 1, len(grid.xs) - 1
    owner = {(r, c): (r, c) for r in range(height) for c in range(width)}

    def find(place: tuple[int, int]) -> tuple[int, int]:
        while owner[place] != place:
            owner[place] = owner[owner[place]]
            place = owner[place]
        return place

    upright, level = _lines_at(grid.xs, columns), _lines_at(grid.ys, rows)
    for r in range(height):
        top, bottom = grid.ys[r], grid.ys[r + 1]
        for c in range(width):
            left, right = grid.xs[c], grid.xs[c + 1]
            if c + 1 < width and not _is_parted(upright[c + 1], top, bottom):
                owner[find((r, c + 1))] = find((r, c))
            if r + 1 < height and not _is_parted(level[r + 1], left, right):
                owner[find((r + 1, c))] = find((r, c))
    groups: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for place in owner:
        groups[find(place)].append(place)
    for places in groups.values():
        grid.add_region(places)


def _lines_at(places: list[float], lines: list[Line]) -> list[list[Line]]:
    """For each edge of the grid the rules that lie on it."""
    found: list[list[Line]] = [[] for _ in places]
    for line in lines:
        nearest = min(range(len(places)), key=lambda i: abs(places[i] - line.at))
        found[nearest].append(line)
    return found


def _is_parted(lines: list[Line], start: float, end: float) -> bool:
    """Whether the rules go along most of a cell's side."""
    covered = sum(max(0.0, min(line.end, end) - max(line.start, start)) for line in lines)
    return covered >= COVERED * (end - start)
