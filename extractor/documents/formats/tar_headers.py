"""The headers of a tar archive: which members it has, and where their bytes are (POSIX.1-2017, pax; GNU's long names).

Not read by Python's tarfile: its patterns take the square of a header's length, and it calls itself for each of the
headers that stand before a member, of which a stranger may write any number. Here the time is the archive's length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from extractor.documents.formats.zip_guard import MAX_DIRECTORY_BYTES

BLOCK = 512
_REGULAR, _SPARSE = (b"0", b"\0", b"7"), b"S"
_LINKS, _FOLDER = (b"1", b"2"), b"5"
_WITHOUT_BYTES = (*_LINKS, b"3", b"4", _FOLDER, b"6")
"""Links, devices, folders and pipes: whatever their size says, no bytes follow."""
_OF_NEXT, _OF_ALL, _LONG_NAME, _LONG_LINK = (b"x", b"X"), b"g", b"L", b"K"
_MOST_DIGITS, _LARGEST = 20, 1 << 60
Told = Mapping[bytes, bytes]


class BrokenTar(ValueError):
    """What is no archive, or not a whole one; the text says why in a few words."""


@dataclass(frozen=True, slots=True)
class TarMember:
    """A member of an archive. Its bytes begin at `start` of the archive's file."""

    name: str
    start: int
    size: int
    is_folder: bool
    is_link: bool
    is_plain: bool
    """Whether its bytes stand there as they are: neither a device nor a pipe, nor a file with holes."""


def read_members(file: BinaryIO) -> Iterator[TarMember]:
    """The members, in the order of the archive. Raises BrokenTar."""
    at = 0
    of_all: dict[bytes, bytes] = {}
    of_next: dict[bytes, bytes] = {}
    while (block := _read_block(file, at)) is not None:
        kind, size, at = block[156:157], _read_number(block[124:136]), at + BLOCK
        if kind in (*_OF_NEXT, _OF_ALL, _LONG_NAME, _LONG_LINK):
            content = _read_content(file, size)
            if kind == _LONG_NAME:
                of_next[b"path"] = content.partition(b"\0")[0]
            elif kind != _LONG_LINK:
                (of_all if kind == _OF_ALL else of_next).update(_read_records(content))
            at += _fill_blocks(size)
            continue
        told = {**of_all, **of_next}
        of_next = {}
        if b"size" in told:
            size = _read_decimal(told[b"size"])
        at = _skip_maps(file, block, at) if kind == _SPARSE else at
        member = _build_member(block, kind, told, at, size)
        yield member
        at += 0 if kind in _WITHOUT_BYTES or member.is_folder else _fill_blocks(size)


def _build_member(block: bytes, kind: bytes, told: Told, start: int, size: int) -> TarMember:
    own = block[:100].partition(b"\0")[0]
    if block[257:263] == b"ustar\0" and (folder := block[345:500].partition(b"\0")[0]):
        own = folder + b"/" + own
    name = told.get(b"GNU.sparse.name") or told.get(b"path") or own
    is_folder = kind == _FOLDER or (kind == b"\0" and name.endswith(b"/"))
    has_holes = any(key.startswith(b"GNU.sparse.") for key in told)
    return TarMember(
        name.decode("utf-8", "surrogateescape"),
        start,
        size,
        is_folder,
        kind in _LINKS,
        kind in _REGULAR and not is_folder and not has_holes,
    )


def _read_block(file: BinaryIO, at: int) -> bytes | None:
    """The header at a place; None at the archive's end."""
    file.seek(at)
    block = file.read(BLOCK)
    if at and (not block or not block.strip(b"\0")):
        return None
    if len(block) < BLOCK:
        raise BrokenTar("it is cut off" if block else "it is empty")
    if not block.strip(b"\0"):
        return None  # an archive of nothing
    told = _read_number(block[148:156])
    rest = block[:148] + b" " * 8 + block[156:]
    as_signed = sum(byte - 256 if byte > 127 else byte for byte in rest)  # as some old programs add them up
    if told not in (sum(rest), as_signed):
        raise BrokenTar("a header that is none")
    return block


def _read_number(field: bytes) -> int:
    """A number of a header: octal, or, of large ones, binary behind a bit that says so."""
    if field[0] == 0x80:
        return _check_number(int.from_bytes(field[1:], "big"))
    try:
        return _check_number(int(field.partition(b"\0")[0].strip() or b"0", 8))
    except ValueError:
        raise BrokenTar("a header that is none") from None


def _read_decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        raise BrokenTar("a size that is no number")
    return _check_number(int(digits))


def _check_number(number: int) -> int:
    if not 0 <= number < _LARGEST:
        raise BrokenTar("a size that no file has")
    return number


def _read_content(file: BinaryIO, size: int) -> bytes:
    """What a header is followed by that is about a member and no member."""
    if size > MAX_DIRECTORY_BYTES:
        raise BrokenTar(f"a header of {size / 1e6:.0f} MB")
    content = file.read(size)
    if len(content) < size:
        raise BrokenTar("it is cut off")
    return content


def _read_records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each line "LENGTH KEY=VALUE", up to the first that is none."""
    at = 0
    while (blank := content.find(b" ", at, at + _MOST_DIGITS)) > at and content[at:blank].isdigit():
        end = at + int(content[at:blank])
        key, equals, value = content[blank + 1 : end - 1].partition(b"=")
        if not equals or content[end - 1 : end] != b"\n":
            return
        yield key, value
        at = end


def _skip_maps(file: BinaryIO, block: bytes, at: int) -> int:
    """Where the bytes begin of a file with holes as old GNU tar writes it, behind the blocks that tell of the holes."""
    more = block[482]
    while more:
        file.seek(at)
        block = file.read(BLOCK)
        if len(block) < BLOCK:
            raise BrokenTar("it is cut off")
        more, at = block[504], at + BLOCK
    return at


def _fill_blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
