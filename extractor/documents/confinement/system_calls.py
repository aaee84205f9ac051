"""Calls of the Linux kernel that Python has no name for."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 3, 4
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38


@cache
def _load_library() -> Any:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def call_kernel(number: int, *arguments: Any) -> int:
    """The result of a system call. Raises OSError where it is refused."""
    return _checked(_load_library().syscall(ctypes.c_long(number), *arguments))


def set_process_option(option: int, *values: Any) -> int:
    """prctl(2). Raises OSError where it is refused."""
    padded = [ctypes.c_ulong(v) if isinstance(v, int) else v for v in (*values, *(0,) * (4 - len(values)))]
    return _checked(_load_library().prctl(ctypes.c_int(option), *padded))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
