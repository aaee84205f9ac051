"""Where Word puts what does not flow with the text: frames, text boxes, floating tables; some lie outside the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

from extractor.documents.formats.docx_styles import Ground, StyleSheet
from extractor.documents.formats.office_package import is_on
from extractor.documents.formats.sight import WHITE, Sight, parse_colour

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_PLACED = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_SHAPE = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"
_VML = "{urn:schemas-microsoft-com:vml}"
_EMU_PER_TWIP = 635
FLAT, LOW = 40, 100
"""Heights of lines in twentieths of a point below which no letter is seen, and below which perhaps none is."""


@dataclass(frozen=True, slots=True)
class Page:
    """The size of a page and its margins, in twentieths of a point."""

    width: float = 12240
    height: float = 15840
    left: float = 1440
    top: float = 1440

    @classmethod
    def of(cls, body: Any) -> Page:
        """The page of a document's last section."""
        sections = list(body.iter(qn("w:sectPr")))
        size = sections[-1].find(qn("w:pgSz")) if sections else None
        margins = sections[-1].find(qn("w:pgMar")) if sections else None
        return cls(
            _twips(size, "w", 12240),
            _twips(size, "h", 15840),
            _twips(margins, "left", 1440),
            _twips(margins, "top", 1440),
        )

    def judge_place(self, x: float | None, y: float | None, width: float = 0, height: float = 0) -> Sight:
        """Whether what begins at that place of the page, if it is known, lies on it."""
        if (x is not None and (x >= self.width or x + (width or self.width) <= 0)) or (
            y is not None and (y >= self.height or y + (height or self.height) <= 0)
        ):
            return Sight.HIDDEN
        off = (x is not None and x < -self.width / 4 and not width) or (y is not None and y < -1440 and not height)
        return Sight.DOUBTFUL if off else Sight.SHOWN


def _twips(element: Any, name: str, otherwise: float) -> float:
    try:
        return float(element.get(qn(f"w:{name}"), otherwise)) if element is not None else otherwise
    except ValueError:
        return otherwise


def judge_paragraph(properties: list[Any], page: Page) -> Sight:
    """Whether a paragraph is on the page and its lines have a height; the properties are its own, then its styles'."""
    sight = Sight.SHOWN
    frame, spacing, indent = (
        next((e for p in properties if (e := p.find(qn(f"w:{name}"))) is not None), None)
        for name in ("framePr", "spacing", "ind")
    )
    if frame is not None:
        x, y = _twips(frame, "x", 0), _twips(frame, "y", 0)
        sight = page.judge_place(
            x + (0 if frame.get(qn("w:hAnchor")) == "page" else page.left) if frame.get(qn("w:x")) else None,
            y + (0 if frame.get(qn("w:vAnchor")) == "page" else page.top) if frame.get(qn("w:y")) else None,
            _twips(frame, "w", 0),
            _twips(frame, "h", 0),
        )
    if spacing is not None and spacing.get(qn("w:lineRule")) == "exact":
        line = _twips(spacing, "line", 240)
        sight = max(sight, Sight.HIDDEN if line < FLAT else Sight.DOUBTFUL if line < LOW else Sight.SHOWN)
    if indent is not None:
        left = _twips(indent, "left", _twips(indent, "start", 0)) + page.left
        sight = max(sight, page.judge_place(left if abs(left) > page.width / 2 else None, None))
    return sight


def judge_row(properties: Any) -> Sight:
    """Whether a row of a table is shown, and has a height."""
    if properties is None:
        return Sight.SHOWN
    hidden, height = properties.find(qn("w:hidden")), properties.find(qn("w:trHeight"))
    if hidden is not None and is_on(hidden.get(qn("w:val"), "true")):
        return Sight.HIDDEN
    if height is not None and height.get(qn("w:hRule")) == "exact":
        size = _twips(height, "val", 240)
        return Sight.HIDDEN if size < FLAT else Sight.DOUBTFUL if size < LOW else Sight.SHOWN
    return Sight.SHOWN


def judge_table(properties: Any, page: Page) -> Sight:
    """Whether a table that floats lies on the page."""
    place = properties.find(qn("w:tblpPr")) if properties is not None else None
    if place is None:
        return Sight.SHOWN
    x = _twips(place, "tblpX", 0) + (0 if place.get(qn("w:horzAnchor")) == "page" else page.left)
    y = _twips(place, "tblpY", 0) + (0 if place.get(qn("w:vertAnchor")) == "page" else page.top)
    return page.judge_place(x if place.get(qn("w:tblpX")) else None, y if place.get(qn("w:tblpY")) else None)


