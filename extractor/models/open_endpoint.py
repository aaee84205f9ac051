"""What answers, running while a block lasts: an endpoint as it was named, or an embedded engine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from extractor.errors import UsageError
from extractor.models.choice import ModelSpec, build_parameters
from extractor.models.client_options import Mode
from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.local.catalog import find_models_folder, locate_weights
from extractor.models.local.engines import XLLAMACPP, choose_engine
from extractor.models.local.known_models import load_catalogue

if TYPE_CHECKING:
    from extractor.models.local.server import ServerSettings

MAX_LOCAL_SLOTS = 16
"""Documents that an embedded model reads at a time; each takes memory, and beyond the cores few save any time."""


@contextlib.contextmanager
def open_endpoint(
    choice: ModelSpec,
    mode: Mode,
    verbose: bool = False,
    at_once: int = 1,
    *,
    elsewhere: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> Iterator[Endpoint]:
    """The endpoint of the choice, running while the block lasts; in replay a name only, and `elsewhere`, where other
    processes run it. Raises UsageError.

    An embedded engine keeps `at_once` documents in mind, each in a context of its own. One that was named and does not
    start is told to `note`, and xllamacpp answers.
    """
    if not choice.is_embedded:
        yield choice.build_endpoint()
        return
    parameters = build_parameters(choice.settings)
    named = choice.settings.engine
    if named not in (None, XLLAMACPP.name) and (elsewhere or mode.records):
        what = "other machines answer with" if elsewhere else "recordings are made with"
        raise UsageError(f"The engine {named} is for live runs on this machine; {what} xllamacpp, so leave it out.")
    if elsewhere:
        weights = locate_weights(choice.name)
        yield Endpoint(
            "http://embedded/v1", weights.name, "none", weights.digest, Dialect.GRAMMAR, parameters=parameters
        )
        return
    if mode is Mode.REPLAY:
        known = {m.name: m.sha256 for m in load_catalogue(find_models_folder())}
        digest = f"sha256:{known[choice.name]}" if choice.name in known else None
        yield Endpoint("http://embedded/v1", choice.name, "none", digest, Dialect.GRAMMAR, parameters=parameters)
        return
    from extractor.models.local.kept_engine import use_engine
    from extractor.models.local.server import serve_model

    settings, weights = build_server_settings(at_once, verbose=verbose), locate_weights(choice.name)
    serving = (
        serve_model(weights, settings)  # what is recorded has no past
        if mode.records
        else use_engine(weights, settings, engine=choose_engine(named), note=note)
    )
    with serving as server:
        yield Endpoint(
            server.base_url,
            server.model,
            server.api_key,
            server.digest,
            Dialect.GRAMMAR,
            parameters=parameters,
            engine=server.build,
        )


def build_server_settings(at_once: int, *, verbose: bool = False, cache_mib: int = 0) -> ServerSettings:
    """How an engine runs that keeps so many documents in mind. Raises UsageError for more than it can."""
    from extractor.models.local.server import ServerSettings

    if not 1 <= at_once <= MAX_LOCAL_SLOTS:
        raise UsageError(
            f"An embedded model answers {MAX_LOCAL_SLOTS} documents at a time at most; lower --concurrency."
        )
    one = ServerSettings(verbose=verbose, cache_mib=cache_mib)
    return replace(one, n_parallel=at_once, n_ctx=at_once * one.n_ctx)
