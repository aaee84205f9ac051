"""A model that answers from replies that were kept, and where these are: a folder, or another process that has one."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, cast

import diskcache

from extractor.errors import ReplyRefused, ReplyUnreadable
from extractor.models.cache import ReplyCache
from extractor.models.kept_reply import decode_reply, encode_reply
from extractor.types import Json, Model, Reply, Request, fingerprint_json


class ReplyStore(Protocol):
    """Where the replies of a run are kept: a folder, or another process that has one."""

    place: str
    """For people."""

    async def find_reply(self, key: str) -> Mapping[str, Json] | None:
        """As `ReplyCache.get`; raises OSError, too."""
        ...

    async def keep_reply(self, key: str, value: Mapping[str, Json]) -> None:
        """As `ReplyCache.set`."""
        ...

    async def forget_reply(self, key: str) -> None:
        """As `ReplyCache.remove`."""
        ...

    async def aclose(self) -> None: ...


class FolderStore:
    """The replies of a folder, for one event loop: the disk is read and written in a thread of its own."""

    def __init__(self, cache: ReplyCache) -> None:
        self.place = str(cache.folder)
        self._cache = cache
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="replies")

    async def find_reply(self, key: str) -> Mapping[str, Json] | None:
        found: Mapping[str, Json] | None = await self._run_in_thread(self._cache.get, key)
        return found

    async def keep_reply(self, key: str, value: Mapping[str, Json]) -> None:
        # Cancelled or not, what was paid for is written to its end.
        await asyncio.shield(self._run_in_thread(self._cache.set, key, value))

    async def forget_reply(self, key: str) -> None:
        await self._run_in_thread(self._cache.remove, key)

    async def aclose(self) -> None:
        await self._run_in_thread(self._cache.close)
        self._thread.shutdown()

    def _run_in_thread(self, call: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


def compute_reply_key(request: Request, identity: Mapping[str, Json]) -> str:
    """What a reply is kept under: 64 hexadecimal digits. `identity` is what distinguishes models beside the request."""
    return fingerprint_json({"request": request.key, **identity})[7:]


def name_given_reply(key: str) -> str:
    """What a completion is kept under that came with a batch, until somebody has read the reply in it."""
    return f"{key}-batch"


class AnsweringModel(Model, Protocol):
    """A model that can also read a completion that came by another way."""

    async def complete_given(self, request: Request, completion: bytes) -> Reply: ...


class CachedModel:
    """Answers from the cache what it holds; asks `model` for the rest, once for each request, and keeps the replies.

    `identity` is what distinguishes models beside the request: address, digest, dialect. Only replies that fit are
    kept, since `complete` returns no others.
    A completion that came with a batch is read as one that has just come; `keeps_refused`, it stays where there is no
    reply in it.
    """

    def __init__(
        self,
        model: Model,
        cache: ReplyCache | ReplyStore,
        identity: Mapping[str, Json],
        note: Callable[[str], None] = lambda text: None,
        *,
        keeps_refused: bool = False,
    ) -> None:
        self._keeps_refused = keeps_refused
        self._model = model
        self._store = FolderStore(cache) if isinstance(cache, ReplyCache) else cache
        self._identity = dict(identity)
        self._note = note
        self._under_way: dict[str, asyncio.Event] = {}
        self.hits = self.misses = self.damaged = self.unkept = 0

    async def complete(self, request: Request) -> Reply:
        key = compute_reply_key(request, self._identity)
        while (other := self._under_way.get(key)) is not None:
            await other.wait()  # the same request is under way: its reply serves both
        self._under_way[key] = done = asyncio.Event()
        try:
            kept = await self._find_reply(key, request)
            if kept is not None:
                self.hits += 1
                return kept
            self.misses += 1
            reply = await self._ask(key, request)
            await self._store_reply(key, reply)
            return reply
        finally:
            del self._under_way[key]
            done.set()

    async def _ask(self, key: str, request: Request) -> Reply:
        given = await self._find_given(key)
        if given is None:
            return await self._model.complete(request)
        model = cast(AnsweringModel, self._model)
        try:
            return await model.complete_given(request, given)
        except (ReplyRefused, ReplyUnreadable):
            if not self._keeps_refused:  # whoever asks once more is not to be told the same again
                await self._store.forget_reply(name_given_reply(key))
            raise

    async def _find_given(self, key: str) -> bytes | None:
        try:
            row = await self._store.find_reply(name_given_reply(key))
        except (sqlite3.Error, diskcache.Timeout, OSError, ValueError):
            return None
        if row is None:
            return None
        kept = row["value"]  # a text, or, of before, the completion itself
        return (kept if isinstance(kept, str) else json.dumps(kept)).encode()

    async def aclose(self) -> None:
        await self._store.aclose()
        if self.damaged:
            self._note(
                f"{self.damaged} replies in {self._store.place} were damaged and asked for anew; "
                "look with: extractor cache verify"
            )

    async def _find_reply(self, key: str, request: Request) -> Reply | None:
        try:
            kept = await self._store.find_reply(key)
            return None if kept is None else decode_reply(kept, request)
        except (sqlite3.Error, diskcache.Timeout, OSError, ValueError, TypeError, KeyError, RecursionError):
            self.damaged += 1
            return None

    async def _store_reply(self, key: str, reply: Reply) -> None:
        try:
            await self._store.keep_reply(key, encode_reply(reply))
            if reply.usage.cached:
                await self._store.forget_reply(name_given_reply(key))
        except (sqlite3.Error, diskcache.Timeout, OSError, ValueError) as error:
            self.unkept += 1
            if self.unkept == 1:
                self._note(f"Replies cannot be kept in {self._store.place} ({error}); a later run pays for them again.")
