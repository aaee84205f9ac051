"""Which model answers: an embedded one, an endpoint, or a tape; chosen from the flags and the environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from extractor.errors import UsageError
from extractor.models.cache import Cache, CachedModel
from extractor.models.limits.budget import Budget, Limits
from extractor.models.limits.concurrency import Pressure
from extractor.models.local import catalog as weights
from extractor.models.openai import transport as wire
from extractor.models.openai.client import Dialect, Endpoint, LiveModel, key
from extractor.types import Document, Model

DEFAULT = "qwen2.5-coder-1.5b"
"""The embedded model that answers when no key is set."""


_LONGEST_KEY = 8192
_HANGING_UP = 10.0
"""Seconds that connections and files have to close."""


class Mode(StrEnum):
    LIVE = "live"
    RECORD = "record"
    REPLAY = "replay"


AT_ONCE = 8
"""Requests that a run begins with at a time, of an endpoint."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model by name, and where it is: embedded unless there is a base URL."""

    name: str
    base_url: str | None = None
    api_key: str | None = None

    @property
    def embedded(self) -> bool:
        return self.base_url is None

    def at_once(self, wanted: int | None = None) -> int:
        """Requests under way at a time, of an embedded model documents; as many as wanted, where that is said."""
        return wanted or (1 if self.embedded else AT_ONCE)

    def __repr__(self) -> str:
        return f"Choice({self.name!r}, {self.base_url!r})"


def embedded_names() -> frozenset[str]:
    return frozenset(m.name for m in weights.CATALOGUE)


def choose(name: str | None, base_url: str | None, environ: Mapping[str, str] = os.environ) -> Choice:
    """The model that flags and environment name. Raises UsageError for a combination that names none."""
    url = base_url or environ.get("OPENAI_BASE_URL") or None
    secret = _secret(environ)
    known = embedded_names()
    local = name is not None and (name in known or name.endswith(".gguf"))
    if not base_url and (local or (name is None and not secret and not url)):
        return Choice(name or DEFAULT)
    if name is None:
        raise UsageError("A key or base URL is set, but no model; name one with --model.")
    if not url and not secret:
        raise UsageError(
            f"There is no embedded model {name!r} ({', '.join(sorted(known))}); "
            "for an endpoint's model set OPENAI_API_KEY or give --base-url."
        )
    return Choice(name, url or "https://api.openai.com/v1", secret or "none")


