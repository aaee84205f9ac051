"""Work on hostile input that must end by itself: in a process of its own, which the system ends where it does not."""

import os
import resource
from collections.abc import Callable

CPU_SECONDS = 30
"""A thousand times what such work takes, and nothing to what it took without its cure: minutes, or for ever."""
MEMORY_BYTES = 2 << 30


def ends_soon(work: Callable[[], object]) -> bool:
    """Whether the work ends, without an error, within a bound that no machine needs."""
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 -- whatever it is, the work has not ended well
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
