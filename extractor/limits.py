"""What this process may open: a run asks for no more at a time than its file descriptors allow."""

from __future__ import annotations

import contextlib

from extractor.errors import MachineError

SPARE = 40
"""Descriptors for all but the documents under way: modules, the journal, an engine, threads that read."""
EACH = 4
"""Descriptors of one document: its connection, its file, its result, the folder's names."""


def affordable(at_once: int) -> int:
    """So many at a time, or as many as there are descriptors for. Raises MachineError when that is none."""
    try:
        import resource
    except ImportError:  # no limit of this kind, as on Windows
        return at_once
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SPARE + EACH * at_once
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(raised, soft), hard))
            soft = max(raised, soft)
        at_once = min(at_once, (soft - SPARE) // EACH)
    if at_once < 1:
        raise MachineError(
            f"This process may open {soft} files only, which is too few; raise the limit: ulimit -n 256."
        )
    return at_once
