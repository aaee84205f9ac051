"""Hints: the e-mail addresses that a chunk holds, which a small model is shown beside the fields that want them.

They exclude nothing: an address that no pattern finds may be said all the same. Web addresses are not shown: told of
the one that a page has, the 1.5B took a project's for its owner's.
"""

from __future__ import annotations

from extractor.extraction.text.patterns import list_candidate_spellings
from extractor.schema.annotations import Kind
from extractor.schema.reader import Object, Scalar, ValueList

MOST_HINTS = 6
"""Addresses above which they cost more to read than they help; none are shown then."""


def cite_hints(part: Object, text: str) -> list[str]:
    """A line for each plain field and list of the part that wants e-mail addresses, with those of the text."""
    lines = []
    for field in part.fields:
        leaf = field.node.item if isinstance(field.node, ValueList) else field.node
        if isinstance(leaf, Scalar) and leaf.kind is Kind.EMAIL:
            found = list_candidate_spellings(Kind.EMAIL, text)
            lines += [f"{field.name}: {', '.join(found)}"] if 0 < len(found) <= MOST_HINTS else []
    return lines
