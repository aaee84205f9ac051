"""Which rows of a table name its columns, where the file does not say so: often the first, or one below a title."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType

_PERIOD = re.compile(
    r"(?:fy|cy|kw|wk|week|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[ ]?(?:19|20)?\d\d|(?:19|20)\d\d"
    r"|[qht][1-4](?:[ /-]?(?:19|20)?\d\d)?|(?:19|20)\d\d[ /-](?:[qh][1-4]|\d\d)"
)
"""A year or a part of one, as columns are named."""
Row = Sequence[tuple[int, str]]
"""The cells of a row: columns, from 0, and what they say."""
_SEARCHED = 40
"""Rows at the top that are looked at for a header."""
_TRIED = 4
"""Rows below a header whose cells are looked at; and one more than the most rows that a header has."""
_TITLES = 4
"""Rows at the top among which a header of several rows begins."""


@dataclass(frozen=True, slots=True)
class HeaderRows:
    """The first row that names columns, from 0, and how many do; rows above are titles."""

    first: int = 0
    count: int = 0


Spans = Mapping[tuple[int, int], tuple[int, int]]
"""How many rows and columns a cell takes, by its row in the table and its column, where that is more than one."""


def find_header_rows(rows: Sequence[Row], marked: int | None = None, spans: Spans = MappingProxyType({})) -> HeaderRows:
    """The header of a table. `marked` is how many rows at the top are known to name the columns."""
    if marked is not None:
        return HeaderRows(0, marked)
    if spans and (layered := _find_layered_header(rows, spans)):
        return layered
    filled = [[(column, text) for column, text in row if text.strip()] for row in rows]
    widths = Counter(len(row) for row in filled if len(row) > 1)
    # by cells, as what stands above a table may be many narrow rows: an account's owner, its number, a period
    usual = max(widths, key=lambda width: (widths[width] * width, width), default=0)
    for number, row in enumerate(filled[: min(_SEARCHED, len(filled) - 1)]):
        if not looks_like_header([text for _, text in rows[number]]) and not _is_above_figures(filled, number):
            continue
        if number == 0:
            if len(row) >= usual or not _is_named_below(filled):
                return HeaderRows(0, 1)
        elif _is_named(filled, number):
            return HeaderRows(number, 1)
    return HeaderRows()


def _find_layered_header(rows: Sequence[Row], spans: Spans) -> HeaderRows | None:
    """Rows of names of which the upper ones reach over several columns or rows, and the lower ones stand under them."""
    first = next((number for number, row in enumerate(rows[:_TITLES]) if len(row) > 1 or (row and row[0][0])), -1)
    if first < 0 or len({text.casefold() for _, text in rows[first]}) < len(rows[first][:2]):
        return None
    if all(spans.get((first, column), (1, 1))[1] == 1 for column, _ in rows[first]):
        return None
    end, widest = first + 1, max(column for row in rows for column, _ in row) + 1
    number = first
    while number < end < len(rows):
        sizes = {column: spans.get((number, column), (1, 1)) for column, _ in rows[number]}
        end = max(end, *(number + height for height, _ in sizes.values()))
        wide = {c for column, (_, width) in sizes.items() if 1 < width < widest for c in range(column, column + width)}
        if wide and number + 1 == end < len(rows) and _stands_under(rows[end], wide, sizes):
            end += 1
        number += 1
    return HeaderRows(first, end - first) if 1 < end - first < _TRIED and end < len(rows) else None


def _stands_under(row: Row, wide: Set[int], above: Collection[int]) -> bool:
    """Whether a row names columns under cells that reach over several: it stands under them alone, or is a row of names
    beside them, where the row above has nothing."""
    outside = [column for column, _ in row if column not in wide]
    if not outside:
        return True
    names = [text for _, text in row]
    return not any(column in above for column in outside) and (looks_like_header(names) or _are_repeated(row, wide))


def _are_repeated(row: Row, wide: Set[int]) -> bool:
    """Whether a row without figures has the same names again and again under cells that reach over several columns."""
    counts = Counter(text.casefold() for column, text in row if column in wide)
    return len(counts) > 1 and min(counts.values()) > 1 and not any(is_figure(text) for _, text in row)


def _is_named_below(filled: Sequence[Row]) -> bool:
    return any(
        (looks_like_header([text for _, text in filled[n]]) or _is_above_figures(filled, n)) and _is_named(filled, n)
        for n in range(1, min(_SEARCHED, len(filled) - 1))
    )


def _is_named(filled: Sequence[Row], number: int) -> bool:
    """Whether a row below others names columns: it is wider than they are, and figures stand under its words."""
    row = filled[number]
    if any(len(above) >= len(row) for above in filled[:number]):
        return False
    below = filled[number + 1 : number + 1 + _TRIED]
    if all(len(above) == 1 for above in filled[:number]) and max(map(len, below)) <= len(row):
        return True
    columns = {column for column, _ in row}
    return any(is_figure(text) and column in columns for line in below for column, text in line)


def _is_above_figures(filled: Sequence[Row], number: int) -> bool:
    """Whether a row of words, some of them the same, stands above a column of nothing but figures."""
    row, below = filled[number], filled[number + 1 : number + 1 + _TRIED]
    if len(below) < 2 or any(is_figure(text) for _, text in row) or len({text.casefold() for _, text in row}) < 2:
        return False
    cells = [dict(line) for line in below]
    return any(all(is_figure(line.get(column, "")) for line in cells) for column, _ in row)


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether the first row of a table looks like names: several, all different, none of them mostly digits."""
    names = [" ".join(cell.split()).casefold() for cell in cells if cell.strip()]
    return (
        len(names) > 1
        and len(set(names)) == len(names)
        and len(names) * 2 > len(cells)
        and (not any(map(is_figure, names)) or _names_periods(names))
    )


def _names_periods(names: Sequence[str]) -> bool:
    """Whether all figures of a row are years or parts of them, beside a word that is none: 2022, Q1, FY23."""
    periods = [name for name in names if is_figure(name)]
    return len(periods) > 1 and not is_figure(names[0]) and all(map(is_period, periods))


def is_period(text: str) -> bool:
    """Whether a text is a year or a part of one, as columns are named."""
    return _PERIOD.fullmatch(text.strip().casefold()) is not None


def is_figure(text: str) -> bool:
    """Whether most of a text is digits."""
    return 2 * sum(c.isdigit() for c in text) >= len(text) > 0
