"""Web pages: the text that a browser shows, each run of it with its range in the source.

The tree is justhtml's, built as browsers build it, with the place of every text in the source. From there a text is
stepped through letter by letter, since the source may spell a letter `&eacute;`. What is seen of it is decided by the
page's style (`styles`), and written by `html_writer`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import webencodings
from justhtml import JustHTML

from extractor.documents.formats import HTML_FORMAT
from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.enclosed_pictures import Picture, enclose_pictures
from extractor.documents.formats.encodings import decode_bytes
from extractor.documents.formats.html_source import blank_odd_markup
from extractor.documents.formats.html_writer import MAX_FRAMES, PageWriter
from extractor.documents.formats.io import read_file_bytes, require_text
from extractor.documents.formats.styles.page import compute_looks
from extractor.types import Document, UnreadPart

_META = re.compile(
    rb"<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,60}?encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I
)
_UNFETCHED = (
    "Style sheets that the page links to were not fetched: what they hide is shown here, and white words on a ground "
    "that they may paint are doubtful."
)


def load(path: Path, name: str, ocr: bool) -> Document:
    data = read_file_bytes(path, HTML_FORMAT.max_bytes)
    decoded = decode_bytes(data, name, find_declared_encoding(data))
    page = read_page(decoded.text, name, is_xml=path.suffix.lower() == ".xhtml")
    document = enclose_pictures(page.document, _read_data_pictures(page.pictures), wanted=ocr)
    if not isinstance(document, MailDocument):
        require_text(document.text, name)
    return replace(document, notes=(decoded.note, *document.notes)) if decoded.note else document


def warm_up() -> None:
    """Reads a page, so that what is made with the first is made for all that this process, or a fork of it, reads."""
    parse_html("<!doctype html><style>p { color: red }</style><p>a <b>b</b><table><tr><td>c</table>", "")


class ReadPage(NamedTuple):
    """The document of a page, and the addresses of the pictures that it shows."""

    document: Document
    pictures: Sequence[str]


def parse_html(source: str, name: str) -> Document:
    """The document of a page's source."""
    return read_page(source, name).document


def read_page(source: str, name: str, *, is_xml: bool = False) -> ReadPage:
    """The document of a page's source, and which pictures it shows."""
    source = blank_odd_markup(source, is_xml=is_xml)
    page = JustHTML(source, track_node_locations=True, sanitize=False)
    looks = compute_looks(page.root)
    writer = PageWriter(source, looks)
    writer.write_tree(page.root)
    written, unread = writer.text, []
    if looks.incomplete_reason:
        message = (
            f"Not all of the page's style sheets is followed, as {looks.incomplete_reason}: "
            "what is hidden may be taken for shown."
        )
        unread.append(UnreadPart("style sheets", "too large", message))
    if writer.frames.is_over:
        message = f"Not all pages in frames of the page are read: more than {MAX_FRAMES}, or too deep in each other."
        unread.append(UnreadPart("frames", "too large", message))
    document = Document(
        name,
        "".join(written.pieces),
        tuple(written.hidden),
        tuple(written.tables),
        tuple(unread),
        written.places,
        f"justhtml {version('justhtml')}",
        (_UNFETCHED,) if looks.has_unfetched else (),
        tuple(written.doubtful),
    )
    return ReadPage(document, writer.pictures)


def _read_data_pictures(addresses: Iterable[str]) -> Iterator[Picture]:
    """The pictures that are in the page itself (RFC 2397)."""
    for number, address in enumerate(addresses, 1):
        head, _, data = address.partition(",")
        if head.lower().startswith("data:image/"):
            with suppress(ValueError):
                content = base64.b64decode(unquote(data)) if head.endswith(";base64") else unquote(data).encode()
                yield f"picture {number}.{head[11:].partition(';')[0].partition('+')[0].lower()}", content


def find_declared_encoding(data: bytes) -> str:
    """The encoding that a page says it is in, by the names that the web has for them (Encoding, 4.2); empty where it
    says none."""
    declared = _META.search(data[:4096])
    known = webencodings.lookup(declared[1].decode("ascii")) if declared else None
    return str(known.codec_info.name) if known else ""
