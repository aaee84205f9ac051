"""Every error this project raises on purpose, split by what the caller should do about it.

    ExtractorError
    ├── UsageError          fix the command, the task or the setting; nothing was spent (exit 2)
    │   └── TaskError       a schema or prompt file is at fault; the message names the place
    ├── DocumentError       this document cannot be read; the others go on
    ├── ModelError          a request brought no usable reply; costs one chunk and field group
    │   ├── ModelBusy       worth trying again: 429, 5xx, time-outs, broken connections
    │   ├── ModelFatal      not worth trying again with any document: key, quota, unknown model
    │   │   └── BudgetSpent the run's own bound on requests, tokens or cost; what is finished stays (exit 1)
    │   ├── ReplyLate       the document's deadline was over before the reply was there
    │   ├── ReplyRefused    the model declined, or a filter did
    │   ├── ReplyCutShort   the reply hit its token limit
    │   ├── ReplyUnreadable the reply did not fit the schema, re-asking included
    │   └── CassetteMissing the request is on no cassette
    ├── RecordInvalid       a record does not fit the class that a caller asked for
    ├── CassetteStale       a cassette holds exchanges that no request asks for any more
    ├── WeightsError        model files: missing, incomplete, or of another digest
    ├── MachineError        the machine failed: disk full, folder not writable (exit 3)
    └── Interrupted         a signal ended it (exit 128 and its number)

A message is one sentence that says what to do next. Bugs are never wrapped in these.
"""

from extractor.types import Usage


class ExtractorError(Exception):
    """Base of the tree; `str(error)` is fit to show to a user."""


class UsageError(ExtractorError):
    pass


class TaskError(UsageError):
    pass


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
    """`retry_after` is in seconds."""

    reason = "busy"

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
