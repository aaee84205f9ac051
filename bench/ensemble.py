"""What several strong models are worth together: real answers of gpt, claude and gemini, fitted by document left out.

    python bench/ensemble.py DOCUBENCH_DIR              score, AUC and ECE, cascade; coefficients with their spread
    python bench/ensemble.py DOCUBENCH_DIR --write      puts the weights of all documents into confidence.json
    python bench/ensemble.py --small [--write]          small models: the recorded suites, two models at a time

Every figure of a document comes from weights that were fitted without it. A leaf is right where the board pairs it with
an equal one of the label. Weights are log-odds with a ridge, and may only have the sign that their finding declares; no
document counts for more than a hundred leaves of a model. The cascade asks of gpt what gemini says below a threshold;
gpt's answer is cut down to that.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any

import board
import fit_confidence
import numpy
from ensemble_answers import SYSTEMS, Answered, ground_answer, read_answers, read_small
from fit_confidence import auc, ece
from scipy.optimize import minimize

from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.aligned import AlignedLeaf, AlignedList, AlignedNode, AlignedObject, align_opinions
from extractor.extraction.combining.asking import ASK_AGAIN_BELOW, SecondQuestion, find_second_question
from extractor.extraction.combining.judging import (
    AGREED,
    AGREED_LENGTH,
    CONTRADICTED,
    ROW_ALONE,
    EnsembleCalibration,
    EnsembleWeights,
    Surroundings,
    measure_agreement,
    own_logit,
)
from extractor.extraction.grounding.confidence import SHIPPED_WEIGHTS, Calibration, ClassWeights, load_calibration
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.models.traits import STRONG, ModelClass
from extractor.results.combined import Combination, Member
from extractor.results.model import ResultFile
from extractor.results.opinion import read_opinion
from extractor.schema.reader import Object
from extractor.types import ValuePath

AGREEMENT = (AGREED, AGREED_LENGTH, CONTRADICTED, ROW_ALONE)
OWN_FINDINGS = {"strong": ("zero unsaid", "label beside", "outside its row"), "small": ()}
"""Of findings of the leaf itself those that were worth anything beside agreement, whichever document was left out."""
GOOD = (AGREED, AGREED_LENGTH, "label beside", "own")
DECLARED = {"strong": {"placeholder": -4.0, "denied": -4.0}, "small": {}}
"""By hand: too rare to fit, and clear in what they say."""
RIDGE = 0.1
MOST = 100


@dataclass(frozen=True)
class Sample:
    """One model's leaf beside what others say: what was measured, and whether it is right."""

    document: str
    models: tuple[str, ...]
    system: str
    own: float
    found: Mapping[str, float]
    right: bool


def sample(one: Answered, sizes: Sequence[int] = (2, 3)) -> Iterator[Sample]:
    for size in sizes:
        for models in combinations(one.opinions, size):
            said = [one.opinions[m] for m in models]
            for leaf, sayers, found in visit(align_opinions(one.root, said), Surroundings()):
                for i in sayers:
                    mine = leaf.readings[i]
                    if id(mine) in one.right:
                        every = {**found, **dict.fromkeys(mine.evidence.findings, 1.0)}
                        own = own_logit(mine.evidence.confidence or 0)
                        yield Sample(one.name, models, models[i], own, every, one.right[id(mine)])


def visit(node: AlignedNode, around: Surroundings) -> Iterator[tuple[AlignedLeaf, list[int], dict[str, float]]]:
    """Every reading with what is measured of it."""
    if isinstance(node, AlignedLeaf):
        for sayers in node.group_sayers():
            yield node, sayers, measure_agreement(node, len(sayers), around)
    elif isinstance(node, AlignedList):
        inside = around.enter_list(node)
        for entry in node.entries:
            yield from visit(entry, inside.enter_row(entry) if isinstance(entry, AlignedObject) else inside)
    else:
        for inner in node.fields.values():
            yield from visit(inner, around)


def fit(samples: Sequence[Sample], kind: str) -> EnsembleWeights:
    names = ["own", *AGREEMENT, *OWN_FINDINGS[kind]] if kind == "small" else [*AGREEMENT, *OWN_FINDINGS[kind]]
    x = numpy.array([[1.0, *(s.own if n == "own" else s.found.get(n, 0.0) for n in names)] for s in samples])
    y = numpy.array([s.right for s in samples], float)
    many = Counter((s.document, s.system, len(s.models)) for s in samples)
    w = numpy.array([min(1.0, MOST / many[s.document, s.system, len(s.models)]) / 2 for s in samples])
    prior = numpy.array([0.0, *(float(n == "own") for n in names)])

    def loss(b: numpy.ndarray) -> tuple[float, numpy.ndarray]:
        z, off = x @ b, RIDGE * (b - prior)
        off[0] = 0.0
        value = (w * (numpy.logaddexp(0, z) - y * z)).sum() + (off * (b - prior)).sum() / 2
        return float(value), x.T @ (w * (1 / (1 + numpy.exp(-z)) - y)) + off

    bounds = [(None, None), *((0, None) if n in GOOD else (None, 0) for n in names)]
    b = [float(v) for v in minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds).x]
    weights = dict(zip(names, b[1:], strict=True))
    return EnsembleWeights(b[0], weights.pop("own", 0.0), weights | DECLARED[kind])


