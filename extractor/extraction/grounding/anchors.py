"""Where each row of a list stands: the mention of an identifying field that the rest of the row is nearest to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from extractor.extraction.grounding.mentions import Page, Place
from extractor.extraction.grounding.scope import Home
from extractor.extraction.text import normalize as spelling
from extractor.extraction.text.outline import Cues
from extractor.schema.reader import Leaf, Node, Rows, leaves
from extractor.types import Json, Span

Said = Sequence[Mapping[str, Json]]
"""The rows of a list as a model said them."""


def find(rows: Rows, cues: Cues, said: Said, page: Page, home: Home | None) -> list[Span | None]:
    """The anchor of each row; None for one whose identifying fields are nowhere.

    Of several mentions, those count that stand under a cue: a paper in the news stands in the list of papers too.
    A field that tells the row from all others is asked first; rows that share an employer differ in the role.
    """
    taken: set[Span] = set()
    found: list[Span | None] = []
    for row in said:
        own = [k for k in rows.key if _alone(k, row, said)]
        keys = [*own, *(k for k in rows.key if k not in own)]
        anchor = _nearest(keys, _mentions(rows, row, keys, page, home), cues, page, taken, home)
        if anchor is not None:
            taken.add(anchor)
        found.append(anchor)
    return found


def named(rows: Rows, row: Mapping[str, Json], said: Said, page: Page) -> Sequence[Span]:
    """Every mention of the first identifying field that is said; none where another row says the same."""
    plain = (k for k in rows.key if isinstance(rows.row[k].node, Leaf) and row.get(k) not in (None, ""))
    key = next(plain, None)
    if key is None or not _alone(key, row, said):
        return ()
    return [p.span for p in _places(rows.row[key].node, row[key], page)]


def distance(span: Span, other: Span | None) -> int:
    """Characters between the two; what stands before costs double, as a row reads on from its key."""
    if other is None:
        return 0
    if span.start >= other.end:
        return span.start - other.end
    return 2 * max(0, other.start - span.end)


def _nearest(
    keys: Sequence[str],
    mentions: Mapping[str, Sequence[Span]],
    cues: Cues,
    page: Page,
    taken: set[Span],
    home: Home | None,
) -> Span | None:
    key = next((k for k in keys if mentions.get(k)), None)
    if key is None:
        return None
    spans = [s for s in mentions[key] if cues.head(page.outline, s.start)] or mentions[key]
    others = [m for name, m in mentions.items() if name != key and m]

    def cost(span: Span) -> tuple[bool, int, int, Span]:
        nearest = sum(min(distance(o, span) for o in spans) for spans in others)
        return span in taken, nearest, distance(span, home.anchor) if home else 0, span

    return min(spans, key=cost)


def _mentions(
    rows: Rows, row: Mapping[str, Json], keys: Sequence[str], page: Page, home: Home | None
) -> dict[str, list[Span]]:
    """Where the plain fields and the identifying ones are said, within the row that this one is in."""
    return {
        f.name: [p.span for p in _places(f.node, row[f.name], page) if home is None or home.holds(p.span)]
        for f in rows.row.fields
        if (isinstance(f.node, Leaf) or f.name in keys) and row.get(f.name) not in (None, "")
    }


def _places(node: Node, value: Json, page: Page) -> Sequence[Place]:
    """Where the first plain value stands that stands anywhere: a row may be told apart by a nested name."""
    return next((found for _, leaf, v in leaves(node, value) if (found := page.places(leaf, v))), ())


def _alone(key: str, row: Mapping[str, Json], said: Said) -> bool:
    """Whether no other row says the same there."""
    return sum(spelling.key(r.get(key)) == spelling.key(row.get(key)) for r in said) == 1
