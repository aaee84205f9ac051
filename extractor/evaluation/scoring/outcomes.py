"""The flat table of leaf outcomes, from which every figure of an evaluation derives.

One row (`Cell`) per leaf that gold or prediction holds. What is counted is decided here and nowhere else:

    support    = correct + wrong + omitted          (gold leaves that count)
    predicted  = correct + wrong + invented
    precision  = correct / predicted,  recall = correct / support,  F1 = 2 correct / (predicted + support)

A wrong value counts against both precision and recall. Absent in both and not scored are in no denominator.
A ratio with nothing to divide by is None, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from extractor.types import Json


class LeafOutcome(StrEnum):
    CORRECT = "correct"
    WRONG = "wrong"
    """Both have a value, and the values differ."""
    OMITTED = "omitted"
    INVENTED = "invented"
    """Gold has no value here, the prediction has; rows that no gold row is aligned with consist of these."""
    ABSENT = "absent"
    UNSCORED = "unscored"
    """Gold marks the leaf optional and it was left out, or nothing could be decided."""


class ValueSupport(StrEnum):
    """Where the predicted value stands in its document."""

    SUPPORTED = "supported"
    """It carries a checked span, and a gold span, where gold has one, overlaps it."""
    ELSEWHERE = "elsewhere"
    """The value stands in the document, but not at the place claimed, or gold points elsewhere."""
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"
    """No prediction, or no document text to look at."""


@dataclass(frozen=True, slots=True)
class ScoreCell:
    run: str
    document: str
    field: str
    """The schema's name of the leaf, indices dropped: "education[].start", "tags[]"."""
    outcome: LeafOutcome
    gold: Json = None
    prediction: Json = None
    gold_path: str | None = None
    """JSON pointer into the gold record; None when gold has no such leaf."""
    path: str | None = None
    """JSON pointer into the predicted record; None when it has no such leaf."""
    comparator: str = ""
    support: ValueSupport = ValueSupport.UNKNOWN
    match: str | None = None
    """The match class that the result file claims for the value."""
    spans: tuple[tuple[int, int], ...] = ()
    """The spans that the result file claims for the value."""
    confidence: float | None = None
    failed: bool = False
    """The leaf is omitted because its whole document failed."""

    @property
    def is_hallucinated(self) -> bool:
        return self.outcome in (LeafOutcome.WRONG, LeafOutcome.INVENTED) and self.support is ValueSupport.UNSUPPORTED

    @property
    def is_mispicked(self) -> bool:
        return self.outcome in (LeafOutcome.WRONG, LeafOutcome.INVENTED) and self.support in (
            ValueSupport.SUPPORTED,
            ValueSupport.ELSEWHERE,
        )


@dataclass(frozen=True, slots=True)
class LeafTally:
    correct: int = 0
    wrong: int = 0
    omitted: int = 0
    invented: int = 0
    absent: int = 0
    unscored: int = 0
    hallucinated: int = 0
    mispicked: int = 0

    def __add__(self, other: LeafTally) -> LeafTally:
        return LeafTally(
            self.correct + other.correct,
            self.wrong + other.wrong,
            self.omitted + other.omitted,
            self.invented + other.invented,
            self.absent + other.absent,
            self.unscored + other.unscored,
            self.hallucinated + other.hallucinated,
            self.mispicked + other.mispicked,
        )

    @property
    def gold_count(self) -> int:
        return self.correct + self.wrong + self.omitted

    @property
    def predicted_count(self) -> int:
        return self.correct + self.wrong + self.invented

    @property
    def precision(self) -> float | None:
        return self.correct / self.predicted_count if self.predicted_count else None

    @property
    def recall(self) -> float | None:
        return self.correct / self.gold_count if self.gold_count else None

    @property
    def f1(self) -> float | None:
        total = self.predicted_count + self.gold_count
        return 2 * self.correct / total if total else None


def tally_cells(cells: Iterable[ScoreCell]) -> LeafTally:
    """The tally of the cells, in one pass."""
    n = dict.fromkeys(LeafOutcome, 0)
    hallucinated = mispicked = 0
    for cell in cells:
        n[cell.outcome] += 1
        hallucinated += cell.is_hallucinated
        mispicked += cell.is_mispicked
    return LeafTally(
        n[LeafOutcome.CORRECT],
        n[LeafOutcome.WRONG],
        n[LeafOutcome.OMITTED],
        n[LeafOutcome.INVENTED],
        n[LeafOutcome.ABSENT],
        n[LeafOutcome.UNSCORED],
        hallucinated,
        mispicked,
    )


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """One document of one run, beside its cells."""

    run: str
    document: str
    status: str
    """complete, suspect, incomplete, failed, or missing (the run has no result for it)."""
    seconds: float | None
    input_tokens: int | None
    output_tokens: int | None
    requests: int | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """One model with one prompt over the suite's documents."""

    label: str
    """Unique in a comparison: "qwen2.5-coder-1.5b · plain"; a repeat adds " #2"."""
    task: str
    model: str
    prompt: str
    fingerprints: tuple[tuple[str, str], ...]
    """(what, fingerprint) of model digest, prompt and schema, as the run's manifest has them."""
    documents: tuple[ScoredDocument, ...]
    cells: tuple[ScoreCell, ...]
    repeat: int = 1
    price: tuple[float, float] | None = None
    """Money per million input and output tokens, where known."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know: documents without gold, files not used, lists aligned greedily."""
