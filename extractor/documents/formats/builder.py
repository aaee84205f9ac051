"""A canonical text while it is written, piece by piece: paragraphs apart by blank lines, a line for each table row.

Headings get the marks of Markdown, and cells a bar between them: that is what the outline of a text is read from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.documents.locations import PieceLabels
from extractor.types import Document, Locations, Span, TextTable, UnreadPart

CELL_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class TableCell:
    text: str
    label: Sequence[int]
    hidden: bool = False


@dataclass(slots=True)
class DocumentBuilder:
    labels: PieceLabels = field(default_factory=PieceLabels)
    hidden: list[Span] = field(default_factory=list)
    tables: list[TextTable] = field(default_factory=list)
    unread: list[UnreadPart] = field(default_factory=list)
    length: int = 0
    _pieces: list[str] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        """The text as it is."""
        self._pieces.append(text)
        self.length += len(text)

    def add_words(self, text: str, label: Sequence[int], *, hidden: bool = False) -> None:
        """Text that stands somewhere in the file."""
        if text:
            start = self.length
            self.add_text(text)
            self.labels.add_piece(start, self.length, label)
            if hidden:
                self.hide_from(start)

    def hide_from(self, start: int) -> None:
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

    def end_paragraph(self) -> None:
        """Ends a paragraph: what comes next stands below a blank line."""
        if self.length:
            self.add_text("\n\n")

    def add_paragraph(self, text: str, label: Sequence[int], *, level: int = 0, hidden: bool = False) -> None:
        """A paragraph, or with a level a heading."""
        if not text.strip():
            return
        self.end_paragraph()
        if level:
            self.add_text("#" * min(level, 6) + " ")
            text = " ".join(text.split())
        self.add_words(text, label, hidden=hidden)

    def add_table(self, rows: Sequence[Sequence[TableCell]], *, headed: bool | None = None) -> None:
        """Writes rows of cells without the empty ones; `headed` is whether the first row names the columns."""
        rows = [row for row in rows if any(cell.text.strip() for cell in row)]
        if not rows:
            return
        self.end_paragraph()
        start = self.length
        for i, row in enumerate(rows):
            if i:
                self.add_text("\n")
            for j, cell in enumerate(row):
                if j:
                    self.add_text(CELL_SEPARATOR if cell.text or any(c.text for c in row[j:]) else "")
                self.add_words(" ".join(cell.text.split()), cell.label, hidden=cell.hidden)
            if i == 0:
                header = Span(start, self.length)
        named = len(rows) > 1 and (looks_like_header([c.text for c in rows[0]]) if headed is None else headed)
        self.tables.append(TextTable(Span(start, self.length), header if named else None))

    def build_document(self, name: str, loader: str, places: Locations | None = None) -> Document:
        return Document(
            name,
            "".join(self._pieces),
            tuple(self.hidden),
            tuple(self.tables),
            tuple(self.unread),
            self.labels if places is None else places,
            loader,
        )


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether the first row of a table looks like names: several, all different, none of them mostly digits."""
    names = [" ".join(cell.split()).casefold() for cell in cells if cell.strip()]
    digits = any(2 * sum(c.isdigit() for c in name) >= len(name) for name in names)
    return len(names) > 1 and len(set(names)) == len(names) and len(names) * 2 > len(cells) and not digits
