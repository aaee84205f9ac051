"""PDF: the text layer in reading order, with a page and a box for every word; pages without one go to OCR, if wanted.

PDFium is not safe in several threads: this module runs in the one thread of a process (see `apart`).
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents import formats as loaders
from extractor.documents.formats import io as files
from extractor.documents.formats import ocr
from extractor.documents.formats import pdf_text as letters
from extractor.documents.formats.pdf_layout import Writer
from extractor.errors import DocumentError
from extractor.types import Document, Unread

PAGES = 5_000
LETTERS = 200_000
"""Characters of one page that are read, and pages of one file."""
SPARSE = 0.3
"""The part of a page's characters without a known letter from which its text layer is no text."""
_SIGNS = str.maketrans({"\ufffe": letters.HYPHEN, "\ufeff": " ", "\xa0": " ", "\x00": "\ufffd"})


def load(path: Path, name: str, with_ocr: bool) -> Document:
    files.open_regular(path, loaders.PDF.largest).close()
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
        return _document(pdf, name, with_ocr)
    finally:
        pdf.close()


def _document(pdf: pdfium.PdfDocument, name: str, with_ocr: bool) -> Document:
    if len(pdf) > PAGES:
        raise DocumentError(
            f"{name} has {len(pdf)} pages; split it into files of at most {PAGES} pages.", reason="too large"
        )
    writer = Writer()
    for number in range(1, len(pdf) + 1):
        writer.begin()
        try:
            page = pdf[number - 1]
        except pdfium.PdfiumError:
            writer.draft.unread.append(Unread(f"page {number}", "broken", f"Page {number} cannot be opened."))
            continue
        try:
            reason = _read(page, number, name, writer, with_ocr)
        finally:
            page.close()
        if reason:
            writer.draft.unread.append(Unread(f"page {number}", "needs OCR", reason))
    if not writer.draft.length:
        advice = ocr.advice(with_ocr)
        raise DocumentError(f"{name} needs OCR: no page has a text layer; {advice}.", reason="needs OCR")
    library = f"pypdfium2 {version('pypdfium2')}"
    return writer.draft.document(name, f"{library}, {ocr.version()}" if writer.recognised else library, writer.boxes)


def _read(page: pdfium.PdfPage, number: int, name: str, writer: Writer, with_ocr: bool) -> str:
    """Writes one page; why it could not be, or nothing."""
    layer = page.get_textpage()
    try:
        count = layer.count_chars()
        if count > LETTERS:
            raise DocumentError(
                f"Page {number} of {name} has {count} characters; no page that people read has: split it.",
                reason="too large",
            )
        text = letters.characters(layer, count)
        unknown = sum(map(text.count, "\x00\ufffd")) if "\x00" in text or "\ufffd" in text else 0
        if text and not text.isspace() and unknown <= (len(text) - unknown) * SPARSE:
            writer.page(text.translate(_SIGNS), letters.laid(page, layer, text), letters.Bold(layer))
            return ""
    finally:
        layer.close()
    if not text.strip("\x00\ufffd \r\n") and not unknown and not _pictured(page):
        return ""  # an empty page
    if not with_ocr:
        return f"Page {number} has no text layer; {ocr.advice(with_ocr)}."
    found = ocr.recognise(page)
    if isinstance(found, str):
        return f"Page {number} has no text layer, and {found}."
    writer.recognised = True
    writer.page(*found, None)
    return ""


def _pictured(page: pdfium.PdfPage) -> bool:
    """Whether anything is drawn on the page."""
    return bool(raw.FPDFPage_CountObjects(page) > 0)
