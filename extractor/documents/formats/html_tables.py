"""Tables of web pages: which hold data and which lay out the page, and rows of cells as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from extractor.documents.formats.builder import CELL_SEPARATOR, MAX_SPAN
from extractor.documents.formats.headers import HeaderRows, find_header_rows
from extractor.types import Span, TableGrid, TextTable

_LAYOUT = frozenset("h1 h2 h3 h4 h5 h6 hr blockquote form article section nav main".split())  # noqa: SIM905 (read more easily than a list of strings)
"""A table with one of these in it is used for layout, unless it names its columns or rows."""
_SMALL = 12
"""Cells of a table in a cell that may be read as the words of that cell."""
_TITLES = 8
"""Rows above one that names columns."""
_SHORT = 60
"""Characters of a cell of a table that holds entries, however it is said to lay out the page."""
_NO_TABLE = frozenset(("none", "presentation"))
MAX_PADDING = 100_000
"""Bars in one page for cells that are not there since others reach over them."""
TABLE, ROW, CELL = "table", "row", "cell"
_DISPLAYS = {"table": TABLE, "inline-table": TABLE, "table-row": ROW, "table-cell": CELL}
_TAGS = {"table": TABLE, "tr": ROW, "td": CELL, "th": CELL}


_SAID = {
    **dict.fromkeys(("table", "grid", "treegrid"), TABLE),
    "row": ROW,
    **dict.fromkeys(("cell", "gridcell", "columnheader", "rowheader"), CELL),
}
"""What an element says that it is of a table (WAI-ARIA 1.2), as grids of web applications do."""
_MAX_LOOK = 200
"""Elements that are looked at for the first row of such a grid."""


def find_role(node: Any, display: str) -> str:
    """What an element is in a table, by its tag, its style or what it says; empty where it is nothing of it.

    A table whose cells are laid out as blocks is none.
    """
    tag = _TAGS.get(node.name, "")
    if tag in (ROW, CELL) and display not in (*_DISPLAYS, "none", "contents"):
        return ""
    found = tag or _DISPLAYS.get(display, "")
    if found or not node.attrs or "role" not in node.attrs:
        return found
    said = _SAID.get((node.attrs["role"] or "").strip().lower(), "")
    return said if said != TABLE or _begins_with_row(node) else ""


def find_cell_tag(node: Any) -> str:
    """The tag that a cell has, or would have by what it says."""
    said = ((node.attrs or {}).get("role") or "").strip().lower()
    return "th" if node.name not in _TAGS and said in ("columnheader", "rowheader") else str(node.name)


def _begins_with_row(table: Any) -> bool:
    """Whether the first row in it says that it is one: the grid has no table in it that holds its rows."""
    stack, left = [*reversed(table.children or ())], _MAX_LOOK
    while stack and left:
        node = stack.pop()
        left -= 1
        if node.name in ("table", "tr"):
            return False
        if ((getattr(node, "attrs", None) or {}).get("role") or "") == "row":
            return True
        stack += reversed(getattr(node, "children", None) or ())
    return False


@dataclass(slots=True)
class _Facts:
    """What tells a table of data from one of layout."""

    named: bool = False
    """Whether it says that it holds data: it has headers, a caption, a head."""
    laid_out: bool = False
    cells: int = 0
    rows: int = 0
    inner: list[_Facts] = field(default_factory=list)

    def holds_data(self) -> bool:
        if self.named:
            return all(table.cells <= _SMALL and not table.named for table in self.inner)
        return not self.laid_out and not self.inner


def find_data_tables(root: Any, role_of: Callable[[Any], str]) -> set[int]:
    """The tables that hold data, by the identity of their elements."""
    facts: dict[int, _Facts] = {}
    stack: list[tuple[Any, _Facts | None]] = [(root, None)]
    while stack:
        node, around = stack.pop()
        role = "" if node.name.startswith(("#", "!")) else role_of(node)
        if role == TABLE:
            table = facts[id(node)] = _Facts()
            if around is not None:
                around.inner.append(table)
            said = ((node.attrs or {}).get("role") or "").lower()
            table.laid_out = said in _NO_TABLE and not _holds_entries(node)
            table.named = said in ("table", "grid")
            around = table
        elif around is not None:
            _note(around, node, role)
        stack += [(child, around) for child in getattr(node, "children", None) or ()]
    return {key for key, table in facts.items() if table.holds_data()}


def _holds_entries(table: Any) -> bool:
    """Whether rows of several short entries stand in a table, some with figures, and nothing that is a block: a receipt
    in a mail, in which all tables say that they lay out the page."""
    rows: list[list[str]] = []
    stack = [*reversed(table.children or ())]
    while stack:
        node = stack.pop()
        if node.name == "tr":
            rows.append([])
        if node.name in ("td", "th"):
            words = _read_short(node)
            if words is None or not rows:
                return False
            rows[-1] += [words] if words else []
        elif node.name in ("tr", "tbody", "thead", "tfoot"):
            stack += reversed(node.children or ())
    several = [row for row in rows if len(row) > 1]
    figures = sum(any(c.isdigit() for cell in row for c in cell) for row in several)
    return len(several) > 1 and 2 * len(several) >= len(rows) and 2 * figures >= len(several)


def _read_short(cell: Any) -> str | None:
    """The words of a cell; None where they are many, or in blocks."""
    words, length = list[str](), 0
    stack = [*reversed(cell.children or ())]
    while stack:
        node = stack.pop()
        if node.name == "#text":
            words.append(node.data or "")
            length += len(words[-1].strip())
        elif node.name not in _INLINE_TAGS and not node.name.startswith("#"):
            return None
        if length > _SHORT:
            return None
        stack += reversed(getattr(node, "children", None) or ())
    return " ".join("".join(words).split())


_INLINE_TAGS = frozenset("a abbr b big bdi code em font i ins small span strong sub sup time tt u".split())  # noqa: SIM905 (as prose)


def _note(table: _Facts, node: Any, role: str) -> None:
    table.cells += role == CELL
    table.rows += role == ROW
    if node.name in _LAYOUT:
        table.laid_out = True
    if node.name in ("th", "caption", "thead") or (node.name == "td" and (node.attrs or {}).get("scope")):
        table.named = table.named or node.name != "th" or not _holds_blocks(node)


def _holds_blocks(node: Any) -> bool:
    """Whether a header cell holds more than words: then it is one of layout."""
    return any(child.name in ("table", "div", "h1", "h2", "form", "ul") for child in node.children or ())


def read_span(attributes: Mapping[str, str | None], name: str) -> int:
    """How many rows or columns a cell takes. 0 stands for all that follow, which is taken for the most."""
    written = (attributes.get(name) or "").strip()
    if not (written.isascii() and written.isdigit()):
        return 1
    return min(MAX_SPAN, int(written[:6])) or (MAX_SPAN if name == "rowspan" else 1)


@dataclass(slots=True)
class TableWriter:
    """A table while it is written. Each cell stands in its column: what reaches over others leaves them empty."""

    padding_left: int = MAX_PADDING
    """Bars that may still be written for cells that are not there."""
    in_cell: bool = False
    _start: int | None = None
    """Where its first line begins in the text."""
    _rows: list[list[tuple[int, str]]] = field(default_factory=list)
    """The rows that have words: columns, and the words in them."""
    _ends: list[int] = field(default_factory=list)
    _cells: list[tuple[int, int, int, int, int, int, bool]] = field(default_factory=list)
    _tall: list[int] = field(default_factory=list)
    """Cells of this group that reach over several rows."""
    _row: int = -1
    _group: int = 0
    _taken: dict[int, int] = field(default_factory=dict)
    """Columns that a cell from above has, and the row before which it ends."""
    _marked: int = 0
    """Rows at the top of headers only."""
    _named_rows: list[int] = field(default_factory=list)
    """Rows of several headers and nothing else."""
    _row_marked: bool = True
    _column: int = -1
    _size: tuple[int, int] = (1, 1)
    _header: bool = False
    _in_head: bool = False
    _written: int = 0
    """The column up to which bars of the row are written; -1 while the row has no words."""
    _words: tuple[int, int] | None = None
    """Where the cell's words begin, in the text and among its pieces."""
    _line: list[tuple[int, str]] = field(default_factory=list)

    def begin_row(self, group: int, *, in_head: bool) -> None:
        """A row of a group of rows, which may be the head of the table. Cells reach down to the end of their group."""
        if group != self._group:
            self._group, self._taken = group, {}
            self._shorten_cells()
        self._row += 1
        self._in_head = in_head
        self.in_cell, self._column, self._size, self._written = True, -1, (1, 1), -1
        self._row_marked, self._words, self._line = True, None, []

    def begin_cell(self, attributes: Mapping[str, str | None], name: str, length: int, pieces: list[str]) -> None:
        if self._column >= 0:
            self._end_cell(length, pieces)
        before = self._column
        self._column += self._size[1] if self._column >= 0 else 1
        while self._taken.get(self._column, 0) > self._row:
            self._column += 1
        if self._column > before + 1:
            self.padding_left -= self._column - before - 1
        self._size = (1, 1)
        if self.padding_left > 0:
            self._size = read_span(attributes, "rowspan"), read_span(attributes, "colspan")
        self._header = name == "th" or bool(attributes.get("scope")) or self._in_head
        self._row_marked = self._row_marked and self._header
        self.in_cell = True

    def text_before(self, gap: str, length: int, words_at: int) -> str:
        """What goes before words of a cell: bars for the cells since the last words, and a line end for a new row."""
        column = max(self._column, 0)
        if self._written < 0:
            before = "\n" if self._ends else "\n\n" if length else ""
            if self._start is None:
                self._start = length + len(before)
            bars, self._written = CELL_SEPARATOR * column, column
            return before + bars
        if column > self._written:
            bars, self._written = CELL_SEPARATOR * (column - self._written), column
            return bars
        return gap

    def mark_words(self, at: int, piece: int) -> None:
        if self._words is None:
            self._words = at, piece

    def _end_cell(self, length: int, pieces: list[str]) -> None:
        if self._words is not None:
            start, first = self._words
            words = "".join(pieces[first:])
            self._line.append((self._column, words))
            self._cells.append((start, length, len(self._ends), self._column, *self._size, self._header))
            if self._size[0] > 1:
                self._tall.append(len(self._cells) - 1)
            self._words = None
        if self._size[0] > 1:
            end = self._row + self._size[0]
            self._taken.update(dict.fromkeys(range(self._column, self._column + self._size[1]), end))

    def end_row(self, length: int, pieces: list[str]) -> None:
        if self._column >= 0 or self._words is not None:
            self._column = max(self._column, 0)
            self._end_cell(length, pieces)
        self.in_cell = False
        if self._line:
            self._marked += self._row_marked and self._marked == len(self._rows)
            if self._row_marked and len(self._line) > 1:
                self._named_rows.append(len(self._rows))
            self._rows.append(self._line)
            self._ends.append(length)
        self._column, self._size, self._line = -1, (1, 1), []

    def _shorten_cells(self) -> None:
        """Ends cells that reach down further than their group of rows does."""
        for i in self._tall:
            start, end, row, column, rows, columns, named = self._cells[i]
            self._cells[i] = start, end, row, column, max(1, min(rows, len(self._ends) - row)), columns, named
        self._tall = []

    def _find_header(self) -> HeaderRows:
        marked = self._marked if 0 < self._marked < len(self._rows) else None
        if marked is None and self._named_rows and 0 < self._named_rows[0] < min(_TITLES, len(self._rows) - 1):
            return HeaderRows(self._named_rows[0], 1)  # below a title, or what the table is about
        if marked is None and any(cell[-1] for cell in self._cells):
            marked = 0  # its headers are those of rows
        spans = {(row, column): (a, b) for _, _, row, column, a, b, _ in self._cells if (a, b) != (1, 1)}
        return find_header_rows(self._rows, marked, spans)

    def build_tables(self) -> list[TextTable]:
        """The table; none where it has no words."""
        self._shorten_cells()
        if self._start is None or not self._rows:
            return []
        header = self._find_header()
        grid = TableGrid(header.count, header.first)
        for start, end, row, column, rows, columns, named in self._cells:
            named = named or header.first <= row < header.first + header.count
            grid.add_cell(start - self._start, end - self._start, (row, column), (rows, columns), named)
        span = None
        if header.count:
            first = self._ends[header.first - 1] + 1 if header.first else self._start
            span = Span(first, self._ends[header.first + header.count - 1])
        return [TextTable(Span(self._start, self._ends[-1]), span, grid)]
