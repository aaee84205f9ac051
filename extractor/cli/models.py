"""`extractor models`: the embedded models, listed or fetched."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from extractor.cli import console


def add(commands: Any) -> None:
    models = commands.add_parser("models", help="list the embedded models, or fetch one")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(command=command)
    pull = models.add_subparsers(metavar="").add_parser("pull", help="fetch a model and check its digest")
    pull.add_argument("name", help="its name in the list")
    pull.set_defaults(command=_pull)


def command(flags: argparse.Namespace) -> int:
    from extractor.models.local import catalog as weights

    held = weights.status()
    if flags.json:
        print(json.dumps(weights.as_json(held), indent=1))
        return 0
    rows = weights.rows(held)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _pull(flags: argparse.Namespace) -> int:
    from extractor.models.local import pull as pulls

    with console.bar(flags.name) as progress:
        found = pulls.pull(flags.name, progress=progress, note=lambda text: print(text, file=sys.stderr))
    print(found.path)
    return 0
