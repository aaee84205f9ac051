"""How many tokens a server reads at once, as it tells itself: in its list of models, or where its maker has it.

GET  /v1/models      vLLM, SGLang, OpenRouter, Mistral, Groq, Together; llama.cpp: what a model was trained with
GET  /props          llama.cpp: what the server was started with
GET  /api/v0/models  LM Studio: what the model was loaded with
GET  /api/ps         Ollama: the same
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx2

from extractor.models.endpoint import Endpoint
from extractor.models.price_library import is_own_address
from extractor.types import Json

_WINDOWS = (
    *("loaded_context_length", "context_length", "max_model_len", "context_window", "max_context_length", "n_ctx"),
    *("inputTokenLimit", "max_input_tokens", "n_ctx_train"),
)
"""Names of the window, what a server was started with before what a model was made for."""
_OUTPUTS = ("max_completion_tokens", "max_output_tokens", "outputTokenLimit")
_OWN_ROUTES = ("/props", "/api/v0/models", "/api/ps")
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ServedLimits:
    """What a server tells of a model; None where it tells nothing."""

    window: int | None = None
    max_output: int | None = None
    path: str = ""
    """Where it tells the window."""


async def find_served_limits(endpoint: Endpoint, transport: httpx2.AsyncBaseTransport) -> ServedLimits:
    """What the server tells. Nothing that it answers is an error: then it tells nothing."""
    root = str(httpx2.URL(endpoint.base_url).copy_with(path="/", query=None)).rstrip("/")
    key = {"authorization": f"Bearer {endpoint.api_key}"}
    async with httpx2.AsyncClient(transport=transport, timeout=_SECONDS, trust_env=False, headers=key) as client:
        listed = await _ask(client, endpoint.model, f"{endpoint.base_url}/models")
        for route in _OWN_ROUTES if is_own_address(endpoint.base_url) else ():
            own = await _ask(client, endpoint.model, root + route)
            if own.window:  # what it was started with counts before what is listed
                smaller = min(own.window, listed.window or own.window)
                return ServedLimits(smaller, own.max_output or listed.max_output, own.path)
    return listed


async def _ask(client: httpx2.AsyncClient, model: str, url: str) -> ServedLimits:
    try:
        response = await client.get(url)
        told = response.json() if response.status_code == 200 else None
    except (httpx2.HTTPError, ValueError, RecursionError):
        return ServedLimits()
    entry = pick_entry(told, model)
    window = next(_find_counts(entry, _WINDOWS), None)
    return ServedLimits(window, next(_find_counts(entry, _OUTPUTS), None), httpx2.URL(url).path)


def pick_entry(told: Json, model: str) -> Json:
    """What a list tells of the model: the entry of its name, or the one that there is; else all that is told."""
    entries = told if isinstance(told, list) else None
    if isinstance(told, dict):
        entries = next((told[name] for name in ("data", "models") if isinstance(told.get(name), list)), None)
    if entries is None:
        return told
    objects = [one for one in entries if isinstance(one, dict)]
    named = [one for one in objects if model in (one.get("id"), one.get("name"), one.get("model"))]
    if named:
        return named[0]
    return objects[0] if len(objects) == 1 else None


def _find_counts(node: Json, names: tuple[str, ...], depth: int = 3) -> Iterator[int]:
    """Counts under these names, the first of them first, and those that stand higher before those further down."""
    if not isinstance(node, dict) or not depth:
        return
    for name in names:
        value = node.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1e9:
            yield value
    for inner in node.values():
        yield from _find_counts(inner, names, depth - 1)
