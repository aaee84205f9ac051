"""Whether an evaluation passes: the one judgement that the exit code and every report repeat.

A gate looks at every run, or at those that are named. Each says in one sentence what it asked and what it found. That
anything was scored at all is a gate of its own and always on: a comparison of nothing must not be green.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from extractor.errors import UsageError
from extractor.evaluation.analysis import resampling
from extractor.evaluation.analysis.comparison import Comparison
from extractor.evaluation.analysis.diff import Diff, Shift
from extractor.evaluation.analysis.metrics import Entrant, Statistic, total

_CLOSE = 1e-9
"""Figures of a baseline are kept with nine digits; a smaller drop is none."""


@dataclass(frozen=True, slots=True)
class Gates:
    """What is asked of a run. Raises UsageError for a bound that cannot be meant."""

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
    """How much less than in the baseline the statistic may be; asked only when there is a baseline."""
    baseline_statistic: Statistic | None = None
    """The figure that is held against the baseline; None: `statistic`."""
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
class Gate:
    """One thing asked of one run."""

    name: str
    """What is asked, in few words: "micro F1 >= 0.8", "invented <= 3: tags[]"."""
    run: str
    passed: bool
    message: str
    """One sentence with the figures."""


@dataclass(frozen=True, slots=True)
class Verdict:
    gates: tuple[Gate, ...]
    notices: tuple[str, ...] = ()
    """What a reader must know of the figures, and no gate asked for."""

    @property
    def failed(self) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if not gate.passed)

    @property
    def passed(self) -> bool:
        return bool(self.gates) and not self.failed

    @property
    def exit_code(self) -> int:
        return 0 if self.passed else 1

    @property
    def sentence(self) -> str:
        if self.passed:
            return f"Passed: {_many(len(self.gates), 'gate holds', 'gates hold')}."
        return f"Failed: {len(self.failed)} of {_many(len(self.gates), 'gate', 'gates')}."


def judge(comparison: Comparison, gates: Gates | None = None, diff: Diff | None = None) -> Verdict:
    """Raises UsageError when a gate names a field or a run that nobody has."""
    gates = gates or Gates()
    known = dict.fromkeys(name for one in comparison.entrants for name in one.fields)
    for name in [*gates.fail_under_fields, *gates.max_invented_fields]:
        if name not in known:
            near = get_close_matches(name, known, 3, 0.4) or list(known)[:5]
            hint = f"; did you mean {' or '.join(near)}?" if near else "; nothing was scored."
            raise UsageError(f'No run and no gold has a field "{name}"{hint}')
    judged = [comparison.entrant(label) for label in dict.fromkeys(gates.runs)] or list(comparison.entrants)
    shifts = {shift.label: shift for shift in diff.shifts} if diff else {}
    found = [gate for one in judged for gate in _gates(one, gates, shifts.get(one.label))]
    return Verdict(tuple(found), tuple(_notices(comparison, diff)))


def _gates(run: Entrant, gates: Gates, shift: Shift | None) -> Iterator[Gate]:
    yield _scored(run)
    if gates.fail_under is not None:
        value = run.all[gates.statistic].value
        yield _least(run.label, gates.statistic, "", value, gates.fail_under)
    for name, bound in gates.fail_under_fields.items():
        tallies = run.fields.get(name, {})
        value = resampling.ratio([gates.statistic.part(tallies[document]) for document in sorted(tallies)])
        yield _least(run.label, gates.statistic, name, value, bound)
    if gates.max_invented is not None:
        yield _most(run.label, "", run.all.tally.invented, gates.max_invented)
    for name, most in gates.max_invented_fields.items():
        yield _most(run.label, name, total(run.fields.get(name, {}).values()).invented, most)
    if gates.max_failed is not None:
        n = len(run.undone)
        said = f"{_many(n, 'document', 'documents')} of {run.label} failed or missing, {{}} {gates.max_failed} allowed."
        passed = n <= gates.max_failed
        yield Gate(f"failed documents <= {gates.max_failed}", run.label, passed, said.format(_over(passed)))
    if shift is not None:
        yield _held(shift, gates)


def _scored(run: Entrant) -> Gate:
    documents, scored = len(run.tallies), run.all.tally.predicted + run.all.tally.support
    name = "something was scored"
    if not documents:
        return Gate(name, run.label, False, f"{run.label} has no document to score.")
    if not run.completed.documents:
        said = f"None of {_many(documents, 'document', 'documents')} of {run.label} was completed."
        return Gate(name, run.label, False, said)
    if not scored:
        return Gate(name, run.label, False, f"Neither gold nor {run.label} holds a leaf that can be scored.")
    leaves = _many(run.all.tally.support, "gold leaf", "gold leaves")
    return Gate(name, run.label, True, f"{run.label} was scored on {leaves} of {_many(documents, *_DOCUMENTS)}.")


def _least(run: str, statistic: Statistic, name: str, value: float | None, bound: float) -> Gate:
    what = f"{statistic.words} >= {bound:g}" + (f": {name}" if name else "")
    of = f'the field "{name}" of {run}' if name else run
    if value is None:
        return Gate(what, run, False, f"{_first(statistic.words)} of {of} has nothing to be computed from.")
    passed = value >= bound
    found, asked = _told_apart(value, bound)
    where = "at or above" if passed else "below"
    said = f"{_first(statistic.words)} of {of} is {found}, {where} the {asked} asked for."
    return Gate(what, run, passed, said)


def _most(run: str, name: str, found: int, most: int) -> Gate:
    passed = found <= most
    of = f'{_many(found, "leaf", "leaves")} of the field "{name}"' if name else _many(found, "leaf", "leaves")
    said = f"{run} invented {of}, {_over(passed)} {most} allowed."
    return Gate(f"invented <= {most}" + (f": {name}" if name else ""), run, passed, said)


def _held(shift: Shift, gates: Gates) -> Gate:
    statistic = gates.baseline_statistic or gates.statistic
    name = f"{statistic.words} drops <= {gates.allowed_drop:g}"
    before, now, gap = shift.before.get(statistic), shift.now[statistic], shift.difference(statistic)
    if before is None:
        return Gate(name, shift.label, True, f"The baseline has no {statistic.words} of {shift.label} to hold on to.")
    if now is None or gap is None:
        return Gate(
            name, shift.label, False, f"{_first(statistic.words)} of {shift.label} has nothing to be computed from."
        )
    passed = -gap <= gates.allowed_drop + _CLOSE
    how = "fell" if gap < -_CLOSE else "rose" if gap > _CLOSE else "stayed"
    from_to = f"at {now:.3f}" if how == "stayed" else f"from {before:.3f} to {now:.3f}"
    allowed = f"{_over(passed)} the {gates.allowed_drop:.3f} allowed" if how == "fell" else "as asked"
    documents = f"better on {_many(shift.match.wins, *_DOCUMENTS)}, worse on {shift.match.losses}"
    said = f"{_first(statistic.words)} of {shift.label} {how} {from_to}, {allowed} ({documents})."
    return Gate(name, shift.label, passed, said)


def _notices(comparison: Comparison, diff: Diff | None) -> Iterator[str]:
    for one in comparison.entrants:
        graded = [document for run in one.runs for document in run.documents]
        whole = _many(len(graded), *(("result", "results") if len(one.runs) > 1 else _DOCUMENTS))
        for state in ("missing", "failed"):
            names = [document.document for document in graded if document.status == state]
            if names:
                how = "failed" if state == "failed" else "is missing" if len(names) == 1 else "are missing"
                cost = "costs all of its leaves" if len(names) == 1 else "cost all of their leaves"
                said = _listed(list(dict.fromkeys(names)))
                yield f"{one.label}: {len(names)} of {whole} {how} and {cost} ({said})."
    if diff is None:
        return
    for what in dict.fromkeys(what for shift in diff.shifts for what, _, _ in shift.changed):
        names = [shift.label for shift in diff.shifts if any(one[0] == what for one in shift.changed)]
        yield f"Another {what} than in the baseline: {_listed(names)}."
    if diff.absent:
        yield f"The baseline {diff.file} has runs that are not here: {_listed(diff.absent)}."
    if diff.added:
        yield f"These runs are not in the baseline {diff.file}: {_listed(diff.added)}."


_DOCUMENTS = ("document", "documents")


def _many(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def _over(passed: bool) -> str:
    return "within" if passed else "over"


def _first(words: str) -> str:
    return words[:1].upper() + words[1:]


def _told_apart(value: float, bound: float) -> tuple[str, str]:
    """Both with three digits, or with as many as it takes to tell them apart: not "0.800 is below 0.800"."""
    spelled = [(f"{value:.{n}f}", f"{bound:.{n}f}") for n in (3, 4, 5, 6)]
    return next((both for both in spelled if both[0] != both[1]), spelled[0])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
