"""Which model answers: an embedded one, an endpoint, or a tape; chosen from the flags and the environment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from extractor import weights
from extractor.domain import Document
from extractor.errors import UsageError
from extractor.live import Dialect, Endpoint, LiveModel, key
from extractor.pipeline import Model

DEFAULT = "qwen2.5-coder-1.5b"
"""The embedded model that answers when no key is set."""


class Mode(StrEnum):
    LIVE = "live"
    RECORD = "record"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Choice:
    """A model by name, and where it is: embedded unless there is a base URL."""

    name: str
    base_url: str | None = None
    api_key: str | None = None

    @property
    def embedded(self) -> bool:
        return self.base_url is None

    def __repr__(self) -> str:
        return f"Choice({self.name!r}, {self.base_url!r})"


def embedded_names() -> frozenset[str]:
    return frozenset(m.name for m in weights.CATALOGUE)


def choose(name: str | None, base_url: str | None, environ: Mapping[str, str] = os.environ) -> Choice:
    """The model that flags and environment name. Raises UsageError for a combination that names none."""
    url = base_url or environ.get("OPENAI_BASE_URL") or None
    secret = environ.get("OPENAI_API_KEY") or None
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
    return Choice(name, url or "https://api.openai.com/v1", key(secret) if secret else "none")


Opener = Callable[[Document], AbstractAsyncContextManager[Model]]


@contextlib.contextmanager
def endpoint(choice: Choice, mode: Mode, verbose: bool = False) -> Iterator[Endpoint]:
    """The endpoint of the choice, running while the block lasts; in replay a name only. Raises UsageError."""
    if not choice.embedded:
        yield Endpoint(str(choice.base_url), choice.name, choice.api_key or "none")
        return
    if mode is Mode.REPLAY:
        known = {m.name: m.sha256 for m in weights.CATALOGUE}
        digest = f"sha256:{known[choice.name]}" if choice.name in known else None
        yield Endpoint("http://embedded/v1", choice.name, "none", digest, Dialect.GRAMMAR)
        return
    from extractor import embedded

    with embedded.serve(weights.locate(choice.name), embedded.EngineSettings(verbose=verbose)) as engine:
        yield Endpoint(engine.base_url, engine.model, engine.api_key, engine.digest, Dialect.GRAMMAR)


def tape_of(tapes: Path, name: str) -> Path:
    """The cassette of the document of that name."""
    return tapes / f"{Path(name).stem}.json"


def opener(endpoint: Endpoint, mode: Mode, tapes: Path) -> Opener:
    """Opens the model for one document: in live mode the endpoint, else with the document's tape between."""

    @contextlib.asynccontextmanager
    async def live(_: Document) -> AsyncIterator[Model]:
        model = LiveModel(endpoint)
        try:
            yield model
        finally:
            await model.aclose()

    @contextlib.asynccontextmanager
    async def taped(document: Document) -> AsyncIterator[Model]:
        from extractor.cassettes import Tape, TapeTransport

        tape = Tape(tape_of(tapes, document.name), record=mode is Mode.RECORD)
        model = LiveModel(endpoint, TapeTransport(tape))
        try:
            yield model
            tape.finish()
        finally:
            await model.aclose()

    return live if mode is Mode.LIVE else taped
