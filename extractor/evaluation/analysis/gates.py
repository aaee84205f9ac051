"""Whether an evaluation passes: the one judgement that the exit code and every report repeat.

A gate checks every run, or those that are named, and describes in one sentence its bound and what it found. That
anything was scored at all is a gate of its own and always on: a comparison of nothing must not be green.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from extractor.errors import UsageError
from extractor.evaluation.analysis.comparison import Comparison
from extractor.evaluation.analysis.diff import BaselineDiff, RunDiff
from extractor.evaluation.analysis.metrics import Entrant, Statistic, sum_tallies
from extractor.evaluation.analysis.resampling import divide_sums

_ROUNDING_TOLERANCE = 1e-9
"""Figures of a baseline are kept with nine digits; a smaller drop is none."""


@dataclass(frozen=True, slots=True)
class GateBounds:
    """The bounds that a run must keep. Raises UsageError for a bound that makes no sense."""

    fail_under: float | None = None
    """The least that `statistic` must be, over everything."""
    statistic: Statistic = Statistic.MICRO_F1
    fail_under_fields: Mapping[str, float] = field(default_factory=dict)
    """Field -> the least that `statistic` must be for its leaves."""
    max_invented: int | None = None
    """How many leaves may be invented, over everything (each repeat counted)."""
    max_invented_fields: Mapping[str, int] = field(default_factory=dict)
    max_failed: int | None = None
    """How many documents may have failed or be missing."""
    allowed_drop: float = 0.0
    """How much less than in the baseline the statistic may be; checked only when there is a baseline."""
    baseline_statistic: Statistic | None = None
    """The figure that is compared with the baseline; None: `statistic`."""
    runs: tuple[str, ...] = ()
    """Labels of the runs that must pass; empty: all."""

    def __post_init__(self) -> None:
        shares = {"The bound to fail under": self.fail_under, "The allowed drop": self.allowed_drop}
        shares |= {
            f'The bound to fail under of the field "{of}"': bound for of, bound in self.fail_under_fields.items()
        }
        for what, share in shares.items():
            if share is not None and not 0 <= share <= 1:
                raise UsageError(f"{what} is {share:g}; write a share from 0 to 1, such as 0.8.")
        counts = {"invented leaves": self.max_invented, "failed documents": self.max_failed}
        counts |= {f'invented leaves of the field "{of}"': most for of, most in self.max_invented_fields.items()}
        for what, most in counts.items():
            if most is not None and most < 0:
                raise UsageError(f"The largest number of {what} is {most}; write 0 or more.")


@dataclass(frozen=True, slots=True)
class GateResult:
    """One bound on one run."""

    name: str
    """The bound in a few words: "micro F1 >= 0.8", "invented <= 3: tags[]"."""
    run: str
    passed: bool
    message: str
    """One sentence with the figures."""


@dataclass(frozen=True, slots=True)
class Verdict:
    gates: tuple[GateResult, ...]
    notices: tuple[str, ...] = ()
    """Sentences that a reader of the figures must know and no gate covers."""

    @property
    def failed_gates(self) -> tuple[GateResult, ...]:
        return tuple(gate for gate in self.gates if not gate.passed)

    @property
    def passed(self) -> bool:
        return bool(self.gates) and not self.failed_gates

    @property
    def exit_code(self) -> int:
        return 0 if self.passed else 1

    @property
    def sentence(self) -> str:
        if self.passed:
            return f"Passed: {_count_noun(len(self.gates), 'gate holds', 'gates hold')}."
        return f"Failed: {len(self.failed_gates)} of {_count_noun(len(self.gates), 'gate', 'gates')}."


def judge_comparison(
    comparison: Comparison, gates: GateBounds | None = None, diff: BaselineDiff | None = None
) -> Verdict:
    """Raises UsageError when a gate names a field or a run that nobody has."""
    gates = gates or GateBounds()
    known = dict.fromkeys(name for one in comparison.entrants for name in one.fields)
    for name in [*gates.fail_under_fields, *gates.max_invented_fields]:
        if name not in known:
            near = get_close_matches(name, known, 3, 0.4) or list(known)[:5]
            hint = f"; did you mean {' or '.join(near)}?" if near else "; nothing was scored."
            raise UsageError(f'No run and no gold has a field "{name}"{hint}')
    judged = [comparison.find_entrant(label) for label in dict.fromkeys(gates.runs)] or list(comparison.entrants)
    shifts = {shift.label: shift for shift in diff.run_diffs} if diff else {}
    found = [gate for one in judged for gate in _apply_gates(one, gates, shifts.get(one.label))]
    return Verdict(tuple(found), tuple(_write_notices(comparison, diff)))


def _apply_gates(run: Entrant, gates: GateBounds, shift: RunDiff | None) -> Iterator[GateResult]:
    yield _check_scored(run)
    if gates.fail_under is not None:
        value = run.overall[gates.statistic].value
        yield _check_minimum(run.label, gates.statistic, "", value, gates.fail_under)
    for name, bound in gates.fail_under_fields.items():
        tallies = run.fields.get(name, {})
        value = divide_sums([gates.statistic.ratio_part(tallies[document]) for document in sorted(tallies)])
        yield _check_minimum(run.label, gates.statistic, name, value, bound)
    if gates.max_invented is not None:
        yield _check_invented(run.label, "", run.overall.tally.invented, gates.max_invented)
    for name, most in gates.max_invented_fields.items():
        yield _check_invented(run.label, name, sum_tallies(run.fields.get(name, {}).values()).invented, most)
    if gates.max_failed is not None:
        n = len(run.undone)
        missing = _count_noun(n, "document", "documents")
        sentence = f"{missing} of {run.label} failed or missing, {{}} {gates.max_failed} allowed."
        passed = n <= gates.max_failed
        yield GateResult(
            f"failed documents <= {gates.max_failed}", run.label, passed, sentence.format(_within_or_over(passed))
        )
    if shift is not None:
        yield _check_baseline(shift, gates)


def _check_scored(run: Entrant) -> GateResult:
    documents, scored = len(run.tallies), run.overall.tally.predicted_count + run.overall.tally.gold_count
    name = "something was scored"
    if not documents:
        return GateResult(name, run.label, False, f"{run.label} has no document to score.")
    if not run.completed.documents:
        sentence = f"None of {_count_noun(documents, 'document', 'documents')} of {run.label} was completed."
        return GateResult(name, run.label, False, sentence)
    if not scored:
        return GateResult(name, run.label, False, f"Neither gold nor {run.label} holds a leaf that can be scored.")
    leaves = _count_noun(run.overall.tally.gold_count, "gold leaf", "gold leaves")
    return GateResult(
        name, run.label, True, f"{run.label} was scored on {leaves} of {_count_noun(documents, *_DOCUMENTS)}."
    )


def _check_minimum(run: str, statistic: Statistic, name: str, value: float | None, bound: float) -> GateResult:
    what = f"{statistic.display_name} >= {bound:g}" + (f": {name}" if name else "")
    of = f'the field "{name}" of {run}' if name else run
    if value is None:
        return GateResult(
            what, run, False, f"{_capitalise_first(statistic.display_name)} of {of} has nothing to be computed from."
        )
    passed = value >= bound
    found, wanted = _format_distinctly(value, bound)
    where = "at or above" if passed else "below"
    sentence = f"{_capitalise_first(statistic.display_name)} of {of} is {found}, {where} the {wanted} asked for."
    return GateResult(what, run, passed, sentence)


def _check_invented(run: str, name: str, found: int, most: int) -> GateResult:
    passed = found <= most
    of = (
        f'{_count_noun(found, "leaf", "leaves")} of the field "{name}"'
        if name
        else _count_noun(found, "leaf", "leaves")
    )
    sentence = f"{run} invented {of}, {_within_or_over(passed)} {most} allowed."
    return GateResult(f"invented <= {most}" + (f": {name}" if name else ""), run, passed, sentence)


def _check_baseline(shift: RunDiff, gates: GateBounds) -> GateResult:
    statistic = gates.baseline_statistic or gates.statistic
    name = f"{statistic.display_name} drops <= {gates.allowed_drop:g}"
    before, now, gap = shift.before.get(statistic), shift.now[statistic], shift.statistic_change(statistic)
    if before is None:
        return GateResult(
            name, shift.label, True, f"The baseline has no {statistic.display_name} of {shift.label} to hold on to."
        )
    if now is None or gap is None:
        return GateResult(
            name,
            shift.label,
            False,
            f"{_capitalise_first(statistic.display_name)} of {shift.label} has nothing to be computed from.",
        )
    passed = -gap <= gates.allowed_drop + _ROUNDING_TOLERANCE
    how = "fell" if gap < -_ROUNDING_TOLERANCE else "rose" if gap > _ROUNDING_TOLERANCE else "stayed"
    from_to = f"at {now:.3f}" if how == "stayed" else f"from {before:.3f} to {now:.3f}"
    allowed = f"{_within_or_over(passed)} the {gates.allowed_drop:.3f} allowed" if how == "fell" else "as asked"
    documents = f"better on {_count_noun(shift.head_to_head.wins, *_DOCUMENTS)}, worse on {shift.head_to_head.losses}"
    sentence = f"{_capitalise_first(statistic.display_name)} of {shift.label} {how} {from_to}, {allowed} ({documents})."
    return GateResult(name, shift.label, passed, sentence)


def _write_notices(comparison: Comparison, diff: BaselineDiff | None) -> Iterator[str]:
    for one in comparison.entrants:
        graded = [document for run in one.runs for document in run.documents]
        whole = _count_noun(len(graded), *(("result", "results") if len(one.runs) > 1 else _DOCUMENTS))
        for state in ("missing", "failed"):
            names = [document.document for document in graded if document.status == state]
            if names:
                how = "failed" if state == "failed" else "is missing" if len(names) == 1 else "are missing"
                cost = "costs all of its leaves" if len(names) == 1 else "cost all of their leaves"
                listed = _join_names(list(dict.fromkeys(names)))
                yield f"{one.label}: {len(names)} of {whole} {how} and {cost} ({listed})."
    if diff is None:
        return
    for what in dict.fromkeys(what for shift in diff.run_diffs for what, _, _ in shift.changed_fingerprints):
        names = [shift.label for shift in diff.run_diffs if any(one[0] == what for one in shift.changed_fingerprints)]
        yield f"Another {what} than in the baseline: {_join_names(names)}."
    if diff.absent_labels:
        yield f"The baseline {diff.file} has runs that are not here: {_join_names(diff.absent_labels)}."
    if diff.added_labels:
        yield f"These runs are not in the baseline {diff.file}: {_join_names(diff.added_labels)}."


_DOCUMENTS = ("document", "documents")


def _count_noun(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def _within_or_over(passed: bool) -> str:
    return "within" if passed else "over"


def _capitalise_first(words: str) -> str:
    return words[:1].upper() + words[1:]


def _format_distinctly(value: float, bound: float) -> tuple[str, str]:
    """Both with three digits, or with as many as it takes to tell them apart: not "0.800 is below 0.800"."""
    spelled = [(f"{value:.{n}f}", f"{bound:.{n}f}") for n in (3, 4, 5, 6)]
    return next((both for both in spelled if both[0] != both[1]), spelled[0])


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
