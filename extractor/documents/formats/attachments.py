"""Attachments of a mail: documents within a document, each read by its own format and written below the mail's text.

Each is read as if it had been given by itself, in a process of its own where its format wants one, so that a hostile
attachment costs itself and not the mail. What is not read is named.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor.documents.formats import FORMATS_BY_SUFFIX, MAIL_FORMAT, OUTLOOK_FORMAT
from extractor.documents.formats.answers import allow_answer
from extractor.documents.formats.sandbox import OCR_READ_SECONDS, READ_SECONDS, load_in_sandbox
from extractor.documents.locations import AttachmentLocations
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

MAX_ATTACHMENTS = 100
"""Attachments of one mail that are read, those of mails in it included."""
MAX_NAMED = 20
"""Attachments beyond them that are named; of the rest it is said how many they are."""
MAX_MAIL_DEPTH = 8
"""How many mails deep in the mail an attachment is read."""
ATTACHMENT_SECONDS = 120.0
"""Seconds for all of them together; what has not begun by then is not read. With OCR the bound is `sandbox`'s for one
file."""
MAX_ATTACHMENT_CHARACTERS = 20_000_000
"""Of text in all of them together."""
_LONGEST_NAME = 100

MEDIA_TYPE_SUFFIXES: Mapping[str, str] = {
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.ms-outlook": ".msg",
    "application/epub+zip": ".epub",
    "application/rtf": ".rtf",
    "text/rtf": ".rtf",
    "application/json": ".json",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "text/rfc822-headers": ".txt",
}
"""Media types, for attachments whose name does not tell their format, and the suffixes of such files."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file within a file. Its name and its type are the sender's claims."""

    name: str
    suffix: str
    """By which it is read; empty where none is known."""
    data: bytes
    optional: bool = False
    """Whether it came along by itself, as signatures and invitations do: it is no loss where it is not read."""
    word: str = "Attachment"
    """What the heading above its text calls it."""

    def is_no_loss(self, reason: str) -> bool:
        """Whether nothing is lost where it is not read, for that reason."""
        return self.optional or (reason == "empty" and not self.data.strip())

    @classmethod
    def from_mail_part(cls, name: str, media: str, data: bytes, *, optional: bool = False) -> Attachment:
        """An enclosure of that name, cleaned, in the format that its name tells, or else its media type."""
        name = clean_attachment_name(name)
        known = (
            suffix
            for suffix in (Path(name).suffix.lower(), MEDIA_TYPE_SUFFIXES.get(media, ""))
            if suffix in FORMATS_BY_SUFFIX
        )
        return cls(name or media, next(known, ""), data, optional)


@allow_answer
@dataclass(frozen=True, slots=True)
class MailDocument(Document):
    """A document and the files that it encloses, which are not in its text yet."""

    attachments: tuple[Attachment, ...] = ()


def clean_attachment_name(name: str) -> str:
    """A name on one line without signs that can't be seen, cut where it is long: its suffix stays."""
    printable = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return printable if len(printable) <= _LONGEST_NAME else f"{printable[: _LONGEST_NAME - 13]}…{printable[-12:]}"


def append_attachments(letter: MailDocument, ocr: bool) -> Document:
    """The mail's own text, then a heading and the text of each attachment. Raises DocumentError where none has any."""
    seconds = OCR_READ_SECONDS if ocr else ATTACHMENT_SECONDS
    whole = _AttachmentReader(ocr, seconds).read_mail(letter, 0)
    if not whole.text.strip():
        raise DocumentError(
            f"{letter.name} shows no words that can be read; there is nothing to extract.", reason="empty"
        )
    return whole


def _name_lost(lost: list[UnreadPart]) -> list[UnreadPart]:
    """Attachments that are not read, by name; of very many that there are more."""
    if len(lost) <= MAX_ATTACHMENTS + MAX_NAMED:
        return lost
    rest = len(lost) - MAX_NAMED
    message = f"{rest} more attachments are not read; save those that matter and give them by themselves."
    return [*lost[:MAX_NAMED], UnreadPart(f"{rest} more attachments", lost[-1].reason, message)]


