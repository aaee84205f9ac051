"""Looks of elements, computed from the top down: what is said of an element, on what it has from its parent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.boxes import BOX_PROPERTIES, judge_clips, measure_shift
from extractor.documents.formats.styles.cascade import Declared, extend_variables
from extractor.documents.formats.styles.look import FAINTEST, Look
from extractor.documents.formats.styles.paint import fill_drawing, paint_letters
from extractor.documents.formats.styles.shapes import Movement, judge_clip, judge_clip_path, judge_mask, read_filter
from extractor.documents.formats.styles.shapes import read_movement as _read_movement
from extractor.documents.formats.styles.style import Style
from extractor.documents.formats.styles.values import WINDOW_WIDTH, parse_length, parse_number

_FONT_WORDS = {
    "xx-small": 9.0,
    "x-small": 10.0,
    "small": 13.0,
    "medium": 16.0,
    "large": 18.0,
    "x-large": 24.0,
    "xx-large": 32.0,
    "xxx-large": 48.0,
    "initial": 16.0,
}
_BY_PARENT = {"smaller": 1 / 1.2, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_RESETS = frozenset(("initial", "unset", "revert", "revert-layer"))
_MEDIA = frozenset(("img", "picture", "video", "canvas", "svg", "iframe", "object", "embed", "input"))
_BLENDING = frozenset(("screen", "lighten", "color-dodge", "plus-lighter", "difference", "exclusion"))
"""Ways to lay letters on a ground in which dark ones may vanish on a light one."""
_LARGE_PICTURE = 250.0
"""Pixels in width of a picture that lies over more than a line's beginning."""
_FLAT_LINE = 2.0
"""Pixels of a line of which several lie on each other."""
CROWDED, TIGHT = 0.5, 0.3
"""Shares of the size of letters by which they are pushed together so that they lie on each other, or nearly."""


@dataclass(slots=True)
class LookMaker:
    """Computes looks. Elements of one parent of which the same is said look the same, and share their look."""

    moving: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sure_canvas: bool = True
    """Whether no style sheet is unknown that may paint the page."""
    _known: dict[tuple[Look, Declared, str, bool], Look] = field(default_factory=dict)
    _equals: dict[tuple[object, ...], Look] = field(default_factory=dict)
    """Looks by what they are, so that a thousand elements within each other share theirs."""

    def look_within(self, parent: Look, declared: Declared, name: str, *, drawn: bool = False) -> Look:
        """The look of an element of that name, of which that is declared; `drawn` says that it is part of a drawing."""
        key = parent, declared, name if name in _MEDIA or name in ("html", "body") else "", drawn
        found = self._known.get(key)
        if found is None:
            computed = self._compute(parent, declared, name, drawn)
            found = self._known[key] = self._equals.setdefault(computed.list_values(), computed)
        return found

    def _compute(self, parent: Look, declared: Declared, name: str, drawn: bool) -> Look:
        variables = extend_variables(parent.variables, declared.variables)
        style = Style(declared, variables, self.moving)
        look = Look(variables=variables, dark=parent.dark, is_media=name in _MEDIA)
        _set_font(look, style, parent)
        style.font = look.font
        position = style.word("position")
        look.display = style.word("display") or "inline"
        floats = style.word("float") in ("left", "right", "inline-start", "inline-end")
        inline = look.display in ("inline", "contents") and position not in ("absolute", "fixed")
        inline = inline and not floats and not parent.flex and not look.is_media
        movement = Movement() if inline else read_movement(style)
        look.is_positioned = position in ("relative", "absolute", "fixed", "sticky")
        _set_letters(look, style, parent)
        _set_place(look, style, parent, movement, inline=inline)
        self._set_sight(look, style, parent, movement, inline=inline)
        paint_letters(look, style, parent, is_root=name == "html", is_canvas=name in ("html", "body"))
        if drawn:
            fill_drawing(look, style, parent)
        _set_stack(look, style, parent, is_canvas=name in ("html", "body"))
        look.box, look.ink = look.judge_box(), look.judge_ink()
        return look

    @staticmethod
    def _set_sight(look: Look, style: Style, parent: Look, movement: Movement, *, inline: bool) -> None:
        """What puts the element and all within it out of sight."""
        found = [
            parent.gone,
            style.judge(("display",), _judge_display),
            style.judge(("opacity", "filter"), lambda s: _judge_veil(s, parent)),
            style.judge(("mix-blend-mode",), _judge_blend),
            style.judge(("clip-path",), lambda s: judge_clip_path(s.tokens("clip-path"))),
            style.judge(("mask-image",), lambda s: judge_mask(s.tokens("mask-image"), look.dark)),
            style.judge(
                BOX_PROPERTIES,
                lambda s: measure_shift(s, parent, Movement() if inline else read_movement(s), inline=inline).sight,
            ),
        ]
        if style.word("position") in ("absolute", "fixed"):
            found.append(style.judge(("clip", "position"), lambda s: judge_clip(s.tokens("clip"))))
        if not inline:
            found.append(style.judge(("content-visibility",), _judge_content))
            found.append(style.judge(("transform", "rotate", "backface-visibility"), _judge_turn))
        look.gone = max(found)
        visibility = style.word("visibility")
        if style.says("visibility") and visibility not in ("inherit", "unset", "revert"):
            look.seen = style.judge(("visibility",), _judge_visibility)
        else:
            look.seen = parent.seen


