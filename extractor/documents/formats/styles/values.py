"""Values of CSS as numbers: lengths in pixels, colours, key words (CSS Values 4, CSS Color 4)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tinycss2 import color5

Tokens = Sequence[Any]
"""Component values of tinycss2."""
WINDOW_WIDTH, WINDOW_HEIGHT = 1280.0, 800.0
"""Pixels of the window in which a page is looked at: that of a desk."""
ROOT_FONT = 16.0
"""Pixels of letters where nothing is said of them."""
_MAX_NESTING = 16
_ABSOLUTE = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54}
_BY_FONT = {"em": 1.0, "ex": 0.5, "ch": 0.5, "ic": 1.0, "cap": 0.7, "lh": 1.2}
_BY_WINDOW = {"w": WINDOW_WIDTH, "i": WINDOW_WIDTH, "h": WINDOW_HEIGHT, "b": WINDOW_HEIGHT}


@dataclass(frozen=True, slots=True)
class Length:
    """So many pixels and so many hundredths of what percentages are of."""

    pixels: float = 0.0
    percent: float = 0.0

    def resolve(self, whole: float) -> float:
        return self.pixels + self.percent * whole / 100


ZERO = Length()


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A term of a calculation: a number, or a length."""

    number: float = 0.0
    pixels: float = 0.0
    percent: float = 0.0

    def scale(self, by: float) -> _Quantity:
        return _Quantity(self.number * by, self.pixels * by, self.percent * by)

    def add(self, other: _Quantity, sign: float) -> _Quantity:
        return _Quantity(
            self.number + sign * other.number, self.pixels + sign * other.pixels, self.percent + sign * other.percent
        )

    def size(self) -> float:
        return self.number + self.pixels + self.percent * WINDOW_WIDTH / 100


def drop_blanks(tokens: Tokens) -> list[Any]:
    return [token for token in tokens if token.type not in ("whitespace", "comment")]


def spell_word(tokens: Tokens) -> str:
    """The key word that the tokens are, in small letters; empty where they are not one."""
    significant = drop_blanks(tokens)
    return str(significant[0].lower_value) if len(significant) == 1 and significant[0].type == "ident" else ""


def find_words(tokens: Tokens) -> list[str]:
    return [token.lower_value for token in tokens if token.type == "ident"]


def split_at(tokens: Tokens, sign: str) -> list[list[Any]]:
    """The parts between the signs, without blanks."""
    parts: list[list[Any]] = [[]]
    for token in drop_blanks(tokens):
        if token.type == "literal" and token.value == sign:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def parse_length(tokens: Tokens, font: float = ROOT_FONT) -> Length | None:
    """The length that the tokens are; None where they are none, or one that is not known. A bare number counts as
    pixels. `font` is the size of the element's letters in pixels."""
    significant = drop_blanks(tokens)
    found = _read_term(significant[0], font, 0) if len(significant) == 1 else None
    return Length(found.pixels + found.number, found.percent) if found else None


def parse_number(tokens: Tokens) -> float | None:
    """The number or share that the tokens are: 50% is 0.5."""
    significant = drop_blanks(tokens)
    found = _read_term(significant[0], ROOT_FONT, 0) if len(significant) == 1 else None
    return found.number + found.percent / 100 if found and not found.pixels else None


def _read_term(token: Any, font: float, depth: int) -> _Quantity | None:
    if depth > _MAX_NESTING:
        return None
    if token.type == "number":
        return _Quantity(number=token.value)
    if token.type == "percentage":
        return _Quantity(percent=token.value)
    if token.type == "dimension":
        return _read_dimension(token.value, token.lower_unit, font)
    if token.type == "() block":
        return _calculate(token.content, font, depth + 1)
    if token.type == "function":
        return _read_function(token, font, depth)
    return None


