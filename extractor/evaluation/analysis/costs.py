"""What runs cost, and which of them no other run beats at once in figure and cost. Unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from extractor.evaluation.analysis.metrics import UNDONE_STATUSES, Entrant
from extractor.evaluation.scoring.outcomes import ScoredDocument
from extractor.models.prices import compute_cost
from extractor.types import Json

COST_KINDS = ("seconds", "tokens", "money")
"""What is spent on a document, on average: seconds of the model, tokens in and out, money."""


def summarise_costs(entrant: Entrant) -> dict[str, Json]:
    """Totals over all documents and repeats, and means per document that has the figure.

    {"seconds", "input_tokens", "output_tokens", "requests", "money": total or null when no document has it,
     "unknown": {the same keys: documents without it}, "per_document": {"seconds", "tokens", "money"}}

    A failed or missing document without a figure is not counted as unknown: often nothing was asked.
    """
    documents = [(one, run.price) for run in entrant.runs for one in run.documents]
    price = entrant.runs[0].price
    amounts: dict[str, list[float | None]] = {
        "seconds": [finite_or_none(one.seconds) for one, _ in documents],
        "input_tokens": [one.input_tokens for one, _ in documents],
        "output_tokens": [one.output_tokens for one, _ in documents],
        "requests": [one.requests for one, _ in documents],
        "money": [_price_document(one, each) for one, each in documents],
    }
    states = [one.status in UNDONE_STATUSES for one, _ in documents]
    tokens = [
        None if came is None or went is None else came + went
        for came, went in zip(amounts["input_tokens"], amounts["output_tokens"], strict=True)
    ]
    return {
        **{what: _sum_known(values) for what, values in amounts.items()},
        "unknown": {
            what: sum(one is None and not undone for one, undone in zip(values, states, strict=True))
            for what, values in amounts.items()
        },
        "price": None if price is None else {"input": price[0], "output": price[1]},
        "per_document": {
            "seconds": _average_known(amounts["seconds"]),
            "tokens": _average_known(tokens),
            "money": _average_known(amounts["money"]),
        },
    }


def find_pareto_front(points: Mapping[str, tuple[float | None, float | None]]) -> list[str]:
    """Names of the points (figure, cost) that no other beats or equals in both and beats in one, cheapest first."""
    known = {name: (up, cost) for name, (up, cost) in points.items() if up is not None and cost is not None}
    best = [
        name
        for name, (up, cost) in known.items()
        if not any(u >= up and c <= cost and (u > up or c < cost) for u, c in known.values())
    ]
    return sorted(best, key=lambda name: (known[name][1], name))


def _price_document(one: ScoredDocument, price: tuple[float, float] | None) -> float | None:
    return finite_or_none(compute_cost(price, one.input_tokens, one.output_tokens))


def finite_or_none(value: float | None) -> float | None:
    """The amount, or None for what is none: a result file may hold NaN or -1."""
    return value if value is not None and 0 <= value < float("inf") else None


def _sum_known(amounts: Sequence[float | None]) -> float | None:
    known = [one for one in amounts if one is not None]
    return _round_amount(sum(known)) if known else None


def _average_known(amounts: Sequence[float | None]) -> float | None:
    known = [one for one in amounts if one is not None]
    return _round_amount(sum(known) / len(known)) if known else None


def _round_amount(value: float) -> float:
    return value if isinstance(value, int) else round(value, 9)
