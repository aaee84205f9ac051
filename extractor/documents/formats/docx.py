"""Word files: paragraphs and tables in their order; each piece is known by its paragraph, or by its cell.

python-docx opens the file and knows its styles. The text is walked here: its own walk leaves out content controls,
insertions that are not accepted yet, text boxes and notes, each of which people see on the page (ECMA-376, part 1, 17).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from extractor.documents import formats as loaders
from extractor.documents.formats import zip_guard as archives
from extractor.documents.formats.builder import Cell, Draft
from extractor.documents.locations import Labels
from extractor.errors import DocumentError
from extractor.types import Document

_STYLE = re.compile(r"^(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*([1-9])$|^(title|titel)$", re.I)
_PARTS = ("header", "footer", "footnotes", "endnotes", "comments", "text box")
_P, _TBL, _TR, _TC, _R, _T = (qn(f"w:{tag}") for tag in ("p", "tbl", "tr", "tc", "r", "t"))
_WITHIN = frozenset(
    qn(f"w:{tag}") for tag in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple")
)
"""What is seen through: what it holds is text of the page."""
_SIGNS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-", qn("w:ptab"): "\t"}
_BOX, _FALLBACK = qn("w:txbxContent"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def load(path: Path, name: str, ocr: bool) -> Document:
    archives.check(path, name, loaders.DOCX.largest)
    file = docx.Document(str(path))
    draft = Draft(Labels(("paragraph", "table", "row", "column", "part"), {"part": list(_PARTS)}))
    styles = _Styles(file)
    walk = _Walk(draft, styles)
    for part in _margins(file, "header"):
        walk.blocks(part, "header")
    walk.blocks(file.element.body)
    parts = {str(part.partname): part for part in file.part.package.iter_parts()}
    for kind in ("footnotes", "endnotes", "comments"):
        part = parts.get(f"/word/{kind}.xml")
        for note in parse_xml(part.blob) if part is not None else ():
            start = draft.length
            walk.blocks(note, kind)
            if kind == "comments":
                draft.hide(start)
    for part in _margins(file, "footer"):
        walk.blocks(part, "footer")
    if not draft.length:
        if any("/media/" in where for where in parts):
            raise DocumentError(
                f"{name} needs OCR: it holds pictures and no words; save it as PDF and give that with --ocr.",
                reason="needs OCR",
            )
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return draft.document(name, f"python-docx {version('python-docx')}")


def _margins(file: Any, side: str) -> Iterator[Any]:
    """Headers or footers that differ, however many sections have them."""
    seen: set[str] = set()
    for section in file.sections:
        for which in (side, f"first_page_{side}") if section.different_first_page_header_footer else (side,):
            margin = getattr(section, which)
            text = "\n".join(paragraph.text for paragraph in margin.paragraphs)
            if not margin.is_linked_to_previous and text not in seen:
                seen.add(text)
                yield margin._element


class _Styles:
    """What paragraph styles say: which heading a paragraph is, and whether it is an item of a list."""

    def __init__(self, file: Any) -> None:
        self._known = {style.style_id: style for style in file.styles if hasattr(style, "base_style")}

    def level(self, paragraph: Any) -> int:
        for pPr, name in self._chain(paragraph):  # noqa: N806 (as the format has it)
            if found := _STYLE.search(name):
                return int(found[1] or 1)
            levels = pPr.xpath("./w:outlineLvl/@w:val") if pPr is not None else ()
            if levels and int(levels[0]) < 9:
                return int(levels[0]) + 1
        return 0

    def listed(self, paragraph: Any) -> bool:
        return any(pPr is not None and pPr.find(qn("w:numPr")) is not None for pPr, _ in self._chain(paragraph))

    def _chain(self, paragraph: Any) -> Iterator[tuple[Any, str]]:
        """The paragraph's own properties, then those of its style and of the styles that this is based on."""
        own = paragraph.find(qn("w:pPr"))
        yield own, ""
        named = own.xpath("./w:pStyle/@w:val") if own is not None else ()
        style = self._known.get(named[0]) if named else None
        for _ in range(12):
            if style is None:
                return
            yield style.element.find(qn("w:pPr")), style.name or ""
            style = style.base_style


