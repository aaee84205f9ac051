"""A filter of system calls (seccomp(2)): what a process may not ask the kernel for any more, such as a socket.

A program of the kernel's packet filter looks at each call's number. What it refuses fails with EPERM, which libraries
take for any other refusal. Numbers differ between machines: x86-64 and 64-bit ARM are known here; elsewhere there is no
filter, and `can_filter_calls` says so.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Sequence

from extractor.documents.confinement.system_calls import PR_SET_SECCOMP, set_process_option

_FILTER_MODE = 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_CLONE_THREAD = 0x00010000
_FOREIGN_NUMBERS = 0x40000000
"""From here on are the calls of x86-64's second table (x32)."""

# name: x86-64, 64-bit ARM (asm/unistd_64.h, asm-generic/unistd.h); None: the machine has none of that name
_NETWORK = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "listen": (50, 201),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
_OTHER_PROCESSES = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "setns": (308, 268),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "mq_open": (240, 180),
    "setsid": (112, 157),
    "setpgid": (109, 154),  # it ends with its group
}
_FILES = {  # what Landlock does not look at
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
}
_SYSTEM = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
_PROGRAMS = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1), "arm64": (0xC00000B7, 1)}
"""The kernel's number of a machine (linux/audit.h), and its column above."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def can_filter_calls() -> bool:
    """Whether the calls of this machine are known here."""
    return sys.platform == "linux" and platform.machine() in _MACHINES and struct.calcsize("P") == 8


def refuse_calls(*, run_programs: bool = False) -> None:
    """Takes from this process, and all that it starts, the network, other processes and a file's owner and mode; unless
    it may run programs, new processes and signals, too. Threads stay.

    It must not gain privileges any more (PR_SET_NO_NEW_PRIVS). Raises OSError.
    """
    machine, column = _MACHINES[platform.machine()]
    refused = {**_NETWORK, **_OTHER_PROCESSES, **_FILES, **_SYSTEM, **({} if run_programs else _PROGRAMS)}
    steps = _build_program(
        machine,
        [number for call in refused.values() if (number := call[column]) is not None],
        None if run_programs else (_CLONE[column], _CLONE3[column]),
    )
    program = _Program(len(steps), b"".join(steps))
    set_process_option(PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program))


def _build_program(machine: int, refused: Sequence[int], clone: tuple[int, int] | None) -> list[bytes]:
    """The filter's steps. `clone` are the numbers of the calls that make threads as well as processes."""
    refuse = _step(_RETURN, _REFUSE | errno.EPERM)
    steps = [
        _step(_LOAD, _MACHINE_AT),
        _step(_EQUAL, machine, 1, 0),
        refuse,
        _step(_LOAD, _NUMBER_AT),
        _step(_AT_LEAST, _FOREIGN_NUMBERS, 0, 1),
        refuse,
    ]
    for number in sorted(refused):
        steps += [_step(_EQUAL, number, 0, 1), refuse]
    if clone is not None:
        old, new = clone
        # what it would make is in memory, which a filter cannot read: libraries go back to the older call then
        steps += [_step(_EQUAL, new, 0, 1), _step(_RETURN, _REFUSE | errno.ENOSYS)]
        steps += [
            _step(_EQUAL, old, 0, 3),
            _step(_LOAD, _FIRST_ARGUMENT_AT),
            _step(_ANY_BIT, _CLONE_THREAD, 1, 0),
            refuse,
        ]
    return [*steps, _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction (struct sock_filter): what to do, how many steps to skip when it holds, and when it does not."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
