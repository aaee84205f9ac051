"""Plain text: the file's own words, line ends and all."""

from __future__ import annotations

from pathlib import Path

from extractor.documents import formats as loaders
from extractor.documents.formats import io as files
from extractor.types import Document


def load(path: Path, name: str, ocr: bool) -> Document:
    return Document(
        name,
        files.require_text(files.decode_text(files.read_file_bytes(path, loaders.TEXT_FORMAT.max_bytes), name), name),
    )
