"""Files that a kill cannot tear: temporary file, fsync, rename. docs/durability.md describes the guarantees."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import threading
import tomllib
from collections.abc import Iterable
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

_DRAFT = re.compile(r"\.extractor-\w+\.tmp")
_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_sync_content = getattr(os, "fdatasync", os.fsync)
"""What a file holds, and how much that is; when it was written may be lost."""
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
DISK_FULL_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Error numbers of a disk that is full."""
MAX_TOML_BYTES = 1_000_000
_MAX_TOML_PARTS = 10_000_000
"""Parts of keys that Python's reader of TOML may note: all beginnings of each key, behind the name of its table."""


def write_atomically(path: Path, pieces: Iterable[bytes]) -> str:
    """Writes the whole file or none of it, readable by its owner only; returns its SHA-256. Raises OSError.

    A link in its place is replaced, not followed. That the name survives a power loss too takes `settle`.
    """
    draft = path.parent / f".extractor-{os.urandom(8).hex()}.tmp"
    handle, digest = os.open(draft, _NEW_FILE, 0o600), hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.flush()
            _sync_content(file.fileno())
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    return digest.hexdigest()


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Makes a folder where there is none. Raises OSError, also where a link stands in its place: what is written there
    would lie elsewhere, and what is removed there would be another's."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    if path.is_symlink():
        raise OSError(errno.ENOTDIR, "A link in place of a folder", str(path))


def open_regular_file(path: Path, *, follow: bool = True) -> BufferedReader:
    """A file to be read. Raises OSError, also for what would be waited for or never end: a pipe, a socket, a device.

    It is opened without waiting and looked at after that, since another may have taken its place since it was listed.
    """
    handle = os.open(path, os.O_RDONLY | _NO_WAITING | (0 if follow else _NO_LINKS))
    try:
        require_regular_file(handle)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_toml_file(path: Path) -> dict[str, Any]:
    """What a TOML file says, which may be a stranger's. Raises OSError, and ValueError for one that is none, is too
    large, or would cost more than its length: a key of 10,000 parts takes 400 MB to read."""
    with open_regular_file(path) as file:
        data = file.read(MAX_TOML_BYTES + 1)
    if len(data) > MAX_TOML_BYTES:
        raise ValueError(f"it has more than {MAX_TOML_BYTES >> 10:,} kB")
    return parse_toml(data.decode("utf-8"))


def parse_toml(text: str) -> dict[str, Any]:
    """What a text in TOML says. Raises ValueError as `read_toml_file` does."""
    lines = text.split("\n")
    points = [line.count(".") for line in lines]
    if max(points) * (len(lines) + sum(points)) > _MAX_TOML_PARTS:
        raise ValueError("its keys have too many parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it nests too deeply") from None


def open_private_file(path: Path, *, appends: bool = False) -> BufferedWriter:
    """A file to be written, readable by its owner only: a new one, or, `appends`, one that goes on. Raises OSError."""
    how = os.O_APPEND if appends else os.O_EXCL
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | _NO_LINKS | how, 0o600), "wb")


def require_regular_file(handle: int) -> None:
    """Raises OSError for the handle of anything but a regular file."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, "No regular file")


def sync_folder(folder: Path) -> None:
    """Syncs the folder's names to disk; without it a power loss may undo the last renames. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_drafts(folder: Path) -> int:
    """Removes drafts that a killed run left behind; returns how many. Call it only while holding the folder's lock."""
    drafts = [entry.path for entry in os.scandir(folder) if _DRAFT.fullmatch(entry.name)]
    for draft in drafts:
        Path(draft).unlink(missing_ok=True)
    return len(drafts)


class DiskReserve:
    """Disk space that is reserved, so that replies which are already paid for can be saved when the disk fills up.

    Raises OSError where there is not that much space.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._lock = path, threading.Lock()
        self._path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            else:
                os.write(handle, bytes(size))
        except OSError:
            self.release()
            raise
        finally:
            os.close(handle)

    def release(self) -> None:
        """Frees the space. When it returns the space is free, whichever of several threads freed it."""
        with self._lock:  # a name that another thread is removing disappears before its space is free
            self._path.unlink(missing_ok=True)
