"""Values that code finds by their form: which row each belongs to, by where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from extractor.extraction.grounding.anchors import reading_distance
from extractor.extraction.grounding.mentions import Mention
from extractor.extraction.grounding.scope import RowScope
from extractor.extraction.text.passages import find_line, find_paragraph, find_paragraph_above
from extractor.types import Span

MAX_WORDS_BESIDE = 3
"""Words beside a value that still leave it by itself: "See <...>"."""
CONTEXT_LENGTH = 80
"""Characters of its paragraph that are looked at for them on either side."""


def assign_to_rows(
    places: Sequence[Mention], homes: Sequence[RowScope | None], named: Sequence[Sequence[Span]], text: str
) -> Mapping[int, Mention]:
    """The place of each row that has one: the nearest of those that are its own.

    What stands by itself belongs to the row before, or to the row after where more rows have one so: a list may write
    each date above what happened on it.
    """
    return max((_assign_in_direction(places, homes, named, text, leading) for leading in (False, True)), key=len)


def _assign_in_direction(
    places: Sequence[Mention],
    homes: Sequence[RowScope | None],
    named: Sequence[Sequence[Span]],
    text: str,
    leading: bool,
) -> Mapping[int, Mention]:
    own: dict[int, list[tuple[int, int, Span, Mention]]] = {}
    for place in places:
        for step, rows in enumerate(_rank_claims(place.span, homes, named, text, leading)):
            if rows:
                far, row = min(rows)
                own.setdefault(row, []).append((step, far, place.span, place))
                break
    return {i: min(found, key=lambda f: f[:3])[3] for i, found in own.items()}


def _rank_claims(
    span: Span, homes: Sequence[RowScope | None], named: Sequence[Sequence[Span]], text: str, leading: bool
) -> Iterator[list[tuple[int, int]]]:
    """The rows that the words may belong to, each after how far it is, those with the best claim first.

    First the row that begins in their line, or whose name opens it; then those that began before them in their
    paragraph, else the others that begin there. Then, where the words stand by themselves, the
    one next to them; in a paragraph of prose the one that began in the paragraph above, or one that it names. Prose
    that does none of this is about something that was not listed.
    """
    here = find_paragraph(text, span)
    rows = [(reading_distance(span, h.anchor), i, h.anchor) for i, h in enumerate(homes) if h and h.contains(span)]
    line = find_line(text, span)
    opening = [(i, m) for i, home in enumerate(homes) if home for m in named[i] if _opens_line(text, m, line)]
    yield [(far, i) for far, i, anchor in rows if anchor.within(line)] or [(0, i) for i, _ in opening]
    inside = [(far, i, anchor) for far, i, anchor in rows if anchor.within(here)]
    yield [(far, i) for far, i, anchor in inside if anchor.end <= span.start] or [(far, i) for far, i, _ in inside]
    before = [(far, i, anchor) for far, i, anchor in rows if anchor.end <= span.start]
    beside = (
        text[max(here.start, span.start - CONTEXT_LENGTH) : span.start],
        text[span.end : min(here.end, span.end + CONTEXT_LENGTH)],
    )
    if sum(len(words.split()) for words in beside) <= MAX_WORDS_BESIDE:
        after = [(far, i, anchor) for far, i, anchor in rows if span.end <= anchor.start]
        yield [(far, i) for far, i, _ in (after if leading else before)]
        return
    above = find_paragraph_above(text, here)
    yield [(far, i) for far, i, anchor in before if above and anchor.within(above)]
    yield [(reading_distance(span, m), i) for i, home in enumerate(homes) if home for m in named[i] if m.within(here)]


def _opens_line(text: str, mention: Span, line: Span) -> bool:
    return mention.within(line) and not any(c.isalnum() for c in text[line.start : mention.start])
