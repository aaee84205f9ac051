"""A tree of names and values written as text: `name: value` lines, tables, and a heading for each entry of a list.

A line names all that its value is under since the heading above: "Seller / Address / City: London". So a value has its
names beside it, whatever stands between it and the place where they were given, and in every chunk of a long document.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.named_values import (
    MAX_DEPTH,
    NamedNode,
    Row,
    Words,
    group_repeated,
    join_short_list,
    read_keyed_rows,
    read_matrix,
    read_rows,
)
from extractor.documents.locations import PieceLabels, SourceOffsets
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

NAME_SEPARATOR = " / "
MAX_PATH = 80
"""Letters of the names that stand before a value; of more, the outer ones are left out, since they tell the least."""
_PROSE_NAMES = frozenset({"p", "para", "simpara"})
"""Elements of XML that are paragraphs and nothing else in every vocabulary that has them; their names say nothing."""


def write_named_values(root: NamedNode, source: str, name: str, loader: str) -> Document:
    """The document of a tree. Raises DocumentError for one without a value in it, and for one nested too deep."""
    _check_depth(root, name)
    writer = _NamedWriter(_PROSE_NAMES if loader == "expat" else frozenset())
    writer.write_root(root)
    document = writer.draft.build_document(name, loader, writer.build_places(source))
    if not writer.has_values:
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return document


def write_source(source: str, name: str, message: str) -> Document:
    """The source itself as the text, for a file that is not what it should be; `message` says so, and it is listed."""
    return Document(name, source, unread=(UnreadPart("structure", "broken", message),))


def _check_depth(root: NamedNode, name: str) -> None:
    level: Sequence[NamedNode] = [root]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.children]
        if not level:
            return
    raise DocumentError(
        f"{name} is nested more than {MAX_DEPTH} levels deep; give the part of it that matters.", reason="too large"
    )


class _NamedWriter:
    def __init__(self, prose_names: frozenset[str]) -> None:
        self._prose_names = prose_names
        self.draft = DocumentBuilder(PieceLabels(("value",)))
        self.has_values = False
        self._starts, self._ends = array("Q"), array("Q")
        self._headings: list[tuple[int, tuple[str, ...]]] = []
        """The headings that what comes next stands under."""
        self._left = False
        """Whether an entry of a list has ended since the last heading, so that what follows would seem to be of it."""
        self._gap = ""

    def write_root(self, root: NamedNode) -> None:
        if root.is_leaf or not root.name.text:
            self._write_node(root, ())
            return
        self._write_heading((), root.name)
        for note in root.notes:
            self._write_line((), note)
        self._write_members(root, ())

    def build_places(self, source: str) -> SourceOffsets:
        """Where the words stand in the source."""
        places, labels = SourceOffsets(), self.draft.labels
        for start, end, number in zip(labels.starts, labels.ends, labels.numbers, strict=True):
            if self._ends[number - 1]:
                places.add_run(start, end, self._starts[number - 1], self._ends[number - 1])
        return places

    def _write_node(self, node: NamedNode, path: tuple[str, ...]) -> None:
        own = (*path, node.name.text) if node.name.text else path
        if node.is_hidden:
            self._write_hidden(node)
        elif node.is_leaf:
            self._write_line(path, node)
        elif node.is_list:
            self._write_list(node, path)
        else:
            for note in node.notes:
                self._write_line(own, note)
            self._write_members(node, own)

    def _write_members(self, node: NamedNode, path: tuple[str, ...]) -> None:
        keyed = read_keyed_rows(node)
        if keyed is not None:
            self._write_table(keyed, path)
            return
        for group in group_repeated(node.children):
            if len(group) == 1:
                self._write_node(group[0], path)
            elif all(entry.is_leaf and not entry.notes for entry in group):
                for entry in group:
                    self._write_line(path, entry)
            else:
                self._write_entries(group, (*path, group[0].name.text), group[0].name)

    def _write_list(self, node: NamedNode, path: tuple[str, ...]) -> None:
        joined = join_short_list(node.children)
        if joined is not None:
            self._write_line(path, NamedNode(node.name, joined))
        elif all(entry.is_leaf for entry in node.children):
            self._write_line(path, NamedNode(node.name, Words("")))
            for entry in node.children:
                self._begin_line("- ")
                self._add(entry.value or Words(""))
        else:
            self._write_entries(node.children, (*path, node.name.text) if node.name.text else path, node.name)

    def _write_entries(self, entries: Sequence[NamedNode], path: tuple[str, ...], name: Words) -> None:
        """The entries of a list: as a table where they are rows of one, else each under a heading of its own."""
        matrix = read_matrix(entries)
        rows = read_rows(entries) if matrix is None else None
        if rows is not None:
            self._write_table(rows, path)
        elif matrix is not None:
            self._write_caption(path)
            self._add_table([[TableCell(cell.text, self._label(cell)) for cell in row] for row in matrix])
        else:
            for entry in entries:
                self._write_entry(entry, path, name)

    def _write_entry(self, entry: NamedNode, path: tuple[str, ...], name: Words) -> None:
        if entry.is_leaf or entry.is_hidden:
            self._write_node(NamedNode(name, entry.value, entry.notes) if entry.is_leaf else entry, path[:-1])
            return
        self._write_heading(path[:-1], name)
        for note in entry.notes:
            self._write_line((), note)
        if entry.is_list:
            self._write_list(NamedNode(Words(""), children=entry.children, is_list=True), ())
        else:
            self._write_members(entry, ())
        self._headings.pop()
        self._left = True

    def _write_heading(self, path: tuple[str, ...], name: Words) -> None:
        self._left = False
        self._headings.append((min(len(self._headings) + 1, 6), (*path, name.text)))
        self._start_heading()
        for step in path:
            self.draft.add_text(step + NAME_SEPARATOR)
        self._add(name)

    def _start_heading(self) -> None:
        self.draft.end_paragraph()
        self.draft.add_text("#" * self._headings[-1][0] + " ")
        self._gap = "\n"

    def _return_to_heading(self, names: tuple[str, ...]) -> None:
        """Names what the next words are under, where the entry of a list above would seem to go on with them."""
        self._left = False
        if self._headings:
            self._start_heading()
            self.draft.add_text(NAME_SEPARATOR.join(self._headings[-1][1]))
        elif names:
            self.draft.end_paragraph()
            self.draft.add_text(f"# {names[0]}")
            self._gap = "\n"

    def _begin_line(self, mark: str = "") -> None:
        self.draft.add_text(self._gap + mark)
        self._gap = "\n"

    def _write_line(self, path: tuple[str, ...], node: NamedNode) -> None:
        """A value with its names before it, and what is said of it behind it."""
        value = node.value or Words("")
        if self._left:
            self._return_to_heading((*path, node.name.text))
        if node.is_prose or node.name.text in self._prose_names:
            self.draft.end_paragraph()
            self._gap = ""
        self._begin_line()
        if node.name.text not in self._prose_names:
            self.draft.add_text("".join(step + NAME_SEPARATOR for step in _shorten(path)))
            self._add(node.name)
            self.draft.add_text(": " if value.text and (path or node.name.text) else ":" if node.name.text else "")
        self._add(value)
        for i, note in enumerate(node.notes):
            self.draft.add_text(", " if i else " (")
            self._add(note.name)
            self.draft.add_text(": ")
            self._add(note.value or Words(""))
        self.draft.add_text(")" if node.notes else "")

    def _write_hidden(self, node: NamedNode) -> None:
        start = self.draft.length
        self._begin_line()
        self._add(node.value or Words(""))
        self.draft.hide_from(start)

    def _write_table(self, rows: Sequence[Row], path: tuple[str, ...]) -> None:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        header = [TableCell(NAME_SEPARATOR.join(_shorten(column)), self._label(Words(""))) for column in columns]
        body = [
            [TableCell(cell.text, self._label(cell)) for cell in (row.get(c, Words("")) for c in columns)]
            for row in rows
        ]
        self._write_caption(path)
        self._add_table([header, *body], headed=True)

    def _write_caption(self, path: tuple[str, ...]) -> None:
        if self._left:
            self._return_to_heading(path)
            if not self._headings and len(path) == 1:  # the heading says it all
                return
        if path:
            self._begin_line()
            self.draft.add_text(NAME_SEPARATOR.join(_shorten(path)) + ":")

    def _add_table(self, rows: list[list[TableCell]], *, headed: bool | None = None) -> None:
        self.draft.add_table(rows, headed=headed)
        self._gap, self.has_values = "\n\n", True

    def _label(self, words: Words) -> tuple[int]:
        self._starts.append(words.start)
        self._ends.append(words.end)
        return (len(self._starts),)

    def _add(self, words: Words) -> None:
        if words.text:
            self.has_values = True
            self.draft.add_words(words.text, self._label(words))


def _shorten(path: tuple[str, ...]) -> tuple[str, ...]:
    """The inner names of a long path."""
    length, first = 0, len(path)
    while first > 0 and (first == len(path) or length + len(path[first - 1]) <= MAX_PATH):
        first -= 1
        length += len(path[first]) + len(NAME_SEPARATOR)
    return path[first:]
