"""A paid reply as a row of the cache holds it: all of it, and what it took when it was paid for."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.models.openai.reply import fit_reply
from extractor.models.openai.reply_text import is_answer
from extractor.types import Json, LeafProbability, Reply, Request, Usage


def encode_reply(reply: Reply) -> dict[str, Json]:
    """The value and what it took; what was said besides, and how likely its leaves are, where there is any."""
    took = reply.usage
    kept: dict[str, Json] = {
        "value": reply.value,
        "usage": {
            "input_tokens": _add(took.input_tokens, took.cached_input_tokens),
            "output_tokens": _add(took.output_tokens, took.cached_output_tokens),
            "seconds": _add(took.seconds, took.cached_seconds),
        },
        "besides": [[list(path), one] for path, one in reply.said_besides],
        "likely": [[list(path), one.log, one.tokens] for path, one in reply.leaf_probabilities.items()],
    }
    return {name: one for name, one in kept.items() if one or name == "value"}


def decode_reply(kept: Mapping[str, Json], request: Request) -> Reply:
    """The reply. Raises ValueError, TypeError or KeyError for what is no reply to the request."""
    value = kept["value"]
    if not isinstance(value, dict) or (value and not is_answer(value, request.schema)):
        raise ValueError("a row of another request")
    likely = {tuple(path): LeafProbability(float(log), int(n)) for path, log, n in kept.get("likely", ())}
    besides = tuple((tuple(path), one) for path, one in kept.get("besides", ()))
    fitted = fit_reply(value, request.schema).value
    return Reply(fitted, _read_first_usage(kept.get("usage")), said_besides=besides, leaf_probabilities=likely)


def _read_first_usage(told: Json) -> Usage:
    """The usage of a reply out of the cache: nothing now, and what it took when it was paid for."""
    kept = told if isinstance(told, dict) else {}
    read, written = (_read_amount(kept.get(name)) for name in ("input_tokens", "output_tokens"))
    return Usage(
        cached=1,
        cached_input_tokens=None if read is None else int(read),
        cached_output_tokens=None if written is None else int(written),
        cached_seconds=_read_amount(kept.get("seconds")),
    )


def _read_amount(value: Json) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 1e15 else None


def _add(now: float | None, before: float | None) -> float | None:
    """What it took in all: of a reply that came with a batch, that was paid for before."""
    return None if now is None or before is None else now + before
