"""Words of OpenDocument paragraphs: runs with how well they are seen, and what is anchored among them.

White space is one blank, as the format has it (OASIS ODF 1.3, part 3, 6.1.2); blanks that count are elements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from extractor.documents.formats.link_text import add_address
from extractor.documents.formats.odf_styles import OdfStyles, TextLook, qualify
from extractor.documents.formats.package_xml import Element
from extractor.documents.formats.scripts import raise_mark, spell_subscript, spell_superscript
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
    reader = _ParagraphReader(styles, controls or {})
    own = styles.apply(look, "paragraph", element.get(qualify("text:style-name")))
    reader.walk(element, own, Sight.SHOWN)
    runs = reader.paragraph.runs
    if runs and runs[-1][0].endswith(" "):
        text, sight = runs.pop()
        runs += [(text[:-1], sight)] if text[:-1] else []
    return reader.paragraph


class _ParagraphReader:
    def __init__(self, styles: OdfStyles, controls: Mapping[str, str]) -> None:
        self._styles, self._controls = styles, controls
        self.paragraph = Paragraph()

    @property
    def _last(self) -> str:
        return self.paragraph.runs[-1][0] if self.paragraph.runs else ""

    def _add(self, text: str, sight: Sight) -> None:
        if text[:1] == " " and (self._last or " ")[-1] in " \n\t":
            text = text[1:]
        if text:
            self.paragraph.runs.append((text, sight))

    def _add_words(self, text: str | None, look: TextLook, sight: Sight) -> None:
        text = _SPACE.sub(" ", text or "")
        if look.place and text:
            text = (spell_superscript if look.place == "super" else spell_subscript)(text, self._last)
        self._add(text, max(sight, look.sight()))

    def walk(self, element: Element, look: TextLook, sight: Sight) -> None:
        """The words in an element, and what is anchored among them."""
        self._add_words(element.text, look, sight)
        for child in element:
            tag = child.tag
            if tag in _DRAWN:
                self.paragraph.drawn.append(child)
            elif tag == _COMMENT:
                self.paragraph.comments.append(child)
            elif tag == _CONTROL:
                self._add(self._controls.get(child.get(_CONTROL, ""), ""), max(sight, look.sight()))
            elif tag == _NOTE:
                citation = child.find(qualify("text:note-citation"))
                mark = "".join(citation.itertext()) if citation is not None else ""
                self._add(raise_mark(mark), max(sight, look.sight()))
                self.paragraph.notes.append(child)
            elif isinstance(tag, str) and tag not in _SILENT:
                self._read_inline(child, look, sight)
            self._add_words(child.tail, look, sight)

    def _read_inline(self, child: Element, look: TextLook, sight: Sight) -> None:
        tag = child.tag
        if tag == _BLANKS:
            count = child.get(qualify("text:c"), "1")
            blanks = " " * min(int(count) if count.isdecimal() else 1, _MAX_BLANKS)
            self.paragraph.runs.append((blanks, sight))
        elif tag in (_TAB, _BREAK):
            self._add("\t" if tag == _TAB else "\n", sight)
        elif tag == _RUBY:
            inner = ["".join(part.itertext()) for part in child if isinstance(part.tag, str)]
            self._add_words(f"{inner[0]}({inner[1]})" if len(inner) > 1 else "".join(inner), look, sight)
        elif tag in _HIDING:
            hides = child.get(qualify("text:is-hidden")) == "true"
            words = "".join(child.itertext()) or (child.get(qualify("text:string-value"), "") if hides else "")
            self._add_words(words, look, Sight.HIDDEN if hides else sight)
        else:
            family = "text" if tag in (_SPAN, _LINK) else ""
            own = self._styles.apply(look, family, child.get(qualify("text:style-name"))) if family else look
            self.walk(child, own, sight)
            if tag == _LINK:
                words = "".join(child.itertext())
                self._add(add_address(words, child.get(qualify("xlink:href"), ""))[len(words) :], sight)
