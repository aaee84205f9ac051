"""Processes that this one starts: none of them runs code that the working folder chooses, and none is given a key.

A child that is Python starts with -I: no variable of the environment adds code to it, and neither the working folder
nor the folder of a script is looked into for modules. The package is loaded from where this process has it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

_PACKAGE = Path(__file__).absolute().parent
_KEPT = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT"),  # Windows starts nothing without
)
"""What any program may need, and no key is in."""


def build_child_environment(*also_kept: str) -> dict[str, str]:
    """The environment of a child: the few variables that a program needs to run, and those of the names given.

    A name that ends in `*` stands for all that begin so. Folders of PATH that are relative are left out: a program
    would be looked for in the working folder.
    """
    names, starts = {n for n in (*_KEPT, *also_kept) if n[-1] != "*"}, [n[:-1] for n in also_kept if n[-1] == "*"]
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in names or any(name.upper().startswith(start) for start in starts)
    }
    if "PATH" in kept:
        kept["PATH"] = os.pathsep.join(
            folder for folder in kept["PATH"].split(os.pathsep) if Path(folder).is_absolute()
        )
    return {**kept, "NoDefaultCurrentDirectoryInExePath": "1"} if os.name == "nt" else kept


def find_neutral_folder() -> str:
    """A folder for a child to work in, since what is looked for in the working folder would be found there."""
    return "/" if os.name == "posix" else tempfile.gettempdir()


def build_python_command(module: str, *arguments: str) -> list[str]:
    """The command that calls `main` of a module of this package, with the arguments, in a Python of its own."""
    program = str(_PACKAGE / "child_start.py")
    return [
        *(sys.executable, "-I", "-B", "-X", "utf8", program),
        *(str(_PACKAGE), json.dumps(list_library_folders()), module, *arguments),
    ]


def list_library_folders() -> list[str]:
    """Where this process imports from, without the working folder. A child looks there after its own libraries."""
    try:
        here = Path.cwd().stat()
    except OSError:  # it was removed
        return [folder for folder in sys.path if Path(folder).is_absolute()]
    found = []
    for folder in sys.path:
        try:
            if Path(folder).is_absolute() and not os.path.samestat(Path(folder).stat(), here):
                found.append(folder)
        except OSError:  # an entry that leads nowhere
            continue
    return found
