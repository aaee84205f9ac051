"""SHA-256 of large files, computed once per state of a file.

The digests file is only a cache: if it is damaged, lost or cannot be written, digests are computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from extractor.types import Json

_BLOCK = 1 << 20


def compute_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, in hex; memory stays flat. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class DigestCache:
    """Digests under the absolute paths of files, each held only for the state that the file had when it was read."""

    memo_file: Path

    def find_digest(self, path: Path) -> str:
        """SHA-256 in hex, from the memo if the file is as it was. Raises OSError when it cannot be read."""
        state = _read_file_state(path)
        held = self._read_memo().get(_memo_key(path))
        if isinstance(held, list) and held[:-1] == state and isinstance(held[-1], str) and len(held[-1]) == 64:
            return held[-1]
        digest = compute_sha256(path)
        if _read_file_state(path) == state:  # else it was being written while it was read
            self._write_memo(path, [*state, digest])
        return digest

    def remember(self, path: Path, digest: str) -> None:
        """Stores a digest that the caller has just computed."""
        self._write_memo(path, [*_read_file_state(path), digest])

    def _read_memo(self) -> dict[str, Json]:
        try:
            held = json.loads(self.memo_file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return held if isinstance(held, dict) else {}

    def _write_memo(self, path: Path, entry: list[Json]) -> None:
        lines = {**self._read_memo(), _memo_key(path): entry}
        draft = self.memo_file.with_name(f"{self.memo_file.name}.{os.getpid()}")
        try:
            self.memo_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps(lines, indent=1, sort_keys=True), "utf-8")
            draft.replace(self.memo_file)
        except (OSError, UnicodeError):  # a read-only folder: the digest is computed again next time
            with contextlib.suppress(OSError):
                draft.unlink()


def _memo_key(path: Path) -> str:
    return str(path.absolute())


def _read_file_state(path: Path) -> list[Json]:
    """Size in bytes and both times in ns: mtime alone can be set back by whoever changes the file; ctime cannot."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
