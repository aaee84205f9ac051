"""Conditions of style sheets: media queries and feature queries (Media Queries 5; CSS Conditional Rules 3).

A page is looked at in a window on a desk, in light colours, with a mouse. What would be otherwise on a phone, on a wide
screen or in the dark holds now or later, not always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from extractor.documents.formats.styles.holds import Holds
from extractor.documents.formats.styles.values import (
    WINDOW_HEIGHT,
    WINDOW_WIDTH,
    Tokens,
    drop_blanks,
    parse_length,
    spell_word,
    split_at,
)

_WIDTHS = (WINDOW_WIDTH, 320.0, 390.0, 600.0, 768.0, 1024.0, 1440.0, 1920.0, 2560.0)
_HEIGHTS = (WINDOW_HEIGHT, 480.0, 640.0, 1200.0)
"""Pixels; the first is the window's, the others are those of other people."""
_MAX_NESTING = 16
_MOST_WIDTH = 8000.0
_STATES = {
    "prefers-color-scheme": ("light", "dark"),
    "prefers-reduced-motion": ("no-preference", "reduce"),
    "prefers-contrast": ("no-preference", "more", "less", "custom"),
    "prefers-reduced-transparency": ("no-preference", "reduce"),
    "prefers-reduced-data": ("no-preference", "reduce"),
    "forced-colors": ("none", "active"),
    "inverted-colors": ("none", "inverted"),
    "hover": ("hover", "none"),
    "any-hover": ("hover", "none"),
    "pointer": ("fine", "coarse", "none"),
    "any-pointer": ("fine", "coarse", "none"),
    "orientation": ("landscape", "portrait"),
    "display-mode": ("browser", "standalone", "fullscreen", "minimal-ui"),
    "scripting": ("enabled", "none", "initial-only"),
    "update": ("fast", "slow", "none"),
    "overflow-block": ("scroll", "none", "paged"),
    "overflow-inline": ("scroll", "none"),
    "color-gamut": ("srgb", "p3", "rec2020"),
    "dynamic-range": ("standard", "high"),
}
"""Features with key words: the first holds in the window that a page is looked at in."""
_NUMBERS = {
    "pixel-ratio": (1.0, 2.0, 3.0),
    "resolution": (1.0, 2.0, 3.0),
    "aspect-ratio": (1.6, 0.5, 1.78),
    "color": (8.0, 10.0),
    "monochrome": (0.0,),
    "grid": (0.0,),
}
"""Features with numbers: the first is the window's."""
_PREFIXES = re.compile(r"^(?:-webkit-|-moz-|min-|max-|device-)+(?:-moz-)?(?:device-)?")
_SURELY_KNOWN = frozenset(
    (  # noqa: SIM905 (read more easily than a list of strings)
        "display position color background background-color opacity visibility flex flex-direction gap grid "
        "grid-template-columns width height max-width min-width max-height min-height margin padding transform "
        "transition animation filter clip clip-path font-size object-fit overflow aspect-ratio inset columns float "
        "z-index mask"
    ).split()
)
"""Properties that every browser has known for years."""


def evaluate_media(tokens: Tokens) -> Holds:
    """Whether a list of media queries holds; an empty list does."""
    queries = split_at_commas(tokens)
    if not any(queries):
        return Holds.ALWAYS
    return max(_evaluate_query(query) for query in queries)


def split_at_commas(tokens: Tokens) -> list[list[Any]]:
    return split_at(tokens, ",")


def _evaluate_query(tokens: list[Any]) -> Holds:
    """One query: a type of media, and conditions."""
    negated = False
    if tokens and spell_word(tokens[:1]) in ("not", "only") and len(tokens) > 1 and tokens[1].type == "ident":
        negated, tokens = spell_word(tokens[:1]) == "not", tokens[1:]
    held = Holds.ALWAYS
    if tokens and tokens[0].type == "ident" and tokens[0].lower_value != "not":
        held = Holds.ALWAYS if tokens[0].lower_value in ("all", "screen") else Holds.NEVER
        tokens = tokens[1:]
        if tokens and spell_word(tokens[:1]) == "and":
            tokens = tokens[1:]
    if tokens:
        held = min(held, _evaluate_condition(tokens, _evaluate_feature, 0))
    return held.negate() if negated else held


def evaluate_supports(tokens: Tokens) -> Holds:
    """Whether a browser of today has what is asked for."""
    return _evaluate_condition(drop_blanks(tokens), _evaluate_declaration, 0)


def _evaluate_condition(tokens: list[Any], judge: Callable[[Any], Holds], depth: int) -> Holds:
    """Terms joined by "and" or "or", each in brackets and perhaps with "not" before it."""
    if depth > _MAX_NESTING or not tokens:
        return Holds.LATER
    found: list[Holds] = []
    joined, negated = "and", False
    for token in tokens:
        word = token.lower_value if token.type == "ident" else ""
        if word == "not":
            negated = True
        elif word in ("and", "or"):
            joined = word
        else:
            held = _evaluate_term(token, judge, depth)
            found.append(held.negate() if negated else held)
            negated = False
    if not found:
        return Holds.LATER
    return min(found) if joined == "and" else max(found)


