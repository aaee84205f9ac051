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
from extractor.models.cache import CachedModel, ReplyCache
from extractor.models.limits.budget import Budget, BudgetLimits
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.local.catalog import CATALOGUE, locate_weights
from extractor.models.openai.client import Dialect, Endpoint, LiveModel, check_api_key
from extractor.models.openai.transport import GuardedTransport, build_transport, check_base_url
from extractor.types import Document, Model

DEFAULT_MODEL = "qwen2.5-coder-1.5b"
"""The embedded model that answers when no key is set."""


_LONGEST_KEY = 8192
_CLOSING_SECONDS = 10.0
"""Seconds that connections and files have to close."""


class Mode(StrEnum):
    LIVE = "live"
    RECORD = "record"
    REPLAY = "replay"


DEFAULT_CONCURRENCY = 8
"""Requests that a run begins with at a time, of an endpoint."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model by name, and where it is: embedded unless there is a base URL."""

    name: str
    base_url: str | None = None
    api_key: str | None = None

    @property
    def is_embedded(self) -> bool:
        return self.base_url is None

    def choose_concurrency(self, wanted: int | None = None) -> int:
        """Requests under way at a time, of an embedded model documents; as many as wanted, where that is said."""
        return wanted or (1 if self.is_embedded else DEFAULT_CONCURRENCY)

    def __repr__(self) -> str:
        return f"ModelSpec({self.name!r}, {self.base_url!r})"


def list_embedded_names() -> frozenset[str]:
    return frozenset(m.name for m in CATALOGUE)


def choose_model(name: str | None, base_url: str | None, environ: Mapping[str, str] = os.environ) -> ModelSpec:
    """The model that flags and environment name. Raises UsageError for a combination that names none."""
    url = base_url or environ.get("OPENAI_BASE_URL") or None
    secret = _read_api_key(environ)
    known = list_embedded_names()
    local = name is not None and (name in known or name.endswith(".gguf"))
    if not base_url and (local or (name is None and not secret and not url)):
        return ModelSpec(name or DEFAULT_MODEL)
    if name is None:
        raise UsageError("A key or base URL is set, but no model; name one with --model.")
    if not url and not secret:
        raise UsageError(
            f"There is no embedded model {name!r} ({', '.join(sorted(known))}); "
            "for an endpoint's model set OPENAI_API_KEY or give --base-url."
        )
    return ModelSpec(name, url or "https://api.openai.com/v1", secret or "none")


def _read_api_key(environ: Mapping[str, str]) -> str | None:
    """The key in OPENAI_API_KEY, or in the file that OPENAI_API_KEY_FILE names; trimmed and checked, never shown."""
    given, file = environ.get("OPENAI_API_KEY"), environ.get("OPENAI_API_KEY_FILE")
    if given and file:
        raise UsageError("OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set; unset one of them.")
    if not file:
        return check_api_key(given) if given else None
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
    return check_api_key(text, "OPENAI_API_KEY_FILE")


ModelOpener = Callable[[Document], AbstractAsyncContextManager[Model]]


MAX_LOCAL_SLOTS = 16
"""Documents that an embedded model reads at a time; each takes memory, and beyond the cores few save any time."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a run deals with its endpoint, whatever it asks."""

    concurrency: int = DEFAULT_CONCURRENCY
    """Requests under way, at most."""
    rpm: float | None = None
    tpm: float | None = None
    limits: BudgetLimits = field(default_factory=BudgetLimits)
    cache: Path | None = None
    """Folder of the paid replies; None: every reply is paid for."""
    use_proxy: bool = False
    note: Callable[[str], None] = lambda text: None
    """Is told what a user should know of, in one sentence each."""


@contextlib.contextmanager
def open_endpoint(choice: ModelSpec, mode: Mode, verbose: bool = False, at_once: int = 1) -> Iterator[Endpoint]:
    """The endpoint of the choice, running while the block lasts; in replay a name only. Raises UsageError.

    An embedded engine keeps `at_once` documents in mind, each in a context of its own.
    """
    if not choice.is_embedded:
        yield Endpoint(str(choice.base_url), choice.name, choice.api_key or "none")
        return
    if mode is Mode.REPLAY:
        known = {m.name: m.sha256 for m in CATALOGUE}
        digest = f"sha256:{known[choice.name]}" if choice.name in known else None
        yield Endpoint("http://embedded/v1", choice.name, "none", digest, Dialect.GRAMMAR)
        return
    from extractor.models.local.server import ServerSettings, serve_model

    if at_once > MAX_LOCAL_SLOTS:
        raise UsageError(
            f"An embedded model answers {MAX_LOCAL_SLOTS} documents at a time at most; lower --concurrency."
        )
    one = ServerSettings(verbose=verbose)
    settings = replace(one, n_parallel=at_once, n_ctx=at_once * one.n_ctx)
    with serve_model(locate_weights(choice.name), settings) as engine:
        yield Endpoint(engine.base_url, engine.model, engine.api_key, engine.digest, Dialect.GRAMMAR)


