"""Word files for tests: any body, and parts beside those of python-docx's own template."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml

NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
        "v": "urn:schemas-microsoft-com:vml",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    }.items()
)


def element(xml: str) -> Any:
    """An element of that XML, whose prefixes need no declaration."""
    end = min(i for i in (xml.find(">"), xml.find("/>"), xml.find(" ")) if i > 0)
    return parse_xml(f"{xml[:end]} {NAMESPACES}{xml[end:]}")


def run(text: str, looks: str = "") -> str:
    """A run of words with looks of its own."""
    return f'<w:r><w:rPr>{looks}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*runs: str, properties: str = "") -> str:
    """A paragraph of runs."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def write(
    *blocks: str,
    styles: tuple[str, ...] = (),
    parts: dict[str, str] | None = None,
    links: tuple[str, ...] = (),
    change: Callable[[Any], None] | None = None,
) -> bytes:
    """A file of these blocks. `parts` are other parts by name, `links` addresses that get the keys link1, link2, …"""
    file = docx.Document()
    for xml in styles:
        file.styles.element.append(element(xml))
    for name, xml in (parts or {}).items():
        kind = {"footnotes": RELATIONSHIP_TYPE.FOOTNOTES, "endnotes": RELATIONSHIP_TYPE.ENDNOTES}.get(
            name, RELATIONSHIP_TYPE.COMMENTS
        )
        content = f"application/vnd.openxmlformats-officedocument.wordprocessingml.{name}+xml"
        blob = f"<?xml version='1.0'?>{xml.replace('>', f' {NAMESPACES}>', 1)}".encode()
        part = Part(PackURI(f"/word/{name}.xml"), content, blob, file.part.package)
        if name == "numbering":
            file.part.numbering_part._element = element(xml)
            continue
        file.part.relate_to(part, kind)
    for number, address in enumerate(links, 1):
        file.part.rels._target_parts_by_rId  # noqa: B018 (made at the first look)
        file.part.rels.add_relationship(RELATIONSHIP_TYPE.HYPERLINK, address, f"link{number}", is_external=True)
    for xml in blocks:
        file.element.body.insert(len(file.element.body) - 1, element(xml))
    if change is not None:
        change(file)
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()
