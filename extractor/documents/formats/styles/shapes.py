"""Values of CSS that cut, move, shrink or fade an element: what is left of it to be seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.values import (
    ZERO,
    Length,
    Tokens,
    drop_blanks,
    find_colours,
    parse_length,
    parse_number,
    spell_word,
    split_at_top,
)

_SMALLEST = 1.0
"""Pixels: a hole of that width shows nothing that can be read."""
_EDGE_ON = 3.0
"""Degrees from a right angle at which a turned plane is still a line."""
_UNREADABLE_BLUR = 5.0
"""Pixels of blur beyond which a text of usual size can't be read."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What transforms do: a factor of size, the smaller of both, and how far they move."""

    scale: float = 1.0
    x: Length = ZERO
    y: Length = ZERO
    turned_away: bool = False
    shows_back: bool = False


def read_movement(transform: Tokens, translate: Tokens, scale: Tokens, rotate: Tokens, font: float) -> Movement:
    """What the four properties of CSS Transforms 2 do together."""
    moved = Movement()
    for token in transform:
        if token.type == "function":
            moved = _add_function(moved, token.lower_name, split_at_top(token.arguments), font)
    parts = drop_blanks(translate)
    if parts and spell_word(parts) != "none":
        moved = _shift(moved, [[p] for p in parts[:2]], font)
    factors = [parse_number([p]) for p in drop_blanks(scale)]
    if factors and None not in factors:
        moved = _rescale(moved, [f for f in factors if f is not None])
    turned = drop_blanks(rotate)
    if len(turned) == 2 and spell_word(turned[:1]) in ("x", "y"):
        moved = _turn(moved, turned[1:])
    return moved


def _add_function(moved: Movement, name: str, arguments: list[list[Any]], font: float) -> Movement:
    numbers = [parse_number(argument) for argument in arguments]
    known = [number if number is not None else 1.0 for number in numbers]
    if name in ("translate", "translate3d"):
        return _shift(moved, arguments, font)
    if name in ("translatex", "translatey"):
        return _shift(moved, arguments[:1] if name.endswith("x") else [[], *arguments[:1]], font)
    if name in ("scale", "scale3d", "scalex", "scaley"):
        return _rescale(moved, known[:2])
    if name in ("rotatex", "rotatey"):
        return _turn(moved, arguments[0])
    if name == "matrix" and len(known) == 6:
        a, b, c, d, x, y = known
        return _rescale(_shift_by(moved, Length(x), Length(y)), [abs(a * d - b * c)])
    if name == "matrix3d" and len(known) == 16:
        return _rescale(
            _shift_by(moved, Length(known[12]), Length(known[13])), [known[0] * known[5] - known[1] * known[4]]
        )
    return moved


def _shift(moved: Movement, arguments: Sequence[Tokens], font: float) -> Movement:
    x, y = ((parse_length(argument, font) or ZERO) if argument else ZERO for argument in (*arguments, (), ())[:2])
    return _shift_by(moved, x, y)


def _shift_by(moved: Movement, x: Length, y: Length) -> Movement:
    total = (
        Length(moved.x.pixels + x.pixels * moved.scale, moved.x.percent + x.percent * moved.scale),
        Length(moved.y.pixels + y.pixels * moved.scale, moved.y.percent + y.percent * moved.scale),
    )
    return replace(moved, x=total[0], y=total[1])


def _rescale(moved: Movement, factors: Sequence[float]) -> Movement:
    smallest = min((abs(factor) for factor in factors), default=1.0)
    return replace(moved, scale=moved.scale * smallest)


def _turn(moved: Movement, tokens: Tokens) -> Movement:
    degrees = abs(parse_number(tokens) or 0.0) % 360
    edge_on = min(abs(degrees - 90), abs(degrees - 270)) < _EDGE_ON
    return replace(moved, turned_away=moved.turned_away or edge_on, shows_back=moved.shows_back != (90 < degrees < 270))


def judge_clip(tokens: Tokens) -> Sight:
    """The old `clip: rect(top, right, bottom, left)` of an element that is positioned."""
    for token in tokens:
        if token.type == "function" and token.lower_name == "rect":
            parts = [part for group in split_at_top(token.arguments) for part in drop_blanks(group)]
            lengths = [parse_length([part]) for part in parts]
            if len(lengths) == 4:
                top, right, bottom, left = lengths
                if _is_narrow(top, bottom) or _is_narrow(left, right):
                    return Sight.HIDDEN
    return Sight.SHOWN


