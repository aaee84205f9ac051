"""`extractor gold`: what people reviewed, as gold to score with, and how far the first results agreed with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from extractor.cli.console import sanitize_for_terminal


def add_gold_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    gold = commands.add_parser("gold", help="gold out of what was reviewed, and how far the results agreed with it")
    actions = gold.add_subparsers(title="commands", metavar="COMMAND", required=True)
    written = actions.add_parser("from", help="write gold of the documents that somebody finished")
    written.add_argument("out", type=Path, metavar="OUT", help="the folder that was reviewed")
    written.add_argument("-o", "--output", type=Path, metavar="DIR", help="for the gold files (default: OUT/gold)")
    written.set_defaults(command=run_gold_from_command)
    stats = actions.add_parser("stats", help="by day: touch-free documents, agreement, seconds per document")
    stats.add_argument("out", type=Path, metavar="OUT", help="the folder that was reviewed")
    stats.set_defaults(command=run_gold_stats_command)


def run_gold_from_command(flags: argparse.Namespace) -> int:
    """0 where every document that was decided about is finished and kept; 1 where some are not."""
    from extractor.evaluation.review_gold import read_folder_review, write_gold

    review = read_folder_review(flags.out)
    folder = flags.output or flags.out / "gold"
    written = write_gold(review, folder)
    _tell_lost(review.lost)
    left = f"; {review.unfinished} begun and not finished, which are no gold" if review.unfinished else ""
    print(f"{len(written)} gold files{left}: {folder}")
    return 1 if review.unfinished or review.lost else 0


def run_gold_stats_command(flags: argparse.Namespace) -> int:
    from extractor.evaluation.review_gold import describe_agreement, measure_agreement, read_folder_review

    review = read_folder_review(flags.out)
    _tell_lost(review.lost)
    if not review.finished:
        print("No document is finished yet; f in `extractor review` finishes one.")
        return 1
    print("\n".join(describe_agreement(measure_agreement(review.finished))))
    return 0


def _tell_lost(lost: tuple[str, ...]) -> None:
    for sentence in lost[:10]:
        print(f"not kept: {sanitize_for_terminal(sentence)}", file=sys.stderr)
    if len(lost) > 10:
        print(f"and {len(lost) - 10} more.", file=sys.stderr)
