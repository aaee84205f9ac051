"""Outlook messages (.msg): the same as a mail, out of another package.

The properties of a message (MS-OXMSG, MS-OXPROPS) become the mail that they once were, which `mail` then reads: header
lines, the richest body, attachments each by its own format. olefile opens the package.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import compressed_rtf
import olefile

from extractor.documents.formats import OUTLOOK_FORMAT
from extractor.documents.formats.io import open_regular
from extractor.documents.formats.mail import read_message
from extractor.documents.formats.rtf import parse_rtf
from extractor.errors import DocumentError
from extractor.types import Document, Span

MAX_DEPTH = 4
"""Messages in messages that are taken out."""
MAX_ATTACHMENTS = 10_000
_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009
_SENDERS = ((0x5D02, 0x0042), (0x5D01, 0x0C1A), (0x0065, 0x0042), (0x0C1F, 0x0C1A))
"""Addresses of the sender with the names that go with them; SMTP ones first, since others may be an office's own."""
_SENT, _DELIVERED, _CREATED = 0x0039, 0x0E06, 0x3007
_RECIPIENT_KIND, _NAME, _ADDRESS, _SMTP = 0x0C15, 0x3001, 0x3003, 0x39FE
_LONG_FILENAME, _FILENAME, _MEDIA_TYPE, _DATA, _CONTENT_ID = 0x3707, 0x3704, 0x370E, 0x3701, 0x3712
_INTERNET_CODE_PAGE, _CODE_PAGE = 0x3FDE, 0x3FFD
_TEXT, _NARROW, _BINARY, _OBJECT, _TIME, _INTEGER = 0x001F, 0x001E, 0x0102, 0x000D, 0x0040, 0x0003
_PYTHON_CODECS = {65001: "utf-8", 28591: "cp1252", 20127: "cp1252", 28605: "iso8859-15", 50220: "iso2022_jp"}
_HEADER_LIMIT = 2_000
"""Letters of one header line that are kept."""


def load(path: Path, name: str, ocr: bool) -> Document:
    with open_regular(path, OUTLOOK_FORMAT.max_bytes) as file:
        if not olefile.isOleFile(file):
            raise DocumentError(f"{name} is no Outlook message; open it elsewhere and save it anew.", reason="broken")
        file.seek(0)
        with olefile.OleFileIO(file) as package:
            if not package.exists("__properties_version1.0"):
                raise DocumentError(
                    f"{name} is an Office file, but no Outlook message; save it in a newer format.", reason="broken"
                )
            inside: dict[tuple[str, ...], dict[str, None]] = {}
            for entry in package.listdir():
                for depth in range(len(entry)):
                    inside.setdefault(tuple(entry[:depth]), {})[entry[depth]] = None
            return read_message(_MessageFolder(package, inside, ()).build_mail(0), name, ocr)


