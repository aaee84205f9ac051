"""Document -> chunks: spans of bounded size that together hold every character exactly once.

A cut falls where it hurts least: before a heading, else at a blank line, a line end, a sentence end, a space; only a
text without any of these is cut between characters, and never inside CRLF or before a combining mark. Rows of a table
are kept whole where they fit, and a chunk that begins among them has the row that names their columns beside it.

In a long document the cut is chosen by the words around it, among those that serve as well: a change elsewhere leaves
it where it is, so that all chunks but one or two are asked about in the same words as before (the content-defined
borders of LBFS, Muthitacharoen et al. 2001, between sentences instead of bytes).
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from zlib import crc32

from extractor.extraction.text.outline import find_headings
from extractor.types import Chunk, Document, Span, TextTable

_PIECE = re.compile(r"[^\W\d_]+|\d|\s+|.", re.S)
MOST_MARKS = 32
"""Combining marks in a row that a cut keeps with their letter; a run of thousands is no writing."""
STABLE_FROM = 8
"""Chunks from which on a document's borders hold when a word is changed: a shorter one is soon asked again."""
_LOOSE_SHARE = 8
"""One part in so many of a chunk, at its end, within which one cut serves as well as another."""
_AROUND = 24
"""Characters on each side of a cut by which it is chosen."""
_BREAKS = (
    re.compile(r"\n(?:[ \t\r]*\n)+"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?。！？])\s+"),
    re.compile(r"\s+"),
)


def _estimate_piece_tokens(piece: str) -> int:
    """Tokens that a byte-pair vocabulary spends on the piece, estimated; letters without case cost one each."""
    if piece.isspace():
        return piece.count("\n") > 0
    if piece[0].isalpha() and piece[0].lower() != piece[0].upper():
        return 1 + (len(piece) - 1) // 6
    return len(piece)


def estimate_tokens(text: str) -> int:
    """An estimate of how many tokens a model reads in the text; no vocabulary is needed, so none is downloaded."""
    return sum(many * _estimate_piece_tokens(piece) for piece, many in Counter(_PIECE.findall(text)).items())


def split_document(document: Document, budget: int, most_pictures: int = 1000) -> tuple[Chunk, ...]:
    """The document in chunks of at most `budget` estimated tokens each (at least one character each), and of pages of
    which at most so many are pictured.

    An empty document has no chunk.
    """
    if budget < 1:
        raise ValueError(f"a chunk of {budget} tokens holds nothing")
    if not document.text:
        return ()
    pages = _find_page_cuts(document, most_pictures)
    if len(document.text) <= budget and not pages:  # no character is more than a token
        return (Chunk(document, 0, Span(0, len(document.text))),)
    text = document.visible_text(Span(0, len(document.text)))
    headings = [
        (h.span.start, text[h.span.start : h.span.end].strip())
        for h in find_headings(text)
        if not _table_at(document.tables, h.span.start)
    ]
    spans = _cut_at(pages, _cut_spans(text, budget, [at for at, _ in headings], document.tables))
    return tuple(
        Chunk(document, i, span, _heading_above(headings, span), _header_text_above(document, span.start, budget))
        for i, span in enumerate(spans)
    )


def _find_page_cuts(document: Document, most: int) -> list[int]:
    """Where pages begin before which a chunk ends, since it could have more than so many pictures else."""
    starts = [page.start for page in document.pictures]
    return [at for at in starts[most::most] if 0 < at < len(document.text)] if len(starts) > most else []


def _cut_at(places: Sequence[int], spans: Iterable[Span]) -> Iterator[Span]:
    """The spans, cut at those places, too, which ascend."""
    for span in spans:
        start = span.start
        for at in places[bisect_right(places, span.start) : bisect_left(places, span.end)]:
            yield Span(start, at)
            start = at
        yield Span(start, span.end)


def narrow_chunk(chunk: Chunk, span: Span) -> Chunk:
    """A part of a chunk, at a span of the document, under the same heading."""
    return Chunk(
        chunk.document,
        chunk.index,
        span,
        chunk.heading,
        _header_text_above(chunk.document, span.start, estimate_tokens(chunk.text)),
    )


