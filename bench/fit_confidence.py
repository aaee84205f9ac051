"""Fits the weights of extractor/extraction/grounding/confidence.json, and measures them on documents left out.

    python bench/fit_confidence.py small                    the recorded suites, replayed, every leaf accepted
    python bench/fit_confidence.py strong DOCUBENCH_DIR     real answers of gpt, claude and gemini, by the board's rules
    python bench/fit_confidence.py small --write            puts the weights of the class into confidence.json

A leaf is right where scoring pairs it with a leaf of gold that is the same. Weights are log-odds by maximum likelihood
with a ridge; of a class only findings that occur on at least --least leaves are fitted. AUC and ECE (ten bins of equal
size) are those of leaves whose whole document was left out of the fit.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import board
import numpy
from scipy.optimize import minimize

from extractor.documents.discovery import find_sources, read_source
from extractor.evaluation.scoring.grader import grade_document_cells
from extractor.evaluation.scoring.outcomes import LeafOutcome
from extractor.evaluation.suite import load_suite, load_suite_gold
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.grounding.confidence import SHIPPED_WEIGHTS
from extractor.extraction.pipeline import Reading, extract_record
from extractor.models.choice import choose_model
from extractor.models.client_options import ClientOptions, Mode
from extractor.models.open_endpoint import open_endpoint
from extractor.models.session import ModelSession
from extractor.models.traits import SMALL, STRONG
from extractor.types import Document, Record, Reply, Usage, json_pointer

ROOT = Path(__file__).parent.parent
RIDGE = {"small": 2.0, "strong": 1.0}
"""Of strong models fewer documents are labelled, and what is rare on them should not decide much."""
SUITES = ("eval", "eval/heldout", "eval/invoice", "eval/contract")
DECLARED = {  # by hand, with a reason: too rare in the documents to fit, and clear in what they say
    "strong": {"placeholder": -4.0, "denied": -4.0, "doubtful sight": -1.0, "name unseen": -1.0, "across a cut": -1.0},
    "small": {
        "duplicate": -3.0,
        "row says nothing": -3.0,
        "row unplaced": -3.0,
        "doubtful sight": -1.0,
        "name unseen": -1.0,
        "across a cut": -1.0,
    },
}
PRIOR = {"small": -3.0, "strong": 0.0}
"""What the weight of a doubt is drawn to: of small models the first edition refused every leaf that had one."""
WITHOUT_DOUBT = ("normalised", "derived", "fuzzy")


@dataclass(frozen=True)
class Leaf:
    """A leaf that was said: what was found about it, and whether it is right."""

    document: str
    findings: frozenset[str]
    right: bool
    model: str = ""


def small_leaves() -> Iterator[Leaf]:
    for folder in SUITES:
        suite = load_suite(ROOT / folder)
        gold = load_suite_gold(suite)
        for model, name in itertools.product(suite.models, suite.prompts):
            if (model, name) not in suite.left_out:
                tapes = ROOT / "cassettes" / suite.task.name / model / name
                for document, record in replay(suite, model, name, tapes):
                    yield from graded(gold, document, record, model)


def replay(suite: Any, model: str, prompt: str, tapes: Path) -> Iterator[tuple[Document, Record]]:
    """The suite's documents with their records, every leaf accepted."""

    async def run(document: Document) -> Record:
        with open_endpoint(choose_model(model, None), Mode.REPLAY) as endpoint:
            session = ModelSession(endpoint, ClientOptions(Mode.REPLAY, concurrency=1))
            async with session.open_model(tapes / f"{Path(document.name).stem}.json") as opened:
                version = suite.task.choose_prompt(prompt)
                reading = Reading(SMALL, Acceptance(0.0))
                return await extract_record(document, suite.task, version, opened, model, reading=reading)

    for source in find_sources([suite.samples]):
        document = read_source(source)
        yield document, asyncio.run(run(document))


def graded(gold: Any, document: Document, record: Record, model: str) -> Iterator[Leaf]:
    mine = next(g for g in gold.golds if Path(g.document).name == Path(document.name).name)
    evidence = {json_pointer(path): e for path, e in record.evidence.items()}
    for cell in grade_document_cells(mine, {"record": record.value}, gold.schema_root, ""):
        if cell.path in evidence:
            yield Leaf(
                document.name, frozenset(evidence[cell.path].findings), cell.outcome is LeafOutcome.CORRECT, model
            )


def strong_leaves(folder: Path) -> Iterator[Leaf]:
    import ceiling

    for path in sorted((folder / "documents").iterdir()):
        shape, label = board.schema(folder, path.stem), board.load(folder, "labels", path.stem)
        document = ceiling.read(path)
        for system in ("gpt", "claude", "gemini"):
            task = ceiling.task_of(shape, path.stem)
            record = answered(document, task, board.answer(folder, path.stem, system))
            by_place = dict(record.evidence.items())
            for pair in board.align(shape, label, record.value):
                if pair.said_at in by_place and board.said(pair.said):
                    yield Leaf(path.stem, frozenset(by_place[pair.said_at].findings), pair.right)


def answered(document: Document, task: Any, answer: Mapping[str, Any]) -> Record:
    import ceiling

    script = ceiling.Script(answer)

    class Said:
        async def complete(self, request: Any) -> Reply:
            return Reply(script(request), Usage(1, 0, 0, 0.0))

    reading = Reading(STRONG, Acceptance(0.0))
    return asyncio.run(extract_record(document, task, task.choose_prompt(None), Said(), "said", reading=reading))


