"""Plain text: the file's own words, line ends and all."""

from __future__ import annotations

from pathlib import Path

from extractor.documents.formats import TEXT_FORMAT
from extractor.documents.formats.encodings import decode_bytes
from extractor.documents.formats.io import read_file_bytes, require_text
from extractor.types import Document


def load(path: Path, name: str, ocr: bool) -> Document:
    read = decode_bytes(read_file_bytes(path, TEXT_FORMAT.max_bytes), name)
    return Document(name, require_text(read.text, name), notes=tuple(filter(None, [read.note])))
