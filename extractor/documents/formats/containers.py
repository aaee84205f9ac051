"""Files of several documents: the members of a zip archive, the messages of a mailbox. Each is a document of its own.

What stands where is listed first, without unpacking anything; each document is then taken out when it is read, into a
file of its own, no longer than its format may be. A member's name only names: it is never a path that is written to.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from extractor.documents.formats import CONTAINER_SUFFIXES, FORMATS_BY_SUFFIX, MAIL_FORMAT, PDF_FORMAT
from extractor.documents.formats.io import open_regular, printable_name
from extractor.documents.formats.tar_archives import PACKED_SUFFIXES, find_members
from extractor.documents.formats.zip_guard import MAX_PARTS, open_archive
from extractor.errors import DocumentError

MAX_UNPACKED_BYTES = 4_000_000_000
"""Bytes of all members of one archive together, unpacked. What comes after that is named, and not read."""
MAX_MESSAGES = 100_000
"""Messages of one mailbox that are read."""
_PIECE = 1 << 18
_LARGEST = 1 << 62
_LOCAL_HEADER = 30
"""Bytes before the names in a member's own header (APPNOTE 4.3.7)."""
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_DIVIDER = re.compile(rb"From \S[^\n]*?\d\d:\d\d")
"""How the line above each message of a mailbox begins: who sent it, and when (RFC 4155, appendix A)."""
_QUOTED = re.compile(rb"^>(?=>*From )", re.M)
SYSTEM_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db"})
"""Files and folders that operating systems leave beside those of people, in small letters."""


@dataclass(frozen=True, slots=True)
class ContainedFile:
    """Where a document stands in a file of several: its number there, from 1, and its bytes."""

    file: Path
    name: str
    """Its name there, with the folders that it is in; no two of one file are the same."""
    number: int
    start: int
    size: int
    checksum: int = 0
    is_packed: bool = False
    unpacked: int = 0
    refused: str = ""
    """Why it is not read; empty where it is."""
    is_plain: bool = False
    """Whether its bytes stand in the file as they are, without a header."""

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


def is_system_file(name: str) -> bool:
    """Whether a file or folder of that name is no document: hidden, a lock of Office's, a list of a system's."""
    return name.startswith((".", "~$", ".~lock.")) or name.lower() in SYSTEM_NAMES


def name_container(path: Path) -> str:
    """The suffix of a file that holds several documents, by its name; empty for any other."""
    name = path.name.lower()
    packed = next((suffix for suffix in PACKED_SUFFIXES if name.endswith(suffix)), "")
    return packed or (path.suffix.lower() if path.suffix.lower() in CONTAINER_SUFFIXES else "")


def may_be_container(kind: str, found: str) -> bool:
    """Whether what a file was found to hold fits the suffix of a container: mailboxes and old archives look like
    nothing."""
    if kind in PACKED_SUFFIXES:
        return found in (".gz", ".bz2", "")
    return found in CONTAINER_SUFFIXES | {"", ".txt", ".eml"}


def find_contained_files(path: Path) -> Iterator[ContainedFile]:
    """The documents of a file of several, in its order. Raises DocumentError for a broken one."""
    match name_container(path):
        case ".mbox":
            return _find_messages(path)
        case ".zip":
            return _find_members(path)
    return _find_tar_members(path)


def _find_tar_members(path: Path) -> Iterator[ContainedFile]:
    seen: Counter[str] = Counter()
    total = 0
    for number, (name, plain, start, size, why) in enumerate(find_members(path), 1):
        called = _name_member(name, seen)
        if any(map(is_system_file, called.split("/"))):
            continue
        total += size
        refused = why or _refuse_kind(called) or _refuse_size(called, size, total)
        yield ContainedFile(plain, called, number, start, size, is_plain=True, unpacked=size, refused=refused)


