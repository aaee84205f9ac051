"""What is seen of a run while it goes on: a line that moves on a terminal, a line a minute or events elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from extractor.cli.console import count_out, format_record_line, sanitize_for_terminal, tolerate_closed_pipe

if TYPE_CHECKING:
    from extractor.models.prices import Price
    from extractor.results.outcome import DocumentOutcome
    from extractor.types import Json, Usage

TICK_SECONDS = 60.0
"""Seconds between two lines where there is no terminal, and between two events of progress."""


class RunProgress:
    """One line on stderr that moves, on a terminal: documents, calls, tokens, money where the price is known, time to
    go. `in_lines`, the same without a terminal, a line a minute; `as_events`, a JSON object a line instead.

    With `lists_records`, each document has a line on stdout too, terminal or pipe, as soon as it is finished.
    """

    def __init__(
        self,
        shown: bool,
        documents: int,
        price: Price | None = None,
        currency: str = "",
        *,
        lists_records: bool = False,
        in_lines: bool = False,
        as_events: bool = False,
    ) -> None:
        self.shown, self.documents = shown and not as_events, documents
        self.in_lines, self.as_events = in_lines and not as_events, as_events
        self.price, self.currency = price, currency
        self.finished = self.calls = self.tokens = 0
        self.done_here = 0
        """Of those that are finished: by this run, which the time to go is told from."""
        self.statuses = Counter[str]()
        self.money = 0.0
        self.started = time.monotonic()
        self.lists_records = lists_records

    def count_reply(self, usage: Usage) -> None:
        from extractor.models import prices

        self.calls += usage.requests
        self.tokens += (usage.input_tokens or 0) + (usage.output_tokens or 0)
        self.money += prices.compute_cost(self.price, usage.input_tokens, usage.output_tokens) or 0
        self._draw_line()

    def count_document(self, outcome: DocumentOutcome) -> None:
        self.finished += 1
        self.statuses[str(outcome.status)] += 1
        self._draw_line()

    def list_record(self, outcome: DocumentOutcome, members: Mapping[str, Json] | None) -> None:
        self.done_here += 1
        if self.as_events:
            self._print_event("document", name=outcome.name, file=outcome.file, status=str(outcome.status))
        if not self.lists_records:
            return
        self.clear_line()
        with tolerate_closed_pipe():
            print(format_record_line(outcome, members), flush=True)
        self._draw_line()

    def show_bug(self, name: str, error: Exception) -> None:
        from extractor.runs.bugs import format_trace

        self.clear_line()
        with contextlib.suppress(BrokenPipeError):
            print(f"{sanitize_for_terminal(name)}:\n{format_trace(error)}", file=sys.stderr, flush=True)
        self._draw_line()

    @contextlib.asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """A block in which progress is told every minute, where it is not told all the time."""
        if self.as_events:
            self._print_event("begin", documents=self.documents)
        ticks = asyncio.get_running_loop().create_task(self._tick())
        try:
            yield
        finally:
            ticks.cancel()
            if self.as_events:
                self._print_event("end", **self._describe())

    async def _tick(self) -> None:
        while self.in_lines or self.as_events:
            await asyncio.sleep(TICK_SECONDS)
            if self.as_events:
                self._print_event("progress", **self._describe())
            else:
                with contextlib.suppress(BrokenPipeError):
                    print(self._format_line(), file=sys.stderr, flush=True)

    def _describe(self) -> dict[str, Any]:
        left = self._estimate_left()
        return {
            "finished": self.finished,
            "documents": self.documents,
            "statuses": dict(self.statuses),
            "requests": self.calls,
            "tokens": self.tokens,
            "cost": round(self.money, 6) if self.price else None,
            "currency": self.currency if self.price else None,
            "seconds": round(time.monotonic() - self.started, 1),
            "seconds_to_go": None if left is None else round(left),
        }

    def _print_event(self, event: str, **about: Any) -> None:
        line = json.dumps({"event": event, "time": round(time.time(), 3), **about})
        with contextlib.suppress(BrokenPipeError):
            print(line, file=sys.stderr, flush=True)

    def _estimate_left(self) -> float | None:
        """Seconds to go, as long as they have taken so far."""
        if not self.done_here:
            return None
        return (time.monotonic() - self.started) / self.done_here * (self.documents - self.finished)

    def _format_line(self) -> str:
        left = self._estimate_left()
        spent_on = [count_out(self.calls, "call"), f"{self.tokens:,} tokens", *self._format_paid()]
        told = "…" if left is None else f"{left:,.0f} s to go"
        return " · ".join([f"{self.finished:,}/{self.documents:,} documents", *spent_on, told])

    def _draw_line(self) -> None:
        if self.shown:
            print(f"\r\x1b[K{self._format_line()}", end="", file=sys.stderr, flush=True)

    def _format_paid(self) -> list[str]:
        from extractor.models import prices

        return [prices.format_amount(self.money, self.currency)] if self.price and any(self.price) else []

    def clear_line(self) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
