"""The looks of all elements of a page, and how well text directly in each is seen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.added import (
    MAX_ADDED_CHARACTERS,
    AddedElement,
    AddedText,
    Counters,
    spell_content,
)
from extractor.documents.formats.styles.cascade import Cascade
from extractor.documents.formats.styles.defaults import BROWSER_SHEET, QUIRKS_SHEET, read_hints
from extractor.documents.formats.styles.drawings import DRAWING, OUTSIDE, WORDS, find_scope, judge_words
from extractor.documents.formats.styles.look import Look
from extractor.documents.formats.styles.looks import LookMaker
from extractor.documents.formats.styles.matching import MAX_MATCH_STEPS, Matcher, Place
from extractor.documents.formats.styles.selectors import AFTER, BEFORE, SelectorTable
from extractor.documents.formats.styles.sheets import BROWSER, StyleSheets
from extractor.documents.formats.styles.style import Style

NOT_TEXT = frozenset(("script", "style", "template", "noscript", "iframe", "object", "canvas", "audio", "video"))
"""Elements whose content is no text of the page."""
_WITHOUT_ADDED = frozenset(("img", "input", "br", "textarea", "select", "meter", "progress", "embed", "wbr", "html"))
"""Elements that nothing is added to, as they have no content of their own."""


@dataclass(slots=True)
class _Frame:
    """An element while what is in it is looked at. Elements are known by their numbers in the order of the page."""

    node: Any
    place: Place
    look: Look
    number: int
    ground: int
    """The element that paints what it stands on."""
    moved: bool
    """Whether it or something between it and its ground may stand elsewhere."""
    holder: int
    """The nearest element that is positioned."""
    below: Sight
    """How a negative z-index around it lets it be seen under an opaque ground."""
    sunk: bool
    """Whether there is one."""
    scope: str = OUTSIDE
    """Whether it stands in a drawing."""
    outside: Sight = Sight.SHOWN
    """How words of a drawing are seen by their place in it."""
    shut: Look | None = None
    """The look that children have which are shut away."""


@dataclass(slots=True)
class _Writing:
    """An element with text whose place among boxes that lie over each other is asked for at the end."""

    node: int
    number: int
    ground: int
    moved: bool
    holder: int
    faint: bool
    sunk: bool


@dataclass(slots=True)
class PageLooks:
    """How a page looks. Elements are known by identity."""

    incomplete_reason: str = ""
    """Why some of the page's style is not followed; empty where all is."""
    has_unfetched: bool = False
    steps: int = 0
    """How many times a step of a selector was held against an element."""
    looks: dict[int, Look] = field(default_factory=dict)
    sights: dict[int, Sight] = field(default_factory=dict)
    """Of text directly in an element."""
    added: dict[tuple[int, str], AddedElement] = field(default_factory=dict)
    """What style sheets put into elements, by the element and whether it is before or after its content."""

    def look(self, node: Any) -> Look:
        return self.looks[id(node)]

    def sight(self, node: Any) -> Sight:
        return self.sights[id(node)]


def compute_looks(root: Any) -> PageLooks:
    """The looks of all elements under the root of a tree of justhtml."""
    quirks = not any(child.name == "!doctype" for child in root.children or ())
    sheets = StyleSheets(SelectorTable(any_case=quirks))
    sheets.add_sheet(BROWSER_SHEET, origin=BROWSER)
    if quirks:
        sheets.add_sheet(QUIRKS_SHEET, origin=BROWSER)
    dark = False
    for node in _walk_sheets(root):
        attributes = node.attrs or {}
        if node.name == "style":
            sheets.add_sheet(
                "".join(c.data or "" for c in node.children if c.name == "#text"), attributes.get("media") or ""
            )
        elif node.name == "link":
            sheets.add_linked_sheet(attributes.get("href") or "", attributes.get("media") or "")
        else:
            words = (attributes.get("content") or "").lower().split()
            dark = "dark" in words and "light" not in words
    page = PageLooks(has_unfetched=sheets.has_unfetched)
    walker = _Walker(sheets, sheets.build_matcher(), page, Cascade(sheets), LookMaker(sheets.moving))
    walker.walk(root, dark)
    walker.settle_overlaps()
    reason = sheets.incomplete_reason
    if walker.matcher.steps_left < 0:
        reason = f"holding them against its elements takes more than {MAX_MATCH_STEPS} steps"
    walker.page.incomplete_reason, walker.page.steps = reason, MAX_MATCH_STEPS - walker.matcher.steps_left
    return walker.page


