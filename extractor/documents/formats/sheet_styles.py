"""How the cells of a workbook look: their number format, the colour of their letters and of what is behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from extractor.documents.formats.number_format import BUILT_IN_FORMATS, GENERAL
from extractor.documents.formats.office_package import Element, OfficePackage, child, children, local_name
from extractor.documents.formats.sight import BLACK, WHITE, Colour, Sight, judge_contrast, parse_colour, shade_colour

_Item = TypeVar("_Item")
TINY, SMALL = 2.0, 4.0
"""Sizes of letters in points below which nobody reads them, and below which perhaps nobody does."""
_PALETTE = (  # noqa: SIM905 (a palette is read as a row)
    "000000 FFFFFF FF0000 00FF00 0000FF FFFF00 FF00FF 00FFFF 800000 008000 000080 808000 800080 008080 C0C0C0 808080 "
    "9999FF 993366 FFFFCC CCFFFF 660066 FF8080 0066CC CCCCFF 000080 FF00FF FFFF00 00FFFF 800080 800000 008080 0000FF "
    "00CCFF CCFFFF CCFFCC FFFF99 99CCFF FF99CC CC99FF FFCC99 3366FF 33CCCC 99CC00 FFCC00 FF9900 FF6600 666699 969696 "
    "003366 339966 003300 333300 993300 993366 333399 333333"
).split()
"""The colours that a file names by number from 8 on (18.8.27)."""
_THEME_ORDER = ("lt1", "dk1", "lt2", "dk2", *(f"accent{i}" for i in range(1, 7)), "hlink", "folHlink")


@dataclass(frozen=True, slots=True)
class CellLook:
    """The look of a cell. A ground of None is one that is not known, such as a pattern's."""

    code: str = GENERAL
    ink: Colour = BLACK
    ground: Colour | None = WHITE
    size: float = 11.0

    def judge(self, ink: Colour | None = None, size: float | None = None) -> Sight:
        """Whether letters are seen in it: its own, or of another colour or size."""
        size = self.size if size is None else size
        if size < TINY:
            return Sight.HIDDEN
        faint = Sight.DOUBTFUL if size < SMALL else Sight.SHOWN
        return faint if self.ground is None else max(faint, judge_contrast(ink or self.ink, self.ground))


@dataclass(frozen=True, slots=True)
class Repaint:
    """What a rule may paint over a cell's own look; None where it leaves that."""

    ink: Colour | None = None
    ground: Colour | None = None
    code: str | None = None
    unknown: bool = False
    """Whether it may paint anything, as the style of a table does."""

    def may_change(self, look: CellLook, ink: Colour | None, sight: Sight) -> bool:
        """Whether it may show what the look hides, or hide what that shows."""
        if self.unknown or (self.ink is None and self.ground is None):
            return sight is Sight.HIDDEN if self.unknown else self._blanks()
        ground = self.ground or look.ground
        painted = replace(look, ground=ground).judge(self.ink or ink)
        return painted is not sight and (sight is Sight.HIDDEN or painted is Sight.HIDDEN or self._blanks())

    def _blanks(self) -> bool:
        return self.code is not None and not self.code.strip("; ")


class SheetStyles:
    """The looks of a workbook by number, and the changes that its rules name."""

    def __init__(self, package: OfficePackage, styles_part: str, theme_part: str) -> None:
        root = package.read_part(styles_part)
        self._theme = _read_theme(package.read_part(theme_part))
        own = [parse_colour(e.get("rgb")) for e in children(root, "colors", "indexedColors", "rgbColor")]
        self._palette = dict(enumerate(own)) or {i + 8: parse_colour(c) for i, c in enumerate(_PALETTE)}
        codes = {e.get("numFmtId"): e.get("formatCode", GENERAL) for e in children(root, "numFmts", "numFmt")}
        fonts = [self.read_font(e) for e in children(root, "fonts", "font")]
        fills = [self._read_fill(e) for e in children(root, "fills", "fill")]
        self._looks = [
            CellLook(
                codes.get(xf.get("numFmtId")) or BUILT_IN_FORMATS.get(_number(xf.get("numFmtId")), GENERAL),
                *_pick(fonts, xf.get("fontId"), (BLACK, 11.0))[:1],
                _pick(fills, xf.get("fillId"), WHITE),
                _pick(fonts, xf.get("fontId"), (BLACK, 11.0))[1],
            )
            for xf in children(root, "cellXfs", "xf")
        ]
        self.repaints = [self._read_repaint(e) for e in children(root, "dxfs", "dxf")]
        self.look = cache(self._find_look)

    def _find_look(self, number: str | None) -> tuple[CellLook, Sight]:
        look = _pick(self._looks, number or "0", CellLook())
        return look, look.judge()

    def read_font(self, element: Element | None) -> tuple[Colour, float]:
        """The colour and the size of letters."""
        size = child(element, "sz")
        colour = self.read_colour(child(element, "color"))
        return colour or BLACK, _float(size.get("val") if size is not None else None, 11.0)

    def read_colour(self, element: Element | None) -> Colour | None:
        """The colour that an element names: its own, one of the theme, or one of the palette; None for automatic."""
        if element is None or element.get("auto") in ("1", "true"):
            return None
        found = parse_colour(element.get("rgb"))
        if found is None and element.get("theme"):
            found = self._theme.get(_number(element.get("theme")))
        if found is None and element.get("indexed"):
            index = _number(element.get("indexed"))
            found = {64: BLACK, 65: WHITE}.get(index) or self._palette.get(index if index > 7 else index + 8)
        return shade_colour(found, _float(element.get("tint"), 0.0)) if found else None

    def _read_fill(self, element: Element) -> Colour | None:
        pattern = child(element, "patternFill")
        kind = pattern.get("patternType", "none") if pattern is not None else "gradient"
        if kind == "none":
            return WHITE
        return (self.read_colour(child(pattern, "fgColor")) or BLACK) if kind == "solid" else None

    def _read_repaint(self, element: Element) -> Repaint:
        fill, code = child(element, "fill", "patternFill"), child(element, "numFmt")
        # in rules a fill's background is what is painted (18.8.32)
        ground = self.read_colour(child(fill, "bgColor")) or self.read_colour(child(fill, "fgColor"))
        return Repaint(
            self.read_colour(child(element, "font", "color")),
            ground,
            code.get("formatCode") if code is not None else None,
        )


def _read_theme(root: Element | None) -> dict[int, Colour | None]:
    scheme = child(root, "themeElements", "clrScheme")
    named = {}
    for entry in scheme if scheme is not None else ():
        inner = next(iter(entry), None)
        named[local_name(entry)] = parse_colour(
            (inner.get("lastClr") or inner.get("val")) if inner is not None else None
        )
    defaults: dict[str, Colour | None] = {"lt1": WHITE, "dk1": BLACK}
    return {i: named.get(name) or defaults.get(name) for i, name in enumerate(_THEME_ORDER)}


def _pick(items: list[_Item], number: str | None, otherwise: _Item) -> _Item:
    index = _number(number)
    return items[index] if 0 <= index < len(items) else otherwise


def _number(text: str | None) -> int:
    try:
        return int(text or "-1")
    except ValueError:
        return -1


def _float(text: str | None, otherwise: float) -> float:
    try:
        return float(text) if text else otherwise
    except ValueError:
        return otherwise
