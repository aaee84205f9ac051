"""What stands beside words: the label on their line, the header of their column, the line above, the heading.

A field is known by the words of its name and description. Of several mentions of a value, its own is the one beside
which these words stand, weighed by how few other fields are described by them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from extractor.extraction.text.outline import Outline
from extractor.schema.kinds.folding import simple
from extractor.schema.reader import Field, Node, Object, ObjectList
from extractor.types import Document, GridCell, Span

_WORD = re.compile(r"[^\W\d_]+")
_NUMBERED = re.compile(r"(?<![\w.,])[A-Za-z]?\d{1,4}(?![\w%]|[.,]\d)")
"""What tells fields apart as words do: a year, Q1."""
_NAME_PART = re.compile(r"[A-Za-z]?\d+|[A-Z]+(?![a-z\d])|[A-Z]?[a-z]+(?![a-z])|[^\W\d_A-Za-z]+")
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where words are joined by their capitals, as in names of elements and keys: DueDate, IBANNumber."""
STEM = 5
"""Letters by which two words are taken for forms of one: "payment", "payable" are none; "address", "addresses" are."""
BESIDE, AFTER, LONGEST_LABEL = 80, 24, 400
"""Characters of its line before and after a mention, and of a header or the line above, that may be labels."""
_SEEN = re.compile(r"\S")
_CELL_BREAK = re.compile(r"\t| \| |\|| {2,}|;|,(?! )")
"""What divides the cells of a line: of a table's text, of aligned columns, of values separated by commas."""
_ITEM_BEFORE = re.compile(r"\d[^\d,;:|\t]*[^\W\d_]{2}[^\d,;:|\t]*(?:[,;]|\b(?:and|und|et|y|e|en|och|og|i))[ ]$")
"""An item of an enumeration that is named behind its figure, as the next one then is, too."""
_ITEM_END = re.compile(r"[,;|\t]| {2}")
_LIGHT = frozenset(
    [
        "the",
        "and",
        "for",
        "from",
        "with",
        "that",
        "this",
        "are",
        "was",
        "were",
        "one",
        "its",
        "not",
        "any",
        "all",
        "has",
        "have",
        "which",
        "who",
        "whom",
        "des",
        "der",
        "die",
        "das",
        "und",
        "les",
    ]
)


@lru_cache(maxsize=1 << 11)
def word_stems(text: str) -> frozenset[str]:
    """The stems of the words of a text that may be labels, without single letters and words that say nothing.

    Words that are joined by their capitals count as one and as several: DueDate, due, date.
    """
    words = _WORD.findall(text) + _NUMBERED.findall(text)
    parts = [part for word in words if _JOINED.search(word) for part in _JOINED.split(word)]
    return frozenset(w[:STEM] for w in map(simple, (*words, *parts)) if len(w) > 1 and w not in _LIGHT)


def name_words(name: str) -> str:
    """A field's name as words: "totalDue_net" is "total Due net"."""
    return " ".join(_NAME_PART.findall(name)) or name


