"""Rows that a cut parted: one piece of the text says of a row what the piece that names the row does not hold.

A fragment says nothing of what tells the rows of its list apart: their declared key, or, of a row that begins a piece,
what all say that begin none. It goes to the row that ends the piece before if it
begins its own piece under the same heading, else to the only row of other pieces that says nothing where it does. One
that several rows could take stays a row by itself, and the record says that it has it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from extractor.extraction.grounding.findings import ACROSS_A_CUT
from extractor.extraction.grounding.row_keys import holds_entries_alone
from extractor.extraction.grounding.tree import add_findings, first_words
from extractor.extraction.row_matching import ReplyPart, RowGroup
from extractor.extraction.row_runs import LinePlace
from extractor.extraction.text.outline import find_headings
from extractor.schema.reader import ObjectList, Scalar
from extractor.schema.written_form import LONE
from extractor.types import Document, GroundedList, GroundedObject, Span


class Headings:
    """Where the headings of a document stand; looked for once a fragment asks."""

    def __init__(self, document: Document | None) -> None:
        self._document = document

    def part(self, before: RowGroup, after: RowGroup) -> bool:
        """Whether one is known to stand between what was last said of one row and first of the next."""
        first, then = first_words(before.parts[-1].node), first_words(after.parts[0].node)
        if first is None or then is None or self._document is None:
            return False
        return bisect_right(self._starts, first.start) != bisect_right(self._starts, then.start)

    @cached_property
    def _starts(self) -> list[int]:
        assert self._document is not None  # noqa: S101 -- it was asked for
        text = self._document.visible_text(Span(0, len(self._document.text)))
        return [heading.span.start for heading in find_headings(text)]


@dataclass(slots=True)
class PieceEnds:
    """Of each piece of the text the groups of its first and of its last row, in the order in which they were said."""

    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def add(self, piece: int, group: int) -> None:
        self.first.setdefault(piece, group)
        self.last[piece] = group


@dataclass(frozen=True, slots=True)
class _Group:
    """What a group of rows says, and in which pieces of the text."""

    plain: frozenset[str]
    """Fields that hold one value or an object; a list takes more entries."""
    pieces: frozenset[int]
    places: tuple[LinePlace, ...]
    is_fragment: bool

    def has_room_for(self, fragment: _Group) -> bool:
        """Whether it says nothing where the fragment does, and stands neither in its piece nor on a line beside it."""
        return not (
            self.plain & fragment.plain
            or self.pieces & fragment.pieces
            or any(a.is_beside(b) for a in self.places for b in fragment.places)
        )


def join_fragments(
    node: ObjectList, groups: Sequence[RowGroup], ends: PieceEnds, pieces: Mapping[int, int], headings: Headings
) -> tuple[list[RowGroup], bool]:
    """The groups with fragments in the rows that they belong to, and whether one is left that some row could take.

    `pieces` has of each reply the number of the piece of text that it is about.
    """
    if len(ends.first) < 2:
        return list(groups), False
    begin = {group for piece, group in ends.first.items() if piece}
    naming = frozenset(node.key) if node.key_declared else _find_naming(node, groups, begin)
    said = [_describe(node, group, naming, pieces) for group in groups]
    fragments = [i for i, one in enumerate(said) if one.is_fragment and (node.key_declared or i in begin)]
    named = dict.fromkeys(i for i, one in enumerate(said) if not one.is_fragment and LONE not in one.plain)
    lacking: dict[frozenset[str], list[int]] = {}
    owners: dict[int, int] = {}
    is_left = False
    for i in fragments:
        one = said[i]
        before = _find_row_before(i, one, owners, ends)
        if before in named and said[before].has_room_for(one) and not headings.part(groups[before], groups[i]):
            owner = before
        else:
            if one.plain not in lacking:
                lacking[one.plain] = [n for n in named if not said[n].plain & one.plain]
            takers = list(islice((n for n in lacking[one.plain] if said[n].has_room_for(one)), 2))
            if len(takers) != 1 or not one.plain:
                is_left = is_left or bool(takers)
                continue
            owner = takers[0]
        owners[i] = owner
        groups[owner].parts.extend(_mark(part) for part in groups[i].parts)
        said[owner] = _describe(node, groups[owner], naming, pieces)
    return [group for i, group in enumerate(groups) if i not in owners], is_left


def _describe(node: ObjectList, group: RowGroup, naming: frozenset[str], pieces: Mapping[int, int]) -> _Group:
    rows = [part.node for part in group.parts if isinstance(part.node, GroundedObject)]
    said = frozenset(name for row in rows for name in row.fields)
    plain = frozenset(n for row in rows for n, inner in row.fields.items() if not isinstance(inner, GroundedList))
    lacks_name = bool(naming) and naming.isdisjoint(said) and LONE not in said
    return _Group(
        plain,
        frozenset(pieces[part.reply] for part in group.parts),
        tuple(group.places),
        bool(said) and (lacks_name or all(holds_entries_alone(node, row) for row in rows)),
    )


def _find_naming(node: ObjectList, groups: Sequence[RowGroup], begin: Collection[int]) -> frozenset[str]:
    """The plain fields that every row says but for those that begin a piece of the text."""
    scalars = frozenset(f.name for f in node.row.fields if isinstance(f.node, Scalar))
    rows = ([p.node for p in group.parts] for i, group in enumerate(groups) if i not in begin)
    said = [{name for row in parts if isinstance(row, GroundedObject) for name in row.fields} for parts in rows]
    return scalars.intersection(*said) if said else frozenset()


def _find_row_before(i: int, fragment: _Group, owners: Mapping[int, int], ends: PieceEnds) -> int:
    """The row that ends the piece before, if the fragment begins its own; else -1."""
    piece = min(fragment.pieces)
    before = ends.last.get(piece - 1, -1) if ends.first[piece] == i else -1
    return owners.get(before, before)


def _mark(part: ReplyPart) -> ReplyPart:
    return replace(part, node=add_findings(part.node, ACROSS_A_CUT))
