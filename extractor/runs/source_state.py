"""What stands at a source now, told by its bytes, without reading a text out of them."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from extractor.documents.discovery import STDIN, Source

LARGEST = 1 << 30
"""Bytes of a file that are looked at; a larger one is read anew each time, or refused."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """`seen` is "sha256:" and the digest of the bytes, or "refused:" and why; None when it cannot be told.

    `mark` changes when the file does: device, inode, size, and times of change. None where there is no file.
    """

    seen: str | None
    mark: tuple[int, ...] | None = None


def look(source: Source) -> Sighting:
    """Opens regular files only: a pipe would wait, and a device might do something."""
    if source.refused is not None:
        return Sighting(f"refused:{source.refused}")
    path = _path(source)
    try:
        if path is None or not stat.S_ISREG(path.stat().st_mode):
            return Sighting(None)
        with _opened(path) as file:
            told = os.fstat(file.fileno())
            if source.line is not None:
                line = os.pread(file.fileno(), source.line.size, source.line.start)
                return Sighting(f"line:sha256:{hashlib.sha256(line).hexdigest()}", _mark(told))
            if not stat.S_ISREG(told.st_mode) or told.st_size > LARGEST:
                return Sighting(None, _mark(told))
            way = "ocr:" if source.ocr else ""  # the same bytes, but another text
            return Sighting(f"{way}sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}", _mark(told))
    except OSError:
        return Sighting(None)


def unchanged(source: Source, sighting: Sighting) -> bool:
    """Whether the file is as it was when it was looked at."""
    try:
        path = _path(source)
        return source.refused is not None or path is None or sighting.mark == _mark(path.stat())
    except OSError:
        return sighting.mark is None


def _path(source: Source) -> Path | None:
    """The file that the document stands in; None for what comes in through a pipe."""
    if source.path == STDIN:
        return None
    return source.line.file if source.line is not None else source.path


def digest(path: Path) -> str | None:
    """The SHA-256 of a result file; None for one that is not there, or that is no file."""
    try:
        with _opened(path, os.O_NOFOLLOW) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _opened(path: Path, flags: int = 0) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags), "rb")


def _mark(told: os.stat_result) -> tuple[int, ...]:
    return told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns
