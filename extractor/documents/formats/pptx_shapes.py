"""Shapes of a slide: where they are, what they are filled with, and so what their words stand on.

Colours of a slide are names in its theme (ECMA-376, part 1, 20.1.6.2), by way of a map in its master. What words
stand on is known where their shape is filled, or where nothing lies under it; else nothing is called hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from pptx.oxml.ns import qn

from extractor.documents.formats.sight import BLACK, WHITE, Colour, Sight, judge_contrast, parse_colour

Element = Any
"""An element of lxml, which comes without types."""
SHAPES = tuple(qn(f"p:{name}") for name in ("sp", "grpSp", "graphicFrame", "pic", "cxnSp"))
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"
_ALTERNATE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_BRIGHTNESS = ("lumMod", "lumOff", "tint", "shade", "alpha")


@dataclass(frozen=True, slots=True)
class Box:
    """Where a shape is, in the units of the file (914,400 an inch)."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def walk_shapes(tree: Element) -> Iterator[Element]:
    """The shapes of a slide in their order; of alternatives the first."""
    for child in tree:
        if child.tag in SHAPES:
            yield child
        elif child.tag == _ALTERNATE:
            choice = child.find(_CHOICE)
            yield from walk_shapes(choice if choice is not None else ())


def find_box(shape: Element) -> Box | None:
    """The shape's own place; None where it has that of its layout."""
    frame = next(iter(shape.xpath("./p:spPr/a:xfrm | ./p:xfrm | ./p:grpSpPr/a:xfrm")), None)
    if frame is None or frame.find(qn("a:off")) is None or frame.find(qn("a:ext")) is None:
        return None
    offset, size = frame.find(qn("a:off")), frame.find(qn("a:ext"))
    left, top = int(offset.get("x", 0)), int(offset.get("y", 0))
    return Box(left, top, left + int(size.get("cx", 0)), top + int(size.get("cy", 0)))


def find_place(shape: Element, slide: Any) -> Box | None:
    """The shape's place, that of its layout or its master where it says none; None where none does."""
    own = find_box(shape)
    holders = shape.xpath("./*/p:nvPr/p:ph")
    if own is not None or not holders:
        return own
    kind, number = holders[0].get("type", "obj"), holders[0].get("idx", "0")
    for owner, name, value in (
        (slide.slide_layout, "idx", number),
        (slide.slide_layout.slide_master, "type", kind if kind not in ("obj", "subTitle") else "body"),
    ):
        for other in walk_shapes(owner.element.cSld.spTree):
            said = other.xpath("./*/p:nvPr/p:ph")
            if said and said[0].get(name, "0" if name == "idx" else "obj") == value and (box := find_box(other)):
                return box
    return None


def is_marked_hidden(shape: Element) -> bool:
    """Whether the shape is switched off in the list of what is on the slide."""
    about = next(iter(shape.xpath("./*/p:cNvPr")), None)
    return about is not None and about.get("hidden") in ("1", "true")


