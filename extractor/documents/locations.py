"""The way back from a canonical text to the file: pages and boxes, source offsets, paragraphs and cells.

Kept in arrays: a book has a million words, and a Python object for each would be a hundred times its text.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from extractor.types import Json, Locations, Span


def _new_integers() -> array[int]:
    return array("I")


def _new_floats() -> array[float]:
    return array("f")


@dataclass(slots=True)
class WordBoxes:
    """Words of a paginated file, in the order of the text.

    Boxes are in points (1/72 inch) from the upper left corner of the page as it is shown: cropped and turned.
    """

    starts: array[int] = field(default_factory=_new_integers)
    lefts: array[float] = field(default_factory=_new_floats)
    rights: array[float] = field(default_factory=_new_floats)
    lines: array[int] = field(default_factory=_new_integers)
    """The number of words before each line; its words have single spaces between them."""
    ends: array[int] = field(default_factory=_new_integers)
    """Where each line ends, and its edges."""
    tops: array[float] = field(default_factory=_new_floats)
    bottoms: array[float] = field(default_factory=_new_floats)
    pages: array[int] = field(default_factory=_new_integers)
    """The number of words before each page."""
    certainties: array[float] = field(default_factory=_new_floats)
    """How surely each word was read off a picture, 0 to 1, up to the last that was; empty where none was."""

    def locate(self, span: Span) -> list[dict[str, Json]]:
        """A page and a box for every run of words on one line, and of words read off a picture how surely they were."""
        found: list[tuple[int, list[float], float]] = []
        for i in range(max(0, bisect_right(self.starts, span.start) - 1), bisect_left(self.starts, span.end)):
            page, line = bisect_right(self.pages, i), bisect_right(self.lines, i) - 1
            if span.start >= self._word_end(i, line):
                continue
            word = [self.lefts[i], self.tops[line], self.rights[i], self.bottoms[line]]
            certainty = self.certainties[i] if i < len(self.certainties) else 1.0
            if found and found[-1][0] == page and _is_adjoining(found[-1][1], word):
                box, before = found[-1][1:]
                box[:] = box[0], min(box[1], word[1]), word[2], max(box[3], word[3])
                found[-1] = page, box, min(before, certainty)
            else:
                found.append((page, word, certainty))
        return [
            {"page": page, "box": [round(edge, 2) for edge in box]}
            | ({"certainty": round(certainty, 2)} if certainty < 1 else {})
            for page, box, certainty in found
        ]

    def _word_end(self, word: int, line: int) -> int:
        after = self.lines[line + 1] if line + 1 < len(self.lines) else len(self.starts)
        return self.starts[word + 1] - 1 if word + 1 < after else self.ends[line]


def _is_adjoining(box: list[float], word: list[float]) -> bool:
    """Whether the word goes on to the right of the box, on its line."""
    height = min(box[3] - box[1], word[3] - word[1])
    return word[0] >= box[2] - 0.3 * height and 2 * (min(box[3], word[3]) - max(box[1], word[1])) > height


@dataclass(slots=True)
class SourceOffsets:
    """Runs of a text and where each stands in its source, in code points; both ascend.

    A run as long as its source is a copy of it. One of another length, such as the letter of an entity, is one thing.
    """

    starts: array[int] = field(default_factory=_new_integers)
    ends: array[int] = field(default_factory=_new_integers)
    sources: array[int] = field(default_factory=_new_integers)
    source_ends: array[int] = field(default_factory=_new_integers)

    def add_run(self, start: int, end: int, source: int, source_end: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.sources.append(source)
        self.source_ends.append(source_end)

    def locate(self, span: Span) -> list[dict[str, Json]]:
        """The range of the source from the first word to the last, with the markup between them."""
        first, after = bisect_right(self.ends, span.start), bisect_left(self.starts, span.end)
        runs = range(first, after)
        if not runs:
            return []
        ends = [self._source_range(i, span) for i in runs]
        return [{"source": {"start": min(a for a, _ in ends), "end": max(b for _, b in ends)}}]

    def _source_range(self, i: int, span: Span) -> tuple[int, int]:
        start, end = self.sources[i], self.source_ends[i]
        if end - start != self.ends[i] - self.starts[i]:
            return start, end
        return start + max(0, span.start - self.starts[i]), end - max(0, self.ends[i] - span.end)


@dataclass(slots=True)
class PieceLabels:
    """Pieces of a text (paragraphs, cells, header lines) and what each is called in its file: some numbers, from 1.

    0 means that there is no number. Where a key has names, the number is an index into them.
    """

    keys: tuple[str, ...] = ()
    names: dict[str, list[str]] = field(default_factory=dict)
    starts: array[int] = field(default_factory=_new_integers)
    ends: array[int] = field(default_factory=_new_integers)
    numbers: array[int] = field(default_factory=_new_integers)
    """As many for each piece as there are keys."""

    def add_piece(self, start: int, end: int, label: Sequence[int]) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.numbers.extend(label)

    def locate(self, span: Span) -> list[dict[str, Json]]:
        return [
            self._describe_piece(i)
            for i in range(bisect_right(self.ends, span.start), bisect_left(self.starts, span.end))
        ]

    def _describe_piece(self, i: int) -> dict[str, Json]:
        width = len(self.keys)
        numbers = dict(zip(self.keys, self.numbers[i * width : (i + 1) * width], strict=True))
        label: dict[str, Json] = {
            key: self.names[key][n - 1] if key in self.names else n for key, n in numbers.items() if n
        }
        if "sheet" in label:
            cell = f"{_spell_column(numbers['column'])}{numbers['row']}"
            label = {"sheet": label["sheet"], "cell": cell, **({"part": label["part"]} if "part" in label else {})}
        return label


@dataclass(slots=True)
class AttachmentLocations:
    """A text with the texts of attachments below it: each has its own places, prefixed with the attachment's name.

    The document's own text ends at `end`. What stands between the texts is in no file.
    """

    own_end: int
    own_places: Locations | None
    starts: array[int] = field(default_factory=_new_integers)
    ends: array[int] = field(default_factory=_new_integers)
    names: list[str] = field(default_factory=list)
    places: list[Locations | None] = field(default_factory=list)

    def add_attachment(self, start: int, end: int, name: str, places: Locations | None) -> None:
        """An attachment's text; without places it is the attachment's own, letter by letter."""
        self.starts.append(start)
        self.ends.append(end)
        self.names.append(name)
        self.places.append(places)

    def locate(self, span: Span) -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = []
        if span.start < self.own_end and self.own_places is not None:
            found += self.own_places.locate(Span(span.start, min(span.end, self.own_end)))
        for i in range(bisect_right(self.ends, span.start), bisect_left(self.starts, span.end)):
            by = self.starts[i]
            inner = Span(max(span.start, by) - by, min(span.end, self.ends[i]) - by)
            places, source = self.places[i], {"source": {"start": inner.start, "end": inner.end}}
            for place in [source] if places is None else places.locate(inner):
                within = place.pop("attachment", None)
                found.append({"attachment": f"{self.names[i]} / {within}" if within else self.names[i], **place})
        return found


@dataclass(slots=True)
class MovedLocations:
    """The places of a text that was cut out of another, in which it began at `by`."""

    by: int
    places: Locations

    def locate(self, span: Span) -> list[dict[str, Json]]:
        return self.places.locate(span.shift(self.by))


def _spell_column(column: int) -> str:
    """A column as spreadsheets call it: A for 1, Z for 26, AA for 27."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def describe_place(place: Json) -> str:
    """A place of a result file in words, for people; empty for what is none. The file may hold anything."""
    if not isinstance(place, Mapping):
        return ""
    words = [f"{name} {place[key]}" for key, name in _PLACE_NAMES.items() if _is_short_scalar(place.get(key))]
    box, source = place.get("box"), place.get("source")
    if isinstance(box, Sequence) and len(box) == 4 and all(isinstance(edge, int | float) for edge in box):
        words.append(f"{box[0]:.0f} pt from the left, {box[1]:.0f} pt from the top")
    if isinstance(source, Mapping) and _is_short_scalar(source.get("start")) and _is_short_scalar(source.get("end")):
        words.append(f"characters {source['start']}–{source['end']} of the source")
    if "body" in place:
        words.append("body of the mail")
    return ", ".join(words)


def describe_places(places: Sequence[Json]) -> str:
    """Places of one run of words: of the boxes on a page, one a line, the first."""
    first: dict[Json, Json] = {}
    for place in places[:_MAX_PLACES]:
        if isinstance(place, Mapping):
            first.setdefault(describe_place({key: value for key, value in place.items() if key != "box"}), place)
    return "; ".join(filter(None, map(describe_place, first.values())))


_MAX_PLACES = 200
_PLACE_NAMES = {
    "attachment": "attachment",
    "page": "page",
    "sheet": "sheet",
    "cell": "cell",
    "part": "in",
    "paragraph": "paragraph",
    "table": "table",
    "row": "row",
    "column": "column",
    "header": "header line",
    "line": "line",
}


def _is_short_scalar(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and 0 < len(str(value)) <= 300
