"""A `winmail.dat` as Outlook packs it, small enough to be read here."""

import struct

TITLE, DATA, RENDERING, PROPERTIES = 0x8010, 0x800F, 0x9002, 0x9005
BODY, MESSAGE = 0x800C, 0x9003


def attribute(level: int, number: int, value: bytes) -> bytes:
    return struct.pack("<BHHI", level, number, 6, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def text_property(number: int, text: str) -> bytes:
    value = text.encode("utf-16-le") + b"\0\0"
    return struct.pack("<HHII", 0x001F, number, 1, len(value)) + value + bytes(-len(value) % 4)


def binary_property(number: int, value: bytes) -> bytes:
    return struct.pack("<HHII", 0x0102, number, 1, len(value)) + value + bytes(-len(value) % 4)


def properties(*each: bytes) -> bytes:
    return struct.pack("<I", len(each)) + b"".join(each)


def pack(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def packed_file(short: str, long: str, data: bytes) -> bytes:
    number = struct.pack("<HHI", 0x0003, 0x3705, 1)
    return (
        attribute(2, RENDERING, bytes(14))
        + attribute(2, TITLE, short.encode() + b"\0")
        + attribute(2, DATA, data)
        + attribute(2, PROPERTIES, properties(number, text_property(0x3707, long)))
    )
