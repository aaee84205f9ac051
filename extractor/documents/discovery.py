"""Paths -> sources -> documents: one canonical text of code points each, with the places of its parts in the file.

This module decides what is read at all; `formats` holds a reader for each format.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from extractor.documents.formats import FORMATS_BY_SUFFIX, PDF_FORMAT, TEXT_FORMAT, Format, detect_format
from extractor.documents.formats.attachments import MailDocument, append_attachments
from extractor.documents.formats.io import describe_special_file, open_regular, printable_name
from extractor.documents.formats.jsonl import JsonLine, find_json_lines, load_json_line
from extractor.documents.formats.sandbox import load_in_sandbox
from extractor.documents.formats.unseen_signs import mark_unseen_signs
from extractor.errors import DocumentError, UsageError
from extractor.types import Document

__all__ = [
    "MAX_TEXT_BYTES",
    "STDIN",
    "Source",
    "find_sources",
    "load_bytes",
    "load_document",
    "printable_name",
    "read_source",
]

JSONL_SUFFIXES = frozenset({".jsonl", ".ndjson"})
"""Suffixes of files that hold a document a line."""
MAX_TEXT_BYTES = TEXT_FORMAT.max_bytes
"""Bytes of one text file that are read."""
STDIN = Path("-")
_MAX_STDIN_BYTES = 200_000_000
"""Bytes that are read from stdin."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document to read, or the reason why it will not be."""

    path: Path
    """Its file; of a document in a file of several, the file and its name in it: refs.jsonl/doc-7."""
    refused: str | None = None
    line: JsonLine | None = None
    ocr: bool = False
    """Whether pages without a text layer are read by OCR."""

    @property
    def name(self) -> str:
        """For people."""
        return "stdin" if self.path == STDIN else printable_name(self.path.name)


def find_sources(paths: Sequence[Path], *, ocr: bool = False) -> list[Source]:
    """The documents that the paths name, in a stable order, each once.

    A path is a file, a folder (its files of known kinds at any depth), a pattern such as `papers/**/*.pdf`, or `-` for
    stdin. Files of other kinds and links in a folder are in the list too, refused, so that no file is skipped
    silently. Raises UsageError for a path that does not exist and for one that holds nothing to read.
    """
    sources: dict[Path, Source] = {}
    for path in paths:
        found = list(_find_named(path, ocr))
        if not any(s.refused is None for s in found):
            missing = sorted({s.refused for s in found if s.refused and "pip install" in s.refused})
            known = f"the kinds known are {', '.join(sorted({*FORMATS_BY_SUFFIX, *JSONL_SUFFIXES}))}"
            raise UsageError(f"{path} holds no file to read; {missing[0] if missing else known}.")
        for source in found:
            sources.setdefault(source.path, source)
    return list(sources.values())


def _find_named(path: Path, ocr: bool) -> Iterator[Source]:
    if path == STDIN:
        yield Source(path, ocr=ocr)
    elif path.is_dir():
        yield from _walk_folder(path, ocr)
    elif path.exists() or path.is_symlink():
        yield from _find_in_file(path, ocr, named=True)
    elif any(c in str(path) for c in "*?["):
        found = list(_find_matching(path, ocr))
        if not found:
            raise UsageError(f"No file matches {path}; check the pattern.")
        yield from found
    else:
        raise UsageError(f"There is no file or folder {path}; check the path.")


def _find_matching(pattern: Path, ocr: bool) -> Iterator[Source]:
    """Files that fit the pattern: `**` stands for any folders. Links are not followed, as in a folder."""
    fixed = next(i for i, part in enumerate(pattern.parts) if any(c in part for c in "*?["))
    root, names = Path(*pattern.parts[:fixed]), pattern.parts[fixed:]
    for source in _walk_folder(root, ocr):
        file = source.line.file if source.line else source.path
        if _matches_pattern(file.relative_to(root).parts, names):
            yield source


