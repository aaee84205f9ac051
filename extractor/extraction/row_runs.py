"""Which rows are lines of one list, so that each is a row of its own though a cut falls among them.

Lines that hold words of rows and follow each other without a gap are a run, and so are the lines of one table. Two rows
of a run that stand on different lines are two, however little the one says that the other does not.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extractor.extraction.grounding.tree import iterate_leaves
from extractor.types import Document, GroundedNode, Span

_LINE_END = re.compile(r"\n")


@dataclass(frozen=True, slots=True)
class LinePlace:
    """Where a row stands: its run, and the line of it."""

    run: int
    line: int
    piece: int = 0
    """The number of the piece of text that it was said about."""

    def is_beside(self, other: LinePlace) -> bool:
        """Whether the other, said about another piece of the text, stands on another line of the same run. About one
        piece several replies may each tell some fields of a row, and these stand on lines of their own."""
        return self.piece != other.piece and self.run == other.run and self.line != other.line


class LineRuns:
    """The lines of a document, and the runs that rows make of them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(document.text))]

    def place_nodes(self, rows: Iterable[GroundedNode]) -> list[LinePlace | None]:
        """The place of each row by the words of its leaves."""
        leaves = ([leaf for _, leaf in iterate_leaves(row) if leaf.evidence.spans] for row in rows)
        return self.place_rows([leaf.evidence.spans[0] for leaf in one] for one in leaves)

    def place_rows(self, rows: Iterable[Sequence[Span]], *, alone: bool = False) -> list[LinePlace | None]:
        """The place of each row by the words that it rests on: the line that has most of them, the last of several.

        With `alone`, only of those that have a line to themselves.
        """
        lines = [Counter(self._line_at(span) for span in spans) for spans in rows]
        runs = self._join_lines(sorted({line for counted in lines for line in counted}))
        places: list[LinePlace | None] = []
        for counted in lines:
            main = max(counted, key=lambda line: (counted[line], line), default=None)
            places.append(None if main is None else LinePlace(runs[main], main))
        rows_of = Counter(place.line for place in places if place)
        return [place if place and (not alone or rows_of[place.line] == 1) else None for place in places]

    def _line_at(self, span: Span) -> int:
        return bisect_right(self._starts, span.start) - 1

    def _join_lines(self, lines: Sequence[int]) -> dict[int, int]:
        """By line the number of its run."""
        runs: dict[int, int] = {}
        before = run = -1
        for line in lines:
            if before < 0 or (line - before > 1 and not self._are_of_one_table(before, line)):
                run += 1
            runs[line] = run
            before = line
        return runs

    def _are_of_one_table(self, line: int, other: int) -> bool:
        table = self._document.table_at(self._starts[line])
        return table is not None and table is self._document.table_at(self._starts[other])
