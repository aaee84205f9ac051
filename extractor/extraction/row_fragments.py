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
from extractor.types import GroundedList, GroundedNode, GroundedObject


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
        assert isinstance(row, GroundedObject)  # noqa: S101 -- rows are
        earlier = [p for p in above.parts if self.pieces[p.reply] < piece and isinstance(p.node, GroundedObject)]
        if not earlier or LONE in row.fields or any(LONE in _fields(p) for p in earlier):
            return False
        plain = {name for p in above.parts for name, inner in _fields(p).items() if not isinstance(inner, GroundedList)}
        own = {name for name, inner in row.fields.items() if not isinstance(inner, GroundedList)}
        lacks_name = self._lacks_name(row)
        is_apart = plain.isdisjoint(own)
        if not is_apart and not lacks_name:
            return False
        verdict = self._judge(earlier, row)
        if verdict is None and is_apart and lacks_name:
            verdict = True
        if verdict is None or (verdict and not is_apart):
            self.is_in_doubt = True
            return False
        return verdict

    def has_nameless(self, groups: Sequence[RowGroup]) -> bool:
        """Whether a row without any of its declared key may be part of one that another piece names."""
        if not self.node.key_declared or len(self._edges) < 2:
            return False
        said = [(frozenset(name for p in one.parts for name in _fields(p)), one) for one in groups]
        names = set(self.node.key)
        named = [(fields, one) for fields, one in said if fields & names]
        nameless = {fields: one for fields, one in said if not fields & names and LONE not in fields}
        return any(
            not fields & theirs and not self._pieces_of(one) & self._pieces_of(other)
            for fields, one in nameless.items()
            for theirs, other in named
        )

    def _pieces_of(self, group: RowGroup) -> set[int]:
        return {self.pieces[p.reply] for p in group.parts}

    def _judge(self, earlier: Sequence[ReplyPart], row: GroundedObject) -> bool | None:
        before, after = _last_ends(earlier), find_row_ends(row)
        return self._layout.goes_on(before, after) if before and after else None

    def _lacks_name(self, row: GroundedObject) -> bool:
        if self.node.key_declared:
            return not any(name in row.fields for name in self.node.key)
        return holds_entries_alone(self.node, row)

    def has_whole_key(self, part: ReplyPart) -> bool:
        """Whether the row says all that tells it apart, as the schema declares it."""
        return self.node.key_declared and all(name in _fields(part) for name in self.node.key)


def mark_rest(part: ReplyPart) -> ReplyPart:
    return replace(part, node=add_findings(part.node, ACROSS_A_CUT))


def _fields(part: ReplyPart) -> Mapping[str, GroundedNode]:
    return part.node.fields if isinstance(part.node, GroundedObject) else {}


def _last_ends(parts: Sequence[ReplyPart]) -> RowEnds | None:
    found = [ends for part in parts if (ends := find_row_ends(part.node))]
    return max(found, key=lambda ends: ends.last[1].end, default=None)
