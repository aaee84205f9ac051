"""What a caller hands over as a document, as the steps take it: texts, bytes, files and folders to Documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TypeAlias

from extractor.documents.discovery import Source, find_sources, load_bytes, printable_name, read_source, show_sources
from extractor.errors import DocumentError, UsageError
from extractor.types import Document, Vision

DocumentSource: TypeAlias = str | bytes | Path | IO[str] | IO[bytes] | Document
"""A text, the bytes of a file, its Path, a file that is open for reading, or a Document."""

UNNAMED_TEXT, UNNAMED_FILE = "text", "document"
"""Names of documents whose caller gives none."""


def load_input_document(source: DocumentSource, name: str | None = None, vision: Vision = Vision.NEVER) -> Document:
    """The document; `name` is what it is called, and by its suffix says of bytes what they hold. `vision` says which
    pages of a file are pictured.

    Raises DocumentError for a file or text that holds nothing to read, UsageError for a text that names a file.
    """
    match source:
        case Document():
            return _rename(source, name)
        case Path():
            found = show_sources(find_sources([source]), vision)
            if len(found) != 1:
                raise UsageError(f"{source} holds {len(found)} documents; use extract_all for them.")
            return _rename(read_source(found[0]), name)
        case str():
            return _read_text(source, name)
        case bytes():
            return load_bytes(source, printable_name(name or UNNAMED_FILE), vision=vision)
    if not hasattr(source, "read"):
        raise UsageError(
            f"A document is text, bytes, a Path, an open file or a Document, and not of type {type(source).__name__}."
        )
    content = source.read()
    called = name or printable_name(Path(name_source(source)).name)
    return (
        load_bytes(content, called, vision=vision)
        if isinstance(content, bytes)
        else _build_text_document(content, called)
    )


def name_source(source: DocumentSource | Source) -> str:
    """What a document is called that could not be read."""
    match source:
        case Source() | Document():
            return source.name
        case str():
            return UNNAMED_TEXT
        case Path():
            return printable_name(source.name)
    given = getattr(source, "name", None)  # of a file that was opened by a number, it is the number
    return given if isinstance(given, str) and given else UNNAMED_FILE


def _rename(document: Document, name: str | None) -> Document:
    return document if name is None else replace(document, name=printable_name(name))


def _read_text(text: str, name: str | None) -> Document:
    if _names_a_file(text):
        raise UsageError(f"{text!r} is a file's name, not a text; give Path({text!r}) to have it read.")
    return _build_text_document(text, printable_name(name or UNNAMED_TEXT))


def _build_text_document(text: str, name: str) -> Document:
    if not text.strip():
        raise DocumentError("The text is empty; there is nothing to extract.", reason="empty")
    return Document(name, text)


def _names_a_file(text: str) -> bool:
    if len(text) > 1000 or "\n" in text or not text.strip():
        return False
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def expand_sources(
    sources: Iterable[DocumentSource] | DocumentSource, vision: Vision = Vision.NEVER
) -> Iterator[DocumentSource | Source]:
    """The documents one by one; a folder is the files in it. `vision` says which pages of a file are pictured."""
    for source in _list_sources(sources):
        if isinstance(source, Path):
            yield from show_sources(find_sources([source]), vision)
        else:
            yield source


def _list_sources(sources: Iterable[Any] | DocumentSource) -> Iterable[Any]:
    alone = isinstance(sources, str | bytes | Path | Document) or hasattr(sources, "read")
    return [sources] if alone else sources  # type: ignore[return-value]
