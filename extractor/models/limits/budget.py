"""What a run may spend: requests, tokens, money. A request that could go beyond it is not sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.errors import BudgetSpent
from extractor.types import Usage


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """Bounds of one run; None is no bound. `price` is per million tokens, in and out, in any currency."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None
    price: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class TokenEstimate:
    """The most that a request is expected to take, in tokens; reserved for it until its reply reports its usage."""

    input_tokens: int
    output_tokens: int

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(slots=True)
class Budget:
    """Adds up what was spent and what is reserved for requests under way."""

    limits: BudgetLimits = field(default_factory=BudgetLimits)
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    """Reserved ones included; a reply that reports no usage counts as its estimate."""
    others: Sequence[Budget] = ()
    """Budgets of other models of the same run, whose bounds are bounds of all together; each has its own price."""
    saved: float = 0.0
    """Money that what was asked in batches costs less than by the price."""

    def fits(self, estimate: TokenEstimate, share: float = 1.0) -> bool:
        """Whether a request is within the bounds, which costs this share of the price."""
        return self._exceeded_limit(estimate, share) is None

    def add_batch(self, requests: int, tokens: TokenEstimate, share: float) -> None:
        """Adds what a batch took, or may take, at a share of the price; a negative amount takes it off again."""
        self.requests += requests
        self.input_tokens += tokens.input_tokens
        self.output_tokens += tokens.output_tokens
        self.saved += (1 - share) * self._compute_cost(tokens.input_tokens, tokens.output_tokens)

    def reserve(self, estimate: TokenEstimate) -> None:
        self.requests += 1
        self.input_tokens += estimate.input_tokens
        self.output_tokens += estimate.output_tokens

    def settle_reservation(self, estimate: TokenEstimate, took: Usage | None) -> None:
        """Replaces the reservation by what the request took; None where the reply reports no usage."""
        if took is None:
            return
        for name in ("input_tokens", "output_tokens"):
            reported = getattr(took, name)
            if reported is not None:
                setattr(self, name, getattr(self, name) - getattr(estimate, name) + reported)

    def budget_spent_error(self, estimate: TokenEstimate) -> BudgetSpent:
        """The error that names the bound that the request would exceed."""
        return BudgetSpent(
            f"{self._exceeded_limit(estimate)}; what is finished is kept, and a later run goes on from there."
        )

    def _exceeded_limit(self, estimate: TokenEstimate, share: float = 1.0) -> str | None:
        limits, every = self.limits, (self, *self.others)
        if limits.requests is not None and sum(one.requests for one in every) >= limits.requests:
            return f"The run has sent the {limits.requests:,} requests that --max-requests allows"
        tokens = sum(one.input_tokens + one.output_tokens for one in every)
        if limits.tokens is not None and tokens + estimate.total_tokens > limits.tokens:
            return (
                f"The next request may take {estimate.total_tokens:,} tokens, "
                f"and of the {limits.tokens:,} that --max-tokens allows {tokens:,} are spent"
            )
        if limits.cost is not None:
            cost = sum(one._compute_cost(one.input_tokens, one.output_tokens) - one.saved for one in every)
            more = share * self._compute_cost(estimate.input_tokens, estimate.output_tokens)
            if cost + more > limits.cost:
                return (
                    f"The next request may cost {more:.6g}, and of the {limits.cost:g} that --max-cost allows "
                    f"{cost:.6g} is spent"
                )
        return None

    def _compute_cost(self, input_tokens: int, output_tokens: int) -> float:
        come, go = self.limits.price
        return (input_tokens * come + output_tokens * go) / 1_000_000


def share_budgets(budgets: Sequence[Budget]) -> None:
    """Makes the bounds of each hold over all of them."""
    for one in budgets:
        one.others = [other for other in budgets if other is not one]
