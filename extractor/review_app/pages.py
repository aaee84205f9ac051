"""Pages of a document as pictures, and where each word stands, so that words are selected on the page itself."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from pathlib import Path

from extractor.documents.discovery import load_document
from extractor.documents.formats import FORMATS_BY_SUFFIX, IMAGE_FORMAT, PDF_FORMAT
from extractor.documents.formats.page_pictures import FOR_PEOPLE, PagePicture, picture_pages
from extractor.documents.locations import WordBoxes
from extractor.errors import DocumentError, UsageError
from extractor.types import Json, Span

MAX_PICTURED_PAGES = 40
"""Pages of one document that are pictured, the first."""
MAX_CACHED = 6
"""Documents whose pages are held."""


@dataclass(frozen=True, slots=True)
class DocumentPages:
    """The pictures of a document and the boxes of its words; no boxes where its text is not the result's."""

    pictures: tuple[PagePicture, ...] = ()
    boxes: WordBoxes | None = None
    text: str = ""

    def describe(self) -> list[dict[str, Json]]:
        return [
            {
                "number": p.number,
                "width": round(p.width, 2),
                "height": round(p.height, 2),
                "words": self.list_words(p.number),
            }
            for p in self.pictures
        ]

    def list_words(self, page: int) -> list[list[Json]]:
        """[start, end, left, top, right, bottom] of each word of a page: code points of the text, and points."""
        if self.boxes is None:
            return []
        first = self.boxes.pages[page - 1] if page <= len(self.boxes.pages) else len(self.boxes.starts)
        after = self.boxes.pages[page] if page < len(self.boxes.pages) else len(self.boxes.starts)
        words: list[list[Json]] = []
        for number in range(first, after):
            start = self.boxes.starts[number]
            bound = self.boxes.starts[number + 1] if number + 1 < len(self.boxes.starts) else len(self.text)
            end = start + len(self.text[start:bound].split(maxsplit=1)[0]) if self.text[start:bound].split() else start
            found = self.boxes.locate(Span(start, end)) if end > start else []
            if found and found[0]["page"] == page:
                words.append([start, end, *found[0]["box"]])
        return words


class PageFinder:
    """Pages of documents by the names that their results have, from the files of a folder. Threads may use it."""

    def __init__(self, documents: Path | None) -> None:
        self._files: dict[str, Path] = {}
        if documents is not None:
            if not documents.exists():
                raise UsageError(f"There is no file or folder {documents}; name the one with the documents.")
            found = sorted(documents.rglob("*")) if documents.is_dir() else [documents]
            files = [path for path in found if path.is_file() and not path.is_symlink()]
            names = Counter(path.name for path in files)
            self._files = {path.name: path for path in files if names[path.name] == 1}
        self._held: OrderedDict[tuple[str, str], DocumentPages] = OrderedDict()
        self._lock = threading.Lock()

    def find_pages(self, name: str, text: str) -> DocumentPages:
        """The pages of the document of that name; none where it has no file here, or one without pages."""
        path, key = self._files.get(name), (name, text)
        if path is None:
            return DocumentPages()
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            pages = _read_pages(path, text)
            self._held[key] = pages
            while len(self._held) > MAX_CACHED:
                self._held.popitem(last=False)
            return pages


def _read_pages(path: Path, text: str) -> DocumentPages:
    try:
        kind = FORMATS_BY_SUFFIX.get(path.suffix.lower())
        if kind not in (PDF_FORMAT, IMAGE_FORMAT) or kind.missing_extra():
            return DocumentPages()
        pictures = picture_pages(path, path.name, range(1, MAX_PICTURED_PAGES + 1), FOR_PEOPLE)
        if not pictures:
            return DocumentPages()
        document = load_document(path)
    except DocumentError:
        return DocumentPages()
    boxes = document.locations if isinstance(document.locations, WordBoxes) and document.text == text else None
    return DocumentPages(pictures, boxes, text)
