"""What an endpoint's model can do, found out by asking it: a tiny question in each dialect, and its list of models.

It is asked through the client that runs ask through, so that what is learnt here is what a run would learn.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from extractor.errors import ModelError, ModelFatal, UsageError
from extractor.models.choice import ModelSpec
from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.openai.client import LiveModel
from extractor.models.openai.learnt import LearntTraits, list_dialects
from extractor.models.openai.transport import build_transport
from extractor.models.served_window import ServedLimits, find_served_limits
from extractor.types import Json, Request

PROBE_TEXT = "Invoice A-7 of 3 May 2024, to Bolt & Nut Ltd. Total: 12.50 EUR."
_SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {"number": {"type": ["string", "null"]}, "total": {"type": ["number", "null"]}},
    "required": ["number", "total"],
    "additionalProperties": False,
}
_REPLY_TOKENS = 400


@dataclass(slots=True)
class ProbeFindings:
    """What was found out of one model."""

    model: str
    base_url: str
    dialects: dict[Dialect, str] = field(default_factory=dict)
    """right, wrong (it answers in the form, and not what the text says), or why there was no answer."""
    learnt: dict[str, Json] = field(default_factory=dict)
    """As a manifest has it: what was renamed, left out or bounded."""
    thinks: bool | None = None
    gives_probabilities: bool | None = None
    limits: ServedLimits = field(default_factory=ServedLimits)
    requests: int = 0
    tokens: int = 0

    @property
    def best_dialect(self) -> Dialect | None:
        """The first that brought a right answer, else the first that brought any."""
        for wanted in ("right", "wrong"):
            for dialect, came in self.dialects.items():
                if came == wanted:
                    return dialect
        return None


class _WatchingTransport(httpx2.AsyncBaseTransport):
    """Passes requests on, and keeps what the replies tell beside their answer."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.requests = self.tokens = 0
        self.thought = self.told_probabilities = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        response = await self._inner.handle_async_request(request)
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            self._read(json.loads(await response.aread()))
        return response

    def _read(self, body: Json) -> None:
        usage = body.get("usage") or {}
        self.tokens += int(usage.get("total_tokens") or 0)
        details = usage.get("completion_tokens_details") or {}
        self.thought |= bool(details.get("reasoning_tokens"))
        for choice in body.get("choices") or ():
            message = choice.get("message") or {}
            content = message.get("content")
            self.thought |= any(message.get(name) for name in ("reasoning_content", "reasoning", "thinking"))
            self.thought |= isinstance(content, str) and content.lstrip().startswith("<think>")
            self.told_probabilities |= bool((choice.get("logprobs") or {}).get("content"))

    async def aclose(self) -> None:
        """The way is shared by all that is asked; `close` ends it."""

    async def close(self) -> None:
        await self._inner.aclose()


async def probe_model(choice: ModelSpec, use_proxy: bool = False) -> ProbeFindings:
    """Asks the model. Raises ModelFatal where no question can be answered: key, address, name; UsageError for an
    embedded model, whose traits are known."""
    if choice.is_embedded:
        raise UsageError(f"{choice.name} is embedded, and its traits are known; name an endpoint's model to probe.")
    endpoint = choice.build_endpoint()
    watch = _WatchingTransport(build_transport(endpoint, 4, use_proxy))
    found = ProbeFindings(endpoint.model, endpoint.base_url)
    known = LearntTraits(endpoint)
    wanted = [endpoint.dialect] if endpoint.dialect else list_dialects(endpoint)
    try:
        for dialect in wanted:
            found.dialects[dialect] = await _ask_in_dialect(endpoint, dialect, known, watch)
        found.limits = await find_served_limits(endpoint, watch)
    finally:
        await watch.close()
    found.learnt = known.describe()
    found.thinks = watch.thought or (None if found.best_dialect is None else False)
    found.gives_probabilities = watch.told_probabilities or (None if found.best_dialect is None else False)
    found.requests, found.tokens = watch.requests, watch.tokens
    return found


async def _ask_in_dialect(endpoint: Endpoint, dialect: Dialect, known: LearntTraits, watch: _WatchingTransport) -> str:
    parameters = replace(endpoint.parameters, token_probabilities=endpoint.parameters.token_probabilities is not False)
    asked = replace(endpoint, dialect=dialect, reasks=0, parameters=parameters)
    learnt = LearntTraits(asked)
    learnt.add(known)
    learnt.proven = None
    model = LiveModel(asked, watch, learnt=learnt)
    try:
        reply = await model.complete(_build_request(endpoint.model))
    except ModelFatal:
        raise
    except ModelError as error:
        if error.reason == "network":  # no other question would arrive
            raise ModelFatal(str(error)) from None
        return str(error)
    finally:
        await model.aclose()
    known.add(learnt)
    value: dict[str, Any] = reply.value
    total = str(value.get("total")).removesuffix("EUR").strip().rstrip("0")
    return "right" if "A-7" in str(value.get("number")) and total == "12.5" else "wrong"


def _build_request(model: str) -> Request:
    system = "Copy what the document says into JSON with the keys number and total; null where it says nothing."
    bounds: dict[str, Json] = {"temperature": 0, "seed": 1, "max_tokens": _REPLY_TOKENS}
    return Request(model, system, f"<document>\n{PROBE_TEXT}\n</document>", _SCHEMA, bounds)


def findings_to_json(found: ProbeFindings) -> dict[str, Json]:
    """What was found out, for machines."""
    return {
        "model": found.model,
        "endpoint": found.base_url,
        "dialects": {str(dialect): came for dialect, came in found.dialects.items()},
        "learnt": found.learnt,
        "thinks": found.thinks,
        "token_probabilities": found.gives_probabilities,
        "window": found.limits.window,
        "max_output": found.limits.max_output,
        "requests": found.requests,
        "tokens": found.tokens,
    }


def write_model_table(found: ProbeFindings, choice: ModelSpec) -> Iterator[str]:
    """The lines of a table for extractor.toml that says what was found out."""
    yield f"[models.{json.dumps(found.model)}]"
    yield f"base_url = {json.dumps(found.base_url)}"
    if choice.vendor is not None:
        yield f"key_env = {json.dumps(choice.vendor.key_variables[0])}"
    if choice.settings.query:
        public = {name: value for name, value in choice.settings.query.items() if name == "api-version"}
        yield from (f"query.{name} = {json.dumps(value)}" for name, value in public.items())
    if found.best_dialect is not None:
        yield f'dialect = "{found.best_dialect}"'
    left_out = [name for name in found.learnt.get("left_out", ()) if name in ("temperature", "seed", "top_p")]
    if left_out:
        yield f"omit = {json.dumps(left_out)}"
    if found.limits.window:
        yield f"window = {found.limits.window}"
    if output := found.limits.max_output or found.learnt.get("max_output"):
        yield f"max_output = {output}"
    yield f'class = "{choice.traits.model_class}"'
