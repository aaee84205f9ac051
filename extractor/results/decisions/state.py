"""What a person made of one result, while decisions are applied to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractor.results.decisions.tree import Node, grow_tree
from extractor.results.model import ResultFile
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class Lost:
    """A decision that does not hold any more, and why. `value` is the one that was decided about."""

    path: str
    value: Json
    reason: str


@dataclass(slots=True)
class Reviewed:
    """A result's record as a tree, with what was decided about it."""

    result: ResultFile
    root: Node
    restored: dict[int, str] = field(default_factory=dict)
    """Number of a rejected value -> where it is now."""
    finished: bool = False
    finished_at: str = ""
    edits: int = 0
    """Decisions by which the record came to say something else."""
    people: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)


def start_review(result: ResultFile) -> Reviewed:
    """The result before anybody decided anything."""
    return Reviewed(result, grow_tree(result.record or {}, result.evidence))
