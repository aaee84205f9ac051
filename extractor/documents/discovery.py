"""Paths -> sources -> documents: one canonical text of code points each, with the places of its parts in the file.

This module decides what is read at all; `formats` holds a reader for each format.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from extractor.documents.formats import CONTAINER_SUFFIXES, FORMATS_BY_SUFFIX, TEXT_FORMAT, Format
from extractor.documents.formats.attachments import MailDocument, append_attachments
from extractor.documents.formats.containers import (
    ContainedFile,
    find_contained_files,
    is_system_file,
    may_be_container,
    name_container,
    unpack_contained_file,
)
from extractor.documents.formats.detection import choose_format, describe_kind, recognise_content
from extractor.documents.formats.io import describe_special_file, open_regular, printable_name
from extractor.documents.formats.jsonl import JsonLines, load_json_line
from extractor.documents.formats.sandbox import load_in_sandbox
from extractor.documents.formats.tar_archives import PACKED_SUFFIXES
from extractor.documents.formats.unseen_signs import mark_unseen_signs
from extractor.documents.parts import RecentDocuments, cut_document
from extractor.documents.sources import STDIN, Source, Sources
from extractor.documents.vision import PICTURED_FORMATS, add_pictures, load_seen_document
from extractor.errors import DocumentError, UsageError
from extractor.types import Document, Vision

__all__ = [
    "MAX_TEXT_BYTES",
    "STDIN",
    "Source",
    "Sources",
    "find_sources",
    "load_bytes",
    "load_document",
    "printable_name",
    "read_source",
    "show_sources",
]

JSONL_SUFFIXES = frozenset({".jsonl", ".ndjson"})
"""Suffixes of files that hold a document a line."""
MAX_TEXT_BYTES = TEXT_FORMAT.max_bytes
"""Bytes of one text file that are read."""
_MAX_STDIN_BYTES = 200_000_000
"""Bytes that are read from stdin."""


def find_sources(
    paths: Sequence[Path],
    *,
    ocr: bool = False,
    leave_out: Collection[Path] = (),
    on_ignored: Callable[[Path], None] = lambda path: None,
) -> Sources:
    """The documents that the paths name, in a stable order, each once.

    A path is a file, a folder (its files of known kinds at any depth), a pattern such as `papers/**/*.pdf`, or `-` for
    stdin. Files of other kinds and links in a folder are in the list too, refused, so that no file is skipped
    silently. What is nobody's document is not in the list (hidden files and folders, locks of Office, folders that a
    run wrote its results to, and in folders the files to `leave_out`): `on_ignored` is told of each.
    Raises UsageError for a path that does not exist and for one that holds nothing to read.
    """
    sources: dict[Path, Source | JsonLines] = {}
    apart = frozenset(path.resolve() for path in leave_out)
    for path in paths:
        holds_some = False
        refusals = set[str]()
        for found in _FileFinder(ocr, apart, on_ignored).find_named(path):
            if isinstance(found, JsonLines):
                holds_some = holds_some or len(found) > 0
            elif found.refused is None:
                holds_some = True
            elif "pip install" in found.refused:
                refusals.add(found.refused)
            sources.setdefault(found.path, found)
        if not holds_some:
            missing = sorted(refusals)
            known = (
                "the kinds known are "
                f"{', '.join(sorted({*FORMATS_BY_SUFFIX, *JSONL_SUFFIXES, *CONTAINER_SUFFIXES, *PACKED_SUFFIXES}))}"
            )
            raise UsageError(f"{path} holds no file to read; {missing[0] if missing else known}.")
    return Sources(sources.values())


def show_sources(sources: Iterable[Source], vision: Vision) -> Sequence[Source]:
    """The sources, pages of which are pictured for a model that sees."""
    if isinstance(sources, Sources):
        return sources.show(vision)
    return [replace(source, vision=vision) for source in sources]


def is_system_key(names: Sequence[str]) -> bool:
    """Whether an object of these names, of its folders and itself, is nobody's document: hidden, or of the system."""
    return any(map(is_system_file, names))


