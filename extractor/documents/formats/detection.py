"""What a file holds, by its bytes: a suffix is its owner's claim, and owners are wrong about it.

A signature of a binary format counts more than any suffix. That of a text format (a web page, RTF, a mail) counts where
the suffix claims a binary format, or claims none: whoever writes HTML into a .txt wants to read the source.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import BinaryIO

from extractor.documents.formats import (
    CARD_FORMAT,
    CONTAINER_SUFFIXES,
    CSV_FORMAT,
    FORMATS_BY_SUFFIX,
    HTML_FORMAT,
    JSON_FORMAT,
    MAIL_FORMAT,
    MARKDOWN_FORMAT,
    SPREADSHEET_FORMAT,
    TEXT_FORMAT,
    XML_FORMAT,
    Format,
)
from extractor.documents.formats.io import open_regular
from extractor.documents.formats.zip_guard import open_archive
from extractor.errors import DocumentError

HEAD_BYTES = 8192
"""Bytes at a file's beginning in which a signature is looked for."""
_OLE_BYTES = 64_000_000
"""Bytes of an old Office file in which the names of its streams are looked for."""
_LARGEST = 1 << 62

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", ".pdf"),
    (0, b"{\\rtf", ".rtf"),
    (0, b"\x89PNG\r\n\x1a\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"II*\0", ".tiff"),
    (0, b"MM\0*", ".tiff"),
    (0, b"GIF8", ".gif"),
    (0, b"BM", ".bmp"),
    (8, b"WEBP", ".webp"),
    (4, b"ftypheic", ".heic"),
    (4, b"ftypheix", ".heic"),
    (4, b"ftypmif1", ".heic"),
    (0, b"Rar!\x1a\x07", ".rar"),
    (0, b"7z\xbc\xaf\x27\x1c", ".7z"),
    (0, b"\x1f\x8b\x08", ".gz"),
    (0, b"BZh", ".bz2"),
    (257, b"ustar", ".tar"),
    (0, b"MZ", ".exe"),
    (0, b"\x7fELF", ".elf"),
    (0, b"SQLite format 3\0", ".sqlite"),
)
"""Offset, bytes there, and the usual suffix of such files."""
_TEXT_SUFFIXES = frozenset({".html", ".xml", ".fodt", ".eml", ".mbox", ".ics", ".vcf", ".json", ".txt"})
_LOOSE_FORMATS = (
    *(TEXT_FORMAT, MARKDOWN_FORMAT, CSV_FORMAT, HTML_FORMAT, XML_FORMAT),
    *(JSON_FORMAT, CARD_FORMAT, MAIL_FORMAT),
)
"""Formats without a signature of their own, of which text with another look may well be."""
ENCRYPTED = "encrypted"
"""In place of a suffix: an Office file with a password, of whatever kind."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = {
    "EncryptedPackage": ENCRYPTED,
    "__properties_version1.0": ".msg",
    "WordDocument": ".doc",
    "PowerPoint Document": ".ppt",
    "Workbook": ".xls",
    "Book": ".xls",
}
"""Streams of a compound file, and what it is (MS-OFFCRYPTO 2.3.4, MS-OXMSG 2.4, MS-DOC, MS-PPT, MS-XLS 2.1)."""
_MEDIA_TYPES = {
    b"application/epub+zip": ".epub",
    b"application/vnd.oasis.opendocument.text": ".odt",
    b"application/vnd.oasis.opendocument.spreadsheet": ".ods",
    b"application/vnd.oasis.opendocument.presentation": ".odp",
}
_OFFICE_FOLDERS = {"word/": ".docx", "xl/": ".xlsx", "ppt/": ".pptx"}
_HTML = re.compile(r"(?:<\?xml[^>]*+>\s*+|<!--(?:[^-]|-(?!->))*+-->\s*+)*+(?:<!doctype\s+html|<html[\s>])", re.I)
"""Nothing of it is tried twice: comments that may end at any of many places took twice as long with each of them."""
_FLAT_ODF = re.compile(r"<office:document\b")
_HEADER = re.compile(r"(?:[!-9;-~]+:[^\n]*\n|[ \t]+\S[^\n]*\n)+")
_MAIL_HEADERS = re.compile(r"^(?:Received|Return-Path|Message-ID|From|Delivered-To|MIME-Version):", re.I | re.M)
_BEGINNINGS = {"begin:vcalendar": ".ics", "begin:vcard": ".vcf"}


def choose_format(path: Path, suffix: str, name: str) -> Format:
    """How the file is read: by its content where that is certain, else by the suffix, else as text.

    Raises DocumentError for a file whose content is known and not read, and where it cannot be looked at.
    """
    claimed, found = FORMATS_BY_SUFFIX.get(suffix), recognise_content(path)
    read = FORMATS_BY_SUFFIX.get(found)
    if claimed is None and found in CONTAINER_SUFFIXES:
        raise DocumentError(f"{name} holds several documents; write it to a file and name that.", reason="not read")
    if claimed is not None and (not found or found in CONTAINER_SUFFIXES or read is claimed or found == ENCRYPTED):
        return claimed
    if claimed in _LOOSE_FORMATS and found in _TEXT_SUFFIXES:
        return claimed or TEXT_FORMAT
    if found == ".txt":
        return CSV_FORMAT if claimed is SPREADSHEET_FORMAT else TEXT_FORMAT
    if read is None and found:
        raise DocumentError(f"{name} is {describe_kind(found)}, which is not read.", reason="not read")
    return read or TEXT_FORMAT


def recognise_content(path: Path) -> str:
    """The usual suffix of what the file holds: ".txt" for text of no other kind, empty for what is not known.

    Raises DocumentError for what is no regular file, or can't be opened.
    """
    with open_regular(path, _LARGEST) as file:
        try:
            head = file.read(HEAD_BYTES)
            if head.startswith(b"PK\x03\x04"):
                return _recognise_archive(file, head)
            if head.startswith(_OLE):
                return _recognise_compound_file(head + file.read(_OLE_BYTES))
        except OSError as error:
            raise DocumentError(f"{path.name} cannot be read ({error.strerror}); check its disk.") from error
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for offset, signature, suffix in _SIGNATURES:
        if (head if offset else start)[offset:].startswith(signature):
            return suffix
    return _recognise_text(head)


def describe_kind(suffix: str) -> str:
    """What a file of that kind is called, for people."""
    return _DESCRIPTIONS.get(suffix, f"a {suffix.lstrip('.').upper()} file")


_DESCRIPTIONS = {
    ".doc": "a Word file of the old format (save it as .docx)",
    ".ppt": "a PowerPoint file of the old format (save it as .pptx)",
    ".rar": "a RAR archive (unpack it)",
    ".7z": "a 7z archive (unpack it)",
    ".gz": "a gzip archive (unpack it)",
    ".bz2": "a bzip2 archive (unpack it)",
    ".tar": "a tar archive",
    ".zip": "a zip archive",
    ".exe": "a program",
    ".elf": "a program",
    ENCRYPTED: "encrypted (save a copy without its password)",
}


def _recognise_archive(file: BinaryIO, head: bytes) -> str:
    try:
        with open_archive(file) as archive:
            names = archive.namelist()
            media = archive.open("mimetype").read(100).strip() if "mimetype" in names else b""
    except (DocumentError, zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, RuntimeError):
        names = [folder for folder in _OFFICE_FOLDERS if folder.encode() in head]
        media = next((known for known in _MEDIA_TYPES if known in head), b"")
    if media in _MEDIA_TYPES:
        return _MEDIA_TYPES[media]
    for folder, suffix in _OFFICE_FOLDERS.items():
        if any(name.startswith(folder) for name in names) and (len(names) < 4 or "[Content_Types].xml" in names):
            return suffix
    return ".zip"


def _recognise_compound_file(data: bytes) -> str:
    return next((kind for stream, kind in _OLE_STREAMS.items() if stream.encode("utf-16-le") in data), "")


def _recognise_text(head: bytes) -> str:
    text = _decode_head(head)
    if text is None:
        return ""
    text = text.lstrip("\ufeff \t\r\n").replace("\r\n", "\n")
    if _HTML.match(text):
        return ".html"
    if text.startswith("<?xml"):
        return ".fodt" if _FLAT_ODF.search(text) else ".xml"
    for beginning, suffix in _BEGINNINGS.items():
        if text[: len(beginning)].lower() == beginning:
            return suffix
    if text.startswith("From ") and _is_mail(text.partition("\n")[2]):
        return ".mbox"
    if _is_mail(text):
        return ".eml"
    return ".json" if re.match(r'\{\s*(?:"|\})|\[\s*[\[{]', text) else ".txt"


def _is_mail(text: str) -> bool:
    """Whether the text begins with header lines of which two are those of a mail (RFC 5322, 2.2)."""
    header = _HEADER.match(text)
    return header is not None and len({m[0].lower() for m in _MAIL_HEADERS.finditer(header[0])}) > 1


def _decode_head(head: bytes) -> str | None:
    """The beginning as text; None where it is none. A letter that is cut at the end is left out."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) & ~1].decode("utf-16", "ignore")
    if b"\0" in head or sum(byte < 9 or 13 < byte < 27 for byte in head) * 50 > len(head):
        return None
    return head.decode("utf-8", "replace")
