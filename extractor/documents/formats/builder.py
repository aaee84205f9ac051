"""A canonical text while it is written, piece by piece: paragraphs apart by blank lines, a line for each table row.

Headings get the marks of Markdown, and cells a bar between them: that is what the outline of a text is read from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.documents.locations import Labels
from extractor.types import Document, Places, Span, Table, Unread

BAR = " | "


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    label: Sequence[int]
    hidden: bool = False


@dataclass(slots=True)
class Draft:
    labels: Labels = field(default_factory=Labels)
    hidden: list[Span] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    length: int = 0
    _pieces: list[str] = field(default_factory=list)

    def put(self, text: str) -> None:
        """The text as it is."""
        self._pieces.append(text)
        self.length += len(text)

    def words(self, text: str, label: Sequence[int], *, hidden: bool = False) -> None:
        """Text that stands somewhere in the file."""
        if text:
            start = self.length
            self.put(text)
            self.labels.add(start, self.length, label)
            if hidden:
                self.hide(start)

    def hide(self, start: int) -> None:
        """Marks all from there on as what a reader can't see."""
        if start < self.length:
            joined = bool(self.hidden) and self.hidden[-1].end == start
            self.hidden[-1:] = (
                [Span(self.hidden[-1].start, self.length)]
                if joined
                else [
                    *self.hidden[-1:],
                    Span(start, self.length),
                ]
            )

    def part(self) -> None:
        """Ends a paragraph: what comes next stands below a blank line."""
        if self.length:
            self.put("\n\n")

    def paragraph(self, text: str, label: Sequence[int], *, level: int = 0, hidden: bool = False) -> None:
        """A paragraph, or with a level a heading."""
        if not text.strip():
            return
        self.part()
        if level:
            self.put("#" * min(level, 6) + " ")
            text = " ".join(text.split())
        self.words(text, label, hidden=hidden)

    def table(self, rows: Sequence[Sequence[Cell]], *, headed: bool | None = None) -> None:
        """Rows of cells, those without any words left out; `headed` tells whether the first names the columns."""
        rows = [row for row in rows if any(cell.text.strip() for cell in row)]
        if not rows:
            return
        self.part()
        start = self.length
        for i, row in enumerate(rows):
            if i:
                self.put("\n")
            for j, cell in enumerate(row):
                if j:
                    self.put(BAR if cell.text or any(c.text for c in row[j:]) else "")
                self.words(" ".join(cell.text.split()), cell.label, hidden=cell.hidden)
            if i == 0:
                header = Span(start, self.length)
        named = len(rows) > 1 and (names_columns([c.text for c in rows[0]]) if headed is None else headed)
        self.tables.append(Table(Span(start, self.length), header if named else None))

    def document(self, name: str, loader: str, places: Places | None = None) -> Document:
        return Document(
            name,
            "".join(self._pieces),
            tuple(self.hidden),
            tuple(self.tables),
            tuple(self.unread),
            self.labels if places is None else places,
            loader,
        )


def names_columns(cells: Sequence[str]) -> bool:
    """Whether the first row of a table looks like names: several, all different, none of them mostly digits."""
    names = [" ".join(cell.split()).casefold() for cell in cells if cell.strip()]
    digits = any(2 * sum(c.isdigit() for c in name) >= len(name) for name in names)
    return len(names) > 1 and len(set(names)) == len(names) and len(names) * 2 > len(cells) and not digits
