"""`extractor status`: how far a run is, from another shell."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor.runs.state import RunState


def add_status_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    status = commands.add_parser("status", help="say how far a run is, from another shell")
    status.add_argument("out", type=Path, metavar="OUT", help="the folder that the run writes to")
    status.add_argument("--prices", type=Path, metavar="FILE", help="prices of models, TOML (default: those that ship)")
    status.add_argument("--json", action="store_true", help="print it as a JSON object")
    status.set_defaults(command=run_status_command)


def run_status_command(flags: argparse.Namespace) -> int:
    from extractor.models.prices import SHIPPED_PRICES, load_prices
    from extractor.runs.state import read_run_state

    state = read_run_state(flags.out, load_prices(flags.prices or SHIPPED_PRICES))
    print(json.dumps(asdict(state), ensure_ascii=False) if flags.json else " · ".join(_describe(state)))
    return 0


def _describe(state: RunState) -> Iterator[str]:
    from extractor.cli.console import count_out, sanitize_for_terminal
    from extractor.models.prices import format_amount

    where = {
        "running": f"running (pid {state.pid})",
        "elsewhere": f"begun on {sanitize_for_terminal(state.host)} (pid {state.pid})",
    }
    yield where.get(state.state, state.state)
    ended = sum(state.statuses.values())
    yield f"{ended:,} of {'?' if state.documents is None else f'{state.documents:,}'} documents"
    yield from (f"{count:,} {status}" for status, count in state.statuses.items())
    if state.per_minute is not None:
        yield f"{state.per_minute:,.1f} a minute"
    if state.seconds_to_go is not None:
        yield f"{_format_seconds(state.seconds_to_go)} to go"
    yield f"{count_out(state.requests, 'request')}, {state.tokens:,} tokens"
    if state.cost is not None:
        yield f"{format_amount(state.cost, state.currency)} at list price"


def _format_seconds(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:,.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:,.1f} h"
