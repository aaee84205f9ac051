"""Pictures of a document's pages, for people and models that look at them. Made by a reader, as texts are.

For people they are WebP, which is small in a page that holds many; for models JPEG, which every server reads.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.documents.formats.answers import allow_answer
from extractor.documents.formats.sandbox import load_in_sandbox
from extractor.errors import DocumentError
from extractor.types import Document

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class PictureStyle:
    """How pages are pictured: for whom, and with which bounds."""

    module: str
    """What makes such pictures in a reader's process."""
    kind: str
    longest_side: int
    """Pixels."""
    quality: int
    max_bytes: int
    """Of one picture; a larger one is made coarser."""
    max_all_bytes: int
    """Of all pictures of a document; pages after that are not pictured."""


FOR_PEOPLE = PictureStyle("page_pictures", "WEBP", 1400, 60, 2_000_000, 40_000_000)
"""Letters of 8 points are read easily."""
FOR_MODELS = PictureStyle("model_pictures", "JPEG", 1568, 80, 700_000, 40_000_000)
"""The longest side that no maker of models shrinks further (Anthropic, "Vision": 1568 pixels)."""
_PDF_HEAD_BYTES = 1024
"""A PDF says what it is in so many bytes (ISO 32000-2, annex I)."""


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page as it is shown. Its size is in points, the unit of boxes, and in pixels."""

    number: int
    width: float
    height: float
    columns: int
    rows: int
    data: bytes


@allow_answer
@dataclass(frozen=True, slots=True)
class PicturedDocument(Document):
    """Pictures of a document's pages, in place of its text."""

    pages: tuple[PagePicture, ...] = ()


def picture_pages(path: Path, name: str, wanted: Collection[int], style: PictureStyle) -> tuple[PagePicture, ...]:
    """Those pages of a PDF or of a picture, by number from 1, pictured in a process of its own; pages that are not
    there, or come after the bound on bytes, are left out.

    Raises DocumentError where the file cannot be read.
    """
    found = load_in_sandbox(style.module, path.absolute(), name, False, pages=sorted(wanted))
    assert isinstance(found, PicturedDocument)  # noqa: S101 -- what its module answers with
    return tuple(page for page in found.pages if page.number in wanted and len(page.data) <= style.max_bytes)


def load_pages(path: Path, name: str, wanted: Collection[int]) -> PicturedDocument:
    """Pictures for people, in the process of a reader."""
    return draw_pages(path, name, wanted, FOR_PEOPLE)


def draw_pages(path: Path, name: str, wanted: Collection[int], style: PictureStyle) -> PicturedDocument:
    """Pictures of the pages of those numbers, as long as there is room."""
    with path.open("rb") as file:
        is_pdf = b"%PDF-" in file.read(_PDF_HEAD_BYTES)
    pages: list[PagePicture] = []
    room = style.max_all_bytes
    for page in (_draw_pdf if is_pdf else _draw_image)(path, name, wanted, style):
        room -= len(page.data)
        if room < 0:
            break
        pages.append(page)
    return PicturedDocument(name, "", pages=tuple(pages))


def _draw_pdf(path: Path, name: str, wanted: Collection[int], style: PictureStyle) -> Iterator[PagePicture]:
    import pypdfium2 as pdfium  # an extra

    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise DocumentError(f"{name} is no PDF that can be opened; save it anew and try again.") from error
    if pdf.get_formtype():
        pdf.init_forms()
    for number in sorted(wanted):
        if number > len(pdf):
            return
        try:
            page = pdf[number - 1]
        except pdfium.PdfiumError:
            continue
        width, height = page.get_size()
        bitmap = page.render(scale=style.longest_side / max(1.0, width, height))
        picture = bitmap.to_pil()
        columns, rows = picture.size
        yield PagePicture(number, width, height, columns, rows, _encode(picture, style))
        bitmap.close()
        page.close()


def _draw_image(path: Path, name: str, wanted: Collection[int], style: PictureStyle) -> Iterator[PagePicture]:
    from extractor.documents.formats.image import find_scale, open_pages  # an extra

    for number, picture in enumerate(open_pages(path, name), 1):
        if number > max(wanted):
            return
        if number in wanted:
            scale = find_scale(picture)
            width, height = picture.size
            picture.thumbnail((style.longest_side, style.longest_side))
            columns, rows = picture.size
            yield PagePicture(number, width / scale, height / scale, columns, rows, _encode(picture, style))


def _encode(picture: Image, style: PictureStyle) -> bytes:
    """The picture's bytes; of one that would take too many, coarser."""
    plain = picture.convert("RGB")
    for quality, share in ((style.quality, 1), (style.quality // 2, 1), (style.quality // 2, 2), (20, 4)):
        data = io.BytesIO()
        shown = plain if share == 1 else plain.reduce(share)
        shown.save(data, style.kind, quality=quality)
        if data.tell() <= style.max_bytes:
            break
    return data.getvalue()
