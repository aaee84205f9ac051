"""Which model is asked: an embedded one or an endpoint's, chosen from what the user names and the environment."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError
from extractor.models.local.catalog import CATALOGUE
from extractor.models.openai.client import check_api_key
from extractor.models.traits import ModelTraits, traits_of

DEFAULT_MODEL = "qwen2.5-coder-1.5b"
"""The embedded model that answers when no key is set."""
DEFAULT_CONCURRENCY = 8
"""Requests that a run begins with at a time, of an endpoint."""
_LONGEST_KEY = 8192


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model by name, and where it is: embedded unless there is a base URL."""

    name: str
    base_url: str | None = None
    api_key: str | None = None

    @property
    def is_embedded(self) -> bool:
        return self.base_url is None

    @property
    def traits(self) -> ModelTraits:
        return traits_of(self.name, small=self.is_embedded)

    def choose_concurrency(self, wanted: int | None = None) -> int:
        """Requests under way at a time, of an embedded model documents; as many as wanted, where that is said."""
        return wanted or (1 if self.is_embedded else DEFAULT_CONCURRENCY)

    def __repr__(self) -> str:
        return f"ModelSpec({self.name!r}, {self.base_url!r})"


def list_embedded_names() -> frozenset[str]:
    return frozenset(m.name for m in CATALOGUE)


def choose_model(name: str | None, base_url: str | None, environ: Mapping[str, str] = os.environ) -> ModelSpec:
    """The model that flags and environment name. Raises UsageError for a combination that names none."""
    url = base_url or environ.get("OPENAI_BASE_URL") or None
    secret = _read_api_key(environ)
    known = list_embedded_names()
    local = name is not None and (name in known or name.endswith(".gguf"))
    if not base_url and (local or (name is None and not secret and not url)):
        return ModelSpec(name or DEFAULT_MODEL)
    if name is None:
        raise UsageError("A key or base URL is set, but no model; name one with --model.")
    if not url and not secret:
        raise UsageError(
            f"There is no embedded model {name!r} ({', '.join(sorted(known))}); "
            "for an endpoint's model set OPENAI_API_KEY or give --base-url."
        )
    return ModelSpec(name, url or "https://api.openai.com/v1", secret or "none")


def _read_api_key(environ: Mapping[str, str]) -> str | None:
    """The key in OPENAI_API_KEY, or in the file that OPENAI_API_KEY_FILE names; trimmed and checked, never shown."""
    given, file = environ.get("OPENAI_API_KEY"), environ.get("OPENAI_API_KEY_FILE")
    if given and file:
        raise UsageError("OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set; unset one of them.")
    if not file:
        return check_api_key(given) if given else None
    try:
        # Opening a FIFO would wait for ever, so what it is comes first.
        if not stat.S_ISREG(Path(file).stat().st_mode):
            raise UsageError(f"OPENAI_API_KEY_FILE names {file}, which is no regular file; name the file of the key.")
        with Path(file).open("rb") as content:
            text = content.read(_LONGEST_KEY + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The key in OPENAI_API_KEY_FILE ({file}) cannot be read ({type(error).__name__}).") from None
    if len(text) > _LONGEST_KEY or not text.strip():
        raise UsageError(f"The file that OPENAI_API_KEY_FILE names ({file}) holds no key; put the key alone in it.")
    return check_api_key(text, "OPENAI_API_KEY_FILE")
