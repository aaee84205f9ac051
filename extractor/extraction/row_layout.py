"""How the rows of a list are laid out, learned from those that no cut falls in: by which fields a row begins and ends
in the text, and what may stand between its words.

So it is told whether what begins a piece of the text goes on with the row above the cut: rows of a bill begin with the
article, and a piece that begins with a price has the rest of one. Nothing is taken from the order of the schema.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from extractor.extraction.grounding.tree import iterate_leaves
from extractor.extraction.text.outline import find_headings
from extractor.types import Document, GroundedNode, Span

_LINE, _BLANK_LINES, _HEADING = 1, 2, 3
"""What parts two mentions, in order of strength."""
_BREAKS = ((_LINE, re.compile(r"\n")), (_BLANK_LINES, re.compile(r"\n(?:[ \t\r]*\n)+")))

_GOES_ON = re.compile(r"[.!?。！？]?\s*")
_MOST_BETWEEN = 80


@dataclass(frozen=True, slots=True)
class RowEnds:
    """The words that a row begins with and those that it ends with, each with the field that they are of."""

    first: tuple[str, Span]
    last: tuple[str, Span]


def find_row_ends(row: GroundedNode) -> RowEnds | None:
    """The first and the last words of what one reply says of a row; None without any."""
    words = [(spans[0], str(path[0])) for path, leaf in iterate_leaves(row) if path and (spans := leaf.evidence.spans)]
    if not words:
        return None
    (first, begins), (last, ends) = min(words), max(words)
    return RowEnds((begins, first), (ends, last))


class Breaks:
    """Where lines, blank lines and headings part a document."""

    def __init__(self, document: Document) -> None:
        self.text = text = document.visible_text(Span(0, len(document.text)))
        self._at = [(strength, [m.start() for m in form.finditer(text)]) for strength, form in _BREAKS]
        self._at.append((_HEADING, [heading.span.start - 1 for heading in find_headings(text)]))

    def strongest(self, start: int, end: int) -> int:
        """The strongest of what begins from the one position to the other; 0 for none."""
        return max((strength for strength, at in self._at if bisect_left(at, start) < bisect_left(at, end)), default=0)

    def is_within_text(self, start: int, end: int) -> bool:
        """Whether one text may go on from the one position to the other: over white space or the end of a sentence."""
        return start <= end <= start + _MOST_BETWEEN and bool(_GOES_ON.fullmatch(self.text, start, end))


class RowLayout:
    """What rows that are whole have in common. `said` has of each reply the number of its piece and its rows."""

    def __init__(self, said: Iterable[tuple[int, Sequence[GroundedNode]]], breaks: Callable[[], Breaks | None]) -> None:
        replies = [(piece, rows) for piece, rows in said if rows]
        self._replies = replies
        self.breaks = breaks()
        self.begins: set[str] = set()
        self.ends: set[str] = set()
        within = [0]
        first_piece, last_piece = min(piece for piece, _ in replies), max(piece for piece, _ in replies)
        for piece, rows in replies:
            for i, row in enumerate(rows):
                if (ends := find_row_ends(row)) is None:
                    continue
                if i or piece == first_piece:
                    self.begins.add(ends.first[0])
                if i < len(rows) - 1 or piece == last_piece:
                    self.ends.add(ends.last[0])
                if self.breaks:
                    within.append(self.breaks.strongest(ends.first[1].start, ends.last[1].end))
        self._within = min(max(within), _BLANK_LINES)

    @cached_property
    def has_texts_over_lines(self) -> bool:
        """Whether some text of a row goes over several lines."""
        leaves = (leaf for _, rows in self._replies for row in rows for _, leaf in iterate_leaves(row))
        spans = (span for leaf in leaves for span in leaf.evidence.spans)
        return self.breaks is not None and any(self.breaks.strongest(span.start, span.end) for span in spans)

    def begins_with_others_than(self, name: str) -> bool:
        """Whether it is known that no row begins with the field."""
        return bool(self.begins) and name not in self.begins

    def ends_with_others_than(self, name: str) -> bool:
        """Whether it is known that no row ends with the field."""
        return bool(self.ends) and name not in self.ends

    def goes_on(self, before: RowEnds, after: RowEnds) -> bool | None:
        """Whether what begins a piece is the rest of the row that ends the one before; None where nothing tells."""
        (ends, last), (begins, first) = before.last, after.first
        if first.start < last.end:
            return None
        between = self.breaks.strongest(last.end, first.start) if self.breaks else 0
        if between > self._within and between > (0 if self.begins else _LINE):
            return False
        if self.begins_with_others_than(begins) or self.ends_with_others_than(ends):
            return True
        if self.begins and self.ends:
            return False
        return True if self.breaks and between == 0 else None
