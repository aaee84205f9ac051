"""`extractor run --dry-run`: what a run would take, per model, before anything is sent."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from extractor.cli import console

if TYPE_CHECKING:
    from extractor.documents.discovery import Source
    from extractor.extraction.prompt import Prompt
    from extractor.extraction.task import Task
    from extractor.models.prices import Price, Prices
    from extractor.runs.estimate import Estimate, Range

FORMAT = "extractor.estimate/1"


def show(flags: argparse.Namespace, task: Task, prompt: Prompt, sources: Sequence[Source], costs: Prices) -> int:
    """Prints the estimate; 1 when some document cannot be read, as the run would end."""
    from extractor.models import session as models
    from extractor.runs import estimate as estimates

    name = flags.model or models.choose(None, flags.base_url).name
    before = estimates.measured(flags.out, prompt, name, task.schema.fingerprint)
    found = estimates.estimate(task, prompt, sources, name, before)
    embedded = models.embedded_names()
    # an embedded model answers by turns: its cores are shared by all that it answers
    at_once = {False: flags.concurrency or models.AT_ONCE, True: 1}
    rows = [
        _model(found, one, costs, one in embedded or one.endswith(".gguf"), at_once, one == name)
        for one in dict.fromkeys([name, *costs.models])
    ]
    if flags.json:
        print(json.dumps(_plain(found, task, prompt, costs, rows), ensure_ascii=False, indent=1))
    elif not flags.quiet:
        _table(found, task, prompt, costs, rows)
    return 1 if found.unreadable else 0


def _model(
    found: Estimate, name: str, costs: Prices, embedded: bool, at_once: dict[bool, int], chosen: bool
) -> dict[str, Any]:
    from extractor.models.prices import Price

    price: Price | None = Price(0, 0) if embedded else costs.of(name)
    seconds = found.seconds(costs.speed(name), prefix_cache=embedded)
    return {
        "name": name,
        "chosen": chosen,
        "price": None if price is None else price._asdict(),
        "money": _amounts(found.money(price), 1, 6),
        "seconds": _amounts(seconds, at_once[embedded], 1),
        "at_once": at_once[embedded],
    }


def _amounts(amount: Range | None, share: int, digits: int) -> dict[str, float] | None:
    if amount is None:
        return None
    parts = {"low": amount.low, "expected": amount.expected, "high": amount.high}
    return {key: round(value / share, digits) for key, value in parts.items()}


def _plain(found: Estimate, task: Task, prompt: Prompt, costs: Prices, rows: list[dict[str, Any]]) -> dict[str, Any]:
    total, before = found.total, found.measured
    return {
        "format": FORMAT,
        "task": task.name,
        "prompt": prompt.name,
        "documents": found.documents,
        "unreadable": [{"name": name, "message": message} for name, message in found.unreadable],
        "characters": found.characters,
        "requests": total.requests.plain(),
        "input_tokens": total.input_tokens.plain(),
        "output_tokens": total.output_tokens.plain(),
        "output_tokens_at_most": found.ceiling,
        "input_tokens_just_read": round(found.repeated),
        "output_basis": "assumed" if before is None else f"measured on {before.documents} documents",
        "groups": {
            name: {
                "requests": group.requests.plain(),
                "input_tokens": group.input_tokens.plain(),
                "output_tokens": group.output_tokens.plain(),
            }
            for name, group in found.groups.items()
        },
        "prices": {"file": costs.file, "dated": costs.dated.isoformat(), "currency": costs.currency},
        "models": rows,
    }


def _table(found: Estimate, task: Task, prompt: Prompt, costs: Prices, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = Console(highlight=False)

    def say(text: str) -> None:
        terminal.print(Text(text), soft_wrap=True)

    total, before = found.total, found.measured
    basis = "assumed from the fields" if before is None else f"as {before.documents} results in the output folder had"
    say(f"{found.documents} documents, {found.characters:,} characters; task {task.name}, prompt {prompt.name}.")
    say("Nothing was sent.\n")
    for name, message in found.unreadable:
        say(f"{console.visible(name)}: {console.visible(message)}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "expected", "likely range", ""):
        table.add_column(column, justify="right" if column else "left")
    notes = ["more if replies are cut short", f"{found.repeated:,.0f} just read before"]
    notes.append(f"{basis}; at most {found.ceiling:,}")
    amounts = [
        ("requests", total.requests),
        ("tokens read", total.input_tokens),
        ("tokens written", total.output_tokens),
    ]
    for (name, amount), note in zip(amounts, notes, strict=True):
        table.add_row(name, f"{amount.expected:,.0f}", f"{amount.low:,.0f}–{amount.high:,.0f}", note)
    terminal.print(table)
    say("")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("model", costs.currency, "likely range", "time"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in rows:
        label = Text(console.visible(row["name"]) + (" (chosen)" if row["chosen"] else ""))
        table.add_row(label, *_money(row["money"]), _time(row["seconds"]))
    terminal.print(table)
    say(f"\nList prices of {costs.file}, {costs.dated}; give your own, and speeds, with --prices FILE.")


def _money(amount: dict[str, float] | None) -> tuple[str, str]:
    if amount is None:
        return "unknown", "price not known"
    digits = 2 if amount["high"] >= 10 else 4
    if not amount["high"]:
        return "0", ""
    return f"{amount['expected']:,.{digits}f}", f"{amount['low']:,.{digits}f}–{amount['high']:,.{digits}f}"


def _time(amount: dict[str, float] | None) -> str:
    if amount is None:
        return "unknown"
    unit, size = next((u, s) for u, s in (("h", 3600), ("min", 60), ("s", 1)) if amount["expected"] >= s or s == 1)
    return f"{amount['expected'] / size:,.1f} {unit} ({amount['low'] / size:,.1f}–{amount['high'] / size:,.1f})"
