"""Work on hostile input that must end by itself: in a process of its own, which the system ends where it does not."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

CPU_SECONDS = 30
"""A thousand times what such work takes, and nothing to what it took without its cure: minutes, or for ever."""
MEMORY_BYTES = 2 << 30
"""What the work may take beside what the process has already."""
HUNG_SECONDS = 300
"""After so long a process that computes nothing is no slow one but a hung one."""


def ends_soon(work: Callable[[], object]) -> bool:
    """Whether the work ends, without an error, within a bound that no machine needs."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(HUNG_SECONDS)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            if (most := _count_mapped_bytes()) is not None:
                resource.setrlimit(resource.RLIMIT_AS, (most + MEMORY_BYTES, most + MEMORY_BYTES))
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 -- whatever it is, the work has not ended well
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _count_mapped_bytes() -> int | None:
    """The address space of this process, of which a worker that has run many tests has gigabytes; None where nobody
    tells."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[0]) * resource.getpagesize() if told.is_file() else None
