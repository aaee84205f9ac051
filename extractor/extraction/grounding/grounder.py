"""Claims -> extractions: every value that a model said is traced to the words of its chunk, or refused.

Several mentions are told apart by coherence: the leaves of one row stand near each other, and apart from other rows'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from extractor.extraction.grounding import anchors
from extractor.extraction.grounding import assignment as placement
from extractor.extraction.grounding import scope as territory
from extractor.extraction.grounding.mentions import Page, Place
from extractor.extraction.grounding.scope import Home
from extractor.extraction.text import names as people
from extractor.extraction.text import normalize as spelling
from extractor.extraction.text.outline import Cues
from extractor.schema.annotations import Kind
from extractor.schema.reader import Field, Object, Rows, Values
from extractor.schema.reader import Leaf as LeafNode
from extractor.types import Evidence, Json, Match, Path, Rejected, Span

DOUBTS = 12
"""Doubtful rows of one list that leave one after another; with more of them, the rest leave together."""


@dataclass(slots=True)
class Traced:
    """What one reply is worth: the value it supports, evidence by path, and what was refused."""

    value: Json
    evidence: dict[Path, Evidence] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A row, and the share of its identifying fields that nothing supports."""

    row: int
    lost: float


def trace(
    node: Object,
    value: Mapping[str, Json],
    page: Page,
    *,
    whole: Object | None = None,
    keep_unsupported: bool = False,
) -> Traced:
    """The part of `value` that the page's words support, with the words.

    Unsupported values leave the record and are listed as rejected; with `keep_unsupported` they stay, marked by
    evidence that matches nothing. Rows none of whose identifying fields is supported are rejected whole.
    `whole` is the record that `node` is a part of, for the cues of its other fields.
    """
    tracer = _Tracer(page, keep_unsupported, [Cues(f.cues) for f in (whole or node).fields if f.cues])
    kept = tracer.object(node, value, (), None)
    return Traced(kept, tracer.evidence, tracer.rejected)


