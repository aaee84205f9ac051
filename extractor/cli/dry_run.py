"""`extractor run --dry-run`: what a run would take, per model, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.cli.console import count_out, name_message, sanitize_for_terminal

if TYPE_CHECKING:
    from extractor.documents.discovery import Source
    from extractor.extraction.prompt import Prompt
    from extractor.extraction.task import Task
    from extractor.models.choice import ModelSpec
    from extractor.models.prices import PriceList
    from extractor.runs.estimate import AmountRange, RunEstimate

ESTIMATE_FORMAT = "extractor.estimate/1"
ESTIMATES_FORMAT = "extractor.estimates/1"


@dataclass(frozen=True, slots=True)
class EstimateOptions:
    """What is to be estimated, and how it is shown."""

    model: ModelSpec
    """The model that the run would ask."""
    out: Path
    """Folder of an earlier run, whose replies say how long replies are."""
    concurrency: int | None = None
    as_json: bool = False
    quiet: bool = False
    by_batch: bool = False
    """Whether the questions go by batch, at its price."""


def print_estimate(
    task: Task, prompt: Prompt, sources: Sequence[Source], costs: PriceList, options: EstimateOptions
) -> int:
    """Prints the estimate; 1 when some document cannot be read, as the run would end."""
    from extractor.runs.estimate import estimate_run, measure_earlier_run

    choice = options.model
    before = measure_earlier_run(options.out, prompt, choice.name, task.schema.fingerprint)
    found = estimate_run(task, prompt, sources, choice.name, before, choice.traits)
    others = [one for name in costs.compared if name != choice.name and (one := _name_model(name)).name != choice.name]
    rows = [_estimate_model(found, one, costs, options, one is choice) for one in (choice, *others)]
    if options.as_json:
        told = _estimate_to_json(found, task, prompt, costs, rows)
        print(json.dumps({**told, "batch": True} if options.by_batch else told, ensure_ascii=False, indent=1))
    elif not options.quiet:
        _print_tables(found, task, prompt, costs, rows)
        if options.by_batch:
            _print_batch_note(choice, costs)
    return 1 if found.unreadable else 0


def print_estimates(
    task: Task, prompt: Prompt, sources: Sequence[Source], costs: PriceList, members: Sequence[EstimateOptions]
) -> int:
    """Prints what each of several models that are asked together would take, and all of them; 1 as `print_estimate`.

    A second model after a first is asked of what is doubtful alone: what is told of it is the most that it may take.
    """
    from extractor.runs.estimate import estimate_run

    shown, options = [], members[0]
    for one in members:
        found = estimate_run(task, prompt, sources, one.model.name, None, one.model.traits)
        shown.append((found, [_estimate_model(found, one.model, costs, one, True)]))
    moneys = [rows[0]["money"] for _, rows in shown]
    money = None if None in moneys else {key: round(sum(m[key] for m in moneys), 6) for key in moneys[0]}
    if options.as_json:
        told = [_estimate_to_json(found, task, prompt, costs, rows) for found, rows in shown]
        print(json.dumps({"format": ESTIMATES_FORMAT, "money": money, "estimates": told}, ensure_ascii=False, indent=1))
    elif not options.quiet:
        for found, rows in shown:
            _print_tables(found, task, prompt, costs, rows)
            print()
        expected, likely = _format_cost_cells(money)
        print(f"All of them together, {costs.currency}: {expected}{f' ({likely})' if likely else ''}.")
    return 1 if any(found.unreadable for found, _ in shown) else 0


def _name_model(name: str) -> ModelSpec:
    """The model of a price list: embedded, or where its vendor has it."""
    from extractor.models.choice import choose_model

    return choose_model(name, None, {}, live=False)


def _estimate_model(
    found: RunEstimate, one: ModelSpec, costs: PriceList, options: EstimateOptions, chosen: bool
) -> dict[str, Any]:
    from extractor.models.choice import DEFAULT_CONCURRENCY
    from extractor.models.local.speed import find_faster_engine, find_speed
    from extractor.models.prices import Price, Speed, find_model_batch_price, find_model_price

    price = Price(0, 0) if one.is_embedded else find_model_price(one, costs)
    if options.by_batch and (batched := find_model_batch_price(one, costs)) is not None:
        price = batched.price
    speed = costs.find_speed(one.name)
    is_here = one.is_embedded and costs.asks_library  # no prices of the user's
    measured = Path(one.name).stem if one.name.endswith(".gguf") else one.name
    if is_here and (here := find_speed(measured, one.settings.engine)) is not None:
        speed = Speed(here.read, here.write)
    faster = find_faster_engine(measured, one.settings.engine) if is_here else None
    seconds = found.estimate_seconds(speed, prefix_cache=one.is_embedded)
    # an embedded model answers by turns: its cores are shared by all that it answers
    at_once = 1 if one.is_embedded else options.concurrency or DEFAULT_CONCURRENCY
    return {
        "name": one.name,
        "chosen": chosen,
        "price": None if price is None else price._asdict(),
        "money": _divide_amounts(found.estimate_cost(price), 1, 6),
        "seconds": _divide_amounts(seconds, at_once, 1),
        "at_once": at_once,
        **({"faster_engine": faster.engine_name} if faster else {}),
    }


def _print_batch_note(choice: ModelSpec, costs: PriceList) -> None:
    from extractor.models.prices import find_model_batch_price

    batched = find_model_batch_price(choice, costs)
    by = f"by {batched.source}" if batched else "which is not known"
    print(f"Money is that of batches, {by}; they take a day at most, and what they leave open is asked live.")


def _divide_amounts(amount: AmountRange | None, share: int, digits: int) -> dict[str, float] | None:
    if amount is None:
        return None
    parts = {"low": amount.low, "expected": amount.expected, "high": amount.high}
    return {key: round(value / share, digits) for key, value in parts.items()}


def _estimate_to_json(
    found: RunEstimate, task: Task, prompt: Prompt, costs: PriceList, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    total, before = found.total_amounts, found.measured
    return {
        "format": ESTIMATE_FORMAT,
        "task": task.name,
        "prompt": prompt.name,
        "documents": found.documents,
        "unreadable": [{"name": name, "message": message} for name, message in found.unreadable],
        "characters": found.characters,
        "requests": total.requests.to_json(),
        "input_tokens": total.input_tokens.to_json(),
        "output_tokens": total.output_tokens.to_json(),
        "pictures": {"count": total.pictures, "tokens": total.picture_tokens},
        "output_tokens_at_most": found.max_output_tokens,
        "input_tokens_just_read": round(found.repeated_tokens),
        "output_basis": "assumed" if before is None else f"measured on {count_out(before.documents, 'document')}",
        "groups": {
            name: {
                "requests": group.requests.to_json(),
                "input_tokens": group.input_tokens.to_json(),
                "output_tokens": group.output_tokens.to_json(),
            }
            for name, group in found.groups.items()
        },
        "prices": {"file": costs.file, "dated": costs.dated.isoformat(), "currency": costs.currency},
        "models": rows,
    }


def _print_tables(found: RunEstimate, task: Task, prompt: Prompt, costs: PriceList, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = Console(highlight=False)

    def print_line(text: str) -> None:
        terminal.print(Text(text), soft_wrap=True)

    total, before = found.total_amounts, found.measured
    basis = (
        "assumed from the fields"
        if before is None
        else f"as {count_out(before.documents, 'result')} in the output folder had"
    )
    documents = count_out(found.documents, "document")
    print_line(f"{documents}, {found.characters:,} characters; task {task.name}, prompt {prompt.name}.")
    print_line("Nothing was sent.\n")
    for name, message in found.unreadable:
        print_line(name_message(name, message))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "expected", "likely range", ""):
        table.add_column(column, justify="right" if column else "left")
    notes = ["more if replies are cut short", f"{found.repeated_tokens:,.0f} of them repeated"]
    notes.append(f"{basis}; at most {found.max_output_tokens:,}")
    amounts = [
        ("requests", total.requests),
        ("tokens read", total.input_tokens),
        ("tokens written", total.output_tokens),
    ]
    for (name, amount), note in zip(amounts, notes, strict=True):
        table.add_row(name, f"{amount.expected:,.0f}", f"{amount.low:,.0f}–{amount.high:,.0f}", note)
    terminal.print(table)
    if total.pictures:
        print_line(f"Of the tokens read {total.picture_tokens:,} are {total.pictures:,} pictures of pages.")
    print_line("")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("model", costs.currency, "likely range", "time"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in rows:
        label = Text(sanitize_for_terminal(row["name"]) + (" (chosen)" if row["chosen"] else ""))
        table.add_row(label, *_format_cost_cells(row["money"]), _format_time_cell(row["seconds"]))
    terminal.print(table)
    for row in rows:
        if "faster_engine" in row:
            named = sanitize_for_terminal(row["faster_engine"])
            print_line(
                f"\n{sanitize_for_terminal(row['name'])} was faster here in another engine: --set engine={named}"
            )
    print_line(f"\nList prices of {costs.file}, {costs.dated}; give your own, and speeds, with --prices FILE.")


def _format_cost_cells(amount: dict[str, float] | None) -> tuple[str, str]:
    if amount is None:
        return "unknown", "price not known"
    digits = 2 if amount["high"] >= 10 else 4
    if not amount["high"]:
        return "0", ""
    return f"{amount['expected']:,.{digits}f}", f"{amount['low']:,.{digits}f}–{amount['high']:,.{digits}f}"


def _format_time_cell(amount: dict[str, float] | None) -> str:
    if amount is None:
        return "unknown"
    unit, size = next((u, s) for u, s in (("h", 3600), ("min", 60), ("s", 1)) if amount["expected"] >= s or s == 1)
    return f"{amount['expected'] / size:,.1f} {unit} ({amount['low'] / size:,.1f}–{amount['high'] / size:,.1f})"