def _evaluate_term(token: Any, judge: Callable[[Any], Holds], depth: int) -> Holds:
    if token.type == "() block":
        inner = drop_blanks(token.content)
        if inner and (inner[0].type in ("() block", "function") or spell_word(inner[:1]) == "not"):
            return _evaluate_condition(inner, judge, depth + 1)
    return judge(token)


def _evaluate_declaration(token: Any) -> Holds:
    """A declaration in brackets, of a property that browsers know or do not."""
    if token.type == "function":
        return Holds.NOW
    content = drop_blanks(getattr(token, "content", ()))
    name = content[0].lower_value if content and content[0].type == "ident" else ""
    if name in _SURELY_KNOWN or name.startswith("--"):
        return Holds.ALWAYS
    return Holds.NEVER if name.startswith(("-moz-", "-ms-", "-o-")) else Holds.NOW


def _evaluate_feature(token: Any) -> Holds:
    """A feature in brackets: a name alone, with a value, or between bounds."""
    if token.type != "() block":
        return Holds.LATER
    content = drop_blanks(token.content)
    if not content:
        return Holds.LATER
    name = content[0].lower_value if content[0].type == "ident" else ""
    if len(content) > 2 and _is_sign(content[1], ":"):
        return _compare_feature(name, content[2:])
    if len(content) == 1:
        states = _STATES.get(name)
        if states is not None:
            return Holds.NOW if states[0] not in ("none", "no-preference") else Holds.LATER
        if name in _NUMBERS:
            return Holds.ALWAYS if _NUMBERS[name][0] else Holds.NEVER
        return Holds.ALWAYS if name in ("width", "height") else Holds.LATER
    return _evaluate_range(content)


def _compare_feature(name: str, value: list[Any]) -> Holds:
    plain = _PREFIXES.sub("", name)
    bound = _read_bound(plain, value)
    if bound is not None:
        sizes = _sizes_of(plain)
        if "min-" in name:
            return _judge_sizes(sizes, lambda size: size >= bound)
        if "max-" in name:
            return _judge_sizes(sizes, lambda size: size <= bound)
        return _judge_sizes(sizes, lambda size: size == bound)
    states = _STATES.get(plain)
    if states is not None:
        word = spell_word(value)
        return Holds.NOW if word == states[0] else Holds.LATER if word in states else Holds.NEVER
    return Holds.LATER


def _sizes_of(name: str) -> Sequence[float]:
    return {"width": _WIDTHS, "height": _HEIGHTS}.get(name) or _NUMBERS[name]


def _read_bound(name: str, value: list[Any]) -> float | None:
    if name in ("width", "height"):
        length = parse_length(value)
        return length.pixels if length else None
    if name not in _NUMBERS:
        return None
    first = value[0]
    if first.type == "dimension" and first.lower_unit in ("dppx", "x", "dpi", "dpcm"):
        return float(first.value) / {"dpi": 96.0, "dpcm": 37.8}.get(first.lower_unit, 1.0)
    if first.type != "number":
        return None
    if len(value) == 3 and _is_sign(value[1], "/") and value[2].type == "number" and value[2].value:
        return float(first.value) / float(value[2].value)
    return float(first.value)


def _judge_sizes(sizes: Sequence[float], fits: Callable[[float], bool]) -> Holds:
    first, *others = map(fits, sizes)
    if first:
        return Holds.ALWAYS if all(others) else Holds.NOW
    return Holds.LATER if any(others) else Holds.NEVER


def _evaluate_range(content: list[Any]) -> Holds:
    """Bounds with signs, such as 400px <= width < 700px."""
    at = next((i for i, token in enumerate(content) if spell_word([token]) in ("width", "height")), None)
    if at is None:
        return Holds.LATER
    sizes = _WIDTHS if spell_word(content[at : at + 1]) == "width" else _HEIGHTS
    low, high = 0.0, _MOST_WIDTH
    for sign, value, above in _read_bounds(content, at):
        length = parse_length([value])
        if length is None or not sign:
            return Holds.LATER
        if (sign[0] == ">") == above:
            low = max(low, length.pixels)
        else:
            high = min(high, length.pixels)
    return _judge_sizes(sizes, lambda size: low <= size <= high)


def _read_bounds(content: list[Any], at: int) -> list[tuple[str, Any, bool]]:
    """Each bound: its sign, its value, and whether the feature stands to the left of it."""
    after, before = content[at + 1 :], content[:at]
    bounds = []
    if len(after) >= 2:
        bounds.append(("".join(str(t.value) for t in after[:-1]), after[-1], True))
    if len(before) >= 2:
        bounds.append(("".join(str(t.value) for t in before[1:]), before[0], False))
    return bounds


def _is_sign(token: Any, sign: str) -> bool:
    return bool(token.type == "literal" and token.value == sign)