class _AttachmentReader:
    def __init__(self, ocr: bool, seconds: float) -> None:
        self._ocr, self._seconds, self._deadline = ocr, seconds, time.monotonic() + seconds
        self._read_count = self._character_count = 0

    def read_mail(self, letter: MailDocument, depth: int) -> Document:
        text, hidden, tables = [letter.text], list(letter.hidden), list(letter.tables)
        unread, made = list(letter.unread), [letter.loader]
        notes, doubtful = list(letter.notes), list(letter.doubtful)
        lost: list[UnreadPart] = []
        places, length = AttachmentLocations(len(letter.text), letter.locations), len(letter.text)
        for enclosure in letter.attachments:
            try:
                document = self._read_attachment(enclosure, depth)
            except DocumentError as error:
                if not enclosure.is_no_loss(error.reason):
                    lost.append(UnreadPart(f"attachment {enclosure.name}", error.reason, str(error)))
                continue
            heading = f"# {enclosure.word}: {enclosure.name}\n\n"
            for piece in ("\n\n" if length else "", heading, document.text):
                text.append(piece)
                length += len(piece)
            by = length - len(document.text)
            places.add_attachment(by, length, enclosure.name, document.locations)
            hidden += [span.shift(by) for span in document.hidden]
            doubtful += [span.shift(by) for span in document.doubtful]
            tables += [table.shift(by) for table in document.tables]
            notes += [f"In the attachment {enclosure.name}: {note}" for note in document.notes]
            unread += [
                UnreadPart(
                    f"attachment {enclosure.name}: {u.part}",
                    u.reason,
                    f"In the attachment {enclosure.name}: {u.message}",
                )
                for u in document.unread
            ]
            made.append(document.loader)
        unread += _name_lost(lost)
        by_what = ", ".join(dict.fromkeys(filter(None, ", ".join(made).split(", "))))
        return Document(
            letter.name,
            "".join(text),
            tuple(hidden),
            tuple(tables),
            tuple(unread),
            places if letter.attachments else letter.locations,
            by_what,
            tuple(notes),
            tuple(doubtful),
            letter.pictured,
        )

    def _read_attachment(self, enclosure: Attachment, depth: int) -> Document:
        """Raises DocumentError for an enclosure that is not read, with the reason."""
        name = f"The attachment {enclosure.name}"
        kind = FORMATS_BY_SUFFIX.get(enclosure.suffix)
        if kind is None:
            raise DocumentError(f"{name} is of no kind that is read; save it and convert it.", reason="not read")
        if kind in (MAIL_FORMAT, OUTLOOK_FORMAT) and depth >= MAX_MAIL_DEPTH:
            raise DocumentError(
                f"{name} is a mail in an attached mail; save it and give it by itself.", reason="not read"
            )
        if missing := kind.missing_extra():
            raise DocumentError(f"{name} is not read: {missing}.", reason="not read")
        left = self._deadline - time.monotonic()
        if self._read_count >= MAX_ATTACHMENTS or left <= 0:
            over = (
                f"{MAX_ATTACHMENTS} attachments"
                if self._read_count >= MAX_ATTACHMENTS
                else f"{self._seconds:.0f} seconds"
            )
            raise DocumentError(
                f"{name} comes after {over} of one mail; save it and give it by itself.", reason="too costly"
            )
        if len(enclosure.data) > kind.max_bytes:
            raise DocumentError(
                f"{name} is {len(enclosure.data) / 1e6:.0f} MB; save it and split it into files of at most "
                f"{kind.max_bytes / 1e6:.0f} MB.",
                reason="too large",
            )
        self._read_count += 1
        with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
            path = Path(folder) / f"attachment{enclosure.suffix}"
            path.write_bytes(enclosure.data)
            if kind.sandboxed:
                bound = left if self._ocr else min(READ_SECONDS, left)
                document = load_in_sandbox(kind.module, path, name, self._ocr, bound)
            else:
                document = kind.load(path, name, self._ocr)
        if isinstance(document, MailDocument):
            return self.read_mail(document, depth + 1)  # its own attachments are counted by themselves
        self._character_count += len(document.text)
        if self._character_count > MAX_ATTACHMENT_CHARACTERS:
            raise DocumentError(
                f"{name} makes the mail longer than {MAX_ATTACHMENT_CHARACTERS / 1e6:.0f} million characters; "
                "save it and give it by itself.",
                reason="too large",
            )
        return document