def read_movement(style: Style) -> Movement:
    return _read_movement(
        style.tokens("transform"), style.tokens("translate"), style.tokens("scale"), style.tokens("rotate"), style.font
    )


def _judge_display(style: Style) -> Sight:
    return Sight.HIDDEN if style.word("display") == "none" else Sight.SHOWN


def _judge_content(style: Style) -> Sight:
    return Sight.HIDDEN if style.word("content-visibility") == "hidden" else Sight.SHOWN


def _judge_visibility(style: Style) -> Sight:
    return Sight.HIDDEN if style.word("visibility") in ("hidden", "collapse") else Sight.SHOWN


def _judge_turn(style: Style) -> Sight:
    moved = read_movement(style)
    from_behind = moved.shows_back and style.word("backface-visibility") == "hidden"
    return Sight.HIDDEN if moved.turned_away or from_behind else Sight.SHOWN


def _judge_blend(style: Style) -> Sight:
    return Sight.DOUBTFUL if style.word("mix-blend-mode") in _BLENDING else Sight.SHOWN


def _read_veil(style: Style) -> float:
    opacity = style.number("opacity")
    through, _ = read_filter(style.tokens("filter"))
    return max(0.0, min(1.0, 1.0 if opacity is None else opacity)) * through


def _judge_veil(style: Style, parent: Look) -> Sight:
    if _read_veil(style) * parent.veil < FAINTEST:
        return Sight.HIDDEN
    return read_filter(style.tokens("filter"))[1]


def _set_font(look: Look, style: Style, parent: Look) -> None:
    """The size of letters, and what it is multiplied by."""
    look.font, look.font_is_sure = parent.font, parent.font_is_sure
    if style.says("font-size"):
        look.font = _read_font(style, parent)
        sizes = (
            _read_font(Style(style.declared, style.variables, style.moving, choice=choice), parent)
            for choice in style.declared.list_variants(("font-size",))
        )
        look.font_is_sure = not any(size > look.font for size in sizes)
    zoom = style.number("zoom")
    look.zoom, look.zoom_is_sure = parent.zoom, parent.zoom_is_sure
    if zoom is not None:
        look.zoom *= zoom
        look.zoom_is_sure = look.zoom_is_sure and zoom > 0  # browsers take no size for the usual one


def _read_font(style: Style, parent: Look) -> float:
    word = style.word("font-size")
    if word in _FONT_WORDS:
        return _FONT_WORDS[word]
    if word in _BY_PARENT:
        return parent.font * _BY_PARENT[word]
    length = parse_length(style.tokens("font-size"), parent.font)
    return parent.font if length is None else max(0.0, length.resolve(parent.font))


def _set_letters(look: Look, style: Style, parent: Look) -> None:
    """How letters are set."""
    look.line, look.indent_pixels, look.indent_percent = parent.line, parent.indent_pixels, parent.indent_percent
    look.white_space, look.list_style = parent.white_space, parent.list_style
    if style.says("line-height"):
        factor, length = parse_number(style.tokens("line-height")), style.length("line-height")
        look.line = factor * look.font if factor is not None else length.resolve(look.font) if length else None
    look.squeezed = parent.squeezed
    if style.says("line-height"):
        flat = look.line is not None and look.line <= _FLAT_LINE
        look.squeezed = Sight.DOUBTFUL if flat and look.display not in ("inline", "contents") else Sight.SHOWN
    if style.says("text-indent"):
        indent = style.length("text-indent")
        if indent is not None or style.word("text-indent") in _RESETS:
            look.indent_pixels, look.indent_percent = (indent.pixels, indent.percent) if indent else (0.0, 0.0)
    look.white_space = style.word("white-space") or look.white_space
    look.list_style = style.word("list-style-type") or look.list_style
    look.raised = style.word("vertical-align") if style.word("vertical-align") in ("super", "sub") else ""
    own = Sight.SHOWN
    if style.says("letter-spacing"):
        own = style.judge(("letter-spacing",), _judge_spacing)
    if style.pixels("word-spacing") < -2 * look.font:
        own = max(own, Sight.DOUBTFUL)
    if style.word("-webkit-text-security") not in ("", "none", *_RESETS):
        own = Sight.HIDDEN
    if style.word("unicode-bidi") in ("bidi-override", "isolate-override") and style.word("direction") == "rtl":
        own = max(own, Sight.DOUBTFUL)
    look.spelled = own if style.says("letter-spacing") else max(own, parent.spelled)
    if look.indent_pixels or look.indent_percent:
        look.spelled = max(look.spelled, style.judge(("text-indent", "overflow-x"), lambda s: _judge_indent(s, look)))


