"""What a PDF holds beside its pages: files, such as the data of an invoice in XML, and the data of an XML form."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.attachments import MAX_ATTACHMENTS, Attachment
from extractor.types import UnreadPart

MAX_FILE_BYTES = 100_000_000
"""Of the files in one PDF together."""
MAX_FORM_BYTES = 10_000_000
"""Of a form's data."""
MAX_FORM_VALUES = 20_000


def read_files(pdf: pdfium.PdfDocument) -> tuple[list[Attachment], list[UnreadPart]]:
    """The files that the PDF encloses, and those that are too many, too large or broken."""
    count = pdf.count_attachments()
    found: list[Attachment] = []
    unread: list[UnreadPart] = []
    size = 0
    for number in range(min(count, MAX_ATTACHMENTS)):
        name = f"{number + 1}"
        try:
            enclosed = pdf.get_attachment(number)
            name = enclosed.get_name() or name
            data = bytes(enclosed.get_data())
        except pdfium.PdfiumError:
            unread.append(UnreadPart(f"attachment {name}", "broken", f"The attachment {name} cannot be unpacked."))
            continue
        size += len(data)
        if size > MAX_FILE_BYTES:
            message = f"The attachments from {name} on are not read; save them and give them by themselves."
            unread.append(UnreadPart("attachments", "too large", message))
            return found, unread
        found.append(Attachment.from_mail_part(name, "", data))
    if count > MAX_ATTACHMENTS:
        message = (
            f"{count - MAX_ATTACHMENTS} of {count} attachments are not read; save them and give them by themselves."
        )
        unread.append(UnreadPart("attachments", "too costly", message))
    return found, unread


def read_form_data(pdf: pdfium.PdfDocument) -> Iterator[tuple[str, str]]:
    """Names and values of a form in XML (XFA 3.3, 4: datasets), whose pages need not show them."""
    data = _read_packet(pdf, b"datasets")
    if not data or re.search(rb"<!DOCTYPE|<!ENTITY", data, re.I):
        return
    try:
        root = ElementTree.fromstring(data.strip(b"\0 \r\n\t"))  # noqa: S314 (no entities, as there is no DOCTYPE)
    except ElementTree.ParseError:
        return
    values = next((element for element in root.iter() if _local_name(element) == "data"), None)
    if values is None:
        return
    for number, element in enumerate(values.iter()):
        if number > MAX_FORM_VALUES:
            return
        text = " ".join((element.text or "").split())
        if text and len(element) == 0:
            yield _local_name(element), text


def _local_name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _read_packet(pdf: pdfium.PdfDocument, wanted: bytes) -> bytes:
    for i in range(max(0, raw.FPDF_GetXFAPacketCount(pdf.raw))):
        name = ctypes.create_string_buffer(200)
        raw.FPDF_GetXFAPacketName(pdf.raw, i, name, len(name))
        if name.value == wanted:
            length: Any = ctypes.c_ulong()
            raw.FPDF_GetXFAPacketContent(pdf.raw, i, None, 0, length)
            if 0 < length.value <= MAX_FORM_BYTES:
                content = ctypes.create_string_buffer(length.value)
                raw.FPDF_GetXFAPacketContent(pdf.raw, i, content, length.value, length)
                return bytes(content.raw)
    return b""
