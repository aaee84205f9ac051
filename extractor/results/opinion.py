"""A result file -> what its model said, as an ensemble takes it.

The record is what was accepted; what was rejected goes back to its place: outside of lists that is told by its path.
In the rows of one reply, which the record has in their order, it is told by the fields that a row lacks. Where a list
was asked for in several requests its rows cannot be told, and rejected values of it stay rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extractor.extraction.combining.opinion import AskedScope, Opinion
from extractor.extraction.grounding.confidence import load_calibration
from extractor.models.traits import ModelClass, ModelTraits
from extractor.results.model import ResultFile
from extractor.results.parts import Proof, RejectedEntry
from extractor.schema.open_objects import UNNAMED
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.schema.settling import settle_node
from extractor.schema.written_form import LONE, as_object
from extractor.types import (
    Evidence,
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    Json,
    Match,
    Span,
    json_pointer,
)


def read_opinion(result: ResultFile, model: str, root: Object, scope: AskedScope | None = None) -> Opinion:
    """Everything that the result's record holds, as one model's opinion."""
    kind = result.manifest.reading.get("class")
    model_class = ModelClass(kind) if kind in list(ModelClass) else ModelClass.STRONG
    named = settle_node(root, [result.record])
    tree = _read_object(named, result.record or {}, result.evidence, "", _Judge(model_class))
    return Opinion(model, tree, model_class, scope, answered_all=not result.failures)


class _Judge:
    """Gives a confidence to proofs of versions that had none."""

    def __init__(self, model_class: ModelClass) -> None:
        self._traits = ModelTraits(model_class)

    def read_leaf(self, value: Json, proof: Proof | None) -> GroundedValue | None:
        if value is None:
            return None
        if proof is None:
            proof = Proof(said=str(value), findings=["no words"])
        spans = tuple(Span(q.start, q.end) for q in proof.spans)
        findings = tuple(proof.findings)
        sure = proof.confidence
        if sure is None:
            sure = load_calibration().confidence(self._traits, findings)
        match = (proof.match if proof.match is not Match.NONE else Match.FUZZY) if spans else Match.NONE
        return GroundedValue(value, Evidence(match, spans, proof.said, float(sure), findings))


def _read_object(node: Object, value: Json, proofs: Mapping[str, Proof], at: str, judge: _Judge) -> GroundedObject:
    fields: dict[str, GroundedNode] = {}
    value = as_object(node, value)
    for f in node.fields:
        inner, where = value.get(f.name) if isinstance(value, Mapping) else None, at + json_pointer((f.name,))
        if node.wraps or (node.or_value and f.name == LONE):
            where = at
        if isinstance(value, list) and f.name == UNNAMED:  # in place of an object that other models have
            inner, where = value, at
        read = _read_node(f.node, inner, proofs, where, judge)
        if read is not None:
            fields[f.name] = read
    return GroundedObject(fields)


def _read_node(node: Node, value: Json, proofs: Mapping[str, Proof], at: str, judge: _Judge) -> GroundedNode | None:
    match node:
        case Scalar():
            return None if isinstance(value, Mapping | list) else judge.read_leaf(value, proofs.get(at))
        case ValueList():
            read = [judge.read_leaf(one, proofs.get(f"{at}/{i}")) for i, one in enumerate(_as_list(value))]
            return GroundedList(tuple(one for one in read if one is not None)) if read else None
        case ObjectList(row):
            rows = [_read_object(row, one, proofs, f"{at}/{i}", judge) for i, one in enumerate(_as_list(value))]
            return GroundedList(tuple(rows)) if rows else None
        case Object():
            inner = _read_object(node, value, proofs, at, judge)
            return inner if inner.fields else None


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def restore_rejected(result: ResultFile) -> ResultFile:
    """The result with every rejected value in its record whose place there is known; the rest stays rejected."""
    if result.record is None:
        return result
    record: Any = _copy(result.record)
    proofs = dict(result.evidence)
    left: list[RejectedEntry] = []
    one_reply = len(result.coverage.spans) == 1 and len(result.usage.groups) <= 1
    gone: dict[str, int] = {}  # rows of each list that are not in the record, as far as they were looked at
    for row, entries in _group_by_row(result.rejected).items():
        named, _, number = row.rpartition("/")
        at = f"{named}/{int(number) - gone.get(named, 0)}" if row else ""
        places = [_find_place(record, at, e.path[len(row) :]) if e.evidence is not None else None for e in entries]
        whole = (one_reply or not row) and all(place is not None for place in places)
        if row and not whole and any(e.evidence is not None for e in entries):
            gone[named] = gone.get(named, 0) + 1
        for entry, place in zip(entries, places, strict=True):
            if place is None or entry.evidence is None or (row and not whole):
                left.append(entry)
                continue
            holder, name = place
            holder[name] = entry.value
            proofs[at + entry.path[len(row) :]] = entry.evidence
    return result.model_copy(update={"record": record, "evidence": proofs, "rejected": left})


def _group_by_row(rejected: Sequence[RejectedEntry]) -> dict[str, list[RejectedEntry]]:
    """By the pointer of the innermost row that each stands in, in the order of rows; "" for those outside of lists."""
    rows: dict[str, list[RejectedEntry]] = {}
    for entry in sorted(rejected, key=lambda r: _sort_steps(r.path)):
        steps = entry.path.split("/")
        last = max((i for i, step in enumerate(steps[:-1]) if step.isdigit()), default=0)
        rows.setdefault("/".join(steps[: last + 1]), []).append(entry)
    return rows


def _find_place(record: Any, row: str, path: str) -> tuple[dict[str, Json], str] | None:
    """The object that lacks the value, and its name there; None where that is not known."""
    at = record
    *steps, name = [step.replace("~1", "/").replace("~0", "~") for step in f"{row}{path}".split("/")[1:]]
    for step in steps:
        if isinstance(at, list) and step.isdigit() and int(step) < len(at):
            at = at[int(step)]
        elif isinstance(at, dict) and at.get(step) is not None:
            at = at[step]
        else:
            return None
    return (at, name) if isinstance(at, dict) and at.get(name) is None else None


def _sort_steps(path: str) -> list[tuple[bool, int, str]]:
    return [(not s.isdigit(), int(s) if s.isdigit() else 0, s) for s in path.split("/")]


def _copy(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
