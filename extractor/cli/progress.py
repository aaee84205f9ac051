"""What is seen of a run while it goes on: a line that moves on a terminal, a line a minute or events elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from extractor.cli.console import sanitize_for_terminal, tolerate_closed_pipe

if TYPE_CHECKING:
    from extractor.models.prices import Price
    from extractor.results.outcome import DocumentOutcome
    from extractor.types import Json, Usage

MAX_LINE_CHARACTERS, MAX_VALUE_CHARACTERS = 140, 40
"""Of a line about one document, and of each value in it."""


def format_record_line(outcome: DocumentOutcome, members: Mapping[str, Json] | None) -> str:
    """A document's line: its status, and the first of its values, or why there are none."""
    shown = outcome.message if members is None else " · ".join(_format_members(members)) or "no values"
    line = sanitize_for_terminal(f"{outcome.name}  {outcome.status}  {shown}")
    return line if len(line) <= MAX_LINE_CHARACTERS else f"{line[: MAX_LINE_CHARACTERS - 1]}…"


def _format_members(members: Mapping[str, Json]) -> Iterator[str]:
    for name, value in members.items():
        if value is not None:
            text = " ".join(str(value).split())
            yield f"{name}: {text if len(text) <= MAX_VALUE_CHARACTERS else f'{text[: MAX_VALUE_CHARACTERS - 1]}…'}"


class RunProgress:
    """One line on stderr, on a terminal only: documents, calls, tokens, money where the price is known, time to go.

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
    ) -> None:
        self.shown, self.documents = shown, documents
        self.price, self.currency = price, currency
        self.finished = self.calls = self.tokens = 0
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
        self._draw_line()

    def list_record(self, outcome: DocumentOutcome, members: Mapping[str, Json] | None) -> None:
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

    def _draw_line(self) -> None:
        if not self.shown:
            return
        spent = time.monotonic() - self.started
        left = f"{spent / self.finished * (self.documents - self.finished):.0f} s to go" if self.finished else "…"
        spent_on = [f"{self.calls} calls", f"{self.tokens:,} tokens", *self._format_paid()]
        line = " · ".join([f"{self.finished}/{self.documents} documents", *spent_on, left])
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def _format_paid(self) -> list[str]:
        from extractor.models import prices

        return [prices.format_amount(self.money, self.currency)] if self.price and any(self.price) else []

    def clear_line(self) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
