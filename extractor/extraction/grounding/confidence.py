"""How likely a leaf is right, given the class of the model that said it and what was found about it.

    log-odds = intercept of the model's class + that of the model itself + the weights of the leaf's findings

The weights are in confidence.json, with the documents that they were fitted on and the day. A user's own, fitted by
`extractor eval --calibrate`, take their place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from extractor.errors import UsageError
from extractor.extraction.grounding.tree import Tree, map_leaves
from extractor.models.traits import ModelClass, ModelTraits
from extractor.types import Evidence, GroundedValue, fingerprint_json

CALIBRATION_FORMAT = "extractor.calibration/1"
SHIPPED_WEIGHTS = Path(__file__).with_name("confidence.json")


@dataclass(frozen=True, slots=True)
class ClassWeights:
    """The weights of one class of models, in log-odds; a finding without one says nothing."""

    intercept: float
    findings: Mapping[str, float]
    models: Mapping[str, float]
    """By name what a model's leaves are likelier to be right than those of its class, where that was measured."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights by class of model. `source` and `dated` say what they were fitted on, and when."""

    source: str
    dated: str
    classes: Mapping[ModelClass, ClassWeights]
    fingerprint: str

    def confidence(self, traits: ModelTraits, findings: Iterable[str]) -> float:
        """The probability that a leaf with these findings is right, rounded to four digits so that bytes repeat."""
        weights = self.classes[traits.model_class]
        logit = (
            weights.intercept
            + weights.models.get(traits.name, 0.0)
            + sum(weights.findings.get(name, 0.0) for name in findings)
        )
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, logit)))), 4)

    def judge(self, node: Tree, traits: ModelTraits) -> Tree:
        """The tree, each leaf with its confidence."""

        known: dict[tuple[str, ...], float] = {}

        def judge_leaf(leaf: GroundedValue) -> GroundedValue:
            e = leaf.evidence
            number = known.get(e.findings)
            if number is None:
                number = known[e.findings] = self.confidence(traits, e.findings)
            return GroundedValue(leaf.value, Evidence(e.match, e.spans, e.model_value, number, e.findings))

        return map_leaves(node, judge_leaf)


@cache
def load_calibration(path: Path = SHIPPED_WEIGHTS) -> Calibration:
    """The weights in a file. Raises UsageError, naming it, for one that cannot be used."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"The calibration {path} cannot be read ({error}); check the path.") from error
    version = data.get("format") if isinstance(data, dict) else None
    if version != CALIBRATION_FORMAT:
        raise UsageError(
            f"{path} is no calibration of this version ({str(version)[:40]!r}, not {CALIBRATION_FORMAT}); "
            "make one with extractor eval --calibrate."
        )
    try:
        classes = {
            ModelClass(name): ClassWeights(
                _finite(one["intercept"]),
                {str(f): _finite(w) for f, w in one["findings"].items()},
                {str(m): _finite(w) for m, w in one.get("models", {}).items()},
            )
            for name, one in data["classes"].items()
        }
        found = Calibration(
            json.dumps(data["source"], ensure_ascii=False),
            str(data["dated"]),
            classes,
            fingerprint_json(data["classes"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is no whole calibration ({error}); make it anew.") from error
    if missing := [c.value for c in ModelClass if c not in classes]:
        raise UsageError(f"{path} has no weights for {', '.join(missing)} models; make it anew.")
    return found


def _finite(number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{number!r} is no weight")
    return float(number)
