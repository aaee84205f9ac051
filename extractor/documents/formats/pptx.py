"""PowerPoint files: slides in their order, each with its shapes' words, tables, charts and diagrams, then its notes.

python-pptx opens the package and knows its parts; the shapes are walked here, as its own walk leaves out alternatives,
diagrams and formulas. A hidden slide, a shape that is switched off and words without contrast are hidden; what lies
off the slide, and comments, are doubtful.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree
from pptx.oxml.ns import qn
from pptx.package import Package

from extractor.documents.formats import PPTX_FORMAT
from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.enclosed_pictures import Picture, enclose_pictures
from extractor.documents.formats.link_text import add_address
from extractor.documents.formats.ocr import advise_on_ocr, is_ocr_installed
from extractor.documents.formats.odf_styles import spell_number
from extractor.documents.formats.office_charts import read_chart
from extractor.documents.formats.pptx_order import order_boxes
from extractor.documents.formats.pptx_shapes import (
    Box,
    Element,
    SlideColours,
    find_box,
    find_place,
    is_marked_hidden,
    walk_shapes,
)
from extractor.documents.formats.scripts import spell_subscript, spell_superscript
from extractor.documents.formats.sight import WHITE, Colour, Sight
from extractor.documents.formats.zip_guard import check_archive
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

PARTS = ("notes", "comment")
_TITLES = ("title", "ctrTitle")
_LIST_SIGNS = {"arabicPeriod": ("1", "", "."), "arabicParenR": ("1", "", ")"), "arabicParenBoth": ("1", "(", ")")}
_LIST_SIGNS |= {
    f"alpha{c}{k}": (f, "", s) for c, f in (("Lc", "a"), ("Uc", "A")) for k, s in (("Period", "."), ("ParenR", ")"))
}
_LIST_SIGNS |= {
    f"roman{c}{k}": (f, "", s) for c, f in (("Lc", "i"), ("Uc", "I")) for k, s in (("Period", "."), ("ParenR", ")"))
}
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_DIAGRAM_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}t"
_LEGACY_COMMENT = qn("p:text")


def load(path: Path, name: str, ocr: bool) -> Document:
    check_archive(path, name, PPTX_FORMAT.max_bytes)
    part = Package.open(str(path)).main_document_part
    presentation = getattr(part, "presentation", None)
    if presentation is None:
        raise DocumentError(f"{name} is no presentation; open it elsewhere and save it anew.", reason="broken")
    slide_box = Box(0, 0, presentation.slide_width or 1, presentation.slide_height or 1)
    reader = _SlideReader(name, slide_box, reads_pictures=ocr and is_ocr_installed())
    for slide in presentation.slides:
        reader.write_slide(slide)
    document = reader.draft.build_document(name, f"python-pptx {version('python-pptx')}")
    document = enclose_pictures(document, reader.pictures, wanted=ocr)
    if not reader.draft.length and not isinstance(document, MailDocument):
        if reader.pictures or reader.draft.unread:
            raise DocumentError(
                f"{name} needs OCR: it holds pictures and no words; {advise_on_ocr(ocr)}.", reason="needs OCR"
            )
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return document


class _Shown(NamedTuple):
    """A shape with something to read, how well it is seen, and the colour it stands on; of a group its shapes."""

    shape: Element
    sight: Sight
    ground: Colour | None
    inner: Sequence[_Shown]


@dataclass(slots=True)
class _SlideReader:
    name: str
    slide_box: Box
    reads_pictures: bool = False
    pictures: list[Picture] = field(default_factory=list)
    """Those that are seen."""
    draft: DocumentBuilder = field(
        default_factory=lambda: DocumentBuilder(
            PieceLabels(("page", "table", "row", "column", "part"), {"part": list(PARTS)})
        )
    )
    page: int = 0
    table_count: int = 0
    slide: Any = None
    part: Any = None
    """The part of the slide at hand, which knows what its links lead to."""
    colours: SlideColours | None = None
    has_picture: bool = False

    def write_slide(self, slide: Any) -> None:
        self.page += 1
        self.table_count = 0
        self.slide, self.part, self.colours, self.has_picture = slide, slide.part, SlideColours(slide), False
        sight = Sight.HIDDEN if slide.element.get("show") in ("0", "false") else Sight.SHOWN
        start = self.draft.length
        self.write_shapes(self.read_shapes(slide.element.cSld.spTree, sight))
        is_lost = self.has_picture and self.draft.length == start and sight is Sight.SHOWN
        if is_lost and not self.reads_pictures:
            message = f"Slide {self.page} is a picture without words; {advise_on_ocr(False)}."
            self.draft.unread.append(UnreadPart(f"slide {self.page}", "needs OCR", message))
        if slide.has_notes_slide:
            self.write_notes(slide.notes_slide, sight)
        for related in slide.part.rels.values():
            if not related.is_external and related.reltype.endswith("/comments"):
                for text in _parse(related.target_part.blob).iter(_LEGACY_COMMENT, qn("a:t")):
                    seen = max(sight, Sight.DOUBTFUL)
                    self.draft.add_paragraph(text.text or "", self._label("comment"), sight=seen)

    def write_notes(self, notes: Any, sight: Sight) -> None:
        self.part = notes.part
        for shape in walk_shapes(notes.element.cSld.spTree):
            if any(ph.get("type") == "body" for ph in shape.xpath("./*/p:nvPr/p:ph")):
                self.write_words(shape.find(qn("p:txBody")), WHITE, sight, part="notes")

    def _label(self, part: str = "", row: int = 0, column: int = 0) -> tuple[int, ...]:
        number = PARTS.index(part) + 1 if part else 0
        return self.page, self.table_count if row else 0, row, column, number

    def read_shapes(self, tree: Element, sight: Sight) -> list[_Shown]:
        """The shapes that have something to read, those of groups too, with what they stand on. They are gone through
        in the order in which they are laid over each other."""
        assert self.colours is not None  # noqa: S101 -- a slide is at hand
        found = []
        for shape in walk_shapes(tree):
            seen = max(sight, Sight.HIDDEN if is_marked_hidden(shape) else Sight.SHOWN, self._judge_place(shape))
            ground = self.colours.ground_under(shape, self.slide_box)
            if shape.tag == qn("p:grpSp"):
                if inner := self.read_shapes(shape, seen):
                    found.append(_Shown(shape, seen, ground, inner))
            elif shape.tag == qn("p:pic"):
                self.has_picture = True
                self._add_picture(shape, seen)
            elif shape.tag == qn("p:graphicFrame") or "".join(shape.itertext()).strip():
                found.append(_Shown(shape, seen, ground, ()))
        return found

    def write_shapes(self, shapes: Sequence[_Shown]) -> None:
        """The words of shapes in the order in which they are read."""
        for i in order_boxes([find_place(shown.shape, self.slide) for shown in shapes]):
            shape, seen, ground, inner = shapes[i]
            if inner:
                self.write_shapes(inner)
            elif shape.tag == qn("p:graphicFrame"):
                self.write_frame(shape, seen)
            else:
                kinds = [ph.get("type", "body") for ph in shape.xpath("./*/p:nvPr/p:ph")]
                body = shape.find(qn("p:txBody"))
                if "sldNum" not in kinds and body is not None:
                    level = 1 if kinds and kinds[0] in _TITLES else 0
                    self.write_words(body, ground, seen, level=level)

    def _add_picture(self, shape: Element, sight: Sight) -> None:
        blip = next(iter(shape.xpath("./p:blipFill/a:blip")), None)
        related = self.part.rels.get(blip.get(qn("r:embed"), "")) if blip is not None else None
        if related is not None and not related.is_external and sight is Sight.SHOWN:
            name = f"slide {self.page}, {str(related.target_part.partname).rpartition('/')[2]}"
            self.pictures.append((name, related.target_part.blob))

    def _judge_place(self, shape: Element) -> Sight:
        box = find_box(shape)
        outside = box is not None and box.right > box.left and not box.overlaps(self.slide_box)
        return Sight.DOUBTFUL if outside and shape.getparent().tag == qn("p:spTree") else Sight.SHOWN

    def write_words(
        self, body: Element, ground: Colour | None, sight: Sight, *, level: int = 0, part: str = ""
    ) -> None:
        """The paragraphs of a shape, a line each."""
        first, counts = True, [0] * 10
        for paragraph in body.iterchildren(qn("a:p")) if body is not None else ():
            runs = [(text, max(sight, own)) for text, own in self._read_runs(paragraph, ground)]
            number = self._number(paragraph, counts)
            if not "".join(text for text, _ in runs).strip():
                continue
            if first:
                self.draft.end_paragraph()
            elif not level:
                self.draft.add_text("\n")
            self.draft.add_text(("# " if first else " ") if level else number)
            first = False
            for text, own in runs:
                self.draft.add_words(text.replace("\n", " ") if level else text, self._label(part), sight=own)

    def _number(self, paragraph: Element, counts: list[int]) -> str:
        """The number of a paragraph in an automatic list."""
        about = paragraph.find(qn("a:pPr"))
        automatic = about.find(qn("a:buAutoNum")) if about is not None else None
        level = min(int(about.get("lvl", 0)), 9) if about is not None else 0
        counts[level + 1 :] = [0] * (9 - level)
        if automatic is None:
            counts[level] = 0
            return ""
        counts[level] = counts[level] + 1 if counts[level] else int(automatic.get("startAt", 1))
        form, before, after = _LIST_SIGNS.get(automatic.get("type", ""), ("1", "", "."))
        return f"{before}{spell_number(counts[level], form)}{after} "

    def _read_runs(self, paragraph: Element, ground: Colour | None) -> Iterator[tuple[str, Sight]]:
        assert self.colours is not None  # noqa: S101 -- a slide is at hand
        before = ""
        for element in paragraph:
            tag = element.tag
            if tag == qn("a:br"):
                yield "\n", Sight.SHOWN
            elif tag in (qn("a:r"), qn("a:fld")) and element.get("type") != "slidenum":
                about = element.find(qn("a:rPr"))
                text = _shift_baseline(element.findtext(qn("a:t")) or "", about, before)
                before = text or before
                if text:
                    yield text, self.colours.judge(about, ground)
                if address := add_address(text, self._find_target(about))[len(text) :]:
                    yield address, Sight.SHOWN
            elif tag not in (qn("a:r"), qn("a:fld"), qn("a:pPr"), qn("a:endParaRPr")):
                math = "".join(text.text or "" for text in element.iter(_MATH_TEXT))
                yield from [(math, Sight.SHOWN)] if math else []

    def _find_target(self, about: Element | None) -> str:
        """The address behind linked words; empty for a link within the file."""
        link = about.find(qn("a:hlinkClick")) if about is not None else None
        related = self.part.rels.get(link.get(qn("r:id"), "")) if link is not None else None
        return str(related.target_ref) if related is not None and related.is_external else ""

    def write_frame(self, frame: Element, sight: Sight) -> None:
        """A table, a chart, a diagram; another embedded object is named."""
        assert self.colours is not None  # noqa: S101 -- a slide is at hand
        if (table := frame.find(f".//{qn('a:tbl')}")) is not None:
            self.table_count += 1
            self.draft.add_table(
                [list(self._read_row(row, i, sight)) for i, row in enumerate(table.iter(qn("a:tr")), 1)]
            )
        elif (chart := frame.find(f".//{qn('c:chart')}")) is not None:
            self.write_chart(chart, sight)
        elif diagram := frame.xpath(".//*[local-name()='relIds']"):
            related = self.part.rels.get(diagram[0].get(qn("r:dm"), ""))
            if related is not None and not related.is_external:
                for point in _parse(related.target_part.blob).iter(_DIAGRAM_TEXT):
                    self.write_words(point, self.colours.ground, sight)
        else:
            part = f"slide {self.page}: embedded object"
            self.draft.unread.append(
                UnreadPart(part, "not read", f"Slide {self.page} of {self.name} embeds a file, which is not read.")
            )

    def _read_row(self, row: Element, number: int, sight: Sight) -> Iterator[TableCell]:
        for column, cell in enumerate(row.iter(qn("a:tc")), 1):
            if cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true"):
                continue
            body = cell.find(qn("a:txBody"))
            pieces: list[tuple[str, Sight]] = []
            for paragraph in body.iterchildren(qn("a:p")) if body is not None else ():
                pieces += [(" ", Sight.SHOWN)] if pieces else []
                pieces += [(text, max(sight, own)) for text, own in self._read_runs(paragraph, self._cell_ground(cell))]
            width, height = int(cell.get("gridSpan", 1)), int(cell.get("rowSpan", 1))
            text = "".join(text for text, _ in pieces)
            yield TableCell(text, self._label("", number, column), False, height, width, False, pieces)

    def _cell_ground(self, cell: Element) -> Colour | None:
        """The colour of a cell that has one of its own; those of a table's style are not known here."""
        assert self.colours is not None  # noqa: S101 -- a slide is at hand
        return self.colours.read_colour(cell.find(f"{qn('a:tcPr')}/{qn('a:solidFill')}"))

    def write_chart(self, chart: Element, sight: Sight) -> None:
        related = self.part.rels.get(chart.get(qn("r:id"), ""))
        if related is None or related.is_external:
            return
        title, rows = read_chart(_parse(related.target_part.blob))
        self.draft.add_paragraph(title, self._label(), sight=sight)
        self.table_count += 1
        self.draft.add_table(
            [
                [TableCell(c, self._label("", i, j), sight is Sight.HIDDEN) for j, c in enumerate(row, 1)]
                for i, row in enumerate(rows, 1)
            ],
            headed=True,
        )


def _shift_baseline(text: str, about: Element | None, before: str) -> str:
    """Words above or below the line, in signs of their own; `before` is what stands before them."""
    shift = about.get("baseline", "0") if about is not None else "0"
    if not shift.lstrip("-").isdecimal() or not int(shift):
        return text
    return spell_subscript(text, before) if shift.startswith("-") else spell_superscript(text, before)


def _parse(blob: bytes) -> Element:
    return etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True))
