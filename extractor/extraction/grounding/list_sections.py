"""Which of several lists a part of the text is of: by the last short line above that names one of them.

Of a board and an audit committee with the same people in both, each list has those that stand below its own name. An
object beside them that has lists in it is told apart from them in the same way, and its lists with it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from extractor.extraction.grounding.labels import FieldLabels, word_stems
from extractor.schema.reader import Field, Object, ObjectList, ValueList
from extractor.types import Span

LEAST = 0.3
"""The share of what a list is known by that its line has, times the share of the line's words that are of these."""
_SHORT_LINE = re.compile(
    r"^[^\w\n|\t]*+(?:\d{1,3}(?:\.\d{1,3})*+[.)]?[ \t]++)?+[^\d\n|\t:：]{3,60}[:：]?[ \t*_]*+$", re.M
)
"""A line that may be a list's name: few words in one cell, nothing behind a colon ("Currency: EUR" names no current
values), and no figure but a number of its own before them."""


Side = Callable[[Span], int]
"""Above 0 for words that stand below the name of what they are to be of, below 0 for those below another name."""


class ListSections:
    """The lines of a text that name a list or an object, by the object that these are in."""

    def __init__(self, text: str, labels: FieldLabels) -> None:
        self._text, self._labels = text, labels
        self._marks: dict[int, tuple[list[int], list[int], frozenset[int]]] = {}
        """By object the lines that name one of its lists, which field each names, by identity, and which are named."""

    def find_side(self, parent: Object, field: Field, outer: Side | None) -> Side | None:
        """What a place says for a list or object of the parent; None where the text does not name it, nor what the
        parent lies in."""
        starts, named, every = self._find_marks(parent)
        if id(field) not in every:
            return outer

        def side(span: Span) -> int:
            at = bisect_right(starts, span.start) - 1
            own = 0 if at < 0 else 1 if named[at] == id(field) else -1
            return own + outer(span) if outer else own

        return side

    def _find_marks(self, parent: Object) -> tuple[list[int], list[int], frozenset[int]]:
        marks = self._marks.get(id(parent))
        if marks is None:
            lists = [f for f in parent.fields if isinstance(f.node, Object | ObjectList | ValueList)]
            found = list(self._read_lines(lists)) if len(lists) > 1 else []
            named = [id(field) for _, field in found]
            marks = self._marks[id(parent)] = [at for at, _ in found], named, frozenset(named)
        return marks

    def _read_lines(self, lists: Sequence[Field]) -> list[tuple[int, Field]]:
        known = [self._labels.stems(field) for field in lists]
        every = frozenset().union(*known)
        found: list[tuple[int, Field]] = []
        for line in _SHORT_LINE.finditer(self._text):
            stems = word_stems(line[0])
            if stems.isdisjoint(every):
                continue
            shares = [len(stems & one) / len(stems) for one in known]
            weights = [self._labels.weigh(f, stems) * share for f, share in zip(lists, shares, strict=True)]
            best = max(weights)
            which = weights.index(best)
            if best >= LEAST and weights.count(best) == 1:
                found.append((line.start(), lists[which]))
        return found
