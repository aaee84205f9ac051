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
from extractor.evaluation.analysis import resampling
from extractor.evaluation.analysis.resampling import Interval, Part
from extractor.evaluation.scoring.outcomes import Cell, Run, Tally, count

UNDONE = ("failed", "missing")
"""States of a document without a record."""


class Statistic(StrEnum):
    """A figure that runs are ranked by, or that a gate looks at."""

    MICRO_F1 = "micro_f1"
    MACRO_F1 = "macro_f1"
    PRECISION = "precision"
    RECALL = "recall"
    MACRO_PRECISION = "macro_precision"
    MACRO_RECALL = "macro_recall"

    def part(self, tally: Tally) -> Part:
        """What a document adds to numerator and denominator of the figure."""
        match self:
            case Statistic.MICRO_F1:
                return 2 * tally.correct, tally.predicted + tally.support
            case Statistic.PRECISION:
                return tally.correct, tally.predicted
            case Statistic.RECALL:
                return tally.correct, tally.support
            case Statistic.MACRO_F1:
                return _mean(tally.f1)
            case Statistic.MACRO_PRECISION:
                return _mean(tally.precision)
            case Statistic.MACRO_RECALL:
                return _mean(tally.recall)

    @property
    def words(self) -> str:
        return self.replace("_", " ").replace("f1", "F1")


def _mean(value: float | None) -> Part:
    return (0, 0) if value is None else (value, 1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure in 0..1, or a difference of two; None where there is nothing to divide by."""

    value: float | None
    interval: Interval | None = None
    """None with fewer than two documents that say anything, and where all of them agree."""


@dataclass(frozen=True, slots=True)
class Figures:
    documents: int
    tally: Tally
    estimates: Mapping[Statistic, Estimate]

    def __getitem__(self, statistic: Statistic) -> Estimate:
        return self.estimates[statistic]


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model with one prompt: a run and its repeats, whose counts are added up within each document."""

    label: str
    runs: tuple[Run, ...]
    tallies: Mapping[str, Tally]
    """Document -> its counts, by name of the document."""
    fields: Mapping[str, Mapping[str, Tally]]
    """Field -> document -> its counts; fields in the order of the table."""
    undone: Mapping[str, str]
    """Document that failed or is missing, in any repeat -> which of the two."""
    all: Figures
    completed: Figures

    @property
    def model(self) -> str:
        return self.runs[0].model

    @property
    def prompt(self) -> str:
        return self.runs[0].prompt

    @property
    def perfect(self) -> frozenset[str]:
        """Documents without any error, among those with something to find."""
        return frozenset(name for name, tally in self.tallies.items() if tally.f1 == 1)


def enlist(runs: Sequence[Run], seed: int = 0) -> list[Entrant]:
    """One entrant per label, its repeats (" #2" and on, as `Run.label` says) with it, in the order of the runs."""
    if not runs:
        raise UsageError("There is no run to score; name the folder of a finished run.")
    grouped: dict[str, list[Run]] = {}
    for run in runs:
        if any(run.label == other.label for others in grouped.values() for other in others):
            raise UsageError(f'Two runs are labelled "{run.label}"; name each run once, or label them apart.')
        label = run.label.removesuffix(f" #{run.repeat}") if run.repeat > 1 else run.label
        grouped.setdefault(label, []).append(run)
    return [_entrant(label, sorted(ours, key=lambda run: run.repeat), seed) for label, ours in grouped.items()]


def _entrant(label: str, runs: Sequence[Run], seed: int) -> Entrant:
    cells: dict[str, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    done: dict[str, list[Cell]] = defaultdict(list)
    tried: dict[str, list[Cell]] = {name: [] for run in runs for name in sorted(one.document for one in run.documents)}
    undone: dict[str, str] = {}
    for run in runs:
        status = {one.document: one.status for one in run.documents}
        undone |= {name: said for name, said in status.items() if said in UNDONE}
        done |= {name: done[name] for name, said in status.items() if said not in UNDONE}
        for cell in run.cells:
            cells[cell.field][cell.document].append(cell)
            tried.setdefault(cell.document, []).append(cell)
            if not cell.failed and status.get(cell.document) not in UNDONE:
                done[cell.document].append(cell)
    tallies = {name: count(tried[name]) for name in sorted(tried)}
    fields = {field: {name: count(ours) for name, ours in found.items()} for field, found in cells.items()}
    everything = _figures(list(tallies.values()), seed)
    completed = _figures([count(done[name]) for name in sorted(done)], seed) if undone else everything
    return Entrant(label, tuple(runs), tallies, fields, dict(sorted(undone.items())), everything, completed)


def _figures(tallies: Sequence[Tally], seed: int) -> Figures:
    estimates = {}
    for statistic in Statistic:
        parts = [statistic.part(tally) for tally in tallies]
        estimates[statistic] = Estimate(resampling.ratio(parts), resampling.interval(parts, seed))
    return Figures(len(tallies), total(tallies), estimates)


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())
