"""All that a process gives up at once, as far as the system can take it away, and a look at what it was.

| of a reader                       | Linux | macOS | Windows |
|-----------------------------------|-------|-------|---------|
| an environment without keys       | yes   | yes   | yes     |
| time, from outside                | yes   | yes   | yes     |
| CPU time, size of files, handles  | yes   | yes   | no      |
| memory                            | yes   | no    | no      |
| files, other processes            | 5.13  | no    | no      |
| the network, new processes        | x86-64 and 64-bit ARM | no | no |
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from extractor.documents.confinement import landlock, seccomp
from extractor.documents.confinement.system_calls import (
    PR_GET_DUMPABLE,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    set_process_option,
)

_MAX_HANDLES = 256
_SYSTEM_FOLDERS = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/nix/store", "/gnu/store")
"""Libraries, programs, fonts and the data that they come with."""
_SYSTEM_FILES = (
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/mime.types", "/etc/alternatives", "/dev/urandom"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu"),
)
_BIT_BUCKET = "/dev/null"


def limit_memory(most: int) -> None:
    """Bounds what this process, and each that it starts, may have of memory, in bytes; no core is dumped of it."""
    try:
        import resource
    except ImportError:  # no such limits on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux" and (hard == resource.RLIM_INFINITY or most < hard):
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def limit_work(seconds: float, *, run_programs: bool) -> None:
    """Bounds CPU time, open files and what can be written; without programs, new processes too. Pipes are no files."""
    try:
        import resource
    except ImportError:  # no such limits on Windows
        return
    _lower_limit(resource.RLIMIT_CPU, int(seconds) + 2)
    _lower_limit(resource.RLIMIT_NOFILE, _MAX_HANDLES)
    _lower_limit(resource.RLIMIT_FSIZE, 0)
    if sys.platform == "linux" and not run_programs and not seccomp.can_filter_calls():
        _lower_limit(resource.RLIMIT_NPROC, 0)  # threads count as well


def _lower_limit(which: int, most: int) -> None:
    import resource

    _, hard = resource.getrlimit(which)
    with suppress(OSError, ValueError):
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (least, least))


def end_with_parent() -> None:
    """Lets the system end this process when the one that forked it ends, in whatever way."""
    with suppress(OSError):
        set_process_option(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def confine_process(file: Path, *, run_programs: bool) -> None:
    """Takes from this process all files but this one, libraries and programs; the network; other processes.

    For good, and from all that it starts. What the system cannot take away stays: `probe_confinement` tells.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):
        set_process_option(PR_SET_NO_NEW_PRIVS, 1)
        if landlock.find_landlock_version():
            readable = [*list_library_folders(run_programs), *_SYSTEM_FILES, str(file)]
            landlock.restrict_files(readable, [_BIT_BUCKET], run_programs=run_programs)
    with suppress(OSError):
        if seccomp.can_filter_calls():
            seccomp.refuse_calls(run_programs=run_programs)


def list_library_folders(with_programs: bool) -> Iterator[str]:
    """Folders that code is loaded from, and where programs want to be run those of PATH and their data."""
    yield from _SYSTEM_FOLDERS
    yield from (sys.prefix, sys.base_prefix, sys.exec_prefix)
    yield str(Path(__file__).parent.parent.parent)
    yield from filter(os.path.isabs, sys.path)
    if with_programs:
        yield from filter(os.path.isabs, os.environ.get("PATH", "").split(os.pathsep))
        yield from filter(None, [os.environ.get("TESSDATA_PREFIX")])


@contextmanager
def hide_from_readers() -> Iterator[None]:
    """Closes this process to those of the same user while the block lasts, where a reader could look into it else.

    Its memory and its environment hold keys. A reader that is confined by Landlock cannot look at them, so that there
    nothing changes; on older kernels no debugger can be attached either, and no core is dumped.
    """
    before = 0
    if sys.platform == "linux" and not landlock.find_landlock_version():
        with suppress(OSError):
            before = set_process_option(PR_GET_DUMPABLE)
            set_process_option(PR_SET_DUMPABLE, 0)
    try:
        yield
    finally:
        if before:
            with suppress(OSError):
                set_process_option(PR_SET_DUMPABLE, before)


def probe_confinement() -> Mapping[str, bool]:
    """What was really taken from this process: each is tried. It asks nobody and changes nothing."""
    if sys.platform != "linux":
        return dict.fromkeys(_ATTEMPTS, False)
    return {name: _is_refused(attempt) for name, attempt in _ATTEMPTS.items()}


def _is_refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _open_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def _write_file() -> None:
    os.close(os.open(Path(__file__).parent, os.O_RDWR | getattr(os, "O_TMPFILE", os.O_CREAT), 0o600))


def _read_foreign_file() -> None:
    os.listdir("/etc" if os.name == "posix" else str(Path.home()))  # noqa: PTH208


def _look_into_parent() -> None:
    Path(f"/proc/{os.getppid()}/environ").read_bytes()


def _start_process() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


_ATTEMPTS: Mapping[str, Callable[[], object]] = {
    "no network": _open_socket,
    "writes no file": _write_file,
    "reads no file but its own": _read_foreign_file,
    "sees no other process": _look_into_parent,
    "starts no process": _start_process,
}
