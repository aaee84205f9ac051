"""What a token costs, in money and in time: today's list prices of a library that keeps them, or those of a dated file
of the user's. Unknown is None, never 0.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from extractor.errors import UsageError
from extractor.files import read_toml_file
from extractor.models.price_library import Price as Price
from extractor.models.price_library import find_library_model, name_library
from extractor.types import Json

if TYPE_CHECKING:
    from extractor.models.choice import ModelSpec

SHIPPED_PRICES = Path(__file__).parent / "prices.toml"
_DATE_SUFFIX = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")


class Speed(NamedTuple):
    """Tokens read and written in a second, by one request at a time."""

    read: float
    write: float


HALF, HALF_SEEN = 0.5, datetime.date(2026, 11, 28)
"""What a request of a batch costs as a share of the list price, and when the pages of OpenAI, Anthropic, Mistral,
Together and Groq said so."""


class BatchPrice(NamedTuple):
    """What a million tokens cost in a batch, and who says so."""

    price: Price
    source: str


def halve_price(price: tuple[float, float]) -> BatchPrice:
    """The price in a batch of a vendor whose own figure is not known."""
    half = Price(price[0] * HALF, price[1] * HALF)
    return BatchPrice(half, f"half of the list price, as vendors published it on {HALF_SEEN}")


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices: of which day, in which currency, for which models."""

    file: str
    """The file that they are from, or the library with its version."""
    dated: datetime.date
    currency: str
    models: Mapping[str, Price]
    speeds: Mapping[str, Speed]
    compared: tuple[str, ...] = ()
    """Models that an estimate is made for beside the chosen one."""
    asks_library: bool = False
    """Whether models that are not listed here are looked up in the library."""

    def find_price(self, model: str, base_url: str | None = None) -> Price | None:
        """The model's price; that of "name" for "name-2026-01-31", which is how endpoints call a frozen version."""
        listed = self.models.get(model) or self.models.get(_DATE_SUFFIX.sub("", model))
        if listed or not self.asks_library:
            return listed
        found = find_library_model(model, base_url)
        return found.price if found else None

    def find_highest_price(self, model: str, base_url: str | None = None) -> Price | None:
        """The same of the longest request, which some vendors ask more for."""
        if self.find_price(model) or not self.asks_library:
            return self.find_price(model)
        found = find_library_model(model, base_url)
        return found.highest_price if found else None

    def find_batch_price(self, model: str, base_url: str | None = None) -> BatchPrice | None:
        """The model's price in a batch: the library's own, else the published half of the list price."""
        whole = self.find_price(model, base_url)
        if whole is None:
            return None
        listed = self.models.get(model) or self.models.get(_DATE_SUFFIX.sub("", model))
        found = None if listed or not self.asks_library else find_library_model(model, base_url)
        if found is not None and found.batch_price is not None:
            return BatchPrice(found.batch_price, f"{self.file}, {self.dated}")
        return halve_price(whole)

    def find_speed(self, model: str) -> Speed | None:
        return self.speeds.get(model)


def compute_cost(price: Price | tuple[float, float] | None, read: float | None, written: float | None) -> float | None:
    """What so many tokens cost; None where the price or a count is not known."""
    if price is None or read is None or written is None:
        return None
    return (read * price[0] + written * price[1]) / 1e6


def find_model_price(choice: ModelSpec, prices: PriceList) -> Price | None:
    """What is said of the model's price, else the list's; None for an embedded one, which costs no money."""
    if choice.is_embedded:
        return None
    return Price(*choice.settings.price) if choice.settings.price else prices.find_price(choice.name, choice.base_url)


def find_model_batch_price(choice: ModelSpec, prices: PriceList) -> BatchPrice | None:
    """The same of a request in a batch."""
    if choice.is_embedded:
        return None
    if choice.settings.price:
        return halve_price(choice.settings.price)
    return prices.find_batch_price(choice.name, choice.base_url)


def format_amount(amount: float, currency: str) -> str:
    """An amount for people, with as many digits as are useful."""
    digits = 2 if amount >= 1 or amount == 0 else 4
    return f"{amount:,.{digits}f} {currency}"


@cache
def load_prices(path: Path = SHIPPED_PRICES) -> PriceList:
    """The prices in a TOML file. Raises UsageError, naming file and model, for one that cannot be used.

    dated = 2026-11-21                     the day on which they were looked up
    currency = "USD"
    compared = ["NAME"]                    what an estimate is made for, too; without it, all models; optional
    [models."NAME"]
    input, output = money per million tokens
    read, write = tokens in a second; optional
    """
    try:
        data = read_toml_file(path)
    except OSError as error:
        raise UsageError(f"The prices {path} cannot be read ({error.strerror}); check the path.") from error
    except ValueError as error:
        raise UsageError(f"The prices {path} are not TOML ({error}); correct them.") from error
    dated, currency, models = data.get("dated"), data.get("currency"), data.get("models")
    if not isinstance(dated, datetime.date) or not isinstance(currency, str) or not isinstance(models, dict):
        raise UsageError(f'{path} needs dated = YYYY-MM-DD, currency = "…" and a table [models."NAME"] each.')
    shipped = path == SHIPPED_PRICES
    return PriceList(
        name_library() if shipped else path.name,
        datetime.date.today() if shipped else dated,
        currency,
        {name: Price(*_read_amounts(path, name, model, "input", "output")) for name, model in models.items()},
        {
            name: Speed(*_read_amounts(path, name, model, "read", "write"))
            for name, model in models.items()
            if isinstance(model, dict) and ("read" in model or "write" in model)
        },
        tuple(map(str, data.get("compared", models))),
        shipped,
    )


def _read_amounts(path: Path, name: str, model: Json, *keys: str) -> tuple[float, ...]:
    amounts: list[Json] = [model.get(key) if isinstance(model, dict) else None for key in keys]
    if not all(isinstance(a, int | float) and not isinstance(a, bool) and 0 <= a < float("inf") for a in amounts):
        raise UsageError(f"{path} gives {name!r} no {' and '.join(keys)}; write both as numbers from 0 up.")
    if "read" in keys and 0 in amounts:
        raise UsageError(f"{path} has {name!r} read or write 0 tokens in a second; leave both out if unknown.")
    return tuple(map(float, amounts))
