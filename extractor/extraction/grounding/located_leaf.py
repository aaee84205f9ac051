"""A leaf that was said, with the region in which its words are looked for and the mentions that it may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from extractor.extraction.grounding.list_sections import Side
from extractor.extraction.grounding.mentions import Mention
from extractor.schema.reader import Field, Scalar
from extractor.types import Json, Span, ValuePath


@dataclass(slots=True)
class LocatedLeaf:
    """A leaf that was said, its mentions, and which of them is its own."""

    path: ValuePath
    field: Field
    node: Scalar
    value: Json
    mentions: Sequence[Mention]
    region: Region
    chosen: Mention | None = None
    others: int = 0
    """How many mentions were as good."""
    options: list[MentionOption] | None = None
    listed: Counter[tuple[int, int]] | None = None
    """Of an entry of a plain list: the places that its entries have, which no two of them share."""
    side: Side | None = None
    """Of such an entry: which places stand below the name of its list."""


@dataclass(slots=True)
class MentionOption:
    """A mention that a leaf may have, and what of its cost does not depend on where other leaves are."""

    mention: Mention
    place: tuple[int, int]
    cost: float
    column: int


@dataclass(slots=True)
class Region:
    """Where leaves are looked for: a row of a list from its place to the next row's, or the whole text."""

    anchor: Span | None = None
    start: int = 0
    end: int = 1 << 60
    list_path: tuple[str, ...] = ()
    coherence: float = 1.0
    block: Span | None = None
    """Of an object that is no row: the mention about which most of it stands."""
    field: Field | None = None
    """Of such an object its field, whose name may stand before its values."""
    side: Side | None = None
    """Of such an object: which places stand below its name."""


def put_in_order(leaves: Sequence[LocatedLeaf]) -> None:
    """Gives what is said several times of one field its mentions in the order of the rows, or of the list."""
    equal: dict[tuple[int, int], list[LocatedLeaf]] = {}
    for leaf in leaves:
        if leaf.chosen is not None and (leaf.region.anchor or leaf.listed is not None):
            listed = 0 if leaf.region.anchor else id(leaf.listed)
            equal.setdefault((listed, id(leaf.mentions)), []).append(leaf)
    for same in equal.values():
        if len(same) > 1:
            mentions = sorted((leaf.chosen for leaf in same if leaf.chosen), key=lambda mention: mention.span.start)
            same.sort(key=lambda leaf: leaf.region.anchor.start if leaf.region.anchor else 0)
            for leaf, mention in zip(same, mentions, strict=True):
                leaf.chosen = mention
