"""A job: a document that somebody wants a record of, from when it is on disk until it is removed."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from extractor.types import Json, Usage

JOB_FORMAT = "extractor.job/1"


class JobState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What is asked, and by whom, as it stands on disk."""

    id: str
    owner: str
    """Of whom the key is, as `ServerKeys.find_owner` names it."""
    name: str
    """What the document is called."""
    size: int
    """Bytes of the document."""
    created: float
    """Seconds since 1970."""
    task: str
    """Fingerprint of the server's own task; empty where the request has a schema."""
    schema: Mapping[str, Json] | None = None
    accept: float = 0.5
    only_proven: bool = False
    repeat: str = ""
    """Digest of what tells a request that is sent again (Idempotency-Key)."""
    ended: float | None = None
    """Seconds since 1970."""
    status: str = ""
    """Of the record, when it is there."""

    def to_bytes(self) -> bytes:
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        return json.dumps({"format": JOB_FORMAT, **told}, ensure_ascii=False).encode("utf-8", "replace")


_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "owner", "name", "task", "repeat", "status"), (str,)),
    "size": (int,),
    "created": (int, float),
    "schema": (dict, type(None)),
    "accept": (int, float),
    "only_proven": (bool,),
    "ended": (int, float, type(None)),
}


def parse_order(data: bytes) -> JobOrder:
    """The order in a file. Raises ValueError for a file that holds none."""
    try:
        told: dict[str, Any] = json.loads(data)
        if told.pop("format") != JOB_FORMAT:
            raise ValueError("another format")
        if not all(isinstance(told[name], kinds) for name, kinds in _TYPES.items()):
            raise ValueError("a member of another type")
        return JobOrder(**{name: told[name] for name in _TYPES})
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no job ({type(error).__name__})") from error


def draw_job_id() -> str:
    """A name for a job: they sort by when they were drawn, and nobody can guess one."""
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


class Job:
    """A job as the server has it in hand: its order, how far it is, and who waits for it."""

    def __init__(self, order: JobOrder) -> None:
        self.order = order
        self.state = JobState.WAITING if order.ended is None else JobState.DONE
        self.replies = 0
        """Replies that were read for it."""
        self.work: asyncio.Task[None] | None = None
        self.is_removed = False
        self.next_change = asyncio.Event()
        """Is set when anything changes; what comes after that has an event of its own."""

    def change(self, state: JobState, order: JobOrder | None = None) -> None:
        """Notes how far it is, and wakes who waits for that."""
        self.state, self.order = state, order or self.order
        self.announce()

    def count_reply(self, usage: Usage) -> None:
        self.replies += usage.requests
        self.announce()

    def remove(self) -> None:
        self.is_removed = True
        self.announce()

    def announce(self) -> None:
        self.next_change.set()
        self.next_change = asyncio.Event()

    @property
    def is_over(self) -> bool:
        return self.state is JobState.DONE or self.is_removed

    async def wait_until_over(self) -> None:
        while not self.is_over:
            await self.next_change.wait()

    def describe(self) -> dict[str, Json]:
        """The job as a client sees it."""
        order = self.order
        told: dict[str, Json] = {
            "id": order.id,
            "state": "removed" if self.is_removed else self.state.value,
            "document": order.name,
            "size": order.size,
            "created": round(order.created, 3),
            "replies": self.replies,
        }
        if order.ended is not None:
            told |= {"ended": round(order.ended, 3), "status": order.status}
        return {**told, "links": {"self": f"/jobs/{order.id}", "events": f"/jobs/{order.id}/events"}}


def end_order(order: JobOrder, status: str) -> JobOrder:
    return replace(order, ended=time.time(), status=status)