def _matches_pattern(names: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns or not names:
        return not names and all(pattern == "**" for pattern in patterns)
    if patterns[0] == "**":
        return _matches_pattern(names, patterns[1:]) or _matches_pattern(names[1:], patterns)
    return fnmatchcase(names[0], patterns[0]) and _matches_pattern(names[1:], patterns[1:])


def _walk_folder(folder: Path, ocr: bool) -> Iterator[Source]:
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield from _find_in_file(Path(where) / name, ocr, named=False)


def _find_in_file(path: Path, ocr: bool, *, named: bool) -> Iterator[Source]:
    """The documents of a file. A file that the user named is followed where it is a link, and read as text where its
    format is unknown; a file that was found in a folder is not."""
    suffix = path.suffix.lower()
    kind = describe_special_file(path, follow=named)
    known = suffix in JSONL_SUFFIXES or suffix in FORMATS_BY_SUFFIX
    if kind == "a link":
        yield Source(path, "a link; name the file itself to have it read")
    elif kind or not path.exists():
        yield Source(path, f"{kind or 'a link that leads nowhere'}, no regular file")
    elif suffix in JSONL_SUFFIXES:
        try:
            for name, line in find_json_lines(path):
                yield Source(path / name, line=line)
        except DocumentError as error:
            yield Source(path, str(error).rstrip("."))
    elif not known and not named:
        yield Source(path, f"files of kind {path.suffix or 'without suffix'} are not read")
    elif missing := FORMATS_BY_SUFFIX[suffix].missing_extra() if known else "":
        yield Source(path, missing)
    else:
        yield Source(path, ocr=ocr)


def read_source(source: Source) -> Document:
    """The document of a source. Raises DocumentError, whose reason is a code to count by, for one that holds none.

    It may take seconds, and can be called from several threads at a time.
    """
    if source.refused is not None:
        raise DocumentError(f"{source.name}: {source.refused}.", reason="not read")
    if source.line is not None:
        return mark_unseen_signs(load_json_line(source.line, source.name))
    if source.path == STDIN:
        return _read_stdin(source)
    return load_document(source.path, ocr=source.ocr)


def load_document(path: Path, *, ocr: bool = False) -> Document:
    """The document in a file. Raises DocumentError, whose reason is a code to count by, for one that holds none."""
    return _load_file(path, printable_name(path.name), FORMATS_BY_SUFFIX.get(path.suffix.lower()), ocr)


def load_bytes(data: bytes, name: str, *, ocr: bool = False) -> Document:
    """The document in the bytes of a file of that name; its suffix says what they hold, or else their beginning.

    Raises DocumentError, whose reason is a word to count, for bytes that hold none, or several.
    """
    suffix = Path(name).suffix.lower()
    if suffix in JSONL_SUFFIXES:
        raise DocumentError(f"{name} holds a document a line; write it to a file and name that.", reason="not read")
    # by way of a file, as most readers want to go back and forth in theirs, and some are in another process
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        path = Path(folder) / f"document{suffix if suffix in FORMATS_BY_SUFFIX else ''}"
        path.write_bytes(data)
        return _load_file(path, name, FORMATS_BY_SUFFIX.get(suffix), ocr)


def _load_file(path: Path, name: str, kind: Format | None, ocr: bool) -> Document:
    if kind is None:
        with open_regular(path, PDF_FORMAT.max_bytes) as file:
            kind = detect_format(file.read(4096))
    if missing := kind.missing_extra():
        raise DocumentError(f"{name}: {missing}.", reason="not read")
    if kind.sandboxed:
        open_regular(path, kind.max_bytes).close()
        document = load_in_sandbox(kind.module, path.absolute(), name, ocr)
        whole = append_attachments(document, ocr) if isinstance(document, MailDocument) else document
    else:
        whole = kind.load(path, name, ocr)
    return mark_unseen_signs(whole)


def _read_stdin(source: Source) -> Document:
    """The document on stdin, read through a temporary file, since most readers need to seek."""
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            size = 0
            while data := sys.stdin.buffer.read(1 << 20):
                size += len(data)
                if size > _MAX_STDIN_BYTES:
                    raise DocumentError(
                        f"stdin is over {_MAX_STDIN_BYTES / 1e6:.0f} MB; give a file.", reason="too large"
                    )
                file.write(data)
        return _load_file(path, source.name, None, source.ocr)