class SlideColours:
    """The colours of one slide, and what lies under its shapes."""

    def __init__(self, slide: Any) -> None:
        self._slide = slide
        master = slide.slide_layout.slide_master
        self._theme = _read_theme(master)
        mapped = master.element.find(qn("p:clrMap"))
        self._map: Mapping[str, str] = dict(mapped.attrib) if mapped is not None else {}
        self._under: list[Box | None] = [
            find_box(shape)
            for owner in (master, slide.slide_layout)
            for shape in walk_shapes(owner.element.cSld.spTree)
            if not shape.xpath("./*/p:nvPr/p:ph") and is_covering(shape)
        ]
        self.ground = self._slide_ground()

    def read_colour(self, fill: Element | None) -> Colour | None:
        """The colour of a solid fill; None where it is not known for certain."""
        choice = next(iter(fill), None) if fill is not None else None
        if choice is None or any(str(change.tag).rpartition("}")[2] in _BRIGHTNESS for change in choice):
            return None
        kind, value = str(choice.tag).rpartition("}")[2], choice.get("val", "")
        if kind == "srgbClr":
            return parse_colour(value)
        if kind == "schemeClr":
            return self._theme.get(self._map.get(value, value))
        return parse_colour(choice.get("lastClr")) if kind == "sysClr" else None

    def _slide_ground(self) -> Colour | None:
        for owner in (self._slide, self._slide.slide_layout, self._slide.slide_layout.slide_master):
            background = owner.element.cSld.find(qn("p:bg"))
            if background is None:
                continue
            solid = background.find(f"{qn('p:bgPr')}/{qn('a:solidFill')}")
            reference = background.find(qn("p:bgRef"))
            if reference is not None and reference.get("idx") == "1001":
                return self.read_colour(reference)
            return self.read_colour(solid)
        return WHITE

    def ground_under(self, shape: Element, slide_box: Box) -> Colour | None:
        """The colour that a shape's words stand on; None where it is not known. What comes later may stand on it."""
        box = find_box(shape)
        fills = shape.find(qn("p:spPr"))
        filled = fills.find(qn("a:solidFill")) if fills is not None else None
        painted = fills is not None and any(
            fills.find(qn(f"a:{n}")) is not None for n in ("gradFill", "blipFill", "pattFill")
        )
        empty = fills is not None and fills.find(qn("a:noFill")) is not None
        style = shape.find(f"{qn('p:style')}/{qn('a:fillRef')}")
        if filled is not None or painted:
            ground = None if painted else self.read_colour(filled)
        elif style is not None and style.get("idx") not in (None, "0") and not empty:
            ground = self.read_colour(style)
        elif any(other is None or other.overlaps(box or slide_box) for other in self._under):
            ground = None
        else:
            ground = self.ground
        if is_covering(shape):
            self._under.append(box)
        return ground

    def judge(self, run: Element | None, ground: Colour | None) -> Sight:
        """How well the words of a run are seen on that ground."""
        if run is None:
            return Sight.SHOWN
        if run.find(qn("a:noFill")) is not None:
            return Sight.HIDDEN
        ink = self.read_colour(run.find(qn("a:solidFill")))
        size = run.get("sz", "")
        small = Sight.DOUBTFUL if size.isdecimal() and int(size) < _SMALL else Sight.SHOWN
        return max(small, judge_contrast(ink, ground)) if ink is not None and ground is not None else small


_SMALL = 400
"""Hundredths of a point below which letters may be unseen."""


def is_covering(shape: Element) -> bool:
    """Whether the shape lies over what is below it: a picture, or something filled."""
    if shape.tag in (qn("p:pic"), qn("p:graphicFrame"), qn("p:grpSp")):
        return True
    fills = shape.find(qn("p:spPr"))
    if fills is not None and fills.find(qn("a:noFill")) is not None:
        return False
    own = fills is not None and any(
        fills.find(qn(f"a:{n}")) is not None for n in ("solidFill", "gradFill", "blipFill", "pattFill")
    )
    style = shape.find(f"{qn('p:style')}/{qn('a:fillRef')}")
    return own or (style is not None and style.get("idx") not in (None, "0"))


def _read_theme(master: Any) -> Mapping[str, Colour]:
    """The colours of a theme by their names."""
    found: dict[str, Colour] = {"lt1": WHITE, "dk1": BLACK}
    for related in master.part.rels.values():
        if not related.is_external and related.reltype.endswith("/theme"):
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            scheme = etree.fromstring(related.target_part.blob, parser).find(f".//{qn('a:clrScheme')}")
            for entry in scheme if scheme is not None else ():
                colour = next(iter(entry), None)
                value = parse_colour(colour.get("lastClr") or colour.get("val")) if colour is not None else None
                if value is not None:
                    found[str(entry.tag).rpartition("}")[2]] = value
    return found
