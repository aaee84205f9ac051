"""The content of a report: everything in report.json, report.md, report.html and junit.xml, computed once.

docs/report.md describes the format. All figures come from the flat table of cells, all tests and intervals from
`analysis`, and the verdict is an argument, so that no two outputs can disagree. Same inputs, same content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from extractor._version import __version__
from extractor.evaluation.analysis.baseline import SCORER_VERSION, collect_fingerprints
from extractor.evaluation.analysis.calibration import calibrate_confidence
from extractor.evaluation.analysis.comparison import (
    ALPHA,
    DETECTABLE_STANDARD_ERRORS,
    MIN_DOCUMENTS,
    Comparison,
    HeadToHead,
    RunPair,
)
from extractor.evaluation.analysis.costs import COST_KINDS, find_pareto_front, finite_or_none, summarise_costs
from extractor.evaluation.analysis.diff import BaselineDiff, LeafChange
from extractor.evaluation.analysis.findings import (
    build_model_prompt_matrix,
    explain_few_documents,
    order_fields,
    round_figure,
    write_headline,
)
from extractor.evaluation.analysis.gates import Verdict
from extractor.evaluation.analysis.metrics import UNDONE_STATUSES, Entrant, MetricSummary, Statistic, sum_tallies
from extractor.evaluation.analysis.resampling import (
    CONFIDENCE_LEVEL,
    INTERVAL_METHOD,
    Interval,
    count_draws,
    count_flips,
)
from extractor.evaluation.report.strict_json import make_strict_json
from extractor.evaluation.scoring.grounding import SpanOverlap
from extractor.evaluation.scoring.outcomes import LeafOutcome, LeafTally, ValueSupport

REPORT_FORMAT = "extractor.report/1"

ReportContent = dict[str, Any]
"""A report as JSON; docs/report.md says what is where."""

_PREDICTED_OUTCOMES = (LeafOutcome.CORRECT, LeafOutcome.WRONG, LeafOutcome.INVENTED)
_ERROR_OUTCOMES = (LeafOutcome.WRONG, LeafOutcome.OMITTED, LeafOutcome.INVENTED)
_AVERAGES = {
    "micro": (Statistic.PRECISION, Statistic.RECALL, Statistic.MICRO_F1),
    "macro": (Statistic.MACRO_PRECISION, Statistic.MACRO_RECALL, Statistic.MACRO_F1),
}


def build_report(
    comparison: Comparison,
    verdict: Verdict,
    diff: BaselineDiff | None = None,
    *,
    title: str = "",
    spans: Mapping[str, SpanOverlap] | None = None,
    gold_notes: Sequence[str] = (),
) -> ReportContent:
    """The report of a comparison.

    `title` names the suite; `spans` holds, per entrant's label, how claimed spans cover gold's, where gold has spans;
    `gold_notes` are the findings of the lint, one sentence each.
    """
    entrants = comparison.entrants
    order = order_fields(comparison)
    runs = [_describe_run(one, rank, order, (spans or {}).get(one.label)) for rank, one in enumerate(entrants, 1)]
    for kind in COST_KINDS:
        points = {
            run["label"]: (_find_ranked_figure(run, comparison), run["usage"]["per_document"][kind]) for run in runs
        }
        best = find_pareto_front(points)
        for run in runs:
            run["usage"].setdefault("pareto", {})[kind] = run["label"] in best
    content = {
        "format": REPORT_FORMAT,
        "title": title,
        "task": entrants[0].runs[0].task,
        "extractor": __version__,
        "scorer": SCORER_VERSION,
        "headline": write_headline(comparison),
        "documents": list(comparison.documents),
        "balanced": comparison.balanced,
        "few": explain_few_documents(comparison),
        "statistics": _describe_statistics(comparison),
        "verdict": _describe_verdict(verdict),
        "notes": [*gold_notes, *(f"{run.label}: {note}" for one in entrants for run in one.runs for note in run.notes)],
        "runs": runs,
        "pairs": [_describe_pair(pair) for pair in comparison.pairs],
        "ties": [list(group) for group in comparison.tied_groups],
        "matrix": build_model_prompt_matrix(comparison),
        "fields": order,
        "baseline": None if diff is None else _describe_baseline(diff),
        "errors": list(_iterate_errors(comparison, diff)),
    }
    return dict(make_strict_json(content))


def _describe_statistics(comparison: Comparison) -> ReportContent:
    """How intervals and tests were made."""
    return {
        "statistic": str(comparison.statistic),
        "seed": comparison.seed,
        "unit": "document",
        "interval": INTERVAL_METHOD,
        "level": CONFIDENCE_LEVEL,
        "draws": count_draws(len(comparison.documents)),
        "test": "permutation of the two runs within documents, and exact sign test of documents",
        "flips": count_flips(len(comparison.documents)),
        "correction": "Holm",
        "alpha": ALPHA,
        "enough": MIN_DOCUMENTS,
        "detectable": (
            f"{DETECTABLE_STANDARD_ERRORS:g} standard errors of the paired difference: seen in 80% of cases at 5%"
        ),
    }


def _describe_run(one: Entrant, rank: int, order: Sequence[str], overlap: SpanOverlap | None) -> ReportContent:
    cells = [cell for run in one.runs for cell in run.cells]
    states = [document.status for run in one.runs for document in run.documents]
    support = {str(outcome): dict.fromkeys(map(str, ValueSupport), 0) for outcome in _PREDICTED_OUTCOMES}
    for cell in cells:
        if cell.outcome in _PREDICTED_OUTCOMES:
            support[cell.outcome][cell.support] += 1
    return {
        "rank": rank,
        "label": one.label,
        "model": one.model,
        "prompt": one.prompt,
        "repeats": len(one.runs),
        "fingerprints": collect_fingerprints(one),
        **_describe_averages(one.overall),
        "documents_scored": one.overall.documents,
        "results": len(states),
        "completed": {
            "documents": one.completed.documents,
            "results": sum(state not in UNDONE_STATUSES for state in states),
            **_describe_averages(one.completed),
        },
        "counts": _describe_counts(one.overall.tally),
        "support": support,
        "spans": None if overlap is None else {"precision": overlap.precision, "recall": overlap.recall},
        "perfect_documents": len(one.perfect_documents),
        "undone_documents": dict(one.undone),
        "usage": summarise_costs(one),
        "confidence": calibrate_confidence(cells),
        "fields": [
            {
                "field": name,
                "documents": _count_telling_documents(one.fields[name]),
                **_describe_figures(sum_tallies(one.fields[name].values())),
            }
            for name in order
            if name in one.fields
        ],
        "documents": [_describe_document(one, name) for name in one.tallies],
    }


def _describe_averages(figures: MetricSummary) -> ReportContent:
    content: ReportContent = {}
    for name, (precision, recall, f1) in _AVERAGES.items():
        content[name] = {
            "precision": round_figure(figures[precision].value),
            "recall": round_figure(figures[recall].value),
            "f1": round_figure(figures[f1].value),
            "interval": _describe_interval(figures[f1].interval),
            "precision_interval": _describe_interval(figures[precision].interval),
            "recall_interval": _describe_interval(figures[recall].interval),
        }
    return content


def _describe_document(one: Entrant, name: str) -> ReportContent:
    graded = [document for run in one.runs for document in run.documents if document.document == name]
    status = one.undone.get(name) or (graded[0].status if graded else "missing")
    tokens = [n for document in graded for n in (document.input_tokens, document.output_tokens)]
    seconds = [finite_or_none(document.seconds) for document in graded]
    return {
        "document": name,
        "status": status,
        **_describe_figures(one.tallies[name]),
        "seconds": None if None in seconds or not seconds else sum(n for n in seconds if n is not None),
        "tokens": None if None in tokens or not tokens else sum(n for n in tokens if n is not None),
        "error": " ".join(dict.fromkeys(document.error for document in graded if document.error)) or None,
    }


def _describe_counts(tally: LeafTally) -> ReportContent:
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


def _describe_figures(tally: LeafTally) -> ReportContent:
    ratios = {"precision": tally.precision, "recall": tally.recall, "f1": tally.f1}
    return {**_describe_counts(tally), **{name: round_figure(value) for name, value in ratios.items()}}


def _count_telling_documents(tallies: Mapping[str, LeafTally]) -> int:
    return sum(tally.f1 is not None for tally in tallies.values())


def _find_ranked_figure(run: ReportContent, comparison: Comparison) -> float | None:
    average = "macro" if comparison.statistic.startswith("macro") else "micro"
    what = comparison.statistic.removeprefix("macro_").removeprefix("micro_")
    value: float | None = run[average][what]
    return value


def _describe_pair(pair: RunPair) -> ReportContent:
    return {
        "a": pair.a,
        "b": pair.b,
        "documents": pair.documents,
        "unmatched": pair.unmatched,
        "difference": round_figure(pair.difference.value),
        "interval": _describe_interval(pair.difference.interval),
        **_describe_head_to_head(pair.head_to_head),
        "permutation_p": round_figure(pair.p),
        "exact": pair.exact,
        "holm_p": round_figure(pair.adjusted),
        "detectable": round_figure(pair.detectable),
        "perfect": _describe_head_to_head(pair.perfect_documents),
        "verdict": "too few documents"
        if pair.has_few_documents
        else "separable"
        if pair.is_separable
        else "not separable",
        "fields": [
            {
                "field": one.field,
                "difference": round_figure(one.difference),
                **_describe_head_to_head(one.head_to_head),
                "holm_p": round_figure(one.adjusted),
            }
            for one in pair.fields
            if one.head_to_head.wins or one.head_to_head.losses or one.difference
        ],
    }


def _describe_head_to_head(match: HeadToHead) -> ReportContent:
    return {"wins": match.wins, "ties": match.ties, "losses": match.losses, "sign_p": round_figure(match.p)}


def _describe_verdict(verdict: Verdict) -> ReportContent:
    return {
        "passed": verdict.passed,
        "sentence": verdict.sentence,
        "gates": [
            {"name": gate.name, "run": gate.run, "passed": gate.passed, "message": gate.message}
            for gate in verdict.gates
        ],
        "notices": list(verdict.notices),
    }


def _describe_baseline(diff: BaselineDiff) -> ReportContent:
    return {
        "file": diff.file,
        "absent": list(diff.absent_labels),
        "added": list(diff.added_labels),
        "runs": [
            {
                "label": shift.label,
                "before": {str(name): round_figure(value) for name, value in shift.before.items()},
                "now": {str(name): round_figure(value) for name, value in shift.now.items()},
                "changed": [
                    {"what": what, "before": before, "now": now} for what, before, now in shift.changed_fingerprints
                ],
                **_describe_head_to_head(shift.head_to_head),
                "worse": [_describe_change(one) for one in shift.worse],
                "better": [_describe_change(one) for one in shift.better],
                "inventions_gone": dict(shift.inventions_gone),
            }
            for shift in diff.run_diffs
        ],
    }


def _describe_change(one: LeafChange) -> ReportContent:
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


def _iterate_errors(comparison: Comparison, diff: BaselineDiff | None) -> Iterator[ReportContent]:
    """Every single error, by rank of its run, then by document, in the order of the table."""
    fresh = {_identify_change(one) for shift in (diff.run_diffs if diff else ()) for one in shift.worse}
    for one in comparison.entrants:
        for run in one.runs:
            for cell in sorted(run.cells, key=lambda cell: cell.document):
                if cell.outcome in _ERROR_OUTCOMES:
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
                        "confidence": finite_or_none(cell.confidence),
                        "failed": cell.failed,
                        "new": (run.label, cell.document, cell.field, cell.gold_path, cell.path) in fresh,
                    }


def _identify_change(one: LeafChange) -> tuple[str, str, str, str | None, str | None]:
    return one.run, one.document, one.field, one.gold_path, one.path


def _describe_interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(interval.low, 6), round(interval.high, 6)]
