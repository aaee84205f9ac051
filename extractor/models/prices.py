"""What a token costs, in money and in time, from a dated file that a user can replace. Unknown is None, never 0."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from extractor.errors import UsageError
from extractor.types import Json

SHIPPED_PRICES = Path(__file__).parent / "prices.toml"
_DATE_SUFFIX = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")


class Price(NamedTuple):
    """Money per million tokens read and written."""

    input: float
    output: float


class Speed(NamedTuple):
    """Tokens read and written in a second, by one request at a time."""

    read: float
    write: float


@dataclass(frozen=True, slots=True)
class PriceList:
    """A file of prices: of which day, in which currency, for which models."""

    file: str
    dated: datetime.date
    currency: str
    models: Mapping[str, Price]
    speeds: Mapping[str, Speed]

    def find_price(self, model: str) -> Price | None:
        """The model's price; that of "name" for "name-2026-01-31", which is how endpoints call a frozen version."""
        return self.models.get(model) or self.models.get(_DATE_SUFFIX.sub("", model))

    def find_speed(self, model: str) -> Speed | None:
        return self.speeds.get(model)


def compute_cost(price: Price | tuple[float, float] | None, read: float | None, written: float | None) -> float | None:
    """What so many tokens cost; None where the price or a count is not known."""
    if price is None or read is None or written is None:
        return None
    return (read * price[0] + written * price[1]) / 1e6


def format_amount(amount: float, currency: str) -> str:
    """An amount for people, with as many digits as are useful."""
    digits = 2 if amount >= 1 or amount == 0 else 4
    return f"{amount:,.{digits}f} {currency}"


@cache
def load_prices(path: Path = SHIPPED_PRICES) -> PriceList:
    """The prices in a TOML file. Raises UsageError, naming file and model, for one that cannot be used.

    dated = 2026-11-21                     the day on which they were looked up
    currency = "USD"
    [models."NAME"]
    input, output = money per million tokens
    read, write = tokens in a second; optional
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The prices {path} cannot be read ({error.strerror}); check the path.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The prices {path} are not TOML ({error}); correct them.") from error
    dated, currency, models = data.get("dated"), data.get("currency"), data.get("models")
    if not isinstance(dated, datetime.date) or not isinstance(currency, str) or not isinstance(models, dict):
        raise UsageError(f'{path} needs dated = YYYY-MM-DD, currency = "…" and a table [models."NAME"] each.')
    return PriceList(
        path.name,
        dated,
        currency,
        {name: Price(*_read_amounts(path, name, model, "input", "output")) for name, model in models.items()},
        {
            name: Speed(*_read_amounts(path, name, model, "read", "write"))
            for name, model in models.items()
            if isinstance(model, dict) and ("read" in model or "write" in model)
        },
    )


def _read_amounts(path: Path, name: str, model: Json, *keys: str) -> tuple[float, ...]:
    amounts: list[Json] = [model.get(key) if isinstance(model, dict) else None for key in keys]
    if not all(isinstance(a, int | float) and not isinstance(a, bool) and 0 <= a < float("inf") for a in amounts):
        raise UsageError(f"{path} gives {name!r} no {' and '.join(keys)}; write both as numbers from 0 up.")
    if "read" in keys and 0 in amounts:
        raise UsageError(f"{path} has {name!r} read or write 0 tokens in a second; leave both out if unknown.")
    return tuple(map(float, amounts))
