"""Names of result files: the document's own where it can be had, never outside the folder, no two the same."""

from __future__ import annotations

import hashlib
import os
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

from extractor.documents.discovery import printable

_LONGEST_STEM = 180
"""Bytes of a file name kept before the suffix, well under the 255 that file systems allow."""
_OWN = ("run.json",)


def folded(name: str) -> str:
    """As the most forgetful file system compares it: without case, composed."""
    return unicodedata.normalize("NFC", name.casefold())


class Names:
    """The names of one folder's result files, told apart as `folded` compares them."""

    def __init__(self) -> None:
        self._taken = set(map(_short, _OWN))

    def take(self, name: str) -> None:
        """Keeps a name for who has it."""
        self._taken.add(_short(name))

    def file(self, path: Path, free: Callable[[str], bool] = lambda name: True) -> str:
        """A name that nobody has, of those that are `free`; for the same path, where it can be, the same one."""
        whole = printable(path.stem)
        stem = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in whole) or "_"
        encoding = sys.getfilesystemencoding()
        stem = stem.encode(encoding, "replace").decode(encoding).replace("?", "_")
        while len(stem.encode()) > _LONGEST_STEM:
            stem = stem[:-1]
        name, tries = f"{stem}.json", 0
        while _short(name) in self._taken or not free(name) or (not tries and stem != whole):
            name = f"{stem}-{hashlib.sha256(os.fsencode(path) + bytes(tries)).hexdigest()[:8]}.json"
            tries += 1
        self.take(name)
        return name


def _short(name: str) -> bytes:
    """Enough of a digest to tell 100,000 names apart; a clash that is none costs a longer name, nothing else."""
    return hashlib.blake2b(folded(name).encode(), digest_size=8).digest()
