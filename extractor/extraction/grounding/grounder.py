"""A reply, grounded: every leaf that a model said, with the words that support it and what is found about it.

Nothing leaves here. A leaf without words, or whose words stand where a rule finds them odd, keeps its place in the tree
with the findings; whether it is believed is for confidence to say. Several mentions are told apart by coherence: the
leaves of one row stand near each other, and apart from those of other rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from extractor.extraction.grounding import findings as found
from extractor.extraction.grounding.anchors import find_anchors, find_key_mentions, reading_distance
from extractor.extraction.grounding.assignment import assign_to_rows
from extractor.extraction.grounding.labels import FieldLabels
from extractor.extraction.grounding.located import ground_located
from extractor.extraction.grounding.locator import Locator
from extractor.extraction.grounding.mentions import Mention, TextIndex
from extractor.extraction.grounding.row_keys import index_keys, key_forms, keys_agree
from extractor.extraction.grounding.scope import RowScope, find_repeat_spans, row_scope
from extractor.extraction.grounding.tree import add_findings, has_words, is_doubted
from extractor.extraction.text.names import split_names
from extractor.extraction.text.normalize import clean_words, comparison_key, fold_text
from extractor.extraction.text.outline import Keywords
from extractor.models.traits import ModelTraits
from extractor.schema.annotations import Kind
from extractor.schema.reader import Field, Object, ObjectList, Scalar, ValueList
from extractor.types import (
    Evidence,
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    Json,
    Match,
    Span,
)

MAX_DOUBTFUL_ROWS = 12
"""Doubtful rows of one list that are set aside one after another; with more of them, the rest go together."""
_BY_MATCH = {Match.NORMALISED: found.NORMALISED, Match.DERIVED: found.DERIVED, Match.FUZZY: found.FUZZY}


def ground_reply(
    node: Object,
    value: Mapping[str, Json],
    index: TextIndex,
    traits: ModelTraits,
    *,
    whole: Object | None = None,
) -> GroundedObject:
    """Everything that `value` says, each leaf with its evidence and findings.

    `whole` is the record that `node` is a part of, for the keywords of its other fields.
    """
    if not traits.repairs_values:
        return ground_located(node, value, Locator(index, FieldLabels(whole or node)))
    grounder = _Grounder(index, traits, [Keywords(f.keywords) for f in (whole or node).fields if f.keywords])
    return grounder.ground_object(node, value, None)


@dataclass(frozen=True, slots=True)
class _RowContext:
    """What is known of the rows of one list before any of them is grounded."""

    node: ObjectList
    rows: Sequence[Mapping[str, Json]]
    anchors: Sequence[Span | None]
    key_mentions: Sequence[Sequence[Span]]
    by_position: Mapping[str, Mapping[int, Mention]]
    """By field and row, the mention of the field's form that stands where the row does, whatever was said."""
    date_fields: tuple[str, ...]
    range_ends: frozenset[Span]
    """Dates that are none of a row's: the ends of a span of time, where a row has but one date."""
    outer: RowScope | None


