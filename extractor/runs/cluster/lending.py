"""What a run lends its nodes, each answer where it is asked for: leave to send, paid replies, rules of the task."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import diskcache

from extractor.errors import BudgetSpent, ModelError
from extractor.models.limits.budget import TokenEstimate
from extractor.models.limits.concurrency import SendPermit
from extractor.runs.cluster.messages import read_usage
from extractor.runs.document import DocumentExtractor
from extractor.runs.worker_messages import encode_problems
from extractor.types import Usage

CHECKERS = 4
"""Threads that apply the rules of a task which are code of the user's."""


class Lender:
    """Has the bounds and the replies of a run, for all its nodes. For one event loop."""

    def __init__(self, extractor: DocumentExtractor, note: Callable[[str], None]) -> None:
        self.extractor, self.note = extractor, note
        self.limiter = extractor.session.build_lending_limiter()
        self.store = extractor.session.open_reply_store()
        self.checkers = ThreadPoolExecutor(CHECKERS, thread_name_prefix="rules")
        self._said = set[str]()

    def say(self, text: str) -> None:
        """Tells the user what a node has to say, once, however many say it."""
        if text not in self._said:
            self._said.add(text)
            self.note(text)

    async def aclose(self) -> None:
        self.checkers.shutdown(wait=False, cancel_futures=True)
        if self.store is not None:
            await self.store.aclose()


class Borrower:
    """One node, as the lender knows it: what it was lent and has not given back."""

    def __init__(self, lender: Lender, tell: Callable[[list[Any]], None]) -> None:
        """`tell` sends an answer to the node: the number of what it asked, what went wrong or None, the answer."""
        self._lender, self._tell = lender, tell
        self._permits: dict[int, SendPermit] = {}
        self._tasks = set[asyncio.Task[None]]()

    def take_messages(self, data: bytes) -> None:
        """What the node says and wants. Messages that are none are passed over."""
        try:
            messages = json.loads(data)
        except (ValueError, RecursionError):
            return
        for message in messages if isinstance(messages, list) else ():
            try:
                kind, number, *about = message
                self._take_message(str(kind), int(number), about)
            except (ValueError, TypeError, LookupError, AttributeError):
                continue

    def _take_message(self, kind: str, number: int, about: list[Any]) -> None:
        match kind:
            case "settle":
                if (permit := self._permits.pop(number, None)) is not None:
                    self._lender.limiter.record_failure(permit, read_usage(about[0]))
            case "usage":
                self._lender.extractor.on_reply(read_usage(about[0]) or Usage())
            case "note":
                self._lender.say(str(about[0]))
            case _:
                task = asyncio.get_running_loop().create_task(self._answer(kind, number, about))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, kind: str, number: int, about: list[Any]) -> None:
        try:
            self._tell([number, None, await self._find_answer(kind, number, about)])
        except BudgetSpent as error:
            self._tell([number, "budget", str(error)])
        except (ModelError, sqlite3.Error, diskcache.Timeout, OSError, ValueError, TypeError, KeyError) as error:
            self._tell([number, "failed", str(error)])

    async def _find_answer(self, kind: str, number: int, about: list[Any]) -> Any:
        store = self._lender.store
        match kind, about:
            case "lease", [int(read), int(written)]:
                self._permits[number] = await self._lender.limiter.acquire(TokenEstimate(read, written))
                return None
            case "find", [str(key)] if store:
                return await store.find_reply(key)
            case "keep", [str(key), dict(value)] if store:
                return await store.keep_reply(key, value)
            case "check", [dict(value)]:
                loop, check = asyncio.get_running_loop(), self._lender.extractor.check_record
                problems = await loop.run_in_executor(self._lender.checkers, check, value)
                return json.loads(encode_problems(problems))
        raise ValueError(f"a node asked for {kind}")

    def lose(self) -> None:
        """The node is lost: what it was lent and did not give back counts as spent, to the most that it may be."""
        for task in self._tasks:
            task.cancel()
        permits, self._permits = self._permits, {}
        for permit in permits.values():
            self._lender.limiter.record_failure(permit, None)
