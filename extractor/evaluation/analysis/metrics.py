"""Figures of one model with one prompt over documents, each with its interval.

micro       over all leaves of all documents
macro       mean over documents; one with nothing to divide by is left out of the mean, never 0 or 1
all         a failed or missing document costs all of its leaves
completed   failed and missing documents left out
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from extractor.errors import UsageError
from extractor.evaluation.analysis.resampling import Interval, RatioPart, bootstrap_interval, divide_sums
from extractor.evaluation.scoring.outcomes import LeafTally, ScoreCell, ScoredRun, tally_cells

UNDONE_STATUSES = ("failed", "missing")
"""States of a document without a record."""


class Statistic(StrEnum):
    """A figure that runs are ranked by, or that a gate looks at."""

    MICRO_F1 = "micro_f1"
    MACRO_F1 = "macro_f1"
    PRECISION = "precision"
    RECALL = "recall"
    MACRO_PRECISION = "macro_precision"
    MACRO_RECALL = "macro_recall"

    def ratio_part(self, tally: LeafTally) -> RatioPart:
        """What a document adds to numerator and denominator of the figure."""
        match self:
            case Statistic.MICRO_F1:
                return 2 * tally.correct, tally.predicted_count + tally.gold_count
            case Statistic.PRECISION:
                return tally.correct, tally.predicted_count
            case Statistic.RECALL:
                return tally.correct, tally.gold_count
            case Statistic.MACRO_F1:
                return _mean_part(tally.f1)
            case Statistic.MACRO_PRECISION:
                return _mean_part(tally.precision)
            case Statistic.MACRO_RECALL:
                return _mean_part(tally.recall)

    @property
    def display_name(self) -> str:
        return self.replace("_", " ").replace("f1", "F1")


def _mean_part(value: float | None) -> RatioPart:
    return (0, 0) if value is None else (value, 1)


@dataclass(frozen=True, slots=True)
class MetricEstimate:
    """A figure in 0..1, or a difference of two; None where there is nothing to divide by."""

    value: float | None
    interval: Interval | None = None
    """None with fewer than two documents that count, and where all of them agree."""


@dataclass(frozen=True, slots=True)
class MetricSummary:
    documents: int
    tally: LeafTally
    estimates: Mapping[Statistic, MetricEstimate]

    def __getitem__(self, statistic: Statistic) -> MetricEstimate:
        return self.estimates[statistic]


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model with one prompt: a run and its repeats, whose counts are added up within each document."""

    label: str
    runs: tuple[ScoredRun, ...]
    tallies: Mapping[str, LeafTally]
    """Document -> its counts, by name of the document."""
    fields: Mapping[str, Mapping[str, LeafTally]]
    """Field -> document -> its counts; fields in the order of the table."""
    undone: Mapping[str, str]
    """Document that failed or is missing, in any repeat -> which of the two."""
    overall: MetricSummary
    completed: MetricSummary

    @property
    def model(self) -> str:
        return self.runs[0].model

    @property
    def prompt(self) -> str:
        return self.runs[0].prompt

    @property
    def perfect_documents(self) -> frozenset[str]:
        """Documents without any error, among those with something to find."""
        return frozenset(name for name, tally in self.tallies.items() if tally.f1 == 1)


def group_into_entrants(runs: Sequence[ScoredRun], seed: int = 0) -> list[Entrant]:
    """One entrant per label, its repeats (" #2" and on, as `Run.label` says) with it, in the order of the runs."""
    if not runs:
        raise UsageError("There is no run to score; name the folder of a finished run.")
    grouped: dict[str, list[ScoredRun]] = {}
    for run in runs:
        if any(run.label == other.label for others in grouped.values() for other in others):
            raise UsageError(f'Two runs are labelled "{run.label}"; name each run once, or label them apart.')
        label = run.label.removesuffix(f" #{run.repeat}") if run.repeat > 1 else run.label
        grouped.setdefault(label, []).append(run)
    return [
        _build_entrant(label, sorted(repeats, key=lambda run: run.repeat), seed) for label, repeats in grouped.items()
    ]


def _build_entrant(label: str, runs: Sequence[ScoredRun], seed: int) -> Entrant:
    cells: dict[str, dict[str, list[ScoreCell]]] = defaultdict(lambda: defaultdict(list))
    done: dict[str, list[ScoreCell]] = defaultdict(list)
    tried: dict[str, list[ScoreCell]] = {
        name: [] for run in runs for name in sorted(one.document for one in run.documents)
    }
    undone: dict[str, str] = {}
    for run in runs:
        status = {one.document: one.status for one in run.documents}
        undone |= {name: state for name, state in status.items() if state in UNDONE_STATUSES}
        done |= {name: done[name] for name, state in status.items() if state not in UNDONE_STATUSES}
        for cell in run.cells:
            cells[cell.field][cell.document].append(cell)
            tried.setdefault(cell.document, []).append(cell)
            if not cell.failed and status.get(cell.document) not in UNDONE_STATUSES:
                done[cell.document].append(cell)
    tallies = {name: tally_cells(tried[name]) for name in sorted(tried)}
    fields = {
        field: {name: tally_cells(cells_of) for name, cells_of in found.items()} for field, found in cells.items()
    }
    everything = _summarise_tallies(list(tallies.values()), seed)
    completed = _summarise_tallies([tally_cells(done[name]) for name in sorted(done)], seed) if undone else everything
    return Entrant(label, tuple(runs), tallies, fields, dict(sorted(undone.items())), everything, completed)


def _summarise_tallies(tallies: Sequence[LeafTally], seed: int) -> MetricSummary:
    estimates = {}
    for statistic in Statistic:
        parts = [statistic.ratio_part(tally) for tally in tallies]
        estimates[statistic] = MetricEstimate(divide_sums(parts), bootstrap_interval(parts, seed))
    return MetricSummary(len(tallies), sum_tallies(tallies), estimates)


def sum_tallies(tallies: Iterable[LeafTally]) -> LeafTally:
    return sum(tallies, LeafTally())