class _Grounder:
    def __init__(self, index: TextIndex, traits: ModelTraits, field_keywords: Sequence[Keywords]) -> None:
        self.index = index
        self.traits = traits
        self.field_keywords = field_keywords

    def ground_object(self, node: Object, value: Mapping[str, Json], scope: RowScope | None) -> GroundedObject:
        fields = {f.name: self.ground_field(f, value.get(f.name), scope) for f in node.fields}
        return GroundedObject({name: inner for name, inner in fields.items() if inner is not None})

    def ground_field(
        self, field: Field, value: Json, scope: RowScope | None, claimed: set[Span] | None = None
    ) -> GroundedNode | None:
        keywords = Keywords(field.keywords)
        match field.node:
            case Scalar():
                return self.ground_scalar(field.node, value, scope, set(), keywords)
            case ValueList(item):
                return self.ground_list(item, value or (), scope, keywords, claimed)
            case ObjectList():
                return self.ground_rows(field.node, keywords, value or (), scope)
            case Object():
                return self.ground_object(field.node, value or {}, scope)

    def ground_scalar(
        self,
        node: Scalar,
        value: Json,
        scope: RowScope | None,
        used: set[Span],
        keywords: Keywords | None = None,
    ) -> GroundedValue | None:
        """The value with its likeliest mention; None where nothing was said. `used` are mentions that say another."""
        if value is None or value == "":
            return None
        mentions = self.index.find_mentions(node, value)
        if not mentions:
            return GroundedValue(value, Evidence(Match.NONE, (), str(value), findings=(found.NO_WORDS,)))
        findings: list[str] = []
        if fit := self.index.fit_to_declaration(node, mentions):
            mentions = fit
        else:
            findings.append(found.NOT_AS_DECLARED)
        if fit := [m for m in mentions if scope is None or scope.contains(m.span)]:
            mentions = fit
        else:
            findings.append(found.OUTSIDE_ROW)
        if fit := [m for m in mentions if m.span not in used]:
            mentions = fit
        else:
            findings.append(found.WORDS_TAKEN)
        if fit := [m for m in mentions if not keywords or keywords.announce_position(self.index.outline, m.span.start)]:
            mentions = fit
        else:
            findings.append(found.UNANNOUNCED)
        best = min(mentions, key=lambda m: (reading_distance(m.span, scope.anchor), m.span)) if scope else mentions[0]
        if not findings and (node.kind in (Kind.DATE, Kind.URL) or node.pattern):
            used.add(best.span)
        return self.support(best, value, findings)

    def support(self, mention: Mention, value: Json, findings: Sequence[str] = ()) -> GroundedValue:
        """The value on the words of a mention; in their spelling where the model's is not to be trusted."""
        span = mention.span.shift(self.index.chunk.span.start)
        names = (*findings, *([_BY_MATCH[mention.match]] if mention.match in _BY_MATCH else []))
        if self.index.chunk.document.is_doubtful(span):
            names += (found.DOUBTFUL_SIGHT,)
        kept = mention.value if self.traits.repairs_values and not findings else value
        return GroundedValue(kept, Evidence(mention.match, (span,), str(value), findings=names))

    def local_spans(self, leaf: GroundedValue) -> list[Span]:
        """The words of a leaf, in the positions of the index."""
        return sorted(s.shift(-self.index.chunk.span.start) for s in leaf.evidence.spans)

    def is_announced(self, keywords: Keywords, scope: RowScope) -> bool:
        """Whether the nearest heading that announces anything announces the row; where none does, whether its words do.

        The first line of a document is its title, and says who it is of rather than what follows.
        """
        text = self.index.text
        for heading in self.index.outline.headings_above(scope.anchor.start):
            words = self.index.outline.heading_text(heading)
            if keywords.occur_in(words):
                return True
            if not self.index.is_title(heading) and any(other.occur_in(words) for other in self.field_keywords):
                return False
        start, end = self.index.outline.section_at(scope.anchor.start)
        return keywords.occur_in(text[max(start, scope.start) : min(end, scope.end)])

    def ground_list(
        self,
        item: Scalar,
        values: Sequence[Json],
        scope: RowScope | None,
        keywords: Keywords,
        claimed: set[Span] | None,
    ) -> GroundedList:
        """Every entry. `claimed`: mentions that other rows have; this row adds its own."""
        entries: list[GroundedValue] = []
        seen: set[str] = set()
        mine: set[Span] = set()
        for value in (part for one in values for part in self.split_value(item, one)):
            leaf = self.ground_scalar(item, value, scope, set(claimed or ()), keywords)
            if leaf is None:
                continue
            words = self.local_spans(leaf)
            form = fold_text(str(leaf.value))
            if any(a.overlaps(b) for a in words for b in mine) or form in seen:
                leaf = add_findings(leaf, found.DUPLICATE)
            elif not is_doubted(leaf):
                seen.add(form)
                mine.update(words)
            entries.append(leaf)
        if claimed is not None:
            claimed |= mine
        return GroundedList(tuple(entries))

    def split_value(self, item: Scalar, value: Json) -> Sequence[Json]:
        """What was said, taken apart where it is several persons in one string."""
        if self.traits.repairs_values and item.kind is Kind.NAME and isinstance(value, str):
            return split_names(value)
        return (value,)

    def ground_rows(
        self, node: ObjectList, keywords: Keywords, rows: Sequence[Mapping[str, Json]], outer: RowScope | None
    ) -> GroundedList:
        """Every row, in order.

        One that is hardly supported takes words of its neighbours: it is set aside, and the others are grounded anew.
        """
        left = list(range(len(rows)))
        aside: dict[int, GroundedObject] = {}
        for _ in range(MAX_DOUBTFUL_ROWS):
            grounded, doubtful = self.ground_rows_once(node, keywords, [rows[i] for i in left], outer)
            if not doubtful:
                break
            _, worst = max(doubtful)
            aside[left.pop(worst)] = grounded[worst]
        else:
            grounded, _ = self.ground_rows_once(node, keywords, [rows[i] for i in left], outer)
        placed = {**aside, **dict(zip(left, grounded, strict=True))}
        return GroundedList(tuple(placed[i] for i in range(len(rows))))

    def ground_rows_once(
        self, node: ObjectList, keywords: Keywords, rows: Sequence[Mapping[str, Json]], outer: RowScope | None
    ) -> tuple[list[GroundedObject], list[tuple[float, int]]]:
        """The rows, and of the doubtful ones the share of identifying fields without words, and which they are."""
        context = self.prepare_rows(node, keywords, rows, outer)
        grounded: list[GroundedObject] = []
        doubtful: list[tuple[float, int]] = []
        claimed: set[Span] = set()
        earlier: dict[tuple[str, str], list[Mapping[str, str]]] = {}
        for i, row in enumerate(rows):
            one = self.ground_row(context, i, claimed)
            names = self.find_about_row(context, keywords, one, i)
            keys = [k for k in node.key if row.get(k) not in (None, "", [])]
            lost = sum(not has_words(one.fields.get(k)) for k in keys)
            if not names and 2 * lost > len(keys):
                doubtful.append((lost / len(keys), i))
                names = [found.ROW_UNSUPPORTED]
            if not names and node.key_declared and self.is_repeated(node, one, earlier):
                names = [found.ROW_REPEATED]
            grounded.append(add_findings(one, *names) if names else one)
        return grounded, doubtful

    def is_repeated(
        self, node: ObjectList, row: GroundedObject, earlier: dict[tuple[str, str], list[Mapping[str, str]]]
    ) -> bool:
        """Whether one of the earlier rows, by the forms of their keys, has the key of this one; which joins them."""
        forms = key_forms(node, row)
        if any(keys_agree(node, forms, other) for k in index_keys(node, forms) for other in earlier.get(k, ())[-8:]):
            return True
        for k in index_keys(node, forms):
            earlier.setdefault(k, []).append(forms)
        return False

    def prepare_rows(
        self, node: ObjectList, keywords: Keywords, rows: Sequence[Mapping[str, Json]], outer: RowScope | None
    ) -> _RowContext:
        anchors = find_anchors(node, keywords, rows, self.index, outer)
        key_mentions = [find_key_mentions(node, row, rows, self.index) for row in rows]
        scopes = [row_scope(i, anchors, self.index.outline, outer) for i in range(len(rows))]
        dates = tuple(f.name for f in node.row.fields if isinstance(f.node, Scalar) and f.node.kind is Kind.DATE)
        ends = self.index.ends_of_ranges() if len(dates) == 1 else frozenset()
        by_position: dict[str, Mapping[int, Mention]] = {}
        for f in node.row.fields if self.traits.repairs_values else ():
            if isinstance(f.node, Scalar) and f.node.locate_by_position is not None:
                formed = self.index.find_formed_mentions(f.node)
                fit = [m for m in formed if f.node.kind is not Kind.DATE or m.span not in ends]
                by_position[f.name] = assign_to_rows(fit, scopes, key_mentions, self.index.text)
        return _RowContext(node, rows, anchors, key_mentions, by_position, dates, ends, outer)

    def ground_row(self, context: _RowContext, i: int, claimed: set[Span]) -> GroundedObject:
        """One row. A mention of a date is one field's; of an address, a declared form or a list's item one row's."""
        fields: dict[str, GroundedNode] = {}
        row, days = context.rows[i], set(context.range_ends)
        repeats = find_repeat_spans(i, context.key_mentions, context.anchors, self.index.text)
        for f in context.node.row.fields:
            scope = self.scope_of_field(context, i, f, repeats)
            if not isinstance(f.node, Scalar):
                inner = self.ground_field(f, row.get(f.name), scope, claimed)
                if inner is not None:
                    fields[f.name] = inner
                continue
            used = claimed if f.node.kind is Kind.URL or f.node.pattern else days
            positioned = context.by_position.get(f.name, {})
            if own := positioned.get(i):
                fields[f.name] = self.support(own, row.get(f.name) or "")
                continue
            if positioned:
                used = used | {m.span for m in positioned.values()}
            leaf = self.ground_scalar(f.node, row.get(f.name), scope, used)
            if leaf is not None:
                fields[f.name] = leaf
                if context.date_fields and f.node.kind is Kind.TEXT and not is_doubted(leaf):
                    self.separate_date(fields, f.name, context.date_fields)
        return GroundedObject(fields)

    def scope_of_field(self, context: _RowContext, i: int, field: Field, repeats: tuple[Span, ...]) -> RowScope | None:
        """Where one field of row `i` may stand: what several rows share is often written once, above the first."""
        if not isinstance(field.node, Scalar):
            return row_scope(i, context.anchors, self.index.outline, context.outer)
        mine = comparison_key(context.rows[i].get(field.name))

        def is_shared(other: int) -> bool:
            return comparison_key(context.rows[other].get(field.name)) == mine

        scope = row_scope(i, context.anchors, self.index.outline, context.outer, is_shared)
        return replace(scope, repeat_spans=repeats) if scope else None

    def separate_date(self, fields: dict[str, GroundedNode], name: str, date_fields: Sequence[str]) -> None:
        """A text that is a date, in a row that has a field for it, is marked; it fills that field if it is empty.

        A date that ends the text is cut off, where values are repaired.
        """
        leaf = fields[name]
        assert isinstance(leaf, GroundedValue)  # noqa: S101 -- only leaves are given
        date = next((d for d in map(self.index.date_in, self.local_spans(leaf)) if d), None)
        if date is None:
            if self.traits.repairs_values:
                fields[name] = self.cut_date_off(leaf)
            return
        fields[name] = add_findings(leaf, found.DATE_OF_OTHER_FIELD)
        if self.traits.repairs_values and len(date_fields) == 1 and date_fields[0] not in fields:
            mention = Mention(date.iso, date.span, Match.NORMALISED)
            fields[date_fields[0]] = self.support(mention, leaf.evidence.model_value)

    def cut_date_off(self, leaf: GroundedValue) -> GroundedValue:
        spans = self.local_spans(leaf)
        rest = self.index.strip_trailing_date(spans[0]) if spans else None
        if rest is None:
            return leaf
        words = clean_words(self.index.text[rest.start : rest.end])
        return GroundedValue(words, replace(leaf.evidence, spans=(rest.shift(self.index.chunk.span.start),)))

    def find_about_row(self, context: _RowContext, keywords: Keywords, one: GroundedObject, i: int) -> list[str]:
        """What speaks against the row as a whole; nothing, most of the time."""
        anchor = context.anchors[i]
        if anchor is None:
            return [found.ROW_WITHOUT_KEY]
        scope = row_scope(i, context.anchors, self.index.outline, context.outer) or RowScope(anchor)
        if keywords and not self.is_announced(keywords, scope):
            return [found.ROW_UNANNOUNCED]
        required = [f.name for f in context.node.row.fields if f.required and isinstance(f.node, Scalar)]
        return [] if all(has_words(one.fields.get(name)) for name in required) else [found.ROW_INCOMPLETE]