def _is_narrow(start: Length | None, end: Length | None) -> bool:
    return end is not None and end.pixels - (start.pixels if start else 0.0) <= _SMALLEST


def judge_clip_path(tokens: Tokens) -> Sight:
    """A shape that the element is cut to (CSS Masking 1; CSS Shapes 1)."""
    for token in tokens:
        if token.type == "url":
            return Sight.DOUBTFUL
        if token.type == "function" and _is_empty_shape(token.lower_name, token.arguments):
            return Sight.HIDDEN
    return Sight.SHOWN


def _is_empty_shape(name: str, arguments: Tokens) -> bool:
    parts = drop_blanks(arguments)
    before_round = next((i for i, token in enumerate(parts) if spell_word([token]) in ("round", "at")), len(parts))
    lengths = [found for token in parts[:before_round] if (found := parse_length([token])) is not None]
    if name == "inset" and lengths:
        top, right, bottom, left = (lengths[min(i, at)] for i, at in zip(*_spread(len(lengths)), strict=True))
        return _covers_all(top, bottom) or _covers_all(left, right)
    if name in ("circle", "ellipse"):
        return any(length.pixels <= _SMALLEST and not length.percent for length in lengths)
    if name == "path":
        drawn = re.findall(r"[-+]?[0-9]*\.?[0-9]+", "".join(str(t.value) for t in parts if t.type == "string"))
        return len({float(number) for number in drawn}) < 2
    if name == "polygon":
        corners = [drop_blanks(part) for part in split_at_top(arguments)]
        points = [tuple(parse_length([token]) for token in corner[:2]) for corner in corners if len(corner) >= 2]
        return bool(points) and (len({p[0] for p in points}) == 1 or len({p[1] for p in points}) == 1)
    if name == "rect" and len(parts) >= 4:
        top, right, bottom, left = (parse_length([token]) or ZERO for token in parts[:4])
        return (
            bottom.resolve(1000) - top.resolve(1000) <= _SMALLEST
            or right.resolve(1000) - left.resolve(1000) <= _SMALLEST
        )
    if name == "xywh" and len(parts) >= 4:
        return any(length.resolve(1000) <= _SMALLEST for length in lengths[2:4])
    return False


def _spread(count: int) -> tuple[Sequence[int], Sequence[int]]:
    """Of one to four values those of the top, the right, the bottom and the left."""
    return {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 3: (0, 1, 2, 1)}.get(count, (0, 1, 2, 3)), (count - 1,) * 4


def _covers_all(one: Length, other: Length) -> bool:
    return one.percent + other.percent >= 99 or one.pixels + other.pixels >= 2000


def judge_mask(tokens: Tokens, dark: bool) -> Sight:
    """A picture through which the element is seen."""
    found = Sight.SHOWN
    for token in tokens:
        if token.type == "function" and token.lower_name.endswith("gradient"):
            stops = find_colours(token.arguments, dark)
            if stops and all(stop.alpha < 0.05 for stop in stops):
                return Sight.HIDDEN
        elif token.type == "url" or (token.type == "function" and token.lower_name in ("url", "image-set")):
            found = Sight.DOUBTFUL
    return found


def read_filter(tokens: Tokens) -> tuple[float, Sight]:
    """The opacity that filters leave, and how their other effects let the element be seen."""
    opacity, found = 1.0, Sight.SHOWN
    for token in tokens:
        if token.type != "function":
            continue
        share = parse_number(token.arguments)
        if token.lower_name == "opacity" and share is not None:
            opacity *= max(0.0, min(1.0, share))
        elif token.lower_name == "alpha":  # of old browsers: opacity=0; those of today don't know it
            continue
        elif token.lower_name == "blur" and (length := parse_length(token.arguments)) is not None:
            found = max(found, Sight.DOUBTFUL if length.pixels >= _UNREADABLE_BLUR else Sight.SHOWN)
        elif (token.lower_name in ("contrast", "brightness") and share is not None and not 0.05 < share < 8) or (
            token.lower_name == "invert" and (share is None or share > 0.5)
        ):
            found = max(found, Sight.DOUBTFUL)
    return opacity, found