def _secret(environ: Mapping[str, str]) -> str | None:
    """The key in OPENAI_API_KEY, or in the file that OPENAI_API_KEY_FILE names; trimmed and checked, never shown."""
    given, file = environ.get("OPENAI_API_KEY"), environ.get("OPENAI_API_KEY_FILE")
    if given and file:
        raise UsageError("OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set; unset one of them.")
    if not file:
        return key(given) if given else None
    try:
        # Opening a FIFO would wait for ever, so what it is comes first.
        if not stat.S_ISREG(Path(file).stat().st_mode):
            raise UsageError(f"OPENAI_API_KEY_FILE names {file}, which is no regular file; name the file of the key.")
        with Path(file).open("rb") as content:
            text = content.read(_LONGEST_KEY + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The key in OPENAI_API_KEY_FILE ({file}) cannot be read ({type(error).__name__}).") from None
    if len(text) > _LONGEST_KEY or not text.strip():
        raise UsageError(f"The file that OPENAI_API_KEY_FILE names ({file}) holds no key; put the key alone in it.")
    return key(text, "OPENAI_API_KEY_FILE")


Opener = Callable[[Document], AbstractAsyncContextManager[Model]]


SLOTS = 16
"""Documents that an embedded model reads at a time; each takes memory, and beyond the cores few save any time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run deals with its endpoint, whatever it asks."""

    at_once: int = AT_ONCE
    """Requests under way, at most."""
    rpm: float | None = None
    tpm: float | None = None
    limits: Limits = field(default_factory=Limits)
    cache: Path | None = None
    """Folder of the paid replies; None: every reply is paid for."""
    use_proxy: bool = False
    note: Callable[[str], None] = lambda text: None
    """Is told what a user should know of, in one sentence each."""


@contextlib.contextmanager
def endpoint(choice: Choice, mode: Mode, verbose: bool = False, at_once: int = 1) -> Iterator[Endpoint]:
    """The endpoint of the choice, running while the block lasts; in replay a name only. Raises UsageError.

    An embedded engine keeps `at_once` documents in mind, each in a context of its own.
    """
    if not choice.embedded:
        yield Endpoint(str(choice.base_url), choice.name, choice.api_key or "none")
        return
    if mode is Mode.REPLAY:
        known = {m.name: m.sha256 for m in weights.CATALOGUE}
        digest = f"sha256:{known[choice.name]}" if choice.name in known else None
        yield Endpoint("http://embedded/v1", choice.name, "none", digest, Dialect.GRAMMAR)
        return
    from extractor.models.local import server as embedded

    if at_once > SLOTS:
        raise UsageError(f"An embedded model answers {SLOTS} documents at a time at most; lower --concurrency.")
    one = embedded.EngineSettings(verbose=verbose)
    settings = replace(one, n_parallel=at_once, n_ctx=at_once * one.n_ctx)
    with embedded.serve(weights.locate(choice.name), settings) as engine:
        yield Endpoint(engine.base_url, engine.model, engine.api_key, engine.digest, Dialect.GRAMMAR)


def tape_of(tapes: Path, name: str) -> Path:
    """The cassette of the document of that name."""
    return tapes / f"{Path(name).stem}.json"


@dataclass(frozen=True, slots=True)
class _Call:
    """The line on one event loop: connections, locks and timers are a loop's."""

    pressure: Pressure
    model: Model | None
    keeper: asyncio.Task[None] | None


class Line:
    """One run's line to its endpoint: one client, one pressure, one budget and one cache for all of its documents.

    It is picked up with the first document, and hangs up when the event loop ends or `hang_up` is called.
    """

    def __init__(self, endpoint: Endpoint, mode: Mode, terms: Terms, again: str = "") -> None:
        """`again` tells repeats of a run apart, which are to be asked anew.

        Raises MachineError when no reply could be kept, and UsageError for an address that nothing is sent to.
        """
        self._endpoint, self._mode, self._terms = endpoint, mode, terms
        self._identity = {
            "address": None if endpoint.digest else endpoint.base_url,
            "digest": endpoint.digest,
            "dialect": endpoint.dialect,
            "again": again,
        }
        wire.check(endpoint.base_url)
        self._cache = Cache(terms.cache, terms.note) if terms.cache and mode is Mode.LIVE else None
        self._budget = Budget(terms.limits)
        self._calls: dict[asyncio.AbstractEventLoop, _Call] = {}

    def opener(self, tapes: Path) -> Opener:
        """Opens the model for one document: in live mode the line itself, else with the document's tape between."""
        return self._live if self._mode is Mode.LIVE else lambda document: self._taped(document, tapes)

    def hang_up(self) -> None:
        """Closes the line on every loop that still runs, and waits for it unless the caller's is the loop's thread."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for loop, call in list(self._calls.items()):
            if call.keeper is None or not loop.is_running():
                continue
            ended = asyncio.run_coroutine_threadsafe(_end(call.keeper), loop)
            if loop is not here:
                with contextlib.suppress(TimeoutError, CancelledError):
                    ended.result(_HANGING_UP)

    @contextlib.asynccontextmanager
    async def _live(self, _: Document) -> AsyncIterator[Model]:
        model = self._call().model
        if model is None:
            raise AssertionError("a live line has a model")
        yield model

    @contextlib.asynccontextmanager
    async def _taped(self, document: Document, tapes: Path) -> AsyncIterator[Model]:
        from extractor.models.cassettes import Tape, TapeTransport

        tape = Tape(tape_of(tapes, document.name), record=self._mode is Mode.RECORD)
        inner = self._transport() if tape.recording else None
        model = LiveModel(self._endpoint, TapeTransport(tape, inner), self._call().pressure)
        try:
            yield model
            tape.finish()
        finally:
            await model.aclose()

    def _call(self) -> _Call:
        loop = asyncio.get_running_loop()
        call = self._calls.get(loop)
        if call is None or (call.keeper is not None and call.keeper.done()):
            for ended in [one for one in self._calls if one.is_closed()]:
                del self._calls[ended]
            call = self._calls[loop] = self._new(loop)
        return call

    def _new(self, loop: asyncio.AbstractEventLoop) -> _Call:
        terms = self._terms
        pressure = Pressure(terms.at_once, rpm=terms.rpm, tpm=terms.tpm, budget=self._budget)
        if self._mode is not Mode.LIVE:
            return _Call(pressure, None, None)
        live = LiveModel(self._endpoint, self._transport(), pressure)
        cached = CachedModel(live, self._cache, self._identity, terms.note) if self._cache else None
        return _Call(pressure, cached or live, loop.create_task(_keep(live, cached)))

    def _transport(self) -> wire.Narrow:
        return wire.transport(
            self._endpoint.base_url, self._endpoint.api_key, self._terms.at_once + 2, self._terms.use_proxy
        )


async def _end(keeper: asyncio.Task[None]) -> None:
    keeper.cancel()
    await asyncio.wait([keeper])


async def _keep(live: LiveModel, cached: CachedModel | None) -> None:
    """Sleeps until the loop cancels what is left at its end, then hangs up: connections and files are the loop's."""
    try:
        await asyncio.Event().wait()
    finally:
        await live.aclose()
        if cached is not None:
            await cached.aclose()
