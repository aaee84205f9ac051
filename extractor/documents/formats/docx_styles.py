"""How words of a Word file look once every style is resolved, and so whether a reader sees them.

Document defaults, table style with its conditions, paragraph style, character style and what stands at the words
themselves, in this order (ECMA-376 part 1, 17.7.2); hiding is a switch that styles turn over (17.7.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from docx.oxml.ns import qn

from extractor.documents.formats.office_package import is_on
from extractor.documents.formats.sight import BLACK, WHITE, Colour, Sight, judge_contrast, parse_colour, shade_colour

TINY, SMALL = 4.0, 8.0
"""Sizes of letters in half points below or at which nobody reads them, and below which perhaps nobody does."""
SQUEEZED, NARROW = 10.0, 33.0
"""Widths of letters in percent below which nobody reads them, and below which perhaps nobody does."""
_VAL = qn("w:val")
_HIGHLIGHTS = {
    "white": WHITE, "black": BLACK, "yellow": (255, 255, 0), "green": (0, 255, 0), "cyan": (0, 255, 255),
    "magenta": (255, 0, 255), "blue": (0, 0, 255), "red": (255, 0, 0), "darkBlue": (0, 0, 128),
    "darkCyan": (0, 128, 128), "darkGreen": (0, 128, 0), "darkMagenta": (128, 0, 128), "darkRed": (128, 0, 0),
    "darkYellow": (128, 128, 0), "darkGray": (128, 128, 128), "lightGray": (192, 192, 192),
}  # fmt: skip
_THEME_NAMES = {"background1": "lt1", "text1": "dk1", "background2": "lt2", "text2": "dk2", "light1": "lt1",
                "dark1": "dk1", "light2": "lt2", "dark2": "dk2", "hyperlink": "hlink",
                "followedHyperlink": "folHlink"}  # fmt: skip
_FILL = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_MOST_STYLES = 20
"""Styles that one may be based on, one on the other."""

Properties = dict[str, Any]
"""Elements that say how words look, by name; a later one takes an earlier one's place."""
_SWITCHES = ("vanish", "webHidden", "specVanish")
_LOOKS = (*_SWITCHES, "color", "sz", "w", "shd", "highlight", "vertAlign", "rFonts", "fitText", "textFill", "position")


@dataclass(frozen=True, slots=True)
class Ground:
    """What is behind words: a colour, or None where it is not known; and whether it may be covered by a picture."""

    colour: Colour | None = WHITE
    certain: bool = True


def read_run_properties(element: Any) -> Properties:
    """The looks that a w:rPr names."""
    found: Properties = {}
    for inner in element if element is not None else ():
        name = str(inner.tag).rpartition("}")[2]
        if name in _LOOKS:
            found[name] = is_on(inner.get(_VAL, "true")) if name in _SWITCHES else inner
    return found


@dataclass(frozen=True, slots=True)
class Style:
    """A style with those that it is based on."""

    name: str = ""
    names: tuple[str, ...] = ()
    """Its own and those of the styles below it, nearest first."""
    run: Properties = field(default_factory=dict)
    paragraph: tuple[Any, ...] = ()
    """The paragraph properties of it and the styles below it, nearest first."""
    conditions: Mapping[str, tuple[Properties, Any, Any]] = field(default_factory=dict)
    """Of a table style: looks of words, of paragraphs and of cells, by the part of the table that they are for."""
    cell: Any = None
    table: Any = None


class StyleSheet:
    """The styles of a document by their identifiers."""

    def __init__(self, root: Any, theme: Any) -> None:
        self._theme = _read_theme(theme)
        self._elements = {e.get(qn("w:styleId"), ""): e for e in root.iter(qn("w:style"))} if root is not None else {}
        self._styles: dict[str, Style] = {}
        defaults = root.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}") if root is not None else None
        self.defaults = read_run_properties(defaults)
        self._default = {
            e.get(qn("w:type"), ""): key for key, e in self._elements.items() if is_on(e.get(qn("w:default")))
        }

    def find(self, key: str | None, kind: str = "") -> Style:
        """A style; where no key is given, the default of its kind."""
        key = key or self._default.get(kind, "")
        if key not in self._styles:
            self._styles[key] = self._build(key)
        return self._styles[key]

    def _build(self, key: str) -> Style:
        chain = list(self._iterate_chain(key))
        run: Properties = {}
        conditions: dict[str, tuple[Properties, Any, Any]] = {}
        for element in reversed(chain):
            run |= read_run_properties(element.find(qn("w:rPr")))
            for part in element.iter(qn("w:tblStylePr")):
                name = part.get(qn("w:type"), "")
                before = conditions.get(name, ({}, None, None))
                own = read_run_properties(part.find(qn("w:rPr")))
                cell, paragraph = part.find(qn("w:tcPr")), part.find(qn("w:pPr"))
                conditions[name] = (
                    {**before[0], **own},
                    paragraph if paragraph is not None else before[1],
                    cell if cell is not None else before[2],
                )
        names = tuple(e.find(qn("w:name")).get(_VAL, "") for e in chain if e.find(qn("w:name")) is not None)
        paragraph = tuple(p for e in chain if (p := e.find(qn("w:pPr"))) is not None)
        cell = next((c for e in chain if (c := e.find(qn("w:tcPr"))) is not None), None)
        table = next((c for e in chain if (c := e.find(qn("w:tblPr"))) is not None), None)
        return Style(names[0] if names else "", names, run, paragraph, conditions, cell, table)

    def _iterate_chain(self, key: str) -> Iterator[Any]:
        for _ in range(_MOST_STYLES):
            element = self._elements.get(key)
            if element is None:
                return
            yield element
            base = element.find(qn("w:basedOn"))
            key = base.get(_VAL, "") if base is not None else ""

    def read_colour(self, element: Any, attribute: str = "val", theme: str = "theme") -> Colour | None:
        """The colour that an element names, by the theme or as it is; None for automatic."""
        name = element.get(qn(f"w:{theme}Color") if theme == "theme" else qn("w:themeFill"))
        found = self._theme.get(_THEME_NAMES.get(name, name)) if name else None
        if found is not None:
            prefix = "w:theme" if theme == "theme" else "w:themeFill"
            tint, shade = element.get(qn(f"{prefix}Tint")), element.get(qn(f"{prefix}Shade"))
            if tint:
                found = shade_colour(found, 1 - int(tint, 16) / 255)
            return shade_colour(found, int(shade, 16) / 255 - 1) if shade else found
        return parse_colour(element.get(qn(f"w:{attribute}")))

    def read_shading(self, element: Any) -> Ground | None:
        """What a w:shd paints behind words; None where it paints nothing."""
        if element is None:
            return None
        pattern = element.get(_VAL, "clear")
        fill = self.read_colour(element, "fill", "fill")
        if pattern in ("clear", "nil", ""):
            return Ground(fill) if fill is not None else None
        if pattern == "solid":
            return Ground(self.read_colour(element, "color") or BLACK)
        return Ground(None)

    def scheme_colour(self, name: str) -> Colour | None:
        """A colour of the theme by the name that drawings use."""
        return self._theme.get({"bg1": "lt1", "tx1": "dk1", "bg2": "lt2", "tx2": "dk2"}.get(name, name))


