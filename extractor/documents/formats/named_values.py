"""Values under names, as XML and JSON have them: a tree, and which of its lists are tables.

A list is a table where its entries have the same few names under them, each with one short value: names are then the
header, entries the rows. Objects within an entry are columns of their own, called by both names: "price / amount".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_DEPTH = 200
"""Levels of a tree that is read."""
MAX_COLUMNS, MAX_CELL = 40, 200
"""Columns of a table, and characters of a cell; a list with more is written name by name."""
_MIN_FILLED = 0.5
"""How many of a table's cells hold something, at least."""
_MAX_INNER_DEPTH = 4
"""Levels of objects in a row that are columns."""
_MIN_KEYED = 3
"""Objects under names of their own that are taken for rows of a table, at least: two may well be seller and buyer."""


class Words(NamedTuple):
    """Text of a file, and where its source is; both 0 for what is in no source."""

    text: str
    start: int = 0
    end: int = 0


NO_WORDS = Words("")


@dataclass(slots=True)
class NamedNode:
    """A name with a value, or with others under it: an element of XML, a member of a JSON object, a list's entry."""

    name: Words = NO_WORDS
    value: Words | None = None
    """None where there is none of its own."""
    notes: Sequence[NamedNode] = ()
    """What is said of the value: attributes of an element."""
    children: Sequence[NamedNode] = ()
    is_list: bool = False
    """Whether the children are entries of a list, which have no names."""
    is_hidden: bool = False
    is_prose: bool = False
    """Whether the value is words with marks among them, rather than data."""

    @property
    def is_leaf(self) -> bool:
        return not self.children and not self.is_list and not self.is_hidden


def group_repeated(children: Sequence[NamedNode]) -> Iterator[list[NamedNode]]:
    """The children in their order; neighbours with the same name together, since they are entries of a list."""
    group: list[NamedNode] = []
    for child in children:
        if group and not (child.name.text and child.name.text == group[0].name.text and not child.is_list):
            yield group
            group = []
        group.append(child)
    if group:
        yield group


Row = dict[tuple[str, ...], Words]
"""Cells by the names of their columns."""


def read_rows(entries: Sequence[NamedNode]) -> list[Row] | None:
    """The entries of a list as rows of a table with a header; None where they are no such rows."""
    rows: list[Row] = []
    columns: set[tuple[str, ...]] = set()
    for entry in entries:
        row: Row = {}
        if entry.is_list or (entry.is_leaf and not entry.notes) or not _read_cells(entry, (), row, 0):
            return None
        columns.update(row)
        if len(columns) > MAX_COLUMNS:
            return None
        rows.append(row)
    filled = sum(map(len, rows))
    return rows if columns and filled >= _MIN_FILLED * len(rows) * len(columns) else None


def read_keyed_rows(node: NamedNode) -> list[Row] | None:
    """The objects under a node as rows that are known by their names, in a first column without a header."""
    entries = node.children
    if node.is_list or len(entries) < _MIN_KEYED or len({child.name.text for child in entries}) < len(entries):
        return None
    if any(child.is_leaf or child.notes for child in entries):
        return None
    rows = read_rows(entries)
    if rows is None or any(row.keys() != rows[0].keys() for row in rows) or len(rows[0]) < 2:
        return None
    return [{("",): entry.name, **row} for entry, row in zip(entries, rows, strict=True)]


def read_matrix(entries: Sequence[NamedNode]) -> list[list[Words]] | None:
    """The entries of a list that are lists of values themselves; None where they are not."""
    rows = []
    names: set[str] = set()
    for entry in entries:
        cells = [_unwrap_value(child) for child in entry.children]
        names.update(child.name.text for child in entry.children)
        if entry.value or entry.notes or len(names) != 1 or None in cells or len(cells) > MAX_COLUMNS:
            return None
        rows.append([cell for cell in cells if cell is not None])
    return rows if len(rows) > 1 and any(len(row) > 1 for row in rows) else None


def _unwrap_value(node: NamedNode) -> Words | None:
    """The one value in a node, through elements that hold nothing but the next."""
    for _ in range(_MAX_INNER_DEPTH):
        if len(node.children) != 1 or node.is_hidden or not node.name.text:
            break
        node = node.children[0]
    return _read_cell(node) if node.is_leaf else None


def _read_cells(node: NamedNode, path: tuple[str, ...], row: Row, depth: int) -> bool:
    """Adds the node's values to the row, by their paths; whether all of them have room in it."""
    if depth > _MAX_INNER_DEPTH or node.is_hidden:
        return False
    if node.value is not None and node.is_leaf and (node.value.text or not node.notes):
        cell = _read_cell(node)
        if cell is None or path in row:
            return False
        row[path] = cell
    elif node.is_list:
        cell = join_short_list(node.children)
        if cell is None or path in row:
            return False
        row[path] = cell
        return True
    elif node.value is not None and node.value.text:
        return False
    inner = (*node.notes, *node.children)
    return all(_read_cells(child, (*path, child.name.text), row, depth + 1) for child in inner)


def _read_cell(node: NamedNode) -> Words | None:
    value = node.value or Words("")
    return value if len(value.text) <= MAX_CELL and "|" not in value.text else None


def join_short_list(entries: Sequence[NamedNode]) -> Words | None:
    """The values of a list on one line; None for a long one, or one of more than values."""
    if not entries:
        return Words("[]")
    values = [entry.value for entry in entries if entry.value is not None and entry.is_leaf and not entry.notes]
    text = "; ".join(value.text for value in values)
    if len(values) < len(entries) or len(text) > MAX_CELL or any(c in text for c in "|\n"):
        return None
    return Words(text, values[0].start, values[-1].end)
