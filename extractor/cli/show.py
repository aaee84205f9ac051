"""`extractor show`: one page of records beside their documents."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_show_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    show = commands.add_parser("show", help="write a page that shows records beside their documents")
    show.add_argument("out", type=Path, help="the folder that a run wrote")
    show.add_argument("-o", "--output", type=Path, help="the page (default: OUT/index.html)")
    show.add_argument(
        "--documents", type=Path, metavar="FOLDER", help="the documents: pages of PDFs and pictures are shown, too"
    )
    show.set_defaults(command=run_show_command)


def run_show_command(flags: argparse.Namespace) -> int:
    from extractor.results.review.page import write_review_page

    print(write_review_page(flags.out, flags.output or flags.out / "index.html", flags.documents))
    return 0
