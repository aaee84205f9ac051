"""What changed since a baseline: leaves that are newly right or newly wrong, run by run.

Figures of another gold, schema, task or scorer are no measure of a run, so comparing with them is refused. Another
prompt or model is what a comparison is for: it is noted, not refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from extractor.errors import UsageError
from extractor.evaluation.analysis.baseline import (
    Baseline,
    BaselinePins,
    BaselineRun,
    IncorrectLeaves,
    collect_fingerprints,
    digest_value,
)
from extractor.evaluation.analysis.comparison import Comparison, HeadToHead, compare_head_to_head
from extractor.evaluation.analysis.metrics import Entrant, Statistic
from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoredRun
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class LeafChange:
    """A leaf that was right and is not any more, or the reverse."""

    run: str
    """Label of the run itself, which tells which repeat it is."""
    document: str
    field: str
    before: LeafOutcome
    now: LeafOutcome
    gold_path: str | None
    path: str | None
    gold: Json = None
    prediction: Json = None


@dataclass(frozen=True, slots=True)
class RunDiff:
    """One entrant now and in the baseline."""

    label: str
    before: Mapping[Statistic, float | None]
    now: Mapping[Statistic, float | None]
    changed_fingerprints: tuple[tuple[str, str, str], ...]
    """(what, before, now) of the fingerprints of model, prompt and others that differ."""
    head_to_head: HeadToHead
    """By documents; a win is a document that is better now."""
    worse: tuple[LeafChange, ...]
    better: tuple[LeafChange, ...]
    inventions_gone: Mapping[str, int]
    """Field -> invented values of the baseline that are not there any more."""

    def statistic_change(self, statistic: Statistic) -> float | None:
        """Now - before."""
        now, before = self.now[statistic], self.before.get(statistic)
        return None if now is None or before is None else now - before


@dataclass(frozen=True, slots=True)
class BaselineDiff:
    file: str
    run_diffs: tuple[RunDiff, ...]
    absent_labels: tuple[str, ...]
    """Labels of the baseline that no run has now."""
    added_labels: tuple[str, ...]
    """Labels that the baseline does not have."""


def compare_with_baseline(
    baseline: Baseline, comparison: Comparison, pins: BaselinePins, file: str = "baseline"
) -> BaselineDiff:
    """What changed since. Raises UsageError when the two cannot be compared; `file` names the baseline in messages."""
    _refuse_incomparable(baseline.pins, pins, file)
    kept = {run.label: run for run in baseline.runs}
    labels = [one.label for one in comparison.entrants]
    if not kept.keys() & set(labels):
        raise UsageError(
            f"The baseline {file} has none of these runs ({_join_names(labels)}), "
            f"but {_join_names(sorted(kept)) or 'no run'}; name another baseline, "
            "or take it again with --update-baseline."
        )
    return BaselineDiff(
        file,
        tuple(_diff_run(kept[one.label], one) for one in comparison.entrants if one.label in kept),
        tuple(label for label in sorted(kept) if label not in labels),
        tuple(label for label in labels if label not in kept),
    )


def _refuse_incomparable(then: BaselinePins, now: BaselinePins, file: str) -> None:
    if then.task != now.task:
        raise UsageError(f'The baseline {file} is of the task "{then.task}", not of "{now.task}"; name another one.')
    again = "so its figures cannot be compared; look at the new ones, then take it again with --update-baseline."
    if then.scorer != now.scorer:
        raise UsageError(
            f"The baseline {file} was scored by other rules (scorer {then.scorer}, now {now.scorer}), {again}"
        )
    if then.gold != now.gold:
        came, went = sorted(set(now.documents) - set(then.documents)), sorted(set(then.documents) - set(now.documents))
        what = (
            "; ".join([f"{_join_names(came)} came"] * bool(came) + [f"{_join_names(went)} went"] * bool(went))
            or "the same documents, other labels"
        )
        raise UsageError(f"The gold has changed since the baseline {file} was taken ({what}), {again}")
    if then.schema != now.schema:
        raise UsageError(f"The schema has changed since the baseline {file} was taken, {again}")


def _diff_run(then: BaselineRun, now: Entrant) -> RunDiff:
    worse: list[LeafChange] = []
    better: list[LeafChange] = []
    gone: Counter[str] = Counter()
    for leaves, run in zip(then.leaves, now.runs, strict=False):
        _collect_changes(leaves, run, worse, better, gone)
    prints = collect_fingerprints(now)
    changed = [
        (what, then.fingerprints.get(what, "not said"), prints.get(what, "not said"))
        for what in dict.fromkeys([*prints, *then.fingerprints])
    ]
    names = sorted(then.tallies.keys() & now.tallies.keys())
    return RunDiff(
        now.label,
        then.figures,
        {statistic: now.overall[statistic].value for statistic in Statistic},
        tuple(one for one in changed if one[1] != one[2]),
        compare_head_to_head([now.tallies[name] for name in names], [then.tallies[name] for name in names]),
        tuple(worse),
        tuple(better),
        dict(sorted(gone.items())),
    )


def _collect_changes(
    then: Mapping[str, IncorrectLeaves],
    run: ScoredRun,
    worse: list[LeafChange],
    better: list[LeafChange],
    gone: Counter[str],
) -> None:
    left = {name: {of: Counter(digests) for of, digests in one.invented.items()} for name, one in then.items()}
    for cell in run.cells:
        if cell.document not in then or cell.outcome is LeafOutcome.ABSENT:
            continue
        known = then[cell.document]
        if cell.outcome is LeafOutcome.INVENTED:
            waiting = left[cell.document].get(cell.field, Counter())
            if waiting[digest_value(cell.prediction)] > 0:
                waiting[digest_value(cell.prediction)] -= 1
                continue
            before = LeafOutcome.ABSENT
        elif cell.gold_path is None:
            continue
        else:
            before = known.outcomes.get(cell.gold_path, LeafOutcome.CORRECT)
        was, now = _is_error(before), _is_error(cell.outcome)
        if was != now:
            (worse if now else better).append(
                LeafChange(
                    run.label,
                    cell.document,
                    cell.field,
                    before,
                    cell.outcome,
                    cell.gold_path,
                    cell.path,
                    cell.gold,
                    cell.prediction,
                )
            )
    for fields in left.values():
        for of, waiting in fields.items():
            gone[of] += waiting.total()
    for of in [of for of, n in gone.items() if not n]:
        del gone[of]


def _is_error(outcome: LeafOutcome) -> bool:
    return outcome in (LeafOutcome.WRONG, LeafOutcome.OMITTED, LeafOutcome.INVENTED)


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
