"""Where a nested object stands that is no row: the block of lines where its values are found together, by its label.

Of a seller and a buyer in one city, each has the city that stands below its own name, or behind its own label.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractor.extraction.grounding.labels import FieldLabels, LabelIndex
from extractor.extraction.grounding.row_placement import RowLeaf, score_places
from extractor.schema.reader import Field, Object
from extractor.types import Span

LINES_ABOVE = 6
"""Lines above a block's values in which its label may stand."""
LABEL, PER_LINE_AWAY = 1.0, 0.1
"""What a label brings a place, in what one leaf found there would, and how much less each line between takes away."""
PER_LINE, FARTHEST, CHARACTERS_A_LINE, OTHER_COLUMN = 0.08, 0.4, 80, 0.2
"""What each line away from its block costs a mention, at most, and how many characters of a line count as one; and what
it costs to stand in another column of aligned lines."""


def place_block(
    field: Field, parent: Object, leaves: Sequence[RowLeaf], labels: FieldLabels, context: LabelIndex
) -> Span | None:
    """The mention about which most of the object is found, its label above or before it; None where nothing is."""
    places = score_places(leaves)
    if not places:
        return None
    best = max(places, key=lambda one: (one[1] + _weigh_label(field, parent, one[0], labels, context), -one[0].start))
    return best[0]


def distance_cost(block: Span, span: Span, context: LabelIndex) -> float:
    """What it costs a mention to stand away from its block; twice as much above it, where another's end is."""
    lines: float = context.line_number(span.start) - context.line_number(block.start)
    aside = OTHER_COLUMN if lines and context.column(span) != context.column(block) else 0.0
    if not lines:
        lines = (span.start - block.start) / CHARACTERS_A_LINE
    return min(FARTHEST, PER_LINE * (lines if lines >= 0 else -2 * lines)) + aside


def _weigh_label(field: Field, parent: Object, span: Span, labels: FieldLabels, context: LabelIndex) -> float:
    """How well the nearest label above or before the place that names this object or a sibling names this one."""
    for away in range(LINES_ABOVE + 1):
        stems = context.stems_above(span, away)
        own = labels.weigh(field, stems)
        rivals = (one for one in labels.find_objects(parent, stems) if one is not field)
        other = max((labels.weigh(one, stems) for one in rivals), default=0.0)
        if own or other:
            return LABEL * (own - other) * (1 - PER_LINE_AWAY * away) if own > other else 0.0
    return 0.0