def halve_chunk(chunk: Chunk) -> list[Chunk]:
    """The chunk in two or so."""
    text, by = chunk.text, chunk.span.start
    size = estimate_tokens(text)
    tables = [
        TextTable(Span(max(t.span.start, by) - by, min(t.span.end, chunk.span.end) - by))
        for t in _tables_within(chunk.document.tables, chunk.span)
    ]
    inner = split_document(Document(chunk.document.name, text, tables=tuple(tables)), size // 2 + 1)
    return [
        Chunk(
            chunk.document, i, c.span.shift(by), c.heading, _header_text_above(chunk.document, c.span.start + by, size)
        )
        for i, c in enumerate(inner)
    ]


def _table_at(tables: Sequence[TextTable], at: int) -> TextTable | None:
    """The table that the position stands in."""
    i = bisect_right(tables, at, key=lambda table: table.span.start) - 1
    return tables[i] if i >= 0 and at < tables[i].span.end else None


def _tables_within(tables: Sequence[TextTable], span: Span) -> Sequence[TextTable]:
    """The tables that the span has a part of."""
    first = bisect_right(tables, span.start, key=lambda table: table.span.end)
    return tables[first : bisect_left(tables, span.end, key=lambda table: table.span.start)]


def _header_above(text: str, tables: Sequence[TextTable], at: int, budget: int) -> str:
    """The row that names the columns of the table that goes on at the position, if it stands above.

    One that would take most of a chunk is not repeated.
    """
    table = _table_at(tables, at)
    header = table.header if table else None
    if not header or at < header.end or len(header) > budget:
        return ""
    words = text[header.start : header.end]
    return words if 2 * estimate_tokens(words) <= budget else ""


def _header_text_above(document: Document, at: int, budget: int) -> str:
    table = _table_at(document.tables, at)
    if table is None or table.header is None:
        return ""
    return _header_above(document.text, document.tables, at, budget) and document.visible_text(table.header)


def _heading_above(headings: list[tuple[int, str]], span: Span) -> str:
    """The last heading above the chunk, unless the chunk begins with one."""
    at = bisect_right(headings, (span.start, "\U0010ffff"))
    return headings[at - 1][1] if at and headings[at - 1][0] < span.start else ""


def _cut_spans(text: str, budget: int, headings: list[int], tables: Sequence[TextTable]) -> Iterator[Span]:
    ends, totals = array("Q", [0]), array("Q", [0])
    for piece in _PIECE.finditer(text):
        size, weight = piece.end() - piece.start(), _estimate_piece_tokens(piece[0])
        if weight > budget:  # one word longer than a chunk: let a cut fall between its characters
            step = max(1, size * budget // weight)
            inner = [*range(piece.start() + step, piece.end(), step), piece.end()]
            ends.extend(inner)
            totals.extend(accumulate([budget] * (len(inner) - 1), initial=totals[-1] + budget))
        else:
            ends.append(piece.end())
            totals.append(totals[-1] + weight)
    ranks = [array("Q", headings), *(array("Q", (m.end() for m in pattern.finditer(text))) for pattern in _BREAKS)]
    is_long = totals[-1] > STABLE_FROM * budget
    start = 0
    while start < len(text):
        used = totals[bisect_right(ends, start) - 1]
        room = budget - estimate_tokens(_header_above(text, tables, start, budget))
        reach = ends[bisect_right(totals, used + room) - 1]
        stop = len(text)
        if reach < len(text):
            loose = ends[bisect_right(totals, used + room - room // _LOOSE_SHARE) - 1] if is_long else reach
            stop = _best_cut(text, start, max(reach, start + 1), max(loose, start + 1), ranks)
            stop = _keep_rows_whole(text, start, stop, tables)
        yield Span(start, stop)
        start = stop


def _keep_rows_whole(text: str, start: int, stop: int, tables: Sequence[TextTable]) -> int:
    """The cut, moved before the row that it falls in, or before a table of which only the header would be left."""
    table = _table_at(tables, stop)
    if table is None or stop == table.span.start:
        return stop
    row = text.rfind("\n", start, stop) + 1
    if table.header and row == table.header.end + 1:
        row = table.span.start
    return row if row > start else stop


def _choose_by_words(text: str, cuts: Sequence[int]) -> int:
    """One of the cuts, the same wherever the same words stand around them."""
    if len(cuts) == 1:
        return cuts[0]
    return min(cuts, key=lambda at: (crc32(text[max(0, at - _AROUND) : at + _AROUND].encode("utf-8", "replace")), -at))


def _best_cut(text: str, start: int, reach: int, loose: int, ranks: Sequence[Sequence[int]]) -> int:
    """The cut of the strongest rank in the farther half of what fits; a weaker one anywhere before giving up. Of those
    from `loose` on the one that their words choose, else the last."""
    for least in (start + (reach - start) // 2, start):
        for cuts in ranks:
            last = bisect_right(cuts, reach)
            if last and cuts[last - 1] > least:
                return _choose_by_words(text, cuts[min(bisect_left(cuts, loose), last - 1) : last])
    if loose < reach:
        reach = _choose_by_words(text, range(loose, reach + 1))
    if text[reach - 1 : reach + 1] == "\r\n":
        return max(reach - 1, start + 1)
    for stop in range(reach, max(start, reach - MOST_MARKS), -1):
        if not unicodedata.combining(text[stop : stop + 1] or " "):
            return stop
    return reach
