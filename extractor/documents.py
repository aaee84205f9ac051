"""File -> Document: one canonical text of code points, decoded strictly, line ends and all kept as they are."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.domain import Document
from extractor.errors import DocumentError, UsageError

SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown"})
LARGEST = 20_000_000
"""Bytes of one file that are read."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or the reason why it will not be."""

    path: Path
    refused: str | None = None


def find(paths: Sequence[Path]) -> list[Source]:
    """The files that the paths name: a file itself, a folder's files of known kinds at any depth, in a stable order.

    Files of other kinds and links in a folder are in the list too, refused, so that none goes missing in silence.
    Raises UsageError for a path that does not exist and for a folder that holds nothing to read.
    """
    sources: dict[Path, Source] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}; check the path.")
        found = list(_walk(path)) if path.is_dir() else [Source(path)]
        if not any(s.refused is None for s in found):
            raise UsageError(f"{path} holds no file to read; the kinds known are {', '.join(sorted(SUFFIXES))}.")
        for source in found:
            sources.setdefault(source.path, source)
    return list(sources.values())


def _walk(folder: Path) -> Iterator[Source]:
    for where, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(files):
            path = Path(where) / name
            if name.startswith("."):
                continue
            if path.is_symlink():
                yield Source(path, "a link; name the file itself to have it read")
            elif path.suffix.lower() not in SUFFIXES:
                yield Source(path, f"files of kind {path.suffix or 'without suffix'} are not read")
            else:
                yield Source(path)


def read(source: Source) -> Document:
    """The document of a source. Raises DocumentError for a source that was refused, and as `load` does."""
    if source.refused is not None:
        raise DocumentError(f"{printable(source.path.name)}: {source.refused}.", reason="not read")
    return load(source.path)


def printable(name: str) -> str:
    """A file name as text; bytes that are not UTF-8 are shown as replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def load(path: Path) -> Document:
    """The document in a text file. Raises DocumentError, whose reason is a word to count, for one that holds none."""
    data = _read(path)
    name = printable(path.name)
    text = _decode(data, name)
    if not text.strip("\ufeff \t\r\n\v\f"):
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return Document(name, text)


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError(f"{path} is no regular file; give a file or a folder.", reason="not a file")
        if status.st_size > LARGEST:
            raise DocumentError(
                f"{path} is {status.st_size / 1e6:.0f} MB; split it into files of at most {LARGEST / 1e6:.0f} MB.",
                reason="too large",
            )
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise DocumentError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error


def _decode(data: bytes, name: str) -> str:
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in data:
        raise DocumentError(f"{name} is a binary file, not text; convert it to text first.", reason="binary")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8, for example with iconv.", reason="encoding"
        ) from error
