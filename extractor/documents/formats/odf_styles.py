"""Styles of OpenDocument files: whether words are seen, which are set above the line, how lists are numbered.

A style has a parent, and properties of its own over that one's (OASIS ODF 1.3, part 3, 16). What is certain to be
unseen is hidden, what may be unseen is doubtful.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from extractor.documents.formats.package_xml import Element
from extractor.documents.formats.roman import spell_roman
from extractor.documents.formats.sight import WHITE, Colour, Sight, judge_contrast, parse_colour

OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_SPACES = {
    "office": OFFICE,
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "presentation": "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0",
    "form": "urn:oasis:names:tc:opendocument:xmlns:form:1.0",
    "chart": "urn:oasis:names:tc:opendocument:xmlns:chart:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "math": "http://www.w3.org/1998/Math/MathML",
    "manifest": "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0",
}
TINY, SMALL = 2.0, 4.0
"""Points below which letters are unseen, and below which perhaps."""
_LENGTH = re.compile(r"([\d.]+)(pt|px|cm|mm|in|pc)")
_POINTS = {"pt": 1.0, "px": 0.75, "cm": 28.35, "mm": 2.835, "in": 72.0, "pc": 12.0}
_MAX_PARENTS = 20


def qualify(name: str) -> str:
    """A name such as "text:p" as lxml has it."""
    prefix, _, local = name.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"


@dataclass(frozen=True, slots=True)
class TextLook:
    """How words look: None for what no style says."""

    ink: Colour | None = None
    ground: Colour | None = WHITE
    """None where it is not known: under words on a picture."""
    is_unseen: bool = False
    points: float | None = None
    place: str = ""
    """super or sub, where they stand above the line or below it."""

    def sight(self) -> Sight:
        """How well the words are seen."""
        if self.is_unseen or (self.points is not None and self.points < TINY):
            return Sight.HIDDEN
        if self.ink is not None and self.ground is not None:
            seen = judge_contrast(self.ink, self.ground)
            if seen is not Sight.SHOWN:
                return seen
        return Sight.DOUBTFUL if self.points is not None and self.points < SMALL else Sight.SHOWN

    def on_ground(self, ground: Colour | None) -> TextLook:
        """The same look on another ground."""
        return replace(self, ground=ground)


class OdfStyles:
    """The styles of a document, by family and name."""

    def __init__(self, roots: Sequence[Element]) -> None:
        self._styles: dict[tuple[str, str], Element] = {}
        self._lists: dict[str, dict[int, Element]] = {}
        self._looks: dict[tuple[str, str], Mapping[str, str]] = {}
        self.masters: dict[str, Element] = {}
        for root in roots:
            for style in root.iter(qualify("style:style"), qualify("style:default-style")):
                key = style.get(qualify("style:family"), ""), style.get(qualify("style:name"), "")
                self._styles.setdefault(key, style)
            for listed in root.iter(qualify("text:list-style"), qualify("text:outline-style")):
                levels = {int(x.get(qualify("text:level"), "0") or 0): x for x in listed if isinstance(x.tag, str)}
                self._lists.setdefault(listed.get(qualify("style:name"), ""), levels)
            for master in root.iter(qualify("style:master-page")):
                self.masters.setdefault(master.get(qualify("style:name"), ""), master)

    def apply(self, look: TextLook, family: str, name: str | None) -> TextLook:
        """The look of words under a style, within others of that look."""
        if not name:
            return look
        found = self.properties(family, name)
        ink = WHITE if found.get("color", "").lower() == "#ffffff" else parse_colour(found.get("color"))
        if found.get("use-window-font-color") == "true":
            ink = None
        ground = parse_colour(found.get("background-color")) if "#" in found.get("background-color", "") else None
        size = _LENGTH.fullmatch(found.get("font-size", ""))
        position = found.get("text-position", "")
        return TextLook(
            ink if "color" in found else look.ink,
            ground or look.ground,
            look.is_unseen if "display" not in found else found["display"] == "none",
            float(size[1]) * _POINTS[size[2]] if size else look.points,
            _read_position(position) if position else look.place,
        )

    def properties(self, family: str, name: str) -> Mapping[str, str]:
        """What a style and its parents say, by names without prefixes."""
        key = family, name
        if key not in self._looks:
            merged: dict[str, str] = {}
            for style in reversed(list(self._walk_parents(family, name))):
                for group in style:
                    if isinstance(group.tag, str) and group.tag.endswith("-properties"):
                        merged.update({k.rpartition("}")[2]: v for k, v in group.attrib.items()})
            self._looks[key] = merged
        return self._looks[key]

    def _walk_parents(self, family: str, name: str) -> Iterator[Element]:
        for _ in range(_MAX_PARENTS):
            style = self._styles.get((family, name))
            if style is None:
                return
            yield style
            name = style.get(qualify("style:parent-style-name"), "")

    def list_style_of(self, paragraph_style: str) -> str:
        """The list style that a paragraph style brings."""
        found = (s.get(qualify("style:list-style-name")) for s in self._walk_parents("paragraph", paragraph_style))
        return next((name for name in found if name), "")

    def number_item(self, list_style: str, level: int, counts: Sequence[int]) -> str:
        """The number of an item, as shown; empty for a bullet. `counts` are those of its level and those above."""
        about = self._lists.get(list_style, {}).get(level)
        if about is None or not str(about.tag).endswith(("list-level-style-number", "outline-level-style")):
            return ""
        form = about.get(qualify("style:num-format"), "")
        if not form:
            return ""
        shown = min(max(1, int(about.get(qualify("text:display-levels"), "1") or 1)), level, len(counts))
        numbers = []
        for at in range(level - shown + 1, level + 1):
            own = self._lists[list_style].get(at)
            numbers.append(
                spell_number(counts[at - 1], own.get(qualify("style:num-format"), "1") if own is not None else "1")
            )
        inner = ".".join(filter(None, numbers))
        return f"{about.get(qualify('style:num-prefix'), '')}{inner}{about.get(qualify('style:num-suffix'), '')}"


def _read_position(written: str) -> str:
    """Whether a text position is above the line or below it: "super 58%", "-33% 58%" (ODF 1.3, part 3, 20.411)."""
    first = written.split()[0] if written.split() else ""
    if first in ("super", "sub"):
        return first
    shift = first.rstrip("%")
    return "" if not shift.strip("-0.") else "sub" if shift.startswith("-") else "super"


def spell_number(number: int, form: str) -> str:
    """A number of a list in one of the forms of ODF: 1, a, A, i, I (OASIS ODF 1.3, part 3, 20.357)."""
    if form in ("a", "A") and number > 0:
        letters = ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("a") + rest) + letters
        return letters if form == "a" else letters.upper()
    if form in ("i", "I"):
        roman = spell_roman(number)
        return roman if form == "I" else roman.lower()
    return str(number)
