"""`extractor merge`: one result set out of the parts of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from extractor.cli.console import describe_bill, print_notes, print_outcomes, print_summary, tolerate_closed_pipe


def add_merge_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    merge = commands.add_parser("merge", help="make one result set of the parts that run --shard wrote")
    merge.add_argument("parts", nargs="+", type=Path, metavar="OUT", help="the folders of the parts")
    merge.add_argument("-o", "--out", type=Path, required=True, help="folder for the whole")
    merge.add_argument("--prices", type=Path, metavar="FILE", help="prices of models, TOML (default: those that ship)")
    merge.add_argument("--json", action="store_true", help="print a JSON summary on stdout")
    merge.add_argument("--quiet", action="store_true", help="no summary")
    merge.set_defaults(command=run_merge_command)


def run_merge_command(flags: argparse.Namespace) -> int:
    from extractor.models.prices import SHIPPED_PRICES, load_prices
    from extractor.results.model import RUN_FILE
    from extractor.results.reading import read_run_file
    from extractor.runs.merge import merge_shards
    from extractor.runs.output_folder import prepare_output_folder
    from extractor.runs.runner import compute_exit_code

    costs = load_prices(flags.prices or SHIPPED_PRICES)
    prepare_output_folder(flags.out)
    outcomes = merge_shards(flags.parts, flags.out)
    with tolerate_closed_pipe():
        if flags.json:
            print_outcomes(outcomes)
        elif not flags.quiet:
            model = read_run_file(flags.out / RUN_FILE).file.manifest.model
            print_summary(outcomes, flags.out, describe_bill(outcomes, model.name, bool(model.digest), costs))
    print_notes(outcomes.notes)
    return compute_exit_code(outcomes)