def judge_box(box: Any, page: Page) -> Sight:
    """Whether a text box lies on the page, and is not hidden."""
    for element in box.iterancestors():
        tag = str(element.tag)
        if tag in (f"{_PLACED}anchor", f"{_PLACED}inline"):
            about = element.find(f"{_PLACED}docPr")
            if about is not None and is_on(about.get("hidden")):
                return Sight.HIDDEN
            return _judge_anchor(element, page) if tag == f"{_PLACED}anchor" else Sight.SHOWN
        if tag.startswith(_VML) and element.get("style"):
            return _judge_vml(element.get("style"), page)
    return Sight.SHOWN


def _judge_anchor(anchor: Any, page: Page) -> Sight:
    extent = anchor.find(f"{_PLACED}extent")
    width, height = (float(extent.get(name, 0)) / _EMU_PER_TWIP if extent is not None else 0.0 for name in ("cx", "cy"))
    if extent is not None and (width < FLAT or height < FLAT):
        return Sight.HIDDEN
    places: list[float | None] = []
    for name, margin in (("positionH", page.left), ("positionV", page.top)):
        position = anchor.find(f"{_PLACED}{name}")
        offset = position.find(f"{_PLACED}posOffset") if position is not None else None
        if offset is None or not re.fullmatch(r"-?\d{1,12}", offset.text or ""):
            places.append(None)
            continue
        by = 0 if position.get("relativeFrom") == "page" else margin
        places.append(float(offset.text) / _EMU_PER_TWIP + by)
    return page.judge_place(places[0], places[1], width, height)


def _judge_vml(style: str, page: Page) -> Sight:
    rules = {k.strip().lower(): v.strip() for k, _, v in (part.partition(":") for part in style.split(";"))}
    if rules.get("visibility") == "hidden" or rules.get("display") == "none":
        return Sight.HIDDEN
    if rules.get("position") != "absolute":
        return Sight.SHOWN
    x, y = (_read_length(rules.get(f"margin-{side}") or rules.get(side)) for side in ("left", "top"))
    width, height = _read_length(rules.get("width")) or 0, _read_length(rules.get("height")) or 0
    return page.judge_place(None if x is None else x + page.left, None if y is None else y + page.top, width, height)


def _read_length(text: str | None) -> float | None:
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)(pt|in|cm|mm|px)?", text or "")
    if found is None:
        return None
    return float(found[1]) * {"pt": 20, "in": 1440, "cm": 567, "mm": 56.7, "px": 15, None: 20}[found[2]]


def find_box_ground(box: Any, styles: StyleSheet) -> Ground:
    """What is behind the words of a text box: its own fill where it names one. A box without may lie on anything."""
    for element in box.iterancestors():
        tag = str(element.tag)
        if tag == f"{_SHAPE}wsp":
            properties = element.find(f"{_SHAPE}spPr")
            fill = properties.find(f"{_DRAWING}solidFill") if properties is not None else None
            inner = next(iter(fill), None) if fill is not None else None
            if inner is None:
                return Ground(WHITE, certain=False)
            name = inner.get("val", "")
            colour = parse_colour(name) if str(inner.tag).endswith("srgbClr") else styles.scheme_colour(name)
            return Ground(colour) if len(inner) == 0 else Ground(None)
        if tag.startswith(_VML) and tag != f"{_VML}textbox":
            if is_on(element.get("filled", "t").replace("f", "0")) and element.get("fillcolor"):
                colour = parse_colour(element.get("fillcolor").split()[0])
                return Ground(colour) if colour else Ground(None)
            return Ground(WHITE, certain=False)
    return Ground(WHITE, certain=False)


def has_pictures_behind(*roots: Any) -> bool:
    """Whether anything floats in these parts that may lie behind words: a banner, a coloured shape."""
    return any(
        True
        for root in roots
        for element in root.iter(f"{_PLACED}anchor", f"{_VML}shape", f"{_VML}rect", f"{_VML}roundrect")
        if str(element.tag).startswith(_PLACED) or "absolute" in element.get("style", "")
    )
