"""The steps of a pipeline as plain functions: any scheduler calls them, and tests do without one.

Each may be repeated: a run goes on where it was, and an export takes the place of the one before.
"""

import shutil
from pathlib import Path

from extractor.cli.main import main

COMPLETE, WANTS_A_LOOK = 0, 1


def extract_invoices(inbox: str, out: str, *flags: str) -> str:
    """Records of every file in the inbox; documents that are done are not asked about again.

    Raises RuntimeError where the run as a whole failed, so that the scheduler tries again.
    """
    code = main(["run", inbox, "--task", "invoice", "-o", out, "--quiet", *flags])
    if code not in (COMPLETE, WANTS_A_LOOK):
        raise RuntimeError(f"extractor run ended with {code}; its message is in the log.")
    return out


def export_tables(out: str, tables: str) -> str:
    """The run's tables as Parquet, whole or not at all."""
    code = main(["export", out, "-f", "parquet", "-o", tables, "--force"])
    if code not in (COMPLETE, WANTS_A_LOOK):
        raise RuntimeError(f"extractor export ended with {code}; its message is in the log.")
    return tables


def archive_inbox(inbox: str, archive: str) -> int:
    """Moves what was read out of the inbox; the number of files."""
    files = sorted(path for path in Path(inbox).iterdir() if path.is_file())
    Path(archive).mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.move(file, Path(archive) / file.name)
    return len(files)
