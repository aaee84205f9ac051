"""Fitting the weights of confidence on a user's own gold: which findings mean how much, for these documents.

Logistic regression by Newton's method with a ridge that draws each weight to the one that ships, so that few
documents change little and many decide. The leaves of a document count at most as much as a hundred, so that a long
one does not decide alone.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError
from extractor.evaluation.runs import RunFolder
from extractor.evaluation.scoring.grader import grade_document_cells
from extractor.evaluation.scoring.outcomes import LeafOutcome
from extractor.evaluation.suite import SuiteGold
from extractor.extraction.grounding.confidence import CALIBRATION_FORMAT, Calibration
from extractor.models.traits import ModelClass
from extractor.types import Json

RIDGE = 1.0
MIN_LEAVES = 30
"""Labelled leaves below which nothing is fitted."""
STEPS = 30
MOST_OF_A_DOCUMENT = 100.0
Vector = list[float]


@dataclass(frozen=True, slots=True)
class LabelledLeaf:
    """A leaf that was said: what was found about it, and whether gold has it so."""

    document: str
    findings: frozenset[str]
    right: bool


def collect_leaves(run: RunFolder, gold: SuiteGold) -> Iterator[LabelledLeaf]:
    """The leaves of a run's records that gold judges; those that were left out have no place to be judged at."""
    by_name = {one.document: one for one in gold.golds}
    for name, result in run.results.items():
        judge = by_name.get(Path(name).name) or by_name.get(name)
        if judge is None:
            continue
        content = result.to_content()
        for cell in grade_document_cells(judge, content, gold.schema_root, ""):
            if cell.path is not None and cell.path in result.evidence:
                found = frozenset(result.evidence[cell.path].findings)
                yield LabelledLeaf(name, found, cell.outcome is LeafOutcome.CORRECT)


def fit_calibration(leaves: Sequence[LabelledLeaf], model_class: ModelClass, shipped: Calibration) -> dict[str, Json]:
    """A calibration file's content: the shipped weights, those of one class fitted anew.

    Raises UsageError for too few leaves, or none that is right or none that is wrong.
    """
    rights = sum(leaf.right for leaf in leaves)
    if len(leaves) < MIN_LEAVES or rights in (0, len(leaves)):
        raise UsageError(
            f"{len(leaves)} labelled values, {rights} of them right, are too few to learn from; "
            f"give runs made with --accept 0 over more documents (at least {MIN_LEAVES} values, some of them wrong)."
        )
    before = shipped.classes[model_class]
    names = sorted({name for leaf in leaves for name in leaf.findings})
    prior = [before.intercept, *(before.findings.get(name, 0.0) for name in names)]
    weights = _fit_weights([_features(leaf, names) for leaf in leaves], leaves, prior)
    fitted = dict(zip(names, weights[1:], strict=True))
    classes: dict[str, Json] = {
        one.value: {"intercept": w.intercept, "findings": dict(w.findings), "models": dict(w.models)}
        for one, w in shipped.classes.items()
    }
    classes[model_class.value] = {
        "intercept": round(weights[0], 3),
        "findings": {**before.findings, **{name: round(weight, 3) for name, weight in fitted.items()}},
        "models": {},
    }
    documents = len({leaf.document for leaf in leaves})
    return {
        "format": CALIBRATION_FORMAT,
        "source": f"{len(leaves)} values of {documents} documents, extractor eval --calibrate",
        "dated": datetime.date.today().isoformat(),
        "classes": classes,
    }


def _features(leaf: LabelledLeaf, names: Sequence[str]) -> list[int]:
    """The numbers of the features that the leaf has; 0 is the intercept."""
    return [0, *(i + 1 for i, name in enumerate(names) if name in leaf.findings)]


def _fit_weights(features: Sequence[Sequence[int]], leaves: Sequence[LabelledLeaf], prior: Vector) -> Vector:
    """The maximum a posteriori weights, by Newton's method; a step that overshoots is halved until it does not."""
    many: Mapping[str, int] = Counter(leaf.document for leaf in leaves)
    cases = [
        (row, leaf.right, min(1.0, MOST_OF_A_DOCUMENT / many[leaf.document]))
        for row, leaf in zip(features, leaves, strict=True)
    ]
    weights, loss = list(prior), _measure_loss(cases, prior, prior)
    for _ in range(STEPS):
        gradient = [RIDGE * (p - w) for w, p in zip(weights, prior, strict=True)]
        hessian = [[RIDGE if i == j else 0.0 for j in range(len(prior))] for i in range(len(prior))]
        for row, right, share in cases:
            chance = 1 / (1 + math.exp(-_logit(row, weights)))
            for i in row:
                gradient[i] += share * (right - chance)
                for j in row:
                    hessian[i][j] += share * chance * (1 - chance)
        step = _solve(hessian, gradient)
        for _ in range(STEPS):
            tried = [w + s for w, s in zip(weights, step, strict=True)]
            after = _measure_loss(cases, tried, prior)
            if after <= loss:
                weights, loss = tried, after
                break
            step = [s / 2 for s in step]
        if max(map(abs, step)) < 1e-6:
            break
    return weights


def _logit(row: Sequence[int], weights: Vector) -> float:
    return max(-30.0, min(30.0, sum(weights[i] for i in row)))


def _measure_loss(cases: Sequence[tuple[Sequence[int], bool, float]], weights: Vector, prior: Vector) -> float:
    """Minus the log of the posterior, up to a constant."""
    loss = sum(RIDGE * (w - p) ** 2 / 2 for w, p in zip(weights, prior, strict=True))
    for row, right, share in cases:
        logit = _logit(row, weights)
        loss += share * math.log1p(math.exp(-logit if right else logit))
    return loss


def _solve(matrix: list[Vector], right: Vector) -> Vector:
    """The solution of a positive definite system, by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        known = sum(rows[i][j] * found[j] for j in range(i + 1, size))
        found[i] = (rows[i][size] - known) / rows[i][i]
    return found