def _find_members(path: Path) -> Iterator[ContainedFile]:
    name = printable_name(path.name)
    try:
        with open_regular(path, _LARGEST) as file, open_archive(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DocumentError(f"{name} is no whole archive ({error}); unpack it elsewhere.", reason="broken") from error
    files = [part for part in parts if not part.is_dir()]
    if len(files) > MAX_PARTS:
        raise DocumentError(
            f"{name} has {len(files):,} members; split it into archives of at most {MAX_PARTS:,}.", reason="too large"
        )
    seen: Counter[str] = Counter()
    total = 0
    for number, part in enumerate(files, 1):
        called = _name_member(part.filename, seen)
        if any(map(is_system_file, called.split("/"))):
            continue
        total += part.file_size
        yield ContainedFile(
            path,
            called,
            number,
            part.header_offset,
            part.compress_size,
            part.CRC,
            part.compress_type == _DEFLATED,
            part.file_size,
            _refuse_member(part, called, total),
        )


def _name_member(name: str, seen: Counter[str]) -> str:
    """A member's name without steps upwards; with a number where there is another of that name."""
    steps = [step for step in name.replace("\\", "/").split("/") if step not in ("", ".", "..")]
    called = "/".join(steps) or "member"
    seen[called] += 1
    if seen[called] == 1:
        return called
    whole = PurePosixPath(called)
    while True:
        other = str(whole.with_name(f"{whole.stem} ({seen[called]}){whole.suffix}"))
        if other not in seen:
            seen[other] = 1
            return other
        seen[called] += 1


def _refuse_member(part: zipfile.ZipInfo, name: str, total: int) -> str:
    if refused := _refuse_kind(name):
        return refused
    if part.flag_bits & 1:
        return "it is encrypted; unpack the archive with its password"
    if part.compress_type not in (_STORED, _DEFLATED):
        return "it is packed in a way that is not read; unpack the archive"
    return _refuse_size(name, part.file_size, total)


def _refuse_kind(name: str) -> str:
    """Why a member of that name is not read, whatever it holds; empty if it is."""
    suffix = PurePosixPath(name).suffix.lower()
    if name_container(Path(name)) or suffix in (".jsonl", ".ndjson"):
        return "it holds several documents and is in an archive; unpack that"
    return f"files of kind {suffix} are not read" if suffix and suffix not in FORMATS_BY_SUFFIX else ""


def _refuse_size(name: str, size: int, total: int) -> str:
    """Why a member of so many bytes is not read, with which the archive comes to `total`, or what its format needs."""
    kind = FORMATS_BY_SUFFIX.get(PurePosixPath(name).suffix.lower())
    if total > MAX_UNPACKED_BYTES:
        return f"it comes after {MAX_UNPACKED_BYTES / 1e9:.0f} GB of the archive; unpack that"
    most = (kind or PDF_FORMAT).max_bytes
    if size > most:
        return f"it unpacks to {size / 1e6:.0f} MB; split it into files of at most {most / 1e6:.0f} MB"
    return missing if kind and (missing := kind.missing_extra()) else ""


def _find_messages(path: Path) -> Iterator[ContainedFile]:
    stem = path.stem
    with open_regular(path, _LARGEST) as file:
        number, start, at, after_blank = 0, -1, 0, True
        while line := file.readline(_PIECE):
            if after_blank and line.endswith(b"\n") and _DIVIDER.match(line):
                if number:
                    yield _build_message(path, stem, number, start, at)
                number, start = number + 1, at + len(line)
            after_blank = line in (b"\n", b"\r\n")
            at += len(line)
        if not number:
            raise DocumentError(f"{printable_name(path.name)} is no mailbox; is it broken?", reason="broken")
        yield _build_message(path, stem, number, start, at)


def _build_message(path: Path, stem: str, number: int, start: int, end: int) -> ContainedFile:
    refused = ""
    if number > MAX_MESSAGES:
        refused = f"it comes after {MAX_MESSAGES:,} messages of its mailbox; split that"
    elif end - start > MAIL_FORMAT.max_bytes:
        refused = f"it is {(end - start) / 1e6:.0f} MB; at most {MAIL_FORMAT.max_bytes / 1e6:.0f} MB are read"
    return ContainedFile(
        path, f"{stem}-{number}.eml", number, start, end - start, unpacked=end - start, refused=refused
    )


def unpack_contained_file(contained: ContainedFile, target: Path, name: str) -> None:
    """Writes the document's bytes to a file. Raises DocumentError where they are not what the container says."""
    broken = f"{name} is broken in {printable_name(contained.file.name)}"
    with open_regular(contained.file, _LARGEST) as file, target.open("wb") as out:
        if contained.file.suffix.lower() == ".mbox":
            file.seek(contained.start)
            out.write(_QUOTED.sub(b"", file.read(contained.size)))
            return
        file.seek(contained.start)
        if contained.is_plain:
            _copy_plainly(file, out, contained, broken)
            return
        header = file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            raise DocumentError(f"{broken}; unpack that elsewhere.", reason="broken")
        file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
        try:
            checksum, size = _copy_member(file, out, contained)
        except zlib.error as error:
            raise DocumentError(f"{broken} ({error}); unpack that elsewhere.", reason="broken") from error
    if size != contained.unpacked or checksum != contained.checksum:
        raise DocumentError(f"{broken}: its checksum is wrong; unpack that elsewhere.", reason="broken")


def _copy_plainly(file: BinaryIO, out: BinaryIO, contained: ContainedFile, broken: str) -> None:
    left = contained.size
    while left > 0:
        piece = file.read(min(_PIECE, left))
        if not piece:
            raise DocumentError(f"{broken}: it is cut off; unpack that elsewhere.", reason="broken")
        left -= len(piece)
        out.write(piece)


def _copy_member(file: BinaryIO, out: BinaryIO, contained: ContainedFile) -> tuple[int, int]:
    """Checksum and size of what was written: a byte more than the member is said to have, at most."""
    inflate = zlib.decompressobj(-15) if contained.is_packed else None
    checksum = size = 0
    left = contained.size
    while left > 0 and size <= contained.unpacked and (piece := file.read(min(_PIECE, left))):
        left -= len(piece)
        while piece:
            room = contained.unpacked + 1 - size
            data = inflate.decompress(piece, min(_PIECE, room)) if inflate else piece
            piece = inflate.unconsumed_tail if inflate else b""
            checksum = zlib.crc32(data, checksum)
            size += len(data)
            out.write(data)
            if size > contained.unpacked or (inflate and inflate.eof):
                return checksum, size
    return checksum, size
