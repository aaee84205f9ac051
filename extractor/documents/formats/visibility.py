"""How an element of a web page looks by its own attributes and the style sheets: enough to recognise unseen text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from extractor.documents.formats.css import INHERITED_PROPERTIES, ROOTED_PROPERTIES

_UNSEEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*\.?0+(?![\d.])|"
    r"font-size\s*:\s*(?:0*\.?0+(?![\d.])|[01](?:\.\d+)?px)|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{4,})",
    re.I,
)
_WHITE = r"(?:#fff(?:fff)?\b|white\b|transparent\b|rgba?\(\s*255\s*,\s*255\s*,\s*255)"
_INK = re.compile(rf"(?:^|;)\s*color\s*:\s*({_WHITE})?", re.I)
_GROUND = re.compile(rf"(?:^|;)\s*background(?:-color)?\s*:\s*({_WHITE})?", re.I)


@dataclass(frozen=True, slots=True)
class ElementLook:
    """The look of one element."""

    hides: bool = False
    white_ink: bool = False
    """Whether its letters are white or transparent."""
    white_ground: bool | None = None
    """Whether its background is white; None where it is not known."""
    hiding_inherited: frozenset[str] = frozenset()
    """Properties that hide it and are passed on, until an element within takes them back."""

    def look_within(
        self, attributes: Mapping[str, str | None], styled: bool, sheet_rules: Mapping[str, bool]
    ) -> ElementLook:
        """The look of an element within, with these attributes and these declarations from the page's style sheets."""
        style = attributes.get("style") or ""
        ink, ground = _INK.search(style), _GROUND.search(style)
        white_ink = ink[1] is not None if ink else self.white_ink
        white_ground = ground[1] is not None if ground else self.white_ground
        if "bgcolor" in attributes:
            white_ground = (attributes["bgcolor"] or "").lower() in ("#ffffff", "white")
        on_white = white_ground or (white_ground is None and not styled)
        gone = "hidden" in attributes or attributes.get("aria-hidden") == "true" or _UNSEEN.search(style) is not None
        if not sheet_rules and not self.hiding_inherited:
            return ElementLook(gone or (white_ink and on_white), white_ink, white_ground)
        own = {
            prop
            for prop in ROOTED_PROPERTIES + INHERITED_PROPERTIES
            if re.search(rf"(?:^|;)\s*{prop}\s*:", style, re.I)
        }
        gone = gone or any(sheet_rules.get(prop, False) for prop in ROOTED_PROPERTIES if prop not in own)
        declared = {prop: sheet_rules.get(prop) for prop in INHERITED_PROPERTIES} | dict.fromkeys(own, False)
        veils = {p for p in INHERITED_PROPERTIES if declared[p] or (declared[p] is None and p in self.hiding_inherited)}
        return ElementLook(gone or (white_ink and on_white), white_ink, white_ground, frozenset(veils))
