"""Which of the leaves that a model said go into the record: those whose confidence reaches the threshold.

What falls below is not lost: it is listed as rejected, with its evidence, its confidence and what was found about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from extractor.errors import UsageError
from extractor.types import (
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    Match,
    RejectedValue,
    Span,
    ValuePath,
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`threshold`: the confidence from which on a leaf is in the record. `only_proven`: only with words of its own."""

    threshold: float = 0.5
    only_proven: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:  # NaN too
            raise UsageError(f"{self.threshold} is no threshold; give a number from 0 to 1.")

    def rejection_reason(self, leaf: GroundedValue) -> str:
        """Why the leaf stays out of the record; nothing if it does not."""
        evidence = leaf.evidence
        if self.only_proven and evidence.match is Match.NONE:
            return "no words"
        assert evidence.confidence is not None  # noqa: S101 -- judged before
        if evidence.confidence >= self.threshold:
            return ""
        return "; ".join(evidence.findings) or "below the threshold"


def accept_leaves(
    node: GroundedObject, acceptance: Acceptance, chunk: Span
) -> tuple[GroundedObject, list[RejectedValue]]:
    """The tree of the leaves that are accepted, and the others. A row that none of is accepted is not in the tree."""
    rejected: list[RejectedValue] = []

    def judge(leaf: GroundedValue, path: ValuePath) -> bool:
        reason = acceptance.rejection_reason(leaf)
        if reason:
            rejected.append(RejectedValue(path, leaf.value, reason, chunk, leaf.evidence))
        return not reason

    kept = _filter_leaves(node, judge, ())
    return kept if isinstance(kept, GroundedObject) else GroundedObject(), rejected


def _filter_leaves(
    node: GroundedNode, keep: Callable[[GroundedValue, ValuePath], bool], path: ValuePath
) -> GroundedNode | None:
    match node:
        case GroundedValue():
            return node if keep(node, path) else None
        case GroundedList(items):
            kept = [_filter_leaves(item, keep, (*path, i)) for i, item in enumerate(items)]
            return GroundedList(tuple(one for one in kept if one is not None))
        case GroundedObject(fields):
            inner = {name: _filter_leaves(one, keep, (*path, name)) for name, one in fields.items()}
            left = {name: one for name, one in inner.items() if one is not None}
            says_something = any(not isinstance(one, GroundedList) or one.items for one in left.values())
            return GroundedObject(left) if says_something or not path else None
