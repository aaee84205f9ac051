"""Which row a row belongs to that was asked for by itself: a score to its player, by where the two stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from extractor.extraction.enumerated import CandidateBatch
from extractor.extraction.grounding.anchors import reading_distance
from extractor.extraction.grounding.scope import RowScope, row_scope
from extractor.extraction.merging import PartialRecord
from extractor.extraction.text.normalize import FoldedText
from extractor.extraction.text.outline import Outline
from extractor.types import Chunk, RejectedValue, Span, ValuePath

TITLE_LENGTH = 120
"""Characters of a line that may be the title of what follows it."""
_ITEM = re.compile(r"\s*(?:[-*+•▪●■]|\d+[.)])\s")


def link_to_parent(
    asked: CandidateBatch, told: PartialRecord, chunk: Chunk, into: Sequence[PartialRecord]
) -> tuple[list[PartialRecord], list[RejectedValue]]:
    """What was found about the chunk, with the rows that were told where they belong; and those that belong nowhere.

    A row of the record itself is found as it is. One that belongs to a row goes to the one in whose territory it is, if
    the paragraph or a heading above names that, too: figures of a thing that was not listed are not its neighbour's.
    """
    if len(asked.path) == 1:
        name = asked.path[0]
        evidence = {(name, *path): e for path, e in told.evidence.items()}
        return [*into, PartialRecord(told.order, {name: told.value}, evidence)], []
    outer, inner = asked.path
    outline = Outline(chunk.text)
    parents = _find_parents(outer, chunk, outline, into)
    out = [_with_inner_list(found, outer, inner) for found in into]
    stray: list[RejectedValue] = []
    for i, row in enumerate(told.value):
        evidence = {path[1:]: e for path, e in told.evidence.items() if path[0] == i}
        spans = {path: e.spans[0].shift(-chunk.span.start) for path, e in evidence.items() if e.spans}
        at = spans[(str(asked.object_list.enumerate_by),)]
        above = [_context_span(outline, at.start), *outline.headings_above(at.start)]
        fit = [
            p for p in parents if p.scope.contains(at) and p.is_named_in(above) and not p.is_quoted_in(spans.values())
        ]
        if not fit:
            stray.append(RejectedValue((*asked.path, i), row, "belongs to no row", chunk.span))
            continue
        parent = min(fit, key=lambda p: (reading_distance(at, p.scope.anchor), p.scope.anchor))
        rows = out[parent.record_index].value[outer][parent.row_index][inner]
        prefix: ValuePath = (outer, parent.row_index, inner, len(rows))
        rows.append(row)
        more = {(*prefix, *path): e for path, e in evidence.items()}
        out[parent.record_index] = replace(
            out[parent.record_index], evidence={**out[parent.record_index].evidence, **more}
        )
    return out, stray


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


def _find_parents(name: str, chunk: Chunk, outline: Outline, into: Sequence[PartialRecord]) -> list[_ParentRow]:
    where = [(f, i, _row_anchor(found, name, i)) for f, found in enumerate(into) for i in _row_indices(found, name)]
    spans = [anchor and anchor.shift(-chunk.span.start) for _, _, anchor in where]
    folded = FoldedText(chunk.text)
    parents: list[_ParentRow] = []
    for n, ((f, i, _), span) in enumerate(zip(where, spans, strict=True)):
        home = row_scope(n, spans, outline, None)
        if span and home:
            parents.append(_ParentRow(f, i, home, tuple(folded.find_quote(chunk.text[span.start : span.end]))))
    return parents


def _context_span(outline: Outline, at: int) -> Span:
    """The lines around the position up to blank ones, with the list's items and the line that lead there."""
    start, end = outline.paragraph_at(at)
    while start > 0 and _ITEM.match(outline.text, start):
        start, _ = outline.paragraph_at(start - 1)
    above = outline.paragraph_at(start - 1)[0] if start else 0
    return Span(above if start - above <= TITLE_LENGTH else start, end)


def _row_indices(found: PartialRecord, name: str) -> range:
    return range(len((found.value or {}).get(name) or ()))


def _row_anchor(found: PartialRecord, name: str, i: int) -> Span | None:
    """Where the row stands: its first words."""
    spans = [e.spans[0] for path, e in found.evidence.items() if path[:2] == (name, i) and e.spans]
    return spans[0] if spans else None


def _with_inner_list(found: PartialRecord, outer: str, inner: str) -> PartialRecord:
    """A copy whose rows each have the inner list."""
    if not (found.value or {}).get(outer):
        return found
    rows = [{**row, inner: list(row.get(inner) or ())} for row in found.value[outer]]
    return replace(found, value={**found.value, outer: rows})
