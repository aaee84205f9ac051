"""Plain text: the file's own words, line ends and all."""

from __future__ import annotations

from pathlib import Path

from extractor.documents import formats as loaders
from extractor.documents.formats import io as files
from extractor.types import Document


def load(path: Path, name: str, ocr: bool) -> Document:
    return Document(name, files.checked(files.decode(files.read(path, loaders.TEXT.largest), name), name))
