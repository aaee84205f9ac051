"""Word files: paragraphs and tables in their order; each piece is known by its paragraph, or by its cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docx
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from extractor import loaders
from extractor.domain import Document, Unread
from extractor.errors import DocumentError
from extractor.loaders import archives, files
from extractor.loaders.draft import Cell, Draft
from extractor.places import Labels

_STYLE = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*([1-9])|^(title|titel)$", re.I)
_MARGINS = ("header", "first_page_header", "footer", "first_page_footer")
_KEYS = ("paragraph", "table", "row", "column", "margin")


def load(path: Path, name: str, ocr: bool) -> Document:
    archives.check(path, name, loaders.DOCX.largest)
    file = docx.Document(str(path))
    draft = Draft(Labels(_KEYS, {"margin": [margin.replace("_", " ") for margin in _MARGINS]}))
    _margins(file, draft, "header")
    paragraphs = tables = 0
    for block in file.iter_inner_content():
        if isinstance(block, Table):
            tables += 1
            _table(block, tables, draft)
        else:
            paragraphs += 1
            _paragraph(block, (paragraphs, 0, 0, 0, 0), draft)
    for number, box in enumerate(_boxes(file), 1):
        draft.paragraph(box, (0, 0, 0, 0, 0))
        del number
    _margins(file, draft, "footer")
    for part, kind in (("footnotes", "footnotes"), ("endnotes", "endnotes"), ("comments", "comments")):
        if any(str(p.partname).endswith(f"/{part}.xml") and _says(p) for p in file.part.package.iter_parts()):
            draft.unread.append(Unread(kind, "not read", f"The {kind} of the file are not read; copy them into its text."))
    document = draft.document(name, f"python-docx {version('python-docx')}")
    if not document.text.strip():
        pictures = any("/media/" in str(p.partname) for p in file.part.package.iter_parts())
        raise DocumentError(
            f"{name} needs OCR: it holds pictures and no words; save it as PDF and run with --ocr."
            if pictures
            else f"{name} is empty; there is nothing to extract.",
            reason="needs OCR" if pictures else "empty",
        )
    return document


def _says(part: Any) -> bool:
    """Whether a part of the package holds words of its own."""
    return re.search(rb"<w:t[ >][^<]*>?[^<\s]", part.blob) is not None


def _margins(file: Any, draft: Draft, side: str) -> None:
    """Headers or footers, each once, however many sections have it."""
    seen: set[str] = set()
    for section in file.sections:
        for number, margin in enumerate(_MARGINS, 1):
            if not margin.endswith(side) or (margin.startswith("first") and not section.different_first_page_header_footer):
                continue
            for paragraph in getattr(section, margin).paragraphs:
                text = paragraph.text.strip()
                if text and text not in seen:
                    seen.add(text)
                    draft.paragraph(paragraph.text, (0, 0, 0, 0, number))


def _boxes(file: Any) -> Iterator[str]:
    """The text of boxes that float beside the paragraphs, each once: Word writes each twice, for old readers too."""
    for box in file.element.body.iter(qn("w:txbxContent")):
        if any(a.tag.endswith("}Fallback") for a in box.iterancestors()):
            continue
        for paragraph in box.iter(qn("w:p")):
            yield "".join(t.text or "" for t in paragraph.iter(qn("w:t")))


def _paragraph(paragraph: Paragraph, label: tuple[int, ...], draft: Draft) -> None:
    if not paragraph.text.strip():
        return
    level = _level(paragraph)
    item = not level and paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None
    if item and draft.length:
        draft.put("\n" if draft.listed else "\n\n")
    elif draft.length:
        draft.put("\n\n")
    draft.listed = item
    draft.put("#" * level + " " if level else "- " if item else "")
    for text, hidden in _runs(paragraph):
        draft.words(text, label, hidden=hidden)


def _runs(paragraph: Paragraph) -> Iterator[tuple[str, bool]]:
    """The paragraph's text in runs, and whether each is hidden (w:vanish). Fields and links are in it."""
    for piece in paragraph.iter_inner_content():
        for run in getattr(piece, "runs", None) or [piece]:
            font = getattr(run, "font", None)
            white = font is not None and font.color is not None and str(font.color.rgb or "") == "FFFFFF"
            shaded = white and (run._r.xpath("./w:rPr/w:shd") or paragraph._p.xpath("./w:pPr/w:shd"))
            yield run.text, bool(font is not None and font.hidden) or (white and not shaded)


def _level(paragraph: Paragraph) -> int:
    """Which heading the paragraph is, by the outline level or the name of its style or of one it is based on."""
    style: Any = paragraph.style
    while style is not None:
        found = _STYLE.search(style.name or "")
        if found:
            return int(found[1] or 1)
        levels = style.element.xpath("./w:pPr/w:outlineLvl/@w:val")
        if levels and int(levels[0]) < 9:
            return int(levels[0]) + 1
        style = style.base_style
    return 0


def _table(table: Table, number: int, draft: Draft) -> None:
    """A line for each row. A cell that spans columns or rows is written once, where it begins."""
    rows, seen = [], set()
    headed: bool | None = None
    for i, row in enumerate(table.rows, 1):
        cells = []
        for j, cell in enumerate(row.cells, 1):
            if cell._tc in seen:
                continue
            seen.add(cell._tc)
            cells.append(Cell(_text(cell), (0, number, i, j, 0)))
        if i == 1 and row._tr.xpath("./w:trPr/w:tblHeader"):
            headed = True
        rows.append(cells)
    draft.table(rows, headed=headed)
    draft.listed = False


def _text(cell: Any) -> str:
    """A cell's paragraphs, and the tables in it, as one line."""
    said = []
    for block in cell.iter_inner_content():
        if isinstance(block, Table):
            said += [_text(inner) for row in block.rows for inner in row.cells]
        else:
            said.append(block.text)
    return " ".join(filter(None, map(str.strip, said)))
