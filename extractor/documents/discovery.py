"""Paths -> sources -> documents: one canonical text of code points each, and the way back to the file.

What a format is read with is in `loaders`; here is what is read at all.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from extractor.documents import formats as loaders
from extractor.documents.formats import FORMATS, Format
from extractor.documents.formats import attachments as enclosures
from extractor.documents.formats import io as files
from extractor.documents.formats import jsonl as lines
from extractor.documents.formats import sandbox as apart
from extractor.documents.formats.io import printable
from extractor.errors import DocumentError, UsageError
from extractor.types import Document

__all__ = ["LARGEST", "STDIN", "Source", "find", "load", "printable", "read"]

LINES = frozenset({".jsonl", ".ndjson"})
"""Suffixes of files that hold a document a line."""
LARGEST = loaders.TEXT.largest
"""Bytes of one text file that are read."""
STDIN = Path("-")
_PIPED = 200_000_000
"""Bytes that are read from stdin."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document to read, or the reason why it will not be."""

    path: Path
    """Its file; of a document in a file of several, the file and its name in it: refs.jsonl/doc-7."""
    refused: str | None = None
    line: lines.Line | None = None
    ocr: bool = False
    """Whether letters are read off pictures of pages."""

    @property
    def name(self) -> str:
        """For people."""
        return "stdin" if self.path == STDIN else printable(self.path.name)


def find(paths: Sequence[Path], *, ocr: bool = False) -> list[Source]:
    """The documents that the paths name, in a stable order, each once.

    A path is a file, a folder (its files of known kinds at any depth), a pattern such as `papers/**/*.pdf`, or `-` for
    stdin. Files of other kinds and links in a folder are in the list too, refused, so that none goes missing in
    silence. Raises UsageError for a path that does not exist and for one that holds nothing to read.
    """
    sources: dict[Path, Source] = {}
    for path in paths:
        found = list(_named(path, ocr))
        if not any(s.refused is None for s in found):
            missing = sorted({s.refused for s in found if s.refused and "pip install" in s.refused})
            known = f"the kinds known are {', '.join(sorted({*FORMATS, *LINES}))}"
            raise UsageError(f"{path} holds no file to read; {missing[0] if missing else known}.")
        for source in found:
            sources.setdefault(source.path, source)
    return list(sources.values())


def _named(path: Path, ocr: bool) -> Iterator[Source]:
    if path == STDIN:
        yield Source(path, ocr=ocr)
    elif path.is_dir():
        yield from _walk(path, ocr)
    elif path.exists() or path.is_symlink():
        yield from _file(path, ocr, named=True)
    elif any(c in str(path) for c in "*?["):
        found = list(_matching(path, ocr))
        if not found:
            raise UsageError(f"No file matches {path}; check the pattern.")
        yield from found
    else:
        raise UsageError(f"There is no file or folder {path}; check the path.")


def _matching(pattern: Path, ocr: bool) -> Iterator[Source]:
    """Files that fit the pattern: `**` stands for any folders. Links are not followed, as in a folder."""
    fixed = next(i for i, part in enumerate(pattern.parts) if any(c in part for c in "*?["))
    root, names = Path(*pattern.parts[:fixed]), pattern.parts[fixed:]
    for source in _walk(root, ocr):
        file = source.line.file if source.line else source.path
        if _fits(file.relative_to(root).parts, names):
            yield source


def _fits(names: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns or not names:
        return not names and all(pattern == "**" for pattern in patterns)
    if patterns[0] == "**":
        return _fits(names, patterns[1:]) or _fits(names[1:], patterns)
    return fnmatchcase(names[0], patterns[0]) and _fits(names[1:], patterns[1:])


def _walk(folder: Path, ocr: bool) -> Iterator[Source]:
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield from _file(Path(where) / name, ocr, named=False)


def _file(path: Path, ocr: bool, *, named: bool) -> Iterator[Source]:
    """The documents of a file. One that the user named is followed where it is a link, and read as text where no other
    format is known; one that was come across is not."""
    suffix = path.suffix.lower()
    kind = files.stat_kind(path, follow=named)
    known = suffix in LINES or suffix in FORMATS
    if kind == "a link":
        yield Source(path, "a link; name the file itself to have it read")
    elif kind or not path.exists():
        yield Source(path, f"{kind or 'a link that leads nowhere'}, no regular file")
    elif suffix in LINES:
        try:
            for name, line in lines.find(path):
                yield Source(path / name, line=line)
        except DocumentError as error:
            yield Source(path, str(error).rstrip("."))
    elif not known and not named:
        yield Source(path, f"files of kind {path.suffix or 'without suffix'} are not read")
    elif missing := FORMATS[suffix].missing() if known else "":
        yield Source(path, missing)
    else:
        yield Source(path, ocr=ocr)


def read(source: Source) -> Document:
    """The document of a source. Raises DocumentError, whose reason is a word to count, for one that holds none.

    It may take seconds, and can be called from several threads at a time.
    """
    if source.refused is not None:
        raise DocumentError(f"{source.name}: {source.refused}.", reason="not read")
    if source.line is not None:
        return lines.load(source.line, source.name)
    if source.path == STDIN:
        return _piped(source)
    return load(source.path, ocr=source.ocr)


def load(path: Path, *, ocr: bool = False) -> Document:
    """The document in a file. Raises DocumentError, whose reason is a word to count, for one that holds none."""
    return _load(path, printable(path.name), FORMATS.get(path.suffix.lower()), ocr)


def _load(path: Path, name: str, kind: Format | None, ocr: bool) -> Document:
    if kind is None:
        with files.open_regular(path, loaders.PDF.largest) as file:
            kind = loaders.by_content(file.read(4096))
    if missing := kind.missing():
        raise DocumentError(f"{name}: {missing}.", reason="not read")
    if kind.apart:
        files.open_regular(path, kind.largest).close()
        document = apart.load(kind.module, path.absolute(), name, ocr)
        return enclosures.unfold(document, ocr) if isinstance(document, enclosures.Letter) else document
    return kind.load(path, name, ocr)


def _piped(source: Source) -> Document:
    """What stands on stdin, by way of a file, as most readers want to go back and forth in theirs."""
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            size = 0
            while data := sys.stdin.buffer.read(1 << 20):
                size += len(data)
                if size > _PIPED:
                    raise DocumentError(f"stdin is over {_PIPED / 1e6:.0f} MB; give a file.", reason="too large")
                file.write(data)
        return _load(path, source.name, None, source.ocr)
