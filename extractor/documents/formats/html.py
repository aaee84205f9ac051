"""Web pages: the text that a browser shows, each run of it with its range in the source.

The tree is justhtml's, built as browsers build it, with the place of every text in the source. From there a text is
stepped through letter by letter, since the source may spell a letter `&eacute;`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from justhtml import JustHTML

from extractor.documents.formats import HTML_FORMAT
from extractor.documents.formats.builder import CELL_SEPARATOR, looks_like_header
from extractor.documents.formats.css import StyleSheets, parse_style_sheets
from extractor.documents.formats.entities import find_source_offsets
from extractor.documents.formats.io import decode_text, read_file_bytes, require_text
from extractor.documents.formats.visibility import ElementLook
from extractor.documents.locations import SourceOffsets
from extractor.errors import DocumentError
from extractor.types import Document, Span, TextTable, UnreadPart

_BLOCKS = frozenset(
    (  # noqa: SIM905 (read more easily than a list of strings)
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption "
        "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol optgroup option p pre "
        "search section summary table td tfoot th thead tbody title tr ul"
    ).split()
)
"""Elements with lines of their own (HTML, 15.3: those that a browser shows as blocks, list items and rows)."""
_CLOSE = frozenset("li dt dd tr option summary legend div".split())  # noqa: SIM905 (read more easily than a list of strings)
"""Those of them that no blank line parts from the next."""
_NEVER = frozenset("script style template noscript iframe object svg math canvas audio video".split())  # noqa: SIM905 (read more easily than a list of strings)
"""Elements that are no text of the page."""
_LAYOUT = frozenset("table h1 h2 h3 h4 h5 h6 ul ol dl hr blockquote pre form article section".split())  # noqa: SIM905 (read more easily than a list of strings)
"""A table with one of these in it is used for layout; its rows and columns mean nothing."""
_HEADINGS = {"title": 1, **{f"h{n}": n for n in range(1, 7)}}
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I)
_RUN = re.compile(r"[^ \t\r\n\f]+(?: [^ \t\r\n\f]+)*")
_LINE = re.compile(r"[^\n]+")


def load(path: Path, name: str, ocr: bool) -> Document:
    document = parse_html(_decode_html(read_file_bytes(path, HTML_FORMAT.max_bytes), name), name)
    require_text(document.text, name)
    return document


def warm_up() -> None:
    """Reads a page, so that what is made with the first is made for all that this process, or a fork of it, reads."""
    parse_html("<!doctype html><style>p { color: red }</style><p>a <b>b</b><table><tr><td>c</table>", "")


def parse_html(source: str, name: str) -> Document:
    """The document of a page's source."""
    page = JustHTML(source, track_node_locations=True, sanitize=False)
    styled = re.search(r"<style|stylesheet", source, re.I) is not None
    sheets = parse_style_sheets(list(_find_style_sheets(page.root))) if styled else StyleSheets()
    writer = _HtmlWriter(source, styled, sheets)
    writer.write_tree(page.root)
    loader, unread = f"justhtml {version('justhtml')}", []
    if sheets.incomplete_reason:
        message = (
            f"Not all of the page's style sheets is followed, as {sheets.incomplete_reason}: "
            "what is hidden may be taken for shown."
        )
        unread.append(UnreadPart("style sheets", "too large", message))
    text, hidden, tables = "".join(writer.pieces), tuple(writer.hidden), tuple(writer.tables)
    return Document(name, text, hidden, tables, tuple(unread), writer.places, loader)


def _find_style_sheets(root: Any) -> Iterator[tuple[str, str]]:
    """The style sheets in a page, each with the media that it is for."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.name == "style":
            attributes = node.attrs or {}
            if (attributes.get("type") or "text/css").strip().lower() == "text/css":
                yield attributes.get("media") or "", "".join(c.data or "" for c in node.children if c.name == "#text")
        else:
            stack += reversed(getattr(node, "children", None) or ())


def _decode_html(data: bytes, name: str) -> str:
    """The page's text by its mark, its own declaration, or as UTF-8 (HTML, 13.2.3.2, without guessing)."""
    declared = _META.search(data[:4096])
    if declared and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        label = declared[1].decode("ascii").lower()
        label = {"iso-8859-1": "windows-1252", "latin1": "windows-1252", "us-ascii": "windows-1252"}.get(label, label)
        if not label.startswith(("utf-8", "utf8", "utf-16")):
            try:
                return data.decode(label)
            except (LookupError, UnicodeDecodeError) as error:
                raise DocumentError(
                    f"{name} says it is in {label}, and is not; save it as UTF-8.", reason="encoding"
                ) from error
    return decode_text(data, name)


