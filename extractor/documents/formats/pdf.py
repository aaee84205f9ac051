"""PDF: the text layer in reading order, with a page and a box for every word; pages without one go to OCR, if wanted.

PDFium is not safe in several threads: this module runs in the one thread of a process (see `sandbox`).
"""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats import PDF_FORMAT
from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.io import open_regular
from extractor.documents.formats.ocr import advise_on_ocr, find_ocr_version, is_ocr_installed, recognise_page
from extractor.documents.formats.page_blocks import PageRules
from extractor.documents.formats.pdf_files import read_files, read_form_data
from extractor.documents.formats.pdf_flow import drop_guard, is_scattered, read_across
from extractor.documents.formats.pdf_layers import is_scan_layer, is_wrong_layer
from extractor.documents.formats.pdf_layout import PageWriter
from extractor.documents.formats.pdf_notes import NoteKind, place_notes, read_notes
from extractor.documents.formats.pdf_objects import PageObjects, find_rules, read_objects
from extractor.documents.formats.pdf_pictures import read_pictures
from extractor.documents.formats.pdf_text import (
    HYPHEN,
    MAX_PAGE_CHARACTERS,
    LetterLook,
    is_poor_layer,
    lay_out_page,
    read_characters,
)
from extractor.documents.formats.pdf_visibility import VisibilityJudge
from extractor.documents.formats.reading_order import PageLayout
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

MAX_PAGES = 5_000
"""Pages of one file that are read."""
_LIBRARY = f"pypdfium2 {version('pypdfium2')}"
_SIGNS = str.maketrans({"\ufffe": HYPHEN, "\ufeff": " ", "\xa0": " ", "\x00": "\ufffd"})


def load(path: Path, name: str, with_ocr: bool) -> Document:
    open_regular(path, PDF_FORMAT.max_bytes).close()
    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError(
                f"{name} is encrypted; save a copy without its password and give that.", reason="encrypted"
            ) from error
        raise DocumentError(
            f"{name} is no PDF that can be opened; save it anew and try again.", reason="broken"
        ) from error
    try:
        return _build_document(pdf, name, with_ocr)
    finally:
        pdf.close()


def warm_up() -> None:
    """Loads what pages with pictures and colours need, once for all files that a reader reads."""
    import_module("PIL.ImageChops")


def _build_document(pdf: pdfium.PdfDocument, name: str, with_ocr: bool) -> Document:
    if len(pdf) > MAX_PAGES:
        raise DocumentError(
            f"{name} has {len(pdf)} pages; split it into files of at most {MAX_PAGES} pages.", reason="too large"
        )
    if pdf.get_formtype() != raw.FORMTYPE_NONE:
        pdf.init_forms()  # before any page is opened
    reader = _PageReader(name, with_ocr)
    draft = reader.writer.draft
    for number in range(1, len(pdf) + 1):
        reader.writer.begin_page()
        try:
            page = pdf[number - 1]
        except pdfium.PdfiumError:
            draft.unread.append(UnreadPart(f"page {number}", "broken", f"Page {number} cannot be opened."))
            continue
        try:
            reason = reader.read_page(page, number)
        finally:
            page.close()
        if reason:
            draft.unread.append(UnreadPart(f"page {number}", "needs OCR", reason))
    reader.writer.write_form_data(read_form_data(pdf))
    if not draft.length:
        advice = advise_on_ocr(with_ocr)
        raise DocumentError(f"{name} needs OCR: no page has a text layer; {advice}.", reason="needs OCR")
    loader = f"{_LIBRARY}, {find_ocr_version()}" if reader.writer.recognised else _LIBRARY
    files, unread = read_files(pdf)
    draft.unread += unread
    read = draft.build_document(name, loader, reader.writer.boxes)
    if not files:
        return read
    known = {field.name: getattr(read, field.name) for field in fields(read)}
    return MailDocument(**known, attachments=tuple(files))


