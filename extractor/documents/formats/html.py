"""Web pages: the text that a browser shows, each run of it with its range in the source.

The tree is justhtml's, built as browsers build it, with the place of every text in the source. From there a text is
stepped through letter by letter, since the source may spell a letter `&eacute;`. What is seen of it is decided by the
page's style (`styles`), and written by `html_writer`.
"""

from __future__ import annotations

import codecs
import re
from importlib.metadata import version
from pathlib import Path

from justhtml import JustHTML

from extractor.documents.formats import HTML_FORMAT
from extractor.documents.formats.html_writer import PageWriter
from extractor.documents.formats.io import decode_text, read_file_bytes, require_text
from extractor.documents.formats.styles.page import compute_looks
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I)


def load(path: Path, name: str, ocr: bool) -> Document:
    document = parse_html(_decode_html(read_file_bytes(path, HTML_FORMAT.max_bytes), name), name)
    require_text(document.text, name)
    return document


def warm_up() -> None:
    """Reads a page, so that what is made with the first is made for all that this process, or a fork of it, reads."""
    parse_html("<!doctype html><style>p { color: red }</style><p>a <b>b</b><table><tr><td>c</table>", "")


def parse_html(source: str, name: str) -> Document:
    """The document of a page's source."""
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
    return Document(
        name,
        "".join(written.pieces),
        tuple(written.hidden),
        tuple(written.tables),
        tuple(unread),
        written.places,
        f"justhtml {version('justhtml')}",
        doubtful=tuple(written.doubtful),
    )


def _decode_html(data: bytes, name: str) -> str:
    """The page's text by its mark, its own declaration, or as UTF-8 (HTML, 13.2.3.2, without guessing)."""
    declared = _META.search(data[:4096])
    if declared and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        label = declared[1].decode("ascii").lower()
        label = {"iso-8859-1": "windows-1252", "latin1": "windows-1252", "us-ascii": "windows-1252"}.get(label, label)
        if not label.startswith(("utf-8", "utf8", "utf-16")):
            try:
                return data.decode(label)
            except (LookupError, UnicodeDecodeError) as error:
                raise DocumentError(
                    f"{name} says it is in {label}, and is not; save it as UTF-8.", reason="encoding"
                ) from error
    return decode_text(data, name)
