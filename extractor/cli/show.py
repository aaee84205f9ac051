"""`extractor show`: one page of records beside their documents."""

from __future__ import annotations

import argparse
from pathlib import Path

from extractor.errors import UsageError

FOLDER_FROM = 2_000
"""Documents from which on one page would be too large for a browser: some 12 MB for each thousand."""


def add_show_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    show = commands.add_parser("show", help="write a page that shows records beside their documents")
    show.add_argument("out", type=Path, help="the folder that a run wrote")
    show.add_argument("-o", "--output", type=Path, help="the page (default: OUT/index.html)")
    show.add_argument(
        "--documents", type=Path, metavar="FOLDER", help="the documents: pages of PDFs and pictures are shown, too"
    )
    folder = f"a folder of pages and a list of them, for any number of documents (more than {FOLDER_FROM:,}: OUT/pages)"
    show.add_argument("--folder", type=Path, metavar="DIR", help=folder)
    show.set_defaults(command=run_show_command)


def run_show_command(flags: argparse.Namespace) -> int:
    from extractor.results.review.folder import list_results, write_review_folder
    from extractor.results.review.page import write_review_page

    if flags.folder and flags.output:
        raise UsageError("--folder and -o are two ways; give one of them.")
    folder = flags.folder
    if folder is None and flags.output is None and len(list_results(flags.out)[0]) > FOLDER_FROM:
        folder = flags.out / "pages"
    if folder is not None:
        print(write_review_folder(flags.out, folder, flags.documents))
    else:
        print(write_review_page(flags.out, flags.output or flags.out / "index.html", flags.documents))
    return 0
