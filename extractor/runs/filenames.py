"""Names of result files: the document's own where it can be had, never outside the folder, no two the same."""

from __future__ import annotations

import hashlib
import os
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

from extractor.documents.discovery import printable_name

_LONGEST_STEM = 180
"""Bytes of a file name kept before the suffix, well under the 255 that file systems allow."""
_RESERVED_NAMES = ("run.json",)


def fold_filename(name: str) -> str:
    """The name as the least distinguishing file system compares it: without case, composed."""
    return unicodedata.normalize("NFC", name.casefold())


class FilenameRegistry:
    """The names of one folder's result files, distinct as `fold_name` compares them."""

    def __init__(self) -> None:
        self._taken = set(map(_hash_name, _RESERVED_NAMES))

    def reserve_name(self, name: str) -> None:
        """Reserves a name."""
        self._taken.add(_hash_name(name))

    def has_name(self, name: str) -> bool:
        """Whether somebody has the name."""
        return _hash_name(name) in self._taken

    def choose_filename(self, path: Path, free: Callable[[str], bool] = lambda name: True) -> str:
        """A name that nobody has, of those that are `free`; for the same path, where it can be, the same one."""
        printable = printable_name(path.stem)
        stem = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in printable) or "_"
        encoding = sys.getfilesystemencoding()
        stem = stem.encode(encoding, "replace").decode(encoding).replace("?", "_")
        while len(stem.encode()) > _LONGEST_STEM:
            stem = stem[:-1]
        name, tries = f"{stem}.json", 0
        while _hash_name(name) in self._taken or not free(name) or (not tries and stem != printable):
            name = f"{stem}-{hashlib.sha256(os.fsencode(path) + bytes(tries)).hexdigest()[:8]}.json"
            tries += 1
        self.reserve_name(name)
        return name


def _hash_name(name: str) -> bytes:
    """Enough of a digest to tell 100,000 names apart; a clash that is none costs a longer name, nothing else."""
    return hashlib.blake2b(fold_filename(name).encode(), digest_size=8).digest()