@dataclass(slots=True)
class _MessageFolder:
    """A message, a recipient or an attachment: a folder of the package, and its properties."""

    package: Any
    inside: Mapping[tuple[str, ...], Iterable[str]]
    """The names in each folder of the package."""
    path: tuple[str, ...]
    header_size: int = 32
    _streams: dict[tuple[int, int], str] = field(default_factory=dict)
    _fixed: dict[int, bytes] = field(default_factory=dict)
    _folders: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in self.inside.get(self.path, ()):
            if name.startswith("__substg1.0_") and len(name) >= 20:
                try:
                    self._streams[int(name[12:16], 16), int(name[16:20], 16)] = name
                except ValueError:
                    continue
            elif name.startswith(("__attach_version1.0_", "__recip_version1.0_")):
                self._folders.append(name)
        fixed = self._read_stream("__properties_version1.0")[self.header_size :]
        for at in range(0, len(fixed) - 15, 16):
            kind, number = struct.unpack_from("<HH", fixed, at)
            if kind in (_TIME, _INTEGER):
                self._fixed[number] = fixed[at + 8 : at + 16]

    def _read_stream(self, name: str) -> bytes:
        where = [*self.path, name]
        if not self.package.exists(where) or self.package.get_type(where) != olefile.STGTY_STREAM:
            return b""
        with self.package.openstream(where) as stream:
            return bytes(stream.read())

    @property
    def codec(self) -> str:
        number = self.integer(_CODE_PAGE) or self.integer(_INTERNET_CODE_PAGE) or 1252
        return _PYTHON_CODECS.get(number, f"cp{number}")

    def integer(self, number: int) -> int:
        return int(struct.unpack_from("<i", self._fixed.get(number, bytes(8)))[0])

    def time(self, number: int) -> datetime | None:
        ticks = struct.unpack_from("<Q", self._fixed.get(number, bytes(8)))[0]
        try:
            return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10) if ticks else None
        except OverflowError:
            return None

    def text(self, number: int) -> str:
        """A property that is text; empty where there is none."""
        if (name := self._streams.get((number, _TEXT))) is not None:
            return self._read_stream(name).decode("utf-16-le", "replace").rstrip("\0")
        if (name := self._streams.get((number, _NARROW))) is not None:
            return _decode(self._read_stream(name), self.codec).rstrip("\0")
        return ""

    def data(self, number: int) -> bytes | None:
        name = self._streams.get((number, _BINARY))
        return self._read_stream(name) if name is not None else None

    def html(self) -> str:
        data = self.data(_HTML)
        if data is None:
            return self.text(_HTML)
        number = self.integer(_INTERNET_CODE_PAGE)
        return _decode(data, _PYTHON_CODECS.get(number, f"cp{number}") if number else "utf-8")

    def build_mail(self, depth: int) -> EmailMessage:
        """The mail that the message was."""
        mail = EmailMessage(policy=_POLICY)
        self._add_headers(mail)
        html, plain = self.html(), self.text(_BODY)
        if not html.strip() and not plain.strip():
            plain = self._read_rich_text()
        is_page = bool(html.strip()) and not plain.strip()
        mail.set_content(html if is_page else plain, subtype="html" if is_page else "plain")
        if plain.strip() and html.strip():
            mail.add_alternative(html, subtype="html")
        for name in [n for n in self._folders if n.startswith("__attach")][:MAX_ATTACHMENTS]:
            _MessageFolder(self.package, self.inside, (*self.path, name), 8).attach_to(mail, html, depth)
        return mail

    def _add_headers(self, mail: EmailMessage) -> None:
        found = ((self.text(address), self.text(called)) for address, called in _SENDERS)
        sender = next(((a, n) for a, n in found if "@" in a), ("", self.text(0x0042) or self.text(0x0C1A)))
        recipients: dict[int, list[str]] = {}
        for name in self._folders:
            if name.startswith("__recip"):
                one = _MessageFolder(self.package, self.inside, (*self.path, name), 8)
                address = one.text(_SMTP) or one.text(_ADDRESS)
                recipients.setdefault(one.integer(_RECIPIENT_KIND), []).append(_spell_person(one.text(_NAME), address))
        when = self.time(_SENT) or self.time(_DELIVERED) or self.time(_CREATED)
        for header, value in (
            ("From", _spell_person(sender[1], sender[0])),
            ("To", ", ".join(recipients.get(1, [])) or self.text(0x0E04)),
            ("Cc", ", ".join(recipients.get(2, [])) or self.text(0x0E03)),
            ("Date", format_datetime(when) if when else ""),
            ("Subject", self.text(_SUBJECT)),
        ):
            line = " ".join(value.encode("utf-8", "replace").decode().split())[:_HEADER_LIMIT]
            if line:
                mail[header] = line

    def _read_rich_text(self) -> str:
        """The words of a body that is given as RTF alone."""
        packed = self.data(_RTF)
        if not packed:
            return ""
        source = compressed_rtf.decompress(packed).decode("latin-1")
        document = parse_rtf(source, "body")
        return document.shown_text(Span(0, len(document.text))) if document.text else ""

    def attach_to(self, mail: EmailMessage, html: str, depth: int) -> None:
        """Adds this folder, an attachment, to the mail."""
        if self.package.exists([*self.path, _EMBEDDED]) and depth < MAX_DEPTH:
            inner = _MessageFolder(self.package, self.inside, (*self.path, _EMBEDDED), 24)
            mail.add_attachment(inner.build_mail(depth + 1))
            return
        data = self.data(_DATA)
        name = self.text(_LONG_FILENAME) or self.text(_FILENAME) or self.text(_NAME) or "attachment"
        kind, _, subkind = (self.text(_MEDIA_TYPE) or "application/octet-stream").partition("/")
        if not (kind.isalnum() and subkind and kind not in ("multipart", "message")):
            kind, subkind = "application", "octet-stream"
        content_id = "".join(self.text(_CONTENT_ID).split()).strip("<>")
        is_inline = bool(content_id) and f"cid:{content_id}" in html
        mail.add_attachment(
            data or b"",
            kind,
            subkind.split(";")[0].strip() or "octet-stream",
            filename=" ".join(name.split()),
            disposition="inline" if is_inline else "attachment",
            cid=f"<{content_id}>" if content_id.isascii() and content_id else None,
        )


def _build_policy() -> Any:
    """A policy whose address lines are text: what stands in a message may be no address."""
    registry = HeaderRegistry()
    for name in ("from", "to", "cc", "date"):
        registry.registry.pop(name, None)
    return default.clone(header_factory=registry)


_POLICY = _build_policy()
_EMBEDDED = f"__substg1.0_{_DATA:04X}{_OBJECT:04X}"


def _spell_person(name: str, address: str) -> str:
    if "@" not in address:
        return name
    return f"{name} <{address}>" if name and name != address else address


def _decode(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")
