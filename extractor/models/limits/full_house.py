"""Whether a refusal tells of a full house, or came by chance.

A full house refuses what is sent while so many are under way, and takes what is sent while fewer are. An endpoint that
refuses one in twenty whatever is under way does so at every number alike. Which of the two it is, the latest outcomes
tell, each with the number under way that it was sent at: the number that parts them best is looked for, and how much
better two shares, above and below it, explain them than one (a likelihood ratio). Nothing here is of a clock: a client
that is slow to hear of replies sees more under way than there are, and that only moves the number.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from enum import Enum
from itertools import pairwise

KEPT = 64
"""Outcomes that are looked at."""
PROOF = 4.0
"""Logarithm of how many times likelier two shares have to be than one; by chance few refusals come to it."""
MOST_BY_CHANCE = 0.3
"""The share of refusals that is still taken for chance, where it does not depend on the number under way."""


class Cause(Enum):
    """Why something was refused."""

    CHANCE = "chance"
    FULL = "full"
    """Proved: with fewer under way it is hardly refused."""
    PRESUMED_FULL = "presumed full"
    """Most is refused, or nothing is known yet."""


class Outcomes:
    """What came of the latest requests: "served" or a word for why not, each with the number that were under way."""

    def __init__(self) -> None:
        self._latest: deque[tuple[int, str]] = deque(maxlen=KEPT)

    def add(self, level: int, outcome: str) -> None:
        self._latest.append((level, outcome))

    def find_cause(self, level: int, outcome: str, held: Iterable[int]) -> Cause:
        """Why that came of a request that was sent as the last of `level` under way; it has been added. `held` are the
        numbers of what is still under way: it was not refused, or not yet."""
        told = ((at, what == outcome) for at, what in self._latest if what in ("served", outcome))
        came = sorted((*told, *((at, False) for at in held)))
        refused = sum(is_refused for _, is_refused in came)
        alike = _log_likelihood(refused, len(came))
        below = refused_below = 0
        for (at, is_refused), (next_at, _) in pairwise(came):
            below += 1
            refused_below += is_refused
            if next_at > level:
                break
            above, refused_above = len(came) - below, refused - refused_below
            if at == next_at or refused_above * below <= refused_below * above:
                continue
            apart = _log_likelihood(refused_below, below) + _log_likelihood(refused_above, above)
            if apart - alike >= PROOF:
                return Cause.FULL
        return Cause.CHANCE if refused <= MOST_BY_CHANCE * len(came) else Cause.PRESUMED_FULL


def _log_likelihood(refused: int, total: int) -> float:
    """Of so many refusals, if their share is what each was refused with."""
    shares = (refused / total, (total - refused) / total)
    return sum(share * total * math.log(share) for share in shares if share)
