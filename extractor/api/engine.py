"""From Python: a document and a Pydantic class in, a typed record with its evidence out.

    result = extract("Bolts cost $4.", Order)             one text, Path or Document
    for result in extract_all([Path("docs")], Order):     many, in order, as they are ready
    result = await aextract(text, Order)                  on a running event loop

Which model answers is decided as on the command line: an embedded one unless a key, a base URL or a name says
otherwise. An Engine keeps it for many calls; without one, each call starts and ends its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack, overload

from pydantic import BaseModel

from extractor.api.event_loop import run_event_loop
from extractor.api.inputs import ExtractionInputs, expand_sources, load_input_document, resolve_inputs
from extractor.documents.discovery import Source, read_source
from extractor.errors import DocumentError, UsageError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.task import Task
from extractor.models.openai.client import Endpoint
from extractor.models.session import ClientOptions, Mode, ModelSession, choose_model, open_endpoint
from extractor.models.traits import traits_of
from extractor.results.file import build_failed_result, build_result
from extractor.results.manifest import build_run_manifest
from extractor.results.result import Result
from extractor.types import Document, Model

T = TypeVar("T", bound=BaseModel)
_Done = TypeVar("_Done")


class ExtractOptions(TypedDict, total=False):
    """How a document is asked about."""

    prompt: str | Path | None
    """A prompt version of the task's, by name, or any by its Path."""
    keep_unsupported: bool
    """Keep values that no words support, marked as such."""


class ExtractAndEngineOptions(ExtractOptions, total=False):
    """Also what answers: an engine, or a model, base URL and key as Engine has them."""

    engine: Engine | None
    model: str | None
    base_url: str | None
    api_key: str | None


class Engine:
    """What answers, kept for many calls. Use it in a `with` block, or close it.

    `mode` is "live", or "replay" and "record" with the folder `cassettes`. `concurrency` bounds the requests under way,
    8 unless given; of an embedded model the documents, 1 unless given. `cache` is a folder for replies that are not to
    be paid for twice; without one, none are kept. Raises UsageError for a choice that names no model.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        mode: str = "live",
        cassettes: Path | str = "cassettes",
        concurrency: int | None = None,
        cache: Path | str | None = None,
    ) -> None:
        given = {"OPENAI_API_KEY": api_key, "OPENAI_API_KEY_FILE": ""} if api_key else {}
        environ = {**os.environ, **given}
        self._model_spec = choose_model(model, base_url, environ)
        self._mode = Mode(mode)
        self._cassettes = Path(cassettes)
        self._concurrency = self._model_spec.choose_concurrency(concurrency)
        self._limits = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]()
        self._open = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._options = ClientOptions(self._concurrency, cache=Path(cache) if cache else None)
        self._started: tuple[Endpoint, ModelSession] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        return f"Engine({self._model_spec.name!r})"

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Ends the embedded model, if one was started. The engine may be used again, which starts it anew."""
        with self._lock:
            if self._started is not None:
                self._started[1].close()
            self._open.close()
            self._started = self._loop = None

    @overload
    def extract(self, source: str | Path | Document, schema: type[T], **how: Unpack[ExtractOptions]) -> Result[T]: ...
    @overload
    def extract(self, source: str | Path | Document, schema: Task, **how: Unpack[ExtractOptions]) -> Result[Any]: ...
    def extract(
        self, source: str | Path | Document, schema: type[Any] | Task, **how: Unpack[ExtractOptions]
    ) -> Result[Any]:
        """As the function `extract`."""
        return self._wait_for_work(self._extract_document(load_input_document(source), resolve_inputs(schema, **how)))

    @overload
    async def aextract(
        self, source: str | Path | Document, schema: type[T], **how: Unpack[ExtractOptions]
    ) -> Result[T]: ...
    @overload
    async def aextract(
        self, source: str | Path | Document, schema: Task, **how: Unpack[ExtractOptions]
    ) -> Result[Any]: ...
    async def aextract(
        self, source: str | Path | Document, schema: type[Any] | Task, **how: Unpack[ExtractOptions]
    ) -> Result[Any]:
        """As the function `aextract`."""
        return await self._extract_document(
            await asyncio.to_thread(load_input_document, source), resolve_inputs(schema, **how)
        )

    @overload
    def extract_all(
        self, sources: Iterable[str | Path | Document], schema: type[T], **how: Unpack[ExtractOptions]
    ) -> Iterator[Result[T]]: ...
    @overload
    def extract_all(
        self, sources: Iterable[str | Path | Document], schema: Task, **how: Unpack[ExtractOptions]
    ) -> Iterator[Result[Any]]: ...
    def extract_all(
        self, sources: Iterable[str | Path | Document], schema: type[Any] | Task, **how: Unpack[ExtractOptions]
    ) -> Iterator[Result[Any]]:
        """As the function `extract_all`."""
        asked = resolve_inputs(schema, **how)
        under_way: deque[Future[Result[Any]]] = deque()
        try:
            for source in expand_sources(sources):
                under_way.append(self._submit_work(self._extract_source(source, asked)))
                if len(under_way) > self._concurrency:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for one in under_way:
                one.cancel()

    async def _extract_source(self, source: str | Document | Source, asked: ExtractionInputs) -> Result[Any]:
        """The result, also of a document that cannot be read."""
        read = read_source if isinstance(source, Source) else load_input_document
        try:
            document = await asyncio.to_thread(read, source)  # type: ignore[arg-type]
        except DocumentError as error:
            name = source.name if isinstance(source, Source) else "text"
            endpoint, _ = await asyncio.to_thread(self._start_session)
            manifest = build_run_manifest(asked.task, asked.prompt, endpoint)
            return Result(build_failed_result(name, error, asked.task.name, manifest), asked.task.model_class)
        return await self._extract_document(document, asked)

    async def _extract_document(self, document: Document, asked: ExtractionInputs) -> Result[Any]:
        endpoint, line = await asyncio.to_thread(self._start_session)
        limit = self._limits.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._concurrency))
        in_turn = self._model_spec.is_embedded
        async with limit if in_turn else contextlib.nullcontext(), self._open_model(line, document, asked) as model:
            record = await extract_record(
                document,
                asked.task,
                asked.prompt,
                model,
                self._model_spec.name,
                limit=asyncio.Semaphore(1) if in_turn else limit,
                reading=self._reading(asked.keep_unsupported),
            )
        manifest = build_run_manifest(asked.task, asked.prompt, endpoint)
        return Result(build_result(record, asked.task.name, manifest), asked.task.model_class)

    def _reading(self, keep_unsupported: bool) -> Reading:
        traits = traits_of(self._model_spec.name, small=self._model_spec.is_embedded)
        return Reading(traits, Acceptance(0.0 if keep_unsupported else 0.5))

    def _open_model(
        self, line: ModelSession, document: Document, asked: ExtractionInputs
    ) -> AbstractAsyncContextManager[Model]:
        tapes = self._cassettes / asked.task.name / Path(self._model_spec.name).name / asked.prompt.name
        return line.model_opener(tapes)(document)

    def _start_session(self) -> tuple[Endpoint, ModelSession]:
        with self._lock:
            if self._started is None:
                endpoint = self._open.enter_context(
                    open_endpoint(self._model_spec, self._mode, at_once=self._concurrency)
                )
                self._started = endpoint, ModelSession(endpoint, self._mode, self._options)
            return self._started

    def _submit_work(self, work: Coroutine[Any, Any, _Done]) -> Future[_Done]:
        with self._lock:
            if self._loop is None:
                self._loop = self._open.enter_context(run_event_loop())
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _wait_for_work(self, work: Coroutine[Any, Any, _Done]) -> _Done:
        begun = self._submit_work(work)
        try:
            return begun.result()
        finally:
            begun.cancel()