def _read_dimension(value: float, unit: str, font: float) -> _Quantity | None:
    if unit in _ABSOLUTE:
        return _Quantity(pixels=value * _ABSOLUTE[unit])
    if unit in _BY_FONT:
        return _Quantity(pixels=value * _BY_FONT[unit] * font)
    if unit[:1] == "r" and unit[1:] in _BY_FONT:
        return _Quantity(pixels=value * _BY_FONT[unit[1:]] * ROOT_FONT)
    if unit[:-1] in ("v", "sv", "lv", "dv", "cq") and unit[-1] in _BY_WINDOW:
        return _Quantity(pixels=value * _BY_WINDOW[unit[-1]] / 100)
    if unit in ("vmin", "vmax", "cqmin", "cqmax"):
        return _Quantity(pixels=value * (WINDOW_HEIGHT if unit.endswith("min") else WINDOW_WIDTH) / 100)
    if unit in ("deg", "grad", "rad", "turn"):
        return _Quantity(number=value * {"deg": 1, "grad": 0.9, "rad": 57.29577951308232, "turn": 360}[unit])
    return None


def _read_function(token: Any, font: float, depth: int) -> _Quantity | None:
    name = token.lower_name
    parts = split_at_top(token.arguments)
    terms = [_calculate(part, font, depth + 1) for part in parts]
    known = [term for term in terms if term is not None]
    if not known or len(known) < len(terms):
        return None
    if name in ("calc", "-webkit-calc", "-moz-calc") and len(known) == 1:
        return known[0]
    if name == "clamp" and len(known) == 3:
        return max(known[0], min(known[1], known[2], key=_Quantity.size), key=_Quantity.size)
    if name in ("min", "max"):
        choose: Callable[..., _Quantity] = min if name == "min" else max
        return choose(known, key=_Quantity.size)
    return None


