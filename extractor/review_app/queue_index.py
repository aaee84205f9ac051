"""What the queue is sorted and filtered by: a line for each document in a SQLite file, so that no record is held.

The file, OUT/decisions/queue.sqlite, is a copy of what results and journal say, and may be thrown away. A document is
read for it once, and again when its file or its decisions have changed.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.types import Json

INDEX_FILE = "queue.sqlite"
MAX_PAGE = 200
"""Documents that one question brings."""
_TABLES = """
CREATE TABLE documents (
    file TEXT PRIMARY KEY, name TEXT, ordinal INTEGER, status TEXT, stamp TEXT, state TEXT DEFAULT 'open',
    lowest REAL, doubts INTEGER DEFAULT 0, edits INTEGER DEFAULT 0, lost INTEGER DEFAULT 0, indexed INTEGER DEFAULT 0);
CREATE TABLE fields (file TEXT, field TEXT, lowest REAL, doubts INTEGER, PRIMARY KEY (file, field)) WITHOUT ROWID;
CREATE INDEX by_order ON documents (ordinal);
CREATE INDEX by_doubt ON documents (state, lowest, ordinal);
CREATE INDEX by_field ON fields (field, lowest, doubts);
"""


_LIST_SCHEMA = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite has beside a file, behind its name."""


def _require_plain_files(path: Path) -> None:
    """Raises DatabaseError for links and the like, and for a journal, which SQLite would play back: it deletes the
    file that a journal names, and this index never has one."""
    for beside in _BESIDE:
        other = path.with_name(f"{path.name}{beside}")
        if other.is_symlink() or (other.exists() and (beside == "-journal" or not other.is_file())):
            raise sqlite3.DatabaseError("not its own")


def _require_own_content(base: sqlite3.Connection) -> None:
    """Raises DatabaseError for an index of another version, with a trigger or a view, or with values of other kinds:
    the folder, and so its index, may be a stranger's."""
    with contextlib.closing(sqlite3.connect(":memory:")) as own:
        own.executescript(_TABLES)
        if list(base.execute(_LIST_SCHEMA)) != list(own.execute(_LIST_SCHEMA)):
            raise sqlite3.DatabaseError("of another version")
    for table in ("documents", "fields"):
        columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
        blobs = " OR ".join(f"typeof({column}) = 'blob'" for column in columns)
        if base.execute(f"SELECT 1 FROM {table} WHERE {blobs} LIMIT 1").fetchone():  # noqa: S608 -- of our own tables
            raise sqlite3.DatabaseError("a value of another kind")


def _open_kept(path: Path | None) -> sqlite3.Connection | None:
    """The index in a file, which is made anew where that is not its own; None where it cannot be."""
    if path is None:
        return None
    for _ in range(2):
        try:
            _require_plain_files(path)
            return _open_base(path)
        except (sqlite3.Error, OSError):
            with contextlib.suppress(OSError):
                for beside in _BESIDE:
                    path.with_name(f"{path.name}{beside}").unlink(missing_ok=True)
    return None


def _open_base(path: Path | None) -> sqlite3.Connection:
    """The index in a file, or in memory. Raises sqlite3.Error for a file that is not its own."""
    base = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, timeout=30)
    try:
        base.text_factory = lambda text: text.decode("utf-8", "replace")
        base.execute("PRAGMA trusted_schema = OFF")
        if list(base.execute(_LIST_SCHEMA)):
            _require_own_content(base)
        else:
            base.executescript(_TABLES)
            base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = OFF")  # a copy: lost, it is made again
    except BaseException:
        base.close()
        raise
    return base


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """What the queue knows of a document."""

    file: str
    name: str
    status: str
    stamp: str
    """Tells whether result and decisions are those that were read."""
    state: str
    """open, started or finished."""
    edits: int
    lost: int
    doubts: Mapping[str, Sequence[float]]
    """By field, the confidence of each value that is to be decided."""


@dataclass(frozen=True, slots=True)
class QueueQuestion:
    """Which documents are wanted, and in which order."""

    sort: str = "confidence"
    """confidence, order or name."""
    field: str = ""
    status: str = ""
    state: str = ""
    """open (which started ones are too), started, finished; empty for all."""
    search: str = ""
    offset: int = 0
    limit: int = 50


