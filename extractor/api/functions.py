"""From Python: a document and a schema in, a typed record with its evidence out.

    result = extract("Bolts cost $4.", Order)             one text, file, Document or its bytes
    for result in extract_all([Path("docs")], Order):     many, in order, as they are ready
    result = await aextract(text, Order)                  on a running event loop

Which model answers is decided as on the command line: an embedded one unless a key, a base URL or a name says
otherwise. An Engine keeps it for many calls; without one, each call starts and ends its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

from extractor.api.engine import Engine
from extractor.api.sources import DocumentSource
from extractor.errors import UsageError
from extractor.extraction.task import Task
from extractor.results.result import Result
from extractor.types import Model

T = TypeVar("T")


@overload
def extract(
    source: DocumentSource,
    schema: type[T],
    *,
    name: str | None = None,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Result[T]: ...
@overload
def extract(
    source: DocumentSource,
    schema: Task | Mapping[str, Any],
    *,
    name: str | None = None,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Result[Any]: ...
def extract(
    source: DocumentSource,
    schema: type[Any] | Task | Mapping[str, Any],
    *,
    name: str | None = None,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Result[Any]:
    """The record of one document, and its evidence.

    source: a text, the Path of a file, the bytes of one, a file that is open for reading, or a Document. A string that
        is a file's name is refused, so that no name is taken for a text.
    schema: what is wanted: a Pydantic class, a dataclass, a TypedDict, a list of one of these (`list[Order]`, and
        `result.record` is a list), a JSON Schema as a dict, or a task of `load_task`.
    name: what the document is called in its result; of bytes and open files, its suffix says what they hold, and
        without one their beginning does.
    prompt: a version of the task's by name, or a prompt file as a Path; without it, the one that the task prefers.
    accept: the confidence, 0 to 1, from which on a value is in the record; 0 keeps all that was said.
    only_proven: nothing in the record that has no words of its own.
    timeout: seconds for the document; what is not answered by then is in `result.failures`, and the rest stays.
    engine: what answers, kept for many calls. Or, for this call alone, and as `Engine` has them:
    model: the name of an embedded model, of an endpoint's model, the path of a .gguf, or an object with
        `async def complete(request: Request) -> Reply`.
    base_url: of an OpenAI-compatible endpoint; without it, OPENAI_BASE_URL counts.
    api_key: of the endpoint; without it, OPENAI_API_KEY counts, or the file that OPENAI_API_KEY_FILE names.
    vision: which pages the model is shown as pictures, too: "auto", "always" or "never".

    On a running event loop it works too, and the loop waits. A question that brings no answer is no error: it is in
    `result.failures`, and in `result.status`.

    Raises DocumentError (cannot be read), TaskError (schema or prompt), UsageError (no such model), ModelFatal (the
    endpoint refuses).
    """
    with _choose_engine(engine, model, base_url, api_key, vision) as chosen:
        return chosen.extract(
            source, schema, name=name, prompt=prompt, accept=accept, only_proven=only_proven, timeout=timeout
        )


@overload
async def aextract(
    source: DocumentSource,
    schema: type[T],
    *,
    name: str | None = None,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Result[T]: ...
@overload
async def aextract(
    source: DocumentSource,
    schema: Task | Mapping[str, Any],
    *,
    name: str | None = None,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Result[Any]: ...
async def aextract(
    source: DocumentSource,
    schema: type[Any] | Task | Mapping[str, Any],
    *,
    name: str | None = None,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Result[Any]:
    """As `extract`, whose parameters it takes, without holding up the event loop."""
    async with _choose_engine(engine, model, base_url, api_key, vision) as chosen:
        return await chosen.aextract(
            source, schema, name=name, prompt=prompt, accept=accept, only_proven=only_proven, timeout=timeout
        )


@overload
def extract_all(
    sources: Iterable[DocumentSource],
    schema: type[T],
    *,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Iterator[Result[T]]: ...
@overload
def extract_all(
    sources: Iterable[DocumentSource],
    schema: Task | Mapping[str, Any],
    *,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Iterator[Result[Any]]: ...
def extract_all(
    sources: Iterable[DocumentSource],
    schema: type[Any] | Task | Mapping[str, Any],
    *,
    prompt: str | Path | None = None,
    accept: float = 0.5,
    only_proven: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
    model: str | Model | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    vision: str | None = None,
) -> Iterator[Result[Any]]:
    """The results of many documents, in order, a bounded number under way; a Path of a folder is the files in it.

    `sources` is any iterable of what `extract` takes, read as it goes along; the other parameters are those of
    `extract`, `timeout` for each document. A document that cannot be read is a result with status "failed", whose
    `record` raises; the others go on.
    """
    with _choose_engine(engine, model, base_url, api_key, vision) as chosen:
        yield from chosen.extract_all(
            sources, schema, prompt=prompt, accept=accept, only_proven=only_proven, timeout=timeout
        )


def _choose_engine(
    engine: Engine | None,
    model: str | Model | None,
    base_url: str | None,
    api_key: str | None,
    vision: str | None,
) -> contextlib.nullcontext[Engine] | Engine:
    """A block that has the caller's engine, or one that lasts as long as the block."""
    if engine is None:
        return Engine(model, base_url=base_url, api_key=api_key, vision=vision)
    if model is not None or base_url or api_key or vision:
        raise UsageError("An engine has its model already; leave out model, base_url, api_key and vision.")
    return contextlib.nullcontext(engine)
