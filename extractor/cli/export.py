"""`extractor export`: results in the forms that other tools read."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.console import count_out, sanitize_for_terminal
from extractor.errors import UsageError
from extractor.object_stores import ObjectStore, ObjectUrl, parse_object_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractor.results.export.export import ExportSummary
    from extractor.results.export.reader import SavedRun

EXPORT_FORMATS = ("jsonl", "csv", "parquet", "sqlite", "dataset", "delta")


def add_export_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = commands.add_parser("export", help="write results as JSON Lines, CSV, Parquet or a SQLite database")
    export.add_argument(
        "out", nargs="+", type=Path, metavar="OUT", help="folders that runs wrote, or .jsonl files of this command"
    )
    export.add_argument("-f", "--format", choices=EXPORT_FORMATS, required=True)
    export.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="a file; for csv and parquet a folder; - is stdout, for jsonl; for dataset (Parquet by run) and delta a "
        "folder or s3://, gs://, az://, where runs are added and repeated ones replaced",
    )
    export.add_argument("--reviewed", action="store_true", help="with what people decided in `extractor review`")
    export.add_argument("--force", action="store_true", help="replace what an earlier export wrote there")
    export.add_argument("--quiet", action="store_true", help="no summary")
    export.set_defaults(command=run_export_command)


def run_export_command(flags: argparse.Namespace) -> int:
    """0 when every result was there; 1 when a run lists one that is gone or broken, which is exported as failed."""
    from extractor.results.export.export import export_runs, write_json_lines
    from extractor.results.export.reader import open_runs

    runs = open_runs(flags.out, reviewed=flags.reviewed)
    for run in runs:
        if run.strays:
            names = ", ".join(map(sanitize_for_terminal, run.strays[:3])) + (" …" if len(run.strays) > 3 else "")
            print(f"{run.path}: left out, as run.json does not list them: {names}", file=sys.stderr)
    if str(flags.output) == "-" and flags.format == "jsonl":
        written = write_json_lines(runs, sys.stdout.buffer)
        return 1 if written.lost else 0
    if flags.format in ("dataset", "delta"):
        from extractor.results.export.lake import export_to_lake

        written = export_to_lake(runs, flags.format, flags.output)
    elif (url := parse_object_url(flags.output)) is not None:
        written = _export_to_object(runs, flags.format, url)
    else:
        written = export_runs(runs, flags.format, flags.output, force=flags.force)
    if not flags.quiet:
        rows = count_out(sum(written.rows.values()), "row")
        told = f", {rows} in {count_out(len(written.rows), 'table')}" if written.rows else ""
        failed = f" ({written.failed} failed)" if written.failed else ""
        print(f"{count_out(written.documents, 'document')}{failed}{told}: {flags.output}")
    return 1 if written.lost else 0


def _export_to_object(runs: Sequence[SavedRun], form: str, url: ObjectUrl) -> ExportSummary:
    """One file, put into a store when it is whole; what was there is replaced, as its next version."""
    from extractor.results.export.export import export_runs

    if form not in ("jsonl", "sqlite"):
        raise UsageError(f"{form} is a folder; to a store it goes as -f dataset or -f delta.")
    with tempfile.TemporaryDirectory(prefix="extractor-export-") as room:
        file = Path(room) / "export"
        written = export_runs(runs, form, file)
        ObjectStore(url).write_file(url.key, file)
    return written