class QueueIndex:
    """The index of one run's folder. Threads may use it."""

    def __init__(self, path: Path | None) -> None:
        """Without a path, or where it cannot be written, the index is in memory."""
        self._lock = threading.Lock()
        self._base = _open_kept(path) or _open_base(None)

    def list_documents(self, listed: Iterable[tuple[str, str, str]]) -> None:
        """Makes the index be about these (file, name, status), in this order, and no others."""
        rows = [(file, name, ordinal, status) for ordinal, (file, name, status) in enumerate(listed)]
        with self._lock, self._base:
            self._base.execute(
                "CREATE TEMP TABLE listed (file TEXT PRIMARY KEY, name TEXT, ordinal INTEGER, status TEXT)"
            )
            self._base.executemany("INSERT OR IGNORE INTO listed VALUES (?, ?, ?, ?)", rows)
            self._base.execute("DELETE FROM documents WHERE file NOT IN (SELECT file FROM listed)")
            self._base.execute("DELETE FROM fields WHERE file NOT IN (SELECT file FROM listed)")
            self._base.execute(
                "INSERT INTO documents (file, name, ordinal, status) SELECT * FROM listed WHERE true "
                "ON CONFLICT (file) DO UPDATE SET name = excluded.name, ordinal = excluded.ordinal "
                "WHERE name IS NOT excluded.name OR ordinal IS NOT excluded.ordinal"
            )
            self._base.execute("DROP TABLE listed")

    def list_stamps(self) -> list[tuple[str, str]]:
        """(file, stamp) of every document, in order."""
        with self._lock:
            return [(f, s or "") for f, s in self._base.execute("SELECT file, stamp FROM documents ORDER BY ordinal")]

    def has_document(self, file: str) -> bool:
        with self._lock:
            return self._base.execute("SELECT 1 FROM documents WHERE file = ?", (file,)).fetchone() is not None

    def put(self, documents: Sequence[IndexedDocument]) -> None:
        # where another process holds the file for long, a document is read again at the next start: its stamp is old
        with contextlib.suppress(sqlite3.OperationalError), self._lock, self._base:
            for d in documents:
                lowest = min((min(sure) for sure in d.doubts.values()), default=None)
                self._base.execute(
                    "UPDATE documents SET name = ?, status = ?, stamp = ?, state = ?, lowest = ?, doubts = ?,"
                    " edits = ?, lost = ?, indexed = 1 WHERE file = ?",
                    (
                        d.name,
                        d.status,
                        d.stamp,
                        d.state,
                        lowest,
                        sum(map(len, d.doubts.values())),
                        d.edits,
                        d.lost,
                        d.file,
                    ),
                )
                self._base.execute("DELETE FROM fields WHERE file = ?", (d.file,))
                self._base.executemany(
                    "INSERT INTO fields VALUES (?, ?, ?, ?)",
                    [(d.file, field, min(sure), len(sure)) for field, sure in d.doubts.items()],
                )

    def count_progress(self) -> dict[str, int]:
        with self._lock:
            total, indexed, finished, started, lost = self._base.execute(
                "SELECT count(*), sum(indexed), sum(state = 'finished'), sum(state = 'started'), sum(lost)"
                " FROM documents"
            ).fetchone()
        told = {"total": total, "indexed": indexed, "finished": finished, "started": started, "lost": lost}
        return {name: count or 0 for name, count in told.items()}

    def list_fields(self) -> list[tuple[str, int]]:
        """(field, values to be decided), the most first."""
        with self._lock:
            return list(
                self._base.execute(
                    "SELECT field, sum(doubts) n FROM fields GROUP BY field ORDER BY n DESC, field LIMIT 500"
                )
            )

    def find(self, asked: QueueQuestion) -> tuple[int, list[dict[str, Json]]]:
        """How many documents are wanted, and those of one page."""
        lowest = "f.lowest" if asked.field else "d.lowest"
        tables = "documents d" + (" JOIN fields f ON f.file = d.file AND f.field = :field" if asked.field else "")
        wanted = {
            "d.status = :status": asked.status,
            "d.state != 'finished'": asked.state == "open",
            "d.state = :state": asked.state in ("started", "finished"),
            "instr(lower(d.name), lower(:search))": asked.search,
        }
        where = " AND ".join([condition for condition, is_wanted in wanted.items() if is_wanted] or ["true"])
        order = {
            "confidence": f"d.state = 'finished', {lowest} IS NULL, {lowest}, d.ordinal",
            "name": "d.name, d.ordinal",
        }.get(asked.sort, "d.ordinal")
        values = {"field": asked.field, "status": asked.status, "state": asked.state, "search": asked.search}
        bounds = {"limit": min(max(1, asked.limit), MAX_PAGE), "offset": max(0, asked.offset)}
        with self._lock:
            # every piece of the question is one of those above; what a person gave is bound
            (total,) = self._base.execute(f"SELECT count(*) FROM {tables} WHERE {where}", values).fetchone()  # noqa: S608
            rows = self._base.execute(
                f"SELECT d.file, d.name, d.status, d.state, {lowest}, d.doubts, d.edits, d.lost, d.indexed"  # noqa: S608
                f" FROM {tables} WHERE {where} ORDER BY {order} LIMIT :limit OFFSET :offset",
                values | bounds,
            ).fetchall()
        keys = ("file", "name", "status", "state", "lowest", "doubts", "edits", "lost", "indexed")
        return total, [dict(zip(keys, row, strict=True)) for row in rows]

    def close(self) -> None:
        with self._lock:
            self._base.close()
