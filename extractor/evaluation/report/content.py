"""The content of a report: everything that report.json, report.md, report.html and junit.xml say, computed once.

docs/report.md describes the format. All figures come from the flat table of cells, all certainty from `statistics`, and
the verdict is handed in, so that no two outputs can disagree. Same inputs, same content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from extractor._version import __version__
from extractor.evaluation.analysis import resampling
from extractor.evaluation.analysis.baseline import SCORER, fingerprints
from extractor.evaluation.analysis.calibration import calibrate
from extractor.evaluation.analysis.comparison import ALPHA, DETECTABLE, ENOUGH, Comparison, Match, Pair
from extractor.evaluation.analysis.costs import KINDS, finite, pareto, spent
from extractor.evaluation.analysis.diff import Change, Diff
from extractor.evaluation.analysis.findings import few, fields, headline, matrix, rounded
from extractor.evaluation.analysis.gates import Verdict
from extractor.evaluation.analysis.metrics import UNDONE, Entrant, Figures, Statistic, total
from extractor.evaluation.analysis.resampling import Interval
from extractor.evaluation.report.strict_json import strict
from extractor.evaluation.scoring.grounding import Overlap
from extractor.evaluation.scoring.outcomes import Outcome, Support, Tally

FORMAT = "extractor.report/1"

Content = dict[str, Any]
"""A report as JSON; docs/report.md says what is where."""

_PREDICTED = (Outcome.CORRECT, Outcome.WRONG, Outcome.INVENTED)
_ERRORS = (Outcome.WRONG, Outcome.OMITTED, Outcome.INVENTED)
_AVERAGES = {
    "micro": (Statistic.PRECISION, Statistic.RECALL, Statistic.MICRO_F1),
    "macro": (Statistic.MACRO_PRECISION, Statistic.MACRO_RECALL, Statistic.MACRO_F1),
}


def build(
    comparison: Comparison,
    verdict: Verdict,
    diff: Diff | None = None,
    *,
    title: str = "",
    spans: Mapping[str, Overlap] | None = None,
    gold_notes: Sequence[str] = (),
) -> Content:
    """The report of a comparison.

    `title` names the suite; `spans` holds, per entrant's label, how claimed spans cover gold's, where gold has spans;
    `gold_notes` are what the lint found, each one sentence.
    """
    entrants = comparison.entrants
    order = fields(comparison)
    runs = [_run(one, rank, order, (spans or {}).get(one.label)) for rank, one in enumerate(entrants, 1)]
    for kind in KINDS:
        points = {run["label"]: (_ranked(run, comparison), run["usage"]["per_document"][kind]) for run in runs}
        best = pareto(points)
        for run in runs:
            run["usage"].setdefault("pareto", {})[kind] = run["label"] in best
    content = {
        "format": FORMAT,
        "title": title,
        "task": entrants[0].runs[0].task,
        "extractor": __version__,
        "scorer": SCORER,
        "headline": headline(comparison),
        "documents": list(comparison.documents),
        "balanced": comparison.balanced,
        "few": few(comparison),
        "statistics": {
            "statistic": str(comparison.statistic),
            "seed": comparison.seed,
            "unit": "document",
            "interval": resampling.INTERVAL,
            "level": resampling.LEVEL,
            "draws": resampling.draws(len(comparison.documents)),
            "test": "permutation of the two runs within documents, and exact sign test of documents",
            "flips": resampling.flips(len(comparison.documents)),
            "correction": "Holm",
            "alpha": ALPHA,
            "enough": ENOUGH,
            "detectable": f"{DETECTABLE:g} standard errors of the paired difference: seen in 80% of cases at 5%",
        },
        "verdict": _verdict(verdict),
        "notes": [*gold_notes, *(f"{run.label}: {note}" for one in entrants for run in one.runs for note in run.notes)],
        "runs": runs,
        "pairs": [_pair(pair) for pair in comparison.pairs],
        "ties": [list(group) for group in comparison.ties],
        "matrix": matrix(comparison),
        "fields": order,
        "baseline": None if diff is None else _baseline(diff),
        "errors": list(_errors(comparison, diff)),
    }
    return dict(strict(content))


def _run(one: Entrant, rank: int, order: Sequence[str], overlap: Overlap | None) -> Content:
    cells = [cell for run in one.runs for cell in run.cells]
    states = [document.status for run in one.runs for document in run.documents]
    support = {str(outcome): dict.fromkeys(map(str, Support), 0) for outcome in _PREDICTED}
    for cell in cells:
        if cell.outcome in _PREDICTED:
            support[cell.outcome][cell.support] += 1
    return {
        "rank": rank,
        "label": one.label,
        "model": one.model,
        "prompt": one.prompt,
        "repeats": len(one.runs),
        "fingerprints": fingerprints(one),
        **_averages(one.all),
        "documents_scored": one.all.documents,
        "results": len(states),
        "completed": {
            "documents": one.completed.documents,
            "results": sum(state not in UNDONE for state in states),
            **_averages(one.completed),
        },
        "counts": _counts(one.all.tally),
        "support": support,
        "spans": None if overlap is None else {"precision": overlap.precision, "recall": overlap.recall},
        "perfect_documents": len(one.perfect),
        "undone_documents": dict(one.undone),
        "usage": spent(one),
        "confidence": calibrate(cells),
        "fields": [
            {"field": name, "documents": _telling(one.fields[name]), **_figures(total(one.fields[name].values()))}
            for name in order
            if name in one.fields
        ],
        "documents": [_document(one, name) for name in one.tallies],
    }


def _averages(figures: Figures) -> Content:
    content: Content = {}
    for name, (precision, recall, f1) in _AVERAGES.items():
        content[name] = {
            "precision": rounded(figures[precision].value),
            "recall": rounded(figures[recall].value),
            "f1": rounded(figures[f1].value),
            "interval": _interval(figures[f1].interval),
            "precision_interval": _interval(figures[precision].interval),
            "recall_interval": _interval(figures[recall].interval),
        }
    return content


def _document(one: Entrant, name: str) -> Content:
    graded = [document for run in one.runs for document in run.documents if document.document == name]
    status = one.undone.get(name) or (graded[0].status if graded else "missing")
    tokens = [n for document in graded for n in (document.input_tokens, document.output_tokens)]
    seconds = [finite(document.seconds) for document in graded]
    return {
        "document": name,
        "status": status,
        **_figures(one.tallies[name]),
        "seconds": None if None in seconds or not seconds else sum(n for n in seconds if n is not None),
        "tokens": None if None in tokens or not tokens else sum(n for n in tokens if n is not None),
        "error": " ".join(dict.fromkeys(document.error for document in graded if document.error)) or None,
    }


def _counts(tally: Tally) -> Content:
    return {
        "correct": tally.correct,
        "wrong": tally.wrong,
        "omitted": tally.omitted,
        "invented": tally.invented,
        "absent": tally.absent,
        "unscored": tally.unscored,
        "hallucinated": tally.hallucinated,
        "mispicked": tally.mispicked,
    }


def _figures(tally: Tally) -> Content:
    ratios = {"precision": tally.precision, "recall": tally.recall, "f1": tally.f1}
    return {**_counts(tally), **{name: rounded(value) for name, value in ratios.items()}}


def _telling(tallies: Mapping[str, Tally]) -> int:
    return sum(tally.f1 is not None for tally in tallies.values())


def _ranked(run: Content, comparison: Comparison) -> float | None:
    average = "macro" if comparison.statistic.startswith("macro") else "micro"
    what = comparison.statistic.removeprefix("macro_").removeprefix("micro_")
    value: float | None = run[average][what]
    return value


def _pair(pair: Pair) -> Content:
    return {
        "a": pair.a,
        "b": pair.b,
        "documents": pair.documents,
        "unmatched": pair.unmatched,
        "difference": rounded(pair.difference.value),
        "interval": _interval(pair.difference.interval),
        **_match(pair.match),
        "permutation_p": rounded(pair.p),
        "exact": pair.exact,
        "holm_p": rounded(pair.adjusted),
        "detectable": rounded(pair.detectable),
        "perfect": _match(pair.perfect),
        "verdict": "too few documents" if pair.few else "separable" if pair.separable else "not separable",
        "fields": [
            {
                "field": one.field,
                "difference": rounded(one.difference),
                **_match(one.match),
                "holm_p": rounded(one.adjusted),
            }
            for one in pair.fields
            if one.match.wins or one.match.losses or one.difference
        ],
    }


def _match(match: Match) -> Content:
    return {"wins": match.wins, "ties": match.ties, "losses": match.losses, "sign_p": rounded(match.p)}


def _verdict(verdict: Verdict) -> Content:
    return {
        "passed": verdict.passed,
        "sentence": verdict.sentence,
        "gates": [
            {"name": gate.name, "run": gate.run, "passed": gate.passed, "message": gate.message}
            for gate in verdict.gates
        ],
        "notices": list(verdict.notices),
    }


def _baseline(diff: Diff) -> Content:
    return {
        "file": diff.file,
        "absent": list(diff.absent),
        "added": list(diff.added),
        "runs": [
            {
                "label": shift.label,
                "before": {str(name): rounded(value) for name, value in shift.before.items()},
                "now": {str(name): rounded(value) for name, value in shift.now.items()},
                "changed": [{"what": what, "before": before, "now": now} for what, before, now in shift.changed],
                **_match(shift.match),
                "worse": [_change(one) for one in shift.worse],
                "better": [_change(one) for one in shift.better],
                "inventions_gone": dict(shift.gone),
            }
            for shift in diff.shifts
        ],
    }


def _change(one: Change) -> Content:
    return {
        "run": one.run,
        "document": one.document,
        "field": one.field,
        "before": str(one.before),
        "now": str(one.now),
        "gold_path": one.gold_path,
        "path": one.path,
        "gold": one.gold,
        "prediction": one.prediction,
    }


def _errors(comparison: Comparison, diff: Diff | None) -> Iterator[Content]:
    """Every single error, by rank of its run, then by document, in the order of the table."""
    fresh = {_identity(one) for shift in (diff.shifts if diff else ()) for one in shift.worse}
    for one in comparison.entrants:
        for run in one.runs:
            for cell in sorted(run.cells, key=lambda cell: cell.document):
                if cell.outcome in _ERRORS:
                    yield {
                        "run": one.label,
                        "repeat": run.repeat,
                        "document": cell.document,
                        "field": cell.field,
                        "outcome": str(cell.outcome),
                        "support": str(cell.support),
                        "gold": cell.gold,
                        "prediction": cell.prediction,
                        "gold_path": cell.gold_path,
                        "path": cell.path,
                        "comparator": cell.comparator,
                        "match": cell.match,
                        "spans": [list(span) for span in cell.spans],
                        "confidence": finite(cell.confidence),
                        "failed": cell.failed,
                        "new": (run.label, cell.document, cell.field, cell.gold_path, cell.path) in fresh,
                    }


def _identity(one: Change) -> tuple[str, str, str, str | None, str | None]:
    return one.run, one.document, one.field, one.gold_path, one.path


def _interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(interval.low, 6), round(interval.high, 6)]
