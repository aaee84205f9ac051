"""Where each row of a list stands: the mention of an identifying field that the rest of the row is nearest to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from extractor.extraction.grounding.mentions import Mention, TextIndex
from extractor.extraction.grounding.scope import RowScope
from extractor.extraction.text.normalize import comparison_key
from extractor.extraction.text.outline import Keywords
from extractor.schema.reader import Node, ObjectList, Scalar, iterate_scalars
from extractor.types import Json, Span

ModelRows = Sequence[Mapping[str, Json]]
"""The rows of a list as a model said them."""


def find_anchors(
    rows: ObjectList, cues: Keywords, said: ModelRows, page: TextIndex, home: RowScope | None
) -> list[Span | None]:
    """The anchor of each row; None for one whose identifying fields are nowhere.

    Of several mentions, those count that stand under a cue: a paper in the news stands in the list of papers too.
    A field that tells the row from all others is asked first; rows that share an employer differ in the role.
    """
    taken: set[Span] = set()
    found: list[Span | None] = []
    for row in said:
        own = [k for k in rows.key if _is_unique(k, row, said)]
        keys = [*own, *(k for k in rows.key if k not in own)]
        anchor = _nearest_anchor(keys, _mentions_by_field(rows, row, keys, page, home), cues, page, taken, home)
        if anchor is not None:
            taken.add(anchor)
        found.append(anchor)
    return found


def find_key_mentions(rows: ObjectList, row: Mapping[str, Json], said: ModelRows, page: TextIndex) -> Sequence[Span]:
    """Every mention of the first identifying field that is said; none where another row says the same."""
    plain = (k for k in rows.key if isinstance(rows.row[k].node, Scalar) and row.get(k) not in (None, ""))
    key = next(plain, None)
    if key is None or not _is_unique(key, row, said):
        return ()
    return [p.span for p in _first_mentions(rows.row[key].node, row[key], page)]


def reading_distance(span: Span, other: Span | None) -> int:
    """Characters between the two; what stands before costs double, as a row reads on from its key."""
    if other is None:
        return 0
    if span.start >= other.end:
        return span.start - other.end
    return 2 * max(0, other.start - span.end)


def _nearest_anchor(
    keys: Sequence[str],
    mentions: Mapping[str, Sequence[Span]],
    cues: Keywords,
    page: TextIndex,
    taken: set[Span],
    home: RowScope | None,
) -> Span | None:
    key = next((k for k in keys if mentions.get(k)), None)
    if key is None:
        return None
    spans = [s for s in mentions[key] if cues.occur_in_headings(page.outline, s.start)] or mentions[key]
    others = [m for name, m in mentions.items() if name != key and m]

    def cost(span: Span) -> tuple[bool, int, int, Span]:
        nearest = sum(min(reading_distance(o, span) for o in spans) for spans in others)
        return span in taken, nearest, reading_distance(span, home.anchor) if home else 0, span

    return min(spans, key=cost)


def _mentions_by_field(
    rows: ObjectList, row: Mapping[str, Json], keys: Sequence[str], page: TextIndex, home: RowScope | None
) -> dict[str, list[Span]]:
    """Where the plain fields and the identifying ones are said, within the row that this one is in."""
    return {
        f.name: [p.span for p in _first_mentions(f.node, row[f.name], page) if home is None or home.contains(p.span)]
        for f in rows.row.fields
        if (isinstance(f.node, Scalar) or f.name in keys) and row.get(f.name) not in (None, "")
    }


def _first_mentions(node: Node, value: Json, page: TextIndex) -> Sequence[Mention]:
    """Where the first plain value stands that stands anywhere: a row may be told apart by a nested name."""
    return next((found for _, leaf, v in iterate_scalars(node, value) if (found := page.find_mentions(leaf, v))), ())


def _is_unique(key: str, row: Mapping[str, Json], said: ModelRows) -> bool:
    """Whether no other row says the same there."""
    return sum(comparison_key(r.get(key)) == comparison_key(row.get(key)) for r in said) == 1
