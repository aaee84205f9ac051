"""Outlook messages of a few kilobytes, written by hand: a compound file (MS-CFB) with the streams of MS-OXMSG."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Tree: TypeAlias = Mapping[str, "bytes | Tree"]
"""Streams and folders by their names."""

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def write_compound_file(tree: Tree) -> bytes:
    """A compound file of these streams, the small ones in one stream of small pieces, as it must be."""
    entries: list[tuple[str, int, bytes]] = [("Root Entry", 5, b"")]
    links: list[list[int]] = [[_FREE, _FREE]]  # the next in its folder, the first in it

    def add(folder: Tree, parent: int) -> None:
        before = -1
        for name, content in folder.items():
            number = len(entries)
            entries.append(
                (name, 2 if isinstance(content, bytes) else 1, content if isinstance(content, bytes) else b"")
            )
            links.append([_FREE, _FREE])
            if before < 0:
                links[parent][1] = number
            else:
                links[before][0] = number
            before = number
            if not isinstance(content, bytes):
                add(content, number)

    add(tree, 0)
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(data: bytes) -> int:
        if not data:
            return _END
        start = len(sectors)
        count = -(-len(data) // _SECTOR)
        for i in range(count):
            sectors.append(data[i * _SECTOR : (i + 1) * _SECTOR].ljust(_SECTOR, b"\0"))
            fat.append(start + i + 1 if i + 1 < count else _END)
        return start

    small, small_fat, starts = b"", [], []
    for _, kind, data in entries:
        if kind == 2 and 0 < len(data) < _CUTOFF:
            starts.append(len(small_fat))
            count = -(-len(data) // _MINI)
            first = len(small_fat)
            small_fat += [first + i + 1 if i + 1 < count else _END for i in range(count)]
            small += data.ljust(count * _MINI, b"\0")
        else:
            starts.append(store(data) if kind == 2 else 0)
    starts[0] = store(small)
    small_table = struct.pack(f"<{len(small_fat)}I", *small_fat)
    small_table += b"\xff" * (-len(small_table) % _SECTOR)
    small_start, small_count = store(small_table), len(small_table) // _SECTOR
    directory = b""
    for (name, kind, data), (following, child), start in zip(entries, links, starts, strict=True):
        spelled = name.encode("utf-16-le") + b"\0\0"
        size = len(small) if kind == 5 else len(data)
        directory += spelled.ljust(64, b"\0") + struct.pack("<HBBIII", len(spelled), kind, 1, _FREE, following, child)
        directory += bytes(36) + struct.pack("<IQ", start if size else _END if kind != 1 else 0, size)
    directory_start = store(directory)
    count = 1
    while count * 128 < len(fat) + count:
        count += 1
    fat_start = len(sectors)
    table = [*fat, *[_FAT] * count]
    table += [_FREE] * (count * 128 - len(table))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIII", 0, count, directory_start, 0, _CUTOFF, small_start)
    header += struct.pack("<III", small_count, _END, 0)
    header += struct.pack("<109I", *(fat_start + i if i < count else _FREE for i in range(109)))
    return header + b"".join(sectors) + struct.pack(f"<{count * 128}I", *table)


def message(
    texts: Mapping[int, str],
    *,
    data: Mapping[int, bytes] | None = None,
    times: Mapping[int, int] | None = None,
    integers: Mapping[int, int] | None = None,
    recipients: Sequence[Tree] = (),
    attachments: Sequence[Tree] = (),
    header: int = 32,
) -> Tree:
    """The streams of a message, a recipient or an attachment, by the numbers of their properties."""
    fixed = b"".join(struct.pack("<HHIq", 0x0040, number, 6, ticks) for number, ticks in (times or {}).items())
    fixed += b"".join(struct.pack("<HHIq", 0x0003, number, 6, value) for number, value in (integers or {}).items())
    tree: dict[str, bytes | Tree] = {"__properties_version1.0": bytes(header) + fixed}
    tree |= {f"__substg1.0_{number:04X}001F": text.encode("utf-16-le") for number, text in texts.items()}
    tree |= {f"__substg1.0_{number:04X}0102": blob for number, blob in (data or {}).items()}
    tree |= {f"__recip_version1.0_#{i:08X}": one for i, one in enumerate(recipients)}
    tree |= {f"__attach_version1.0_#{i:08X}": one for i, one in enumerate(attachments)}
    return tree
