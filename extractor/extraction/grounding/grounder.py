"""Claims -> extractions: every value that a model said is traced to the words of its chunk, or refused.

Several mentions are told apart by coherence: the leaves of one row stand near each other, and apart from other rows'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from extractor.extraction.grounding.anchors import find_anchors, find_key_mentions, reading_distance
from extractor.extraction.grounding.assignment import assign_to_rows
from extractor.extraction.grounding.mentions import Mention, TextIndex
from extractor.extraction.grounding.scope import RowScope, find_repeat_spans, row_scope
from extractor.extraction.text.names import split_names
from extractor.extraction.text.normalize import clean_words, comparison_key, fold_text
from extractor.extraction.text.outline import Keywords
from extractor.schema.annotations import Kind
from extractor.schema.reader import Field, Object, ObjectList, ValueList
from extractor.schema.reader import Scalar as LeafNode
from extractor.types import Evidence, Json, Match, RejectedValue, Span, ValuePath

MAX_DOUBTFUL_ROWS = 12
"""Doubtful rows of one list that leave one after another; with more of them, the rest leave together."""


@dataclass(slots=True)
class GroundingResult:
    """What one reply is worth: the value it supports, evidence by path, and what was refused."""

    value: Json
    evidence: dict[ValuePath, Evidence] = field(default_factory=dict)
    rejected: list[RejectedValue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _DoubtfulRow:
    """A row, and the share of its identifying fields that nothing supports."""

    index: int
    lost_share: float


def ground_reply(
    node: Object,
    value: Mapping[str, Json],
    page: TextIndex,
    *,
    whole: Object | None = None,
    keep_unsupported: bool = False,
) -> GroundingResult:
    """The part of `value` that the page's words support, with the words.

    Unsupported values leave the record and are listed as rejected; with `keep_unsupported` they stay, marked by
    evidence that matches nothing. Rows none of whose identifying fields is supported are rejected whole.
    `whole` is the record that `node` is a part of, for the cues of its other fields.
    """
    tracer = _Grounder(page, keep_unsupported, [Keywords(f.keywords) for f in (whole or node).fields if f.keywords])
    kept = tracer.ground_object(node, value, (), None)
    return GroundingResult(kept, tracer.evidence, tracer.rejected)


class _Grounder:
    def __init__(self, page: TextIndex, keep_unsupported: bool, fields: Sequence[Keywords]) -> None:
        self.index = page
        self.field_keywords = fields
        self.keep_unsupported = keep_unsupported
        self.evidence: dict[ValuePath, Evidence] = {}
        self.rejected: list[RejectedValue] = []

    def ground_object(
        self, node: Object, value: Mapping[str, Json], path: ValuePath, home: RowScope | None
    ) -> dict[str, Json]:
        return {f.name: self.ground_field(f, value.get(f.name), (*path, f.name), home) for f in node.fields}

    def ground_field(
        self, field: Field, value: Json, path: ValuePath, home: RowScope | None, claimed: set[Span] | None = None
    ) -> Json:
        cues = Keywords(field.keywords)
        match field.node:
            case LeafNode():
                return self.ground_scalar(field.node, value, path, home, set(), cues)
            case ValueList(item):
                return self.ground_list(item, value or (), path, home, cues, claimed)
            case ObjectList():
                return self.ground_rows(field.node, cues, value or (), path, home)
            case Object():
                return self.ground_object(field.node, value or {}, path, home)

    def ground_scalar(
        self,
        node: LeafNode,
        said: Json,
        path: ValuePath,
        home: RowScope | None,
        used: set[Span],
        cues: Keywords | None = None,
    ) -> Json:
        """The value that the page supports. `used` are mentions that already say something else."""
        if said is None or said == "":
            return None
        places = self.index.find_mentions(node, said)
        if not places:
            return self.keep_or_reject(said, path)
        near = [p for p in places if home is None or home.contains(p.span)]
        if not near:
            return self.keep_or_reject(said, path, "belongs to another row")
        free = [p for p in near if p.span not in used]
        if not free:
            return self.keep_or_reject(said, path, "its words say something else")
        announced = [p for p in free if not cues or cues.announce_position(self.index.outline, p.span.start)]
        if not announced:
            return self.keep_or_reject(said, path, "nothing announces it")
        best = min(announced, key=lambda p: (reading_distance(p.span, home.anchor), p.span)) if home else announced[0]
        if node.kind in (Kind.DATE, Kind.URL) or node.pattern:
            used.add(best.span)
        self.add_evidence(path, best, said)
        return best.value

    def is_announced(self, cues: Keywords, home: RowScope) -> bool:
        """Whether the nearest heading that announces anything announces the row; where none does, whether its words do.

        The first line of a document is its title, and says who it is of rather than what follows.
        """
        text = self.index.text
        for heading in self.index.outline.headings_above(home.anchor.start):
            said = self.index.outline.heading_text(heading)
            if cues.occur_in(said):
                return True
            if not self.index.is_title(heading) and any(other.occur_in(said) for other in self.field_keywords):
                return False
        start, end = self.index.outline.section_at(home.anchor.start)
        return cues.occur_in(text[max(start, home.start) : min(end, home.end)])

    def add_evidence(self, path: ValuePath, place: Mention, said: Json) -> None:
        span = place.span.shift(self.index.chunk.span.start)
        self.evidence[path] = Evidence(place.match, (span,), str(said))

    def evidence_spans(self, path: ValuePath) -> set[Span]:
        """The spans that support a value, in the page's own positions."""
        return {s.shift(-self.index.chunk.span.start) for s in self.evidence[path].spans}

    def keep_or_reject(self, said: Json, path: ValuePath, reason: str = "unsupported") -> Json:
        if self.keep_unsupported:
            self.evidence[path] = Evidence(Match.NONE, (), str(said))
            return said
        self.reject(path, said, reason)
        return None

    def split_value(self, item: LeafNode, said: Json) -> Sequence[Json]:
        """What was said, taken apart where it is several persons in one string."""
        return split_names(said) if item.kind is Kind.NAME and isinstance(said, str) else (said,)

    def reject(self, path: ValuePath, value: Json, reason: str) -> None:
        self.rejected.append(RejectedValue(path, value, reason, self.index.chunk.span))

    def ground_list(
        self,
        item: LeafNode,
        said: Sequence[Json],
        path: ValuePath,
        home: RowScope | None,
        cues: Keywords,
        claimed: set[Span] | None,
    ) -> list[Json]:
        """The list as its words support it. `claimed`: mentions that other rows have; this row adds its own."""
        kept: list[Json] = []
        seen: set[str] = set()
        mine: set[Span] = set()
        for value in (part for one in said for part in self.split_value(item, one)):
            at = (*path, len(kept))
            result = self.ground_scalar(item, value, at, home, set(claimed or ()), cues)
            if result is None:
                continue
            words = self.evidence_spans(at)
            again = any(a.overlaps(b) for a in words for b in mine)
            if again or fold_text(str(result)) in seen:
                del self.evidence[at]
                self.reject(at, result, "duplicate")
                continue
            seen.add(fold_text(str(result)))
            mine |= words
            kept.append(result)
        if claimed is not None:
            claimed |= mine
        return kept

    def ground_rows(
        self,
        rows: ObjectList,
        cues: Keywords,
        said: Sequence[Mapping[str, Json]],
        path: ValuePath,
        outer: RowScope | None,
    ) -> Json:
        """The rows that are supported. One that is hardly so takes words of its neighbours, and so leaves first."""
        left = list(said)
        for _ in range(MAX_DOUBTFUL_ROWS):
            before = len(self.rejected)
            kept, doubtful = self.ground_rows_once(rows, cues, left, path, outer)
            if not doubtful:
                return kept
            self.discard_under(path, before)
            worst = max(doubtful, key=lambda doubt: (doubt.lost_share, doubt.index))
            self.reject((*path, worst.index), dict(left.pop(worst.index)), "row mostly unsupported")
        return self.ground_rows_once(rows, cues, left, path, outer)[0]

    def ground_rows_once(
        self,
        rows: ObjectList,
        cues: Keywords,
        said: Sequence[Mapping[str, Json]],
        path: ValuePath,
        outer: RowScope | None,
    ) -> tuple[list[Json], list[_DoubtfulRow]]:
        where = find_anchors(rows, cues, said, self.index, outer)
        named = [find_key_mentions(rows, row, said, self.index) for row in said]
        placed = self.assign_by_position(rows, said, where, named, outer)
        kept: list[Json] = []
        doubtful: list[_DoubtfulRow] = []
        claimed: set[Span] = set()
        for i, row in enumerate(said):
            at = (*path, len(kept))
            before = len(self.rejected)
            again = find_repeat_spans(i, named, where, self.index.text)
            one = self.ground_row(rows, said, i, at, where, outer, claimed, again, placed)
            reason = "" if self.keep_unsupported else self.row_rejection_reason(rows, cues, row, one, where, i, outer)
            keys = [k for k in rows.key if row.get(k) not in (None, "", [])]
            lost = sum(one[k] in (None, []) for k in keys)
            if not self.keep_unsupported and not reason and 2 * lost > len(keys):
                doubtful.append(_DoubtfulRow(i, lost / len(keys)))
                reason = "row mostly unsupported"
            if reason:
                self.discard_under(at, before)
                if any(v not in (None, "", []) for v in row.values()):
                    self.reject(at, dict(row), reason)
                continue
            kept.append(one)
        return kept, doubtful

    def assign_by_position(
        self,
        rows: ObjectList,
        said: Sequence[Mapping[str, Json]],
        where: Sequence[Span | None],
        named: Sequence[Sequence[Span]],
        outer: RowScope | None,
    ) -> dict[str, Mapping[int, Mention]]:
        """By field and row, the mention of the field's form that stands where the row does, whatever was said."""
        homes = [row_scope(i, where, self.index.outline, outer) for i in range(len(said))]
        days = self.range_end_spans(rows)
        found: dict[str, Mapping[int, Mention]] = {}
        for f in rows.row.fields:
            if isinstance(f.node, LeafNode) and f.node.locate_by_position is not None:
                places = [
                    p
                    for p in self.index.find_formed_mentions(f.node)
                    if f.node.kind is not Kind.DATE or p.span not in days
                ]
                found[f.name] = assign_to_rows(places, homes, named, self.index.text)
        return found

    def range_end_spans(self, rows: ObjectList) -> set[Span]:
        """Dates that are none of a row's: the ends of a span of time, where a row has but one date."""
        return set(self.index.ends_of_ranges()) if len(_date_field_names(rows)) == 1 else set()

    def discard_under(self, at: ValuePath, rejections: int) -> None:
        del self.rejected[rejections:]
        for inner in [p for p in self.evidence if p[: len(at)] == at]:
            del self.evidence[inner]

    def ground_row(
        self,
        rows: ObjectList,
        said: Sequence[Mapping[str, Json]],
        i: int,
        at: ValuePath,
        where: Sequence[Span | None],
        outer: RowScope | None,
        claimed: set[Span],
        again: tuple[Span, ...],
        placed: Mapping[str, Mapping[int, Mention]],
    ) -> dict[str, Json]:
        """The row as its words support it.

        One mention of a date is one field's; one of an address, of a declared form or of a list's item is one row's.
        """
        value: dict[str, Json] = {}
        dated, days = _date_field_names(rows), self.range_end_spans(rows)
        for f in rows.row.fields:
            mine = comparison_key(said[i].get(f.name))

            def shared(j: int, name: str = f.name, mine: str = mine) -> bool:
                return comparison_key(said[j].get(name)) == mine

            single = isinstance(f.node, LeafNode)
            home = row_scope(i, where, self.index.outline, outer, shared if single else lambda j: False)
            if home and single:
                home = replace(home, repeat_spans=again)
            if isinstance(f.node, LeafNode):
                used = claimed if f.node.kind is Kind.URL or f.node.pattern else days
                if own := placed.get(f.name):
                    if place := own.get(i):
                        self.add_evidence((*at, f.name), place, said[i].get(f.name) or "")
                        value[f.name] = place.value
                        continue
                    used = used | {place.span for place in own.values()}
                value[f.name] = self.ground_scalar(f.node, said[i].get(f.name), (*at, f.name), home, used)
                if dated and f.node.kind is Kind.TEXT and value[f.name] is not None:
                    self.move_date_out(value, f.name, dated, at)
            else:
                value[f.name] = self.ground_field(f, said[i].get(f.name), (*at, f.name), home, claimed)
        return value

    def move_date_out(self, row: dict[str, Json], name: str, dated: Sequence[str], at: ValuePath) -> None:
        """Takes a date out of a text of a row that has a field of its own for it, and fills that if it is empty."""
        date = next((d for d in map(self.index.date_in, sorted(self.evidence_spans((*at, name)))) if d), None)
        if date is None:
            self.cut_date_off(row, name, at)
            return
        said = self.evidence.pop((*at, name)).model_value
        row[name] = self.keep_or_reject(row[name], (*at, name), "a date, which has its own field")
        if len(dated) == 1 and row.get(dated[0], said) is None:
            self.add_evidence((*at, dated[0]), Mention(date.iso, date.span, Match.NORMALISED), said)
            row[dated[0]] = date.iso

    def cut_date_off(self, row: dict[str, Json], name: str, at: ValuePath) -> None:
        """Takes a date off the end of a text of a row that has a field of its own for it."""
        proof = self.evidence[*at, name]
        spans = [s.shift(-self.index.chunk.span.start) for s in proof.spans]
        if spans and (rest := self.index.strip_trailing_date(spans[0])):
            row[name] = clean_words(self.index.text[rest.start : rest.end])
            self.evidence[*at, name] = replace(proof, spans=(rest.shift(self.index.chunk.span.start),))

    def row_rejection_reason(
        self,
        node: ObjectList,
        cues: Keywords,
        row: Mapping[str, Json],
        one: Mapping[str, Json],
        where: Sequence[Span | None],
        i: int,
        outer: RowScope | None,
    ) -> str:
        """Why the row as a whole is not to be believed; nothing if it is."""
        anchor = where[i]
        if anchor is None:
            return "row without a supported key"
        if cues and not self.is_announced(cues, row_scope(i, where, self.index.outline, outer) or RowScope(anchor)):
            return "row where nothing announces one"
        plain = [f for f in node.row.fields if isinstance(f.node, LeafNode)]
        for f in plain:
            if f.required and one[f.name] is None:
                return f"row without {f.name}"
        return ""


def _date_field_names(rows: ObjectList) -> list[str]:
    return [f.name for f in rows.row.fields if isinstance(f.node, LeafNode) and f.node.kind is Kind.DATE]
