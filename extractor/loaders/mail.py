"""E-mail: the header lines that people read, then the body; attachments are named as not read."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

from extractor import loaders
from extractor.domain import Document, Table, Unread
from extractor.errors import DocumentError
from extractor.loaders import files
from extractor.loaders.draft import Draft
from extractor.places import Labels

HEADERS = ("From", "To", "Cc", "Date", "Subject")


def load(path: Path, name: str, ocr: bool) -> Document:
    message = email.message_from_bytes(files.read(path, loaders.MAIL.largest), policy=default)
    if not any(header in message for header in HEADERS):
        raise DocumentError(f"{name} is no e-mail: it has none of its header lines.", reason="broken")
    draft = Draft(Labels(("header", "body"), {"header": list(HEADERS)}))
    for number, header in enumerate(HEADERS, 1):
        said = [str(value).strip() for value in message.get_all(header, [])]
        for value in filter(None, said):
            draft.put("\n" if draft.length else "")
            draft.put(f"{header}: ")
            draft.words(value, (number, 0))
    loader = "email"
    body = message.get_body(("plain", "html"))
    if body is not None:
        loader = _body(cast(EmailMessage, body), draft, name) or loader
    for part in message.iter_attachments() if message.is_multipart() else ():
        file = files.printable(part.get_filename() or part.get_content_type())
        draft.unread.append(
            Unread(
                f"attachment {file}", "not read", f"The attachment {file} is not read; save it and give it by itself."
            )
        )
    if body is None and not draft.unread:
        draft.unread.append(Unread("body", "empty", "The message has no body that is text."))
    return draft.document(name, loader)


def _body(body: EmailMessage, draft: Draft, name: str) -> str:
    """Writes the body; what read it, where that is not this module."""
    try:
        text = str(body.get_content())
    except (LookupError, ValueError) as error:
        draft.unread.append(Unread("body", "encoding", f"The body of the message cannot be decoded ({error})."))
        return ""
    if body.get_content_subtype() != "html":
        text = text.replace("\r\n", "\n").strip("\n")
        draft.part()
        draft.words(text, (0, 1))
        return ""
    if missing := loaders.HTML.missing():
        draft.unread.append(Unread("body", "not read", f"The body of the message is a web page, and {missing}."))
        return ""
    from extractor.loaders import html  # its library is an extra

    page = html.read(text, name)
    draft.part()
    by = draft.length
    draft.words(page.text, (0, 1))
    draft.hidden += [span.shift(by) for span in page.hidden]
    draft.tables += [Table(t.span.shift(by), t.header.shift(by) if t.header else None) for t in page.tables]
    return page.loader
