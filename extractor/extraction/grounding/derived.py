"""Values that nothing states but a declared sibling implies: the year of a tag such as ABC'21 (`x-derive`)."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.extraction.text.dates import detect_day_first, find_dates
from extractor.schema.annotations import Kind
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Document, Evidence, Json, Match, Span, ValuePath


def fill_derived_values(
    node: Node, value: Json, evidence: Mapping[ValuePath, Evidence], document: Document
) -> dict[ValuePath, Evidence]:
    """Fills empty derivable leaves of `value` in place; the evidence with theirs added."""
    out = dict(evidence)
    _fill_node(node, value, (), out, document)
    return out


def _fill_node(
    node: Node, value: Json, path: ValuePath, evidence: dict[ValuePath, Evidence], document: Document
) -> None:
    match node:
        case Object(fields):
            for f in fields:
                if isinstance(f.node, Scalar):
                    if f.node.derive_from and value.get(f.name) is None:
                        _derive_date(f.node, value, f.name, path, evidence, document)
                else:
                    _fill_node(f.node, value[f.name], (*path, f.name), evidence, document)
        case ObjectList(row):
            for i, one in enumerate(value):
                _fill_node(row, one, (*path, i), evidence, document)
        case Scalar() | ValueList():
            pass


def _derive_date(
    leaf: Scalar, row: Json, name: str, path: ValuePath, evidence: dict[ValuePath, Evidence], document: Document
) -> None:
    source = evidence.get((*path, str(leaf.derive_from)))
    if leaf.kind is not Kind.DATE or source is None or not source.spans:
        return
    at = source.spans[0]
    found = list(find_dates(document.text[at.start : at.end], day_first=detect_day_first(document.text)))
    if len({d.iso for d in found}) == 1:
        row[name] = found[0].iso
        span = found[0].span.shift(at.start)
        evidence[(*path, name)] = Evidence(Match.DERIVED, (Span(span.start, span.end),), model_value="")
