"""A race of plans on gold: which way of asking is better, for a part of the calls that trying all would take.

Successive halving (Karnin, Koren & Somekh 2013; Jamieson & Talwalkar 2016): all plans are asked about a few documents,
the better half about more, until few are left that are asked about all. The plan that is in use runs to the end, too,
since that is what another must be better than.

Whoever wins of many has had luck as well: p of a pair is multiplied by the number of plans that it could have been
(Bonferroni), those that were dropped on the way among them, and the rest of the claim is that of `comparison`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from extractor.evaluation.analysis.comparison import Comparison, RunPair, compare_runs
from extractor.evaluation.analysis.findings import tell_pair
from extractor.evaluation.scoring.outcomes import ScoredRun, tally_cells

FINALISTS = 3
"""Plans that are asked about all documents, at most, beside the one in use."""
LEAST_DOCUMENTS = 3
"""Documents of the first round: fewer say next to nothing of the next."""

Ask = Callable[[str, Sequence[str]], Awaitable[ScoredRun]]
"""Asks a plan, by its label, about documents, by their names, and scores what came of it; what was asked in a round
before is not asked again."""


@dataclass(frozen=True, slots=True)
class Round:
    """How many plans are asked about how many documents, those of the rounds before among them."""

    plans: int
    documents: int


@dataclass(frozen=True, slots=True)
class RoundResult:
    """A round, as it went: each plan with its figure, the best first, and those that went on."""

    documents: int
    figures: tuple[tuple[str, float | None], ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RaceResult:
    """What a race came to. `present` is the plan in use."""

    present: str
    plans: int
    rounds: tuple[RoundResult, ...]
    comparison: Comparison
    """Of the plans that were asked about all documents, with p for all that could have been among them."""
    runs: tuple[ScoredRun, ...]
    """Of every plan, about as many documents as it was asked."""

    @property
    def leader(self) -> str:
        return self.comparison.entrants[0].label

    @property
    def level(self) -> tuple[str, ...]:
        """The plans that cannot be told apart from the leader, it among them, the best first."""
        better = {pair.b for pair in self.comparison.pairs if pair.a == self.leader and pair.is_separable}
        return tuple(one.label for one in self.comparison.entrants if one.label not in better)

    @property
    def chosen(self) -> str | None:
        """The plan to take: the leader, where it is better than the one in use; None where that can't be told."""
        return None if self.present in self.level else self.leader

    @property
    def calls(self) -> int:
        """Calls that were made."""
        return sum(document.requests or 0 for run in self.runs for document in run.documents)

    def describe(self) -> list[str]:
        """The verdict in sentences."""
        words = self.comparison.statistic.display_name
        lines = [tell_pair(pair, words) for pair in self.comparison.pairs if pair.a == self.leader]
        if self.leader == self.present and not lines:
            return [f"There is nothing to compare {self.present} with."]
        others = [label for label in self.level if label != self.leader]
        if self.leader == self.present and others:
            lines.append(f"Can't tell that any plan is better than the present one, {self.present}, which leads.")
        elif self.leader == self.present:
            lines.append(f"The present plan, {self.present}, is better than all that were left.")
        elif self.chosen is None:
            lines.append(
                f"Can't tell whether {self.leader} is better than the present plan, {self.present}: keep that."
            )
        elif others:
            lines.append(f"{self.leader} is better than the present plan; can't tell it from {', '.join(others)}.")
        else:
            lines.append(f"{self.leader} is better than the present plan and all others that were left.")
        return lines


def plan_rounds(plans: int, documents: int) -> list[Round]:
    """The rounds of a race: plans are halved and documents doubled, until so few plans are left that all documents are
    asked about."""
    counts = [plans]
    while counts[-1] > FINALISTS:
        counts.append(math.ceil(counts[-1] / 2))
    last = len(counts) - 1
    return [
        Round(count, min(documents, max(LEAST_DOCUMENTS, math.ceil(documents / 2 ** (last - number)))))
        for number, count in enumerate(counts)
    ]


async def run_race(plans: Sequence[str], documents: Sequence[str], ask: Ask, *, seed: int = 0) -> RaceResult:
    """The race of plans, by their labels; the first one is the plan in use."""
    order = sorted(documents)
    random.Random(f"{seed}:race:{len(order)}").shuffle(order)  # noqa: S311 (an order, not a secret)
    left, rounds, runs = list(plans), list[RoundResult](), dict[str, ScoredRun]()
    schedule = plan_rounds(len(plans), len(order))
    for number, planned in enumerate(schedule):
        asked = order[: planned.documents]
        for label in left:
            runs[label] = replace(await ask(label, asked), label=label)
        figures = _rank([runs[label] for label in left])
        following = schedule[number + 1].plans if number + 1 < len(schedule) else len(left)
        kept = [label for label, _ in figures][:following]
        left = [label for label in left if label in kept or label == plans[0]]
        rounds.append(RoundResult(planned.documents, figures, tuple(left)))
    final = compare_runs([runs[label] for label in left], seed=seed)
    family = max(1, len(plans) - 1)
    pairs = tuple(_adjust(pair, family) for pair in final.pairs)
    return RaceResult(plans[0], len(plans), tuple(rounds), replace(final, pairs=pairs), tuple(runs.values()))


def _rank(runs: Sequence[ScoredRun]) -> tuple[tuple[str, float | None], ...]:
    """Runs about the same documents with their F1, the best first; of equals those that were named first."""
    figures = [(run.label, tally_cells(run.cells).f1) for run in runs]
    return tuple(sorted(figures, key=lambda one: -1.0 if one[1] is None else one[1], reverse=True))


def _adjust(pair: RunPair, family: int) -> RunPair:
    return replace(pair, adjusted=None if pair.p is None else min(1.0, pair.p * family))
