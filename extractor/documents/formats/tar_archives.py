"""Tar archives, plain or packed with gzip or bzip2: their members as documents, within the bounds of zip archives.

A packed archive can only be read from its beginning, so it is unpacked once, into a file that lasts as long as the
process; its members are then taken out of that one by one, as those of a plain archive are.
"""

from __future__ import annotations

import atexit
import bz2
import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from extractor.documents.formats.io import open_regular, printable_name
from extractor.documents.formats.tar_headers import BrokenTar, TarMember, read_members
from extractor.documents.formats.zip_guard import MAX_PARTS, MAX_RATIO
from extractor.errors import DocumentError

PACKED_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz")
"""Suffixes of packed archives, of one word or two."""
MAX_UNPACKED_BYTES = 4_000_000_000
"""Bytes of an archive that are unpacked."""
_ALWAYS_UNPACKED = 100_000_000
"""Bytes that may be unpacked whatever their proportion to the packed ones."""
_PIECE = 1 << 20
_LARGEST = 1 << 62


def find_members(path: Path) -> Iterator[tuple[str, Path, int, int, str]]:
    """Of every member that is a file or a link its name, the file that its bytes are in, where they begin, how many
    they are, and why they cannot be taken (empty where they can).

    Raises DocumentError for an archive that is broken, out of proportion, or has too many members.
    """
    name = printable_name(path.name)
    plain = _unpack(path, name)
    with open_regular(plain, _LARGEST) as file:
        size = plain.stat().st_size
        try:
            files = (member for member in read_members(file) if not member.is_folder)
            for count, member in enumerate(files, 1):
                if count > MAX_PARTS:
                    raise DocumentError(
                        f"{name} has over {MAX_PARTS:,} members; split it into smaller archives.", reason="too large"
                    )
                yield member.name, plain, member.start, member.size, _refuse(member, size)
        except (BrokenTar, OSError) as error:
            raise DocumentError(
                f"{name} is no whole archive ({error}); unpack it elsewhere.", reason="broken"
            ) from error


def _refuse(member: TarMember, size: int) -> str:
    if member.is_link:
        return "a link in an archive; unpack that"
    if not member.is_plain:
        return "no regular file"
    return "it is cut off: the archive is not whole" if member.start + member.size > size else ""


def _unpack(path: Path, name: str) -> Path:
    """The archive's plain file: its own, or the one that it was unpacked into."""
    status = path.stat()
    with open_regular(path, _LARGEST) as file:
        start = file.read(3)
    if start[:2] == b"\x1f\x8b" or start == b"BZh":
        return _unpack_once(path, name, (status.st_ino, status.st_size, status.st_mtime_ns))
    return path


@lru_cache(maxsize=64)
def _unpack_once(path: Path, name: str, state: tuple[int, ...]) -> Path:
    """`state` tells whether the file is the same that it was."""
    folder = tempfile.TemporaryDirectory(prefix="extractor-")
    atexit.register(folder.cleanup)
    target = Path(folder.name) / f"{path.name.split('.')[0] or 'archive'}.tar"
    most = min(MAX_UNPACKED_BYTES, max(_ALWAYS_UNPACKED, MAX_RATIO * state[1]))
    size = 0
    try:
        with open_regular(path, _LARGEST) as file, target.open("wb") as out:
            packed = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else bz2.BZ2File(file)  # type: ignore[attr-defined]
            with packed:
                while piece := packed.read(_PIECE):
                    size += len(piece)
                    if size > most:
                        raise DocumentError(
                            f"{name} unpacks to more than {most / 1e6:,.0f} MB, which is out of proportion; unpack it "
                            "yourself and give what matters.",
                            reason="too large",
                        )
                    out.write(piece)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        folder.cleanup()
        raise DocumentError(f"{name} is no whole archive ({error}); unpack it elsewhere.", reason="broken") from error
    except DocumentError:
        with suppress(OSError):
            folder.cleanup()
        raise
    return target
