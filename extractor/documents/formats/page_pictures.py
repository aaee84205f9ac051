"""Pictures of a document's pages, for people who look at values where they stand. Made by a reader, as texts are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.documents.formats import FORMATS_BY_SUFFIX, IMAGE_FORMAT, PDF_FORMAT
from extractor.documents.formats.answers import allow_answer
from extractor.documents.formats.sandbox import load_in_sandbox
from extractor.errors import DocumentError
from extractor.types import Document

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PICTURED_PAGES = 40
"""Pages of one document that are pictured, the first."""
LONGEST_SIDE = 1400
"""Pixels of a picture's longer side."""
QUALITY = 60
"""Of WebP: letters of 8 points are read easily."""


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page as it is shown, as WebP. Its size is in points, the unit of boxes."""

    number: int
    width: float
    height: float
    webp: bytes


@allow_answer
@dataclass(frozen=True, slots=True)
class PicturedDocument(Document):
    """A document's pictures, in place of its text."""

    pages: tuple[PagePicture, ...] = ()


def picture_pages(path: Path) -> tuple[PagePicture, ...]:
    """The pages of a PDF or of a picture, pictured in a process of its own; none for other formats.

    Raises DocumentError where the file cannot be read.
    """
    kind = FORMATS_BY_SUFFIX.get(path.suffix.lower())
    if kind not in (PDF_FORMAT, IMAGE_FORMAT) or kind.missing_extra():
        return ()
    found = load_in_sandbox("page_pictures", path.absolute(), path.name, False)
    return found.pages if isinstance(found, PicturedDocument) else ()


def load(path: Path, name: str, with_ocr: bool) -> PicturedDocument:
    """Pictures of the pages, in the process of a reader."""
    del with_ocr
    is_pdf = FORMATS_BY_SUFFIX.get(path.suffix.lower()) is PDF_FORMAT
    pages = _picture_pdf(path, name) if is_pdf else _picture_image(path, name)
    return PicturedDocument(name, "", pages=tuple(pages))


def _picture_pdf(path: Path, name: str) -> Iterator[PagePicture]:
    import pypdfium2 as pdfium  # an extra

    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise DocumentError(f"{name} is no PDF that can be opened; save it anew and try again.") from error
    if pdf.get_formtype():
        pdf.init_forms()
    for number in range(min(len(pdf), MAX_PICTURED_PAGES)):
        try:
            page = pdf[number]
        except pdfium.PdfiumError:
            continue
        width, height = page.get_size()
        bitmap = page.render(scale=LONGEST_SIDE / max(1.0, width, height))
        yield PagePicture(number + 1, width, height, _encode(bitmap.to_pil()))
        bitmap.close()
        page.close()


def _picture_image(path: Path, name: str) -> Iterator[PagePicture]:
    from extractor.documents.formats.image import find_scale, open_pages  # an extra

    for number, picture in enumerate(open_pages(path, name), 1):
        if number > MAX_PICTURED_PAGES:
            return
        scale = find_scale(picture)
        width, height = picture.size
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        yield PagePicture(number, width / scale, height / scale, _encode(picture))


def _encode(picture: Image) -> bytes:
    data = io.BytesIO()
    picture.convert("RGB").save(data, "WEBP", quality=QUALITY)
    return data.getvalue()