@dataclass(slots=True)
class _Walk:
    draft: Draft
    styles: _Styles
    paragraphs: int = 0
    tables: int = 0
    listed: bool = False

    def blocks(self, parent: Any, part: str = "") -> None:
        """The paragraphs and tables under an element."""
        for element in parent:
            if element.tag == _P:
                self.paragraph(element, part)
            elif element.tag == _TBL:
                self.table(element, part)
            elif element.tag in _WITHIN:
                self.blocks(element, part)

    def paragraph(self, element: Any, part: str) -> None:
        """A paragraph, then the text boxes that are anchored in it. Those of a part have no number of their own."""
        self.paragraphs += not part
        number = _PARTS.index(part) + 1 if part else 0
        label = (0 if part else self.paragraphs, 0, 0, 0, number)
        runs = list(_runs(element))
        if any(text.strip() for text, _ in runs):
            level = self.styles.level(element)
            item = not level and self.styles.listed(element)
            self.draft.put(("\n" if item and self.listed else "\n\n") if self.draft.length else "")
            self.draft.put("#" * min(level, 6) + " " if level else "- " if item else "")
            for text, hidden in runs:
                self.draft.words(" ".join(text.split("\n")) if level else text, label, hidden=hidden)
            self.listed = item
        for box in element.iter(_BOX):
            if next(box.iterancestors(_FALLBACK), None) is None:
                self.blocks(box, "text box")

    def table(self, element: Any, part: str) -> None:
        """A line for each row. What a merged cell says is said where it begins."""
        self.tables += 1
        rows, headed = [], None
        for i, row in enumerate(_under(element, _TR), 1):
            cells = []
            for j, cell in enumerate(_under(row, _TC), 1):
                said = [(text, hidden) for p in cell.iter(_P) for text, hidden in [*_runs(p), (" ", False)]]
                unseen = any(hidden for _, hidden in said) and not any(t.strip() for t, hidden in said if not hidden)
                label = (0, self.tables, i, j, _PARTS.index(part) + 1 if part else 0)
                cells.append(Cell("".join(text for text, hidden in said if unseen or not hidden), label, unseen))
            if i == 1 and row.xpath("./w:trPr/w:tblHeader"):
                headed = True
            rows.append(cells)
        self.draft.table(rows, headed=headed)
        self.listed = False


def _under(element: Any, tag: str) -> Iterator[Any]:
    """The elements of a tag right under another, or in content controls there."""
    for inner in element:
        if inner.tag == tag:
            yield inner
        elif inner.tag in _WITHIN:
            yield from _under(inner, tag)


def _runs(paragraph: Any) -> Iterator[tuple[str, bool]]:
    """The text of a paragraph in runs, and whether each is hidden: marked so, or white on no ground of its own."""
    for element in paragraph:
        if element.tag == _R:
            text = "".join(_SIGNS.get(sign.tag) or (sign.text or "" if sign.tag == _T else "") for sign in element)
            if text:
                yield text, _unseen(element, paragraph)
        elif element.tag in _WITHIN:
            yield from _runs(element)


def _unseen(run: Any, paragraph: Any) -> bool:
    properties = run.find(qn("w:rPr"))
    if properties is None:
        return False
    vanish = properties.find(qn("w:vanish"))
    if vanish is not None and vanish.get(qn("w:val"), "true") not in ("0", "false", "off"):
        return True
    color = properties.find(qn("w:color"))
    white = color is not None and color.get(qn("w:val"), "").upper() == "FFFFFF"
    ground = ".//w:shd | .//w:highlight | ancestor::w:tc/w:tcPr/w:shd | ancestor::w:tbl/w:tblPr/w:shd"
    return white and not (properties.xpath("./w:shd | ./w:highlight") or paragraph.xpath(ground))
