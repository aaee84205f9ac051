"""`extractor review`: a page on this machine on which a person goes through records and decides."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from extractor.cli.command_parser import parse_port


def add_review_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    review = commands.add_parser("review", help="go through records in the browser: accept, correct, reject, add")
    review.add_argument("out", type=Path, help="the folder that a run wrote; decisions are kept in OUT/decisions")
    review.add_argument(
        "--documents", type=Path, metavar="FOLDER", help="the documents: pages of PDFs and pictures are shown, too"
    )
    review.add_argument("--as", dest="who", metavar="NAME", help="who decides (default: the name of your account)")
    review.add_argument(
        "--port", type=parse_port, default=0, help="the port on this machine (default: one that is free)"
    )
    review.add_argument("--no-open", action="store_true", help="only print the address")
    review.set_defaults(command=run_review_command)


def run_review_command(flags: argparse.Namespace) -> int:
    from extractor.review_app.serve import ReviewOptions, serve_review

    options = ReviewOptions(flags.out, flags.who or _name_account(), flags.documents, flags.port, not flags.no_open)

    def say(address: str) -> None:
        print(address, flush=True)
        print("Only browsers on this machine can open it, with this address. Ctrl+C ends it.", file=sys.stderr)

    serve_review(options, say)
    return 0


def _name_account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
