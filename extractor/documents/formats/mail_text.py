"""Texts of a mail: bytes in the encoding that they are in, whatever the mail says, and lines as they were before they
were broken for sending."""

from __future__ import annotations

import contextlib
import email.header
import html
import quopri
import re
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import cast

import webencodings

from extractor.documents.formats.encodings import DecodedText, decode_bytes

_LONGEST_HEADER = 100_000
"""Characters of a header line that are read."""
_STATEFUL = ("utf-7", "utf7", "hz", "iso-2022", "iso2022")
"""Encodings whose bytes look like ASCII: there what the mail says is all there is to go by."""
_WIDE = ("utf-16", "utf16", "utf-32", "utf32", "ucs-2")
_ESCAPED = re.compile(rb"=(?:[0-9A-F]{2})")
_SOFT_END = re.compile(rb"=\r?\n")
MAX_STYLES = 50
"""Style sheets of a page that are put into it."""
_LINK = re.compile(r"<link\b[^<>]{0,2000}>", re.I)
_ADDRESS_OF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_MEDIA = re.compile(r"""\bmedia\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+)""", re.I)
_QUOTE = re.compile(r"(?:>[ ]?)*")
_ADDRESS = re.compile(r"(?:://|www\.)[^\s]*$")


def enclose_styles(page: str, styles: Mapping[str, Message]) -> str:
    """The page with the style sheets that came along with it in place of its links to them, as browsers save pages."""
    if not styles:
        return page
    left = MAX_STYLES

    def enclose(link: re.Match[str]) -> str:
        nonlocal left
        address = _ADDRESS_OF.search(link[0])
        part = styles.get(html.unescape(address[1] or address[2] or address[3] or "").strip()) if address else None
        if part is None or "stylesheet" not in link[0].lower() or not left:
            return link[0]
        left -= 1
        media = _MEDIA.search(link[0])
        sheet = decode_bytes(read_payload(part), "style sheet").text.replace("</", "<\\/")
        return f"<style{' ' + media[0] if media else ''}>{sheet}</style>"

    return _LINK.sub(enclose, page)


def read_payload(part: Message) -> bytes:
    """The bytes of a part, unpacked as its transfer encoding says; as they are where that is broken."""
    try:
        return cast("bytes | None", part.get_payload(decode=True)) or b""
    except (ValueError, LookupError, AssertionError):
        return str(part.get_payload()).encode("utf-8", "surrogateescape")


def read_text(part: Message, name: str) -> DecodedText:
    """The text of a part, with line ends as one sign, and a sentence where its encoding is a guess.

    Raises DocumentError for what is no text.
    """
    data = read_payload(part)
    note = ""
    transfer = str(part.get("Content-Transfer-Encoding") or "7bit").strip().lower()
    if transfer in ("7bit", "8bit", "binary") and _looks_quoted(data):
        data, note = (
            quopri.decodestring(data),
            f"{name} has text that is packed as quoted-printable and does not say so.",
        )
    label = str(part.get_content_charset() or "").strip("\"' ").lower()
    decoded = _decode(data, name, label)
    return DecodedText(_unify_lines(decoded.text), decoded.encoding, f"{note} {decoded.note}".strip())


def _decode(data: bytes, name: str, label: str) -> DecodedText:
    if label.startswith((*_STATEFUL, *_WIDE)):
        try:
            return DecodedText(data.decode(label), label)
        except (UnicodeDecodeError, LookupError):
            pass
    known = webencodings.lookup(label) if label not in ("", "us-ascii", "ascii") else None
    return decode_bytes(data, name, str(known.codec_info.name) if known else label)


def _looks_quoted(data: bytes) -> bool:
    """Whether bytes that are sent as they are were packed before: soft line ends and letters as figures."""
    return bool(_SOFT_END.search(data)) and len(_ESCAPED.findall(data)) >= 2


def _unify_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")


def decode_header(value: object) -> str:
    """A header line as people read it: on one line, with words of any encoding."""
    written = str(value)[:_LONGEST_HEADER]
    if "=?" in written:
        with contextlib.suppress(ValueError, LookupError):
            written = str(email.header.make_header(email.header.decode_header(written)))
    if any("\udc80" <= c <= "\udcff" for c in written):
        raw = written.encode("utf-8", "surrogateescape")
        written = decode_bytes(raw, "the header").text
    return " ".join(written.split())


def read_filename(part: Message) -> str:
    """The name that the sender gave a file; empty where he gave none."""
    try:
        return decode_header(part.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        return ""


def unwrap_body(text: str, part: Message) -> str:
    """The lines of a body in plain text as they were written: those that were broken to be sent are joined (RFC 3676),
    and a quotation has its mark where it begins, so that its words stand together."""
    flowed = str(part.get_param("format") or "").lower() == "flowed"
    joined = str(part.get_param("delsp") or "").lower() == "yes"
    lines = _join_flowed(text.split("\n"), joined) if flowed else text.split("\n")
    return "\n".join(_thin_quotes(lines))


def _join_flowed(lines: list[str], joined: bool) -> Iterator[str]:
    """Lines of which a space at the end says that they go on."""
    parts: list[str] = []
    depth = 0
    for line in lines:
        mark = _QUOTE.match(line)
        level = mark[0].count(">") if mark and line.startswith(">") else 0
        words = line[mark.end() :] if mark and level else line
        words = words[1:] if not level and words.startswith(" ") else words  # stuffed
        if parts and level != depth:
            yield _close(parts, depth)
            parts = []
        depth = level
        if words.endswith(" ") and words != "-- ":
            parts.append(_strip_end(words) if joined else words)
        else:
            yield _close([*parts, words], depth)
            parts = []
    if parts:
        yield _close(parts, depth)


def _strip_end(words: str) -> str:
    """Words without the space that was put in to break them. Where it stands between two words that are none of an
    address, it was theirs: many mails say that they put one in, and don't."""
    bare = words[:-1]
    return words if bare[-1:].isalnum() and bare[-1:].isascii() and not _ADDRESS.search(bare) else bare


def _close(parts: list[str], depth: int) -> str:
    return ">" * depth + (" " if depth else "") + "".join(parts)


def _thin_quotes(lines: Iterator[str] | list[str]) -> Iterator[str]:
    """Lines of which only the first of a paragraph that is quoted has the marks of a quotation."""
    before = ""
    for line in lines:
        mark = cast("re.Match[str]", _QUOTE.match(line))[0].rstrip() if line.startswith(">") else ""
        words = line[len(mark) :].strip() if mark else line
        same = mark.replace(" ", "") == before.replace(" ", "")
        yield words if mark and same and words else line
        before = mark if words else ""