def _read_theme(root: Any) -> dict[str, Colour]:
    found: dict[str, Colour] = {"lt1": WHITE, "dk1": BLACK}
    scheme = next((e for e in root.iter() if str(e.tag).endswith("}clrScheme")), None) if root is not None else None
    for entry in scheme if scheme is not None else ():
        inner = next(iter(entry), None)
        colour = parse_colour((inner.get("lastClr") or inner.get("val")) if inner is not None else None)
        if colour is not None:
            found[str(entry.tag).rpartition("}")[2]] = colour
    return found


@dataclass(frozen=True, slots=True)
class WordLook:
    """The look of words with every style resolved."""

    sight: Sight
    raised: str = ""
    """superscript, subscript, or neither."""
    font: str = ""


def resolve_look(
    styles: StyleSheet, levels: list[Properties], own: Properties, ground: Ground, *, in_contents: bool = False
) -> WordLook:
    """The look of words from the properties of their styles and their own. `in_contents` is whether they are a page
    number in a table of contents, which are left out of web pages alone."""
    merged = dict(styles.defaults)
    for level in levels:
        merged.update(level)
    merged.update(own)
    for name in _SWITCHES:
        # a switch in several styles turns over; what stands at the words themselves holds
        flips = sum(bool(level.get(name)) for level in levels) % 2 == 1
        merged[name] = own[name] if name in own else bool(styles.defaults.get(name)) or flips
    sight = max(_judge_switches(merged, in_contents), _judge_sizes(merged), _judge_ink(styles, merged, ground))
    raised, fonts = merged.get("vertAlign"), merged.get("rFonts")
    font = (fonts.get(qn("w:ascii")) or fonts.get(qn("w:hAnsi")) or "") if fonts is not None else ""
    return WordLook(sight, raised.get(_VAL, "") if raised is not None else "", font)


def _judge_switches(look: Properties, in_contents: bool) -> Sight:
    if look["vanish"]:
        return Sight.HIDDEN
    # what is hidden on the web is printed; specVanish is for the ends of paragraphs
    doubt = (look["webHidden"] and not in_contents) or look["specVanish"]
    return Sight.DOUBTFUL if doubt else Sight.SHOWN


def _judge_sizes(look: Properties) -> Sight:
    size, width, fit = _read_number(look, "sz"), _read_number(look, "w"), _read_number(look, "fitText")
    moved = _read_number(look, "position")
    if (size is not None and size <= TINY) or (width is not None and 0 < width < SQUEEZED) or fit == 0:
        return Sight.HIDDEN
    doubt = (size is not None and size < SMALL) or (width is not None and 0 < width < NARROW)
    doubt = doubt or (fit is not None and fit < 100) or (moved is not None and abs(moved) > 200)
    return Sight.DOUBTFUL if doubt else Sight.SHOWN


def _read_number(look: Properties, name: str) -> float | None:
    element = look.get(name)
    text = element.get(_VAL) if element is not None else None
    try:
        return float(text.rstrip("%")) if text else None
    except ValueError:
        return None


def _judge_ink(styles: StyleSheet, look: Properties, ground: Ground) -> Sight:
    fill = look.get("textFill")
    if fill is not None:
        kinds = [str(e.tag).rpartition("}")[2] for e in fill.iter()]
        opacity = [int(e.get(f"{_FILL}val", "0")) for e in fill.iter(f"{_FILL}alpha")]
        if "noFill" in kinds or any(share >= 99_000 for share in opacity):
            return Sight.HIDDEN
        if any(share >= 85_000 for share in opacity) or "gradFill" in kinds:
            return Sight.DOUBTFUL
    shade = styles.read_shading(look.get("shd"))
    ground = shade if shade is not None else ground
    light = look.get("highlight")
    if light is not None and light.get(_VAL) in _HIGHLIGHTS:
        ground = Ground(_HIGHLIGHTS[light.get(_VAL)])
    ink = styles.read_colour(look["color"]) if "color" in look else None
    if ink is None:  # automatic: black, or white on what is dark
        return Sight.SHOWN
    if ground.colour is None:
        return Sight.SHOWN
    seen = judge_contrast(ink, ground.colour)
    return Sight.DOUBTFUL if seen is Sight.HIDDEN and not ground.certain else seen
