"""Claims -> extractions: every value that a model said is traced to the words of its chunk, or refused.

The model copies, code normalises: what goes into the record is the words found, cleaned of markup and brought to
the form of their kind, not the model's spelling of them. Several mentions are told apart by coherence: the leaves
of one row stand near each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz import fuzz

from extractor import candidates, dates, spelling
from extractor.domain import Chunk, Evidence, Json, Match, Path, Rejected, Span
from extractor.kinds import Kind
from extractor.schemas import Leaf as LeafNode
from extractor.schemas import Node, Object, Rows, Values

FUZZY_FROM = 20
"""Folded characters below which a near match proves nothing (half of such hits were wrong: rapidfuzz, 240 quotes)."""
FUZZY_SCORE = 90.0
MENTIONS = 64
"""Mentions of one value that are weighed against each other; a chunk is small, a hostile one repeats itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """One mention that supports a value; positions are those of the chunk's text."""

    value: Json
    span: Span
    match: Match


@dataclass(slots=True)
class Traced:
    """What one reply is worth: the value it supports, evidence by path, and what was refused."""

    value: Json
    evidence: dict[Path, Evidence] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


class Page:
    """A chunk prepared for looking things up in it."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.text = chunk.text
        self.folded = spelling.Folded(self.text)
        self.day_first = dates.day_first(chunk.document.text)
        self.dates = list(dates.find(self.text, day_first=self.day_first))

    def places(self, node: LeafNode, said: Json) -> list[Place]:
        """Every mention that supports what was said, in order; empty when nothing does."""
        match node.kind:
            case Kind.DATE:
                return self._dates(node, str(said))
            case Kind.INTEGER | Kind.NUMBER:
                return self._numbers(node, said)
            case Kind.BOOLEAN:
                return []
        words = str(said)
        found = [self._words(node, span, words) for span in self.folded.find(words)]
        return found[:MENTIONS] or self._fuzzy(node, words)

    def _words(self, node: LeafNode, span: Span, said: str) -> Place:
        source = self.text[span.start : span.end]
        value = said if node.enum else spelling.clean(source)
        return Place(value, span, Match.EXACT if source == said else Match.NORMALISED)

    def _fuzzy(self, node: LeafNode, said: str) -> list[Place]:
        wanted = spelling.fold(said)
        if len(wanted) < FUZZY_FROM or node.enum or len(wanted) > len(self.folded.folded):
            return []
        hit = fuzz.partial_ratio_alignment(wanted, self.folded.folded, score_cutoff=FUZZY_SCORE)
        if hit is None or hit.dest_end <= hit.dest_start:
            return []
        span = self._whole_words(self.folded.span(hit.dest_start, hit.dest_end))
        source = self.text[span.start : span.end]
        if _digits(source) != _digits(said):
            return []
        return [Place(spelling.clean(source), span, Match.FUZZY)]

    def _whole_words(self, span: Span) -> Span:
        start, end = span.start, span.end
        while start > 0 and self.text[start - 1].isalnum() and self.text[start].isalnum():
            start -= 1
        while end < len(self.text) and self.text[end - 1].isalnum() and self.text[end].isalnum():
            end += 1
        return Span(start, end)

    def _dates(self, node: LeafNode, said: str) -> list[Place]:
        iso = dates.parse(said, day_first=self.day_first)
        if iso is None:
            return []
        places = []
        for date in self.dates:
            source = self.text[date.span.start : date.span.end]
            if date.iso == iso or (date.iso.startswith(iso) and iso in source):
                value = " ".join(source.split()) if node.verbatim else iso
                match = Match.DERIVED if date.derived else Match.EXACT if source == said else Match.NORMALISED
                places.append(Place(value, date.span, match))
        return places

    def _numbers(self, node: LeafNode, said: Json) -> list[Place]:
        wanted = candidates.number(str(said))
        places = []
        for span in candidates.find(node.kind, self.text):
            source = self.text[span.start : span.end]
            value = candidates.number(source)
            if wanted is None or value != wanted:
                continue
            typed: Json = source if node.type == "string" else int(value) if node.type == "integer" else value
            places.append(Place(typed, span, Match.EXACT if source == str(said) else Match.NORMALISED))
        return places


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def trace(node: Object, value: Mapping[str, Json], page: Page, *, keep_unsupported: bool = False) -> Traced:
    """The part of `value` that the page's words support, with the words.

    Unsupported values leave the record and are listed as rejected; with `keep_unsupported` they stay, marked by
    evidence that matches nothing. Rows none of whose identifying fields is supported are rejected whole.
    """
    tracer = _Tracer(page, keep_unsupported)
    kept = tracer.object(node, value, (), None)
    return Traced(kept, tracer.evidence, tracer.rejected)


class _Tracer:
    def __init__(self, page: Page, keep_unsupported: bool) -> None:
        self.page = page
        self.keep = keep_unsupported
        self.evidence: dict[Path, Evidence] = {}
        self.rejected: list[Rejected] = []

    def object(self, node: Object, value: Mapping[str, Json], path: Path, anchor: Span | None) -> dict[str, Json]:
        return {f.name: self.node(f.node, value.get(f.name), (*path, f.name), anchor) for f in node.fields}

    def node(self, node: Node, value: Json, path: Path, anchor: Span | None) -> Json:
        match node:
            case LeafNode():
                return self.leaf(node, value, path, anchor)
            case Values(item):
                return self.values(item, value or (), path, anchor)
            case Rows():
                return self.rows(node, value or (), path, anchor)
            case Object():
                return self.object(node, value or {}, path, anchor)

    def leaf(self, node: LeafNode, said: Json, path: Path, anchor: Span | None) -> Json:
        if said is None or said == "":
            return None
        places = self.page.places(node, said)
        if not places:
            return self.unsupported(said, path)
        best = min(places, key=lambda p: (_distance(p.span, anchor), p.span)) if anchor else places[0]
        self.support(path, best, said)
        return best.value

    def support(self, path: Path, place: Place, said: Json) -> None:
        span = place.span.shift(self.page.chunk.span.start)
        self.evidence[path] = Evidence(place.match, (span,), str(said))

    def unsupported(self, said: Json, path: Path) -> Json:
        if self.keep:
            self.evidence[path] = Evidence(Match.NONE, (), str(said))
            return said
        self.reject(path, said, "unsupported")
        return None

    def reject(self, path: Path, value: Json, reason: str) -> None:
        self.rejected.append(Rejected(path, value, reason, self.page.chunk.span))

    def values(self, item: LeafNode, said: Sequence[Json], path: Path, anchor: Span | None) -> list[Json]:
        kept: list[Json] = []
        seen: set[str] = set()
        for value in said:
            at = (*path, len(kept))
            result = self.leaf(item, value, at, anchor)
            if result is None:
                continue
            if spelling.fold(str(result)) in seen:
                del self.evidence[at]
                self.reject(at, result, "duplicate")
                continue
            seen.add(spelling.fold(str(result)))
            kept.append(result)
        return kept

    def rows(self, node: Rows, said: Sequence[Mapping[str, Json]], path: Path, anchor: Span | None) -> list[Json]:
        kept: list[Json] = []
        taken: set[Span] = set()
        for row in said:
            at = (*path, len(kept))
            place = self.anchor(node, row, taken, anchor)
            if place is None and not self.keep:
                if any(v not in (None, "", []) for v in row.values()):
                    self.reject(at, dict(row), "row without a supported key")
                continue
            if place is not None:
                taken.add(place)
            kept.append(self.object(node.row, row, at, place or anchor))
        return kept

    def anchor(self, node: Rows, row: Mapping[str, Json], taken: set[Span], near: Span | None) -> Span | None:
        """Where the row stands: the mention of its strongest supported key that the rest of the row is nearest to."""
        mentions = {
            f.name: [p.span for p in self.page.places(f.node, row[f.name])]
            for f in node.row.fields
            if isinstance(f.node, LeafNode) and row.get(f.name) not in (None, "")
        }
        for key in node.key:
            spans = mentions.get(key)
            if not spans:
                continue
            others = [m for name, m in mentions.items() if name != key and m]

            def cost(span: Span, others: list[list[Span]] = others) -> tuple[bool, int, int, Span]:
                nearest = sum(min(_distance(span, o) for o in spans) for spans in others)
                return span in taken, nearest, _distance(span, near) if near else 0, span

            return min(spans, key=cost)
        return None


def _distance(span: Span, other: Span | None) -> int:
    """Characters between the two; what stands before costs double, as a row reads on from its key."""
    if other is None:
        return 0
    if span.start >= other.end:
        return span.start - other.end
    return 2 * max(0, other.start - span.end)


def unmarked(evidence: Mapping[Path, Evidence], confidence: Mapping[Path, float]) -> dict[Path, Evidence]:
    """The evidence with a confidence attached where there is one."""
    return {path: replace(e, confidence=confidence.get(path, e.confidence)) for path, e in evidence.items()}
