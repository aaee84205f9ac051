"""Landlock (landlock(7), Linux 5.13 and later): which files a process may still open, decided by itself and for good.

A confined process can also look into no process outside: neither at its memory nor at its environment, in whatever way
and as whatever user (security/landlock/ptrace.c). Names and numbers are those of linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache

from extractor.documents.confinement.system_calls import call_kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FILE_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All that is done with files, as far as a version knows it: what is not granted is refused."""
_TCP, _ABSTRACT_SOCKETS_AND_SIGNALS = 0b11, 0b11
_TCP_SINCE, _SCOPES_SINCE = 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


@cache
def find_landlock_version() -> int:
    """The version of Landlock that this kernel has, from 1; 0 where it has none, or it is turned off."""
    try:
        return call_kernel(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except (OSError, AttributeError):
        return 0


def restrict_files(readable: Iterable[str], writable: Iterable[str] = (), *, run_programs: bool = False) -> None:
    """Takes from this process, and all that it starts, every file but those below the paths; also TCP, and signals to
    others, where the kernel can.

    It must not gain privileges any more (PR_SET_NO_NEW_PRIVS). What does not exist is not granted. Raises OSError.
    """
    version = find_landlock_version()
    handled = _FILE_RIGHTS_BY_VERSION[max(v for v in _FILE_RIGHTS_BY_VERSION if v <= version)]
    net = _TCP if version >= _TCP_SINCE else 0
    scoped = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPES_SINCE else 0
    size = 24 if scoped else 16 if net else 8  # an older kernel refuses what it does not know
    asked = _Ruleset(handled, net, scoped)
    rules = call_kernel(_CREATE_RULESET, ctypes.byref(asked), ctypes.c_size_t(size), ctypes.c_uint32(0))
    read = _READ_FILE | _READ_DIR | (_EXECUTE if run_programs else 0)
    try:
        for path in readable:
            _allow(rules, path, read)
        for path in writable:
            _allow(rules, path, _READ_FILE | _WRITE_FILE)
        call_kernel(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            is_folder = os.path.isdir(path)  # noqa: PTH112 - a string from end to end
            rule = _PathRule(rights if is_folder else rights & ~_READ_DIR, place)
            call_kernel(
                _ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
            )
        finally:
            os.close(place)
