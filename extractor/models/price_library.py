"""What genai-prices knows of a vendor's model: its window, and today's list price.

That library is kept for every vendor, by hand and by its users, and is released every few weeks; it is data alone, and
nothing is asked of the network. It is imported when a vendor's model is looked up, which takes half a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import NamedTuple

LIBRARY = "genai-prices"
_FEW_TOKENS, _MANY_TOKENS = 1000, 2_000_000
_OWN_NAMES = re.compile(r"(?:gpt-(?!oss)|chatgpt-|o[134](?:-|$)|claude-|gemini-)")
"""Names that only their vendor gives, and that cost the same through a gateway. Open weights cost what a host asks."""


class Price(NamedTuple):
    """Money per million tokens read and written."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class LibraryModel:
    """A vendor's model as the library has it."""

    window: int | None
    price: Price
    """In USD, of a short request, without discounts for cached or batched input."""
    highest_price: Price
    """The same of one that fills the window: some vendors ask more of long ones."""
    batch_price: Price | None = None
    """The same in a batch, where the library knows it."""


def name_library() -> str:
    """The library and its version, which says of when its prices are."""
    return f"{LIBRARY} {metadata.version(LIBRARY)}"


@cache
def find_library_model(name: str, base_url: str | None) -> LibraryModel | None:
    """The model of this name at this address, None where it is not known.

    At an address of no vendor that the library knows, such as a gateway of one's own, a name that only its vendor gives
    is looked up all the same.
    """
    bare = strip_model_name(name)
    by_vendor_alone = base_url is None or is_own_address(base_url)
    if by_vendor_alone and not _OWN_NAMES.match(bare):
        return None
    names = list(dict.fromkeys([name.removeprefix("models/"), name.rpartition("/")[2], bare]))
    found = None if by_vendor_alone else _look_up(names, base_url)
    return found or (_look_up([bare], None) if _OWN_NAMES.match(bare) else None)


def strip_model_name(name: str) -> str:
    """A model's name without vendor, path, region and the suffixes by which gateways tell its offers apart."""
    bare = name.lower().rpartition("/")[2].removeprefix("ft:")
    bare = re.sub(r"^(?:(?:us|eu|apac|global)\.)?(?:anthropic|meta|amazon|mistral|openai|deepseek|qwen)\.", "", bare)
    return re.sub(r":(?:free|extended|beta|nitro|floor|online|thinking|exacto|cloud)$", "", bare)


def is_own_address(base_url: str) -> bool:
    """Whether an address is of a server of one's own: this machine, a private network, a name without a domain."""
    host = re.sub(r"^\w+://|[/:?#].*$", "", base_url.lower().replace("[", "").replace("]", ""))
    private = r"127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|0\.0\.0\.0|$"
    return "." not in host or bool(re.match(private, host)) or host.endswith((".local", ".internal", ".lan", ".home"))


def _look_up(names: list[str], base_url: str | None) -> LibraryModel | None:
    import genai_prices  # 0.5 s of imports that only a lookup should wait for

    def price(name: str, tokens: int, way: str | None = None) -> tuple[int | None, Price]:
        usage = genai_prices.Usage(input_tokens=tokens, output_tokens=tokens)
        context = {"processing": way} if way else None
        told = genai_prices.calc_price(usage, name, provider_api_url=base_url or None, price_context=context)
        scale = 1e6 / tokens
        amounts = (float(told.input_price) * scale, float(told.output_price) * scale)
        return told.model.context_window, Price(*(round(one, 9) for one in amounts))

    for name in names:
        try:
            window, few = price(name, _FEW_TOKENS)
            _, many = price(name, _MANY_TOKENS)
            _, batched = price(name, _FEW_TOKENS, "batch")
        except (LookupError, ValueError):
            continue
        highest = Price(max(few.input, many.input), max(few.output, many.output))
        return LibraryModel(window, few, highest, None if batched == few else batched)
    return None
