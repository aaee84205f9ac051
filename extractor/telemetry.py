"""Spans and counters by OpenTelemetry's interface: a run, its documents, and the requests that they take.

They are made where the program that this one is a part of has loaded OpenTelemetry, and go where it sends them: nothing
of it is imported here otherwise. Names follow the conventions for generative models where these have any. No span
holds a name or a word of a document, an address' path, a key, or an error's message.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

Attribute = str | int | float | bool
SCOPE = "recordproof"
"""What the spans and counters say that they are of."""


class Trace:
    """A span that is under way, or nothing."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def set(self, attributes: Mapping[str, Attribute | None]) -> None:
        """Says more of it; what is None is not said."""
        if self._span is not None:
            self._span.set_attributes({name: one for name, one in attributes.items() if one is not None})

    def fail(self, kind: str) -> None:
        """Says that it failed, by a word that is one of few."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode  # which has been loaded

            self._span.set_attribute("error.type", kind)
            self._span.set_status(StatusCode.ERROR)


@contextlib.contextmanager
def trace(name: str, attributes: Mapping[str, Attribute | None], *, calls_out: bool = False) -> Iterator[Trace]:
    """A span around the block, within the one that it is in; `calls_out`, it waits for another machine. An error that
    leaves the block is told by its reason, or its class."""
    if not is_loaded():
        yield Trace()
        return
    from opentelemetry import trace as interface

    kind = interface.SpanKind.CLIENT if calls_out else interface.SpanKind.INTERNAL
    tracer = interface.get_tracer(SCOPE)
    with tracer.start_as_current_span(name, kind=kind, record_exception=False, set_status_on_exception=False) as span:
        told = Trace(span)
        told.set(attributes)
        try:
            yield told
        except BaseException as error:
            told.fail(str(getattr(error, "reason", "") or type(error).__name__))
            raise


def count(name: str, amount: float, unit: str, attributes: Mapping[str, Attribute] | None = None) -> None:
    """Adds to a counter."""
    if amount and is_loaded():
        _find_counter(name, unit).add(amount, attributes or {})


def is_loaded() -> bool:
    """Whether somebody may be listening."""
    return "opentelemetry.trace" in sys.modules


@lru_cache(maxsize=64)
def _find_counter(name: str, unit: str) -> Any:
    from opentelemetry import metrics

    return metrics.get_meter(SCOPE).create_counter(name, unit)
