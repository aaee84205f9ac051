"""What the processes of one run share, wherever they are: the leave to send requests, and replies that were paid for.

One process has the bounds of the run and the file of its replies, and lends to the others: for each request a lease,
which sets aside the most that the request may take, until it is said what it took. What a process that is lost does not
say counts as it was set aside, so that a bound of the run is never exceeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from extractor.models.limits.budget import Budget, TokenEstimate
from extractor.models.limits.concurrency import ConcurrencyLimiter, SendPermit
from extractor.types import Json, Usage


class RunShare(Protocol):
    """What a process of a run is lent by the one that has it."""

    needs_leases: bool
    """Whether the run has bounds: on requests, tokens, money, or how many of them a minute."""
    keeps_replies: bool
    place: str
    """Where the replies are, for people."""

    async def take_lease(self, estimate: TokenEstimate) -> int:
        """Waits for the leave to send one request; its number. Raises BudgetSpent, and ModelError where the lender is
        gone."""
        ...

    def settle_lease(self, lease: int, took: Usage | None) -> None:
        """Says what the request took; None when nobody knows."""

    async def find_reply(self, key: str) -> Mapping[str, Json] | None:
        """What is kept under the key, as `ReplyCache.get` has it. Raises OSError or ValueError."""
        ...

    async def keep_reply(self, key: str, value: Mapping[str, Json]) -> None:
        """Keeps what `find_reply` gives. Raises OSError or ValueError."""
        ...

    async def forget_reply(self, key: str) -> None:
        """Keeps it no longer. Raises OSError or ValueError."""
        ...

    async def aclose(self) -> None: ...


class _LeasedBudget(Budget):
    """Tells the lender what requests took; what may be spent is the lender's affair."""

    def __init__(self, share: RunShare) -> None:
        super().__init__()
        self._share = share
        self.leases: dict[int, int] = {}
        """By the identity of the estimate that each permit has as its own."""

    def settle_reservation(self, estimate: TokenEstimate, took: Usage | None) -> None:
        if (lease := self.leases.pop(id(estimate), None)) is not None:
            self._share.settle_lease(lease, took)


class LeasingLimiter(ConcurrencyLimiter):
    """The requests of one process of a run: so many at a time as its endpoint takes, each with a lease of the run's."""

    def __init__(self, most: int, share: RunShare) -> None:
        self._share, self._leased = share, _LeasedBudget(share)
        super().__init__(most, budget=self._leased)

    async def acquire(self, estimate: TokenEstimate, *, again: bool = False) -> SendPermit:
        """As the class above, and then for the lease: a request that waits for that is not sent late any more."""
        if not self._share.needs_leases:
            return await super().acquire(estimate, again=again)
        own = replace(estimate)
        permit = await super().acquire(own, again=again)
        try:
            self._leased.leases[id(own)] = await self._share.take_lease(estimate)
        except BaseException:
            self.record_failure(permit, Usage())  # nothing was sent
            raise
        return permit
