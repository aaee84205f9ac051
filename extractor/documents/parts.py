"""A part of a document as a document of its own: its text, tables, hidden words, and where they stand in the file."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar

from extractor.documents.locations import AttachmentLocations, MovedLocations, PieceLabels, WordBoxes
from extractor.types import Document, Span, TextTable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextPart:
    """A range of a document's text that is read as a document."""

    span: Span
    """What reaches beyond the text's end is cut off."""
    notes: tuple[str, ...] = ()
    """What a person should know of it, added to what is known of the whole: a sentence each."""


def cut_document(whole: Document, part: TextPart, name: str) -> Document:
    """The part as a document. What could not be read of the whole file is told of each part, as nobody knows whose it
    was."""
    span = Span(min(part.span.start, len(whole.text)), min(part.span.end, len(whole.text)))
    if span.start == 0 and span.end == len(whole.text):
        moved = whole.locations
    else:
        moved = MovedLocations(span.start, whole.locations) if span.start and whole.locations else whole.locations
    return Document(
        name,
        whole.text[span.start : span.end],
        hidden=_cut_spans(whole.hidden, span),
        tables=tuple(cut for table in _find_tables(whole, span) if (cut := _cut_table(table, span)) is not None),
        unread=whole.unread,
        locations=moved,
        loader=whole.loader,
        notes=(*whole.notes, *part.notes),
        doubtful=_cut_spans(whole.doubtful, span),
    )


def _cut_spans(spans: Sequence[Span], within: Span) -> tuple[Span, ...]:
    first = bisect_right(spans, within.start, key=lambda one: one.end)
    inner = takewhile(lambda one: one.start < within.end, _from(spans, first))
    cut = (Span(max(one.start, within.start), min(one.end, within.end)) for one in inner)
    return tuple(one.shift(-within.start) for one in cut)


def _find_tables(whole: Document, within: Span) -> Iterator[TextTable]:
    """The tables that have some of the range; not looked for among all of them, for there are as many parts."""
    first = bisect_right(whole.tables, within.start, key=lambda table: table.span.end)
    return takewhile(lambda table: table.span.start < within.end, _from(whole.tables, first))


def _from(ordered: Sequence[T], first: int) -> Iterator[T]:
    return (ordered[at] for at in range(first, len(ordered)))


def _cut_table(table: TextTable, within: Span) -> TextTable | None:
    """The table where it stands in the part; one that is cut through keeps its rows, and loses its cells."""
    if table.span.within(within):
        return table.shift(-within.start)
    if not table.span.overlaps(within):
        return None
    start, end = max(table.span.start, within.start), min(table.span.end, within.end)
    header = table.header if table.header is not None and table.header.within(Span(start, end)) else None
    return TextTable(Span(start, end), header).shift(-within.start)


def find_page_starts(document: Document) -> list[int]:
    """Where each page but the first begins in the text, as far as it has words; nothing for a file without pages."""
    places = document.locations
    if isinstance(places, AttachmentLocations):
        places = places.own_places
    match places:
        case WordBoxes():
            words = (number for number in places.pages if 0 < number < len(places.starts))
            starts = [places.starts[number] for number in words]
        case PieceLabels() if "page" in places.keys:
            width, at = len(places.keys), places.keys.index("page")
            pages = places.numbers[at::width]
            starts = [places.starts[i] for i in range(1, len(pages)) if pages[i] != pages[i - 1]]
        case _:
            return []
    return sorted(set(starts))


def find_page(page_starts: Sequence[int], position: int) -> int:
    """The page that a position stands on, from 1, counted as far as pages have words."""
    return bisect_left(page_starts, position + 1) + 1


class RecentDocuments:
    """The last documents that parts were read of: reading one may take minutes, with OCR. Threads may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Document] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, key: Hashable, read: Callable[[], Document]) -> Document:
        """The document of the key; the second of two threads that want the same waits for it."""
        with self._lock:
            if key not in self._held:
                self._held[key] = read()
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]
