"""Pictures within documents of words: read by OCR as files that they enclose where that is wanted, else named.

A picture in a letter or on a slide may be a scan or a screenshot, whose words a person reads, or a logo. Those too
small to hold a sentence are passed over; one that OCR finds no words in is no loss.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import fields, replace

from extractor.documents.formats.attachments import Attachment, MailDocument, clean_attachment_name
from extractor.documents.formats.ocr import is_ocr_installed
from extractor.types import Document

MIN_PIXELS, MIN_SIDE = 40_000, 60
"""Of a picture that may hold a sentence: 400 by 100, and how wide and high it is at least."""
MAX_PICTURES = 50
"""Of one document, the first."""
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"II*\0", ".tiff"),
    (b"MM\0*", ".tiff"),
    (b"RIFF", ".webp"),
    (b"BM", ".bmp"),
)
"""How files of pictures begin, and what they are called."""
_DRAWINGS = (".emf", ".wmf", ".svg", ".emz", ".wmz")
"""Pictures of lines that no reader here can draw."""

Picture = tuple[str, bytes]
"""The name of a picture in its document, and its file."""


def enclose_pictures(document: Document, pictures: Iterable[Picture], *, wanted: bool) -> Document:
    """The document with those of its pictures that may hold words, to be read if OCR is `wanted`; else it says how many
    there are."""
    found: dict[bytes, Attachment] = {}
    drawings = 0
    for name, data in pictures:
        suffix = next((suffix for start, suffix in _KINDS if data.startswith(start)), "")
        drawings += name.lower().endswith(_DRAWINGS)
        if suffix and may_hold_words(data):
            named = clean_attachment_name(name) or f"picture{suffix}"
            found.setdefault(hashlib.sha256(data).digest(), Attachment(named, suffix, data, True, "Picture"))
    notes = []
    if drawings:
        notes.append(f"{_count(drawings, 'drawing')} in it (EMF, WMF, SVG): words in them are not read.")
    read = list(found.values()) if wanted and is_ocr_installed() else []
    if len(found) > len(read):
        notes.append(f"{_count(len(found), 'picture')} in it: words in them are read with --ocr alone.")
    elif len(read) > MAX_PICTURES:
        notes.append(f"Of {len(read)} pictures in it the first {MAX_PICTURES} are read.")
    told = replace(document, notes=(*document.notes, *notes)) if notes else document
    if not read:
        return told
    known = {field.name: getattr(told, field.name) for field in fields(told) if field.name != "attachments"}
    before = told.attachments if isinstance(told, MailDocument) else ()
    return MailDocument(**known, attachments=(*before, *read[:MAX_PICTURES]))


def may_hold_words(data: bytes) -> bool:
    """Whether a picture is large enough for a sentence, or of a kind that does not say at once."""
    size = _measure(data)
    return size is None or (size[0] * size[1] >= MIN_PIXELS and min(size) >= MIN_SIDE)


def _measure(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, as the file says at its beginning."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(b"GIF8") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    return _measure_jpeg(data) if data.startswith(b"\xff\xd8\xff") else None


def _measure_jpeg(data: bytes) -> tuple[int, int] | None:
    """By the header of its frame, behind others (ITU-T T.81, B.2)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + max(2, length)
    return None


def _count(number: int, what: str) -> str:
    return f"1 {what} is" if number == 1 else f"{number} {what}s are"
