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

from extractor.documents import formats as loaders
from extractor.documents.formats import css as styles
from extractor.documents.formats import entities as spelled
from extractor.documents.formats import io as files
from extractor.documents.formats.builder import BAR, names_columns
from extractor.documents.formats.visibility import Look
from extractor.documents.locations import Offsets
from extractor.errors import DocumentError
from extractor.types import Document, Span, Table, Unread

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
"""A table with one of these in it puts things in their places; it has no rows and columns that say something."""
_HEADINGS = {"title": 1, **{f"h{n}": n for n in range(1, 7)}}
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I)
_RUN = re.compile(r"[^ \t\r\n\f]+(?: [^ \t\r\n\f]+)*")
_LINE = re.compile(r"[^\n]+")


def load(path: Path, name: str, ocr: bool) -> Document:
    document = read(_decode(files.read(path, loaders.HTML.largest), name), name)
    files.checked(document.text, name)
    return document


def read(source: str, name: str) -> Document:
    """The document of a page's source."""
    page = JustHTML(source, track_node_locations=True, sanitize=False)
    styled = re.search(r"<style|stylesheet", source, re.I) is not None
    sheets = styles.read(list(_sheets(page.root))) if styled else styles.Sheets()
    writer = _Writer(source, styled, sheets)
    writer.walk(page.root)
    loader, unread = f"justhtml {version('justhtml')}", []
    if sheets.cut:
        said = (
            f"Not all of the page's style sheets is followed, as {sheets.cut}: what is hidden may be taken for shown."
        )
        unread.append(Unread("style sheets", "too large", said))
    text, hidden, tables = "".join(writer.pieces), tuple(writer.hidden), tuple(writer.tables)
    return Document(name, text, hidden, tables, tuple(unread), writer.places, loader)


def _sheets(root: Any) -> Iterator[tuple[str, str]]:
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


def _decode(data: bytes, name: str) -> str:
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
    return files.decode(data, name)


