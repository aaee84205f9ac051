"""Aligned opinions -> one tree: at every place the likeliest reading, and all others told.

A reading that reaches the threshold is in the tree; the others at its place are conflicts of it. Where none does, all
of them are rejected. A row that nothing of is accepted is not in the tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.aligned import AlignedLeaf, AlignedList, AlignedNode, AlignedObject, align_opinions
from extractor.extraction.combining.judging import EnsembleCalibration, Surroundings, measure_agreement, name_findings
from extractor.extraction.combining.opinion import Opinion
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.schema.reader import Object
from extractor.schema.written_form import LONE
from extractor.types import (
    Conflict,
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    RejectedValue,
    Span,
    ValuePath,
)


@dataclass(frozen=True, slots=True)
class CombinedTree:
    """What opinions come to. Paths of conflicts are those of the tree, paths of rejected values count every row."""

    tree: GroundedObject
    conflicts: tuple[Conflict, ...] = ()
    rejected: tuple[RejectedValue, ...] = ()


def combine_opinions(
    root: Object, opinions: Sequence[Opinion], calibration: EnsembleCalibration, acceptance: Acceptance, text: Span
) -> CombinedTree:
    """One tree out of opinions about a document.

    Where nothing else tells two readings apart, the one wins that is of a model which was asked about this place in
    particular, then that of the model which is named first.
    """
    aligned = align_opinions(root, opinions)
    judge = _Judge(opinions, calibration, acceptance, text)
    tree, conflicts = judge.choose(aligned, (), (), Surroundings())
    whole = tree if isinstance(tree, GroundedObject) else GroundedObject()
    return CombinedTree(whole, tuple(conflicts), tuple(judge.rejected))


@dataclass(slots=True)
class _Judge:
    opinions: Sequence[Opinion]
    calibration: EnsembleCalibration
    acceptance: Acceptance
    text: Span
    rejected: list[RejectedValue] = field(default_factory=list)

    def choose(
        self, node: AlignedNode, path: ValuePath, said_at: ValuePath, around: Surroundings
    ) -> tuple[GroundedNode | None, list[Conflict]]:
        """What is accepted of a node, and the conflicts in it. `said_at` is its path with every row counted."""
        match node:
            case AlignedLeaf():
                return self._choose_reading(node, path, said_at, around)
            case AlignedList():
                return self._choose_entries(node, path, said_at, around.enter_list(node))
            case AlignedObject(fields=fields):
                kept: dict[str, GroundedNode] = {}
                conflicts: list[Conflict] = []
                for name, inner in fields.items():
                    one, more = self.choose(inner, (*path, name), (*said_at, name), around)
                    if one is not None:
                        kept[name] = one
                        conflicts += more
                lone = kept.pop(LONE) if len(kept) > 1 and LONE in kept else None
                if isinstance(lone, GroundedValue):  # one says a value where others say the object
                    first = next((leaf for _, leaf in iterate_leaves(GroundedObject(kept))), lone)
                    conflicts.append(Conflict(path, first, lone))
                says_something = any(not isinstance(one, GroundedList) or one.items for one in kept.values())
                return (GroundedObject(kept), conflicts) if says_something or not path else (None, [])

    def _choose_entries(
        self, node: AlignedList, path: ValuePath, said_at: ValuePath, around: Surroundings
    ) -> tuple[GroundedList, list[Conflict]]:
        kept: list[GroundedNode] = []
        conflicts: list[Conflict] = []
        for number, entry in enumerate(node.entries):
            here = around.enter_row(entry) if isinstance(entry, AlignedObject) else around
            one, more = self.choose(entry, (*path, len(kept)), (*said_at, number), here)
            if one is not None:
                kept.append(one)
                conflicts += more
        return GroundedList(tuple(kept)), conflicts

    def _choose_reading(
        self, leaf: AlignedLeaf, path: ValuePath, said_at: ValuePath, around: Surroundings
    ) -> tuple[GroundedValue | None, list[Conflict]]:
        groups = leaf.group_sayers()
        groups.sort(key=lambda sayers: all(self.opinions[i].scope is None for i in sayers))
        readings = [self._judge_reading(leaf, sayers, around) for sayers in groups]
        readings.sort(key=lambda one: -(one.evidence.confidence or 0))
        best, others = readings[0], readings[1:]
        if not self.acceptance.rejection_reason(best):
            return best, [Conflict(path, best, other) for other in others]
        for one in readings:
            reason = self.acceptance.rejection_reason(one) or "another reading is likelier"
            self.rejected.append(RejectedValue(said_at, one.value, reason, self.text, one.evidence))
        return None, []

    def _judge_reading(self, leaf: AlignedLeaf, sayers: Sequence[int], around: Surroundings) -> GroundedValue:
        """What these say, in the spelling of most of them, on the words of the surest."""
        said = [leaf.readings[i] for i in sayers]
        spellings = Counter(repr(one.value) for one in said)
        most = max(spellings.values())
        spelled = [one for one in said if spellings[repr(one.value)] == most]
        best = max(spelled, key=lambda one: one.evidence.confidence or 0)
        own = max(one.evidence.confidence or 0 for one in said)
        names = tuple(self.opinions[i].model for i in sayers)
        findings = name_findings(leaf, len(sayers), around)
        if found := measure_agreement(leaf, len(sayers), around):
            found |= dict.fromkeys(best.evidence.findings, 1.0)
            own = self.calibration.confidence((self.opinions[i].model_class for i in sayers), own, found)
        told = tuple(dict.fromkeys((*best.evidence.findings, *findings)))
        return replace(best, evidence=replace(best.evidence, confidence=own, findings=told, said_by=names))
