"""What is found about a leaf once it has its words: each finding a small function in one list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from extractor.extraction.grounding import findings as found
from extractor.extraction.grounding.located_leaf import LocatedLeaf
from extractor.schema.annotations import Kind
from extractor.schema.kinds import is_placeholder
from extractor.types import Match

if TYPE_CHECKING:
    from extractor.extraction.grounding.locator import Locator

LABELLED = 0.3
"""Share of what a field is known by from which on a label is its own."""
_ISO = re.compile(r"\d{4}(?:-\d\d){0,2}")


def _is_zero(leaf: LocatedLeaf) -> bool:
    is_number = isinstance(leaf.value, int | float) and not isinstance(leaf.value, bool)
    return is_number and leaf.value == 0 and leaf.node.kind is not Kind.BOOLEAN


def _is_text(leaf: LocatedLeaf) -> bool:
    return isinstance(leaf.value, str) and not leaf.node.enum


FINDINGS: tuple[tuple[str, Callable[[Locator, LocatedLeaf], bool]], ...] = (
    (found.NO_WORDS, lambda at, leaf: leaf.chosen is None),
    (found.OUTSIDE_ROW, lambda at, leaf: leaf.chosen is not None and not at.is_inside_row(leaf)),
    (found.ROW_SCATTERED, lambda at, leaf: leaf.region.anchor is not None and leaf.region.coherence < 0.5),
    (
        found.WORDS_SHARED,
        lambda at, leaf: leaf.chosen is not None and at.taken[leaf.chosen.span.start, leaf.chosen.span.end] > 1,
    ),
    (found.SEVERAL_PLACES, lambda at, leaf: leaf.others > 0),
    (found.LABEL_BESIDE, lambda at, leaf: at.affinity(leaf) >= LABELLED),
    (found.ORDER_GUESSED, lambda at, leaf: leaf.chosen is not None and "guessed" in leaf.chosen.rule),
    (found.PLACEHOLDER, lambda at, leaf: is_placeholder(leaf.value)),
    (found.DENIED, lambda at, leaf: at.index.denies(leaf.node, leaf.value, leaf.chosen.span if leaf.chosen else None)),
    (
        found.ZERO_UNSAID,
        lambda at, leaf: _is_zero(leaf) and not at.says_zero(leaf) and not at.says_nothing_beside_label(leaf),
    ),
    (found.NOT_AS_ASKED, lambda at, leaf: leaf.node.kind is Kind.DATE and not _ISO.match(str(leaf.value))),
    (found.LINE_BREAK, lambda at, leaf: _is_text(leaf) and "\n" in leaf.value),
    (found.MANY_WORDS, lambda at, leaf: _is_text(leaf) and len(leaf.value.split()) > 4),
    (found.BRACKETED, lambda at, leaf: _is_text(leaf) and leaf.value.rstrip()[-1:] in (")", "]")),
    (found.DOUBTFUL_SIGHT, lambda at, leaf: leaf.chosen is not None and at.is_doubtful(leaf.chosen.span)),
    (found.DERIVED, lambda at, leaf: leaf.chosen is not None and leaf.chosen.match is Match.DERIVED),
    (found.FUZZY, lambda at, leaf: leaf.chosen is not None and leaf.chosen.match is Match.FUZZY),
    (found.NORMALISED, lambda at, leaf: leaf.chosen is not None and leaf.chosen.match is Match.NORMALISED),
)
"""What may be found about a located leaf, each a small function; what it is worth is in confidence.json."""
