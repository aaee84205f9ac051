"""Which model answers: an embedded one, an endpoint, or a tape; chosen from the flags and the environment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path

from extractor.errors import UsageError
from extractor.models.base_url import parse_address
from extractor.models.cache import ReplyCache, find_cache_folder
from extractor.models.cached_model import CachedModel, FolderStore
from extractor.models.choice import DEFAULT_CONCURRENCY, ModelSpec, build_parameters
from extractor.models.client_options import ClientOptions, Mode, settle_options
from extractor.models.document_model import DocumentModel
from extractor.models.endpoint import Endpoint, ModelParameters, describe_parameters
from extractor.models.limits.budget import Budget
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.open_endpoint import open_endpoint
from extractor.models.openai.client import LiveModel
from extractor.models.openai.learnt import LearntTraits
from extractor.models.openai.transport import GuardedTransport, build_transport
from extractor.models.own_model import check_own_model_settings, find_own_traits, name_own_model
from extractor.models.settings import ModelSettings
from extractor.models.sharing import LeasingLimiter, RunShare
from extractor.models.traits import STRONG, ModelTraits
from extractor.types import Json, Model

_CLOSING_SECONDS = 10.0
"""Seconds that connections and files have to close."""


MAX_LENT = 1 << 20
"""Requests of other processes that are under way at a time; each sees to its own number."""


@dataclass(frozen=True, slots=True)
class _LoopConnection:
    """A session's connection on one event loop: sockets, locks and timers are a loop's."""

    limiter: ConcurrencyLimiter
    documents: asyncio.Semaphore
    """Documents in hand: of an embedded model, each has a context of its own."""
    model: Model | None
    keeper: asyncio.Task[None] | None


@dataclass(frozen=True, slots=True)
class BatchParts:
    """What of a session is needed to ask its questions in batches."""

    endpoint: Endpoint
    identity: Mapping[str, Json]
    """What tells replies of the cache apart beside the request."""
    cache: ReplyCache
    budget: Budget
    learnt: LearntTraits
    use_proxy: bool
    note: Callable[[str], None]


class ModelSession:
    """What answers a run: one client, one limiter, one budget and one cache for all of its documents.

    It connects with the first document, and closes when the event loop ends or `close` is called.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        options: ClientOptions,
        *,
        model_name: str = "",
        again: str = "",
        in_turn: bool = False,
        traits: ModelTraits = STRONG,
        own_model: Model | None = None,
        share: RunShare | None = None,
    ) -> None:
        """`model_name` is what requests are addressed to, the endpoint's model unless given. `again` tells repeats of
        a run apart, which are to be asked anew. `in_turn`, the questions about a document wait for each other: what
        answers them has read it once, in one place. `own_model` is asked instead of the endpoint, which then but says
        what it is. `share` is what the run lends to this process, which has no bounds and no replies of its own then.

        Raises MachineError when no reply could be kept, and UsageError for an address that nothing is sent to.
        """
        self.endpoint = endpoint
        """What is said in manifests of what answers."""
        self.model_name = model_name or endpoint.model
        """As requests and cassettes have it."""
        self.traits = traits
        """How far its answers carry, and what it can be asked at once."""
        self.mode = options.mode
        self.concurrency = options.concurrency or DEFAULT_CONCURRENCY
        """Documents in hand, and requests under way, at a time at most."""
        self._options, self._again, self._in_turn, self._own_model = options, again, in_turn, own_model
        self._share = share
        self._identity: dict[str, Json] = {
            "address": None if endpoint.digest else endpoint.base_url,
            "digest": endpoint.digest,
            "dialect": endpoint.dialect,
            "again": again,
        }
        if said := describe_parameters(replace(endpoint.parameters, vision=None)):  # pictures are in the request
            self._identity["said"] = said
        if (other := endpoint.other_engine) is not None:
            self._identity["engine"] = other.describe()
        if own_model is None:
            parse_address(endpoint.base_url)
        kept = options.cache if self.mode is Mode.LIVE and own_model is None else None
        self._cache = ReplyCache(kept, options.note) if kept else None
        self.budget = Budget(options.limits)
        """What it may spend, and has spent."""
        self._learnt = LearntTraits(endpoint, options.note)
        self._told_learnt: dict[str, Json] = {}
        self._connections: dict[asyncio.AbstractEventLoop, _LoopConnection] = {}

    def describe_learnt(self) -> dict[str, Json]:
        """What was learnt of the endpoint since the session began, as a manifest has it: of an embedded model, which
        engine answers."""
        return self._learnt.describe() or self._told_learnt

    def add_told_learnt(self, learnt: dict[str, Json]) -> None:
        """Takes what another process of the run has learnt, which asks in this one's place: the most of it."""
        if len(learnt) > len(self._told_learnt):
            self._told_learnt = learnt

    def build_lending_limiter(self) -> ConcurrencyLimiter:
        """What gives leave to send within the bounds of the run, to processes that see to all else themselves."""
        options = self._options
        return ConcurrencyLimiter(MAX_LENT, rpm=options.rpm, tpm=options.tpm, budget=self.budget)

    def open_reply_store(self) -> FolderStore | None:
        """The replies of the run, to be lent on the event loop that runs; None where none are kept."""
        return FolderStore(self._cache) if self._cache else None

    @property
    def is_bounded(self) -> bool:
        """Whether there is a bound on what the run may send, in all or a minute."""
        limits = self._options.limits
        bounds = (limits.requests, limits.tokens, limits.cost, self._options.rpm, self._options.tpm)
        return any(bound is not None for bound in bounds)

    def find_cassette(self, task: str, prompt: str, document: str) -> Path:
        """Where the exchanges about a document are recorded, be the file there or not."""
        model = Path(self.model_name).name
        return self._options.cassettes / task / model / f"{prompt}{self._again}" / f"{Path(document).stem}.json"

    def open_batch_parts(self) -> BatchParts:
        """Raises UsageError where what answers has no batches, or nothing is kept that comes with one."""
        if self.mode is not Mode.LIVE or self._own_model is not None or self._in_turn:
            raise UsageError("Only endpoints have batches; leave out --batch for a model that answers here.")
        if self._cache is None:
            raise UsageError("Replies of a batch are kept in the cache; leave out --no-cache.")
        one = self._options
        return BatchParts(
            self.endpoint, self._identity, self._cache, self.budget, self._learnt, one.use_proxy, one.note
        )

    @contextlib.asynccontextmanager
    async def open_model(self, cassette: Path, seconds: float | None = None) -> AsyncIterator[Model]:
        """The model for one document, as soon as there is a hand free for it, and then for `seconds`.

        In the modes that are not live, the document's cassette is recorded or played.
        """
        connection = self._connect()
        async with connection.documents:
            if connection.model is not None:
                yield self._bound_model(connection.model, connection, seconds)
                return
            async with self._open_recorded(cassette, connection) as model:
                yield self._bound_model(model, connection, seconds)

    @contextlib.asynccontextmanager
    async def _open_recorded(self, cassette: Path, connection: _LoopConnection) -> AsyncIterator[Model]:
        # 0.2 s of imports that only a recorded run should wait for
        from extractor.models.cassettes import CassetteTransport, DocumentCassette

        tape = DocumentCassette(cassette, record=self.mode.records, keep=self.mode is Mode.UPDATE)
        inner = self._build_transport() if tape.recording else None
        # What one document's tape does not tell is not known when it is played.
        learnt = LearntTraits(self.endpoint, self._options.note)
        model = LiveModel(self.endpoint, CassetteTransport(tape, inner), connection.limiter, learnt)
        try:
            yield model
            tape.finish()
            self._learnt.add(learnt)
        finally:
            await model.aclose()

    def close(self) -> None:
        """Closes the connections on every loop that still runs, and waits for it unless the caller's is the loop's
        thread."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for loop, connection in list(self._connections.items()):
            if connection.keeper is None or not loop.is_running():
                continue
            ended = asyncio.run_coroutine_threadsafe(_cancel_keeper(connection.keeper), loop)
            if loop is not here:
                with contextlib.suppress(TimeoutError, CancelledError):
                    ended.result(_CLOSING_SECONDS)

    def _bound_model(self, model: Model, connection: _LoopConnection, seconds: float | None) -> Model:
        return DocumentModel(model, connection.limiter, in_turn=self._in_turn, seconds=seconds)

    def _connect(self) -> _LoopConnection:
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None or (connection.keeper is not None and connection.keeper.done()):
            for ended in [one for one in self._connections if one.is_closed()]:
                del self._connections[ended]
            connection = self._connections[loop] = self._build_connection(loop)
        return connection

    def _build_connection(self, loop: asyncio.AbstractEventLoop) -> _LoopConnection:
        options = self._options
        share, most = self._share, self.concurrency
        limiter = (
            LeasingLimiter(most, share)
            if share
            else ConcurrencyLimiter(most, rpm=options.rpm, tpm=options.tpm, budget=self.budget)
        )
        documents = asyncio.Semaphore(self.concurrency)
        if self._own_model is not None or self.mode is not Mode.LIVE:
            return _LoopConnection(limiter, documents, self._own_model, None)
        live = LiveModel(self.endpoint, self._build_transport(), limiter, self._learnt)
        replies = share if share and share.keeps_replies else self._cache
        cached = CachedModel(live, replies, self._identity, options.note) if replies else None
        return _LoopConnection(limiter, documents, cached or live, loop.create_task(_close_with_loop(live, cached)))

    def _build_transport(self) -> GuardedTransport:
        return build_transport(self.endpoint, self.concurrency + 2, self._options.use_proxy)


@contextlib.contextmanager
def open_session(
    choice: ModelSpec,
    options: ClientOptions,
    again: str = "",
    *,
    share: RunShare | None = None,
    elsewhere: bool = False,
) -> Iterator[ModelSession]:
    """A session with the model of the choice, which runs while the block lasts. Raises as ModelSession does.

    `elsewhere`, other processes ask the model, and the session but says what is asked, and lends them its bounds and
    replies; `share` is what such a process is lent.
    """
    at_once = choice.choose_concurrency(options.concurrency)
    options = options if share else settle_options(options, choice)
    mode, verbose, note = options.mode, options.verbose, options.note
    with open_endpoint(choice, mode, verbose, at_once, elsewhere=elsewhere, note=note) as endpoint:
        by_default = find_cache_folder() if options.uses_default_cache and not choice.is_embedded else None
        settled = replace(options, concurrency=at_once, cache=options.cache or by_default)
        session = ModelSession(
            endpoint,
            settled,
            model_name=choice.name,
            again=again,
            in_turn=choice.is_embedded,
            traits=choice.traits,
            share=share,
        )
        try:
            yield session
        finally:
            session.close()


def build_own_session(
    model: Model, concurrency: int | None = None, settings: ModelSettings | None = None
) -> ModelSession:
    """A session with a model of the caller's own; its name is its attribute `name`, or its class's.

    Of settings, it takes what says how it is to be asked. Raises UsageError for those that are of an endpoint.
    """
    check_own_model_settings(said := settings or ModelSettings())
    kind = type(model)
    name = name_own_model(model)
    endpoint = Endpoint(
        f"python:{kind.__module__}.{kind.__qualname__}",
        name,
        "none",
        parameters=ModelParameters(vision=build_parameters(said).vision),
    )
    traits = find_own_traits(model, said)
    return ModelSession(endpoint, ClientOptions(concurrency=concurrency), traits=traits, own_model=model)


async def _cancel_keeper(keeper: asyncio.Task[None]) -> None:
    keeper.cancel()
    await asyncio.wait([keeper])


async def _close_with_loop(live: LiveModel, cached: CachedModel | None) -> None:
    """Sleeps until the loop cancels what is left at its end, then closes: connections and files are the loop's."""
    try:
        await asyncio.Event().wait()
    finally:
        await live.aclose()
        if cached is not None:
            await cached.aclose()
