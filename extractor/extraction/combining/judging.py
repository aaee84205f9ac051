"""What is found about a reading when it is held against what other models say, and how likely it is right then.

    log-odds = intercept + own x log-odds that it has by itself
             + weights of its own findings + weights x how far models agree about it

The weights are in confidence.json, under "ensembles", fitted on labelled documents: bench/ensemble.py.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from extractor.errors import UsageError
from extractor.extraction.combining.aligned import AlignedLeaf, AlignedList, AlignedObject
from extractor.extraction.grounding.confidence import SHIPPED_WEIGHTS
from extractor.models.traits import ModelClass
from extractor.types import fingerprint_json

AGREED = "agreed"
"""The share of the other models that say the same."""
AGREED_LENGTH = "agreed, as many rows"
"""The same, times the share of pairs of models whose lists are equally long; of no list, the same."""
CONTRADICTED = "contradicted"
"""Another model says something else there."""
SAID_ALONE = "said by one alone"
"""Of several models one says it."""
ROW_ALONE = "row said by one alone"
"""No other model has the row that it stands in."""
LARGEST_LOGIT = 7.0
"""What a leaf's own confidence may count for at most: it is rounded to four digits."""


@dataclass(frozen=True, slots=True)
class EnsembleWeights:
    """Weights of readings that a model of one class says, in log-odds."""

    intercept: float
    own: float
    """Of the log-odds that the reading has by itself."""
    findings: Mapping[str, float]

    def confidence(self, own: float, found: Mapping[str, float]) -> float:
        """The probability that a reading is right of which this was `found`, each from 0 to 1; rounded to four digits
        so that bytes repeat."""
        told = sum(self.findings.get(name, 0.0) * much for name, much in found.items())
        logit = self.intercept + self.own * own_logit(own) + told
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, logit)))), 4)


@dataclass(frozen=True, slots=True)
class EnsembleCalibration:
    classes: Mapping[ModelClass, EnsembleWeights]
    fingerprint: str

    def confidence(self, classes: Iterable[ModelClass], own: float, found: Mapping[str, float]) -> float:
        """Of a reading that models of these classes say: a strong one among them decides which weights count."""
        strongest = ModelClass.STRONG if ModelClass.STRONG in set(classes) else ModelClass.SMALL
        return self.classes[strongest].confidence(own, found)


def own_logit(confidence: float) -> float:
    """The log-odds of a confidence, bounded."""
    least = 1 / (1 + math.exp(LARGEST_LOGIT))
    p = min(1 - least, max(least, confidence))
    return math.log(p / (1 - p))


@cache
def load_ensemble_calibration(path: Path = SHIPPED_WEIGHTS) -> EnsembleCalibration:
    """The weights in a file; of one that has none for ensembles those that ship. Raises UsageError, naming it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        told = data.get("ensembles")
        if told is None and path != SHIPPED_WEIGHTS:
            return load_ensemble_calibration()
        classes = {
            ModelClass(name): EnsembleWeights(
                float(one["intercept"]), float(one["own"]), {str(f): float(w) for f, w in one["findings"].items()}
            )
            for name, one in told.items()
        }
        weights = [w for one in classes.values() for w in (one.intercept, one.own, *one.findings.values())]
        if set(classes) != set(ModelClass) or not all(map(math.isfinite, weights)):
            raise ValueError("a class or a number is missing")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"The weights for ensembles in {path} cannot be used ({error}); make them anew.") from error
    return EnsembleCalibration(classes, fingerprint_json(told))


def measure_agreement(leaf: AlignedLeaf, sayers: int, around: Surroundings) -> dict[str, float]:
    """What is found of a reading that so many say, each from 0 to 1; nothing where only one was asked."""
    asked = len(leaf.asked)
    if asked < 2:
        return {}
    agreed = (sayers - 1) / (asked - 1)
    return {
        AGREED: agreed,
        AGREED_LENGTH: agreed * around.same_length,
        CONTRADICTED: float(len(leaf.readings) > sayers),
        ROW_ALONE: float(sayers == 1 and around.is_alone),
    }


def name_findings(leaf: AlignedLeaf, sayers: int, around: Surroundings) -> tuple[str, ...]:
    """What of it is told beside the value: how many said it, and who says otherwise."""
    asked = len(leaf.asked)
    if asked < 2:
        return ()
    told = [f"agreed by {sayers} of {asked}" if sayers > 1 else SAID_ALONE]
    if len(leaf.readings) > sayers:
        told.append(CONTRADICTED)
    if sayers == 1 and around.is_alone:
        told.append(ROW_ALONE)
    return tuple(told)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a leaf stands in: rows and lists, or the record itself."""

    is_alone: bool = False
    """Whether one model alone has the row, of several that were asked."""
    same_length: float = 1.0
    """The share of pairs of models whose list is as long."""

    def enter_list(self, node: AlignedList) -> Surroundings:
        return replace(self, same_length=min(self.same_length, _find_share_of_equals(node.lengths.values())))

    def enter_row(self, row: AlignedObject) -> Surroundings:
        return replace(self, is_alone=self.is_alone or (len(row.sayers) == 1 and len(row.asked) > 1))


def _find_share_of_equals(lengths: Iterable[int]) -> float:
    """The share of pairs that are equal."""
    groups = Counter(lengths)
    everybody = groups.total()
    pairs = everybody * (everybody - 1)
    return sum(many * (many - 1) for many in groups.values()) / pairs if pairs else 1.0
