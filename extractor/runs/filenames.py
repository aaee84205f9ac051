"""Names of result files: the document's own where it can be had, never outside the folder, no two the same."""

from __future__ import annotations

import hashlib
import os
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

from extractor.digest_set import DigestSet
from extractor.documents.discovery import printable_name

_LONGEST_STEM = 180
"""Bytes of a file name kept before the suffix, well under the 255 that file systems allow."""
_RESERVED_NAMES = ("run.json",)


def fold_filename(name: str) -> str:
    """The name as the least distinguishing file system compares it: without case, composed."""
    return unicodedata.normalize("NFC", name.casefold())


class FilenameRegistry:
    """The names of one folder's result files, distinct as `fold_filename` compares them.

    It holds digests; a clash that is none costs a longer name, nothing else.
    """

    def __init__(self, expected: int = 0) -> None:
        """Room is made at once for the names that are `expected`."""
        self._taken = DigestSet(expected + len(_RESERVED_NAMES))
        for name in _RESERVED_NAMES:
            self.reserve_name(name)

    def reserve_name(self, name: str) -> None:
        """Reserves a name."""
        self._taken.add(fold_filename(name))

    def has_name(self, name: str) -> bool:
        """Whether somebody has the name."""
        return fold_filename(name) in self._taken

    def choose_filename(self, path: Path, free: Callable[[str], bool] = lambda name: True) -> str:
        """A name that nobody has, of those that are `free`; for the same path, where it can be, the same one."""
        printable = printable_name(path.stem)
        stem = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in printable) or "_"
        encoding = sys.getfilesystemencoding()
        stem = stem.encode(encoding, "replace").decode(encoding).replace("?", "_")
        while len(stem.encode()) > _LONGEST_STEM:
            stem = stem[:-1]
        name, tries = f"{stem}.json", 0
        while fold_filename(name) in self._taken or not free(name) or (not tries and stem != printable):
            name = f"{stem}-{hashlib.sha256(os.fsencode(path) + bytes(tries)).hexdigest()[:8]}.json"
            tries += 1
        self.reserve_name(name)
        return name
