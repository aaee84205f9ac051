import os
import sys


def _leave_working_folder_out() -> None:
    """Takes back what `python -m` does: it looks for every module in the working folder before all libraries.

    A folder named extractor in it has been taken for this package by then: docs/security.md says what to do.
    """
    try:
        is_added = not sys.flags.safe_path and sys.path[0] in ("", os.getcwd())  # noqa: PTH109 - imports are what is unsafe
    except OSError:  # the folder was removed
        return
    if is_added:
        del sys.path[0]


_leave_working_folder_out()

from extractor.cli.main import entry  # noqa: E402

entry()
