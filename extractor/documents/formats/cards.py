"""Business cards and calendars (.vcf, .ics): a line for each property, under a name that people know.

Both are lines of content (RFC 6350, 3.3; RFC 5545, 3.1): folded where they are long, with commas and line ends escaped.
Values are as the file spells them; so are the names of properties that are not listed here.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from pathlib import Path

from extractor.documents.formats import CARD_FORMAT
from extractor.documents.formats.builder import DocumentBuilder
from extractor.documents.formats.io import decode_text, read_file_bytes, require_text
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

_LINE = re.compile(r"(?:[\w-]{1,60}\.)?([\w-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.S)
_PARAMETER = re.compile(r";([\w-]+)(?:=(\"[^\"]*\"|[^;]*))?")
_FOLD = re.compile(r"\r?\n[ \t]")
_SOFT_BREAK = re.compile(r"=\r?\n")
_ESCAPE = re.compile(r"\\(.)", re.S)
_NAMES = {
    "FN": "Name",
    "N": "Family and given names",
    "NICKNAME": "Nickname",
    "BDAY": "Birthday",
    "TEL": "Telephone",
    "EMAIL": "E-mail",
    "ADR": "Address",
    "LABEL": "Address",
    "ORG": "Organization",
    "TITLE": "Title",
    "ROLE": "Role",
    "URL": "Web",
    "NOTE": "Note",
    "CATEGORIES": "Categories",
    "LANG": "Language",
    "TZ": "Time zone",
    "SUMMARY": "Subject",
    "DESCRIPTION": "Description",
    "LOCATION": "Location",
    "DTSTART": "Start",
    "DTEND": "End",
    "DUE": "Due",
    "DURATION": "Duration",
    "ORGANIZER": "Organizer",
    "ATTENDEE": "Attendee",
    "STATUS": "Status",
    "RRULE": "Repeats",
    "UID": "Identifier",
    "PRIORITY": "Priority",
    "COMPLETED": "Completed",
    "COMMENT": "Comment",
    "METHOD": "Method",
    "X-WR-CALNAME": "Calendar",
    "CREATED": "Created",
    "CONTACT": "Contact",
}
_PARTS = {"VCARD": "Card", "VEVENT": "Event", "VTODO": "Task", "VJOURNAL": "Entry", "VFREEBUSY": "Free and busy"}
_SILENT = frozenset("VERSION PRODID CALSCALE DTSTAMP SEQUENCE TRANSP REV CLASS LAST-MODIFIED".split())  # noqa: SIM905 (as prose)
_PICTURES = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
"""What is no text, and no loss."""
_SILENT_PARTS = frozenset({"VTIMEZONE", "STANDARD", "DAYLIGHT", "VALARM"})
_PLACES = frozenset({"HOME", "WORK", "CELL", "FAX", "PREF", "VOICE", "POSTAL"})
"""Types of a card of version 2.1, which are given without the name of what they are."""
_SHOWN_PARAMETERS = ("TYPE", "CN", "TZID", "ROLE", "PARTSTAT")


_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(?:\d\d)?(Z?)")
"""A day and a time as calendars keep them, without signs between (RFC 5545, 3.3.5)."""


def load(path: Path, name: str, ocr: bool) -> Document:
    text = require_text(decode_text(read_file_bytes(path, CARD_FORMAT.max_bytes), name), name)
    draft = DocumentBuilder(PieceLabels(("line",)))
    inside: list[str] = []
    found = False
    for number, line in _unfold(text):
        read = _LINE.fullmatch(line)
        if read is None:
            continue
        key, parameters, value = read[1].upper(), read[2], read[3].strip()
        if key == "BEGIN":
            found = True
            inside.append(value.upper())
            if value.upper() in _PARTS:
                draft.end_paragraph()
                draft.add_text(f"# {_PARTS[value.upper()]}")
        elif key == "END":
            inside[-1:] = []
        elif inside and not _SILENT_PARTS.intersection(inside) and key not in _SILENT and value:
            _write_property(draft, number, key, parameters, value)
    if not found:
        raise DocumentError(f"{name} is no card and no calendar: nothing begins in it.", reason="broken")
    if inside:
        draft.unread.append(UnreadPart("rest of the file", "broken", f"{name} ends before its last part does."))
    document = draft.build_document(name, "cards")
    require_text(document.text, name)
    return document


def _unfold(text: str) -> Iterator[tuple[int, str]]:
    """Lines of content with the numbers of the lines that they begin on."""
    number = 1
    text = text.replace("\r\n", "\n")
    at = 0
    while at < len(text):
        end = _find_end(text, at)
        line = text[at:end]
        if line.strip():
            yield number, _FOLD.sub("", line)
        number += line.count("\n") + 1
        at = end + 1


def _find_end(text: str, at: int) -> int:
    """Where the line of content ends that begins there."""
    end = text.find("\n", at)
    head = text[at : end if end >= 0 else len(text)].partition(":")[0].upper()
    is_quoted = "QUOTED-PRINTABLE" in head
    while end >= 0 and (text[end + 1 : end + 2] in (" ", "\t") or (is_quoted and text[end - 1] == "=")):
        end = text.find("\n", end + 1)
    return end if end >= 0 else len(text)


def _write_property(draft: DocumentBuilder, number: int, key: str, parameters: str, value: str) -> None:
    told = {m[1].upper(): (m[2] or "").strip('"') for m in _PARAMETER.finditer(parameters)}
    if key in _PICTURES:
        return
    if key == "ATTACH" and ("ENCODING" in told or value.startswith("data:")):
        draft.unread.append(UnreadPart(key.lower(), "not read", f"The {key.lower()} in line {number} is not read."))
        return
    if told.get("ENCODING", "").upper() == "QUOTED-PRINTABLE" or "QUOTED-PRINTABLE" in told:
        raw = quopri.decodestring(_SOFT_BREAK.sub("", value).encode("utf-8", "replace"))
        try:
            value = raw.decode(told.get("CHARSET", "utf-8"), "replace")
        except LookupError:
            value = raw.decode("utf-8", "replace")
    if key in ("N", "ADR", "ORG"):
        value = ", ".join(filter(None, (part.strip() for part in re.split(r"(?<!\\);", value))))
    value = _ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)
    value = re.sub(r"^(?:mailto|tel):", "", value, flags=re.I)
    value = _MOMENT.sub(lambda m: f"{m[1]}-{m[2]}-{m[3]} {m[4]}:{m[5]}{' UTC' if m[6] else ''}", value)
    draft.add_text(("\n" if draft.length else "") + _NAMES.get(key, key) + ": ")
    draft.add_words(value, (number,))
    shown = [told[name] for name in _SHOWN_PARAMETERS if told.get(name)]
    shown += [name for name, value in told.items() if not value and name in _PLACES]
    if shown:
        draft.add_text(" (")
        for i, words in enumerate(shown):
            draft.add_text(", " if i else "")
            draft.add_words(words, (number,))
        draft.add_text(")")