def cassette_path(tapes: Path, name: str) -> Path:
    """The cassette of the document of that name."""
    return tapes / f"{Path(name).stem}.json"


@dataclass(frozen=True, slots=True)
class _LoopConnection:
    """The line on one event loop: connections, locks and timers are a loop's."""

    pressure: ConcurrencyLimiter
    model: Model | None
    keeper: asyncio.Task[None] | None


class ModelSession:
    """One run's line to its endpoint: one client, one pressure, one budget and one cache for all of its documents.

    It is picked up with the first document, and hangs up when the event loop ends or `hang_up` is called.
    """

    def __init__(self, endpoint: Endpoint, mode: Mode, terms: ClientOptions, again: str = "") -> None:
        """`again` tells repeats of a run apart, which are to be asked anew.

        Raises MachineError when no reply could be kept, and UsageError for an address that nothing is sent to.
        """
        self._endpoint, self._mode, self._options = endpoint, mode, terms
        self._identity = {
            "address": None if endpoint.digest else endpoint.base_url,
            "digest": endpoint.digest,
            "dialect": endpoint.dialect,
            "again": again,
        }
        check_base_url(endpoint.base_url)
        self._cache = ReplyCache(terms.cache, terms.note) if terms.cache and mode is Mode.LIVE else None
        self._budget = Budget(terms.limits)
        self._connections: dict[asyncio.AbstractEventLoop, _LoopConnection] = {}

    def model_opener(self, tapes: Path) -> ModelOpener:
        """Opens the model for one document: in live mode the line itself, else with the document's tape between."""
        return self._open_live if self._mode is Mode.LIVE else lambda document: self._open_recorded(document, tapes)

    def close(self) -> None:
        """Closes the line on every loop that still runs, and waits for it unless the caller's is the loop's thread."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for loop, call in list(self._connections.items()):
            if call.keeper is None or not loop.is_running():
                continue
            ended = asyncio.run_coroutine_threadsafe(_cancel_keeper(call.keeper), loop)
            if loop is not here:
                with contextlib.suppress(TimeoutError, CancelledError):
                    ended.result(_CLOSING_SECONDS)

    @contextlib.asynccontextmanager
    async def _open_live(self, _: Document) -> AsyncIterator[Model]:
        model = self._connect().model
        if model is None:
            raise AssertionError("a live line has a model")
        yield model

    @contextlib.asynccontextmanager
    async def _open_recorded(self, document: Document, tapes: Path) -> AsyncIterator[Model]:
        from extractor.models.cassettes import CassetteTransport, DocumentCassette

        tape = DocumentCassette(cassette_path(tapes, document.name), record=self._mode is Mode.RECORD)
        inner = self._build_transport() if tape.recording else None
        model = LiveModel(self._endpoint, CassetteTransport(tape, inner), self._connect().pressure)
        try:
            yield model
            tape.finish()
        finally:
            await model.aclose()

    def _connect(self) -> _LoopConnection:
        loop = asyncio.get_running_loop()
        call = self._connections.get(loop)
        if call is None or (call.keeper is not None and call.keeper.done()):
            for ended in [one for one in self._connections if one.is_closed()]:
                del self._connections[ended]
            call = self._connections[loop] = self._build_connection(loop)
        return call

    def _build_connection(self, loop: asyncio.AbstractEventLoop) -> _LoopConnection:
        terms = self._options
        pressure = ConcurrencyLimiter(terms.concurrency, rpm=terms.rpm, tpm=terms.tpm, budget=self._budget)
        if self._mode is not Mode.LIVE:
            return _LoopConnection(pressure, None, None)
        live = LiveModel(self._endpoint, self._build_transport(), pressure)
        cached = CachedModel(live, self._cache, self._identity, terms.note) if self._cache else None
        return _LoopConnection(pressure, cached or live, loop.create_task(_close_with_loop(live, cached)))

    def _build_transport(self) -> GuardedTransport:
        return build_transport(
            self._endpoint.base_url, self._endpoint.api_key, self._options.concurrency + 2, self._options.use_proxy
        )


async def _cancel_keeper(keeper: asyncio.Task[None]) -> None:
    keeper.cancel()
    await asyncio.wait([keeper])


async def _close_with_loop(live: LiveModel, cached: CachedModel | None) -> None:
    """Sleeps until the loop cancels what is left at its end, then hangs up: connections and files are the loop's."""
    try:
        await asyncio.Event().wait()
    finally:
        await live.aclose()
        if cached is not None:
            await cached.aclose()
