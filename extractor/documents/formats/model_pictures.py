"""Pictures of pages for models, in the process of a reader (see `page_pictures`)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from extractor.documents.formats.page_pictures import FOR_MODELS, PicturedDocument, draw_pages


def load_pages(path: Path, name: str, wanted: Collection[int]) -> PicturedDocument:
    """Pictures of the pages of those numbers."""
    return draw_pages(path, name, wanted, FOR_MODELS)