class _Tracer:
    def __init__(self, page: Page, keep_unsupported: bool, fields: Sequence[Cues]) -> None:
        self.page = page
        self.fields = fields
        self.keep = keep_unsupported
        self.evidence: dict[Path, Evidence] = {}
        self.rejected: list[Rejected] = []

    def object(self, node: Object, value: Mapping[str, Json], path: Path, home: Home | None) -> dict[str, Json]:
        return {f.name: self.field(f, value.get(f.name), (*path, f.name), home) for f in node.fields}

    def field(self, field: Field, value: Json, path: Path, home: Home | None, claimed: set[Span] | None = None) -> Json:
        cues = Cues(field.cues)
        match field.node:
            case LeafNode():
                return self.leaf(field.node, value, path, home, set(), cues)
            case Values(item):
                return self.values(item, value or (), path, home, cues, claimed)
            case Rows():
                return self.rows(field.node, cues, value or (), path, home)
            case Object():
                return self.object(field.node, value or {}, path, home)

    def leaf(
        self, node: LeafNode, said: Json, path: Path, home: Home | None, used: set[Span], cues: Cues | None = None
    ) -> Json:
        """The value that the page supports. `used` are mentions that already say something else."""
        if said is None or said == "":
            return None
        places = self.page.places(node, said)
        if not places:
            return self.unsupported(said, path)
        near = [p for p in places if home is None or home.holds(p.span)]
        if not near:
            return self.unsupported(said, path, "belongs to another row")
        free = [p for p in near if p.span not in used]
        if not free:
            return self.unsupported(said, path, "its words say something else")
        announced = [p for p in free if not cues or cues.announce(self.page.outline, p.span.start)]
        if not announced:
            return self.unsupported(said, path, "nothing announces it")
        best = min(announced, key=lambda p: (anchors.distance(p.span, home.anchor), p.span)) if home else announced[0]
        if node.kind in (Kind.DATE, Kind.URL) or node.pattern:
            used.add(best.span)
        self.support(path, best, said)
        return best.value

    def announced(self, cues: Cues, home: Home) -> bool:
        """Whether the nearest heading that announces anything announces the row; where none does, whether its words do.

        The first line of a document is its title, and says who it is of rather than what follows.
        """
        text = self.page.text
        for heading in self.page.outline.path(home.anchor.start):
            said = self.page.outline.words(heading)
            if cues.stand_in(said):
                return True
            if not self.page.title(heading) and any(other.stand_in(said) for other in self.fields):
                return False
        start, end = self.page.outline.section(home.anchor.start)
        return cues.stand_in(text[max(start, home.start) : min(end, home.end)])

    def support(self, path: Path, place: Place, said: Json) -> None:
        span = place.span.shift(self.page.chunk.span.start)
        self.evidence[path] = Evidence(place.match, (span,), str(said))

    def words(self, path: Path) -> set[Span]:
        """The spans that support a value, in the page's own positions."""
        return {s.shift(-self.page.chunk.span.start) for s in self.evidence[path].spans}

    def unsupported(self, said: Json, path: Path, reason: str = "unsupported") -> Json:
        if self.keep:
            self.evidence[path] = Evidence(Match.NONE, (), str(said))
            return said
        self.reject(path, said, reason)
        return None

    def parts(self, item: LeafNode, said: Json) -> Sequence[Json]:
        """What was said, taken apart where it is several persons in one string."""
        return people.apart(said) if item.kind is Kind.NAME and isinstance(said, str) else (said,)

    def reject(self, path: Path, value: Json, reason: str) -> None:
        self.rejected.append(Rejected(path, value, reason, self.page.chunk.span))

    def values(
        self,
        item: LeafNode,
        said: Sequence[Json],
        path: Path,
        home: Home | None,
        cues: Cues,
        claimed: set[Span] | None,
    ) -> list[Json]:
        """The list as its words support it. `claimed`: mentions that other rows have; this row adds its own."""
        kept: list[Json] = []
        seen: set[str] = set()
        mine: set[Span] = set()
        for value in (part for one in said for part in self.parts(item, one)):
            at = (*path, len(kept))
            result = self.leaf(item, value, at, home, set(claimed or ()), cues)
            if result is None:
                continue
            words = self.words(at)
            again = any(a.overlaps(b) for a in words for b in mine)
            if again or spelling.fold(str(result)) in seen:
                del self.evidence[at]
                self.reject(at, result, "duplicate")
                continue
            seen.add(spelling.fold(str(result)))
            mine |= words
            kept.append(result)
        if claimed is not None:
            claimed |= mine
        return kept

    def rows(self, rows: Rows, cues: Cues, said: Sequence[Mapping[str, Json]], path: Path, outer: Home | None) -> Json:
        """The rows that are supported. One that is hardly so takes words of its neighbours, and so leaves first."""
        left = list(said)
        for _ in range(DOUBTS):
            before = len(self.rejected)
            kept, doubtful = self.supported(rows, cues, left, path, outer)
            if not doubtful:
                return kept
            self.forget(path, before)
            worst = max(doubtful, key=lambda doubt: (doubt.lost, doubt.row))
            self.reject((*path, worst.row), dict(left.pop(worst.row)), "row mostly unsupported")
        return self.supported(rows, cues, left, path, outer)[0]

    def supported(
        self, rows: Rows, cues: Cues, said: Sequence[Mapping[str, Json]], path: Path, outer: Home | None
    ) -> tuple[list[Json], list[_Doubt]]:
        where = anchors.find(rows, cues, said, self.page, outer)
        named = [anchors.named(rows, row, said, self.page) for row in said]
        placed = self.placed(rows, said, where, named, outer)
        kept: list[Json] = []
        doubtful: list[_Doubt] = []
        claimed: set[Span] = set()
        for i, row in enumerate(said):
            at = (*path, len(kept))
            before = len(self.rejected)
            again = territory.again(i, named, where, self.page.text)
            one = self.row(rows, said, i, at, where, outer, claimed, again, placed)
            reason = "" if self.keep else self.made_up(rows, cues, row, one, where, i, outer)
            keys = [k for k in rows.key if row.get(k) not in (None, "", [])]
            lost = sum(one[k] in (None, []) for k in keys)
            if not self.keep and not reason and 2 * lost > len(keys):
                doubtful.append(_Doubt(i, lost / len(keys)))
                reason = "row mostly unsupported"
            if reason:
                self.forget(at, before)
                if any(v not in (None, "", []) for v in row.values()):
                    self.reject(at, dict(row), reason)
                continue
            kept.append(one)
        return kept, doubtful

    def placed(
        self,
        rows: Rows,
        said: Sequence[Mapping[str, Json]],
        where: Sequence[Span | None],
        named: Sequence[Sequence[Span]],
        outer: Home | None,
    ) -> dict[str, Mapping[int, Place]]:
        """By field and row, the mention of the field's form that stands where the row does, whatever was said."""
        homes = [territory.home(i, where, self.page.outline, outer) for i in range(len(said))]
        days = self.days(rows)
        found: dict[str, Mapping[int, Place]] = {}
        for f in rows.row.fields:
            if isinstance(f.node, LeafNode) and f.node.placed is not None:
                places = [p for p in self.page.formed(f.node) if f.node.kind is not Kind.DATE or p.span not in days]
                found[f.name] = placement.assign(places, homes, named, self.page.text)
        return found

    def days(self, rows: Rows) -> set[Span]:
        """Dates that are none of a row's: the ends of a span of time, where a row has but one date."""
        return set(self.page.ends_of_ranges()) if len(_dated(rows)) == 1 else set()

    def forget(self, at: Path, rejections: int) -> None:
        del self.rejected[rejections:]
        for inner in [p for p in self.evidence if p[: len(at)] == at]:
            del self.evidence[inner]

    def row(
        self,
        rows: Rows,
        said: Sequence[Mapping[str, Json]],
        i: int,
        at: Path,
        where: Sequence[Span | None],
        outer: Home | None,
        claimed: set[Span],
        again: tuple[Span, ...],
        placed: Mapping[str, Mapping[int, Place]],
    ) -> dict[str, Json]:
        """The row as its words support it.

        One mention of a date is one field's; one of an address, of a declared form or of a list's item is one row's.
        """
        value: dict[str, Json] = {}
        dated, days = _dated(rows), self.days(rows)
        for f in rows.row.fields:
            mine = spelling.key(said[i].get(f.name))

            def shared(j: int, name: str = f.name, mine: str = mine) -> bool:
                return spelling.key(said[j].get(name)) == mine

            single = isinstance(f.node, LeafNode)
            home = territory.home(i, where, self.page.outline, outer, shared if single else lambda j: False)
            if home and single:
                home = replace(home, again=again)
            if isinstance(f.node, LeafNode):
                used = claimed if f.node.kind is Kind.URL or f.node.pattern else days
                if own := placed.get(f.name):
                    if place := own.get(i):
                        self.support((*at, f.name), place, said[i].get(f.name) or "")
                        value[f.name] = place.value
                        continue
                    used = used | {place.span for place in own.values()}
                value[f.name] = self.leaf(f.node, said[i].get(f.name), (*at, f.name), home, used)
                if dated and f.node.kind is Kind.TEXT and value[f.name] is not None:
                    self.undated(value, f.name, dated, at)
            else:
                value[f.name] = self.field(f, said[i].get(f.name), (*at, f.name), home, claimed)
        return value

    def undated(self, row: dict[str, Json], name: str, dated: Sequence[str], at: Path) -> None:
        """Takes a date out of a text of a row that has a field of its own for it, and fills that if it is empty."""
        date = next((d for d in map(self.page.date_in, sorted(self.words((*at, name)))) if d), None)
        if date is None:
            self.shortened(row, name, at)
            return
        said = self.evidence.pop((*at, name)).said
        row[name] = self.unsupported(row[name], (*at, name), "a date, which has its own field")
        if len(dated) == 1 and row.get(dated[0], said) is None:
            self.support((*at, dated[0]), Place(date.iso, date.span, Match.NORMALISED), said)
            row[dated[0]] = date.iso

    def shortened(self, row: dict[str, Json], name: str, at: Path) -> None:
        """Takes a date off the end of a text of a row that has a field of its own for it."""
        proof = self.evidence[*at, name]
        spans = [s.shift(-self.page.chunk.span.start) for s in proof.spans]
        if spans and (rest := self.page.without_date(spans[0])):
            row[name] = spelling.clean(self.page.text[rest.start : rest.end])
            self.evidence[*at, name] = replace(proof, spans=(rest.shift(self.page.chunk.span.start),))

    def made_up(
        self,
        node: Rows,
        cues: Cues,
        row: Mapping[str, Json],
        one: Mapping[str, Json],
        where: Sequence[Span | None],
        i: int,
        outer: Home | None,
    ) -> str:
        """Why the row as a whole is not to be believed; nothing if it is."""
        anchor = where[i]
        if anchor is None:
            return "row without a supported key"
        if cues and not self.announced(cues, territory.home(i, where, self.page.outline, outer) or Home(anchor)):
            return "row where nothing announces one"
        plain = [f for f in node.row.fields if isinstance(f.node, LeafNode)]
        for f in plain:
            if f.required and one[f.name] is None:
                return f"row without {f.name}"
        return ""


def _dated(rows: Rows) -> list[str]:
    return [f.name for f in rows.row.fields if isinstance(f.node, LeafNode) and f.node.kind is Kind.DATE]
