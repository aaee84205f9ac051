"""`extractor combine`: one run out of finished runs of several models over the same documents."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.console import count_out, print_notes

if TYPE_CHECKING:
    from extractor.runs.combining import CombinedRuns

MAX_TOLD = 5
"""Documents that a note names."""


def add_combine_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    combine = commands.add_parser("combine", help="one run out of runs of several models; no model is asked")
    combine.add_argument("runs", nargs="+", type=Path, metavar="OUT", help="folders of runs of one schema")
    combine.add_argument("-o", "--out", type=Path, required=True, help="folder for the combined results")
    accept = "confidence from which on a value is in the record (default: 0.5)"
    combine.add_argument("--accept", type=float, default=0.5, metavar="P", help=accept)
    combine.add_argument("--only-proven", action="store_true", help="leave out what has no words of its own")
    weights = "weights of confidence instead of those that ship"
    combine.add_argument("--calibration", type=Path, metavar="FILE", help=weights)
    combine.add_argument("--quiet", action="store_true", help="no summary")
    combine.set_defaults(command=run_combine_command)


def run_combine_command(flags: argparse.Namespace) -> int:
    """0 for records that are all complete, 1 where one wants a look."""
    from extractor.errors import UsageError
    from extractor.extraction.acceptance import Acceptance
    from extractor.extraction.combining.judging import load_ensemble_calibration
    from extractor.runs.combining import combine_runs, write_combined_runs
    from extractor.runs.output_folder import prepare_output_folder
    from extractor.types import Status

    if any(flags.out.resolve() == one.resolve() for one in flags.runs):
        raise UsageError(f"{flags.out} is one of the runs to be combined; name another folder with -o.")
    weights = load_ensemble_calibration(flags.calibration) if flags.calibration else None
    runs = combine_runs(flags.runs, Acceptance(flags.accept, flags.only_proven), weights)
    prepare_output_folder(flags.out)
    counts = write_combined_runs(runs, flags.out)
    if not flags.quiet:
        print_notes(_tell_alone(runs))
        told = ", ".join(f"{many:,} {status}" for status, many in counts.items())
        results, of = count_out(sum(counts.values()), "result"), count_out(len(flags.runs), "run")
        print(f"{results} of {of} in {flags.out}: {told}.")
    return 0 if set(counts) <= {Status.COMPLETE} else 1


def _tell_alone(runs: CombinedRuns) -> list[str]:
    """A note for documents that not every run has."""
    if not runs.alone:
        return []
    told = [f"{name} ({', '.join(map(str, folders))})" for name, folders in list(runs.alone.items())[:MAX_TOLD]]
    more = f" and {len(runs.alone) - MAX_TOLD:,} more" if len(runs.alone) > MAX_TOLD else ""
    return [f"Not in all runs, and taken from those that have them: {', '.join(told)}{more}."]
