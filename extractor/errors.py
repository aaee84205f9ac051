"""Every error this project raises on purpose, split by what the caller should do about it.

    ExtractorError
    ├── UsageError          fix the command, the task or the setting; nothing was spent (exit 2)
    │   ├── TaskError       a schema or prompt file is at fault; the message names the place
    │   └── ResultUnreadable a file that was given as a result or run is none
    ├── DocumentError       this document cannot be read; the others go on
    ├── ModelError          a request brought no usable reply; costs one chunk and field group
    │   ├── ModelBusy       worth trying again: 429, 5xx, time-outs, broken connections
    │   ├── ModelFatal      not worth trying again with any document: key, quota, unknown model
    │   │   └── BudgetSpent the run's own bound on requests, tokens or cost; what is finished stays (exit 1)
    │   ├── ReplyLate       the document's deadline was over before the reply was there
    │   ├── ReplyRefused    the model declined, or a filter did
    │   ├── ReplyCutShort   the reply hit its token limit
    │   ├── ReplyUnreadable the reply did not fit the schema, re-asking included
    │   │   └── OnlyReasoned the model thought, and gave no answer
    │   └── CassetteMissing the request is on no cassette
    ├── DecisionConflict    somebody else has decided about the document since the person looked at it
    ├── RecordInvalid       a record does not fit the class that a caller asked for
    ├── CassetteStale       a cassette holds exchanges that no request asks for any more
    ├── WeightsError        model files: missing, incomplete, or of another digest
    ├── MachineError        the machine failed: disk full, folder not writable (exit 3)
    └── Interrupted         a signal ended it (exit 128 and its number)

A message is one sentence that says what to do next. Bugs are never wrapped in these.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from extractor.types import Usage

TOO_LONG = "too long"
"""The reason of a ModelError whose request does not fit the model's window; a smaller chunk may."""
DISTRIBUTION = "recordproof"
"""What the package index knows this package by; what is imported is `extractor`."""


class ExtractorError(Exception):
    """Base of the tree; `str(error)` is fit to show to a user."""


class UsageError(ExtractorError):
    pass


class TaskError(UsageError):
    pass


class ResultUnreadable(UsageError):
    """`why` goes on from the file's name: "is not whole JSON". `missing` says that there is no file to be read, and
    `format` is what a file of another format says that it is; it may be anything."""

    def __init__(self, why: str, *, missing: bool = False, format: str = "") -> None:  # noqa: A002
        super().__init__(f"The file {why}; give one that a run wrote.")
        self.why = why
        self.missing = missing
        self.format = format


class DecisionConflict(ExtractorError):
    """Somebody else has decided about a document since the person looked at it; nothing was written."""


class DocumentError(ExtractorError):
    def __init__(self, message: str, *, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class ModelError(ExtractorError):
    """`reason` is the word under which the failure is counted; `usage` what was spent before it; `lost` says that the
    request may have been paid for though no reply came that can be read."""

    reason = "model"
    usage: Usage = Usage()

    def __init__(self, message: str = "", *, reason: str | None = None, lost: bool = False) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason
        self.lost = lost


class ModelBusy(ModelError):
    """`retry_after` is in seconds; `rests_alone`, no other request has to wait for it, since others are served."""

    reason = "busy"
    rests_alone = False

    def __init__(
        self, message: str, *, reason: str | None = None, retry_after: float | None = None, lost: bool = False
    ) -> None:
        super().__init__(message, reason=reason, lost=lost)
        self.retry_after = retry_after


class ModelFatal(ModelError):
    reason = "fatal"


class BudgetSpent(ModelFatal):
    reason = "budget"


class ReplyLate(ModelError):
    reason = "deadline"


class ReplyRefused(ModelError):
    reason = "refused"


class ReplyCutShort(ModelError):
    reason = "cut short"

    def __init__(self, message: str, *, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class ReplyUnreadable(ModelError):
    reason = "unreadable"


class OnlyReasoned(ReplyUnreadable):
    """`at_limit`, it thought until the end of the tokens that a reply may have, and more of them did not help."""

    reason = "only reasoned"

    def __init__(self, message: str, *, at_limit: bool = False) -> None:
        super().__init__(message)
        self.at_limit = at_limit


class CassetteMissing(ModelError):
    reason = "not recorded"


class RecordInvalid(ExtractorError):
    pass


class CassetteStale(UsageError):
    pass


class WeightsError(UsageError):
    pass


class MachineError(ExtractorError):
    pass


class Interrupted(ExtractorError):
    def __init__(self, signal: int) -> None:
        super().__init__("Interrupted; what was finished is kept. Run it again to go on.")
        self.signal = signal


def name_install_command(extra: str) -> str:
    """The command that brings an extra of this package to the Python that runs, for messages.

    A checkout is installed from its own folder, a wheel by its name. Where no environment is active, `pip` would be
    another Python's, so the command names this one.
    """
    checkout = Path(__file__).parent.parent
    if _is_checkout(checkout):
        where = "." if checkout.samefile(".") else str(checkout)
        wanted = f"-e {_quote_for_shell(f'{where}[{extra}]')}"
    else:
        wanted = _quote_for_shell(f"{DISTRIBUTION}[{extra}]")
    is_active = os.environ.get("VIRTUAL_ENV") == sys.prefix
    pip = "pip" if is_active or not sys.executable else f"{shlex.quote(sys.executable)} -m pip"
    return f"{pip} install {wanted}"


def _is_checkout(folder: Path) -> bool:
    """Whether the package lies in its repository; a pyproject.toml beside it may be anybody's."""
    try:
        return f'name = "{DISTRIBUTION}"' in (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _quote_for_shell(text: str) -> str:
    """In quotes always, since brackets are patterns to some shells; cmd.exe knows double quotes alone."""
    return f'"{text}"' if os.name == "nt" else shlex.quote(text)
