"""Large blocks of memory go back to the system when they are freed, for as long as a run takes.

glibc keeps blocks as large as the largest that was ever freed in its heap, where small ones that stay soon lie in each
hole. Python's table of interned strings, to which every path adds its names, is such a block: it was made anew, 2 MB,
after each 25,000 documents, and the old one never used again.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

LARGE = 1 << 20
"""Bytes from which on a block is the system's own."""
_M_MMAP_THRESHOLD = -3
"""Of glibc's malloc.h."""


def give_back_large_blocks() -> None:
    """From now on, in this process; where the C library has no such setting, nothing happens."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
