"""Books (EPUB): what the package says of itself, then the chapters in the order in which they are read.

Each chapter is a web page, and read as one, with the style sheets that it names.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from extractor.documents.formats import EPUB_FORMAT
from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.builder import DocumentBuilder
from extractor.documents.formats.enclosed_pictures import MAX_PICTURES, Picture, enclose_pictures
from extractor.documents.formats.html import read_page
from extractor.documents.formats.io import open_regular
from extractor.documents.formats.package_xml import Element, parse_package_xml, read_part
from extractor.documents.formats.xml import decode_xml
from extractor.documents.formats.zip_guard import check_archive, open_archive
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

SHOWN_METADATA = ("title", "creator", "publisher", "date", "identifier", "language")
_CONTAINER, _OPF = "{urn:oasis:names:tc:opendocument:xmlns:container}", "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
MAX_CHAPTERS = 5_000
MAX_STYLES = 500_000
"""Letters of the style sheets of one chapter that are read."""
_INSTRUCTION = re.compile(r"<\?[^>]*\?>")
"""What a page of XML says to programs; to a reader of HTML it would be words."""
_EMPTY = re.compile(r"<([a-zA-Z][\w:.-]*)((?:\s[^<>]*)?)/>")
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905 (as prose)
_STYLE_LINK = re.compile(r"<link\s[^<>]*>", re.I)
_HREF = re.compile(r"href\s*=\s*[\"']([^\"'<>]+)", re.I)


def load(path: Path, name: str, ocr: bool) -> Document:
    check_archive(path, name, EPUB_FORMAT.max_bytes)
    with open_regular(path, EPUB_FORMAT.max_bytes) as file, open_archive(file) as archive:
        package, folder = _find_package(archive, name)
        chapters = list(_list_chapters(package, folder))
        draft = DocumentBuilder(PieceLabels(("part",), {"part": ["metadata", *chapters]}))
        _write_metadata(package, draft)
        locked = read_part(archive, "META-INF/encryption.xml", name) or b""
        loader, pictures = "", list[Picture]()
        for number, chapter in enumerate(chapters[:MAX_CHAPTERS], 2):
            if posixpath.basename(chapter).encode() in locked:
                raise DocumentError(f"{name} is locked (DRM); give a copy without it.", reason="encrypted")
            loader = _write_chapter(archive, chapter, number, draft, name, pictures) or loader
        document = enclose_pictures(draft.build_document(name, loader), pictures, wanted=ocr)
        if not loader and not isinstance(document, MailDocument):
            raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
        return document


def _find_package(archive: zipfile.ZipFile, name: str) -> tuple[Element, str]:
    """The list of what the book is made of, and the folder that its names are seen from (EPUB 3.3, 4.2.6.3.1)."""
    container = read_part(archive, "META-INF/container.xml", name)
    if container is not None:
        root = parse_package_xml(container, name).find(f".//{_CONTAINER}rootfile")
        where = root.get("full-path", "") if root is not None else ""
        if (data := read_part(archive, where, name)) is not None:
            return parse_package_xml(data, name), posixpath.dirname(where)
    raise DocumentError(f"{name} is no book: it has no list of its chapters.", reason="broken")


def _list_chapters(package: Element, folder: str) -> Iterator[str]:
    """The names of the chapters in the archive, in reading order."""
    items = {item.get("id"): item for item in package.iter(f"{_OPF}item")}
    for reference in package.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and item.get("media-type") in _PAGES:
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))


def _write_metadata(package: Element, draft: DocumentBuilder) -> None:
    for key in SHOWN_METADATA:
        for element in package.iter(f"{_DC}{key}"):
            words = " ".join((element.text or "").split())
            if words:
                draft.add_text(("\n" if draft.length else "") + f"{key.capitalize()}: ")
                draft.add_words(words, (1,))


def _write_chapter(
    archive: zipfile.ZipFile, chapter: str, number: int, draft: DocumentBuilder, name: str, pictures: list[Picture]
) -> str:
    """Writes a chapter, and adds its pictures to those of the book; what read it, or nothing for one without words."""
    data = read_part(archive, chapter, name)
    if data is None:
        draft.unread.append(UnreadPart(chapter, "missing", f"The chapter {chapter} of {name} is not in it."))
        return ""
    source = _INSTRUCTION.sub("", decode_xml(data, name))
    source = _EMPTY.sub(lambda m: m[0] if m[1].lower() in _VOID else f"<{m[1]}{m[2]}></{m[1]}>", source)
    folder = posixpath.dirname(chapter)
    read = read_page(_inline_styles(archive, source, folder, name), name)
    page = read.document
    for shown in read.pictures if len(pictures) < MAX_PICTURES else ():
        where = posixpath.normpath(posixpath.join(folder, unquote(shown)))
        if (image := read_part(archive, where, name)) is not None:
            pictures.append((posixpath.basename(where), image))
    draft.unread += [UnreadPart(f"{chapter}: {u.part}", u.reason, u.message) for u in page.unread]
    if not page.text.strip():
        return ""
    draft.end_paragraph()
    by = draft.length
    draft.add_words(page.text, (number,))
    draft.hidden += [span.shift(by) for span in page.hidden]
    draft.doubtful += [span.shift(by) for span in page.doubtful]
    draft.tables += [table.shift(by) for table in page.tables]
    return page.loader


def _inline_styles(archive: zipfile.ZipFile, source: str, folder: str, name: str) -> str:
    """The page with the style sheets that it names in it, as they say what is hidden."""
    sheets, size = [], 0
    for link in _STYLE_LINK.finditer(source):
        target = _HREF.search(link[0])
        if target is None or "stylesheet" not in link[0].lower():
            continue
        data = read_part(archive, posixpath.normpath(posixpath.join(folder, unquote(target[1]))), name)
        text = (data or b"").decode("utf-8", "replace").replace("</", "")
        size += len(text)
        if size <= MAX_STYLES:
            sheets.append(text)
    if not sheets:
        return source
    return re.sub(r"</head>", lambda m: f"<style>{' '.join(sheets)}</style></head>", source, count=1, flags=re.I)
