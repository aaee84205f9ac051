"""Small OpenDocument files and books, written by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache

_SPACES = {
    **{
        n: f"urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"
        for n in ("office", "style", "text", "table", "presentation")
    },
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "form": "urn:oasis:names:tc:opendocument:xmlns:form:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "chart": "urn:oasis:names:tc:opendocument:xmlns:chart:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
SPACES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _SPACES.items())


def pack(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@cache
def bomb(name: str, megabytes: int) -> bytes:
    """An archive of one member, which is so many MB of spaces."""
    return pack({name: b" " * (megabytes * 1_000_000)})


def odf(kind: str, body: str, styles: str = "", masters: str = "", more: Mapping[str, str] | None = None) -> bytes:
    """A packed OpenDocument file: `kind` is text, spreadsheet or presentation, and `body` what stands in it."""
    content = f"<office:automatic-styles>{styles}</office:automatic-styles>"
    content += f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return pack(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {SPACES}>{content}</office:document-content>",
            "styles.xml": f"<office:document-styles {SPACES}>{masters}</office:document-styles>",
            **(more or {}),
        }
    )


def flat_odf(kind: str, body: str) -> bytes:
    """The same as one file of XML."""
    inner = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return f'<?xml version="1.0"?><office:document {SPACES}>{inner}</office:document>'.encode()


def table(*rows: list[str], header: bool = False) -> str:
    """A table of ODF; cells are XML."""
    lines = ["".join(f"<table:table-cell>{c}</table:table-cell>" for c in row) for row in rows]
    lines = [f"<table:table-row>{line}</table:table-row>" for line in lines]
    if header:
        lines[0] = f"<table:table-header-rows>{lines[0]}</table:table-header-rows>"
    return f'<table:table table:name="T">{"".join(lines)}</table:table>'


def p(words: str) -> str:
    return f"<text:p>{words}</text:p>"


def epub(
    chapters: Mapping[str, str], *, order: list[str] | None = None, more: Mapping[str, str] | None = None
) -> bytes:
    """A book of these pages, in the order of their names, or in one that is given."""
    items = "".join(f'<item id="{n}" href="{n}" media-type="application/xhtml+xml"/>' for n in chapters)
    spine = "".join(f'<itemref idref="{n}"/>' for n in order or chapters)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>Of looms</dc:title><dc:creator>Ada King</dc:creator></metadata><manifest>{items}</manifest>"
        f"<spine>{spine}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="book/package.opf"/></rootfiles></container>'
    )
    pages = {f"book/{name}": page for name, page in chapters.items()}
    return pack(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "book/package.opf": package,
            **pages,
            **(more or {}),
        }
    )
