"""Text of bytes: by its mark, as UTF-8, as UTF-16 without a mark, or by the encoding in which its words look right.

One function for every format that is text. A guess is told in a sentence, so that a person can judge it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

from extractor.documents.formats.legacy_encodings import guess_encoding
from extractor.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Marks at the beginning of a file; that of UTF-32 begins with that of UTF-16."""
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""Signs that no text holds, the escape apart, which old Japanese mail does."""
_MOST_NULS, _MOST_CONTROLS = 0.1, 0.02
"""Shares of a text from which on it is a binary file."""
_SAMPLE = 1 << 16
"""Bytes at the beginning that tell UTF-16 without a mark."""


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text, the encoding that it was read by, and a sentence for people where this was not certain."""

    text: str
    encoding: str
    note: str = ""


def decode_bytes(data: bytes, name: str, declared: str = "") -> DecodedText:
    """The text of a file's bytes. `declared` is what the file says its encoding is, where it says so.

    Raises DocumentError for a binary file, and for bytes that are text in no encoding that is known.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data.decode(encoding, "replace")
            broken = text.count("\ufffd") - data.count("\ufffd".encode(encoding.removesuffix("-sig"))[-2:])
            note = f"{name} is not {encoding} throughout; what cannot be read is shown as �." if broken > 0 else ""
            return _without_nuls(DecodedText(text, encoding, note), name)
    unicode = _decode_unicode(data, name)
    if unicode is not None:
        return _without_nuls(unicode, name)
    if b"\0" in data:
        raise DocumentError(f"{name} is a binary file, not text; convert it to text first.", reason="binary")
    return _without_nuls(_decode_legacy(data, name, declared), name)


def _decode_unicode(data: bytes, name: str) -> DecodedText | None:
    """UTF-8, or UTF-16 or UTF-32 without a mark; None where the bytes are neither."""
    if b"\0" in data and (wide := _find_wide_encoding(data[:_SAMPLE])):
        text = data[: len(data) // 2 * 2].decode(wide, "replace")
        return DecodedText(text, wide, f"{name} has no mark of its encoding; it was read as {wide.upper()}.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _decode_patched(data, name)
    if "\x1b$" in text or "\x1b(J" in text:
        try:
            return DecodedText(data.decode("iso2022_jp"), "iso2022_jp", f"{name} was read as ISO-2022-JP.")
        except UnicodeDecodeError:
            pass
    return DecodedText(text, "utf-8")


def _find_wide_encoding(sample: bytes) -> str:
    """UTF-16 or UTF-32 where zeros stand at every second place, or at three of four; the letters must be plausible."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if 8 * max(even, odd) < len(sample) and b"\n\0" not in sample and b"\0\n" not in sample and b" \0" not in sample:
        return ""
    quarters = [sample[i::4].count(0) for i in range(4)]
    candidates = ["utf-32-le"] if quarters[3] == len(sample) // 4 else []
    candidates += ["utf-32-be"] if quarters[0] == quarters[1] == -(-len(sample) // 4) else []
    if min(even, odd) * 8 <= max(even, odd):
        candidates.append("utf-16-le" if odd > even else "utf-16-be")
    return next((encoding for encoding in candidates if _looks_wide(sample, encoding)), "")


def _looks_wide(sample: bytes, encoding: str) -> bool:
    size = 4 if "32" in encoding else 2
    text = sample[: len(sample) // size * size].decode(encoding, "replace")
    fine = sum(c.isspace() or (unicodedata.category(c)[0] in "LNPSMZ" and c != "\ufffd") for c in text)
    return fine >= 0.97 * len(text) > 0


def _decode_patched(data: bytes, name: str) -> DecodedText | None:
    """UTF-8 with some bytes of another encoding in it, which are read as Windows-1252; None where they are many."""
    text = data.decode("utf-8", "surrogateescape")
    strays = sum("\udc80" <= c <= "\udcff" for c in text)
    letters = sum(c > "\x7f" for c in text) - strays
    if letters < strays:
        return None
    patched = re.sub("[\udc80-\udcff]", lambda m: bytes([ord(m[0]) - 0xDC00]).decode("cp1252", "replace"), text)
    return DecodedText(patched, "utf-8", f"{name} is UTF-8 but for {strays} bytes, which were read as Windows-1252.")


def _decode_legacy(data: bytes, name: str, declared: str) -> DecodedText:
    if declared:
        try:
            text = data.decode(declared)
        except (UnicodeDecodeError, LookupError, ValueError):
            pass
        else:
            if not re.search("[\x80-\x84\x86-\x9f]", text):
                return DecodedText(text, declared)
    encoding = guess_encoding(data)
    if not encoding:
        raise DocumentError(
            f"{name} is text in no encoding that is known; save it as UTF-8, for example with iconv.", reason="encoding"
        )
    note = f"{name} does not say its encoding; it was read as {encoding}, in which its words look right."
    return DecodedText(data.decode(encoding, "replace"), encoding, note)


def _without_nuls(decoded: DecodedText, name: str) -> DecodedText:
    """The text with a sign for each NUL in it, which no program can show; those that pad its end are left out."""
    text = decoded.text.rstrip("\0")
    nuls = text.count("\0")
    if "\0" not in decoded.text and decoded.encoding.startswith("utf-8"):
        return DecodedText(text, decoded.encoding, decoded.note)
    controls = len(_CONTROLS.findall(text))
    if nuls > _MOST_NULS * len(text) or controls > max(1, _MOST_CONTROLS * len(text)):
        raise DocumentError(f"{name} is a binary file, not text; convert it to text first.", reason="binary")
    note = decoded.note
    if nuls:
        note = f"{note} {name} holds {nuls} NUL characters; they are shown as �.".strip()
    return DecodedText(text.replace("\0", "\ufffd"), decoded.encoding, note)
