"""Colours of letters, and of what they stand on."""

from __future__ import annotations

from extractor.documents.formats.styles.look import FAINTEST, Look
from extractor.documents.formats.styles.style import Style
from extractor.documents.formats.styles.values import (
    BLACK,
    CLEAR,
    DARK_CANVAS,
    WHITE,
    Ink,
    Tokens,
    find_colours,
    find_words,
    parse_colour,
    spell_word,
)

_FROM_PARENT = frozenset(("inherit", "unset", "revert", "revert-layer"))
_OPAQUE = 0.95
_MOST_COLOURS = 8


def paint_letters(look: Look, style: Style, parent: Look, *, is_root: bool, is_canvas: bool) -> None:
    """Sets the colours of an element's letters and ground."""
    if is_root:
        words = find_words(style.tokens("color-scheme"))
        look.dark = "dark" in words and "light" not in words if words else parent.dark
    base = Look(inks=(WHITE,), ground=(DARK_CANVAS,)) if is_root and look.dark else parent
    look.inks = _read_inks(style, "color", base.inks, look.dark)
    fills = style.tokens("-webkit-text-fill-color")
    if not fills:
        look.fill = parent.fill
    elif spell_word(fills) == "currentcolor":
        look.fill = None
    else:
        look.fill = _read_inks(style, "-webkit-text-fill-color", parent.fill or look.inks, look.dark)
    look.has_outline = parent.has_outline
    if style.tokens("text-shadow") and style.word("text-shadow") not in _FROM_PARENT:
        look.has_outline = style.word("text-shadow") not in ("none", "initial")
    if style.pixels("-webkit-text-stroke-width") > 0:
        look.has_outline = True
    veil = parent.veil * _own_opacity(style)
    look.veil = veil if veil >= FAINTEST else parent.veil  # below that it is gone, or it is not certain that it is
    look.painted = parent.painted
    look.ground, look.ground_is_sure = base.ground, parent.ground_is_sure
    _set_ground(look, style, base)


def fill_drawing(look: Look, style: Style, parent: Look) -> None:
    """Sets the colours of words in a drawing. On what shapes they stand is not known."""
    look.is_drawn = True
    inherited = parent.fill if parent.is_drawn else None
    look.fill = (CLEAR,) if style.word("fill") == "none" else _read_inks(style, "fill", inherited, look.dark)
    look.ground_is_sure = False


def _own_opacity(style: Style) -> float:
    opacity = style.number("opacity")
    return 1.0 if opacity is None else max(0.0, min(1.0, opacity))


def _read_inks(style: Style, name: str, from_parent: tuple[Ink, ...] | None, dark: bool) -> tuple[Ink, ...]:
    """The colours that a property of letters may have."""
    inherited = (BLACK,) if from_parent is None else from_parent
    if not style.says(name):
        return inherited
    found: list[Ink] = []
    choices = [{}, *style.declared.list_variants((name,))]
    for choice in choices:
        tokens = Style(style.declared, style.variables, style.moving, style.font, choice).tokens(name)
        word = spell_word(tokens)
        ink = parse_colour(tokens, dark)
        if not tokens or word in _FROM_PARENT or word == "currentcolor":
            found += inherited
        elif word == "initial":
            found.append(WHITE if dark else BLACK)
        elif isinstance(ink, Ink):
            found.append(ink)
        elif not found:
            return ()  # a colour that is not understood
    return tuple(found[:_MOST_COLOURS])


def _set_ground(look: Look, style: Style, base: Look) -> None:
    """What an element paints behind its letters (a colour, stops of a gradient, a picture), or fills them with."""
    colours = _read_grounds(style, look)
    image = style.tokens("background-image")
    pictures = [t for t in image if t.type == "url" or (t.type == "function" and not t.lower_name.endswith("gradient"))]
    stops = _find_stops(image, look.dark)
    if "text" in find_words(style.tokens("background-clip")):
        if colours or stops or pictures:
            look.painted = () if pictures else tuple((stops or colours)[:_MOST_COLOURS])
            look.fill = () if pictures else look.fill
        return
    if not (colours or stops or pictures):
        return
    ground = tuple(colour.over(under) for under in base.ground[:2] for colour in colours) or base.ground
    if stops:
        ground = tuple(stop.over(under) for under in ground[:2] for stop in stops)
    look.ground = ground[:_MOST_COLOURS]
    look.gives_ground = True
    look.painted = ()
    solid = bool(colours) and colours[0].alpha >= _OPAQUE
    look.opaque = solid or bool(stops and all(stop.alpha >= _OPAQUE for stop in stops))
    if solid:
        look.ground_is_sure = True
    if pictures:
        look.ground_is_sure = False


def _read_grounds(style: Style, look: Look) -> list[Ink]:
    """The colours that a background may have, without those that let all through."""
    if not style.says("background-color"):
        return []
    found: list[Ink] = []
    for choice in [{}, *style.declared.list_variants(("background-color",))]:
        tokens = Style(style.declared, style.variables, style.moving, style.font, choice).tokens("background-color")
        ink = parse_colour(tokens, look.dark)
        if ink == "currentcolor":
            ink = look.inks[0] if look.inks else None
        found.append(ink if isinstance(ink, Ink) else CLEAR)
    return found if any(ink.alpha > 0 for ink in found) else []


def _find_stops(image: Tokens, dark: bool) -> list[Ink]:
    gradients = [t for t in image if t.type == "function" and t.lower_name.endswith("gradient")]
    return find_colours(gradients[0].arguments, dark) if gradients else []
