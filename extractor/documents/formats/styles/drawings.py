"""Words in drawings of a page (SVG 2, 11): which of them are drawn inside the picture."""

from __future__ import annotations

import re
from collections.abc import Mapping

from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.matching import Place

OUTSIDE, DRAWING, WORDS = "", "drawing", "words"
"""Where an element stands: in a page, in a drawing, where words between tags are not drawn, or in words of one."""
_NUMBER = re.compile(r"\s*([-+]?[0-9]*\.?[0-9]+)")
_WIDEST = 100
"""Elements between words and their drawing that are looked at."""


def find_scope(name: str, around: str) -> str:
    """Where the content of an element stands, by where the element does."""
    if name == "svg":
        return DRAWING
    if around == DRAWING and name == "text":
        return WORDS
    return OUTSIDE if name.lower() == "foreignobject" else around


def judge_words(place: Place) -> Sight:
    """Whether a `text` lies in its drawing: one that has no place lies above its upper edge."""
    node: Place | None = place
    own = [place.attributes, *((child.attrs or {}) for child in place.node.children or () if child.name == "tspan")]
    for _ in range(_WIDEST):
        if node is None:
            return Sight.SHOWN
        if node.attributes.get("transform") or "transform" in (node.attributes.get("style") or ""):
            return Sight.SHOWN
        if node.name == "svg":
            break
        node = node.parent
    drawing = node.attributes if node else {}
    top = _read_number(drawing.get("viewBox") or drawing.get("viewbox"), 1)
    moved = any("dy" in attributes for attributes in own)
    lowest = max((_read_number(attributes.get("y")) for attributes in own if attributes.get("y")), default=0.0)
    return Sight.SHOWN if moved or lowest > top else Sight.HIDDEN


def _read_number(written: str | None, at: int = 0) -> float:
    """One of the numbers of an attribute; 0 where it is none. Percentages count as numbers."""
    parts = re.split(r"[\s,]+", (written or "").strip())
    match = _NUMBER.match(parts[at]) if at < len(parts) else None
    return float(match[1]) if match else 0.0


def read_drawn_hints(attributes: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Attributes of a drawing that are properties (SVG 2, 6.6)."""
    names = ("fill", "opacity", "font-size", "visibility", "display", "width", "height")
    found = [(name, (attributes.get(name) or "").replace(";", " ")) for name in names if attributes.get(name)]
    return [(name, f"{value}px" if _is_bare(name, value) else value) for name, value in found]


def _is_bare(name: str, value: str) -> bool:
    return name in ("font-size", "width", "height") and value.strip().replace(".", "", 1).isdigit()
