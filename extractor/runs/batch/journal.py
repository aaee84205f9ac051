"""The journal of an output folder's batches: what is about to be done with each stands in it before it is done.

The format is `extractor.batches/1`, JSON Lines, each line one event of one batch, on disk before the run goes on.
A last line that a kill has torn is dropped: what it would have told is found out from the vendor.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from extractor.errors import MachineError, UsageError
from extractor.files import make_folder, require_regular_file, sync_folder
from extractor.models.batch.interface import Submission, is_id
from extractor.models.limits.budget import TokenEstimate
from extractor.types import Json

FOLDER = "batches"
JOURNAL_FILE = "journal.jsonl"
FORMAT = "extractor.batches/1"
_NAME = re.compile(r"extractor-[0-9a-f]{16}")


class BatchEvent(StrEnum):
    WRITTEN = "written"
    """Its requests are in a file; nothing was sent."""
    UPLOADED = "uploaded"
    SUBMITTING = "submitting"
    """It is being submitted; whether it was is the vendor's to say."""
    SUBMITTED = "submitted"
    FOREIGN = "foreign"
    """What was taken for it was another's."""
    ENDED = "ended"
    """Its replies are in the cache."""
    REFUSED = "refused"
    """It was never asked."""


OPEN = frozenset({BatchEvent.WRITTEN, BatchEvent.UPLOADED, BatchEvent.SUBMITTING, BatchEvent.SUBMITTED})


@dataclass(slots=True)
class Batch:
    """One batch, as far as the journal tells."""

    name: str
    state: BatchEvent
    address: str
    model: str
    requests: int
    most: TokenEstimate
    """Tokens that it may take at most."""
    uploaded: str = ""
    since: float = 0.0
    """When it was submitted, in seconds of the epoch."""
    batch_id: str = ""
    foreign: frozenset[str] = frozenset()
    took: TokenEstimate = field(default_factory=lambda: TokenEstimate(0, 0))
    answered: int = 0
    unanswered: Mapping[str, str] = field(default_factory=dict)
    """Why there is no reply, by the key of each request without one."""

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def describe_failures(self) -> str:
        counts = Counter(self.unanswered.values())
        return ", ".join(f"{many:,} {reason}" for reason, many in counts.most_common(5))


class BatchJournal:
    """All batches of one output folder. One process at a time: its caller holds the folder's lock."""

    def __init__(self, out: Path) -> None:
        """Raises MachineError where it cannot be opened, and UsageError for one of another version."""
        self.folder = out / FOLDER
        self.batches: dict[str, Batch] = {}
        path = self.folder / JOURNAL_FILE
        try:
            make_folder(self.folder, 0o700)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                require_regular_file(self._handle)
                self._read()
            except BaseException:
                os.close(self._handle)
                raise
        except OSError as error:
            raise MachineError(f"{path} cannot be opened ({error.strerror}); choose another -o.") from error

    def _read(self) -> None:
        data = b""
        while part := os.pread(self._handle, 1 << 20, len(data)):
            data += part
        whole = data[: data.rfind(b"\n") + 1]
        os.ftruncate(self._handle, len(whole))
        self._end = len(whole)
        lines = whole.splitlines()
        if not lines:
            self._write({"format": FORMAT})
        elif _parse(lines[0]).get("format") != FORMAT:
            raise UsageError(f"{self.folder / JOURNAL_FILE} is of another version; choose another -o.")
        for line in lines[1:]:
            try:
                self._apply(_parse(line))
            except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
                raise _describe_damage() from None

    def _apply(self, told: Mapping[str, Json]) -> None:
        name, event = told["batch"], BatchEvent(told["event"])
        if event is BatchEvent.WRITTEN:
            if not _NAME.fullmatch(name):  # files are called by it
                raise ValueError("a batch of another name")
            address, model = _require(told, str, "address", "model")
            requests, *tokens = _require(told, int, "requests", "input_tokens", "output_tokens")
            self.batches[name] = Batch(name, event, address, model, requests, TokenEstimate(*tokens))
            return
        one = self.batches[name]
        one.state = event
        match event:
            case BatchEvent.UPLOADED:
                (one.uploaded,) = _require(told, str, "file")
            case BatchEvent.SUBMITTING:
                one.since = float(told["at"])
            case BatchEvent.SUBMITTED:
                if not is_id(told["id"]):
                    raise ValueError("a batch by what is no id")
                one.batch_id = told["id"]
            case BatchEvent.FOREIGN:
                one.state, one.foreign = BatchEvent.SUBMITTING, one.foreign | {one.batch_id}
                one.batch_id = ""
            case BatchEvent.ENDED:
                one.answered, *tokens = _require(told, int, "answered", "input_tokens", "output_tokens")
                one.took, one.unanswered = TokenEstimate(*tokens), told["unanswered"]
                if not all(isinstance(word, str) for word in one.unanswered.values()):
                    raise ValueError("a reason that is no text")

    def record(self, name: str, event: BatchEvent, **told: Json) -> None:
        """Writes an event, on disk when this returns, and applies it."""
        line = {"batch": name, "event": str(event), "at": round(time.time(), 3), **told}
        self._write(line)
        self._apply(line)

    def _write(self, line: Mapping[str, Json]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._handle, data[written:], self._end + written)
            os.fsync(self._handle)
            sync_folder(self.folder)
        except OSError as error:
            raise MachineError(
                f"{self.folder / JOURNAL_FILE} cannot be written ({error.strerror}); free the disk, and run it again."
            ) from error
        self._end += len(data)

    def list_open(self, address: str) -> list[Batch]:
        """The batches at an address whose replies are not in the cache yet."""
        return [one for one in self.batches.values() if one.is_open and one.address == address]

    def name_request_file(self, name: str) -> Path:
        return self.folder / f"{name}.requests.jsonl"

    def name_reply_file(self, name: str) -> Path:
        return self.folder / f"{name}.replies.jsonl"

    def describe_submission(self, one: Batch) -> Submission:
        """The batch as a vendor's interface is given it."""
        return Submission(one.name, self.name_request_file(one.name), one.requests, one.model)

    def remove_strays(self) -> None:
        """Removes files of requests that no batch has: a process ended before it had written all of them."""
        for path in self.folder.glob("*.requests.jsonl"):
            one = self.batches.get(path.name.removesuffix(".requests.jsonl"))
            if one is None or not one.is_open:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._handle)


def _parse(line: bytes) -> dict[str, Json]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise _describe_damage()
    return told


def _require(told: Mapping[str, Json], kind: type, *names: str) -> list[Json]:
    """The members of these names. Raises KeyError and ValueError where one is not there or of another kind."""
    found = [told[name] for name in names]
    if any(type(one) is not kind for one in found) or (kind is int and min(found) < 0):
        raise ValueError("a member of another kind")
    return found


def _describe_damage() -> UsageError:
    return UsageError("The journal of the batches is damaged; move the folder batches away, and look at the vendor's.")
