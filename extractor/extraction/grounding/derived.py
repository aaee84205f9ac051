"""Values that nothing states but a declared sibling implies: the year of a tag such as ABC'21 (`x-derive`)."""

from __future__ import annotations

from extractor.extraction.grounding.findings import DERIVED
from extractor.extraction.text.dates import detect_day_first, find_dates
from extractor.schema.annotations import Kind
from extractor.schema.reader import Node, Object, ObjectList, Scalar
from extractor.types import (
    Document,
    Evidence,
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    Match,
    Span,
)


def fill_derived_values(node: Node, tree: GroundedNode, document: Document) -> GroundedNode:
    """The tree, with derivable leaves that it lacks filled in."""
    match node, tree:
        case Object(fields), GroundedObject(inner):
            filled = {f.name: fill_derived_values(f.node, inner[f.name], document) for f in fields if f.name in inner}
            for f in fields:
                if isinstance(f.node, Scalar) and f.node.derive_from and f.name not in filled:
                    found = _derive_date(f.node, tree, document)
                    filled |= {f.name: found} if found else {}
            return GroundedObject(filled)
        case ObjectList(row), GroundedList(items):
            return GroundedList(tuple(fill_derived_values(row, item, document) for item in items))
    return tree


def _derive_date(leaf: Scalar, row: GroundedObject, document: Document) -> GroundedValue | None:
    source = row.fields.get(str(leaf.derive_from))
    if leaf.kind is not Kind.DATE or not isinstance(source, GroundedValue) or not source.evidence.spans:
        return None
    at = source.evidence.spans[0]
    found = list(find_dates(document.text[at.start : at.end], day_first=detect_day_first(document.text)))
    if len({d.iso for d in found}) != 1:
        return None
    span = found[0].span.shift(at.start)
    confidence = source.evidence.confidence
    return GroundedValue(
        found[0].iso,
        Evidence(Match.DERIVED, (Span(span.start, span.end),), confidence=confidence, findings=(DERIVED,)),
    )
