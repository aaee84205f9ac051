"""Plain text: the file's own words, line ends and all."""

from __future__ import annotations

from pathlib import Path

from extractor import loaders
from extractor.loaders import files
from extractor.types import Document


def load(path: Path, name: str, ocr: bool) -> Document:
    return Document(name, files.checked(files.decode(files.read(path, loaders.TEXT.largest), name), name))
