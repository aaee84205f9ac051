"""A tree of a web page written as text: what a browser shows, in its order, with marks for headings and items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from justhtml import JustHTML

from extractor.documents.formats.entities import find_attribute, find_source_offsets
from extractor.documents.formats.html_controls import Shown, show_input, show_select
from extractor.documents.formats.html_lists import ItemCounter
from extractor.documents.formats.html_source import blank_odd_markup
from extractor.documents.formats.html_tables import CELL, ROW, TABLE, find_cell_tag, find_data_tables, find_role
from extractor.documents.formats.html_text import PageText
from extractor.documents.formats.html_words import KEEPING, OpenElement, SourceWords
from extractor.documents.formats.link_text import is_told, says_address, spell_address
from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.look import Look
from extractor.documents.formats.styles.page import NOT_TEXT, PageLooks, compute_looks
from extractor.documents.formats.styles.selectors import AFTER, BEFORE

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
_HEADINGS = {"title": 1, **{f"h{n}": n for n in range(1, 7)}}
_NO_CONTENT = frozenset(("select", "meter", "progress", "datalist", "option"))
"""Elements whose content is not shown as it stands."""
_SEPARATE = frozenset(("button", "textarea", "select", "label", "output"))
"""Controls, between which a browser leaves room."""
_INLINE = frozenset(("inline", "contents", "inline-block", "inline-flex", "inline-table", "inline-grid", "ruby"))
_SHORT_TERM = 80
"""Characters of a term of definitions that stands on one line with what it means."""
MAX_ADDRESS = 300
"""Characters of an address behind linked words that is written; longer ones are of use to machines."""
_LONGEST_ALT = 300
"""Characters of the words in place of a picture."""
MAX_FRAMES, MAX_FRAME_DEPTH = 50, 3
"""Pages in frames of one page that are read, and in each other."""


@dataclass(slots=True)
class Frames:
    """The pages that stand in frames of a page, and in theirs."""

    count: int = 0

    @property
    def is_over(self) -> bool:
        """Whether there are more than are read."""
        return self.count > MAX_FRAMES


@dataclass(slots=True)
class PageWriter:
    """Writes the text of a page."""

    source: str
    looks: PageLooks
    frames: Frames = field(default_factory=Frames)
    depth: int = 0
    """Frames around the page."""
    text: PageText = field(default_factory=PageText)
    pictures: list[str] = field(default_factory=list)
    """The addresses of pictures that are seen."""
    _data_tables: set[int] = field(default_factory=set)
    _table_depth: int = 0
    """Tables open within the table of data that is being written, itself included."""
    _open: list[OpenElement] = field(default_factory=list)
    _written_addresses: set[str] = field(default_factory=set)
    _nav_depth: int = 0
    _words: SourceWords = field(init=False)

    def __post_init__(self) -> None:
        self._words = SourceWords(self.source, self.text)

    def write_tree(self, root: Any) -> None:
        """Every node in order. A stack in place of recursion: pages nest as deep as they like."""
        self._data_tables = find_data_tables(root, self._find_role)
        stack: list[Any] = [root]
        while stack:
            node = stack.pop()
            if node is None:
                self._leave()
            elif node.name == "#text":
                around = self._open[-1]
                self._words.write_text(node.data or "", node.origin_offset, around, around.sight)
            elif node.name == "iframe":
                self._write_frame(node)
            elif node.name not in NOT_TEXT and not node.name.startswith(("#comment", "!")):
                children = self._enter(node)
                stack.append(None)
                stack += reversed(children)

    def _find_role(self, node: Any) -> str:
        look = self.looks.looks.get(id(node))
        return find_role(node, look.display) if look is not None else ""

    def _enter(self, node: Any) -> Sequence[Any]:
        """Begins an element; the nodes in it that are to be written."""
        name, looks = node.name, self.looks
        above = self._open[-1] if self._open else None
        self._mark_formula(node, above)
        is_title = name == "title" and above is not None and above.node.name == "head"
        look = looks.looks.get(id(node)) or (above.look if above else Look())
        sight = Sight.SHOWN if is_title else looks.sights.get(id(node), above.sight if above else Sight.SHOWN)
        around = OpenElement(node, look, self._find_role(node), sight, len(self.text.pieces))
        around.raised = _find_raised(node, look, above.node if above else None) or (above.raised if above else "")
        self._open.append(around)
        self._nav_depth += name == "nav"
        self._begin(around, above)
        if name in _HEADINGS and not self.text.in_cell and (name != "title" or is_title):
            self.text.mark = "#" * _HEADINGS[name] + " "
        elif name == "li" and look.display not in ("inline", "inline-block"):
            self._mark_item(node, look, above)
        elif name in ("ol", "ul", "menu"):
            items = sum(child.name == "li" for child in node.children or ())
            around.counter = ItemCounter.of_list(node.attrs or {}, items)
        self._write_shown(node, around)
        if name in _NO_CONTENT:
            return ()
        if name == "head":  # the title of a page in a frame is shown nowhere
            return () if self.depth else [child for child in node.children or () if child.name == "title"]
        children = node.children or ()
        if around.role == TABLE:
            children = self._order_groups(children)
        elif look.flex:
            children = self._order_flexible(children, look)
        before, after = self._find_added(node, BEFORE), self._find_added(node, AFTER)
        return [*before, *children, *after] if before or after else children

    def _order_groups(self, children: Sequence[Any]) -> Sequence[Any]:
        """What is in a table as it is drawn: its head above its rows and its foot below, wherever they stand
        (CSS 2, 17.2)."""
        looks = [self.looks.looks.get(id(child)) for child in children]
        displays = [look.display if look is not None else "" for look in looks]
        head, foot = (displays.index(d) if d in displays else -1 for d in ("table-header-group", "table-footer-group"))
        if head < 0 and foot < 0:
            return children
        ranks = [0 if display == "table-caption" else 2 for display in displays]
        if head >= 0:
            ranks[head] = 1
        if foot >= 0:
            ranks[foot] = 3
        return [children[i] for i in sorted(range(len(children)), key=ranks.__getitem__)]

    def _order_flexible(self, children: Sequence[Any], look: Look) -> Sequence[Any]:
        """What is in a flexible box as it is laid out (CSS Flexbox, 5.1 and 5.4)."""
        looks = [self.looks.looks.get(id(child)) for child in children]
        orders = [found.order if found is not None else 0.0 for found in looks]
        if any(orders):
            children = [children[i] for i in sorted(range(len(children)), key=orders.__getitem__)]
        return children[::-1] if look.is_reversed else children

    def _find_added(self, node: Any, side: str) -> Sequence[Any]:
        """What a style sheet puts there, if it is seen; what is not seen is nothing of the file's text."""
        found = self.looks.added.get((id(node), side))
        return (found,) if found is not None and self.looks.sights[id(found)] is not Sight.HIDDEN else ()

    def _write_frame(self, node: Any) -> None:
        """The page that stands in an attribute of a frame (HTML, 4.8.5)."""
        written = (node.attrs or {}).get("srcdoc") or ""
        if not written.strip():
            return
        self.frames.count += 1
        if self.depth >= MAX_FRAME_DEPTH or self.frames.is_over:
            self.frames.count = MAX_FRAMES + 1
            return
        source = blank_odd_markup(written)
        root = JustHTML(source, track_node_locations=True, sanitize=False).root
        inner = PageWriter(source, compute_looks(root), self.frames, self.depth + 1)
        inner.write_tree(root)
        place = find_attribute(self.source, node.origin_offset, "srcdoc") if node.origin_offset is not None else None
        steps = find_source_offsets(written, self.source, place[0]) if place is not None else []
        self.text.add_page(inner.text, self.looks.sights.get(id(node), Sight.SHOWN), steps)
        self.pictures += inner.pictures

    def _mark_formula(self, node: Any, above: OpenElement | None) -> None:
        """A formula on one line: a fraction as a/b, a root as √x (MathML Core 3)."""
        if node.name in ("msqrt", "mroot"):
            self.text.mark += "√"
        elif above is not None and above.node.name == "mfrac" and node is not _first_element(above.node):
            self.text.mark += "/"

    def _mark_item(self, node: Any, look: Look, above: OpenElement | None) -> None:
        counter = above.counter if above else None
        mark = counter.mark_item(node.attrs or {}, look.list_style) if counter else "- "
        # a list that puts signs of its own before its items shows no others
        self.text.mark = "" if look.list_style == "none" and self._find_added(node, BEFORE) else mark

    def _begin(self, around: OpenElement, above: OpenElement | None) -> None:
        node, role, text = around.node, around.role, self.text
        if role == TABLE and text.table is not None:
            self._table_depth += 1
            text.request_gap(" ")
        elif role == TABLE and id(node) in self._data_tables:
            text.begin_table()
            self._table_depth = 1
        elif node.name == "br":
            text.request_gap("\n")
        elif text.table is not None and role in (ROW, CELL):
            if self._table_depth > 1:
                text.request_gap(" ")
            elif role == ROW:
                group = above.node if above else node
                text.table.begin_row(id(group), in_head=group.name == "thead")
            else:
                text.table.begin_cell(node.attrs or {}, find_cell_tag(node), text.length, text.pieces)
        elif node.name == "dd" and text.joint:
            joint = text.joint
            text.narrow_gap("", hold=True)
            text.mark, text.joint = joint, ""
        else:
            self._separate(around, above)

    def _separate(self, around: OpenElement, above: OpenElement | None) -> None:
        """Requests the white space that parts an element from what stands before or after it."""
        name, display = around.node.name, around.look.display
        block = name in _BLOCKS
        shown_as_block = block if display == "none" else display not in _INLINE
        if name in _SEPARATE or (above is not None and above.look.flex == "row"):
            self.text.request_gap(" ")
        elif around.look.is_drawn:
            self.text.request_gap("\n" if name in ("svg", "text") else "")
        elif shown_as_block:
            close = name in _CLOSE or not block or around.look.white_space in KEEPING
            close = close or (name in ("ul", "ol") and above is not None and above.node.name == "li")
            self.text.request_gap("\n" if close else "\n\n")
        elif block:
            self.text.request_gap(" ")

    def _leave(self) -> None:
        around = self._open.pop()
        node, role, text = around.node, around.role, self.text
        above = self._open[-1] if self._open else None
        if node.name == "a":
            self._write_address(node, around)
        self._nav_depth -= node.name == "nav"
        if role == TABLE and text.table is not None:
            self._table_depth -= 1
            if not self._table_depth:
                text.end_table()
            else:
                text.request_gap(" ")
        elif role == ROW and text.table is not None and self._table_depth == 1:
            text.end_row()
        elif not (role == CELL and text.table is not None and self._table_depth == 1):
            self._separate(around, above)
        if node.name in _BLOCKS:
            text.mark = ""
        if node.name == "dd":
            text.release_gap()
            self._separate(around, above)
        if node.name == "dt":
            self._end_term(around)

    def _end_term(self, around: OpenElement) -> None:
        """What is defined stands before what it means, with a colon that lists of labels have."""
        words = "".join(self.text.pieces[around.words_from :]).strip()
        if words and len(words) <= _SHORT_TERM and "\n" not in words and around.sight is Sight.SHOWN:
            self.text.joint = " " if words[-1] in ":;,.?!–—-" else ": "

    def _write_shown(self, node: Any, around: OpenElement) -> None:
        """Writes what an element shows that is not its content: values of controls, words in place of pictures."""
        name, attributes = node.name, node.attrs or {}
        if name == "input":
            shown = show_input(node)
            if shown is not None:
                self.text.request_gap(" ")
                # boxes are often drawn by other means than the control, which is away then
                sight = around.sight if shown.attribute else min(around.sight, Sight.DOUBTFUL)
                self._words.write_value(shown, around, sight)
                self.text.request_gap(" ")
        elif name == "select":
            for option in show_select(node):
                self.text.request_gap(" ")
                sight = max(around.sight, self.looks.sights.get(id(option.node), Sight.SHOWN))
                self._words.write_value(option, around, sight)
                self.text.request_gap(" ")
        if name == "img" and around.sight is Sight.SHOWN and (address := (attributes.get("src") or "").strip()):
            self.pictures.append(address)
        if name == "img" and (attributes.get("alt") or "").strip() and around.sight is not Sight.HIDDEN:
            alt = (attributes["alt"] or "")[:_LONGEST_ALT]
            self.text.request_gap(" ")
            self._words.write_value(Shown(alt, node, "alt"), around, Sight.DOUBTFUL)
            self.text.request_gap(" ")

    def _write_address(self, node: Any, around: OpenElement) -> None:
        """Writes the address of a link after its words, once in a page."""
        written = (node.attrs or {}).get("href") or ""
        address = spell_address(written.strip())
        if not is_told(written.strip()) or not 0 < len(address) <= MAX_ADDRESS or self._nav_depth:
            return
        if address in self._written_addresses or any(c.isspace() or not c.isprintable() for c in address):
            return
        if says_address("".join(self.text.pieces[around.words_from :]), written.strip()):
            return
        start = node.origin_offset
        place = find_attribute(self.source, start, "href") if start is not None else None
        if place is None:
            return
        self._written_addresses.add(address)
        at = written.find(address)
        steps = find_source_offsets(written, self.source, place[0])
        if len(self.text.pieces) > around.words_from:
            self.text.narrow_gap(" ")
        self.text.mark += "("
        self.text.add_run(address, around.sight, None, steps[at : at + len(address) + 1])
        self.text.add_run(")", around.sight, None, None)


def _find_raised(node: Any, look: Look, parent: Any) -> str:
    """Whether letters stand above or below the line."""
    if node.name in ("sup", "sub"):
        return "super" if node.name == "sup" else "sub"
    if parent is not None and parent.name in ("msup", "msub", "msubsup") and node is not _first_element(parent):
        above = parent.name == "msup" or (parent.name == "msubsup" and node is parent.children[-1])
        return "super" if above else "sub"
    return look.raised


def _first_element(node: Any) -> Any:
    return next((child for child in node.children or () if not child.name.startswith("#")), None)
