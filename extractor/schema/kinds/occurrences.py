"""Where given words stand in a text: by looking through it while few are asked for, by an index of it once many are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

PREFIX = 32
"""Characters by which the index knows what begins at a position; the rest is compared."""
LOOKS, PER_HIT = 1_000, 4_000
"""Looks through the text from which on the index, which takes some thousand times as long as one, costs less; and
characters that can be looked through while one position that was found is looked at."""
HITS, FEW = 2, 64
"""Positions that are told in all, for each character of the text, where each counts once more for every 64 characters
that were compared; after so many, only a few for each of the words."""


class Occurrences:
    """`edges` gives the positions of the text, in order, at which the words that are asked for may begin, and for each
    position of it, and its end, whether none of them ends before it."""

    __slots__ = ("_edges", "_left", "_order", "_spent", "_stops", "_text")

    def __init__(self, text: str, edges: Callable[[], tuple[Sequence[int], bytes]]) -> None:
        self._text, self._edges = text, edges
        self._spent = 0
        self._left = HITS * len(text) + 100 * FEW
        self._order: list[int] | None = None
        self._stops = b""

    def find(self, wanted: str) -> list[int]:
        """The positions at which the words begin, in order; those where nothing may begin need not be among them.

        All of them, as long as what is asked for does not repeat itself all over the text: "a a", "a a a", ...
        """
        if not wanted:
            return []
        cost = 1 + len(wanted) // 64
        most = max(self._left // cost, FEW)
        if self._spent < LOOKS * len(self._text):
            found = self._look_through(wanted, most)
            self._spent += len(self._text) + PER_HIT * len(found)
            self._left -= len(found) * cost
            return found
        found = self._look_up(wanted, most)
        self._left -= len(found) * cost
        behind, stops = len(wanted), self._stops
        return [at for at in found if not stops[at + behind]]

    def _look_through(self, wanted: str, most: int) -> list[int]:
        found: list[int] = []
        at = self._text.find(wanted)
        while at >= 0 and len(found) < most:
            found.append(at)
            at = self._text.find(wanted, at + 1)
        return found

    def _look_up(self, wanted: str, most: int) -> list[int]:
        if self._order is None:
            begins, self._stops = self._edges()
            self._order = sorted(begins, key=self._prefix)
        head = wanted[:PREFIX]
        first = bisect_left(self._order, head, key=self._prefix)
        last = bisect_right(self._order, head + "\U0010ffff", lo=first, key=self._prefix)
        found = sorted(self._order[first : min(last, first + most)])
        if len(wanted) <= PREFIX:
            return found
        self._left -= len(found)  # they are all compared
        return [at for at in found if self._text.startswith(wanted, at)]

    def _prefix(self, at: int) -> str:
        return self._text[at : at + PREFIX]
