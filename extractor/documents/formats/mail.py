"""E-mail: the header lines that people read, then the body, and the attachments as the files that they are."""

from __future__ import annotations

import email
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

from extractor.documents.formats import HTML_FORMAT, MAIL_FORMAT
from extractor.documents.formats.attachments import Attachment, MailDocument
from extractor.documents.formats.builder import DocumentBuilder
from extractor.documents.formats.io import printable_name, read_file_bytes
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import TextTable, UnreadPart

SHOWN_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def load(path: Path, name: str, ocr: bool) -> MailDocument:
    message = email.message_from_bytes(read_file_bytes(path, MAIL_FORMAT.max_bytes), policy=default)
    if not any(header in message for header in SHOWN_HEADERS):
        raise DocumentError(f"{name} is no e-mail: it has none of its header lines.", reason="broken")
    draft = DocumentBuilder(PieceLabels(("header", "body"), {"header": list(SHOWN_HEADERS)}))
    for number, header in enumerate(SHOWN_HEADERS, 1):
        header_values = [str(value).strip() for value in message.get_all(header, [])]
        for value in filter(None, header_values):
            draft.add_text("\n" if draft.length else "")
            draft.add_text(f"{header}: ")
            draft.add_words(value, (number, 0))
    loader = "email"
    body = cast(EmailMessage | None, message.get_body(("plain", "html")))
    if body is not None:
        loader = _write_body(body, draft, name) or loader
    enclosed = tuple(_read_attachment(part) for part in _find_attachments(message, body, False))
    if body is None and not enclosed:
        draft.unread.append(UnreadPart("body", "empty", "The message has no body that is text."))
    read = draft.build_document(name, loader)
    return MailDocument(
        read.name,
        read.text,
        read.hidden,
        read.tables,
        read.unread,
        read.locations,
        read.loader,
        read.notes,
        read.doubtful,
        enclosed,
    )


def _find_attachments(part: EmailMessage, body: EmailMessage | None, alternative: bool) -> Iterator[EmailMessage]:
    """The parts that are files, at any depth of this mail, but not of mails in it.

    Another form of the body is no file: it has no name, and stands among alternatives (RFC 2046, 5.1.4).
    """
    kind = part.get_content_type()
    if part is body:
        return
    if part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            yield from _find_attachments(
                cast(EmailMessage, inner), body, alternative or kind == "multipart/alternative"
            )
    elif not (alternative and kind in ("text/plain", "text/html") and not part.get_filename()):
        yield part


def _read_attachment(part: EmailMessage) -> Attachment:
    kind = part.get_content_type()
    if part.get_content_maintype() == "message" and part.is_multipart():
        data = cast(list[EmailMessage], part.get_payload())[0].as_bytes()
    else:
        data = cast(bytes | None, part.get_payload(decode=True)) or b""
    return Attachment.from_mail_part(printable_name(part.get_filename() or ""), kind, data)


def _write_body(body: EmailMessage, draft: DocumentBuilder, name: str) -> str:
    """Writes the body; what read it, where that is not this module."""
    try:
        text = str(body.get_content())
    except (LookupError, ValueError) as error:
        draft.unread.append(UnreadPart("body", "encoding", f"The body of the message cannot be decoded ({error})."))
        return ""
    if body.get_content_subtype() != "html":
        text = text.replace("\r\n", "\n").strip("\n")
        draft.end_paragraph()
        draft.add_words(text, (0, 1))
        return ""
    if missing := HTML_FORMAT.missing_extra():
        draft.unread.append(UnreadPart("body", "not read", f"The body of the message is a web page, and {missing}."))
        return ""
    from extractor.documents.formats.html import parse_html

    page = parse_html(text, name)
    draft.end_paragraph()
    by = draft.length
    draft.add_words(page.text, (0, 1))
    draft.hidden += [span.shift(by) for span in page.hidden]
    draft.tables += [TextTable(t.span.shift(by), t.header.shift(by) if t.header else None) for t in page.tables]
    return page.loader
