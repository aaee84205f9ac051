"""Whose endpoint an address is: where a vendor's is, which variable holds its key, and what its keys begin with."""

from __future__ import annotations

from dataclasses import dataclass

from extractor.errors import UsageError
from extractor.models.endpoint import ApiKind


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who serves models at an address of their own."""

    prefix: str
    """What a model's name begins with, before a stroke, to be sent there: mistral/NAME."""
    name: str
    base_url: str
    hosts: tuple[str, ...]
    """Of the endpoint: a host, or the end of one where it begins with a point."""
    key_variables: tuple[str, ...]
    key_starts: tuple[str, ...] = ()
    """What only this vendor's keys begin with."""
    pages: tuple[str, ...] = ()
    """Hosts of web pages that are taken for the endpoint."""
    own_names: tuple[str, ...] = ()
    """What the names of its models begin with, and no other vendor's."""
    refuses: frozenset[str] = frozenset()
    """Parameters that none of its models takes."""
    api: ApiKind = ApiKind.OPENAI
    """The interface of its own that it speaks besides."""
    own_url: str = ""
    """Where it speaks that."""

    def is_at(self, host: str) -> bool:
        return any(host.endswith(one) if one.startswith(".") else host == one for one in self.hosts)


VENDORS = (
    Vendor(
        "openai",
        "OpenAI",
        "https://api.openai.com/v1",
        ("api.openai.com", "us.api.openai.com", "eu.api.openai.com"),
        ("OPENAI_API_KEY",),
        ("sk-proj-", "sk-svcacct-"),
        ("openai.com", "www.openai.com", "platform.openai.com", "chat.openai.com", "chatgpt.com"),
        own_names=("gpt-3", "gpt-4", "gpt-5", "gpt-6", "o1", "o3", "o4-", "chatgpt-"),
    ),
    Vendor(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com/v1",
        ("api.anthropic.com",),
        ("ANTHROPIC_API_KEY",),
        ("sk-ant-",),
        ("anthropic.com", "www.anthropic.com", "console.anthropic.com", "platform.claude.com", "claude.ai"),
        own_names=("claude-",),
        api=ApiKind.ANTHROPIC,
        own_url="https://api.anthropic.com",
    ),
    Vendor(
        "google",
        "Google",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        ("generativelanguage.googleapis.com",),
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ("AIza",),
        ("aistudio.google.com", "ai.google.dev", "gemini.google.com"),
        own_names=("gemini-",),
        api=ApiKind.GOOGLE,
        own_url="https://generativelanguage.googleapis.com",
    ),
    Vendor(
        "mistral",
        "Mistral",
        "https://api.mistral.ai/v1",
        ("api.mistral.ai",),
        ("MISTRAL_API_KEY",),
        (),
        ("mistral.ai", "console.mistral.ai", "chat.mistral.ai", "docs.mistral.ai"),
        refuses=frozenset({"seed"}),
        own_names=("mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-", "open-mi"),
    ),
    Vendor(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com/v1",
        ("api.deepseek.com",),
        ("DEEPSEEK_API_KEY",),
        (),
        ("deepseek.com", "www.deepseek.com", "platform.deepseek.com", "chat.deepseek.com"),
        own_names=("deepseek-",),
    ),
    Vendor(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        ("openrouter.ai",),
        ("OPENROUTER_API_KEY",),
        ("sk-or-",),
    ),
    Vendor(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        ("api.groq.com",),
        ("GROQ_API_KEY",),
        ("gsk_",),
        ("groq.com", "www.groq.com", "console.groq.com"),
    ),
    Vendor(
        "together",
        "Together",
        "https://api.together.xyz/v1",
        ("api.together.xyz", "api.together.ai"),
        ("TOGETHER_API_KEY",),
        (),
        ("together.ai", "www.together.ai", "docs.together.ai"),
    ),
    Vendor(
        "xai",
        "xAI",
        "https://api.x.ai/v1",
        ("api.x.ai",),
        ("XAI_API_KEY",),
        ("xai-",),
        ("x.ai", "console.x.ai", "grok.com"),
        own_names=("grok-",),
    ),
)
AZURE = Vendor(
    "azure",
    "Azure",
    "https://RESOURCE.openai.azure.com/openai/v1",
    (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"),
    ("AZURE_OPENAI_API_KEY",),
    (),
    ("portal.azure.com", "ai.azure.com", "oai.azure.com"),
)
"""It has no address for all, so that no name is sent there by its prefix."""


def find_vendor(host: str) -> Vendor | None:
    """Whose endpoint the host is."""
    return next((one for one in (*VENDORS, AZURE) if one.is_at(host.lower())), None)


def find_page_vendor(host: str) -> Vendor | None:
    """Whose web page, and no endpoint, the host is."""
    return next((one for one in (*VENDORS, AZURE) if host.lower() in one.pages), None)


def split_vendor_prefix(name: str) -> tuple[Vendor, str] | None:
    """The vendor that a model's name begins with, and the name there: openrouter/a/b is a/b at OpenRouter."""
    prefix, stroke, rest = name.partition("/")
    vendor = next((one for one in VENDORS if one.prefix == prefix.lower()), None)
    return (vendor, rest) if vendor and stroke and rest else None


def find_model_vendor(name: str) -> Vendor | None:
    """Whose model a name is that no other vendor gives."""
    return next((one for one in VENDORS if name.lower().startswith(one.own_names or ("/",))), None)


def check_key_vendor(key: str, variable: str, receiver: Vendor | None) -> None:
    """Raises UsageError for a key that is plainly another vendor's than the one it would be sent to."""
    if receiver is None:
        return
    owner = next((one for one in VENDORS if key.startswith(one.key_starts)), None) if key else None
    if owner is not None and owner is not receiver:
        raise UsageError(
            f"The key in {variable} is one of {owner.name}, and would be sent to {receiver.name}; "
            f"set {receiver.key_variables[0]} to a key of {receiver.name}."
        )
