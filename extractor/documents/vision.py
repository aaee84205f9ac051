"""Pages as pictures beside the text of a document, for a model that sees.

The words of pictured pages come from OCR where it is installed, so that values keep their boxes; a page that OCR cannot
read has its picture alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from extractor.documents.formats import IMAGE_FORMAT, PDF_FORMAT, Format
from extractor.documents.formats.ocr import is_ocr_installed
from extractor.documents.formats.page_pictures import FOR_MODELS, picture_pages
from extractor.documents.formats.sandbox import load_in_sandbox
from extractor.documents.locations import AttachmentLocations, WordBoxes
from extractor.errors import DocumentError
from extractor.types import Document, Locations, PageImage, UnreadPart, Vision

PICTURED_FORMATS = (PDF_FORMAT, IMAGE_FORMAT)
"""Formats whose pages can be pictured."""
MAX_PICTURES = 100
"""Pages of one document that a model is shown, the first; 40 MB of pictures at most."""
_NO_WORDS = frozenset({"needs OCR", "empty"})
"""Why a file of pages has no text, though its pages can be pictured."""
_JPEG_HEAD = b"\xff\xd8\xff"


def load_seen_document(kind: Format, path: Path, name: str, ocr: bool) -> Document:
    """The document with the words of its pictures, by OCR where that is installed and some page needs it.

    One without any words is a text of one line end, and incomplete: there is its picture, at least. Raises
    DocumentError for one that cannot be read otherwise.
    """
    try:
        document = load_in_sandbox(kind.module, path, name, ocr or kind.always_ocr)
        if not document.pictured or ocr or kind.always_ocr or not is_ocr_installed():
            return document
    except DocumentError as error:
        if error.reason not in _NO_WORDS:
            raise
        if ocr or kind.always_ocr or not is_ocr_installed():
            return _build_wordless_document(name, error)
    try:
        return load_in_sandbox(kind.module, path, name, True)
    except DocumentError as error:
        if error.reason not in _NO_WORDS:
            raise
        return _build_wordless_document(name, error)


def _build_wordless_document(name: str, error: DocumentError) -> Document:
    message = f"{name} has no words that could be read, so that its values have none: {str(error).rstrip('.')}."
    unread = UnreadPart("all pages", "needs OCR", message)
    return Document(name, "\n", unread=(unread,), loader="pictures alone", pictured=_ALL_PAGES)


_ALL_PAGES = tuple(range(1, MAX_PICTURES + 1))


def add_pictures(document: Document, path: Path, vision: Vision) -> Document:
    """The document with pictures of its pages: of those that are no good text, or of all; none can be made of some.

    Raises DocumentError where a document without words has no page to be pictured either.
    """
    wordless = not document.text.strip()
    places = _find_page_places(document.locations, len(document.text))
    wanted = document.pictured if vision is Vision.AUTO or wordless else sorted({*places, *document.pictured})
    shown = wanted[:MAX_PICTURES]
    try:
        found = picture_pages(path, document.name, frozenset(shown), FOR_MODELS) if shown else ()
    except DocumentError:
        if wordless:
            raise
        found = ()
    pictures = tuple(
        PageImage.from_jpeg(one.number, places.get(one.number, (0, 0)), (one.columns, one.rows), one.data)
        for one in found
        if one.data.startswith(_JPEG_HEAD) and one.columns > 0 and one.rows > 0
    )
    notes = [*document.notes, *_describe_pictures(pictures, 0 if wordless else len(wanted))]
    return replace(document, pictures=pictures, notes=tuple(notes))


def _find_page_places(places: Locations | None, length: int) -> dict[int, tuple[int, int]]:
    """Where the words of each page begin and end in the text, by its number."""
    if isinstance(places, AttachmentLocations):
        return _find_page_places(places.own_places, places.own_end)
    if not isinstance(places, WordBoxes):
        return {}
    starts = [places.starts[word] if word < len(places.starts) else length for word in places.pages]
    return {n: (start, end) for n, (start, end) in enumerate(zip(starts, [*starts[1:], length], strict=True), 1)}


def _describe_pictures(pictures: Sequence[PageImage], wanted: int) -> list[str]:
    """What a person should know of them."""
    if not pictures:
        return []
    runs = [
        [n for _, n in run] for _, run in groupby(enumerate(p.page for p in pictures), lambda pair: pair[1] - pair[0])
    ]
    named = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
    pages = f"page {named}" if len(pictures) == 1 else f"pages {named}"
    said = [f"Sent along as pictures, as far as the model takes them: {pages}."]
    if wanted > len(pictures):
        said.append(f"{wanted - len(pictures)} more pages could have been; they were sent as text alone.")
    return said
