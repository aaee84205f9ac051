"""Properties by their full names: what a shorthand sets, and other names of the same property."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tinycss2 import parse_component_value_list

from extractor.documents.formats.styles.values import (
    Ink,
    Tokens,
    drop_blanks,
    find_words,
    parse_colour,
    spell_word,
    split_at_top,
)

INHERITED = frozenset(
    (  # noqa: SIM905 (read more easily than a list of strings)
        "visibility color -webkit-text-fill-color font-size line-height letter-spacing word-spacing text-indent "
        "white-space "
        "text-shadow -webkit-text-stroke-width -webkit-text-security color-scheme direction fill list-style-type"
    ).split()
)
"""Properties that an element has from its parent where nothing is said of them."""
_OWN = frozenset(
    (  # noqa: SIM905 (read more easily than a list of strings)
        "display opacity content-visibility position left right top bottom float width height min-width min-height "
        "max-width max-height margin-left margin-right margin-top margin-bottom padding-left padding-right padding-top "
        "padding-bottom overflow-x overflow-y clip clip-path transform translate scale rotate backface-visibility zoom "
        "background-color background-image background-clip filter mask-image z-index animation-name "
        "unicode-bidi isolation flex-direction order vertical-align mix-blend-mode grid-template-rows content "
        "counter-reset counter-set counter-increment"
    ).split()
)
PROPERTIES = INHERITED | _OWN
"""Everything that is asked of an element."""
_SIDES = ("top", "right", "bottom", "left")
_OTHER_NAMES = {
    "-webkit-transform": "transform",
    "-ms-transform": "transform",
    "-webkit-clip-path": "clip-path",
    "-webkit-filter": "filter",
    "-webkit-mask-image": "mask-image",
    "-webkit-background-clip": "background-clip",
    "-webkit-animation-name": "animation-name",
    "-webkit-animation": "animation",
    "-webkit-mask": "mask",
    "-webkit-opacity": "opacity",
    "-webkit-backface-visibility": "backface-visibility",
    "-webkit-flex-direction": "flex-direction",
    "-webkit-order": "order",
    "inline-size": "width",
    "block-size": "height",
    "min-inline-size": "min-width",
    "min-block-size": "min-height",
    "max-inline-size": "max-width",
    "max-block-size": "max-height",
    "inset-inline-start": "left",
    "inset-inline-end": "right",
    "inset-block-start": "top",
    "inset-block-end": "bottom",
    "overflow-inline": "overflow-x",
    "overflow-block": "overflow-y",
    **{f"{box}-inline-start": f"{box}-left" for box in ("margin", "padding")},
    **{f"{box}-inline-end": f"{box}-right" for box in ("margin", "padding")},
    **{f"{box}-block-start": f"{box}-top" for box in ("margin", "padding")},
    **{f"{box}-block-end": f"{box}-bottom" for box in ("margin", "padding")},
}
_PAIRS = {
    "inset-inline": ("left", "right"),
    "inset-block": ("top", "bottom"),
    "overflow": ("overflow-x", "overflow-y"),
    **{f"{box}-inline": (f"{box}-left", f"{box}-right") for box in ("margin", "padding")},
    **{f"{box}-block": (f"{box}-top", f"{box}-bottom") for box in ("margin", "padding")},
}
_SETS: Mapping[str, tuple[str, ...]] = {
    **_PAIRS,
    "inset": _SIDES,
    "margin": tuple(f"margin-{side}" for side in _SIDES),
    "padding": tuple(f"padding-{side}" for side in _SIDES),
    "background": ("background-color", "background-image", "background-clip"),
    "font": ("font-size", "line-height"),
    "mask": ("mask-image",),
    "animation": ("animation-name",),
    "list-style": ("list-style-type",),
    "flex-flow": ("flex-direction",),
    "-webkit-text-stroke": ("-webkit-text-stroke-width",),
    "all": tuple(sorted(PROPERTIES - {"direction", "unicode-bidi"})),
}
"""What each shorthand sets."""
_NOT_SET: Tokens = parse_component_value_list("initial")
_WIDE = frozenset(("inherit", "initial", "unset", "revert", "revert-layer"))
_SIZES = frozenset(
    ("xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large", "smaller", "larger")
)


def list_longhands(name: str) -> Sequence[str]:
    """The properties that are asked for among those that a declaration of that name sets; none where it sets none."""
    name = _OTHER_NAMES.get(name, name)
    if name in PROPERTIES:
        return (name,)
    return _SETS.get(name, ())


def read_longhand(name: str, longhand: str, tokens: Tokens) -> Tokens:
    """What a declaration of that name gives one of its properties. `var()` is to have been resolved before."""
    name = _OTHER_NAMES.get(name, name)
    if name == longhand or spell_word(tokens) in _WIDE:
        return tokens
    if name in _PAIRS:
        parts = drop_blanks(tokens)
        return [parts[min(_PAIRS[name].index(longhand), len(parts) - 1)]] if parts else _NOT_SET
    if name in ("inset", "margin", "padding"):
        return _read_side(drop_blanks(tokens), _SETS[name].index(longhand))
    if name == "background":
        return _read_background(longhand, tokens)
    if name == "font":
        return _read_font(longhand, drop_blanks(tokens))
    if name == "-webkit-text-stroke":
        return [t for t in drop_blanks(tokens) if t.type in ("number", "dimension")] or _NOT_SET
    if name == "all":
        return _NOT_SET
    return tokens


def _read_side(parts: list[Any], side: int) -> Tokens:
    """Of one to four values that of a side, from the top and clockwise."""
    if not 1 <= len(parts) <= 4:
        return _NOT_SET
    at = {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 3: (0, 1, 2, 1), 4: (0, 1, 2, 3)}[len(parts)][side]
    return [parts[at]]


def _read_background(longhand: str, tokens: Tokens) -> Tokens:
    if longhand == "background-clip":
        return tokens if "text" in find_words(tokens) else _NOT_SET
    if longhand == "background-image":
        pictures = [t for t in tokens if t.type == "url" or (t.type == "function" and _is_picture(t.lower_name))]
        return pictures or _NOT_SET
    last = split_at_top(tokens)[-1]
    for token in drop_blanks(last):
        if token.type in ("ident", "hash", "function") and (
            isinstance(parse_colour([token]), Ink) or spell_word([token]) == "currentcolor"
        ):
            return [token]
    return _NOT_SET


def _is_picture(name: str) -> bool:
    return name in ("url", "element", "cross-fade", "paint") or name.endswith(("gradient", "image-set", "image"))


def _read_font(longhand: str, parts: list[Any]) -> Tokens:
    slash = next((i for i, token in enumerate(parts) if token.type == "literal" and token.value == "/"), None)
    if longhand == "line-height":
        return parts[slash + 1 : slash + 2] if slash is not None else _NOT_SET
    if slash:
        return [parts[slash - 1]]
    sizes = [t for t in parts if t.type in ("dimension", "percentage", "function") or spell_word([t]) in _SIZES]
    return sizes[:1] or [t for t in parts if t.type == "number" and not t.value][:1] or _NOT_SET


def parse_old_colour(written: str) -> str:
    """A colour of an attribute such as bgcolor, as one of a style sheet (HTML, 2.4.6)."""
    written = written.strip()
    if written.lower() == "transparent" or not written:
        return ""
    if written[0] == "#":
        if re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", written):
            return written
    elif written.isalpha() and isinstance(parse_colour(parse_component_value_list(written)), Ink):
        return written
    digits = "".join(c if c in "0123456789abcdefABCDEF" else "0" for c in written[:128].removeprefix("#"))
    digits += "0" * (-len(digits) % 3)
    size = len(digits) // 3
    parts = [digits[i * size : (i + 1) * size][-8:] for i in range(3)] if size else ["0"] * 3
    while size > 2 and all(part.startswith("0") for part in parts) and len(parts[0]) > 2:
        parts = [part[1:] for part in parts]
    return "#" + "".join(part[:2].rjust(2, "0") for part in parts) if digits else "#000000"
