"""Which row a row belongs to that was asked for by itself: a score to its player, by where the two stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from extractor.extraction.enumerated import CandidateBatch
from extractor.extraction.grounding.anchors import reading_distance
from extractor.extraction.grounding.scope import RowScope, row_scope
from extractor.extraction.grounding.tree import first_words, iterate_leaves
from extractor.extraction.text.normalize import FoldedText
from extractor.extraction.text.outline import Outline
from extractor.types import Chunk, GroundedList, GroundedNode, GroundedObject, GroundedValue, Span

TITLE_LENGTH = 120
"""Characters of a line that may be the title of what follows it."""
_ITEM = re.compile(r"\s*(?:[-*+•▪●■]|\d+[.)])\s")


def link_to_parent(
    batch: CandidateBatch, rows: GroundedList, chunk: Chunk, records: Sequence[GroundedObject]
) -> tuple[list[GroundedObject], list[tuple[int, GroundedObject]]]:
    """What replies about the chunk gave, with the rows where they belong; and those that belong nowhere, numbered.

    A row of the record itself is one more record. One that belongs to a row goes to the one in whose scope it is, if
    the paragraph or a heading above names that, too: figures of a thing that was not listed are not its neighbour's.
    """
    if len(batch.path) == 1:
        return [*records, GroundedObject({batch.path[0]: rows})], []
    outer, inner = batch.path
    outline = Outline(chunk.text)
    parents = _find_parents(outer, chunk, outline, records)
    linked: dict[tuple[int, int], list[GroundedNode]] = {}
    unplaced: list[tuple[int, GroundedObject]] = []
    for i, row in enumerate(rows.items):
        assert isinstance(row, GroundedObject)  # noqa: S101 -- the schema says so
        words = [leaf.evidence.spans[0].shift(-chunk.span.start) for _, leaf in iterate_leaves(row) if _has_span(leaf)]
        own = row.fields[str(batch.object_list.enumerate_by)]
        assert isinstance(own, GroundedValue)  # noqa: S101 -- a candidate is a plain value
        at = own.evidence.spans[0].shift(-chunk.span.start)
        above = [_context_span(outline, at.start), *outline.headings_above(at.start)]
        fit = [p for p in parents if p.scope.contains(at) and p.is_named_in(above) and not p.is_quoted_in(words)]
        if not fit:
            unplaced.append((i, row))
            continue
        parent = min(fit, key=lambda p: (reading_distance(at, p.scope.anchor), p.scope.anchor))
        linked.setdefault((parent.record_index, parent.row_index), []).append(row)
    return [_add_rows(record, n, outer, inner, linked) for n, record in enumerate(records)], unplaced


def _has_span(leaf: GroundedValue) -> bool:
    return bool(leaf.evidence.spans)


def _add_rows(
    record: GroundedObject,
    number: int,
    outer: str,
    inner: str,
    linked: Mapping[tuple[int, int], Sequence[GroundedNode]],
) -> GroundedObject:
    """The record, with rows added to the inner list of its outer rows."""
    rows = []
    for i, row in enumerate(_rows_of(record, outer)):
        more = linked.get((number, i), ())
        had = row.fields.get(inner)
        old = had.items if isinstance(had, GroundedList) else ()
        rows.append(GroundedObject({**row.fields, inner: GroundedList((*old, *more))}) if more else row)
    return GroundedObject({**record.fields, outer: GroundedList(tuple(rows))}) if rows else record


def _rows_of(record: GroundedObject, name: str) -> list[GroundedObject]:
    rows = record.fields.get(name)
    return [row for row in rows.items if isinstance(row, GroundedObject)] if isinstance(rows, GroundedList) else []


@dataclass(frozen=True, slots=True)
class _ParentRow:
    """A row that rows may belong to. Positions are those of the chunk's text."""

    record_index: int
    row_index: int
    scope: RowScope
    mentions: tuple[Span, ...]

    def is_named_in(self, passages: Iterable[Span]) -> bool:
        return any(mention.overlaps(passage) for passage in passages for mention in self.mentions)

    def is_quoted_in(self, words: Iterable[Span]) -> bool:
        """Whether it stands in the words of a row: "40% faster than Foo" is no praise of Foo."""
        return any(self.scope.anchor.overlaps(span) for span in words)


def _find_parents(name: str, chunk: Chunk, outline: Outline, records: Sequence[GroundedObject]) -> list[_ParentRow]:
    where = [
        (n, i, first_words(row)) for n, record in enumerate(records) for i, row in enumerate(_rows_of(record, name))
    ]
    spans = [anchor and anchor.shift(-chunk.span.start) for _, _, anchor in where]
    text = chunk.text
    folded = FoldedText(text)
    parents: list[_ParentRow] = []
    for n, ((f, i, _), span) in enumerate(zip(where, spans, strict=True)):
        home = row_scope(n, spans, outline, None)
        if span and home:
            parents.append(_ParentRow(f, i, home, tuple(folded.find_quote(text[span.start : span.end]))))
    return parents


def _context_span(outline: Outline, at: int) -> Span:
    """The lines around the position up to blank ones, with the list's items and the line that lead there."""
    start, end = outline.paragraph_at(at)
    while start > 0 and _ITEM.match(outline.text, start):
        start, _ = outline.paragraph_at(start - 1)
    above = outline.paragraph_at(start - 1)[0] if start else 0
    return Span(above if start - above <= TITLE_LENGTH else start, end)
