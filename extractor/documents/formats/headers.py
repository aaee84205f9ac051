"""Which rows of a table name its columns, where the file does not say so: often the first, or one below a title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[tuple[int, str]]
"""The cells of a row: columns, from 0, and what they say."""
_SEARCHED = 40
"""Rows at the top that are looked at for a header."""
_TRIED = 4
"""Rows below a header whose cells are looked at."""


@dataclass(frozen=True, slots=True)
class HeaderRows:
    """The first row that names columns, from 0, and how many do; rows above are titles."""

    first: int = 0
    count: int = 0


def find_header_rows(rows: Sequence[Row], marked: int | None = None) -> HeaderRows:
    """The header of a table. `marked` is how many rows at the top are known to name the columns."""
    if marked is not None:
        return HeaderRows(0, marked)
    filled = [[(column, text) for column, text in row if text.strip()] for row in rows]
    widths = Counter(len(row) for row in filled if len(row) > 1)
    usual = max(widths, key=lambda width: (widths[width], width), default=0)
    for number, row in enumerate(filled[: min(_SEARCHED, len(filled) - 1)]):
        if not looks_like_header([text for _, text in rows[number]]):
            continue
        if number == 0:
            if len(row) >= usual or not _is_named_below(filled):
                return HeaderRows(0, 1)
        elif _is_named(filled, number):
            return HeaderRows(number, 1)
    return HeaderRows()


def _is_named_below(filled: Sequence[Row]) -> bool:
    return any(
        looks_like_header([text for _, text in filled[n]]) and _is_named(filled, n)
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


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether the first row of a table looks like names: several, all different, none of them mostly digits."""
    names = [" ".join(cell.split()).casefold() for cell in cells if cell.strip()]
    return (
        len(names) > 1
        and len(set(names)) == len(names)
        and len(names) * 2 > len(cells)
        and not any(map(is_figure, names))
    )


def is_figure(text: str) -> bool:
    """Whether most of a text is digits."""
    return 2 * sum(c.isdigit() for c in text) >= len(text) > 0
