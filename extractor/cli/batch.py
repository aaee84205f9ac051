"""`extractor run --batch`: the questions of a run asked in batches, before it goes on as any other."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.cli.console import count_out, print_notes
from extractor.errors import UsageError

if TYPE_CHECKING:
    import asyncio

    from extractor.documents.discovery import Source
    from extractor.models.choice import ModelSpec
    from extractor.models.prices import PriceList
    from extractor.runs.job import Job

PENDING = 4
"""The exit code of a run whose batches are under way."""


def add_batch_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("batches (docs/batch.md)")
    group.add_argument(
        "--batch",
        action="store_true",
        help="ask in the vendor's batches, within a day at half the price; exit 4: pending",
    )
    group.add_argument("--wait", action="store_true", help="with --batch: wait until the batches have ended")
    group.add_argument(
        "--batch-again", action="store_true", help="with --batch: a second batch for what has no reply, and not live"
    )
    group.add_argument("--batch-file", type=Path, metavar="FILE", help="write the requests as JSON Lines, and exit 4")
    group.add_argument("--batch-replies", type=Path, metavar="FILE", help="take the replies from JSON Lines, and go on")


def check_batch_flags(flags: argparse.Namespace) -> bool:
    """Whether questions go by batch or file. Raises UsageError for flags that make no sense together."""
    by_file = flags.batch_file is not None or flags.batch_replies is not None
    if flags.batch and by_file:
        raise UsageError("--batch submits and fetches by itself; leave out --batch-file and --batch-replies.")
    for name in ("wait", "batch_again"):
        if getattr(flags, name) and not flags.batch:
            raise UsageError(f"--{name.replace('_', '-')} is for --batch; add that.")
    if (flags.batch or by_file) and flags.mode != "live":
        raise UsageError("Batches are live; leave out --mode, or the flags of batches.")
    if (flags.batch or by_file) and (flags.models or flags.then or flags.on):
        raise UsageError("Batches are of one model and are read here; leave out --models, --then and --on.")
    return flags.batch or by_file


async def go_by_batch(
    flags: argparse.Namespace,
    job: Job,
    sources: Sequence[Source],
    choice: ModelSpec,
    costs: PriceList,
    stop: asyncio.Event,
) -> str:
    """Does what comes before the run; a sentence where that is still under way, empty where the run is to begin."""
    if not flags.batch:
        return await _exchange_files(flags, job, sources)
    from extractor.models.prices import compute_cost, find_model_batch_price, find_model_price, format_amount
    from extractor.runs.batch.desk import describe_pending
    from extractor.runs.batch.rounds import BatchOptions, run_batches

    whole, batched = find_model_price(choice, costs), find_model_batch_price(choice, costs)
    options = BatchOptions(flags.wait, flags.batch_again, _compute_share(whole, batched.price if batched else None))
    outcome = await run_batches(job, sources, options, stop)
    total = outcome.totals
    told = list(total.notes)
    if total.batches:
        amount = compute_cost(batched.price, total.input_tokens, total.output_tokens) if batched else None
        money = (
            f": {format_amount(amount, costs.currency)} ({batched.source})" if batched and amount is not None else ""
        )
        told.append(
            f"By batch: {count_out(total.answered, 'reply', 'replies')}, {total.input_tokens:,} tokens read, "
            f"{total.output_tokens:,} written{money}."
        )
    if not flags.quiet:
        print_notes(told)
    if flags.json and outcome.pending:
        rows: list[Any] = [
            {"name": one.name, "id": one.batch_id, "state": str(one.state), "requests": one.requests}
            for one in outcome.pending
        ]
        print(json.dumps({"pending": rows}, indent=1))
    return describe_pending(outcome.pending, job.out / "batches") if outcome.pending else ""


def _compute_share(whole: tuple[float, float] | None, batched: tuple[float, float] | None) -> float:
    """What a batch costs of the list price, at most."""
    from extractor.models.prices import HALF

    if whole is None or batched is None:
        return HALF
    return max((b / w for b, w in zip(batched, whole, strict=True) if w), default=HALF)


async def _exchange_files(flags: argparse.Namespace, job: Job, sources: Sequence[Source]) -> str:
    from extractor.runs.batch.files import exchange_files

    outcome = await exchange_files(job, sources, flags.batch_file, flags.batch_replies)
    told = list(outcome.notes)
    if outcome.answered:
        told.append(
            f"By file: {count_out(outcome.answered, 'reply', 'replies')}, {outcome.input_tokens:,} tokens read, "
            f"{outcome.output_tokens:,} written."
        )
    if not flags.quiet:
        print_notes(told)
    if not outcome.written:
        return ""
    return (
        f"Pending: {outcome.written:,} requests are in {flags.batch_file}; have them answered, and give the replies "
        "with --batch-replies FILE."
    )
