"""Calibration of confidences: of the values given with 0.9, are nine in ten right?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell
from extractor.types import Json

CALIBRATION_BINS = 10
_PREDICTED_OUTCOMES = (LeafOutcome.CORRECT, LeafOutcome.WRONG, LeafOutcome.INVENTED)


def calibrate_confidence(cells: Iterable[ScoreCell]) -> Json:
    """Equal bins over predicted leaves with a confidence in 0..1, or None when no leaf has one.

    {"leaves", "without": predicted leaves that have none, "brier": mean squared error of the confidence (Brier 1950),
     "error": expected calibration error, bins weighted by their leaves (Naeini 2015),
     "bins": [{"low", "high", "leaves", "confidence": mean, "correct": share}], empty bins left out,
     "coverage": [{"threshold", "kept": share of the leaves with at least that confidence, "correct": share of these}]}
    """
    sure: list[tuple[float, bool]] = []
    without = 0
    for cell in cells:
        if cell.outcome in _PREDICTED_OUTCOMES:
            if cell.confidence is not None and 0 <= cell.confidence <= 1:
                sure.append((cell.confidence, cell.outcome is LeafOutcome.CORRECT))
            else:
                without += 1
    if not sure:
        return None
    binned: list[list[tuple[float, bool]]] = [[] for _ in range(CALIBRATION_BINS)]
    for one in sure:
        binned[min(CALIBRATION_BINS - 1, int(one[0] * CALIBRATION_BINS))].append(one)
    bins = [
        {
            "low": at / CALIBRATION_BINS,
            "high": (at + 1) / CALIBRATION_BINS,
            "leaves": len(held),
            "confidence": round(sum(confidence for confidence, _ in held) / len(held), 6),
            "correct": round(sum(right for _, right in held) / len(held), 6),
        }
        for at, held in enumerate(binned)
        if held
    ]
    return {
        "leaves": len(sure),
        "without": without,
        "brier": round(sum((confidence - right) ** 2 for confidence, right in sure) / len(sure), 6),
        "error": round(sum(one["leaves"] * abs(one["confidence"] - one["correct"]) for one in bins) / len(sure), 6),
        "bins": bins,
        "coverage": list(_trace_coverage(sure)),
    }


def _trace_coverage(sure: Sequence[tuple[float, bool]]) -> Iterator[dict[str, Json]]:
    """What is left, and how much of that is right, as the threshold rises in tenths; until nothing is left."""
    for at in range(CALIBRATION_BINS):
        threshold = at / CALIBRATION_BINS
        kept = [right for confidence, right in sure if confidence >= threshold]
        if kept:
            share = round(len(kept) / len(sure), 6)
            yield {"threshold": threshold, "kept": share, "correct": round(sum(kept) / len(kept), 6)}
