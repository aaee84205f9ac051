"""The folder that a run writes to: whether it can be written, room kept back in it, and whether its run is finished."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from extractor.errors import MachineError, ResultUnreadable, UsageError
from extractor.files import DiskReserve
from extractor.object_stores import parse_object_url
from extractor.results.model import RUN_FILE
from extractor.results.reading import read_run_file
from extractor.runs.lock import require_unlocked_folder
from extractor.types import Json, Status

RESERVED_BYTES = 4 << 20
"""Bytes of the disk that a run keeps back for the answers under way when it fills up."""
_RESERVE = ".extractor.reserve"


def prepare_output_folder(folder: Path) -> None:
    """Makes the output folder and tries it, before anything is paid.

    Raises MachineError where nothing can be written, and UsageError for a link and where another run is writing.
    """
    if parse_object_url(folder) is not None:
        raise UsageError(
            "A run needs locks and renames, which object stores have not; write to a folder with -o, and have the "
            "results copied as they are finished with --publish, or take them there with extractor export."
        )
    if folder.is_symlink():
        raise UsageError(f"{folder} is a link; name the folder that it leads to ({folder.resolve()}) with -o.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MachineError(f"Nothing can be written to {folder} ({error.strerror}); choose another with -o.") from error
    require_unlocked_folder(folder)


def reserve_disk_space(folder: Path) -> DiskReserve:
    """Room in the folder for what is under way when the disk fills up. Raises MachineError when it is full already."""
    try:
        return DiskReserve(folder / _RESERVE, RESERVED_BYTES)
    except OSError as error:
        raise MachineError(
            f"The disk of {folder} has less than {RESERVED_BYTES >> 20} MB left ({error.strerror}); "
            "free it or choose another -o."
        ) from error


def is_run_finished(folder: Path, manifest: Mapping[str, Json], documents: int) -> bool:
    """Whether the folder holds a run of this manifest over so many documents, all of them asked and answered."""
    try:
        run = read_run_file(folder / RUN_FILE).file
    except ResultUnreadable:
        return False
    done = [row.status in (Status.COMPLETE, Status.SUSPECT) for row in run.documents]
    return run.manifest.asked == dict(manifest) and len(done) == documents and all(done)


def read_learnt(run_file: Path) -> dict[str, Json]:
    """What the manifest of an earlier run tells that was learnt, for one that finds everything done."""
    try:
        learnt = read_run_file(run_file).file.manifest.learnt
    except ResultUnreadable:
        return {}
    return {"learnt": learnt} if learnt else {}
