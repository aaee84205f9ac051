"""What this process may open and take: a run asks for no more at a time than it can do."""

from __future__ import annotations

import contextlib

from extractor.errors import MachineError

SPARE_DESCRIPTORS = 40
"""Descriptors for all but the documents under way: modules, the journal, an engine, threads that read."""
DESCRIPTORS_PER_REQUEST = 4
"""Descriptors of one document: its connection, its file, its result, the folder's names."""
MIN_MEMORY_BYTES = 400 << 20
"""Bytes of address space below which a run does not begin: 350 MB were seen to do, and with less Python may come to a
standstill when it starts a thread, which would look like a slow model."""


_M_ARENA_MAX = -8
"""glibc's name for how many arenas there may be at most."""


def _share_arena() -> None:
    """Has all threads to come take their memory from one arena, of 64 MB of addresses, where glibc gives each its own;
    on other systems nothing changes."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def limit_concurrency(at_once: int) -> int:
    """So many at a time, or as many as there are descriptors for.

    Raises MachineError when that is none, and where there is too little memory.
    """
    try:
        import resource
    except ImportError:  # no limit of this kind, as on Windows
        return at_once
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space != resource.RLIM_INFINITY and space < MIN_MEMORY_BYTES:
        raise MachineError(
            f"This process may take {space >> 20} MiB of memory only, which is too little; raise the limit: "
            f"ulimit -v {MIN_MEMORY_BYTES >> 10}."
        )
    if space != resource.RLIM_INFINITY:
        _share_arena()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SPARE_DESCRIPTORS + DESCRIPTORS_PER_REQUEST * at_once
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(raised, soft), hard))
            soft = max(raised, soft)
        at_once = min(at_once, (soft - SPARE_DESCRIPTORS) // DESCRIPTORS_PER_REQUEST)
    if at_once < 1:
        raise MachineError(
            f"This process may open {soft} files only, which is too few; raise the limit: ulimit -n 256."
        )
    return at_once
