"""What every vendor's batch interface comes to: a file of requests goes in, its state is asked, replies come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from extractor.errors import ModelFatal
from extractor.types import Json


class BatchState(StrEnum):
    RUNNING = "running"
    ENDED = "ended"
    """There are no more replies than there are now: it is finished, has expired, or was cancelled."""
    REFUSED = "refused"
    """None of it was asked: the file was not taken."""
    GONE = "gone"
    """The vendor knows no such batch."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one batch may hold at most."""

    requests: int
    bytes: int


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What a vendor says of a batch. `done` and `failed` are counts of requests, None where it does not say."""

    batch_id: str
    state: BatchState
    word: str = ""
    """The vendor's own word for the state."""
    done: int | None = None
    failed: int | None = None
    message: str = ""
    files: tuple[str, ...] = ()
    """Where its replies are."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch on its way: the file of its requests, how many they are, and the name that it is found by again."""

    name: str
    file: Path
    requests: int
    model: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """A line of replies: a completion as the body of a response has it, or the reason why there is none."""

    custom_id: str
    completion: dict[str, Json] | None
    reason: str = ""


def is_id(text: object) -> bool:
    """Whether a text can be what a vendor calls a batch or a file, so that an address with it leads nowhere else."""
    if not isinstance(text, str) or not 0 < len(text) <= 200 or ".." in text:
        return False
    return all(one.isalnum() or one in "-_.:" for one in text)


def check_id(text: str) -> str:
    """What an endpoint calls a batch or a file. Raises ModelFatal for what is no id."""
    if not is_id(text):
        raise ModelFatal("The endpoint names a batch or file by what is no id; check the base URL.")
    return text


class BatchInterface(Protocol):
    """A vendor's batches. All calls raise ModelError: ModelBusy where it may have been done or will be later,
    ModelFatal where it was not and will not be."""

    limits: BatchLimits

    def build_line(self, custom_id: str, body: Mapping[str, Any]) -> bytes:
        """A request as a line of the file, its end included; `body` is that of a chat completion."""
        ...

    def read_line(self, line: bytes) -> BatchAnswer:
        """What a line of replies says. Raises ValueError for one that is none."""
        ...

    async def upload(self, batch: Submission) -> str:
        """Takes the file to the vendor; what it is called there, empty where it goes with the batch itself."""
        ...

    async def submit(self, batch: Submission, uploaded: str) -> str:
        """Begins the batch; its id."""
        ...

    async def find(self, batch: Submission, uploaded: str, since: float, others: frozenset[str]) -> str | None:
        """The id of a batch that was begun since then (seconds of the epoch), if it was; not one of the others."""
        ...

    async def look(self, batch_id: str) -> BatchStatus:
        """How the batch is."""
        ...

    async def fetch(self, status: BatchStatus, target: Path, most: int) -> None:
        """Writes all lines of replies to the file, `most` bytes at most."""
        ...

    async def aclose(self) -> None: ...
