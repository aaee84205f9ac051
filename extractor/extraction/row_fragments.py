"""Rows that a cut parted: one piece of the text says of a row what the piece above or below does not hold.

A cut parts one row of a list at most: the one that ends a piece, whose rest the next piece begins with. They are one
where neither says what the other does and the layout of the list's other rows has it so; of rows with a declared key,
where nothing else tells, also where what begins the piece has none of it. Where it may be so and nothing tells, they
stay two, and the record says that it has such rows. Nothing goes to a row that is not beside the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from extractor.extraction.grounding.findings import ACROSS_A_CUT
from extractor.extraction.grounding.row_keys import holds_entries_alone
from extractor.extraction.grounding.tree import add_findings
from extractor.extraction.row_layout import Breaks, RowEnds, RowLayout, find_row_ends
from extractor.extraction.row_matching import ReplyPart, RowGroup
from extractor.schema.reader import ObjectList
from extractor.schema.written_form import LONE
from extractor.types import GroundedList, GroundedNode, GroundedObject, GroundedValue, Match, Span


@dataclass(slots=True)
class _Edge:
    """The row that a piece ends with, and where its words end."""

    group: int
    at: int


@dataclass
class Cuts:
    """The cuts that fall among the rows of one list. `pieces` has of each reply the number of its piece of the text."""

    node: ObjectList
    pieces: Mapping[int, int]
    list_rows: Callable[[], Sequence[tuple[int, Sequence[GroundedNode]]]]
    """Of each reply its piece and its rows; asked for once something stands beside a cut that may be half a row."""
    breaks: Callable[[], Breaks | None]
    is_in_doubt: bool = False
    """Whether rows stay two that may be one."""
    _edges: dict[int, _Edge] = field(default_factory=dict)

    @cached_property
    def _layout(self) -> RowLayout:
        return RowLayout(self.list_rows(), self.breaks)

    @cached_property
    def _last_piece(self) -> int:
        return max(self.pieces.values())

    def find_row_above(self, part: ReplyPart) -> int | None:
        """The group of the row that ends the piece before that of the part."""
        edge = self._edges.get(self.pieces[part.reply] - 1)
        return edge.group if edge else None

    def end_reply(self, part: ReplyPart, group: int) -> None:
        """Note the last row of a reply: a piece ends with the last of all replies about it."""
        piece, ends = self.pieces[part.reply], find_row_ends(part.node)
        at = ends.last[1].end if ends else -1
        if piece not in self._edges or at >= self._edges[piece].at:
            self._edges[piece] = _Edge(group, at)

    def is_rest(self, above: RowGroup, part: ReplyPart) -> bool:
        """Whether the row that begins a piece is the rest of the row above the cut."""
        row, piece = part.node, self.pieces[part.reply]
        earlier = [p for p in above.parts if self.pieces[p.reply] < piece]
        if not earlier or LONE in _fields(part) or any(LONE in _fields(p) for p in earlier):
            return False
        shared = _plain(part) & frozenset().union(*map(_plain, above.parts))
        lacks_name = self._lacks_name(part)
        before, after = _last_ends(earlier), find_row_ends(row)
        fits = not shared or (
            before is not None and after is not None and shared == {after.first[0]} and self._cuts_value(before, after)
        )
        if not fits and not lacks_name:
            return False
        verdict = self._layout.goes_on(before, after) if before and after else None
        if verdict is None and not shared and lacks_name:
            verdict = True
        if verdict is not False and not (verdict and fits):
            self.is_in_doubt = self.is_in_doubt or bool(verdict) or not shared
            return False
        return verdict

    def _cuts_value(self, before: RowEnds, after: RowEnds) -> bool:
        """Whether a cut falls within one text: both sides say of one field what stands side by side."""
        (name, last), (other, first) = before.last, after.first
        breaks = self.breaks()
        if name != other or breaks is None or not breaks.is_within_text(last.end, first.start):
            return False
        if not self._layout.begins_with_others_than(name):
            return False
        return not breaks.strongest(last.end, first.start) or self._layout.has_texts_over_lines

    def join(self, above: RowGroup, part: ReplyPart) -> ReplyPart:
        """What the part adds to the row above the cut; a text that both have a part of is put together there."""
        for name in _plain(part):
            rest = _fields(part)[name]
            for i, p in enumerate(above.parts):
                if (begun := _fields(p).get(name)) is None:
                    continue
                whole = self._put_together(begun, rest)
                above.parts[i] = replace(p, node=GroundedObject({**_fields(p), name: whole}))
                part = replace(part, node=GroundedObject({n: x for n, x in _fields(part).items() if n != name}))
                break
        return mark_rest(part)

    def _put_together(self, begun: GroundedNode, rest: GroundedNode) -> GroundedNode:
        breaks = self.breaks()
        texts = [x for x in (begun, rest) if isinstance(x, GroundedValue) and isinstance(x.value, str)]
        if breaks is None or len(texts) < 2:
            return begun
        a, b = (text.evidence for text in texts)
        span = Span(a.spans[0].start, b.spans[-1].end)
        between = breaks.text[a.spans[-1].end : b.spans[0].start]
        value = f"{texts[0].value}{' '.join(f'.{between}.'.split())[1:-1]}{texts[1].value}"
        match = max(a.match, b.match, Match.EXACT if "\n" not in between else Match.NORMALISED, key=list(Match).index)
        findings = dict.fromkeys((*a.findings, *b.findings, ACROSS_A_CUT))
        return GroundedValue(value, replace(a, match=match, spans=(span,), model_value=value, findings=tuple(findings)))

    def has_nameless(self, groups: Sequence[RowGroup]) -> bool:
        """Whether a row without any of its declared key may be part of one that another piece names."""
        if not self.node.key_declared or len(self._edges) < 2:
            return False
        said = [(frozenset().union(*map(_plain, one.parts)), one) for one in groups]
        names = set(self.node.key)
        named = [(fields, one) for fields, one in said if fields & names]
        nameless = {fields: one for fields, one in said if not fields & names and LONE not in fields}
        return any(
            fields.isdisjoint(theirs) and not self._pieces_of(one) & self._pieces_of(other)
            for fields, one in nameless.items()
            for theirs, other in named
        )

    def _pieces_of(self, group: RowGroup) -> set[int]:
        return {self.pieces[p.reply] for p in group.parts}

    def _lacks_name(self, part: ReplyPart) -> bool:
        if self.node.key_declared:
            return not any(name in _fields(part) for name in self.node.key)
        return isinstance(part.node, GroundedObject) and holds_entries_alone(self.node, part.node)

    def is_cut_off(self, group: RowGroup, part: ReplyPart) -> bool:
        """Whether the row that ends a piece ends as no other does, and lacks what tells which others it is one with.

        Such a row is not matched by the little that it says; its rest may name another.
        """
        piece = self.pieces[part.reply]
        if piece == self._last_piece or all(name in _fields(part) for name in self.node.key):
            return False
        theirs = frozenset().union(*map(_plain, group.parts))
        if theirs <= _plain(part) or any(self.pieces[p.reply] == piece for p in group.parts):
            return False
        ends = find_row_ends(part.node)
        return ends is not None and self._layout.ends_with_others_than(ends.last[0])

    def has_whole_key(self, part: ReplyPart) -> bool:
        """Whether the row says all that tells it apart, as the schema declares it."""
        return self.node.key_declared and all(name in _fields(part) for name in self.node.key)


def mark_rest(part: ReplyPart) -> ReplyPart:
    return replace(part, node=add_findings(part.node, ACROSS_A_CUT))


def _fields(part: ReplyPart) -> Mapping[str, GroundedNode]:
    return part.node.fields if isinstance(part.node, GroundedObject) else {}


def _plain(part: ReplyPart) -> frozenset[str]:
    """Fields that hold one value or an object; a list takes more entries."""
    return frozenset(name for name, inner in _fields(part).items() if not isinstance(inner, GroundedList))


def _last_ends(parts: Sequence[ReplyPart]) -> RowEnds | None:
    found = [ends for part in parts if (ends := find_row_ends(part.node))]
    return max(found, key=lambda ends: ends.last[1].end, default=None)
