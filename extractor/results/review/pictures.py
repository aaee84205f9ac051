"""Pages of a document beside its record: a picture of each, with boxes where the words of its values stand."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.documents.formats import FORMATS_BY_SUFFIX, IMAGE_FORMAT, PDF_FORMAT
from extractor.documents.formats.page_pictures import FOR_PEOPLE, PagePicture, picture_pages
from extractor.errors import DocumentError, UsageError

MAX_PICTURE_BYTES = 40_000_000
"""Of all pictures on one page; documents after that have none."""
MAX_PICTURED_PAGES = 40
"""Pages of one document that are shown, the first of those that values stand on."""
PageBoxes = Mapping[int, Sequence[tuple[int, tuple[float, float, float, float]]]]
"""For each place of a text the pages that its words stand on, and the edges of each run of them there."""


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as it is drawn: its picture as an address, and for each box its place, left, top, width and height."""

    number: int
    width: str
    height: str
    address: str
    boxes: tuple[tuple[int, str, str, str, str], ...]


class PictureFinder:
    """Pictures of documents by the names that their results have, from the files in a folder."""

    def __init__(self, documents: Path) -> None:
        if not documents.exists():
            raise UsageError(f"There is no file or folder {documents}; name the one with the documents.")
        found = sorted(documents.rglob("*")) if documents.is_dir() else [documents]
        files = [path for path in found if path.is_file() and not path.is_symlink()]
        names = [path.name for path in files]
        self._files = {path.name: path for path in files if names.count(path.name) == 1}
        self._room = MAX_PICTURE_BYTES

    def find_pages(self, name: str, boxes: PageBoxes) -> list[PageView]:
        """The pages of the document of that name that words stand on; none where it has no file, or one of no pages."""
        path = self._files.get(name)
        wanted = {page for places in boxes.values() for page, _ in places}
        if path is None or not wanted:
            return []
        kind = FORMATS_BY_SUFFIX.get(path.suffix.lower())
        if kind not in (PDF_FORMAT, IMAGE_FORMAT) or kind.missing_extra():
            return []
        try:
            pictures = picture_pages(path, path.name, frozenset(sorted(wanted)[:MAX_PICTURED_PAGES]), FOR_PEOPLE)
        except DocumentError:
            return []
        self._room -= sum(len(picture.data) for picture in pictures)
        return [_draw_page(picture, boxes) for picture in pictures] if self._room >= 0 else []


def _draw_page(picture: PagePicture, boxes: PageBoxes) -> PageView:
    drawn = []
    for place, found in boxes.items():
        for page, (left, top, right, bottom) in found:
            if page == picture.number and right > left and bottom > top:
                edges = (f"{edge:.2f}" for edge in (left, top, right - left, bottom - top))
                drawn.append((place, *edges))
    address = f"data:image/webp;base64,{base64.b64encode(picture.data).decode()}"
    return PageView(picture.number, f"{picture.width:.2f}", f"{picture.height:.2f}", address, tuple(drawn))  # type: ignore[arg-type]