def predict(weights: EnsembleWeights, one: Sample) -> float:
    return weights.confidence(1 / (1 + float(numpy.exp(-one.own))), one.found)


def report_fit(samples: Sequence[Sample], kind: str) -> dict[str, EnsembleWeights]:
    """AUC and ECE on documents left out, coefficients with their spread; the weights without each document."""
    documents = sorted({s.document for s in samples})
    without = {d: fit([s for s in samples if s.document != d], kind) for d in documents}
    for size in sorted({len(s.models) for s in samples}):
        some = [s for s in samples if len(s.models) == size]
        p, y = [predict(without[s.document], s) for s in some], [s.right for s in some]
        print(
            f"{size} models: {len(some)} leaves of {len(documents)} documents, {mean(y):.3f} right; "
            f"left out by document AUC {auc(p, y):.3f}, ECE {ece(p, y):.3f}"
        )
        for system in sorted({s.system for s in some}):
            mine = [(q, s.right) for q, s in zip(p, some, strict=True) if s.system == system]
            print(f"    {system:20} AUC {auc(*zip(*mine, strict=True)):.3f}, ECE {ece(*zip(*mine, strict=True)):.3f}")
    whole = fit(samples, kind)
    rows = {"intercept": lambda one: one.intercept, "own": lambda one: one.own}
    rows |= {name: (lambda one, name=name: one.findings[name]) for name in whole.findings}
    for name, take in rows.items():
        spread = [take(one) for one in without.values()]
        print(f"    {name:24} {take(whole):+.3f}   {min(spread):+.3f} to {max(spread):+.3f} without one document")
    return without | {"": whole}


def calibrate(weights: EnsembleWeights) -> EnsembleCalibration:
    return EnsembleCalibration(dict.fromkeys(ModelClass, weights), "bench")


def combine(one: Answered, results: Sequence[Member], weights: EnsembleWeights, accept: float) -> ResultFile:
    _, task = one.schema
    made = Combination(task.schema, {}, lambda value: (), Acceptance(accept), calibrate(weights))
    return made.combine(results)


def report_scores(answers: Sequence[Answered], without: Mapping[str, EnsembleWeights], accept: float) -> None:
    alone = {s: [board.score(a.shape, a.label, a.results[s].record) for a in answers] for s in SYSTEMS}
    raw = {s: mean(scores) for s, scores in alone.items()}
    print("alone:", ", ".join(f"{s} {score:.4f}" for s, score in raw.items()))
    for size in (2, 3):
        for models in combinations(SYSTEMS, size):
            found = [combine(a, [Member(a.results[m]) for m in models], without[a.name], accept) for a in answers]
            scores = [board.score(a.shape, a.label, f.record) for a, f in zip(answers, found, strict=True)]
            best = max(raw[m] for m in models)
            print(f"{' + '.join(models):22} {mean(scores):.4f}, {mean(scores) - best:+.4f} against the best of them")
            if size == len(SYSTEMS):
                for i, a in enumerate(answers):
                    print(f"    {a.name} {scores[i]:.3f}  alone", *(f"{alone[s][i]:.3f}" for s in SYSTEMS))


def single_without(answers: Sequence[Answered]) -> dict[str, Calibration]:
    """The weights of a strong model by itself, fitted without each document."""
    leaves = [
        fit_confidence.Leaf(a.name, frozenset(leaf.evidence.findings), a.right[id(leaf)])
        for a in answers
        for o in a.opinions.values()
        for _, leaf in iterate_leaves(o.tree)
        if id(leaf) in a.right
    ]
    counts = Counter(n for leaf in leaves for n in leaf.findings)
    declared = fit_confidence.DECLARED["strong"]
    names = sorted(n for n, many in counts.items() if many >= 15 and n not in declared)
    shipped = load_calibration()
    made = {}
    for a in answers:
        some = [leaf for leaf in leaves if leaf.document != a.name]
        w = fit_confidence.fit(some, names, numpy.zeros(len(names) + 1), fit_confidence.RIDGE["strong"])
        findings = dict(zip(names, map(float, w[1:]), strict=True)) | declared
        strong = ClassWeights(float(w[0]), findings, {})
        made[a.name] = replace(shipped, classes={**shipped.classes, ModelClass.STRONG: strong})
    return made


