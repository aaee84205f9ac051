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

from extractor.documents.formats import DOCX_FORMAT
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.zip_guard import check_archive
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document

_STYLE = re.compile(r"^(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*([1-9])$|^(title|titel)$", re.I)
_PARTS = ("header", "footer", "footnotes", "endnotes", "comments", "text box")
_P, _TBL, _TR, _TC, _R, _T = (qn(f"w:{tag}") for tag in ("p", "tbl", "tr", "tc", "r", "t"))
_WITHIN = frozenset(
    qn(f"w:{tag}") for tag in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple")
)
"""What is seen through: what it holds is text of the page."""
_SIGN_TEXTS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-", qn("w:ptab"): "\t"}
_BOX, _FALLBACK = qn("w:txbxContent"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def load(path: Path, name: str, ocr: bool) -> Document:
    check_archive(path, name, DOCX_FORMAT.max_bytes)
    file = docx.Document(str(path))
    draft = DocumentBuilder(PieceLabels(("paragraph", "table", "row", "column", "part"), {"part": list(_PARTS)}))
    styles = _ParagraphStyles(file)
    walk = _BodyWriter(draft, styles)
    for part in _find_margins(file, "header"):
        walk.write_blocks(part, "header")
    walk.write_blocks(file.element.body)
    parts = {str(part.partname): part for part in file.part.package.iter_parts()}
    for kind in ("footnotes", "endnotes", "comments"):
        part = parts.get(f"/word/{kind}.xml")
        for note in parse_xml(part.blob) if part is not None else ():
            start = draft.length
            walk.write_blocks(note, kind)
            if kind == "comments":
                draft.hide_from(start)
    for part in _find_margins(file, "footer"):
        walk.write_blocks(part, "footer")
    if not draft.length:
        if any("/media/" in where for where in parts):
            raise DocumentError(
                f"{name} needs OCR: it holds pictures and no words; save it as PDF and give that with --ocr.",
                reason="needs OCR",
            )
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return draft.build_document(name, f"python-docx {version('python-docx')}")


def _find_margins(file: Any, side: str) -> Iterator[Any]:
    """Headers or footers that differ, however many sections have them."""
    seen: set[str] = set()
    for section in file.sections:
        for which in (side, f"first_page_{side}") if section.different_first_page_header_footer else (side,):
            margin = getattr(section, which)
            text = "\n".join(paragraph.text for paragraph in margin.paragraphs)
            if not margin.is_linked_to_previous and text not in seen:
                seen.add(text)
                yield margin._element


class _ParagraphStyles:
    """Paragraph styles: which heading level a paragraph has, and whether it is an item of a list."""

    def __init__(self, file: Any) -> None:
        self._known = {style.style_id: style for style in file.styles if hasattr(style, "base_style")}

    def heading_level(self, paragraph: Any) -> int:
        for pPr, name in self._walk_properties(paragraph):  # noqa: N806 (as the format has it)
            if found := _STYLE.search(name):
                return int(found[1] or 1)
            levels = pPr.xpath("./w:outlineLvl/@w:val") if pPr is not None else ()
            if levels and int(levels[0]) < 9:
                return int(levels[0]) + 1
        return 0

    def is_list_item(self, paragraph: Any) -> bool:
        return any(
            pPr is not None and pPr.find(qn("w:numPr")) is not None for pPr, _ in self._walk_properties(paragraph)
        )

    def _walk_properties(self, paragraph: Any) -> Iterator[tuple[Any, str]]:
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
class _BodyWriter:
    draft: DocumentBuilder
    styles: _ParagraphStyles
    paragraph_count: int = 0
    table_count: int = 0
    after_list_item: bool = False

    def write_blocks(self, parent: Any, part: str = "") -> None:
        """The paragraphs and tables under an element."""
        for element in parent:
            if element.tag == _P:
                self.write_paragraph(element, part)
            elif element.tag == _TBL:
                self.write_table(element, part)
            elif element.tag in _WITHIN:
                self.write_blocks(element, part)

    def write_paragraph(self, element: Any, part: str) -> None:
        """A paragraph, then the text boxes that are anchored in it. Those of a part have no number of their own."""
        self.paragraph_count += not part
        number = _PARTS.index(part) + 1 if part else 0
        label = (0 if part else self.paragraph_count, 0, 0, 0, number)
        runs = list(_find_runs(element))
        if any(text.strip() for text, _ in runs):
            level = self.styles.heading_level(element)
            item = not level and self.styles.is_list_item(element)
            self.draft.add_text(("\n" if item and self.after_list_item else "\n\n") if self.draft.length else "")
            self.draft.add_text("#" * min(level, 6) + " " if level else "- " if item else "")
            for text, hidden in runs:
                self.draft.add_words(" ".join(text.split("\n")) if level else text, label, hidden=hidden)
            self.after_list_item = item
        for box in element.iter(_BOX):
            if next(box.iterancestors(_FALLBACK), None) is None:
                self.write_blocks(box, "text box")

    def write_table(self, element: Any, part: str) -> None:
        """Writes a line for each row. The words of a merged cell stand where it begins."""
        self.table_count += 1
        rows, headed = [], None
        for i, row in enumerate(_find_children(element, _TR), 1):
            cells = []
            for j, cell in enumerate(_find_children(row, _TC), 1):
                runs = [(text, hidden) for p in cell.iter(_P) for text, hidden in [*_find_runs(p), (" ", False)]]
                unseen = any(hidden for _, hidden in runs) and not any(t.strip() for t, hidden in runs if not hidden)
                label = (0, self.table_count, i, j, _PARTS.index(part) + 1 if part else 0)
                cells.append(TableCell("".join(text for text, hidden in runs if unseen or not hidden), label, unseen))
            if i == 1 and row.xpath("./w:trPr/w:tblHeader"):
                headed = True
            rows.append(cells)
        self.draft.add_table(rows, headed=headed)
        self.after_list_item = False


def _find_children(element: Any, tag: str) -> Iterator[Any]:
    """The elements of a tag right under another, or in content controls there."""
    for inner in element:
        if inner.tag == tag:
            yield inner
        elif inner.tag in _WITHIN:
            yield from _find_children(inner, tag)


def _find_runs(paragraph: Any) -> Iterator[tuple[str, bool]]:
    """The text of a paragraph in runs, and whether each is hidden: marked so, or white on no ground of its own."""
    for element in paragraph:
        if element.tag == _R:
            text = "".join(_SIGN_TEXTS.get(sign.tag) or (sign.text or "" if sign.tag == _T else "") for sign in element)
            if text:
                yield text, _is_hidden(element, paragraph)
        elif element.tag in _WITHIN:
            yield from _find_runs(element)


def _is_hidden(run: Any, paragraph: Any) -> bool:
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
