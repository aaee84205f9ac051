"""E-mail: the header lines that people read, then the body, and the attachments as the files that they are."""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import email
from collections.abc import Mapping
from email.message import Message
from itertools import islice
from pathlib import Path
from typing import cast

from extractor.documents.formats import HTML_FORMAT, MAIL_FORMAT
from extractor.documents.formats.attachments import Attachment, MailDocument
from extractor.documents.formats.builder import DocumentBuilder
from extractor.documents.formats.enclosed_pictures import enclose_pictures
from extractor.documents.formats.encodings import decode_bytes
from extractor.documents.formats.io import printable_name, read_file_bytes
from extractor.documents.formats.mail_parts import MailParts, find_parts
from extractor.documents.formats.mail_text import (
    decode_header,
    enclose_styles,
    read_filename,
    read_payload,
    read_text,
    unwrap_body,
)
from extractor.documents.formats.tnef import PackedMail, read_packed_mail
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

SHOWN_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_PACKED = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_MOST_HEADERS = 200
"""Lines of one header that are read, such as those of receivers."""


def load(path: Path, name: str, ocr: bool) -> Document:
    data = read_file_bytes(path, MAIL_FORMAT.max_bytes).removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    return read_message(email.message_from_bytes(data), name, ocr)


def read_message(message: Message, name: str, ocr: bool) -> Document:
    """The document of a message, in the old form of Python's library: the new one takes a millisecond a header line.

    Raises DocumentError for what is none.
    """
    if not any(header in message for header in SHOWN_HEADERS):
        raise DocumentError(f"{name} is no e-mail: it has none of its header lines.", reason="broken")
    draft = DocumentBuilder(PieceLabels(("header", "body"), {"header": list(SHOWN_HEADERS)}))
    _write_headers(message, draft)
    parts = find_parts(message)
    enclosed, packed = _read_enclosed(parts, draft)
    loaders = [_write_body(body, draft, name, parts.styles) for body in parts.bodies]
    if not any(loaders) and packed is not None:
        loaders.append(_write_packed_body(packed, draft, name))
    if parts.encrypted:
        draft.unread.append(
            UnreadPart("body", "encrypted", "The message is encrypted; decrypt it in a mail program and save it anew.")
        )
    elif not any(loaders) and not enclosed and not any(part.reason for part in draft.unread):
        draft.unread.append(UnreadPart("body", "empty", "The message has no body that is text."))
    if parts.left_out:
        draft.unread.append(
            UnreadPart("parts", "too large", f"{parts.left_out} parts of the message are beyond those that are read.")
        )
    read = draft.build_document(name, ", ".join(dict.fromkeys(filter(None, loaders))) or "email")
    letter = MailDocument(
        read.name,
        read.text,
        read.hidden,
        read.tables,
        read.unread,
        read.locations,
        read.loader,
        read.notes,
        read.doubtful,
        attachments=enclosed,
    )
    shown = ((printable_name(read_filename(part)) or "picture", read_payload(part)) for part in parts.shown)
    return enclose_pictures(letter, shown, wanted=ocr)


def _write_headers(message: Message, draft: DocumentBuilder) -> None:
    for number, header in enumerate(SHOWN_HEADERS, 1):
        for value in _read_headers(message, header):
            draft.add_text("\n" if draft.length else "")
            draft.add_text(f"{header}: ")
            draft.add_words(value, (number, 0))


def _read_headers(message: Message, header: str) -> list[str]:
    values = (value for name, value in message.raw_items() if name.lower() == header.lower())
    return list(filter(None, map(decode_header, islice(values, _MOST_HEADERS))))


def _read_enclosed(parts: MailParts, draft: DocumentBuilder) -> tuple[tuple[Attachment, ...], PackedMail | None]:
    """The files that a mail encloses, those in a packed one by themselves, and the packed mail."""
    found: list[Attachment] = []
    packed: PackedMail | None = None
    for part in parts.enclosed:
        if part.get_content_type() in _PACKED or read_filename(part).lower() == "winmail.dat":
            try:
                packed = read_packed_mail(read_payload(part))
            except ValueError:
                draft.unread.append(
                    UnreadPart(
                        "winmail.dat", "broken", "The file winmail.dat, as Outlook packs attachments, is broken."
                    )
                )
                continue
            files = [file for file in packed.files if file.data]
            found += [Attachment.from_mail_part(printable_name(f.name), f.media.lower(), f.data) for f in files]
        else:
            found.append(_read_attachment(part, optional=id(part) in parts.optional))
    return tuple(found), packed


def _read_attachment(part: Message, *, optional: bool) -> Attachment:
    kind = part.get_content_type()
    payload = part.get_payload()
    if part.get_content_maintype() == "message" and isinstance(payload, list) and payload:
        inner = cast("list[Message]", payload)
        data = b"\n".join(_write_bytes(each) for each in inner)
        if str(part.get("Content-Transfer-Encoding") or "").strip().lower() == "base64":
            with contextlib.suppress(binascii.Error, ValueError):  # against RFC 2046, 5.2.1, but done
                data = base64.b64decode(data)
    else:
        data = read_payload(part)
    return Attachment.from_mail_part(printable_name(read_filename(part)), kind, data, optional=optional)


def _write_bytes(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except (ValueError, LookupError, AttributeError, TypeError):
        return str(message).encode("utf-8", "surrogateescape")


def _write_body(body: Message, draft: DocumentBuilder, name: str, styles: Mapping[str, Message]) -> str:
    """Writes a body; what read it, or nothing where it has no words."""
    try:
        decoded = read_text(body, name)
    except DocumentError as error:
        draft.unread.append(UnreadPart("body", error.reason, f"The body of the message cannot be read: {error}"))
        return ""
    if decoded.note:
        draft.notes.append(decoded.note)
    if body.get_content_subtype() == "html":
        return _write_page(enclose_styles(decoded.text, styles), draft, name)
    return _write_plain(unwrap_body(decoded.text, body), draft)


def _write_plain(text: str, draft: DocumentBuilder) -> str:
    text = text.strip("\n")
    if not text.strip():
        return ""
    draft.end_paragraph()
    draft.add_words(text, (0, 1))
    return "email"


def _write_packed_body(packed: PackedMail, draft: DocumentBuilder, name: str) -> str:
    if packed.html:
        return _write_page(decode_bytes(packed.html, name).text, draft, name)
    return _write_plain(decode_bytes(packed.plain, name).text.replace("\r\n", "\n"), draft) if packed.plain else ""


def _write_page(source: str, draft: DocumentBuilder, name: str) -> str:
    """Writes a body that is a web page."""
    if missing := HTML_FORMAT.missing_extra():
        draft.unread.append(UnreadPart("body", "not read", f"The body of the message is a web page, and {missing}."))
        return ""
    from extractor.documents.formats.html import parse_html

    page = parse_html(source, name)
    if not page.text.strip():
        return ""
    draft.end_paragraph()
    by = draft.length
    draft.add_words(page.text, (0, 1))
    draft.hidden += [span.shift(by) for span in page.hidden]
    draft.doubtful += [span.shift(by) for span in page.doubtful]
    draft.tables += [table.shift(by) for table in page.tables]
    draft.notes += page.notes
    draft.unread += page.unread
    return page.loader
