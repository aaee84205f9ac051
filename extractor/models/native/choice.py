"""Which sender speaks an endpoint's interface, and whether its library is installed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from extractor.errors import UsageError, name_install_command
from extractor.models.endpoint import ApiKind, Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.openai.sending import RequestSender

if TYPE_CHECKING:
    import httpx2

_LIBRARIES = {ApiKind.ANTHROPIC: "anthropic", ApiKind.GOOGLE: "google.genai"}


def has_library(api: ApiKind) -> bool:
    """Whether what speaks the interface is installed."""
    library = _LIBRARIES.get(api)
    if library is None:
        return True
    try:
        return importlib.util.find_spec(library) is not None
    except ModuleNotFoundError:  # of the package that it would be in
        return False


def require_library(api: ApiKind) -> None:
    """Raises UsageError where what speaks the interface is not installed."""
    if not has_library(api):
        raise UsageError(f"Speaking {api}'s own interface needs its library: {name_install_command(api.value)}")


def build_sender(
    endpoint: Endpoint, transport: httpx2.AsyncBaseTransport, limiter: ConcurrencyLimiter
) -> RequestSender:
    """What sends requests to the endpoint in the interface that it speaks."""
    match endpoint.api:
        case ApiKind.ANTHROPIC:
            from extractor.models.native.anthropic import AnthropicSender  # only where its library is used

            return AnthropicSender(endpoint, transport, limiter)
        case ApiKind.GOOGLE:
            from extractor.models.native.google import GoogleSender

            return GoogleSender(endpoint, transport, limiter)
    return RequestSender(endpoint, transport, limiter)