@dataclass(slots=True)
class _HtmlWriter:
    """The page written as text: white space as a browser shows it, marks for headings and items, rows on lines."""

    source: str
    styled: bool
    """Whether rules that are not followed here may give it grounds of other colours."""
    sheets: StyleSheets
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    hidden: list[Span] = field(default_factory=list)
    tables: list[TextTable] = field(default_factory=list)
    places: SourceOffsets = field(default_factory=SourceOffsets)
    _gap: str = ""
    """White space that is due before the next words, and marks after it."""
    _mark: str = ""
    _hiding_depth: int = 0
    """How many of the elements around hide what is in them."""
    _veiled: bool = False
    """Whether the text at hand has a look that hides it, which an element around it passed on."""
    _hiding: bool = False
    _rows: _TableRows | None = None
    _preformatted_depth: int = 0
    """How many of the elements around keep white space as it is."""

    def write_tree(self, root: Any) -> None:
        """Every node in order. A stack in place of recursion: pages nest as deep as they like."""
        stack: list[tuple[Any, ElementLook | None]] = [(root, None)]
        looks = [ElementLook()]
        while stack:
            node, left = stack.pop()
            if left is not None:
                self.leave_element(node, left)
                looks.pop()
            elif node.name == "#text":
                self._veiled = bool(looks[-1].hiding_inherited)
                self.write_text(node.data or "", node.origin_offset)
            elif node.name not in _NEVER and not node.name.startswith(("#comment", "!")):
                attributes = getattr(node, "attrs", None) or {}
                look = looks[-1].look_within(
                    attributes, self.styled, self.sheets.hiding_properties(node.name, attributes)
                )
                looks.append(look)
                self.enter_element(node, look)
                children = [c for c in node.children or () if node.name != "head" or c.name == "title"]
                stack.append((node, look))
                stack += [(child, None) for child in reversed(children)]

    def enter_element(self, node: Any, look: ElementLook) -> None:
        name = node.name
        self._hiding_depth += look.hides
        self._preformatted_depth += name in ("pre", "textarea")
        if name == "table" and self._rows is None and not _is_layout_table(node):
            self.request_gap("\n\n")
            self._rows = _TableRows()
        elif name == "br":
            self.request_gap("\n")
        elif self._rows and name in ("td", "th"):
            self._rows.begin_cell(name == "th")
        else:
            self.separate_block(name)
            if self._rows and name == "tr":
                self._rows.begin_row()
        if name in _HEADINGS:
            self._mark = "#" * _HEADINGS[name] + " "
        elif name == "li":
            self._mark = "- "

    def leave_element(self, node: Any, look: ElementLook) -> None:
        name = node.name
        if self._rows and name == "tr":
            self._rows.end_row(self.length, "".join(self.pieces[self._rows.first_piece :]))
        if self._rows and name == "table":
            self.tables += self._rows.build_tables()
            self._rows = None
            self.request_gap("\n\n")
        else:
            self.separate_block(name)
        if name in _BLOCKS:
            self._mark = ""
        self._preformatted_depth -= name in ("pre", "textarea")
        self._hiding_depth -= look.hides
        self._hiding = self._hiding and (self._hiding_depth > 0 or self._veiled)

    def separate_block(self, name: str) -> None:
        if name in _BLOCKS:
            self.request_gap("\n" if name in _CLOSE or self._preformatted_depth else "\n\n")

    def request_gap(self, space: str) -> None:
        """Requests white space; of all requests between two words, the largest is written."""
        if self._rows and self._rows.in_cell:
            space = " "
        if len(space) > len(self._gap) or (space == "\n" and self._gap == " "):
            self._gap = space

    def write_text(self, data: str, origin: int | None) -> None:
        exact = self._preformatted_depth and not (self._rows and self._rows.in_cell)
        if origin is not None and self._preformatted_depth and data[:1] != "\n":  # the line end after <pre> is no text
            origin += next(len(end) for end in ("\r\n", "\n", "") if self.source.startswith(end, origin))
        steps = (
            None
            if origin is None or self.source.startswith(data, origin)
            else find_source_offsets(data, self.source, origin)
        )
        for run in (_LINE if exact else _RUN).finditer(data):
            if run.start() and data[run.start() - 1] in " \t\r\n\f":
                self.request_gap("\n" if exact else " ")
            self.write_words(run, origin, steps)
        if data[-1:].isspace():
            self.request_gap("\n" if exact and data[-1] == "\n" else " ")

    def write_words(self, run: re.Match[str], origin: int | None, steps: list[int] | None) -> None:
        before = self._gap if self.length else ""
        if self._rows and self._rows.in_cell:
            before = self._rows.text_before(before, self.length)
            self._rows.mark_start(self.length + len(before), len(self.pieces) + bool(before))
        before += self._mark
        self._gap = self._mark = ""
        if before:
            self.append_text(before)
        start = self.length
        self.append_text(run[0].replace("\xa0", " "))
        if origin is not None:
            self.record_offsets(start, run, origin, steps)
        self._hiding = self._hiding and (self._hiding_depth > 0 or self._veiled)
        if self._hiding_depth or self._veiled:
            since = self.hidden.pop().start if self._hiding else start
            self.hidden.append(Span(since, self.length))
            self._hiding = True

    def append_text(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def record_offsets(self, start: int, run: re.Match[str], origin: int, steps: list[int] | None) -> None:
        """Notes where the words stand in the source; letters that are spelled as entities by themselves."""
        if steps is None:
            self.places.add_run(start, self.length, origin + run.start(), origin + run.end())
            return
        at = run.start()
        while at < min(run.end(), len(steps) - 1):
            to = at + 1
            if steps[to] - steps[at] == 1:
                while to < min(run.end(), len(steps) - 1) and steps[to + 1] - steps[to] == 1:
                    to += 1
            by = start - run.start()
            self.places.add_run(at + by, to + by, steps[at], steps[to])
            at = to


@dataclass(slots=True)
class _TableRows:
    """A table while it is written."""

    in_cell: bool = False
    first_piece: int = 0
    spans: list[Span] = field(default_factory=list)
    has_header: bool | None = None
    _start: int | None = None
    _bars: int = 0
    _cells: int = 0
    _heads: int = 0
    _first: str = ""

    def begin_row(self) -> None:
        self.in_cell, self._start, self._bars, self._cells, self._heads = True, None, 0, 0, 0

    def begin_cell(self, head: bool) -> None:
        self.in_cell = True
        self._bars += self._cells > 0
        self._cells += 1
        self._heads += head

    def text_before(self, gap: str, length: int) -> str:
        """What goes before words of a cell: bars for the cells since the last words, and a line end for a new row."""
        bars, self._bars = CELL_SEPARATOR * self._bars, 0
        if self._start is not None:
            return bars or gap
        return ("\n" if self.spans else "\n\n" if length else "") + bars

    def mark_start(self, at: int, piece: int) -> None:
        if self._start is None:
            self._start, self.first_piece = at, piece

    def end_row(self, at: int, words: str) -> None:
        self.in_cell = False
        if self._start is not None:
            if not self.spans:
                self._first = words
                self.has_header = True if self._heads == self._cells and self._cells > 1 else None
            self.spans.append(Span(self._start, at))
            self._start = None

    def build_tables(self) -> list[TextTable]:
        if not self.spans:
            return []
        named = looks_like_header(self._first.split(CELL_SEPARATOR)) if self.has_header is None else self.has_header
        header = self.spans[0] if named and len(self.spans) > 1 else None
        return [TextTable(Span(self.spans[0].start, self.spans[-1].end), header)]


def _is_layout_table(table: Any) -> bool:
    """Whether the table is one of layout."""
    stack = list(table.children or ())
    while stack:
        node = stack.pop()
        if node.name in _LAYOUT:
            return True
        stack += getattr(node, "children", None) or ()
    return False