def _judge_spacing(style: Style) -> Sight:
    length = style.length("letter-spacing")
    closer = -length.resolve(style.font) / max(style.font, 1.0) if length else 0.0
    return Sight.HIDDEN if closer >= CROWDED else Sight.DOUBTFUL if closer >= TIGHT else Sight.SHOWN


def _judge_indent(style: Style, look: Look) -> Sight:
    pixels, percent = look.indent_pixels, look.indent_percent
    if style.says("text-indent"):
        indent = style.length("text-indent")
        pixels, percent = (indent.pixels, indent.percent) if indent else (0.0, 0.0)
    if pixels <= -500 or percent <= -100:
        return Sight.HIDDEN
    cut = style.word("overflow-x") in ("hidden", "clip")
    return Sight.HIDDEN if (percent >= 100 or pixels >= 2000) and cut else Sight.SHOWN


def _set_place(look: Look, style: Style, parent: Look, movement: Movement, *, inline: bool) -> None:
    """Where its box lies, and how it lays out what is in it."""
    shift = measure_shift(style, parent, movement, inline=inline)
    look.shift_x, look.shift_y, look.reach = shift.x, shift.y, shift.reach
    look.is_rooted = parent.is_rooted and not look.is_positioned and movement == Movement()
    look.scale = parent.scale * movement.scale
    look.clips = judge_clips(style, parent, inline=inline, display=look.display, line=look.line)
    if look.display in ("flex", "inline-flex", "-webkit-box", "-webkit-flex", "grid", "inline-grid"):
        look.flex = "column" if style.word("flex-direction").startswith("column") else "row"
        look.is_reversed = style.word("flex-direction").endswith("-reverse")
    look.order = (style.number("order") or 0.0) if parent.flex else 0.0
    rows = style.length("grid-template-rows") if look.flex else None
    flat = [t for t in style.tokens("grid-template-rows") if t.type == "dimension" and t.lower_unit == "fr"]
    look.has_flat_rows = (rows is not None and rows.pixels <= 1 and not rows.percent) or (
        len(flat) == 1 and flat[0].value == 0
    )
    look.is_moved = (
        style.word("position") in ("absolute", "fixed", "sticky")
        or shift.x != parent.shift_x
        or shift.y != parent.shift_y
        or movement != Movement()
        or any(style.says(side) for side in ("left", "right", "top", "bottom") if look.is_positioned)
        or any(style.pixels(f"margin-{side}") < 0 for side in ("left", "right", "top", "bottom"))
        or (look.is_positioned and style.number("z-index") is not None)
    )


def _set_stack(look: Look, style: Style, parent: Look, *, is_canvas: bool) -> None:
    """What lies over what."""
    level = style.number("z-index")
    look.level = level if level is not None and (look.is_positioned or parent.flex) else 0.0
    look.stacks = (
        (level is not None and (look.is_positioned or bool(parent.flex)))
        or style.word("position") in ("fixed", "sticky")
        or _read_veil(style) < 1
        or read_movement(style) != Movement()
        or style.word("isolation") == "isolate"
    )
    look.over_ground = not look.stacks and (parent.over_ground or (look.opaque and not is_canvas))
    sides = [style.length(side) for side in ("left", "top", "right", "bottom")]
    sizes = [style.length(size) for size in ("width", "height")]
    fills = all(side is not None and side.pixels <= 0 and not side.percent for side in sides[:2])
    whole = all(size is not None and size.percent >= 100 for size in sizes)
    stretched = all(side is not None and side.pixels <= 0 and not side.percent for side in sides[2:])
    look.opaque = look.opaque or look.is_media
    large = look.is_media and sizes[0] is not None and sizes[0].resolve(WINDOW_WIDTH) >= _LARGE_PICTURE
    look.covers = style.word("position") == "absolute" and look.opaque and fills and (whole or stretched or large)
