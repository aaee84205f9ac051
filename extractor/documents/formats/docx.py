"""Word files: paragraphs and tables in their order; each piece is known by its paragraph, or by its cell.

python-docx opens the file and finds its parts. The text is walked here: its own walk leaves out content controls,
insertions that are not accepted yet, text boxes and notes, each of which people see on the page (ECMA-376, part 1, 17).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from extractor.documents.formats import DOCX_FORMAT
from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.builder import DocumentBuilder
from extractor.documents.formats.docx_blocks import PARTS, BlockWriter, Surroundings
from extractor.documents.formats.docx_frames import Page, has_pictures_behind
from extractor.documents.formats.docx_numbering import Numbering, spell_count
from extractor.documents.formats.docx_styles import Ground, StyleSheet
from extractor.documents.formats.docx_words import find_note_references
from extractor.documents.formats.enclosed_pictures import Picture, enclose_pictures
from extractor.documents.formats.ocr import advise_on_ocr
from extractor.documents.formats.office_package import is_on
from extractor.documents.formats.scripts import raise_mark
from extractor.documents.formats.sight import WHITE
from extractor.documents.formats.zip_guard import check_archive
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

_IMAGE_DATA = "{urn:schemas-microsoft-com:vml}imagedata"
_NOTE_KINDS = {"footnotes": "decimal", "endnotes": "lowerRoman"}
"""Parts with notes, and how their marks are counted where the file does not say (17.11.17, 17.11.5)."""


def load(path: Path, name: str, ocr: bool) -> Document:
    check_archive(path, name, DOCX_FORMAT.max_bytes)
    file = docx.Document(str(path))
    draft = DocumentBuilder(PieceLabels(("paragraph", "table", "row", "column", "part"), {"part": list(PARTS)}))
    parts = {str(part.partname): part for part in file.part.package.iter_parts()}
    body = file.element.body
    headers, footers = list(_find_margins(file, "header")), list(_find_margins(file, "footer"))
    writer = BlockWriter(draft, _read_surroundings(file, parts, [margin._element for margin in (*headers, *footers)]))
    for margin in headers:
        writer.write_story(margin._element, margin.part, "header")
    writer.write_story(body, file.part)
    for kind in (*_NOTE_KINDS, "comments"):
        part = parts.get(f"/word/{kind}.xml")
        if part is not None:
            writer.write_notes(parse_xml(part.blob), part, kind)
    for margin in footers:
        writer.write_story(margin._element, margin.part, "footer")
    for where in sorted(where for where in parts if where.startswith("/word/diagrams/data")):
        writer.write_diagram(parse_xml(parts[where].blob))
    for number, _ in enumerate(body.iter(qn("w:altChunk")), 1):
        message = f"A file within {name} is shown in its text and is not read; save it anew in Word."
        draft.unread.append(UnreadPart(f"enclosed file {number}", "not read", message))
    document = draft.build_document(name, f"python-docx {version('python-docx')}")
    stories = [(margin._element, margin.part) for margin in (*headers, *footers)]
    document = enclose_pictures(document, _find_pictures([(body, file.part), *stories]), wanted=ocr)
    if not draft.length and not isinstance(document, MailDocument):
        if any("/media/" in where for where in parts):
            raise DocumentError(
                f"{name} needs OCR: it holds pictures and no words; {advise_on_ocr(ocr)}.", reason="needs OCR"
            )
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return document


def _find_pictures(stories: Sequence[tuple[Any, Any]]) -> Iterator[Picture]:
    """The pictures that a reader sees, in the order of the text (20.4.2.8, 17.3.2.41)."""
    for element, part in stories:
        for shown in element.iter(qn("a:blip"), _IMAGE_DATA):
            related = part.rels.get(shown.get(qn("r:embed")) or shown.get(qn("r:id")) or "")
            if related is not None and not related.is_external and not any(map(_hides, shown.iterancestors())):
                yield str(related.target_part.partname).rpartition("/")[2], related.target_part.blob


def _hides(around: Any) -> bool:
    """Whether what is drawn in an element is hidden."""
    about = around.find(qn("wp:docPr"))
    if about is not None and is_on(about.get("hidden")):
        return True
    vanish = around.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and is_on(vanish.get(qn("w:val"), "true"))


def _read_surroundings(file: Any, parts: dict[str, Any], margins: list[Any]) -> Surroundings:
    def read(where: str) -> Any:
        return parse_xml(parts[where].blob) if where in parts else None

    theme = next((where for where in sorted(parts) if where.startswith("/word/theme/theme")), "")
    styles = StyleSheet(file.styles.element, read(theme))

    def find_style_numbering(key: str) -> str:
        found = (p.find(f"{qn('w:numPr')}/{qn('w:numId')}") for p in styles.find(key).paragraph)
        return next((number.get(qn("w:val"), "") for number in found if number is not None), "")

    body = file.element.body
    covered = has_pictures_behind(body, *margins)
    painted = file.settings.element.find(qn("w:displayBackgroundShape"))
    background = file.element.find(qn("w:background"))
    ground = Ground(WHITE, certain=not covered)
    if background is not None and painted is not None and is_on(painted.get(qn("w:val"), "true")):
        ground = Ground(styles.read_colour(background, "color"), certain=not covered)
    return Surroundings(
        styles,
        Numbering(read("/word/numbering.xml"), find_style_numbering),
        Page.of(body),
        ground,
        _mark_notes(body, file.settings.element),
    )


def _mark_notes(body: Any, settings: Any) -> dict[tuple[str, str], str]:
    """The marks of notes in the order in which the text refers to them."""
    kinds = dict(_NOTE_KINDS)
    for kind in kinds:
        found = settings.find(f"{qn(f'w:{kind[:-1]}Pr')}/{qn('w:numFmt')}")
        kinds[kind] = found.get(qn("w:val"), kinds[kind]) if found is not None else kinds[kind]
    marks: dict[tuple[str, str], str] = {}
    counts = dict.fromkeys(kinds, 0)
    for kind, key, own in find_note_references(body):
        counts[kind] += not own
        marks[kind, key] = "" if own else raise_mark(spell_count(counts[kind], kinds[kind]))
    return marks


def _find_margins(file: Any, side: str) -> Iterator[Any]:
    """Headers or footers that differ, however many sections have them."""
    seen: set[str] = set()
    even = file.settings.odd_and_even_pages_header_footer
    for section in file.sections:
        first = section.different_first_page_header_footer
        for which in (side, *([f"first_page_{side}"] if first else []), *([f"even_page_{side}"] if even else [])):
            margin = getattr(section, which)
            text = "\n".join("".join(t.text or "" for t in p.iter(qn("w:t"))) for p in margin._element.iter(qn("w:p")))
            if not margin.is_linked_to_previous and text not in seen:
                seen.add(text)
                yield margin
