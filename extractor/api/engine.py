"""An engine: what answers, kept for many documents."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar, overload

from extractor.api.running_engine import ChosenModel, RunningEngine
from extractor.api.schemas import WantedRecord, read_wanted_record
from extractor.api.sources import DocumentSource, expand_sources, load_input_document, name_source
from extractor.documents.discovery import Source, read_source
from extractor.errors import DocumentError, ExtractorError, UsageError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.task import Task
from extractor.models.choice import DEFAULT_CONCURRENCY, choose_model
from extractor.models.client_options import ClientOptions, Mode, settle_options
from extractor.models.config_file import Configuration, read_config_file
from extractor.models.known_traits import choose_vision, share_vision
from extractor.models.own_model import check_own_model_settings, find_own_traits
from extractor.models.settings import ModelSettings
from extractor.results.model import ResultFile
from extractor.results.result import Result
from extractor.runs.bugs import describe_bug
from extractor.runs.document import DocumentExtractor, build_extractor
from extractor.runs.ensemble import EnsembleExtractor, build_ensemble
from extractor.types import Document, Model, Vision

T = TypeVar("T")


class Engine:
    """What answers, kept for many calls. Use it in a `with` block, or close it; an engine that is not closed ends with
    the program, without a word.

    `model` is the name of an embedded model, the path of a .gguf, the name of an endpoint's model, or a model of your
    own: any object with `async def complete(request: Request) -> Reply`. Without one, an embedded model answers, or
    what the environment names.
    `base_url` and `api_key` are of an OpenAI-compatible endpoint; without them, OPENAI_BASE_URL and OPENAI_API_KEY
    count.
    `mode` is "live", or "replay", "record" and "update" with the folder `cassettes`.
    `concurrency` bounds the requests under way, 8 unless given; of an embedded model the documents, 1 unless given.
    `cache` is a folder for replies that are not to be paid for twice; without one, none are kept.
    `settings` is all that can be said of the model and its endpoint besides, or the Path of a config file that says it
    (docs/endpoints.md). No file is read that is not named.
    `vision` is which pages the model is shown as pictures beside the text: "auto" (those that are no good text, where
    it is known to see, or its attribute `sees` is True), "always" or "never" (docs/vision.md).
    `models` are several models instead of one: all are asked, and what they say becomes one record (docs/ensemble.md).
    With `ask_again_below`, a confidence, the second of two is asked only what the first says less surely.

    Raises UsageError for a choice that names no model, and for settings that cannot be meant.
    """

    def __init__(
        self,
        model: str | Model | None = None,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        mode: str = "live",
        cassettes: Path | str = "cassettes",
        concurrency: int | None = None,
        cache: Path | str | None = None,
        settings: ModelSettings | Path | None = None,
        vision: str | None = None,
        models: Sequence[str | Model] | None = None,
        ask_again_below: float | None = None,
    ) -> None:
        options = ClientOptions(Mode(mode), Path(cassettes), concurrency, cache=Path(cache) if cache else None)
        if models is not None and model is not None:
            raise UsageError("models names all models of the engine; leave out model.")
        if models is not None and len(models) < 2:
            raise UsageError("models names fewer than two; name more, or one with model.")
        if models is None and ask_again_below is not None:
            raise UsageError("ask_again_below is for a second model; name two with models.")
        names: Sequence[str | Model | None] = [model] if models is None else models
        files, said = _read_settings(settings, vision)
        chosen = [_choose(one, base_url, api_key, options, files, said) for one in names]
        self._vision = share_vision(one.vision for one in chosen)
        self._name = " + ".join(one.name for one in chosen)
        self._concurrency = max(one.concurrency for one in chosen)
        self._ask_again_below = ask_again_below
        self._deadline = chosen[0].settings.document_deadline
        self._running = RunningEngine(chosen)
        weakref.finalize(self, self._running.close)

    def __repr__(self) -> str:
        return f"Engine({self._name!r})"

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
        self._running.close()

    @overload
    def extract(
        self,
        source: DocumentSource,
        schema: type[T],
        *,
        name: str | None = None,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Result[T]: ...
    @overload
    def extract(
        self,
        source: DocumentSource,
        schema: Task | Mapping[str, Any],
        *,
        name: str | None = None,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Result[Any]: ...
    def extract(
        self,
        source: DocumentSource,
        schema: type[Any] | Task | Mapping[str, Any],
        *,
        name: str | None = None,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Result[Any]:
        """The result of one document; parameters and errors are those of the function `extract`."""
        wanted = read_wanted_record(schema, prompt, Acceptance(accept, only_proven), timeout or self._deadline)
        return self._running.wait_for(self._extract_document(load_input_document(source, name, self._vision), wanted))

    @overload
    async def aextract(
        self,
        source: DocumentSource,
        schema: type[T],
        *,
        name: str | None = None,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Result[T]: ...
    @overload
    async def aextract(
        self,
        source: DocumentSource,
        schema: Task | Mapping[str, Any],
        *,
        name: str | None = None,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Result[Any]: ...
    async def aextract(
        self,
        source: DocumentSource,
        schema: type[Any] | Task | Mapping[str, Any],
        *,
        name: str | None = None,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Result[Any]:
        """As `extract`, without holding up the event loop."""
        wanted = read_wanted_record(schema, prompt, Acceptance(accept, only_proven), timeout or self._deadline)
        document = await asyncio.to_thread(load_input_document, source, name, self._vision)
        return await self._extract_document(document, wanted)

    @overload
    def extract_all(
        self,
        sources: Iterable[DocumentSource],
        schema: type[T],
        *,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Iterator[Result[T]]: ...
    @overload
    def extract_all(
        self,
        sources: Iterable[DocumentSource],
        schema: Task | Mapping[str, Any],
        *,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Iterator[Result[Any]]: ...
    def extract_all(
        self,
        sources: Iterable[DocumentSource],
        schema: type[Any] | Task | Mapping[str, Any],
        *,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
    ) -> Iterator[Result[Any]]:
        """The results of many documents; parameters are those of the function `extract_all`."""
        wanted = read_wanted_record(schema, prompt, Acceptance(accept, only_proven), timeout or self._deadline)
        under_way: deque[Future[Result[Any]]] = deque()
        try:
            for source in expand_sources(sources, self._vision):
                under_way.append(self._running.submit(self._extract_source(source, wanted)))
                if len(under_way) > self._concurrency:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for one in under_way:
                one.cancel()

    async def _extract_source(self, source: DocumentSource | Source, wanted: WantedRecord) -> Result[Any]:
        """The result, also of a document that cannot be read, or that brings on an error of ours."""
        try:
            return await self._extract_document(await asyncio.to_thread(_read_any_source, source, self._vision), wanted)
        except DocumentError as error:
            failure = error
        except ExtractorError:
            raise
        except Exception as error:  # noqa: BLE001 -- one document must not cost all others
            failure = describe_bug(name_source(source), error)
        extractor = await asyncio.to_thread(self._build_extractor, wanted)
        return wanted.build_result(extractor.build_failed_result(name_source(source), failure))

    async def _extract_document(self, document: Document, wanted: WantedRecord) -> Result[Any]:
        extractor = await asyncio.to_thread(self._build_extractor, wanted)
        result = (await extractor.extract(document)).result
        if isinstance(result, bytes):
            result = await asyncio.to_thread(ResultFile.model_validate_json, result)
        return wanted.build_result(extractor.add_learnt(result))

    def _build_extractor(self, wanted: WantedRecord) -> DocumentExtractor | EnsembleExtractor:
        members = [
            build_extractor(
                wanted.task,
                wanted.prompt,
                session,
                acceptance=wanted.acceptance,
                document_timeout=wanted.document_timeout,
            )
            for session in self._running.open_sessions()
        ]
        if len(members) == 1:
            return members[0]
        return build_ensemble(members, wanted.acceptance, ask_again_below=self._ask_again_below)


def _read_settings(settings: ModelSettings | Path | None, vision: str | None) -> tuple[Configuration, ModelSettings]:
    """What is set of all models of an engine, and the file that says more of each by its name."""
    files = read_config_file(settings) if isinstance(settings, Path) else Configuration()
    said = settings if isinstance(settings, ModelSettings) else files.defaults.settings
    return files, said if vision is None else said.override_with(ModelSettings(vision=vision))


def _choose(
    model: str | Model | None,
    base_url: str | None,
    api_key: str | None,
    options: ClientOptions,
    files: Configuration,
    said: ModelSettings,
) -> ChosenModel:
    """One model, as the arguments of an engine and the environment have it. Raises UsageError."""
    if model is None or isinstance(model, str):
        live = options.mode is not Mode.REPLAY
        chosen = choose_model(
            model, base_url, os.environ, api_key=api_key, settings=said, configuration=files, live=live
        )
        at_once = chosen.choose_concurrency(options.concurrency)
        settled = settle_options(options, chosen)
        return ChosenModel(chosen, settled, chosen.settings, chosen.name, at_once, chosen.vision)
    if base_url or api_key or options.cache or options.mode is not Mode.LIVE:
        raise UsageError("A model of your own has no endpoint; leave out base_url, api_key, cache and mode.")
    check_own_model_settings(said)
    own = _require_model(model)
    vision = choose_vision(find_own_traits(own, said), said)
    return ChosenModel(own, options, said, type(model).__name__, options.concurrency or DEFAULT_CONCURRENCY, vision)


def _read_any_source(source: DocumentSource | Source, vision: Vision) -> Document:
    return read_source(source) if isinstance(source, Source) else load_input_document(source, vision=vision)


def _require_model(model: Model) -> Model:
    if not callable(getattr(model, "complete", None)):
        raise UsageError(
            f"A model is a name, or an object with `async def complete(request) -> Reply`, and not of type "
            f"{type(model).__name__}."
        )
    return model
