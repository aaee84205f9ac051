"""Whose batches an endpoint has."""

from __future__ import annotations

from urllib.parse import urlsplit

from extractor.errors import UsageError, name_install_command
from extractor.models.batch.connection import BatchConnection
from extractor.models.batch.interface import BatchInterface
from extractor.models.batch.openai_files import MistralBatches, OpenAIBatches, TogetherBatches
from extractor.models.endpoint import ApiKind, Endpoint
from extractor.models.vendors import find_vendor

_WITHOUT_BATCHES = frozenset({"deepseek", "openrouter", "xai", "google"})
"""Vendors whose OpenAI-compatible interface has no batches of files."""


def open_batches(endpoint: Endpoint, use_proxy: bool = False) -> BatchInterface:
    """The batches of an endpoint, in OpenAI's form where nobody's is known. Raises UsageError where it has none."""
    vendor = find_vendor(urlsplit(endpoint.base_url).hostname or "")
    prefix = vendor.prefix if vendor else ""
    if endpoint.api is ApiKind.GOOGLE or prefix in _WITHOUT_BATCHES:
        raise UsageError(
            f"{vendor.name if vendor else 'This interface'} has no batches that are spoken here; "
            "leave out --batch, or name a model of OpenAI, Anthropic, Mistral, Together or Groq."
        )
    if endpoint.api is ApiKind.ANTHROPIC:
        from extractor.models.batch.anthropic import AnthropicBatches  # only where its library is used

        return AnthropicBatches(BatchConnection(endpoint, use_proxy))
    if prefix == "anthropic":
        raise UsageError(f"Anthropic's batches need its library: {name_install_command('anthropic')}")
    kinds = {"mistral": MistralBatches, "together": TogetherBatches}
    return kinds.get(prefix, OpenAIBatches)(BatchConnection(endpoint, use_proxy))
