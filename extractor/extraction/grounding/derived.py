"""Values that nothing states but a declared sibling implies: the year of a tag such as ABC'21 (`x-derive`)."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.extraction.text import dates
from extractor.schema.annotations import Kind
from extractor.schema.reader import Leaf, Node, Object, Rows, Values
from extractor.types import Document, Evidence, Json, Match, Path, Span


def fill(node: Node, value: Json, evidence: Mapping[Path, Evidence], document: Document) -> dict[Path, Evidence]:
    """Fills empty derivable leaves of `value` in place; the evidence with theirs added."""
    out = dict(evidence)
    _fill(node, value, (), out, document)
    return out


def _fill(node: Node, value: Json, path: Path, evidence: dict[Path, Evidence], document: Document) -> None:
    match node:
        case Object(fields):
            for f in fields:
                if isinstance(f.node, Leaf):
                    if f.node.derive and value.get(f.name) is None:
                        _derive(f.node, value, f.name, path, evidence, document)
                else:
                    _fill(f.node, value[f.name], (*path, f.name), evidence, document)
        case Rows(row):
            for i, one in enumerate(value):
                _fill(row, one, (*path, i), evidence, document)
        case Leaf() | Values():
            pass


def _derive(leaf: Leaf, row: Json, name: str, path: Path, evidence: dict[Path, Evidence], document: Document) -> None:
    source = evidence.get((*path, str(leaf.derive)))
    if leaf.kind is not Kind.DATE or source is None or not source.spans:
        return
    at = source.spans[0]
    found = list(dates.find(document.text[at.start : at.end], day_first=dates.day_first(document.text)))
    if len({d.iso for d in found}) == 1:
        row[name] = found[0].iso
        span = found[0].span.shift(at.start)
        evidence[(*path, name)] = Evidence(Match.DERIVED, (Span(span.start, span.end),), said="")
