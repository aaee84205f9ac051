"""Replies that were paid for, kept on disk, so that no run pays for them twice.

diskcache keeps them: one SQLite file, safe for many processes, every reply on disk before the run goes on. Nothing in
that file is trusted (`cache_database`): no row names a file, nothing is pickled, and a row is a reply only if its
digest is right and it fits the schema of the request. Anything else is a miss, which is counted and reported.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import diskcache

from extractor.errors import MachineError
from extractor.models.cache_database import OWN_SETTINGS, PlainDisk, UnsafeDatabase, check_database, describe_damage
from extractor.types import Json, canonical_json
from extractor.user_folders import find_cached

CACHE_FORMAT = 2
"""Of rows that are written: the reply and what it took. Rows of format 1 are the reply alone, and are read, too."""
_DATABASE_FILE = "cache.db"
_SMALL_CONNECTION = {"sqlite_cache_size": 1024, "sqlite_mmap_size": 0}
"""Pages that a connection keeps in memory (4 MiB), and bytes of the file that it maps. diskcache's own, 32 and 64 MiB,
fill up in a long run, and find nothing sooner, as the system has the file in memory, too."""


@dataclass(frozen=True, slots=True)
class CacheContents:
    """The contents of a folder of replies. `damaged` rows are never used as replies."""

    folder: Path
    replies: int
    bytes: int
    damaged: int = 0


class ReplyCache:
    """The replies of one folder. Blocking; one thread at a time."""

    def __init__(self, folder: Path, note: Callable[[str], None] = lambda text: None) -> None:
        """Opens the folder, made if it is not there. Raises MachineError when nothing can be kept in it.

        A database that is none is set aside under another name, with a note, and an empty one takes its place.
        """
        self.folder = folder = folder.absolute()
        self._thread: int | None = None
        """The one whose connection was made small."""
        try:
            _make_private_folder(folder)
            with _lock_folder(folder):
                self._cache = self._open_or_replace(note)
        except (OSError, sqlite3.Error) as error:
            raise MachineError(
                f"Replies cannot be kept in {folder} ({getattr(error, 'strerror', None) or error}); "
                "choose another folder with --cache, or pay anew each time with --no-cache."
            ) from None

    def _open_or_replace(self, note: Callable[[str], None]) -> diskcache.Cache:
        path = self.folder / _DATABASE_FILE
        try:
            check_database(path)
            return self._open_database()
        except (sqlite3.DatabaseError, UnsafeDatabase, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, sqlite3.OperationalError) and not _is_broken(error):
                raise  # the disk is full or read-only: that is not the database's fault
            aside = path.with_name(f"{_DATABASE_FILE}.corrupt-{time.time_ns()}")
            for suffix in ("-wal", "-shm", "-journal"):
                path.with_name(_DATABASE_FILE + suffix).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                path.replace(aside)
            note(
                f"The cache of replies {path} is not used, since {describe_damage(error)}; "
                f"it is now {aside.name}, and an empty one takes its place."
            )
            return self._open_database()

    def _open_database(self) -> diskcache.Cache:
        path = self.folder / _DATABASE_FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)  # SQLite gives its other files the mode of this one
        opened = diskcache.Cache(
            str(self.folder),
            timeout=60,
            disk=PlainDisk,
            **OWN_SETTINGS,
        )
        opened.close()  # of this thread; the thread that asks opens its own
        return opened

    def _connect(self) -> diskcache.Cache:
        """The database, with a connection of this thread that takes little memory; what it says of itself stays as
        diskcache has it, and so as every version of this program reads it."""
        if self._thread != threading.get_ident():
            for name, value in _SMALL_CONNECTION.items():
                self._cache.reset(name, value, update=False)
            self._thread = threading.get_ident()
        return self._cache

    def get(self, key: str) -> dict[str, Json] | None:
        """What was kept under the key: `value` and, unless it was never told, `usage`; None when nothing was.

        Raises ValueError or sqlite3.Error for a damaged row.
        """
        row = self._connect().get(key, retry=True)
        return None if row is None else _decode_row(row)

    def set(self, key: str, value: Json) -> None:
        """Keeps what `get` gives. Raises OSError or sqlite3.Error when it cannot be kept."""
        self._connect().set(key, _encode_row(value), retry=True)

    def set_all(self, values: Mapping[str, Json]) -> None:
        """Keeps all or none of them. Raises as `set` does."""
        base = self._connect()
        with base.transact(retry=True):
            for key, value in values.items():
                base.set(key, _encode_row(value), retry=True)

    def holds(self, key: str) -> bool:
        """Whether there is a row under the key, damaged or not."""
        return key in self._cache

    def remove(self, key: str) -> None:
        self._cache.delete(key, retry=True)

    def count_replies(self, *, verify: bool = False) -> CacheContents:
        """With `verify` every row is read and its digest computed; the damaged ones are counted, and stay."""
        good = damaged = size = 0
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / _DATABASE_FILE}?mode=ro", uri=True)) as database:
            if not verify:
                good, size = database.execute("SELECT COUNT(*), SUM(LENGTH(value)) FROM Cache").fetchone()
                return CacheContents(self.folder, good, size or 0)
            rows = [i for (i,) in database.execute("SELECT rowid FROM Cache")]
            for rowid in rows:
                try:
                    (raw, mode, filename, value) = database.execute(
                        "SELECT raw, mode, filename, value FROM Cache WHERE rowid = ?", (rowid,)
                    ).fetchone()
                    size += len(value or b"")
                    if not raw:
                        raise UnsafeDatabase("a pickled key")
                    _decode_row(self._cache.disk.fetch(mode, filename, value, False))
                    good += 1
                except (sqlite3.Error, ValueError, TypeError):
                    damaged += 1
        return CacheContents(self.folder, good, size, damaged)

    def clear(self) -> int:
        """Removes all replies; how many there were."""
        count: int = self._cache.clear(retry=True)
        return count

    def close(self) -> None:
        self._cache.close()
        self._thread = None


def find_cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """$EXTRACTOR_HOME/replies, or extractor/replies in the user's cache folder."""
    return find_cached("replies", environ)


def _make_private_folder(folder: Path) -> None:
    """Makes the folder, readable by its owner only. Raises OSError for a folder of another user."""
    if os.path.expandvars(folder) != str(folder):  # diskcache would go to the folder that the variable names
        raise OSError(1, "its name holds a variable of the environment")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        raise PermissionError(1, "it belongs to another user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        folder.chmod(0o700)


@contextlib.contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """One process at a time opens, or sets aside; the lock goes with the process that holds it."""
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            import fcntl
        except ImportError:  # not on this system: SQLite's own locks have to do
            yield
            return
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_broken(error: sqlite3.OperationalError) -> bool:
    return any(word in str(error).lower() for word in ("malformed", "not a database", "no such", "has no column"))


def _encode_row(value: Json) -> bytes:
    body = canonical_json(value).encode()
    return b"%d %s %s" % (CACHE_FORMAT, hashlib.sha256(body).hexdigest().encode(), body)


def _decode_row(row: bytes) -> dict[str, Json]:
    """What a row holds, as `ReplyCache.get` has it. Raises ValueError for one that is not as it was written."""
    version, _, rest = row.partition(b" ")
    digest, _, body = rest.partition(b" ")
    if version not in (b"1", b"2") or hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("a damaged row")
    try:
        value = json.loads(body)
    except RecursionError:
        raise ValueError("a damaged row") from None
    if version == b"1":
        return {"value": value}
    if not isinstance(value, dict) or "value" not in value:
        raise ValueError("a damaged row")
    return value
