"""What changed since a baseline: leaves that are newly right or newly wrong, run by run.

Figures of another gold, schema, task or scorer are no measure of a run, so comparing with them is refused. Another
prompt or model is what a comparison is for: it is said, not refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from extractor.errors import UsageError
from extractor.evaluation.analysis.baseline import Baseline, Kept, Leaves, Pins, digest, fingerprints
from extractor.evaluation.analysis.comparison import Comparison, Match, match
from extractor.evaluation.analysis.metrics import Entrant, Statistic
from extractor.evaluation.scoring.outcomes import Outcome, Run
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class Change:
    """A leaf that was right and is not any more, or the reverse."""

    run: str
    """Label of the run itself, so that a repeat is told."""
    document: str
    field: str
    before: Outcome
    now: Outcome
    gold_path: str | None
    path: str | None
    gold: Json = None
    prediction: Json = None


@dataclass(frozen=True, slots=True)
class Shift:
    """One entrant now and in the baseline."""

    label: str
    before: Mapping[Statistic, float | None]
    now: Mapping[Statistic, float | None]
    changed: tuple[tuple[str, str, str], ...]
    """(what, before, now) of the fingerprints of model, prompt and others that differ."""
    match: Match
    """By documents; a win is a document that is better now."""
    worse: tuple[Change, ...]
    better: tuple[Change, ...]
    gone: Mapping[str, int]
    """Field -> invented values of the baseline that are not there any more."""

    def difference(self, statistic: Statistic) -> float | None:
        """Now - before."""
        now, before = self.now[statistic], self.before.get(statistic)
        return None if now is None or before is None else now - before


@dataclass(frozen=True, slots=True)
class Diff:
    file: str
    shifts: tuple[Shift, ...]
    absent: tuple[str, ...]
    """Labels of the baseline that no run has now."""
    added: tuple[str, ...]
    """Labels that the baseline does not have."""


def since(baseline: Baseline, comparison: Comparison, pins: Pins, file: str = "baseline") -> Diff:
    """What changed since. Raises UsageError when the two cannot be compared; `file` names the baseline in messages."""
    _refuse(baseline.pins, pins, file)
    kept = {run.label: run for run in baseline.runs}
    labels = [one.label for one in comparison.entrants]
    if not kept.keys() & set(labels):
        raise UsageError(
            f"The baseline {file} has none of these runs ({_listed(labels)}), but {_listed(sorted(kept)) or 'no run'}; "
            f"name another baseline, or take it again with --update-baseline."
        )
    return Diff(
        file,
        tuple(_shift(kept[one.label], one) for one in comparison.entrants if one.label in kept),
        tuple(label for label in sorted(kept) if label not in labels),
        tuple(label for label in labels if label not in kept),
    )


def _refuse(then: Pins, now: Pins, file: str) -> None:
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
            "; ".join([f"{_listed(came)} came"] * bool(came) + [f"{_listed(went)} went"] * bool(went))
            or "the same documents, other labels"
        )
        raise UsageError(f"The gold has changed since the baseline {file} was taken ({what}), {again}")
    if then.schema != now.schema:
        raise UsageError(f"The schema has changed since the baseline {file} was taken, {again}")


def _shift(then: Kept, now: Entrant) -> Shift:
    worse: list[Change] = []
    better: list[Change] = []
    gone: Counter[str] = Counter()
    for leaves, run in zip(then.leaves, now.runs, strict=False):
        _changes(leaves, run, worse, better, gone)
    prints = fingerprints(now)
    changed = [
        (what, then.fingerprints.get(what, "not said"), prints.get(what, "not said"))
        for what in dict.fromkeys([*prints, *then.fingerprints])
    ]
    names = sorted(then.tallies.keys() & now.tallies.keys())
    return Shift(
        now.label,
        then.figures,
        {statistic: now.all[statistic].value for statistic in Statistic},
        tuple(one for one in changed if one[1] != one[2]),
        match([now.tallies[name] for name in names], [then.tallies[name] for name in names]),
        tuple(worse),
        tuple(better),
        dict(sorted(gone.items())),
    )


def _changes(
    then: Mapping[str, Leaves], run: Run, worse: list[Change], better: list[Change], gone: Counter[str]
) -> None:
    left = {name: {of: Counter(told) for of, told in one.invented.items()} for name, one in then.items()}
    for cell in run.cells:
        if cell.document not in then or cell.outcome is Outcome.ABSENT:
            continue
        known = then[cell.document]
        if cell.outcome is Outcome.INVENTED:
            waiting = left[cell.document].get(cell.field, Counter())
            if waiting[digest(cell.prediction)] > 0:
                waiting[digest(cell.prediction)] -= 1
                continue
            before = Outcome.ABSENT
        elif cell.gold_path is None:
            continue
        else:
            before = known.outcomes.get(cell.gold_path, Outcome.CORRECT)
        was, now = _bad(before), _bad(cell.outcome)
        if was != now:
            (worse if now else better).append(
                Change(
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


def _bad(outcome: Outcome) -> bool:
    return outcome in (Outcome.WRONG, Outcome.OMITTED, Outcome.INVENTED)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