def split_at_top(tokens: Tokens) -> list[list[Any]]:
    """The parts between commas, blanks and all."""
    parts: list[list[Any]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _calculate(tokens: Tokens, font: float, depth: int) -> _Quantity | None:
    """A sum of products (CSS Values 4, 10.1)."""
    total, product, sign, pending = _Quantity(), None, 1.0, ""
    for token in drop_blanks(tokens):
        if token.type == "literal" and token.value in "+-" and product is not None:
            total, product, sign, pending = total.add(product, sign), None, 1.0 if token.value == "+" else -1.0, ""
        elif token.type == "literal" and token.value in "*/":
            pending = token.value
        else:
            term = _read_term(token, font, depth)
            if term is None:
                return None
            product = _combine(product, term, pending)
            if product is None:
                return None
            pending = ""
    return total.add(product, sign) if product is not None else None


def _combine(product: _Quantity | None, term: _Quantity, sign: str) -> _Quantity | None:
    if product is None:
        return term
    if sign == "*":
        plain, other = (term, product) if not (term.pixels or term.percent) else (product, term)
        return other.scale(plain.number)
    if sign == "/" and term.number:
        return product.scale(1 / term.number)
    return None


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour in sRGB, each channel from 0 to 1, and how much of it covers."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, ground: Ink, opacity: float = 1.0) -> Ink:
        """What is seen of the colour on an opaque ground."""
        share = max(0.0, min(1.0, self.alpha * opacity))
        pairs = ((self.red, ground.red), (self.green, ground.green), (self.blue, ground.blue))
        return Ink(*(a * share + b * (1 - share) for a, b in pairs))

    def as_bytes(self) -> tuple[int, int, int]:
        return round(255 * self.red), round(255 * self.green), round(255 * self.blue)


WHITE, BLACK, CLEAR = Ink(1, 1, 1), Ink(0, 0, 0), Ink(0, 0, 0, 0)
DARK_CANVAS = Ink(0.07, 0.07, 0.07)
_SYSTEM_INK = frozenset(
    ("canvastext", "text", "windowtext", "fieldtext", "buttontext", "menutext", "infotext", "captiontext", "marktext")
)
_SYSTEM_GROUND = frozenset(("canvas", "window", "field", "background", "menu", "infobackground", "buttonface"))


def parse_colour(tokens: Tokens, dark: bool = False) -> Ink | str | None:
    """The colour that the tokens are, "currentcolor", or None for what is none or one that is not known. `dark` is
    whether the page asks for the dark ones among the system's colours."""
    significant = drop_blanks(tokens)
    if len(significant) != 1:
        return None
    token = significant[0]
    if token.type == "ident":
        if token.lower_value in _SYSTEM_INK:
            return WHITE if dark and token.lower_value != "marktext" else BLACK
        if token.lower_value in _SYSTEM_GROUND:
            return DARK_CANVAS if dark else WHITE
        if token.lower_value in ("linktext", "activetext", "visitedtext", "-webkit-link"):
            return Ink(0.55, 0.7, 1) if dark else Ink(0, 0, 0.93)
    if token.type == "function" and token.lower_name == "color-mix":
        return _mix_colours(token.arguments, dark)
    try:
        found = color5.parse_color(token, ["dark" if dark else "light"])
        if found is None or isinstance(found, str):
            return found
        return Ink(*_to_srgb(found), max(0.0, min(1.0, float(found.alpha or 0))))
    except (NotImplementedError, ArithmeticError, TypeError, ValueError, AttributeError):
        return None


def _to_srgb(colour: Any) -> tuple[float, float, float]:
    space = colour.space
    if space in ("lab", "lch", "xyz-d50"):
        return _compress(colour.to("xyz-d50").coordinates, _FROM_D50)
    if space in ("oklab", "oklch", "xyz-d65", "xyz"):
        return _compress(colour.to("xyz-d65").coordinates, _FROM_D65)
    # wide spaces such as display-p3 are near enough to sRGB to tell seen from unseen
    channels = colour.to("srgb").coordinates if space in ("srgb", "hsl", "hwb") else colour.coordinates
    red, green, blue = (max(0.0, min(1.0, float(c or 0))) for c in channels)
    return red, green, blue


_FROM_D50 = ((3.1339, -1.6169, -0.4906), (-0.9788, 1.9161, 0.0335), (0.0719, -0.2290, 1.4052))
_FROM_D65 = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
"""From XYZ to linear sRGB (CSS Color 4, 18)."""


def _compress(coordinates: Sequence[float | None], matrix: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    xyz = [float(c or 0) for c in coordinates]
    linear = (sum(a * b for a, b in zip(row, xyz, strict=True)) for row in matrix)
    curved = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)
    red, green, blue = (max(0.0, min(1.0, c)) for c in curved)
    return red, green, blue


def _mix_colours(tokens: Tokens, dark: bool) -> Ink | None:
    """Two colours mixed by shares, in sRGB whatever space is asked for: near enough to tell seen from unseen."""
    parts = [drop_blanks(part) for part in split_at_top(tokens)][1:]
    inks, shares = [], []
    for part in parts:
        ink = parse_colour([token for token in part if token.type != "percentage"], dark)
        if not isinstance(ink, Ink):
            return None
        inks.append(ink)
        shares.append(next((token.value / 100 for token in part if token.type == "percentage"), None))
    if len(inks) != 2:
        return None
    first = shares[0] if shares[0] is not None else 1 - shares[1] if shares[1] is not None else 0.5
    weights = (max(0.0, min(1.0, first)), 1 - max(0.0, min(1.0, first)))
    channels = [operator.attrgetter(name) for name in ("red", "green", "blue", "alpha")]
    return Ink(*(sum(w * get(ink) for w, ink in zip(weights, inks, strict=True)) for get in channels))


def find_colours(tokens: Tokens, dark: bool = False, depth: int = 0) -> list[Ink]:
    """All colours in a value and its functions, such as the stops of a gradient."""
    found: list[Ink] = []
    for token in tokens:
        ink = parse_colour([token], dark) if token.type in ("ident", "hash", "function") else None
        if isinstance(ink, Ink):
            found.append(ink)
        elif token.type == "function" and depth < _MAX_NESTING:
            found += find_colours(token.arguments, dark, depth + 1)
    return found