class FieldLabels:
    """The words that fields are known by, each with its weight: the more fields have a word, the less it tells."""

    def __init__(self, root: Object) -> None:
        described: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        counts: Counter[str] = Counter()
        for field in _iterate_fields(root):
            names, words = word_stems(name_words(field.name)), word_stems(field.description)
            words = frozenset(word for word in words if not word[-1].isdigit())
            described[id(field)] = names, words
            counts.update(names | words)
        self._weights: dict[int, Mapping[str, float]] = {}
        self._objects_by_stem: dict[int, Mapping[str, Sequence[Field]]] = {}
        for key, (names, words) in described.items():
            stems = {stem: 0.5 / counts[stem] for stem in words} | {stem: 1.0 / counts[stem] for stem in names}
            total = max(sum(sorted(stems.values(), reverse=True)[:3]), 1e-9)
            self._weights[key] = {stem: weight / total for stem, weight in stems.items()}

    def stems(self, field: Field) -> frozenset[str]:
        """The stems that the field is known by."""
        return frozenset(self._weights.get(id(field), ()))

    def are_none(self, field: Field, *stems: frozenset[str]) -> bool:
        """Whether the field is known by none of the stems."""
        known = self._weights.get(id(field), {}).keys()
        return all(known.isdisjoint(some) for some in stems)

    def find_objects(self, parent: Object, stems: frozenset[str]) -> Iterator[Field]:
        """The nested objects of an object that are known by one of the stems, perhaps more than once."""
        known = self._objects_by_stem.get(id(parent))
        if known is None:
            index: dict[str, list[Field]] = {}
            for field in parent.fields:
                for stem in self._weights.get(id(field), ()) if isinstance(field.node, Object) else ():
                    index.setdefault(stem, []).append(field)
            known = self._objects_by_stem[id(parent)] = index
        for stem in stems:
            yield from known.get(stem, ())

    def weigh(self, field: Field, stems: frozenset[str]) -> float:
        """How much of what the field is known by is among the stems, 0 to 1."""
        weights = self._weights.get(id(field), {})
        shared = weights.keys() & stems
        return min(1.0, sum(weights[stem] for stem in shared)) if shared else 0.0


def _iterate_fields(node: Node) -> Iterable[Field]:
    match node:
        case Object(fields):
            for field in fields:
                yield field
                yield from _iterate_fields(field.node)
        case ObjectList(row):
            yield from _iterate_fields(row)


