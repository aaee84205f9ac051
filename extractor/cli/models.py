"""`extractor models`: the embedded models, listed or fetched."""

from __future__ import annotations

import argparse
import json
import sys

from extractor.cli.console import show_download_bar


def add_models_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    models = commands.add_parser("models", help="list the embedded models, or fetch one")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(command=run_models_command)
    pull = models.add_subparsers(metavar="").add_parser("pull", help="fetch a model and check its digest")
    pull.add_argument("name", help="its name in the list")
    pull.set_defaults(command=_run_pull_command)


def run_models_command(flags: argparse.Namespace) -> int:
    from extractor.models.local.catalog import build_model_table, installed_models_to_json, list_installed_models

    held = list_installed_models()
    if flags.json:
        print(json.dumps(installed_models_to_json(held), indent=1))
        return 0
    rows = build_model_table(held)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _run_pull_command(flags: argparse.Namespace) -> int:
    from extractor.models.local.pull import pull_model

    with show_download_bar(flags.name) as progress:
        found = pull_model(flags.name, progress=progress, note=lambda text: print(text, file=sys.stderr))
    print(found.path)
    return 0
