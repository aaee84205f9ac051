"""What a run shows on a terminal: the line that moves, the bar of a download, the table at the end."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.results.unseen import show_unseen, spell_unseen

if TYPE_CHECKING:
    from extractor.models.prices import Price, PriceList
    from extractor.results.outcome import DocumentOutcome, RunOutcomes
    from extractor.types import Json


def sanitize_for_terminal(text: str) -> str:
    """On one line, with what could steer a terminal or is not seen spelled out."""
    return "".join(map(_show_character, show_unseen(text)))


def _show_character(character: str) -> str:
    if character.isprintable() or character in "\u200c\u200d":  # those that are left are needed by their script
        return character
    return " " if character.isspace() and character not in "\t\n" else spell_unseen(f"{ord(character):04X}")


def count_out(number: int, one: str, several: str = "") -> str:
    """`1 result`, `1,200 results`; `several` where an s is not enough."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def name_message(name: str, message: str) -> str:
    """A document's message with its name before it, where it does not begin with that itself."""
    named = message if message.startswith(name) else f"{name}: {message}"
    return sanitize_for_terminal(named)


def outcome_to_json(outcome: DocumentOutcome) -> dict[str, Any]:
    from extractor.results.file import build_usage

    return {
        "name": outcome.name,
        "file": outcome.file,
        "status": str(outcome.status),
        "values": outcome.values,
        "unsupported": outcome.unsupported,
        "conflicts": outcome.conflicts,
        "failures": outcome.failures,
        "usage": build_usage(outcome.usage).to_content(),
        "message": outcome.message,
    }


def print_outcomes(outcomes: Iterable[DocumentOutcome]) -> None:
    """A JSON array on stdout, one outcome at a time."""
    before = "[\n "
    for outcome in outcomes:
        one = json.dumps(outcome_to_json(outcome), ensure_ascii=False, indent=1).replace("\n", "\n ")
        print(before + one, end="")
        before = ",\n "
    print("[]" if before == "[\n " else "\n]")


@contextlib.contextmanager
def tolerate_closed_pipe() -> Iterator[None]:
    """Who reads stdout may have gone, as `head` does; what is printed in the block is then for nobody."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the last flush, at exit, fails again


def print_notes(sentences: Iterable[str]) -> None:
    """On stderr, a line each; they are not what a program downstream reads."""
    with contextlib.suppress(BrokenPipeError):
        for sentence in sentences:
            print(sanitize_for_terminal(sentence), file=sys.stderr)


MAX_SUMMARY_ROWS = 50
"""Rows of a summary: of more documents, only those worth a look are listed, and not more than this."""


def select_noteworthy(outcomes: RunOutcomes) -> list[DocumentOutcome]:
    from extractor.types import Status

    wanted = (o for o in outcomes if len(outcomes) <= MAX_SUMMARY_ROWS or o.status is not Status.COMPLETE)
    return list(itertools.islice(wanted, MAX_SUMMARY_ROWS))


def print_summary(outcomes: RunOutcomes, out: Path, bill: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("document", overflow="fold")
    for name in ("status", "values", "refused", "conflicts", "failures", "tokens"):
        table.add_column(name, justify="left" if name == "status" else "right")
    shown = select_noteworthy(outcomes)
    for o in shown:
        tokens = [o.usage.input_tokens, o.usage.output_tokens]
        spent = "unknown" if None in tokens else f"{sum(t or 0 for t in tokens):,}"
        cells = [
            sanitize_for_terminal(o.name),
            str(o.status),
            *map(str, (o.values, o.unsupported, o.conflicts, o.failures)),
            spent,
        ]
        table.add_row(*map(Text, cells))

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the process here, with an exit code of its own

    console = PlainConsole(highlight=False)

    def print_line(text: str) -> None:
        console.print(Text(text), soft_wrap=True)  # a command in it is there to be copied

    if shown:
        console.print(table)
    for o in shown:
        if o.message:
            print_line(name_message(o.name, o.message))
    if len(shown) < len(outcomes):
        counts = ", ".join(f"{n:,} {status}" for status, n in outcomes.tally.counts.items())
        print_line(f"\nIn all: {counts}; those worth a look are above, {MAX_SUMMARY_ROWS} of them at most.")
    print_line(f"\n{bill}")
    folder = sanitize_for_terminal(shlex.quote(str(out)))
    print_line(f"{count_out(len(outcomes), 'result')} in {folder}; look at them with: extractor show {folder}")


def describe_bill(
    outcomes: Iterable[DocumentOutcome], model: str, embedded: bool, prices: PriceList, price: Price | None = None
) -> str:
    """What a run took, in a sentence: tokens, and money where the price is known; said where it is not.

    `price` is what the model costs where it is asked, where that is known better than by its name.
    """
    from extractor.models.prices import compute_cost, format_amount
    from extractor.types import Usage

    spent = sum((o.usage for o in outcomes), Usage())
    if spent.input_tokens is None or spent.output_tokens is None:
        return f"{count_out(spent.requests, 'request')}; the endpoint did not say how many tokens."
    said = (
        f"{count_out(spent.requests, 'request')}, {spent.input_tokens:,} tokens read, {spent.output_tokens:,} written"
    )
    if spent.cached:
        were = "was" if spent.cached == 1 else "were"
        said = f"{count_out(spent.cached, 'reply', 'replies')} {were} there from before; {said}"
    if embedded:
        return f"{said}."
    amount = compute_cost(price or prices.find_price(model), spent.input_tokens, spent.output_tokens)
    if amount is None:
        return f"{said}; the price of {sanitize_for_terminal(model)} is not known (give one with --prices FILE)."
    return f"{said}: {format_amount(amount, prices.currency)} at list price ({prices.file}, {prices.dated})."


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


@contextlib.contextmanager
def show_download_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    if not sys.stderr.isatty():
        yield lambda done, size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = [TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name)
        yield lambda done, size: bar.update(task, completed=done, total=size)
