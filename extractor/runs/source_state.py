"""The state of a source, by its bytes, without reading a text out of them."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from extractor.documents.discovery import STDIN, Source
from extractor.files import open_regular_file
from extractor.types import Vision

MAX_HASHED_BYTES = 1 << 30
"""Bytes of a file that are looked at; a larger one is read anew each time, or refused."""
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class SourceState:
    """`seen` is "sha256:" and the digest of the bytes, or "refused:" and why; None when it is not known.

    `mark` changes when the file does: device, inode, size, and times of change. None where there is no file.
    """

    seen: str | None
    file_mark: tuple[int, ...] | None = None


def observe_source(source: Source) -> SourceState:
    """Opens regular files only: a pipe would wait, and a device might do something."""
    if source.refused is not None:
        return SourceState(f"refused:{source.refused}")
    if source.whole is not None and source.part is not None:
        whole, span = observe_source(source.whole), source.part.span
        seen = None if whole.seen is None else f"part:{span.start}-{span.end}:{whole.seen}"
        return SourceState(seen, whole.file_mark)
    path = _find_source_path(source)
    try:
        if path is None or not stat.S_ISREG(path.stat().st_mode):
            return SourceState(None)
        with open_regular_file(path) as file:
            status = os.fstat(file.fileno())
            if source.member is not None:
                member = source.member
                file.seek(member.start)
                digest = hashlib.sha256(b"%d %d %d " % (member.checksum, member.unpacked, source.ocr))
                digest.update(_name_way(source).encode() if source.vision is not Vision.NEVER else b"")
                for _ in range(0, member.size, _PIECE):
                    digest.update(file.read(min(_PIECE, member.size)))
                return SourceState(f"member:sha256:{digest.hexdigest()}", _mark_file_state(status))
            if source.line is not None:
                line = os.pread(file.fileno(), source.line.size, source.line.start)
                return SourceState(f"line:sha256:{hashlib.sha256(line).hexdigest()}", _mark_file_state(status))
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_HASHED_BYTES:
                return SourceState(None, _mark_file_state(status))
            return SourceState(
                f"{_name_way(source)}sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}", _mark_file_state(status)
            )
    except OSError:
        return SourceState(None)


def _name_way(source: Source) -> str:
    """How the source is read: the same bytes, but another text, or pictures beside it."""
    return ("ocr:" if source.ocr else "") + ("" if source.vision is Vision.NEVER else f"vision-{source.vision}:")


def is_source_unchanged(source: Source, sighting: SourceState) -> bool:
    """Whether the file is as it was when it was looked at."""
    try:
        path = _find_source_path(source)
        return source.refused is not None or path is None or sighting.file_mark == _mark_file_state(path.stat())
    except OSError:
        return sighting.file_mark is None


def _find_source_path(source: Source) -> Path | None:
    """The file that the document stands in; None for what comes in through a pipe."""
    if source.path == STDIN:
        return None
    return source.file


def digest_result_file(path: Path) -> str | None:
    """The SHA-256 of a result file; None for one that is not there, or that is no file."""
    try:
        with open_regular_file(path, follow=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _mark_file_state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
