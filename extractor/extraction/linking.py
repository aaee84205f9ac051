"""Which row a row belongs to that was asked for by itself: a score to its player, by where the two stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from extractor.extraction.enumerated import Stems
from extractor.extraction.grounding import anchors
from extractor.extraction.grounding import scope as territory
from extractor.extraction.grounding.scope import Home
from extractor.extraction.merging import Found
from extractor.extraction.text import normalize as spelling
from extractor.extraction.text.outline import Outline
from extractor.types import Chunk, Path, Rejected, Span

TITLE = 120
"""Characters of a line that may be the title of what follows it."""
_ITEM = re.compile(r"\s*(?:[-*+•▪●■]|\d+[.)])\s")


def attach(asked: Stems, told: Found, chunk: Chunk, into: Sequence[Found]) -> tuple[list[Found], list[Rejected]]:
    """What was found about the chunk, with the rows that were told where they belong; and those that belong nowhere.

    A row of the record itself is found as it is. One that belongs to a row goes to the one in whose territory it is, if
    the paragraph or a heading above names that, too: figures of a thing that was not listed are not its neighbour's.
    """
    if len(asked.path) == 1:
        name = asked.path[0]
        evidence = {(name, *path): e for path, e in told.evidence.items()}
        return [*into, Found(told.order, {name: told.value}, evidence)], []
    outer, inner = asked.path
    outline = Outline(chunk.text)
    parents = _parents(outer, chunk, outline, into)
    out = [_with_list(found, outer, inner) for found in into]
    stray: list[Rejected] = []
    for i, row in enumerate(told.value):
        evidence = {path[1:]: e for path, e in told.evidence.items() if path[0] == i}
        spans = {path: e.spans[0].shift(-chunk.span.start) for path, e in evidence.items() if e.spans}
        at = spans[(str(asked.rows.each),)]
        above = [_context(outline, at.start), *outline.path(at.start)]
        fit = [p for p in parents if p.home.holds(at) and p.named_in(above) and not p.told_in(spans.values())]
        if not fit:
            stray.append(Rejected((*asked.path, i), row, "belongs to no row", chunk.span))
            continue
        parent = min(fit, key=lambda p: (anchors.distance(at, p.home.anchor), p.home.anchor))
        rows = out[parent.found].value[outer][parent.row][inner]
        prefix: Path = (outer, parent.row, inner, len(rows))
        rows.append(row)
        more = {(*prefix, *path): e for path, e in evidence.items()}
        out[parent.found] = replace(out[parent.found], evidence={**out[parent.found].evidence, **more})
    return out, stray


@dataclass(frozen=True, slots=True)
class _Parent:
    """A row that rows may belong to. Positions are those of the chunk's text."""

    found: int
    row: int
    home: Home
    mentions: tuple[Span, ...]

    def named_in(self, passages: Iterable[Span]) -> bool:
        return any(mention.overlaps(passage) for passage in passages for mention in self.mentions)

    def told_in(self, words: Iterable[Span]) -> bool:
        """Whether it stands in the words of a row: "40% faster than Foo" is no praise of Foo."""
        return any(self.home.anchor.overlaps(span) for span in words)


def _parents(name: str, chunk: Chunk, outline: Outline, into: Sequence[Found]) -> list[_Parent]:
    where = [(f, i, _anchor(found, name, i)) for f, found in enumerate(into) for i in _indices(found, name)]
    spans = [anchor and anchor.shift(-chunk.span.start) for _, _, anchor in where]
    folded = spelling.Folded(chunk.text)
    parents: list[_Parent] = []
    for n, ((f, i, _), span) in enumerate(zip(where, spans, strict=True)):
        home = territory.home(n, spans, outline, None)
        if span and home:
            parents.append(_Parent(f, i, home, tuple(folded.find(chunk.text[span.start : span.end]))))
    return parents


def _context(outline: Outline, at: int) -> Span:
    """The lines around the position up to blank ones, with the list's items and the line that lead there."""
    start, end = outline.paragraph(at)
    while start > 0 and _ITEM.match(outline.text, start):
        start, _ = outline.paragraph(start - 1)
    above = outline.paragraph(start - 1)[0] if start else 0
    return Span(above if start - above <= TITLE else start, end)


def _indices(found: Found, name: str) -> range:
    return range(len((found.value or {}).get(name) or ()))


def _anchor(found: Found, name: str, i: int) -> Span | None:
    """Where the row stands: its first words."""
    spans = [e.spans[0] for path, e in found.evidence.items() if path[:2] == (name, i) and e.spans]
    return spans[0] if spans else None


def _with_list(found: Found, outer: str, inner: str) -> Found:
    """A copy whose rows each have the inner list."""
    if not (found.value or {}).get(outer):
        return found
    rows = [{**row, inner: list(row.get(inner) or ())} for row in found.value[outer]]
    return replace(found, value={**found.value, outer: rows})
