"""What a run says of itself while it goes on, for whoever looks from elsewhere: how much there is to do, since when.

How far it is stands in its journal. The file goes away with the run; one that is left was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from extractor.files import open_regular_file, write_atomically

PROGRESS_FILE = ".extractor.progress"
PROGRESS_FORMAT = "extractor.progress/1"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A run as it began."""

    documents: int
    job: str
    """The fingerprint of what is asked."""
    model: str
    price: tuple[float, float] | None
    """Of a million tokens, in and out."""
    currency: str
    journal_bytes: int
    """Of the journal when it began: what stands behind them is its own."""
    is_fresh: bool
    """Whether what was there before counts for nothing."""
    started: float = field(default_factory=time.time)
    """Seconds since 1970."""
    host: str = field(default_factory=platform.node)
    pid: int = field(default_factory=os.getpid)


@contextlib.contextmanager
def announce_run(folder: Path, job: RunningJob) -> Iterator[None]:
    """Says in the folder what is being done there while the block lasts; where it cannot be said, nobody is told."""
    path = folder / PROGRESS_FILE
    with contextlib.suppress(OSError):
        write_atomically(path, [json.dumps({"format": PROGRESS_FORMAT, **asdict(job)}).encode()])
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def read_running_job(folder: Path) -> RunningJob | None:
    """What a run in the folder says of itself; None where none does, or does not say it as it is told here."""
    try:
        with open_regular_file(folder / PROGRESS_FILE, follow=False) as file:
            told = json.loads(file.read(_MAX_BYTES))
        if told.pop("format") != PROGRESS_FORMAT:
            return None
        price = None if told["price"] is None else (float(told["price"][0]), float(told["price"][1]))
        job = RunningJob(**{**told, "price": price})
        numbers = (job.documents, job.journal_bytes, job.started, job.pid)
        return job if all(isinstance(one, int | float) for one in numbers) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return None
