"""Bytes of a file: regular files only, and a bound on their size."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from extractor.documents.formats.encodings import decode_bytes
from extractor.errors import DocumentError


def printable_name(name: str) -> str:
    """A file name as text; bytes that are not UTF-8 are shown as replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def open_regular(path: Path, largest: int) -> BinaryIO:
    """The file, opened. Raises DocumentError for what is no regular file, is too large, or can't be opened.

    Opened without waiting and looked at after that: a pipe may have taken the file's place since it was listed.
    """
    name = printable_name(str(path))
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        if error.errno is not None and describe_special_file(path):
            raise DocumentError(
                f"{name} is {describe_special_file(path)}, no regular file; give a file or a folder.",
                reason="not a file",
            ) from error
        raise DocumentError(f"{name} cannot be read ({error.strerror}); check its permissions.") from error
    file = os.fdopen(number, "rb")
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        file.close()
        kind = describe_special_file(path) or "something else"
        raise DocumentError(f"{name} is {kind}, no regular file; give a file or a folder.", reason="not a file")
    if status.st_size > largest:
        file.close()
        raise DocumentError(
            f"{name} is {status.st_size / 1e6:.0f} MB; split it into files of at most {largest / 1e6:.0f} MB.",
            reason="too large",
        )
    return file


_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
}


def describe_special_file(path: Path, *, follow: bool = True) -> str:
    """What the path is if it is no regular file; empty if it is one, or can't be looked at."""
    try:
        mode = path.stat().st_mode if follow else path.lstat().st_mode
    except OSError:
        return ""
    return _KINDS.get(stat.S_IFMT(mode), "")


_PIECE = 1 << 18


def read_file_bytes(path: Path, largest: int) -> bytes:
    """All bytes of a file. Raises DocumentError as `open_regular` does."""
    with open_regular(path, largest) as file:
        try:
            # piece by piece: one read of the bound would take the bound's memory for a file of three words
            parts, size = [], 0
            while size <= largest and (part := file.read(_PIECE)):
                parts.append(part)
                size += len(part)
        except OSError as error:
            raise DocumentError(
                f"{printable_name(str(path))} cannot be read ({error.strerror}); check its disk."
            ) from error
    if size > largest:
        raise DocumentError(
            f"{printable_name(str(path))} grows while it is read; read it when it is whole.", reason="too large"
        )
    return b"".join(parts)


def decode_text(data: bytes, name: str) -> str:
    """The text of bytes in whatever encoding; `encodings.decode_bytes` also tells what was guessed."""
    return decode_bytes(data, name).text


def require_text(text: str, name: str) -> str:
    """The text unchanged. Raises DocumentError for one that is empty."""
    if not text.strip("\ufeff \t\r\n\v\f"):
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return text
