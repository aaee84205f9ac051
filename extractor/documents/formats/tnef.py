"""Files in a `winmail.dat`, as Outlook packs a mail's enclosures for itself (MS-OXTNEF)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_SIGNATURE = 0x223E9F78
_MOST_ATTRIBUTES = 100_000
_BODY, _MESSAGE_PROPERTIES = 0x800C, 0x9003
_RENDERING, _TITLE, _DATA, _PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
"""Attributes of an attachment: the first of them begins one (MS-OXTNEF 2.1.3.3)."""
_PLAIN, _HTML = 0x1000, 0x1013
_NAME, _LONG_NAME, _CONTENT, _MEDIA = 0x3704, 0x3707, 0x3701, 0x370E
_SIZES = {
    0x0002: 2,
    0x0003: 4,
    0x0004: 4,
    0x0005: 8,
    0x0006: 8,
    0x0007: 8,
    0x000A: 4,
    0x000B: 2,
    0x0014: 8,
    0x0040: 8,
    0x0048: 16,
}
"""Bytes of the types of values that have a fixed size; all are padded to four."""
_OBJECT, _STRING, _WIDE_STRING, _BINARY = 0x000D, 0x001E, 0x001F, 0x0102
_COUNTED = (_OBJECT, _STRING, _WIDE_STRING, _BINARY)


@dataclass(slots=True)
class PackedFile:
    """A file, with the name and the type that the sender gave it."""

    name: str = ""
    media: str = ""
    data: bytes = b""


@dataclass(slots=True)
class PackedMail:
    """What is in a `winmail.dat`."""

    plain: bytes = b""
    html: bytes = b""
    files: list[PackedFile] = field(default_factory=list)


def read_packed_mail(data: bytes) -> PackedMail:
    """Raises ValueError for what is none, or is cut short."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        raise ValueError("no packed mail")
    mail = PackedMail()
    for attribute, value in _read_attributes(data):
        if attribute == _BODY:
            mail.plain = value.rstrip(b"\0")
        elif attribute == _MESSAGE_PROPERTIES:
            for tag, content in _read_properties(value):
                if tag == _HTML:
                    mail.html = content.rstrip(b"\0")
                elif tag == _PLAIN and not mail.plain:
                    mail.plain = content.rstrip(b"\0")
        elif attribute == _RENDERING:
            mail.files.append(PackedFile())
        elif mail.files:
            _add_to_file(mail.files[-1], attribute, value)
    return mail


def _read_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes, one after the other: level, number, type, size, value, checksum (MS-OXTNEF 2.1.3.1)."""
    at = 6
    for _ in range(_MOST_ATTRIBUTES):
        if at + 9 > len(data):
            return
        _, number, _, size = struct.unpack_from("<BHHI", data, at)
        if at + 9 + size > len(data):
            raise ValueError("cut short")
        yield number, data[at + 9 : at + 9 + size]
        at += 9 + size + 2


def _add_to_file(file: PackedFile, attribute: int, value: bytes) -> None:
    if attribute == _TITLE:
        file.name = file.name or _decode(value)
    elif attribute == _DATA:
        file.data = value
    elif attribute == _PROPERTIES:
        names = {}
        for tag, content in _read_properties(value):
            if tag in (_NAME, _LONG_NAME):
                names[tag] = _decode(content)
            elif tag == _MEDIA:
                file.media = _decode(content)
            elif tag == _CONTENT and not file.data:
                file.data = content
        file.name = names.get(_LONG_NAME) or file.name or names.get(_NAME, "")


def _decode(value: bytes) -> str:
    """A string of one byte a letter, or of two."""
    if len(value) > 1 and value[1::2].count(0) * 4 > len(value):
        return value.decode("utf-16-le", "replace").rstrip("\0")
    bare = value.rstrip(b"\0")
    try:
        return bare.decode()
    except UnicodeDecodeError:
        return bare.decode("cp1252", "replace")


def _read_properties(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The properties of a message or a file: numbers and values (MS-OXTNEF 2.1.3.4). Ends where they make no sense."""
    if len(data) < 4:
        return
    at = 4
    for _ in range(min(_MOST_ATTRIBUTES, struct.unpack_from("<I", data)[0])):
        if at + 4 > len(data):
            return
        kind, number = struct.unpack_from("<HH", data, at)
        at += 4
        if number >= 0x8000:
            at = _skip_name(data, at)
        many, kind = bool(kind & 0x1000), kind & 0x0FFF
        count = 1
        if (many or kind in _COUNTED) and at + 4 <= len(data):
            count = struct.unpack_from("<I", data, at)[0]
            at += 4
        for _ in range(count):
            size = _SIZES.get(kind, 0)
            if kind in _COUNTED:
                if at + 4 > len(data):
                    return
                size = struct.unpack_from("<I", data, at)[0]
                at += 4
            if not size and kind not in _COUNTED:
                return
            value = data[at : at + size]
            if len(value) < size:
                return
            yield number, value[16:] if kind == _OBJECT else value
            at += -(-size // 4) * 4


def _skip_name(data: bytes, at: int) -> int:
    """Passes over the name of a property that has one: an identity, and a number or a string."""
    if at + 20 > len(data):
        return len(data)
    kind, number = struct.unpack_from("<II", data, at + 16)
    return at + 24 if kind == 0 else at + 24 + -(-number // 4) * 4