class _PageReader:
    """Reads the pages of one file."""

    def __init__(self, name: str, with_ocr: bool) -> None:
        self._name, self._with_ocr = name, with_ocr
        self.writer = PageWriter()
        self._judge = VisibilityJudge()
        self._trusts_layers = False

    def read_page(self, page: pdfium.PdfPage, number: int) -> str:
        """Writes one page; why it could not be, or nothing."""
        letters = page.get_textpage()
        try:
            count = letters.count_chars()
            if count > MAX_PAGE_CHARACTERS:
                raise DocumentError(
                    f"Page {number} of {self._name} has {count} characters; no page that people read has: split it.",
                    reason="too large",
                )
            text = read_characters(letters, count)
            if is_scattered(letters, text) and (across := read_across(page)) is not None:
                read = drop_guard(read_characters(across, across.count_chars()))
                if read is None:
                    across.close()
                else:
                    letters.close()
                    letters, text = across, read
            has_letters = bool(text) and not text.isspace()
            if has_letters and not is_poor_layer(letters, text):
                self._write_letters(page, letters, number, text)
                return ""
            if not has_letters and self._write_notes(page):
                return ""
            if not has_letters and not _has_drawing(page):
                return ""  # an empty page
            return self._read_picture(page, letters, number, text if has_letters else "")
        finally:
            letters.close()

    def _read_picture(self, page: pdfium.PdfPage, letters: pdfium.PdfTextPage, number: int, text: str) -> str:
        """Writes what OCR reads of a page; why there is nothing, or nothing.

        Where it is not wanted, a text layer that may not say what it shows is written, doubtful.
        """
        self.writer.draft.pictured.append(number)
        found = recognise_page(page) if self._with_ocr else ""
        if isinstance(found, PageLayout):
            self._write_recognised(found)
            return ""
        advice = found or advise_on_ocr(self._with_ocr)
        if not _is_readable(text):
            return f"Page {number} has no text layer; {advice}."
        start = self.writer.draft.length
        self._write_letters(page, letters, number, text)
        self.writer.draft.doubt_from(start)
        self.writer.draft.notes.append(f"The fonts of page {number} do not say which letters they show; {advice}.")
        return ""

    def _write_recognised(self, found: PageLayout) -> None:
        self.writer.recognised = True
        self.writer.write_page(found, PageRules(), None)

    def _replaces_layer(self, page: pdfium.PdfPage, number: int, text: str, objects: PageObjects) -> bool:
        """Writes what OCR reads on a scan in place of its layer, where that says something else; whether it does.

        Pages are looked at until one has a layer that is right: then all have, as one program made them.
        """
        if self._trusts_layers or not is_scan_layer(objects) or not is_ocr_installed():
            return False
        found = recognise_page(page)
        self._trusts_layers = isinstance(found, PageLayout) and not is_wrong_layer(text, found)
        if self._trusts_layers or not isinstance(found, PageLayout):
            return False
        self.writer.draft.pictured.append(number)
        self._write_recognised(found)
        self.writer.draft.notes.append(
            f"The text layer of page {number} says something else than the page; it was read by OCR."
        )
        return True

    def _write_notes(self, page: pdfium.PdfPage) -> bool:
        """Writes what is laid over a page without letters; whether there is anything. A scan is read by OCR instead."""
        notes = [] if _has_picture(page) else read_notes(page)
        layout = PageLayout()
        place_notes(layout, [note for note in notes if note.kind is not NoteKind.ADDRESS])
        if layout.pieces:
            self.writer.write_page(layout, PageRules(), None)
        return bool(layout.pieces)

    def _write_letters(self, page: pdfium.PdfPage, letters: pdfium.PdfTextPage, number: int, text: str) -> None:
        layout, objects = lay_out_page(page, letters, text), read_objects(page)
        if self._with_ocr and self._replaces_layer(page, number, text, objects):
            return
        verdicts = self._judge.judge_words(page, letters, text, layout, objects)
        layout.text = text.translate(_SIGNS)
        if (
            self._with_ocr
            and objects.pictures
            and is_ocr_installed()
            and read_pictures(page, layout, objects, verdicts)
        ):
            self.writer.recognised = True
            self.writer.draft.pictured.append(number)
        place_notes(layout, read_notes(page))
        self.writer.write_page(layout, find_rules(page, objects), LetterLook(page, letters), verdicts)


def _is_readable(text: str) -> bool:
    """Whether letters of a poor text layer are letters at all."""
    return sum(c.isalnum() for c in text) > 2 * sum(c in "\0\ufffd" or "\ue000" <= c <= "\uf8ff" for c in text)


def _has_picture(page: pdfium.PdfPage) -> bool:
    return any(True for _ in page.get_objects([raw.FPDF_PAGEOBJ_IMAGE], max_depth=2))


def _has_drawing(page: pdfium.PdfPage) -> bool:
    """Whether anything is drawn on the page."""
    return bool(raw.FPDFPage_CountObjects(page) > 0)
