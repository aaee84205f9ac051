"""OpenDocument: texts, spreadsheets and presentations, packed (.odt, .ods, .odp) or as one file of XML (.fodt).

Spreadsheets are read as they are shown: the file has the words of each cell beside its value. A slide that is hidden, a
hidden sheet, row or column and words without contrast are hidden; comments are doubtful.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from extractor.documents.formats import ODF_FORMAT
from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.builder import DocumentBuilder
from extractor.documents.formats.enclosed_pictures import Picture, enclose_pictures
from extractor.documents.formats.io import open_regular, read_file_bytes
from extractor.documents.formats.ocr import advise_on_ocr
from extractor.documents.formats.odf_sheets import write_sheets
from extractor.documents.formats.odf_styles import OdfStyles, TextLook, qualify
from extractor.documents.formats.odf_tables import OdfTable, TableReader
from extractor.documents.formats.odf_text import H, P, Paragraph, read_paragraph
from extractor.documents.formats.package_xml import Element, parse_package_xml, read_part
from extractor.documents.formats.sight import WHITE, Sight, parse_colour
from extractor.documents.formats.zip_guard import check_archive, open_archive
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document

PARTS = ("header", "footer", "footnote", "endnote", "comment", "text box", "notes", "object")
_TABLE, _LIST, _ITEM, _PAGE = (qualify(n) for n in ("table:table", "text:list", "text:list-item", "draw:page"))
_LIST_HEADER, _SECTION = qualify("text:list-header"), qualify("text:section")
_COMMENT, _NOTES, _OBJECT = qualify("office:annotation"), qualify("presentation:notes"), qualify("draw:object")
_SKIPPED = frozenset(
    {qualify("text:tracked-changes"), qualify("office:forms"), qualify("text:sequence-decls"), _COMMENT}
)
_FRAMES = frozenset(
    qualify(f"draw:{n}") for n in ("frame", "g", "custom-shape", "rect", "ellipse", "text-box", "caption")
)


def load(path: Path, name: str, ocr: bool) -> Document:
    with open_regular(path, ODF_FORMAT.max_bytes) as file:
        is_packed = file.read(2) == b"PK" or not path.suffix.lower().startswith(".f")
    if not is_packed:
        root = parse_package_xml(read_file_bytes(path, ODF_FORMAT.max_bytes), name)
        return _OdfReader(name, [root], {}, ocr, lambda _: None).read(root)
    check_archive(path, name, ODF_FORMAT.max_bytes)
    with open_regular(path, ODF_FORMAT.max_bytes) as file, open_archive(file) as archive:
        manifest = read_part(archive, "META-INF/manifest.xml", name) or b""
        if b"encryption-data" in manifest:
            raise DocumentError(f"{name} is encrypted; save a copy without its password.", reason="encrypted")
        content = _parse_part(archive, "content.xml", name)
        if content is None:
            raise DocumentError(f"{name} is no OpenDocument file: it has no content.xml.", reason="broken")
        styles = _parse_part(archive, "styles.xml", name)
        roots = [content, styles] if styles is not None else [content]
        objects = dict(_parse_objects(archive, content, name))
        return _OdfReader(name, roots, objects, ocr, lambda part: read_part(archive, part, name)).read(content)


def _parse_part(archive: zipfile.ZipFile, part: str, name: str) -> Element | None:
    data = read_part(archive, part, name)
    return None if data is None else parse_package_xml(data, name)


def _parse_objects(archive: zipfile.ZipFile, content: Element, name: str) -> Iterator[tuple[str, Element]]:
    """Charts and formulas, which are documents in the document."""
    for drawn in content.iter(_OBJECT):
        href = drawn.get(qualify("xlink:href"), "")
        root = _parse_part(archive, f"{href.removeprefix('./')}/content.xml", name)
        if root is not None:
            yield href, root


@dataclass(slots=True)
class _OdfReader:
    name: str
    roots: Sequence[Element]
    objects: Mapping[str, Element]
    with_ocr: bool
    read_file: Callable[[str], bytes | None]
    """The bytes of a part of the file; None where there is none."""
    draft: DocumentBuilder = field(init=False)
    styles: OdfStyles = field(init=False)
    tables: TableReader = field(init=False)
    controls: Mapping[str, str] = field(init=False)
    page: int = 0
    paragraph_count: int = 0
    table_count: int = 0
    _counts: dict[str, list[int]] = field(default_factory=dict)
    """How many items of each list style there were, by level."""
    _after_item: bool = False

    def __post_init__(self) -> None:
        keys = ("page", "paragraph", "table", "row", "column", "part")
        self.draft = DocumentBuilder(PieceLabels(keys, {"part": list(PARTS)}))
        self.styles = OdfStyles(self.roots)
        self.tables = TableReader(self.styles, self.name)
        self.controls = dict(_read_controls(self.roots[0]))

    def read(self, root: Element) -> Document:
        body = root.find(f"{qualify('office:body')}/*")
        if body is None:
            raise DocumentError(f"{self.name} is no OpenDocument file: it has no body.", reason="broken")
        if body.tag == qualify("office:spreadsheet"):
            self.draft = write_sheets(body, self.styles, self.name)
            return self._finish(body)
        look = TextLook()
        margins = list(self._find_margins()) if body.tag == qualify("office:text") else []
        for margin, part in margins:
            if part == "header":
                self.write_blocks(margin, look, Sight.SHOWN, part)
        self.write_blocks(body, look, Sight.SHOWN, "")
        for margin, part in margins:
            if part == "footer":
                self.write_blocks(margin, look, Sight.SHOWN, part)
        return self._finish(body)

    def _finish(self, body: Element) -> Document:
        document = self.draft.build_document(self.name, f"lxml {version('lxml')}")
        document = enclose_pictures(document, self._find_pictures(body), wanted=self.with_ocr)
        if not self.draft.length and not isinstance(document, MailDocument):
            raise self._explain_emptiness(body)
        return document

    def _find_pictures(self, body: Element) -> Iterator[Picture]:
        for shown in body.iter(qualify("draw:image")):
            href = shown.get(qualify("xlink:href"), "").removeprefix("./")
            data = self.read_file(href)
            if data is not None:
                yield href.rpartition("/")[2], data

    def _explain_emptiness(self, body: Element) -> DocumentError:
        if body.find(f".//{qualify('draw:image')}") is not None:
            return DocumentError(
                f"{self.name} needs OCR: it holds pictures and no words; {advise_on_ocr(self.with_ocr)}.",
                reason="needs OCR",
            )
        return DocumentError(f"{self.name} is empty; there is nothing to extract.", reason="empty")

    def _find_margins(self) -> Iterator[tuple[Element, str]]:
        """Headers and footers that differ."""
        seen: set[str] = set()
        for master in self.styles.masters.values():
            for margin in master:
                kind = str(margin.tag).rpartition("}")[2]
                part = "header" if kind.startswith("header") else "footer" if kind.startswith("footer") else ""
                words = "".join(margin.itertext()).strip()
                if part and words and words not in seen and margin.get(qualify("style:display")) != "false":
                    seen.add(words)
                    yield margin, part

    def _label(self, part: str, row: int = 0, column: int = 0) -> tuple[int, ...]:
        number = PARTS.index(part) + 1 if part else 0
        paragraph = 0 if part or row or self.page else self.paragraph_count
        return self.page, paragraph, self.table_count if row else 0, row, column, number

    def write_blocks(self, parent: Element, look: TextLook, sight: Sight, part: str) -> None:
        """What stands under an element: paragraphs, lists, tables, slides and drawings."""
        for element in parent:
            tag = element.tag
            if tag in (P, H):
                self.write_paragraph(element, look, sight, part)
            elif tag == _LIST:
                self.write_list(element, look, sight, part, 1, element.get(qualify("text:style-name"), ""))
            elif tag == _TABLE:
                self.write_table(element, look, sight, part)
            elif tag == _PAGE:
                self.write_slide(element)
            elif tag in _FRAMES:
                self.write_drawing(element, look, sight, part)
            elif isinstance(tag, str) and tag not in _SKIPPED:
                hides = tag == _SECTION and (
                    element.get(qualify("text:display")) == "none" or element.get(qualify("text:is-hidden")) == "true"
                )
                self.write_blocks(element, look, Sight.HIDDEN if hides else sight, part)

    def write_paragraph(self, element: Element, look: TextLook, sight: Sight, part: str, mark: str = "") -> None:
        paragraph = read_paragraph(element, self.styles, look, self.controls)
        self.paragraph_count += not part
        if paragraph.text.strip():
            level = 0
            if element.tag == H:
                level = int(element.get(qualify("text:outline-level"), "1") or 1)
                mark = "#" * min(level, 6) + " " + self._number("Outline", level)
            elif self._is_title(element):
                level, mark = 1, "# "
            self.draft.add_text(
                ("\n" if mark and not level and self._after_item else "\n\n") if self.draft.length else ""
            )
            self.draft.add_text(mark)
            for text, own in paragraph.runs:
                self.draft.add_words(
                    text.replace("\n", " ") if level else text, self._label(part), sight=max(sight, own)
                )
            self._after_item = bool(mark) and not level
        self._write_anchored(paragraph, look, sight)

    def _write_anchored(self, paragraph: Paragraph | OdfTable, look: TextLook, sight: Sight) -> None:
        for drawn in paragraph.drawn:
            self.write_drawing(drawn, look, sight, "text box")
        for comment in paragraph.comments:
            self.write_blocks(comment, look, max(sight, Sight.DOUBTFUL), "comment")
        for note in paragraph.notes:
            body = note.find(qualify("text:note-body"))
            kind = "endnote" if note.get(qualify("text:note-class")) == "endnote" else "footnote"
            if body is not None:
                self.write_blocks(body, look, sight, kind)

    def _is_title(self, element: Element) -> bool:
        return element.get(qualify("text:style-name")) in ("Title", "Titel", "Titre", "Título", "Titolo")

    def _number(self, style: str, level: int) -> str:
        counts = self._counts.setdefault(style, [])
        counts[level:] = []
        counts += [0] * (level - len(counts))
        counts[level - 1] += 1
        number = self.styles.number_item(style, level, counts)
        return f"{number} " if number else ""

    def write_list(self, element: Element, look: TextLook, sight: Sight, part: str, level: int, style: str) -> None:
        if level == 1 and element.get(qualify("text:continue-numbering")) != "true":
            self._counts.pop(style, None)
        for item in element:
            if item.tag not in (_ITEM, _LIST_HEADER):
                continue
            mark = "" if item.tag == _LIST_HEADER else self._number(style, min(level, 10)) or "- "
            for child in item:
                if child.tag in (P, H):
                    self.write_paragraph(child, look, sight, part, mark)
                    mark = ""
                elif child.tag == _LIST:
                    self.write_list(child, look, sight, part, level + 1, child.get(qualify("text:style-name"), style))
                else:
                    self.write_blocks([child], look, sight, part)

    def write_table(self, element: Element, look: TextLook, sight: Sight, part: str) -> None:
        self.table_count += 1
        found = self.tables.read_table(element, look, sight, lambda row, column: self._label(part, row, column))
        self.draft.add_table(found.rows, headed=True if any(c.header for r in found.rows[:1] for c in r) else None)
        self._after_item = False
        self._write_anchored(found, look, sight)

    def write_slide(self, page: Element) -> None:
        self.page += 1
        about = self.styles.properties("drawing-page", page.get(qualify("draw:style-name"), ""))
        sight = Sight.HIDDEN if about.get("visibility") == "hidden" else Sight.SHOWN
        look = TextLook(ground=self._slide_ground(page, about))
        for shape in page:
            if shape.tag == _NOTES:
                self.write_blocks(shape, TextLook(), sight, "notes")
            elif isinstance(shape.tag, str) and shape.tag not in _SKIPPED:
                self.write_blocks([shape], look, sight, "")
        for comment in page.iterchildren(_COMMENT):
            self.write_blocks(comment, TextLook(), max(sight, Sight.DOUBTFUL), "comment")
        self._after_item = False

    def _slide_ground(self, page: Element, about: Mapping[str, str]) -> tuple[int, int, int] | None:
        """The colour of a slide; None for a picture or a gradient."""
        if about.get("fill", "none") == "none":
            master = self.styles.masters.get(page.get(qualify("draw:master-page-name"), ""))
            about = (
                self.styles.properties("drawing-page", master.get(qualify("draw:style-name"), ""))
                if master is not None
                else {}
            )
        if about.get("fill", "none") == "none":
            return WHITE
        return parse_colour(about.get("fill-color")) if about["fill"] == "solid" else None

    def write_drawing(self, drawn: Element, look: TextLook, sight: Sight, part: str) -> None:
        """A frame or shape: its words, its table, its chart; the title of a slide is a heading."""
        family = "presentation" if drawn.get(qualify("presentation:style-name")) else "graphic"
        style = drawn.get(qualify("presentation:style-name")) or drawn.get(qualify("draw:style-name"), "")
        about = self.styles.properties(family, style)
        if about.get("fill") == "solid":
            look = look.on_ground(parse_colour(about.get("fill-color")) or look.ground)
        elif about.get("fill") in ("bitmap", "gradient", "hatch"):
            look = look.on_ground(None)
        if drawn.get(qualify("presentation:placeholder")) == "true":
            return
        if drawn.get(qualify("presentation:class")) == "title":
            self._write_slide_title(drawn, look, sight, part)
            return
        for shape in drawn.iter(_OBJECT):
            self.write_object(shape, sight)
        inside = [child for child in drawn if child.tag != _OBJECT]
        own = "" if self.page and part == "text box" else part
        self.write_blocks(inside, look, sight, own)

    def _write_slide_title(self, drawn: Element, look: TextLook, sight: Sight, part: str) -> None:
        runs = [
            run for p in drawn.iter(P, H) for run in (*read_paragraph(p, self.styles, look).runs, (" ", Sight.SHOWN))
        ]
        if not "".join(text for text, _ in runs).strip():
            return
        self.draft.end_paragraph()
        self.draft.add_text("# ")
        for text, own in runs[:-1]:
            self.draft.add_words(text.replace("\n", " "), self._label(part), sight=max(sight, own))

    def write_object(self, drawn: Element, sight: Sight) -> None:
        """A chart or a formula."""
        root = self.objects.get(drawn.get(qualify("xlink:href"), ""))
        math = drawn.find(qualify("math:math")) if root is None else root if root.tag == qualify("math:math") else None
        if math is not None:
            source = math.find(f".//{qualify('math:annotation')}")
            words = "".join((source if source is not None else math).itertext())
            self.draft.end_paragraph()
            self.draft.add_words(" ".join(words.split()), self._label("object"), sight=sight)
        elif root is not None:
            body = root.find(f"{qualify('office:body')}/*")
            if body is not None:
                self.write_blocks(body, TextLook(), sight, "object")


def _read_controls(root: Element) -> Iterator[tuple[str, str]]:
    """What the fields of a file's forms show, by their names in it."""
    for control in root.iterdescendants(*(qualify(f"form:{n}") for n in _CONTROL_KINDS)):
        kind = str(control.tag).rpartition("}")[2]
        name = control.get(qualify("form:id")) or control.get("{http://www.w3.org/XML/1998/namespace}id", "")
        label = control.get(qualify("form:label"), "")
        if kind in ("checkbox", "radio"):
            state = control.get(qualify("form:current-state")) or control.get(qualify("form:current-selected"), "")
            yield name, f"{'☒' if state in ('checked', 'true') else '☐'} {label}".rstrip()
        elif kind == "listbox":
            chosen = [
                o.get(qualify("form:label"), "") for o in control if o.get(qualify("form:current-selected")) == "true"
            ]
            yield name, ", ".join(chosen)
        else:
            yield name, control.get(qualify("form:current-value")) or control.get(qualify("form:value"), "") or label


_CONTROL_KINDS = (
    "text",
    "textarea",
    "formatted-text",
    "number",
    "date",
    "time",
    "combobox",
    "listbox",
    "checkbox",
    "radio",
)