def fit(leaves: Sequence[Leaf], names: Sequence[str], prior: Any, ridge: float) -> numpy.ndarray:
    """Intercept and weights. A document's leaves weigh at most as much as a hundred, so that none decides alone."""
    x = numpy.array([[1.0, *(float(n in leaf.findings or n == leaf.model) for n in names)] for leaf in leaves])
    y = numpy.array([leaf.right for leaf in leaves], dtype=float)
    many = Counter(leaf.document for leaf in leaves)
    weight = numpy.array([min(1.0, 100 / many[leaf.document]) for leaf in leaves])

    def loss(w: numpy.ndarray) -> tuple[float, numpy.ndarray]:
        z = x @ w
        p = 1 / (1 + numpy.exp(-z))
        penalty = ridge * numpy.sum((w - prior)[1:] ** 2) / 2
        value = -numpy.sum(weight * (y * -numpy.logaddexp(0, -z) + (1 - y) * -numpy.logaddexp(0, z))) + penalty
        gradient = x.T @ (weight * (p - y))
        gradient[1:] += ridge * (w - prior)[1:]
        return value, gradient

    return minimize(loss, numpy.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x


def predict(
    leaves: Sequence[Leaf], names: Sequence[str], w: numpy.ndarray, declared: Mapping[str, float]
) -> list[float]:
    logits = [
        w[0]
        + sum(w[i + 1] for i, n in enumerate(names) if n in leaf.findings or n == leaf.model)
        + sum(v for n, v in declared.items() if n in leaf.findings)
        for leaf in leaves
    ]
    return [1 / (1 + numpy.exp(-z)) for z in logits]


def auc(p: Sequence[float], y: Sequence[bool]) -> float:
    from scipy.stats import rankdata

    ranks, right = rankdata(p), sum(y)
    return (sum(r for r, one in zip(ranks, y, strict=True) if one) - right * (right + 1) / 2) / (
        right * (len(y) - right)
    )


def ece(p: Sequence[float], y: Sequence[bool]) -> float:
    order = numpy.argsort(p, kind="stable")
    bins = numpy.array_split(order, 10)
    return float(
        sum(abs(numpy.mean([p[i] for i in b]) - numpy.mean([y[i] for i in b])) * len(b) for b in bins if len(b))
        / len(p)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_class", choices=("small", "strong"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--least", type=int, default=15)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    leaves = list(small_leaves() if options.model_class == "small" else strong_leaves(options.folder))
    declared, ridge = DECLARED[options.model_class], RIDGE[options.model_class]
    counts = Counter(n for leaf in leaves for n in leaf.findings)
    names = sorted(n for n, many in counts.items() if many >= options.least and n not in declared)
    models = sorted({leaf.model for leaf in leaves} - {""})
    names += models
    doubt = PRIOR[options.model_class]
    prior = numpy.array([0.0, *(0.0 if n in (*WITHOUT_DOUBT, *models) else doubt for n in names)])
    documents = sorted({leaf.document for leaf in leaves})
    out_p: list[float] = []
    out_y: list[bool] = []
    for one in documents:
        w = fit([leaf for leaf in leaves if leaf.document != one], names, prior, ridge)
        out = [leaf for leaf in leaves if leaf.document == one]
        out_p += predict(out, names, w, declared)
        out_y += [leaf.right for leaf in out]
    print(f"{len(leaves)} leaves of {len(documents)} documents, {sum(out_y) / len(out_y):.3f} right")
    print(f"left out by document: AUC {auc(out_p, out_y):.3f}, ECE {ece(out_p, out_y):.3f}")
    kept = [p >= 0.5 for p in out_p]
    right_kept = sum(y for y, k in zip(out_y, kept, strict=True) if k)
    print(f"kept at 0.5: {sum(kept)}, of them right {right_kept}; right left out {sum(out_y) - right_kept}")
    w = fit(leaves, names, prior, ridge)
    print(f"{'intercept':26} {w[0]:+.3f}")
    for name, weight in sorted(zip(names, w[1:], strict=True), key=lambda one: one[1]):
        mine = [leaf.right for leaf in leaves if name in leaf.findings or name == leaf.model]
        print(f"{name:26} {weight:+.3f}   {len(mine):5} leaves, {sum(mine) / len(mine):.3f} right")
    if options.write:
        write(options.model_class, w, names, models, declared, leaves)


def write(
    model_class: str,
    w: Any,
    names: Sequence[str],
    models: Sequence[str],
    declared: Mapping[str, float],
    leaves: Sequence[Leaf],
) -> None:
    data = json.loads(SHIPPED_WEIGHTS.read_text())
    fitted = {n: round(float(v), 3) for n, v in zip(names, w[1:], strict=True)}
    weights = {n: v for n, v in fitted.items() if n not in models} | dict(declared)
    data["classes"][model_class] = {
        "intercept": round(float(w[0]), 3),
        "findings": dict(sorted(weights.items())),
        "models": {n: fitted[n] for n in models},
    }
    data["dated"] = datetime.date.today().isoformat()
    sources = data["source"] if isinstance(data["source"], dict) else {}
    documents = len({leaf.document for leaf in leaves})
    sources[model_class] = f"{len(leaves)} leaves of {documents} documents, bench/fit_confidence.py {model_class}"
    data["source"] = sources
    SHIPPED_WEIGHTS.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