class LabelIndex:
    """A text's lines, cells and headers, to ask what stands beside a span. Positions are those of the text."""

    def __init__(self, text: str, outline: Outline, document: Document | None = None, offset: int = 0) -> None:
        self.text = text
        self.outline = outline
        self._lines = [0, *(m.end() for m in re.finditer("\n", text))]
        self._document, self._offset = document, offset
        self._affinities: dict[tuple[int, int, int], float] = {}
        self._columns: dict[int, int] = {}
        self._breaks: dict[int, list[int]] = {}
        self._blank: dict[int, bool] = {}
        self._headers: dict[Span, list[str]] = {}
        self._spelled: dict[Span, str] = {}
        self._contexts: dict[
            tuple[int, int], tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]
        ] = {}

    def line_number(self, at: int) -> int:
        return bisect_right(self._lines, at) - 1

    def line_span(self, number: int) -> tuple[int, int]:
        end = self._lines[number + 1] - 1 if number + 1 < len(self._lines) else len(self.text)
        return self._lines[number], max(end, self._lines[number])

    def column(self, span: Span) -> int:
        """The number of the cell of its line that the span begins in."""
        if span.start not in self._columns:
            cell = self._cell_at(span)
            self._columns[span.start] = cell.column if cell else self._count_breaks(span.start)
        return self._columns[span.start]

    def _count_breaks(self, at: int) -> int:
        """How many breaks between cells stand before the position on its line."""
        number = self.line_number(at)
        if number not in self._breaks:
            self._breaks[number] = [m.end() for m in _CELL_BREAK.finditer(self.text, *self.line_span(number))]
        return bisect_right(self._breaks[number], at)

    def _cell_at(self, span: Span) -> GridCell | None:
        table = self._document.table_at(span.start + self._offset) if self._document else None
        return table.cell_at(span.start + self._offset) if table else None

    def _is_in_table(self, span: Span) -> bool:
        return self._document is not None and self._document.table_at(span.start + self._offset) is not None

    def affinity(self, labels: FieldLabels, field: Field, span: Span) -> float:
        """How well what stands beside the span names the field: 0 for not at all, about 1 for a label on its line."""
        key = id(field), span.start, span.end
        if key not in self._affinities:
            self._affinities[key] = self._affinity(labels, field, span)
        return self._affinities[key]

    def _affinity(self, labels: FieldLabels, field: Field, span: Span) -> float:
        before, header, above, after = self._context(span)
        if labels.are_none(field, before, header, above, after):
            return 0.0
        return (
            labels.weigh(field, before)
            + 0.9 * labels.weigh(field, header)
            + 0.5 * labels.weigh(field, above - before)
            + 0.25 * labels.weigh(field, after - before)
        )

    def stems_above(self, span: Span, away: int) -> frozenset[str]:
        """The words before a span on its line, or of the line so many above it: of aligned cells, its column's."""
        number = self.line_number(span.start)
        if not away:
            return word_stems(self.text[max(self._lines[number], span.start - BESIDE) : span.start])
        if number < away:
            return frozenset()
        start, end = self.line_span(number - away)
        return word_stems((self._cell_over(span, number, start, end) or self.text[start:end])[:LONGEST_LABEL])

    def _cell_over(self, span: Span, number: int, start: int, end: int) -> str:
        """Of a line above that has as many cells as the span's the cell over the span; of another one nothing."""
        cells = _CELL_BREAK.split(self.text[start:end].rstrip())
        own = _CELL_BREAK.split(self.text[slice(*self.line_span(number))].rstrip())
        return cells[self._count_breaks(span.start)] if len(cells) == len(own) > 1 else ""

    def _context(self, span: Span) -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
        key = span.start, span.end
        if key not in self._contexts:
            number = self.line_number(span.start)
            start, end = self.line_span(number)
            before = self.text[max(start, span.start - BESIDE) : span.start]
            after = _ITEM_END.split(self.text[span.end : min(end, span.end + AFTER)], maxsplit=1)[0]
            if _ITEM_BEFORE.search(before) and _WORD.search(after):  # "120 kg gross, 120 kg net"
                before, after = after, ""
            header, beside = self._header_words(span)
            self._contexts[key] = (
                word_stems(f"{beside} {before}" if beside else before),
                word_stems(header),
                word_stems(self._words_above(span, number)),
                word_stems(after),
            )
        return self._contexts[key]

    def _header_words(self, span: Span) -> tuple[str, str]:
        """What the headers of the span's column say, and what names its row where that stands on another line."""
        table = self._document.table_at(span.start + self._offset) if self._document else None
        if self._document is None or table is None:
            return "", ""
        line = self.line_span(self.line_number(span.start))[0] + self._offset
        cell = table.cell_at(span.start + self._offset)
        if cell is not None:
            above = [self._spell_header(h) for h in table.column_headers(cell)]
            beside = [self._spell_header(h) for h in table.row_headers(cell) if h.start < line]
            return " ".join(above), " ".join(beside)
        header = table.header
        if header is None or header.start <= span.start + self._offset < header.end:
            return "", ""
        if header not in self._headers:
            self._headers[header] = _CELL_BREAK.split(self._document.visible_text(header))
        cells, column = self._headers[header], self.column(span)
        return (cells[column][:LONGEST_LABEL] if column < len(cells) else ""), ""

    def _spell_header(self, header: Span) -> str:
        """As much of a header as may be its label, which all cells of a column have."""
        assert self._document is not None  # noqa: S101 -- headers are of its tables
        if header not in self._spelled:
            self._spelled[header] = self._document.visible_text(_begin(header))
        return self._spelled[header]

    def _words_above(self, span: Span, number: int) -> str:
        """What stands over the span: in the nearest line above that is not empty, about where the span stands."""
        for up in range(number - 1, max(-1, number - 3), -1):
            start, end = self.line_span(up)
            if up not in self._blank:
                self._blank[up] = _SEEN.search(self.text, start, end) is None
            if self._blank[up]:
                continue
            is_short = end - start <= 40
            cell = self._cell_over(span, number, start, end)
            if cell and (is_short or not self._is_in_table(span)):  # of a table the header is known
                return cell
            if is_short:
                return self.text[start:end]
            at = start + span.start - self.line_span(number)[0]
            return self.text[max(start, at - 20) : min(end, at + min(len(span), LONGEST_LABEL) + 20)]
        return ""


def _begin(span: Span) -> Span:
    """As much of a header as may be its label."""
    return Span(span.start, min(span.end, span.start + LONGEST_LABEL))
