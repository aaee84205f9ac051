"""`extractor show`: one page of records beside their documents."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    show = commands.add_parser("show", help="write a page that shows records beside their documents")
    show.add_argument("out", type=Path, help="the folder that a run wrote")
    show.add_argument("-o", "--output", type=Path, help="the page (default: OUT/index.html)")
    show.set_defaults(command=command)


def command(flags: argparse.Namespace) -> int:
    from extractor.results.review import page

    print(page.write(flags.out, flags.output or flags.out / "index.html"))
    return 0