def _choose_engine(how: ExtractAndEngineOptions) -> tuple[contextlib.nullcontext[Engine] | Engine, ExtractOptions]:
    """A block that has the caller's engine, or one that lasts as long as the block; and what else was given."""
    engine, model = how.pop("engine", None), how.pop("model", None)
    base_url, api_key = how.pop("base_url", None), how.pop("api_key", None)
    if engine is None:
        return Engine(model, base_url=base_url, api_key=api_key), how
    if model or base_url or api_key:
        raise UsageError("An engine has its model already; leave out model, base_url and api_key.")
    return contextlib.nullcontext(engine), how


@overload
def extract(source: str | Path | Document, schema: type[T], **how: Unpack[ExtractAndEngineOptions]) -> Result[T]: ...
@overload
def extract(source: str | Path | Document, schema: Task, **how: Unpack[ExtractAndEngineOptions]) -> Result[Any]: ...
def extract(
    source: str | Path | Document, schema: type[Any] | Task, **how: Unpack[ExtractAndEngineOptions]
) -> Result[Any]:
    """The record of one document, and its evidence.

    `source` is a text, the Path of a file, or a Document; `schema` a Pydantic class, or a task of `load_task`.
    `prompt` names a version of the task's, or is the Path of one; `keep_unsupported` keeps values without words.
    `engine`, or `model`, `base_url` and `api_key`, choose what answers. On a running event loop it works too, and the
    loop waits.

    Raises DocumentError (cannot be read), TaskError (class or prompt), UsageError (no such model), ModelFatal (the
    endpoint refuses). A question that brings no answer is no error: it is in `result.failures`.
    """
    block, rest = _choose_engine(how)
    with block as engine:
        return engine.extract(source, schema, **rest)


@overload
async def aextract(
    source: str | Path | Document, schema: type[T], **how: Unpack[ExtractAndEngineOptions]
) -> Result[T]: ...
@overload
async def aextract(
    source: str | Path | Document, schema: Task, **how: Unpack[ExtractAndEngineOptions]
) -> Result[Any]: ...
async def aextract(
    source: str | Path | Document, schema: type[Any] | Task, **how: Unpack[ExtractAndEngineOptions]
) -> Result[Any]:
    """As `extract`, without holding up the event loop."""
    block, rest = _choose_engine(how)
    async with block as engine:
        return await engine.aextract(source, schema, **rest)


@overload
def extract_all(
    sources: Iterable[str | Path | Document], schema: type[T], **how: Unpack[ExtractAndEngineOptions]
) -> Iterator[Result[T]]: ...
@overload
def extract_all(
    sources: Iterable[str | Path | Document], schema: Task, **how: Unpack[ExtractAndEngineOptions]
) -> Iterator[Result[Any]]: ...
def extract_all(
    sources: Iterable[str | Path | Document], schema: type[Any] | Task, **how: Unpack[ExtractAndEngineOptions]
) -> Iterator[Result[Any]]:
    """The results of many documents, in order, a bounded number under way; a folder is the files in it.

    A document that cannot be read is a result with status "failed", whose `record` raises; the others go on.
    """
    block, rest = _choose_engine(how)
    with block as engine:
        yield from engine.extract_all(sources, schema, **rest)
