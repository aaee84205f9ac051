"""Paragraphs and tables of Word written one after the other, each with how well it is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docx.oxml import parse_xml
from docx.oxml.ns import qn

from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.docx_fields import FieldMarks
from extractor.documents.formats.docx_frames import (
    Page,
    find_box_ground,
    judge_box,
    judge_paragraph,
    judge_row,
    judge_table,
)
from extractor.documents.formats.docx_numbering import Numbering
from extractor.documents.formats.docx_styles import (
    Ground,
    Properties,
    Style,
    StyleSheet,
    read_run_properties,
    resolve_look,
)
from extractor.documents.formats.docx_tables import TBL, P, TableLook, find_rows
from extractor.documents.formats.docx_words import SEEN_THROUGH, ParagraphReader, Pieces, Setting, Story
from extractor.documents.formats.office_charts import read_chart
from extractor.documents.formats.sight import Sight

PARTS = ("header", "footer", "footnotes", "endnotes", "comments", "text box", "diagram", "chart")
_HEADING = re.compile(r"^(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*([1-9])$|^(title|titel)$", re.I)
_VAL, _ID = qn("w:val"), qn("w:id")
_TEXT_PATH = "{urn:schemas-microsoft-com:vml}textpath"
_BOX, _FALLBACK = qn("w:txbxContent"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all parts of a file share."""

    styles: StyleSheet
    numbering: Numbering
    page: Page
    ground: Ground
    note_marks: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where blocks stand: in which part, in what kind of cell, and how well that is seen."""

    part: str = ""
    words: tuple[Properties, ...] = ()
    ground: Ground | None = None
    sight: Sight = Sight.SHOWN


class BlockWriter:
    """Writes the stories of a file: its body, headers, footers and notes."""

    def __init__(self, draft: DocumentBuilder, shared: Surroundings) -> None:
        self._draft, self._shared = draft, shared
        self._paragraphs = self._tables = 0
        self._after_list_item = self._goes_on = False
        self._part: Any = None
        """The part of the file that the story is in."""
        self._story = Story(FieldMarks())
        self._reader = ParagraphReader(shared.styles, self._story)

    def write_story(self, root: Any, part: Any, kind: str = "") -> None:
        """One part of the file, or its body."""
        self._open_story(root, part)
        self._write_blocks(root, _Place(kind))

    def write_notes(self, root: Any, part: Any, kind: str) -> None:
        """Notes below the text, each with its mark; those that nothing refers to are on no page."""
        for note in root:
            if note.get(qn("w:type"), "normal") != "normal":
                continue  # lines that divide notes from the text
            key = kind, note.get(_ID, "")
            known = kind == "comments" or key in self._shared.note_marks
            self._open_story(note, part, self._shared.note_marks.get(key, ""))
            # a comment lies beside the page, where a reader has them shown
            sight = Sight.DOUBTFUL if kind == "comments" else Sight.SHOWN if known else Sight.HIDDEN
            self._write_blocks(note, _Place(kind, sight=sight))

    def write_diagram(self, root: Any) -> None:
        """The words of a diagram, point by point."""
        for point in root.iter():
            if str(point.tag).endswith("}pt"):
                text = "".join(t.text or "" for t in point.iter(f"{_DRAWN}t"))
                self._draft.add_paragraph(text, (0, 0, 0, 0, PARTS.index("diagram") + 1))

    def _open_story(self, root: Any, part: Any, mark: str = "") -> None:
        self._part = part
        addresses = {key: r.target_ref for key, r in part.rels.items() if r.is_external}
        self._story = Story(FieldMarks.of(root), addresses, mark, self._shared.note_marks)
        self._reader = ParagraphReader(self._shared.styles, self._story)

    def _write_blocks(self, parent: Any, place: _Place) -> None:
        for element in parent:
            if element.tag == P:
                self._write_paragraph(element, place)
            elif element.tag == TBL:
                self._write_table(element, place)
            elif element.tag in SEEN_THROUGH:
                self._write_blocks(element, place)

    def _write_paragraph(self, element: Any, place: _Place) -> None:
        """A paragraph, then the text boxes that are anchored in it. Those of a part have no number of their own."""
        self._paragraphs += not place.part
        number = PARTS.index(place.part) + 1 if place.part else 0
        label = (0 if place.part else self._paragraphs, 0, 0, 0, number)
        pieces, level = self._read_paragraph(element, place), self._find_level(element)
        before = self._count_number(element)
        if any(text.strip() for text, _ in pieces):
            item = not level and bool(before)
            if not self._goes_on:
                self._draft.add_text(("\n" if item and self._after_list_item else "\n\n") if self._draft.length else "")
                self._draft.add_text("#" * min(level, 6) + " " if level else "")
            if before and not self._goes_on:
                pieces.insert(0, (before, min(sight for text, sight in pieces if text.strip())))
            for text, sight in pieces:
                self._draft.add_words(" ".join(text.split("\n")) if level else text, label, sight=sight)
            self._after_list_item, self._goes_on = item, _runs_on(element)
        self._write_boxes(element, place)

    def _write_boxes(self, element: Any, place: _Place) -> None:
        for box in element.iter(_BOX):
            if next(box.iterancestors(_FALLBACK), None) is None and next(box.iterancestors(_BOX), None) is None:
                sight = max(place.sight, judge_box(box, self._shared.page))
                ground = find_box_ground(box, self._shared.styles)
                opened = self._story.fields.stack
                self._story.fields.stack = []  # a field does not go on in a box
                self._write_blocks(box, _Place("text box", (), ground, sight))
                self._story.fields.stack = opened
        for drawn in element.iter(_TEXT_PATH):  # a watermark
            if next(drawn.iterancestors(_FALLBACK), None) is None:
                label = (0, 0, 0, 0, PARTS.index("text box") + 1)
                self._draft.add_paragraph(drawn.get("string", ""), label, sight=place.sight)
        self._write_charts(element, place)

    def _write_charts(self, element: Any, place: _Place) -> None:
        """What the charts that are anchored here show: their titles, and their figures as a table."""
        for chart in element.iter(_CHART):
            related = self._part.rels.get(chart.get(qn("r:id"), ""))
            if related is None or related.is_external:
                continue
            title, rows = read_chart(parse_xml(related.target_part.blob))
            number = PARTS.index("chart") + 1
            self._draft.add_paragraph(title, (0, 0, 0, 0, number), sight=place.sight)
            self._tables += 1
            hidden = place.sight is Sight.HIDDEN
            cells = [
                [TableCell(words, (0, self._tables, i, j, number), hidden) for j, words in enumerate(row, 1)]
                for i, row in enumerate(rows, 1)
            ]
            self._draft.add_table(cells, headed=True)

    def _find_style(self, element: Any) -> tuple[list[Any], Style]:
        """The properties of a paragraph, its own first, and its style."""
        own = element.find(qn("w:pPr"))
        named = own.find(qn("w:pStyle")) if own is not None else None
        style = self._shared.styles.find(named.get(_VAL) if named is not None else None, "paragraph")
        return [*([own] if own is not None else []), *style.paragraph], style

    def _read_paragraph(self, element: Any, place: _Place) -> Pieces:
        properties, style = self._find_style(element)
        shades = (self._shared.styles.read_shading(p.find(qn("w:shd"))) for p in properties)
        ground = next((shade for shade in shades if shade is not None), place.ground or self._shared.ground)
        sight = max(place.sight, judge_paragraph(properties, self._shared.page))
        contents = style.name.lower().startswith("toc")
        return self._reader.read(element, Setting((*place.words, style.run), ground, sight, contents))

    def _find_level(self, element: Any) -> int:
        """Which level of heading a paragraph is; 0 for none."""
        _properties, style = self._find_style(element)
        own = element.find(qn("w:pPr"))
        for source, name in [(own, ""), *zip(style.paragraph, style.names, strict=False)]:
            if found := _HEADING.search(name):
                return int(found[1] or 1)
            outline = source.find(qn("w:outlineLvl")) if source is not None else None
            if outline is not None and outline.get(_VAL, "9").isdigit() and int(outline.get(_VAL)) < 9:
                return int(outline.get(_VAL)) + 1
        named = next((m for name in style.names if (m := _HEADING.search(name))), None)
        return int(named[1] or 1) if named else 0

    def _count_number(self, element: Any) -> str:
        """What Word puts before a paragraph of a list; a bullet where its list is not known."""
        properties, style = self._find_style(element)
        found = [p.find(qn("w:numPr")) for p in properties]
        numbers = [n.find(qn("w:numId")) for n in found if n is not None]
        number = next((n.get(_VAL, "") for n in numbers if n is not None), "")
        levels = [n.find(qn("w:ilvl")) for n in found if n is not None]
        level = next((n.get(_VAL, "0") for n in levels if n is not None), "0")
        if not any(n is not None for n in found) or number == "0":
            return ""
        if not self._shared.numbering.is_known(number):
            return "- "
        mark = element.find(f"{qn('w:pPr')}/{qn('w:rPr')}")
        own = read_run_properties(mark)
        if resolve_look(self._shared.styles, [style.run], own, Ground(None)).sight is Sight.HIDDEN:
            return ""
        return self._shared.numbering.count(number, int(level) if level.isdigit() else 0)

    def _write_table(self, element: Any, place: _Place) -> None:
        """Writes a line for each row."""
        self._tables += 1
        rows = find_rows(element)
        columns = max((cell.column + cell.column_span for _, cells in rows for cell in cells), default=0)
        look = TableLook(element, self._shared.styles, len(rows), columns)
        floating = judge_table(element.find(qn("w:tblPr")), self._shared.page)
        number, written, headed = PARTS.index(place.part) + 1 if place.part else 0, [], True
        for i, (row, cells) in enumerate(rows, 1):
            properties = row.find(qn("w:trPr"))
            sight = max(place.sight, floating, judge_row(properties))
            headed = headed and properties is not None and properties.find(qn("w:tblHeader")) is not None
            line = []
            for cell in cells:
                words, ground = look.resolve(cell, i - 1)
                inner = _Place(place.part, (words,), ground or place.ground, sight)
                pieces = list(self._read_cell(cell.element, inner))
                text = "".join(piece for piece, _ in pieces)
                label = (0, self._tables, i, cell.column + 1, number)
                line.append(TableCell(text, label, False, cell.row_span, cell.column_span, headed, pieces, cell.column))
            written.append(line)
        self._draft.add_table(written)
        self._after_list_item = self._goes_on = False
        self._write_boxes(element, place)

    def _read_cell(self, element: Any, place: _Place) -> Iterator[tuple[str, Sight]]:
        """The words of a cell, with those of tables in it."""
        for inner in element:
            if inner.tag == P:
                before, pieces = self._count_number(inner), self._read_paragraph(inner, place)
                if before and pieces:
                    yield before, pieces[0][1]
                yield from pieces
                yield " ", Sight.SHOWN
            elif inner.tag == TBL:
                for _, cells in find_rows(inner):
                    for cell in cells:
                        yield from self._read_cell(cell.element, place)
            elif inner.tag in SEEN_THROUGH:
                yield from self._read_cell(inner, place)


def _runs_on(element: Any) -> bool:
    """Whether the end of a paragraph was deleted, so that the next goes on in its line (17.13.5.15)."""
    return element.find(f"{qn('w:pPr')}/{qn('w:rPr')}/{qn('w:del')}") is not None