def matches_pattern(names: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether the names of folders and a file fit those of a pattern; `**` stands for any folders."""
    if not patterns or not names:
        return not names and all(pattern == "**" for pattern in patterns)
    if patterns[0] == "**":
        return matches_pattern(names, patterns[1:]) or matches_pattern(names[1:], patterns)
    return fnmatchcase(names[0], patterns[0]) and matches_pattern(names[1:], patterns[1:])


@dataclass(frozen=True, slots=True)
class _FileFinder:
    """Finds the documents of one path that was named."""

    ocr: bool
    leave_out: frozenset[Path]
    on_ignored: Callable[[Path], None]

    def find_named(self, path: Path) -> Iterator[Source | JsonLines]:
        if path == STDIN:
            yield Source(path, ocr=self.ocr)
        elif path.is_dir():
            yield from self._walk_folder(path)
        elif path.exists() or path.is_symlink():
            yield from self._find_in_file(path, named=True)
        elif any(c in str(path) for c in "*?["):
            found = list(self._find_matching(path))
            if not found:
                raise UsageError(f"No file matches {path}; check the pattern.")
            yield from found
        else:
            raise UsageError(f"There is no file or folder {path}; check the path.")

    def _find_matching(self, pattern: Path) -> Iterator[Source | JsonLines]:
        """Files that fit the pattern: `**` stands for any folders. Links are not followed, as in a folder."""
        fixed = next(i for i, part in enumerate(pattern.parts) if any(c in part for c in "*?["))
        root, names = Path(*pattern.parts[:fixed]), pattern.parts[fixed:]
        for source in self._walk_folder(root):
            file = source.path if isinstance(source, JsonLines) else source.file
            if matches_pattern(file.relative_to(root).parts, names):
                yield source

    def _walk_folder(self, folder: Path) -> Iterator[Source | JsonLines]:
        closed: list[OSError] = []
        for where, folders, names in os.walk(folder, followlinks=False, onerror=closed.append):
            at = Path(where)
            walked = []
            for name in sorted(folders):
                if is_system_file(name) or _is_output_folder(at / name):
                    self.on_ignored(at / name)
                elif (at / name).is_symlink():
                    yield Source(at / name, "a link to a folder; name the folder itself to have it read")
                else:
                    walked.append(name)
            folders[:] = walked
            for name in sorted(names):
                if is_system_file(name) or self._is_left_out(at / name):
                    self.on_ignored(at / name)
                else:
                    yield from self._find_in_file(at / name, named=False)
        for error in closed:
            yield Source(Path(os.fsdecode(error.filename)), f"a folder that cannot be listed ({error.strerror})")

    def _is_left_out(self, path: Path) -> bool:
        return any(path.name == other.name for other in self.leave_out) and path.resolve() in self.leave_out

    def _find_in_file(self, path: Path, *, named: bool) -> Iterator[Source | JsonLines]:
        """The documents of a file. A file that the user named is followed where it is a link, and read as text where
        its format is unknown; a file that was found in a folder is not."""
        kind = describe_special_file(path, follow=named)
        if kind == "a link":
            yield Source(path, "a link; name the file itself to have it read")
        elif kind or not path.exists():
            yield Source(path, f"{kind or 'a link that leads nowhere'}, no regular file")
        else:
            suffix = path.suffix.lower()
            try:
                if suffix in JSONL_SUFFIXES:
                    yield JsonLines(path)
                elif (kind := name_container(path)) and may_be_container(kind, recognise_content(path)):
                    yield from self._find_in_container(path)
                else:
                    yield Source(path, _refuse_kind(path, suffix, named), ocr=self.ocr)
            except DocumentError as error:
                yield Source(path, str(error).rstrip(".").removeprefix(f"{printable_name(path.name)} "))

    def _find_in_container(self, path: Path) -> Iterator[Source]:
        for member in find_contained_files(path):
            yield Source(path / member.name, member.refused or None, member=member, ocr=self.ocr)


def _refuse_kind(path: Path, suffix: str, named: bool) -> str | None:
    """Why the file is not read; None if it is. Without a suffix that is known its content tells."""
    kind = FORMATS_BY_SUFFIX.get(suffix)
    if kind is None:
        found = recognise_content(path)
        kind = FORMATS_BY_SUFFIX.get(found)
        if found in CONTAINER_SUFFIXES:
            return f"{describe_kind(found)} under another name; call it {found} to have its documents read"
        if kind is None and found:
            return f"{describe_kind(found)}, which is not read"
        if not named and (not found or (suffix not in _OLD_SUFFIXES and found not in _CERTAIN_SUFFIXES)):
            return f"files of kind {suffix or 'without suffix'} are not read"
    return (kind.missing_extra() if kind else "") or None


_OLD_SUFFIXES = frozenset({"", ".doc", ".dot", ".ppt", ".pps", ".wps"})
"""Of files whose content alone tells how they are read: many a .doc is RTF, a web page or a .docx."""
_CERTAIN_SUFFIXES = frozenset(
    {".pdf", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".msg", ".rtf", ".eml"}
)
"""What is recognised for certain, whatever a file's own suffix is."""


def _is_output_folder(folder: Path) -> bool:
    """Whether results of a run lie there: they are no documents."""
    return (folder / "run.json").is_file() and (folder / "journal.jsonl").is_file()


def read_source(source: Source) -> Document:
    """The document of a source. Raises DocumentError, whose reason is a code to count by, for one that holds none.

    It may take seconds, and can be called from several threads at a time.
    """
    if source.refused is not None:
        raise DocumentError(f"{source.name}: {source.refused}.", reason="not read")
    if source.whole is not None and source.part is not None:
        return cut_document(_read_whole(source.whole), source.part, source.name)
    if source.line is not None:
        return mark_unseen_signs(load_json_line(source.line, source.name))
    if source.member is not None:
        return _read_member(source.member, source)
    if source.path == STDIN:
        return _read_stdin(source)
    return load_document(source.path, ocr=source.ocr, vision=source.vision)


_whole_documents = RecentDocuments(4)


def _read_whole(source: Source) -> Document:
    """The document that a part is of; the parts of one come one after the other, so that the last few are kept."""
    try:
        status = source.file.stat()
    except OSError:
        return read_source(source)
    return _whole_documents.read((source, status.st_size, status.st_mtime_ns), lambda: read_source(source))


def load_document(path: Path, *, ocr: bool = False, vision: Vision = Vision.NEVER) -> Document:
    """The document in a file. Raises DocumentError, whose reason is a code to count by, for one that holds none."""
    return _load_file(path, printable_name(path.name), ocr, vision)


def load_bytes(data: bytes, name: str, *, ocr: bool = False, vision: Vision = Vision.NEVER) -> Document:
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
        return _load_file(path, name, ocr, vision)


def _read_member(member: ContainedFile, source: Source) -> Document:
    """A document of an archive or a mailbox, by way of a file, as all formats are read from files."""
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        path = Path(folder) / f"document{member.suffix if member.suffix in FORMATS_BY_SUFFIX else ''}"
        unpack_contained_file(member, path, source.name)
        return _load_file(path, source.name, source.ocr, source.vision)


def _load_file(path: Path, name: str, ocr: bool, vision: Vision) -> Document:
    """The document in a file; `name` is what it is called, which the file may not be."""
    claimed = FORMATS_BY_SUFFIX.get(path.suffix.lower())
    kind = choose_format(path, path.suffix.lower(), name)
    if missing := kind.missing_extra():
        raise DocumentError(f"{name}: {missing}.", reason="not read")
    document = _load_as(kind, path, name, ocr, vision)
    if claimed in (None, kind):
        return document
    note = f"{name} is no {path.suffix.lower()} file by what it holds; it was read by the reader of {kind.module}."
    return replace(document, notes=(*document.notes, note))


def _load_as(kind: Format, path: Path, name: str, ocr: bool, vision: Vision) -> Document:
    is_seen = vision is not Vision.NEVER and kind in PICTURED_FORMATS
    if kind.sandboxed:
        open_regular(path, kind.max_bytes).close()
        if is_seen:
            document = load_seen_document(kind, path.absolute(), name, ocr)
        else:
            document = load_in_sandbox(kind.module, path.absolute(), name, ocr or kind.always_ocr)
        whole = append_attachments(document, ocr) if isinstance(document, MailDocument) else document
    else:
        whole = kind.load(path, name, ocr)
    return mark_unseen_signs(add_pictures(whole, path.absolute(), vision) if is_seen else whole)


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
        return _load_file(path, source.name, source.ocr, source.vision)
