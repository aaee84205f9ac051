"""One run at a time in an output folder: a lock that the system drops when its holder ends, however it ends."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extractor.errors import MachineError, UsageError
from extractor.files import require_regular_file

LOCK_FILE = ".extractor.lock"


@contextmanager
def hold_folder_lock(folder: Path, holder: str = "run", flag: str = "-o") -> Iterator[None]:
    """Holds the folder while the block lasts; messages call its holder a `holder`, and `flag` is what names another.

    The file stays and means nothing by itself: what counts is the flock on it, which no killed run can leave behind.
    Raises UsageError, naming the process, when another run holds it, and MachineError where locks do not work.
    """
    import fcntl

    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = f"cannot be opened ({error.strerror}); choose another {flag}."
        raise MachineError(f"{folder / LOCK_FILE} {why}") from error
    try:
        try:
            require_regular_file(handle)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise MachineError(f"{folder} cannot be locked ({error.strerror}); choose another {flag}.") from error
            pid = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            who = f"locked by pid {pid}" if pid.isdigit() else "locked"
            raise UsageError(
                f"Another {holder} is writing to {folder} ({who}); wait until it ends, or name another with {flag}."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def require_unlocked_folder(folder: Path) -> None:
    """Raises what `hold_folder_lock` would raise now, before anything is started that would have to be stopped."""
    with hold_folder_lock(folder):
        pass
