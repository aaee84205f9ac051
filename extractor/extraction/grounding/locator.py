"""Which of its mentions each leaf of a reply is proved by, solved over all of them.

A leaf of a row is looked for where its row stands; of several mentions there its own is the one whose label, column
header or heading names its field, in the column that its field has in the other rows, and that no other leaf has.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from extractor.extraction.grounding.block_placement import distance_cost, place_block
from extractor.extraction.grounding.labels import FieldLabels, LabelIndex
from extractor.extraction.grounding.leaf_findings import FINDINGS, LABELLED
from extractor.extraction.grounding.list_sections import ListSections, Side
from extractor.extraction.grounding.located_leaf import LocatedLeaf, MentionOption, Region, put_in_order
from extractor.extraction.grounding.mentions import Mention, TextIndex
from extractor.extraction.grounding.row_placement import RowLeaf, place_rows
from extractor.extraction.grounding.zeros import ZERO
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Evidence, GroundedValue, Json, Match, Span, ValuePath

NEAR = 8
"""Mentions of a leaf nearest to where its row stands that are weighed against each other."""
MOST = 200
"""Mentions of a leaf outside of rows that are weighed."""
STRICTNESS = {Match.EXACT: 0.0, Match.NORMALISED: 0.1, Match.DERIVED: 0.3, Match.FUZZY: 0.4, Match.NONE: 1.0}
LABEL, TAKEN, OTHER_COLUMN, JOINED, PER_LINE, OTHER_ROW = 1.0, 0.8, 0.5, 0.5, 0.12, 0.6
"""What a label beside a mention brings; what it costs that another leaf has it, that it is in another column than the
field is in other rows, that it is a part of a longer token ("1" of "1/5"), each line from the row, and another row."""
TAKEN_IN_LIST, LISTED = 2.0, 1.0
"""What it costs that another entry of the same list has it: a label stands beside the first of them alone. What it
brings an entry to stand below the name of its list, or a value below its object's, and costs below another's."""
ROW_LENGTH = 600
"""Characters of a row that are looked at for a zero."""
_JOINING = frozenset("/-.:_#@\\+")


@dataclass(slots=True)
class _Search:
    leaves: list[LocatedLeaf] = field(default_factory=list)
    taken: Counter[tuple[int, int]] = field(default_factory=Counter)
    columns: dict[tuple[str, ...], Mapping[int, float]] = field(default_factory=dict)
    """By list and field the share of its leaves in each column."""


class Locator:
    """Locates the leaves of replies about one chunk."""

    def __init__(self, index: TextIndex, labels: FieldLabels) -> None:
        self.index: TextIndex = index
        self.labels: FieldLabels = labels
        self.context = LabelIndex(index.text, index.outline, index.chunk.document, index.chunk.span.start)
        self.sections = ListSections(index.text, labels)
        self._found: dict[tuple[int, str], list[Mention]] = {}
        self._lines: dict[tuple[int, str], list[int]] = {}
        self._votes: dict[tuple[int, str, int, int], RowLeaf] = {}
        self._zeros: dict[tuple[int, int], bool] = {}
        self.taken: Counter[tuple[int, int]] = Counter()

    def locate(self, node: Object, value: Mapping[str, Json]) -> dict[ValuePath, LocatedLeaf]:
        """Every leaf of the value by its path."""
        search = _Search()
        self._collect(node, value, (), (), Region(), search)
        for leaf in sorted(search.leaves, key=lambda one: len(one.mentions)):
            self._choose(leaf, search)
        several = [leaf for leaf in search.leaves if len(leaf.mentions) > 1]
        for _ in range(2 if several else 0):  # what the columns are is known once all have a place
            search.columns = self._count_columns(search)
            for leaf in several:
                self._choose(leaf, search)
        put_in_order(search.leaves)
        self.taken = search.taken
        self._judge_regions(search)
        return {leaf.path: leaf for leaf in search.leaves}

    def _judge_regions(self, search: _Search) -> None:
        """Of each row the share of its leaves that stand in it."""
        inside: dict[int, list[bool]] = {}
        for leaf in search.leaves:
            inside.setdefault(id(leaf.region), []).append(self.is_inside_row(leaf))
        for leaf in search.leaves:
            here = inside[id(leaf.region)]
            leaf.region.coherence = sum(here) / len(here)

    def _collect(
        self,
        node: Object,
        value: Mapping[str, Json],
        path: ValuePath,
        names: tuple[str, ...],
        region: Region,
        search: _Search,
    ) -> None:
        for f in node.fields:
            inner, at, own = value.get(f.name), (*path, f.name), (*names, f.name)
            if inner is None or inner == "":
                continue
            match f.node:
                case Scalar():
                    search.leaves.append(LocatedLeaf(at, f, f.node, inner, self.find(f.node, inner), region))
                case ValueList(item):
                    listed, side = Counter[tuple[int, int]](), self.sections.find_side(node, f, region.side)
                    where = self._find_list_block(node, f, inner, region)
                    search.leaves += [
                        LocatedLeaf((*at, i), f, item, one, self.find(item, one), where, listed=listed, side=side)
                        for i, one in enumerate(inner)
                        if one is not None and one != ""
                    ]
                case ObjectList(row):
                    side = self.sections.find_side(node, f, region.side)
                    for i, (one, where) in enumerate(
                        zip(inner, self._regions(row, inner, own, region, side), strict=True)
                    ):
                        self._collect(row, one or {}, (*at, i), own, where, search)
                case Object():
                    self._collect(f.node, inner, at, own, self._find_block(node, f, inner, region), search)

    def _find_block(self, parent: Object, field: Field, value: Json, outer: Region) -> Region:
        """The region of an object that is no row and lies in none."""
        if outer.anchor is not None:
            return outer
        leaves = [leaf for leaf in self._row_leaves(field.node, value, outer) if leaf.spans]
        block = place_block(field, parent, leaves, self.labels, self.context)
        return Region(field=field, block=block, side=self.sections.find_side(parent, field, outer.side))

    def _find_list_block(self, parent: Object, field: Field, entries: Sequence[Json], outer: Region) -> Region:
        """The region of a plain list that lies in no row: about where most of its entries are found together."""
        leaves = [leaf for leaf in self._row_leaves(field.node, entries, outer) if leaf.spans]
        if outer.anchor is not None or len(leaves) < 2:
            return outer
        some = leaves[:: 1 + len(leaves) // MOST]
        return replace(outer, block=place_block(field, parent, some, self.labels, self.context))

    def find(self, node: Scalar, value: Json) -> list[Mention]:
        """The mentions of a value, in order; the same list for the same value of the same field."""
        key = id(node), f"{type(value).__name__} {value}"
        if key not in self._found:
            mentions = self.index.find_mentions(node, value)
            fit = self.index.fit_to_declaration(node, mentions) or mentions
            self._found[key] = sorted(fit, key=lambda m: m.span)
            self._lines[key] = [self.context.line_number(m.span.start) for m in self._found[key]]
        return self._found[key]

    def _regions(
        self,
        row: Object,
        rows: Sequence[Mapping[str, Json]],
        names: tuple[str, ...],
        outer: Region,
        side: Side | None,
    ) -> list[Region]:
        """A region for each row: from its place to the place of the next row."""
        flat = Object(tuple(f for f in row.fields if not isinstance(f.node, ObjectList)))
        nested = Object(tuple(f for f in row.fields if isinstance(f.node, ObjectList)))
        own = [[leaf for leaf in self._row_leaves(flat, one or {}, outer) if leaf.spans] for one in rows]
        inner = [[leaf for leaf in self._row_leaves(nested, one or {}, outer) if leaf.spans] for one in rows]
        every = [a + b for a, b in zip(own, inner, strict=True)]
        places = place_rows(every, [len(leaves) for leaves in own], side)
        starts = sorted(p.start for p in places if p)
        regions: list[Region] = []
        for place, heads in zip(places, own, strict=True):
            if place is None:
                regions.append(Region(outer.anchor, outer.start, outer.end, names))
                continue
            line_start, _ = self.context.line_span(self.context.line_number(place.start))
            before, after = bisect_left(starts, place.start), bisect_left(starts, place.start + 1)
            rest = starts[before - 1] if before else outer.start  # of a row, whose first nested rows may stand above
            start = min(line_start, place.start) if heads else rest
            end = starts[after] if after < len(starts) else outer.end
            regions.append(Region(place, start, end, names))
        return regions

    def _row_leaves(self, node: Node, value: Json, outer: Region) -> Iterator[RowLeaf]:
        """What votes for the place of a row: its leaves, nested ones too, by their mentions inside the outer row."""
        match node:
            case Scalar():
                if value is not None and value != "":
                    yield self._find_votes(node, value, outer)
            case Object(fields):
                for f in fields:
                    yield from self._row_leaves(f.node, (value or {}).get(f.name), outer)
            case ObjectList(row):
                for one in value or ():
                    yield from self._row_leaves(row, one, outer)
            case ValueList(item):
                for one in value or ():
                    yield from self._row_leaves(item, one, outer)

    def _find_votes(self, node: Scalar, value: Json, outer: Region) -> RowLeaf:
        """The mentions of a leaf inside the outer row; one object for a value that many rows say."""
        mentions = self.find(node, value)
        key = id(node), f"{type(value).__name__} {value}"
        whole = outer.start == 0 and (not mentions or mentions[-1].span.start < outer.end)
        first = 0 if whole else bisect_left(mentions, outer.start, key=_start_of)
        last = len(mentions) if whole else bisect_left(mentions, outer.end, key=_start_of)
        if (*key, first, last) not in self._votes:
            spans = [m.span for m in mentions[first:last]]
            self._votes[*key, first, last] = RowLeaf(spans, self._lines[key][first:last])
        return self._votes[*key, first, last]

    def support(self, leaf: LocatedLeaf) -> GroundedValue:
        """The leaf on its words, in the record's form of what was said, with what was found about it."""
        value = self.index.kinds.normalise(leaf.node, leaf.value)
        findings = tuple(name for name, applies in FINDINGS if applies(self, leaf))
        if leaf.chosen is None:
            return GroundedValue(value, Evidence(Match.NONE, (), str(leaf.value), findings=findings))
        span = leaf.chosen.span.shift(self.index.chunk.span.start)
        return GroundedValue(value, Evidence(leaf.chosen.match, (span,), str(leaf.value), findings=findings))

    def is_inside_row(self, leaf: LocatedLeaf) -> bool:
        region = leaf.region
        if leaf.chosen is None or region.anchor is None:
            return leaf.chosen is not None
        return region.start <= leaf.chosen.span.start < region.end

    def is_shared(self, span: Span) -> bool:
        """Whether several leaves rest on the words."""
        return self.taken[span.start, span.end] > 1

    def is_doubtful(self, span: Span) -> bool:
        chunk = self.index.chunk
        return chunk.document.is_doubtful(span.shift(chunk.span.start))

    def affinity(self, leaf: LocatedLeaf) -> float:
        return self.context.affinity(self.labels, leaf.field, leaf.chosen.span) if leaf.chosen else 0.0

    def says_zero(self, leaf: LocatedLeaf) -> bool:
        """Whether a zero or a lone dash stands where the leaf's row does; in the whole text for a leaf of none."""
        region, text = leaf.region, self.index.text
        start, end = region.start, min(region.end, len(text))
        if region.anchor:
            start = max(start, region.anchor.start - ROW_LENGTH)
            end = min(end, region.anchor.end + ROW_LENGTH)
        if (start, end) not in self._zeros:
            self._zeros[start, end] = ZERO.search(text, start, end) is not None
        return self._zeros[start, end]

    def says_nothing_beside_label(self, leaf: LocatedLeaf) -> bool:
        """Whether a word such as "gratis" says zero behind the field's own label."""
        if leaf.chosen is None or self.affinity(leaf) < LABELLED:
            return False
        return self.index.text[leaf.chosen.span.start : leaf.chosen.span.end].isalpha()

    def _choose(self, leaf: LocatedLeaf, search: _Search) -> None:
        """Gives the leaf the mention that costs least."""
        if not leaf.mentions:
            return
        taken = search.taken
        if leaf.chosen is not None:
            taken[leaf.chosen.span.start, leaf.chosen.span.end] -= 1
            if leaf.listed is not None:
                leaf.listed[leaf.chosen.span.start, leaf.chosen.span.end] -= 1
        if len(leaf.mentions) == 1:
            best, leaf.others = leaf.mentions[0], 0
        else:
            if leaf.options is None:
                leaf.options = [self._weigh(leaf, m) for m in self._nearest(leaf)]
            columns = search.columns.get((*leaf.region.list_path, leaf.field.name)) if leaf.region.list_path else None
            costs = [one.cost + TAKEN if taken.get(one.place) else one.cost for one in leaf.options]
            if leaf.listed:
                for k, one in enumerate(leaf.options):
                    costs[k] += TAKEN_IN_LIST * (leaf.listed[one.place] > 0)
            if columns:
                for k, one in enumerate(leaf.options):
                    costs[k] += OTHER_COLUMN * (1 - columns.get(one.column, 0.0))
            least = min(costs)
            best = leaf.options[costs.index(least)].mention
            leaf.others = sum(c - least < 1e-9 for c in costs) - 1
        leaf.chosen = best
        taken[best.span.start, best.span.end] += 1
        if leaf.listed is not None:
            leaf.listed[best.span.start, best.span.end] += 1

    def _nearest(self, leaf: LocatedLeaf) -> Sequence[Mention]:
        anchor = leaf.region.anchor
        if anchor is None or len(leaf.mentions) <= NEAR:
            return leaf.mentions[:MOST]
        at = bisect_left(leaf.mentions, anchor.start, key=lambda m: m.span.start)
        return leaf.mentions[max(0, at - NEAR // 2) : at + NEAR]

    def _weigh(self, leaf: LocatedLeaf, mention: Mention) -> MentionOption:
        span, region = mention.span, leaf.region
        cost = STRICTNESS[mention.match] - LABEL * self.context.affinity(self.labels, leaf.field, span)
        cost += JOINED * self._is_joined(span) - (LISTED * leaf.side(span) if leaf.side else 0.0)
        if region.anchor is not None:
            lines = self.context.line_number(span.start) - self.context.line_number(region.anchor.start)
            cost += PER_LINE * (lines if lines >= 0 else -2 * lines)
            cost += OTHER_ROW * (span.start < region.start or span.start >= region.end)
        elif region.block is not None:
            cost += distance_cost(region.block, span, self.context) - (
                LISTED * region.side(span) if region.side else 0.0
            )
            if region.field is not None:
                cost -= LABEL * self.labels.weigh(region.field, self.context.stems_above(span, 0))
        column = self.context.column(span) if region.list_path else 0
        return MentionOption(mention, (span.start, span.end), cost, column)

    def _is_joined(self, span: Span) -> bool:
        """Whether the span is a part of a longer token: "1" of "1/5", "2024" of "INV-2024-7"."""
        text = self.index.text
        before, after = text[max(0, span.start - 2) : span.start], text[span.end : span.end + 2]
        left = len(before) == 2 and before[1] in _JOINING and before[0].isalnum()
        right = len(after) == 2 and after[0] in _JOINING and after[1].isalnum()
        return left or right

    def _count_columns(self, search: _Search) -> dict[tuple[str, ...], Mapping[int, float]]:
        columns: dict[tuple[str, ...], Counter[int]] = {}
        for leaf in search.leaves:
            if leaf.chosen and leaf.region.list_path:
                key = (*leaf.region.list_path, leaf.field.name)
                columns.setdefault(key, Counter())[self.context.column(leaf.chosen.span)] += 1
        return {
            key: {column: many / counted.total() for column, many in counted.items()}
            for key, counted in columns.items()
        }


def _start_of(mention: Mention) -> int:
    return mention.span.start
