"""How far a run is, seen from another process: read from its folder, without its lock and without changing anything."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import ResultUnreadable, UsageError
from extractor.models.prices import Price, PriceList, compute_cost
from extractor.results.model import RUN_FILE
from extractor.results.reading import read_run_file
from extractor.runs.journal import JOURNAL_FILE
from extractor.runs.journal_view import JournalView
from extractor.runs.progress_file import RunningJob, read_running_job
from extractor.types import Status, Usage


@dataclass(frozen=True, slots=True)
class RunState:
    """A run, as its folder tells it."""

    state: str
    """"running", "finished", "stopped" (killed, or interrupted) or "elsewhere" (on another machine, which tells)."""
    documents: int | None
    """Of the run; None where nothing says it."""
    statuses: dict[str, int]
    """Documents that ended, by how."""
    pending: int | None
    seconds: float | None
    """Since the run began, to now or to the last that it did; None of one that is finished."""
    per_minute: float | None
    """Documents that the run did itself, a minute."""
    seconds_to_go: float | None
    requests: int
    tokens: int
    cost: float | None
    """Of all results, at list price; None where the price is not known."""
    currency: str
    host: str = ""
    pid: int = 0


def read_run_state(folder: Path, prices: PriceList) -> RunState:
    """The state of the run in the folder. Raises UsageError for a folder without one."""
    running = read_running_job(folder)
    try:
        journal = JournalView(folder)
        changed = (folder / JOURNAL_FILE).stat().st_mtime
    except OSError:
        raise UsageError(f"{folder} has no journal of a run; name the folder that a run writes to.") from None
    statuses, spent, since = Counter[Status](), Usage(), 0
    for place, entry in journal.iterate():
        is_own = running is None or place >= running.journal_bytes
        if running is not None and (entry.job != running.job or (running.is_fresh and not is_own)):
            continue
        statuses[entry.outcome.status] += 1
        spent += entry.outcome.usage
        since += is_own
    told = {str(status): statuses[status] for status in Status if statuses[status]}
    tokens = (spent.input_tokens or 0) + (spent.output_tokens or 0)
    if running is None:
        documents, price = _read_finished(folder, prices)
        return RunState(
            "finished" if documents == statuses.total() else "stopped",
            documents,
            told,
            None if documents is None else max(0, documents - statuses.total()),
            *(None, None, None),
            *(spent.requests, tokens),
            compute_cost(price, spent.input_tokens or 0, spent.output_tokens or 0),
            prices.currency,
        )
    state = _find_state(running)
    seconds = max(0.001, (changed if state == "stopped" else time.time()) - running.started)
    left = max(0, running.documents - statuses.total())
    return RunState(
        state,
        running.documents,
        told,
        left,
        seconds,
        60 * since / seconds,
        left * seconds / since if since and state != "stopped" else None,
        spent.requests,
        tokens,
        compute_cost(running.price, spent.input_tokens or 0, spent.output_tokens or 0),
        running.currency,
        running.host,
        running.pid,
    )


def _find_state(running: RunningJob) -> str:
    if running.host != platform.node():
        return "elsewhere"
    try:
        os.kill(running.pid, 0)
    except ProcessLookupError:
        return "stopped"
    except OSError:  # somebody else's, and alive
        pass
    return "running"


def _read_finished(folder: Path, prices: PriceList) -> tuple[int | None, Price | None]:
    """Documents of the run that ended last, and what its model costs."""
    try:
        run = read_run_file(folder / RUN_FILE).file
    except ResultUnreadable:
        return None, None
    model = run.manifest.model
    return sum(run.counts.values()), None if model.digest else prices.find_price(model.name)
