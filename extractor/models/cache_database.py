"""The file of paid replies, before and while diskcache uses it: nothing in it is trusted.

diskcache alone unpickles what a row asks it to, and reads and deletes the file that a row names (CVE-2025-69872; its
JSONDisk does, too). It takes any setting in the file as an attribute of its own, and SQLite runs whatever trigger is in
it. docs/decisions/022-cache-file.md has what follows.
"""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from collections.abc import Mapping
from pathlib import Path

import diskcache

OWN_SETTINGS: Mapping[str, object] = {
    "eviction_policy": "none",  # paid replies are only removed when the user asks for it
    "size_limit": 2**62,
    "cull_limit": 0,
    "statistics": 0,
    "tag_index": 0,
    "sqlite_synchronous": 2,  # FULL: a reply survives a loss of power, too
}
"""Settings of diskcache that are not its own defaults."""
_SETTINGS = {**diskcache.DEFAULT_SETTINGS, **OWN_SETTINGS}
_COUNTERS = frozenset(diskcache.core.METADATA)
_RAW = 1
"""diskcache's mode for a value that is stored in its row unchanged."""
_TRIGGERS = {
    "count_insert": ("INSERT", 'value + 1 WHERE key = "count"'),
    "count_delete": ("DELETE", 'value - 1 WHERE key = "count"'),
    "size_insert": ("INSERT", 'value + NEW.size WHERE key = "size"'),
    "size_update": ("UPDATE", 'value + NEW.size - OLD.size WHERE key = "size"'),
    "size_delete": ("DELETE", 'value - OLD.size WHERE key = "size"'),
}
_SCHEMA = frozenset(
    {
        "CREATE TABLE Settings ( key TEXT NOT NULL UNIQUE, value)",
        "CREATE TABLE Cache ( rowid INTEGER PRIMARY KEY, key BLOB, raw INTEGER, store_time REAL, expire_time REAL, "
        "access_time REAL, access_count INTEGER DEFAULT 0, tag BLOB, size INTEGER DEFAULT 0, mode INTEGER DEFAULT 0, "
        "filename TEXT, value BLOB)",
        "CREATE UNIQUE INDEX Cache_key_raw ON Cache(key, raw)",
        "CREATE INDEX Cache_expire_time ON Cache (expire_time)",
        *(
            f"CREATE TRIGGER Settings_{name} AFTER {event} ON Cache FOR EACH ROW BEGIN "  # noqa: S608 - compared, not run
            f"UPDATE Settings SET value = {change}; END"
            for name, (event, change) in _TRIGGERS.items()
        ),
    }
)
"""All that diskcache 5 makes in a file, as SQLite keeps it (its `sqlite_master`); anything else is foreign."""


class UnsafeDatabase(ValueError):
    """The file or a row asks for what is never done here; `str(error)` says what, as the end of a sentence."""


class PlainDisk(diskcache.Disk):  # type: ignore[misc]
    """Keys are strings and values bytes, both in their row; no pickle is written or read, no file touched."""

    def put(self, key: object) -> tuple[str, bool]:
        if not isinstance(key, str):
            raise UnsafeDatabase("a key that is no string")
        return key, True

    def get(self, key: object, raw: object) -> str:
        if not raw or not isinstance(key, str):
            raise UnsafeDatabase("a pickled key")
        return key

    def store(self, value: object, read: bool, key: object = None) -> tuple[int, int, None, sqlite3.Binary]:
        if read or not isinstance(value, bytes):
            raise UnsafeDatabase("a value that is not bytes")
        return len(value), _RAW, None, sqlite3.Binary(value)

    def fetch(self, mode: object, filename: object, value: object, read: bool) -> bytes:
        if mode != _RAW or filename is not None or read or not isinstance(value, bytes):
            raise UnsafeDatabase("a value that is pickled or in a file")
        return value

    def remove(self, file_path: object) -> None:
        """No value is in a file, so there is none to remove, whatever a row names."""


def check_database(path: Path) -> None:
    """Raises UnsafeDatabase or sqlite3.Error for a database that diskcache must not open.

    That is one with anything in its schema that diskcache did not make, such as a trigger, or with a setting that it
    would not have here. A journal beside it is foreign as well: SQLite would play it back, and delete the file that it
    names. One is left only by a process that was killed while it made the file, in which nothing is yet.
    """
    if path.is_symlink() or path.exists():
        if not stat.S_ISREG(path.lstat().st_mode):
            raise UnsafeDatabase("it is no regular file")
        for beside in ("-wal", "-shm"):
            other = path.with_name(path.name + beside)
            if other.is_symlink() or (other.exists() and not other.is_file()):
                raise UnsafeDatabase(f"{other.name} is no regular file")
    journal = path.with_name(f"{path.name}-journal")
    if journal.is_symlink() or journal.exists():
        raise UnsafeDatabase(f"{journal.name} is not its own")
    if not path.exists() or not path.stat().st_size:
        return
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as database:
        database.execute("PRAGMA trusted_schema = OFF")
        names = set()
        for name, made_by in database.execute("SELECT name, sql FROM sqlite_master"):
            if made_by is not None and " ".join(str(made_by).split()) not in _SCHEMA:
                raise UnsafeDatabase(f"it holds {str(name)[:40]!r}, which is not diskcache's")
            names.add(name)
        if "Settings" not in names:
            return
        for name, value in database.execute("SELECT key, value FROM Settings"):
            known = isinstance(value, int) if name in _COUNTERS else name in _SETTINGS and value == _SETTINGS[name]
            if not known:
                raise UnsafeDatabase(f"its setting {str(name)[:40]!r} is not as it is kept here")


def describe_damage(error: Exception) -> str:
    """Why a database was set aside, as part of a sentence."""
    return str(error) if isinstance(error, UnsafeDatabase) else "it is damaged"
