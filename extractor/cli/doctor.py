"""`extractor doctor`: what is installed, and what this system takes from the processes that read strangers' files."""

from __future__ import annotations

import argparse
import platform
import sys

from extractor.cli.console import sanitize_for_terminal


def add_doctor_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser(
        "doctor", help="which formats can be read here, which engines there are, and how well the reader is confined"
    )
    doctor.set_defaults(command=_run_doctor_command)


def _run_doctor_command(flags: argparse.Namespace) -> int:
    """0 where a reader has nothing that can be taken from one; 1 where this system leaves it something."""
    from extractor._version import __version__
    from extractor.documents.confinement.landlock import find_landlock_version
    from extractor.documents.confinement.seccomp import can_filter_calls
    from extractor.documents.formats import FORMATS_BY_SUFFIX
    from extractor.documents.formats.sandbox import probe_reader
    from extractor.models.local.engines import describe_engines

    print(f"extractor {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}")
    print("\nFormats:")
    for suffix, kind in FORMATS_BY_SUFFIX.items():
        print(f"  {suffix:10} {kind.missing_extra() or 'read'}")
    print("\nEngines of embedded models:")
    for name, state in describe_engines():
        print(sanitize_for_terminal(f"  {name:12} {state}"))
    landlock = f"Landlock {version}" if (version := find_landlock_version()) else "no Landlock"
    calls = "a filter of system calls" if can_filter_calls() else "no filter of system calls"
    print(f"\nA reader of files has a process, an environment without keys, and bounds on time; {landlock}, {calls}:")
    held = probe_reader()
    for promise, holds in held.items():
        print(f"  {'yes' if holds else 'no ':4} {promise}")
    if all(held.values()):
        return 0
    where = "on Linux 5.13 or later, x86-64 or 64-bit ARM" if sys.platform != "linux" else "with a newer kernel"
    print(f"\nWhat says no cannot be taken away here; it can {where}. See docs/security.md.")
    return 1
