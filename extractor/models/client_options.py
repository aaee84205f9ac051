"""How a run deals with what answers it, whatever it asks: how fast, for how much, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from extractor.errors import UsageError
from extractor.models.choice import ModelSpec
from extractor.models.limits.budget import BudgetLimits
from extractor.models.prices import PriceList, load_prices


class Mode(StrEnum):
    LIVE = "live"
    RECORD = "record"
    """Every exchange anew."""
    UPDATE = "update"
    """What the cassette lacks; what it has and is still asked stays, and the rest goes."""
    REPLAY = "replay"

    @property
    def records(self) -> bool:
        """Whether cassettes are written."""
        return self in (Mode.RECORD, Mode.UPDATE)


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a run deals with what answers it, whatever it asks."""

    mode: Mode = Mode.LIVE
    cassettes: Path = Path("cassettes")
    """Folder of the recorded exchanges, which are written or played in the other modes."""
    concurrency: int | None = None
    """Requests under way at most, of an embedded model documents; None: 8, or 1 of an embedded one."""
    rpm: float | None = None
    tpm: float | None = None
    limits: BudgetLimits = field(default_factory=BudgetLimits)
    prices: PriceList | None = None
    """Where the price of what is asked is looked up, for a bound on cost; None: in the list that ships."""
    cache: Path | None = None
    """Folder of the paid replies; None: none are kept."""
    uses_default_cache: bool = False
    """Where `cache` names none, the replies of an endpoint are kept in the user's cache folder."""
    use_proxy: bool = False
    verbose: bool = False
    """Whether an embedded engine's own log is shown."""
    note: Callable[[str], None] = lambda text: None
    """Is told what a user should know of, in one sentence each."""


def settle_options(options: ClientOptions, choice: ModelSpec) -> ClientOptions:
    """The options, with what the model's own settings say where they say nothing.

    Raises UsageError for a bound on cost where nobody knows what the model costs.
    """
    said, limits = choice.settings, options.limits
    cost = limits.cost or said.max_cost
    return replace(
        options,
        rpm=options.rpm or said.rpm,
        tpm=options.tpm or said.tpm,
        limits=BudgetLimits(
            limits.requests or said.max_requests,
            limits.tokens or said.max_run_tokens,
            cost,
            (0.0, 0.0) if cost is None else _find_bounding_price(options, choice),
        ),
    )


def _find_bounding_price(options: ClientOptions, choice: ModelSpec) -> tuple[float, float]:
    """The most that a million tokens of the model cost."""
    if options.limits.price != (0.0, 0.0):
        return options.limits.price
    if choice.settings.price is not None:
        return choice.settings.price
    prices = options.prices or load_prices()
    found = (0.0, 0.0) if choice.is_embedded else prices.find_highest_price(choice.name, choice.base_url)
    if found is None:
        raise UsageError(
            f"What {choice.name} costs is not known, so that --max-cost cannot be held; add --price=IN,OUT, "
            "of a million tokens."
        )
    return found[0], found[1]