def report_cascade(
    answers: Sequence[Answered],
    without: Mapping[str, EnsembleWeights],
    small: str,
    big: str,
    thresholds: Sequence[float],
) -> None:
    single = single_without(answers)
    gpt = mean(board.score(a.shape, a.label, a.results[big].record) for a in answers)
    first = mean(board.score(a.shape, a.label, a.results[small].record) for a in answers)
    print(f"cascade {small} then {big}: {small} alone {first:.4f}, {big} alone {gpt:.4f}")
    for below in thresholds:
        asked = leaves = documents = 0
        scores = []
        for a in answers:
            sure = rejudge(a.results[small], single[a.name])
            opinion = read_opinion(sure, small, a.root)
            question = find_second_question(a.root, opinion, below)
            members = [Member(sure)]
            leaves += sum(1 for _ in iterate_leaves(opinion.tree))
            if question is not None:
                asked, documents = asked + question.asked, documents + 1
                members.append(Member(ask_second(a, question, small, big), question.scope))
            scores.append(board.score(a.shape, a.label, combine(a, members, without[a.name], 0.5).record))
        print(
            f"    asked again below {below:.2f}: {asked / leaves:.3f} of the leaves, {documents} of {len(answers)} "
            f"documents; score {mean(scores):.4f}, {mean(scores) - gpt:+.4f} against {big}, "
            f"{mean(scores) - first:+.4f} against {small}"
        )


def rejudge(result: ResultFile, calibration: Calibration) -> ResultFile:
    proofs = {
        at: replace(p, confidence=calibration.confidence(STRONG, p.findings)) for at, p in result.evidence.items()
    }
    return result.model_copy(update={"evidence": proofs})


def ask_second(one: Answered, question: SecondQuestion, small: str, big: str) -> ResultFile:
    """The second model's answer, cut down to what it is asked about."""
    document, task = one.schema
    mine, theirs = one.results[small].record, one.results[big].record
    return ground_answer(document, task, cut_down(task.schema.root, mine, theirs, question, ()), big)


def cut_down(node: Any, mine: Any, theirs: Any, question: SecondQuestion, path: ValuePath) -> Any:
    if isinstance(node, Object):
        return {
            f.name: cut_down(f.node, (mine or {}).get(f.name), (theirs or {}).get(f.name), question, (*path, f.name))
            for f in node.fields
        }
    if hasattr(node, "row"):
        rows = question.scope.rows.get(path)
        pairs = {j: i for i, j in board.paired(mine or [], theirs or [])[0]}
        every = [(pairs.get(j), row) for j, row in enumerate(theirs or [])]
        kept = [(i, row) for i, row in every if rows is None or i in rows]
        return [cut_down(node.row, (mine or [])[i] if i is not None else {}, row, question, path) for i, row in kept]
    return theirs if path in question.scope.fields else None


def write(kind: str, weights: EnsembleWeights, samples: Sequence[Sample]) -> None:
    data = json.loads(SHIPPED_WEIGHTS.read_text())
    data.setdefault("ensembles", {})[kind] = {
        "intercept": round(weights.intercept, 3),
        "own": round(weights.own, 3),
        "findings": {n: round(v, 3) for n, v in sorted(weights.findings.items())},
    }
    documents = len({s.document for s in samples})
    leaves = len({(s.document, s.models, i) for i, s in enumerate(samples)})
    how = "bench/ensemble.py" + (" --small" if kind == "small" else "")
    data["source"][f"ensembles, {kind}"] = f"{leaves} leaves beside other models' of {documents} documents, {how}"
    SHIPPED_WEIGHTS.write_text(json.dumps(data, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="DocuBench's folder")
    parser.add_argument("--small", action="store_true", help="small models: the recorded suites")
    parser.add_argument("--accept", type=float, default=0.5)
    parser.add_argument("--write", action="store_true")
    flags = parser.parse_args()
    if not flags.small and flags.folder is None:
        parser.error("name DocuBench's folder, or give --small")
    kind = "small" if flags.small else "strong"
    answers = read_small() if flags.small else read_answers(flags.folder)
    samples = [s for one in answers for s in sample(one, (2,) if flags.small else (2, 3))]
    without = report_fit(samples, kind)
    if not flags.small:
        report_scores(answers, without, flags.accept)
        report_cascade(
            answers, without, "gemini", "gpt", sorted({0.5, 0.7, 0.9, 0.95, ASK_AGAIN_BELOW[ModelClass.STRONG]})
        )
    if flags.write:
        write(kind, without[""], samples)


if __name__ == "__main__":
    main()