@dataclass(slots=True)
class _Writer:
    """The page written as text: white space as a browser shows it, marks for headings and items, rows on lines."""

    source: str
    styled: bool
    """Whether rules that are not followed here may give it grounds of other colours."""
    sheets: styles.Sheets
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    hidden: list[Span] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    places: Offsets = field(default_factory=Offsets)
    _gap: str = ""
    """White space that is due before the next words, and marks after it."""
    _mark: str = ""
    _unseen: int = 0
    """How many of the elements around hide what is in them."""
    _veiled: bool = False
    """Whether the text at hand has a look that hides it, which an element around it passed on."""
    _hiding: bool = False
    _rows: _Rows | None = None
    _exact: int = 0
    """How many of the elements around keep white space as it is."""

    def walk(self, root: Any) -> None:
        """Every node in order. A stack in place of recursion: pages nest as deep as they like."""
        stack: list[tuple[Any, Look | None]] = [(root, None)]
        looks = [Look()]
        while stack:
            node, left = stack.pop()
            if left is not None:
                self.leave(node, left)
                looks.pop()
            elif node.name == "#text":
                self._veiled = bool(looks[-1].veils)
                self.text(node.data or "", node.origin_offset)
            elif node.name not in _NEVER and not node.name.startswith(("#comment", "!")):
                attributes = getattr(node, "attrs", None) or {}
                look = looks[-1].of(attributes, self.styled, self.sheets.says(node.name, attributes))
                looks.append(look)
                self.enter(node, look)
                children = [c for c in node.children or () if node.name != "head" or c.name == "title"]
                stack.append((node, look))
                stack += [(child, None) for child in reversed(children)]

    def enter(self, node: Any, look: Look) -> None:
        name = node.name
        self._unseen += look.hides
        self._exact += name in ("pre", "textarea")
        if name == "table" and self._rows is None and not _lays_out(node):
            self.gap("\n\n")
            self._rows = _Rows()
        elif name == "br":
            self.gap("\n")
        elif self._rows and name in ("td", "th"):
            self._rows.cell(name == "th")
        else:
            self.border(name)
            if self._rows and name == "tr":
                self._rows.begin()
        if name in _HEADINGS:
            self._mark = "#" * _HEADINGS[name] + " "
        elif name == "li":
            self._mark = "- "

    def leave(self, node: Any, look: Look) -> None:
        name = node.name
        if self._rows and name == "tr":
            self._rows.end(self.length, "".join(self.pieces[self._rows.piece :]))
        if self._rows and name == "table":
            self.tables += self._rows.table()
            self._rows = None
            self.gap("\n\n")
        else:
            self.border(name)
        if name in _BLOCKS:
            self._mark = ""
        self._exact -= name in ("pre", "textarea")
        self._unseen -= look.hides
        self._hiding = self._hiding and (self._unseen > 0 or self._veiled)

    def border(self, name: str) -> None:
        if name in _BLOCKS:
            self.gap("\n" if name in _CLOSE or self._exact else "\n\n")

    def gap(self, space: str) -> None:
        """Asks for white space; of all that is asked for between two words, the most is written."""
        if self._rows and self._rows.within:
            space = " "
        if len(space) > len(self._gap) or (space == "\n" and self._gap == " "):
            self._gap = space

    def text(self, data: str, origin: int | None) -> None:
        exact = self._exact and not (self._rows and self._rows.within)
        if origin is not None and self._exact and data[:1] != "\n":  # the line end after <pre> is no text
            origin += next(len(end) for end in ("\r\n", "\n", "") if self.source.startswith(end, origin))
        steps = (
            None if origin is None or self.source.startswith(data, origin) else spelled.steps(data, self.source, origin)
        )
        for run in (_LINE if exact else _RUN).finditer(data):
            if run.start() and data[run.start() - 1] in " \t\r\n\f":
                self.gap("\n" if exact else " ")
            self.write(run, origin, steps)
        if data[-1:].isspace():
            self.gap("\n" if exact and data[-1] == "\n" else " ")

    def write(self, run: re.Match[str], origin: int | None, steps: list[int] | None) -> None:
        before = self._gap if self.length else ""
        if self._rows and self._rows.within:
            before = self._rows.before(before, self.length)
            self._rows.note(self.length + len(before), len(self.pieces) + bool(before))
        before += self._mark
        self._gap = self._mark = ""
        if before:
            self.put(before)
        start = self.length
        self.put(run[0].replace("\xa0", " "))
        if origin is not None:
            self.trace(start, run, origin, steps)
        self._hiding = self._hiding and (self._unseen > 0 or self._veiled)
        if self._unseen or self._veiled:
            since = self.hidden.pop().start if self._hiding else start
            self.hidden.append(Span(since, self.length))
            self._hiding = True

    def put(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def trace(self, start: int, run: re.Match[str], origin: int, steps: list[int] | None) -> None:
        """Notes where the words stand in the source; letters that are spelled as entities by themselves."""
        if steps is None:
            self.places.add(start, self.length, origin + run.start(), origin + run.end())
            return
        at = run.start()
        while at < min(run.end(), len(steps) - 1):
            to = at + 1
            if steps[to] - steps[at] == 1:
                while to < min(run.end(), len(steps) - 1) and steps[to + 1] - steps[to] == 1:
                    to += 1
            by = start - run.start()
            self.places.add(at + by, to + by, steps[at], steps[to])
            at = to


@dataclass(slots=True)
class _Rows:
    """A table while it is written."""

    within: bool = False
    piece: int = 0
    spans: list[Span] = field(default_factory=list)
    named: bool | None = None
    _start: int | None = None
    _bars: int = 0
    _cells: int = 0
    _heads: int = 0
    _first: str = ""

    def begin(self) -> None:
        self.within, self._start, self._bars, self._cells, self._heads = True, None, 0, 0, 0

    def cell(self, head: bool) -> None:
        self.within = True
        self._bars += self._cells > 0
        self._cells += 1
        self._heads += head

    def before(self, gap: str, length: int) -> str:
        """What goes before words of a cell: bars for the cells since the last words, and a line end for a new row."""
        bars, self._bars = BAR * self._bars, 0
        if self._start is not None:
            return bars or gap
        return ("\n" if self.spans else "\n\n" if length else "") + bars

    def note(self, at: int, piece: int) -> None:
        if self._start is None:
            self._start, self.piece = at, piece

    def end(self, at: int, words: str) -> None:
        self.within = False
        if self._start is not None:
            if not self.spans:
                self._first = words
                self.named = True if self._heads == self._cells and self._cells > 1 else None
            self.spans.append(Span(self._start, at))
            self._start = None

    def table(self) -> list[Table]:
        if not self.spans:
            return []
        named = names_columns(self._first.split(BAR)) if self.named is None else self.named
        header = self.spans[0] if named and len(self.spans) > 1 else None
        return [Table(Span(self.spans[0].start, self.spans[-1].end), header)]


def _lays_out(table: Any) -> bool:
    """Whether the table is one of layout."""
    stack = list(table.children or ())
    while stack:
        node = stack.pop()
        if node.name in _LAYOUT:
            return True
        stack += getattr(node, "children", None) or ()
    return False