def _walk_sheets(root: Any) -> Iterator[Any]:
    """What brings a page style: sheets in it, links to sheets, and the colours that it asks for."""
    stack = [root]
    while stack:
        node = stack.pop()
        attributes = getattr(node, "attrs", None) or {}
        if node.name == "style":
            if (attributes.get("type") or "text/css").strip().lower() == "text/css":
                yield node
        elif node.name == "link":
            words = (attributes.get("rel") or "").lower().split()
            if "stylesheet" in words and "alternate" not in words and "disabled" not in attributes:
                yield node
        elif node.name == "meta":
            if (attributes.get("name") or "").lower() == "color-scheme":
                yield node
        elif node.name not in ("template", "noscript"):
            stack += reversed(getattr(node, "children", None) or ())


@dataclass(slots=True)
class _Walker:
    sheets: StyleSheets
    matcher: Matcher
    page: PageLooks
    cascade: Cascade
    maker: LookMaker
    _counters: Counters = field(default_factory=Counters)
    _characters_left: int = MAX_ADDED_CHARACTERS
    _ends: list[int] = field(default_factory=list)
    """Of each element the number after the last in it."""
    _painted: list[int] = field(default_factory=list)
    _painted_moved: list[int] = field(default_factory=list)
    _covers: list[tuple[int, int]] = field(default_factory=list)
    """Elements that cover the one they are positioned in, and that one."""
    _writings: list[_Writing] = field(default_factory=list)

    def walk(self, root: Any, dark: bool) -> None:
        """Every element in order. A stack in place of recursion: pages nest as deep as they like."""
        unknown = self.sheets.has_unfetched
        canvas = Look(display="block", ground_is_sure=not unknown, dark=dark, variables=self.sheets.variables)
        first = _Frame(root, Place("", {}, root, None), canvas, -1, -1, False, -1, Sight.SHOWN, False)
        self.page.looks[id(root)], self.page.sights[id(root)] = canvas, Sight.SHOWN
        stack: list[tuple[Any, _Frame, bool]] = [(child, first, False) for child in reversed(root.children or ())]
        while stack:
            node, around, leave = stack.pop()
            if leave:
                self._leave(around)
                continue
            if node.name.startswith(("#", "!")):
                continue
            frame = self._enter(node, around)
            if node.name not in NOT_TEXT:
                self._counters.open()
                self._add_text(frame, BEFORE)
                stack.append((node, frame, True))
                stack += [(child, frame, False) for child in reversed(node.children or ())]
            else:
                self._ends[frame.number] = len(self._ends)

    def _leave(self, frame: _Frame) -> None:
        self._add_text(frame, AFTER)
        self._counters.close()
        self._ends[frame.number] = len(self._ends)

    def _enter(self, node: Any, around: _Frame) -> _Frame:
        parent = around.place if around.number >= 0 else None
        place, matched = self.matcher.enter(node, parent)
        attributes = node.attrs or {}
        hints = tuple(read_hints(node.name, attributes))
        declared = self.cascade.declare(matched, attributes.get("style") or "", hints)
        above = around.look
        if around.shut is not None and not (node.name == "summary" and place.type_index == 1):
            above = around.shut
        scope = find_scope(node.name, around.scope)
        look = self.maker.look_within(above, declared, node.name, drawn=scope != OUTSIDE)
        self._counters.count(Style(declared, look.variables, self.sheets.moving))
        frame = self._frame(node, place, look, around, scope)
        if frame.scope == WORDS and around.scope == DRAWING:
            frame.outside = judge_words(place)
        if node.name == "details" and "open" not in attributes:
            frame.shut = replace(look, gone=Sight.HIDDEN)
        self._note(frame, around)
        return frame

    def _frame(self, node: Any, place: Place, look: Look, around: _Frame, scope: str) -> _Frame:
        number = len(self._ends)
        self._ends.append(number + 1)
        return _Frame(
            node,
            place,
            look,
            number,
            number if look.gives_ground and look.opaque else around.ground,
            look.is_moved or (around.moved and not (look.gives_ground and look.opaque)),
            number if look.is_positioned else around.holder,
            max(around.below, _judge_below(look, around)),
            around.sunk or look.level < 0,
            scope,
            around.outside,
        )

    def _add_text(self, holder: _Frame, name: str) -> None:
        """What style sheets put before or after the content of an element, if they do."""
        matched = self.matcher.match_added(name, holder.place) if holder.node.name not in _WITHOUT_ADDED else []
        if not matched:
            return
        declared = self.cascade.declare(matched, "", ())
        look = self.maker.look_within(holder.shut or holder.look, declared, name)
        style = Style(declared, look.variables, self.sheets.moving)
        self._counters.count(style)
        words = spell_content(style.tokens("content"), holder.place.attributes, self._counters)
        if not words.strip():
            return
        self._characters_left -= len(words)
        if self._characters_left < 0:
            self.sheets.incomplete_reason = f"they add more than {MAX_ADDED_CHARACTERS} characters to it"
            return
        node = self.page.added[id(holder.node), name] = AddedElement(name, (AddedText(words),))
        self._note(self._frame(node, holder.place, look, holder, holder.scope), holder)

    def _note(self, frame: _Frame, around: _Frame) -> None:
        """Keeps how text in the element is seen, and what the element paints."""
        look, node = frame.look, frame.node
        own = Sight.HIDDEN if frame.shut is not None or frame.scope == DRAWING else frame.outside
        self.page.looks[id(node)] = look
        self.page.sights[id(node)] = max(look.box, look.ink, frame.below, own)
        if look.gone is not Sight.HIDDEN and (look.gives_ground or look.is_media) and node.name not in ("html", "body"):
            self._painted.append(frame.number)
            if look.is_moved:
                self._painted_moved.append(frame.number)
            if look.covers and look.level >= 0:
                self._covers.append((frame.number, around.holder))
        if max(look.box, frame.below) is not Sight.HIDDEN:
            faint = look.ink is Sight.HIDDEN
            self._writings.append(
                _Writing(id(node), frame.number, frame.ground, frame.moved, frame.holder, faint, frame.sunk)
            )

    def settle_overlaps(self) -> None:
        """Makes doubtful what may lie on another ground than that of the elements around it, or under another."""
        covered = {holder: number for number, holder in self._covers}
        for writing in self._writings:
            found = self.page.sights[writing.node]
            cover = covered.get(writing.holder)
            if writing.faint:
                if self._may_lie_on_another(writing):
                    found = max(Sight.DOUBTFUL, self.page.looks[writing.node].box)
            elif (writing.sunk and self._painted) or (cover is not None and not self._holds(cover, writing.number)):
                found = max(found, Sight.DOUBTFUL)
            self.page.sights[writing.node] = found

    def _holds(self, outer: int, inner: int) -> bool:
        return outer <= inner < self._ends[outer]

    def _may_lie_on_another(self, writing: _Writing) -> bool:
        """Whether something is painted on the same ground that the text may stand on in its place."""
        start = writing.ground + 1
        end = self._ends[writing.ground] if writing.ground >= 0 else len(self._ends)
        for painted in (self._painted_moved, self._painted if writing.moved else ()):
            for since, until in ((start, writing.number), (self._ends[writing.number], end)):
                i = bisect_left(painted, since)
                if i < len(painted) and painted[i] < until:
                    return True
        return False


def _judge_below(look: Look, around: _Frame) -> Sight:
    """What a negative z-index takes under an opaque ground around it."""
    if look.level >= 0 or not around.look.over_ground:
        return Sight.SHOWN
    return Sight.DOUBTFUL if look.shift_x or look.shift_y else Sight.HIDDEN
