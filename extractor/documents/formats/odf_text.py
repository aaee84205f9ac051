"""Words of OpenDocument paragraphs: runs with how well they are seen, and what is anchored among them.

White space is one blank, as the format has it (OASIS ODF 1.3, part 3, 6.1.2); blanks that count are elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from extractor.documents.formats.odf_styles import OdfStyles, TextLook, qualify
from extractor.documents.formats.package_xml import Element
from extractor.documents.formats.sight import Sight

P, H = qualify("text:p"), qualify("text:h")
_SPAN, _LINK, _BLANKS, _TAB, _BREAK = (qualify(f"text:{n}") for n in ("span", "a", "s", "tab", "line-break"))
_NOTE, _COMMENT, _RUBY = qualify("text:note"), qualify("office:annotation"), qualify("text:ruby")
_CONTROL = qualify("draw:control")
_HIDING = frozenset({qualify("text:hidden-text"), qualify("text:hidden-paragraph")})
_SILENT = frozenset(
    {
        *(qualify(f"text:{n}") for n in ("tracked-changes", "change", "change-start", "change-end", "toc-mark")),
        *(qualify(f"office:{n}") for n in ("annotation-end", "event-listeners", "forms")),
    }
)
_DRAWN = (qualify("draw:frame"), qualify("draw:g"), qualify("draw:custom-shape"), qualify("draw:rect"))
_SPACE = re.compile(r"[ \t\r\n]+")
_MAX_BLANKS = 100
_ABOVE_LINE = str.maketrans("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾")

Run = tuple[str, Sight]
"""Words, and how well they are seen."""


@dataclass(slots=True)
class Paragraph:
    """The runs of a paragraph, and what is anchored in it: notes, comments, text boxes and other drawings."""

    runs: list[Run] = field(default_factory=list)
    notes: list[Element] = field(default_factory=list)
    comments: list[Element] = field(default_factory=list)
    drawn: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.runs)


def read_paragraph(
    element: Element, styles: OdfStyles, look: TextLook, controls: Mapping[str, str] | None = None
) -> Paragraph:
    """The paragraph of an element. `look` is that of what is around it; `controls` are values of a form's fields."""
    paragraph = Paragraph()
    own = styles.apply(look, "paragraph", element.get(qualify("text:style-name")))
    for text, sight in _walk(element, styles, own, Sight.SHOWN, paragraph, controls or {}):
        before = paragraph.runs[-1][0] if paragraph.runs else " "
        if text[0] == " " and before[-1] in " \n\t":
            text = text[1:]
        if text:
            paragraph.runs.append((text, sight))
    if paragraph.runs and paragraph.runs[-1][0].endswith(" "):
        text, sight = paragraph.runs.pop()
        paragraph.runs += [(text[:-1], sight)] if text[:-1] else []
    return paragraph


def _walk(
    element: Element,
    styles: OdfStyles,
    look: TextLook,
    sight: Sight,
    paragraph: Paragraph,
    controls: Mapping[str, str],
) -> Iterator[Run]:
    seen = max(sight, look.sight())
    if element.text:
        yield from _spell(element.text, look, seen)
    for child in element:
        tag = child.tag
        if tag in _DRAWN:
            paragraph.drawn.append(child)
        elif tag == _COMMENT:
            paragraph.comments.append(child)
        elif tag == _CONTROL:
            value = controls.get(child.get(_CONTROL, ""), "")
            yield from [(value, seen)] if value else []
        elif tag == _NOTE:
            citation = child.find(qualify("text:note-citation"))
            mark = "".join(citation.itertext()) if citation is not None else ""
            yield from [(mark.translate(_ABOVE_LINE), seen)] if mark else []
            paragraph.notes.append(child)
        elif isinstance(tag, str) and tag not in _SILENT:
            yield from _read_inline(child, styles, look, sight, paragraph, controls)
        if child.tail:
            yield from _spell(child.tail, look, seen)


def _read_inline(
    child: Element,
    styles: OdfStyles,
    look: TextLook,
    sight: Sight,
    paragraph: Paragraph,
    controls: Mapping[str, str],
) -> Iterator[Run]:
    tag = child.tag
    if tag == _BLANKS:
        count = child.get(qualify("text:c"), "1")
        yield " " * min(int(count) if count.isdecimal() else 1, _MAX_BLANKS), sight
    elif tag in (_TAB, _BREAK):
        yield "\t" if tag == _TAB else "\n", sight
    elif tag == _RUBY:
        inner = [part for part in child if isinstance(part.tag, str)]
        yield from _spell("".join(inner[0].itertext()) if inner else "", look, sight)
        yield from _spell(f"({''.join(inner[1].itertext())})" if len(inner) > 1 else "", look, sight)
    elif tag in _HIDING:
        hides = child.get(qualify("text:is-hidden")) == "true"
        words = "".join(child.itertext()) or (child.get(qualify("text:string-value"), "") if hides else "")
        yield from _spell(words, look, Sight.HIDDEN if hides else sight)
    else:
        family = "text" if tag in (_SPAN, _LINK) else ""
        inner_look = styles.apply(look, family, child.get(qualify("text:style-name"))) if family else look
        yield from _walk(child, styles, inner_look, sight, paragraph, controls)
        target = child.get(qualify("xlink:href"), "") if tag == _LINK else ""
        if target and not target.startswith("#") and target not in "".join(child.itertext()):
            yield f" ({target.removeprefix('mailto:')})", sight


def _spell(text: str, look: TextLook, sight: Sight) -> Iterator[Run]:
    text = _SPACE.sub(" ", text)
    if look.is_raised:
        text = text.translate(_ABOVE_LINE)
    if text:
        yield text, max(sight, look.sight())
