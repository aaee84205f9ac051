"""What a worker begins with: it steps back before it loads anything, so that nobody waits for its start."""

from __future__ import annotations

import os

NICENESS = 5
"""How much less a worker is favoured by the system than the process that has all other documents in hand."""


def main() -> None:
    """Answers one job after the other until its input ends."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    from extractor.runs.worker_process import main as answer  # a second of imports, which are no hurry

    answer()
