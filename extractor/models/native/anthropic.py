"""Anthropic's own interface, /v1/messages, by its library and instructor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from extractor.models.endpoint import Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.native.question import build_completion, put_question, read_question
from extractor.models.openai.sending import RequestSender
from extractor.types import Json
from extractor.types.picture import MEDIA_TYPE

if TYPE_CHECKING:
    import httpx2

_FINISHES = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "tool_use": "tool_calls",
}
LONGEST_REPLY = 8_192
"""Tokens that a reply may have where nothing bounds it; the interface wants a bound."""


class AnthropicSender(RequestSender):
    """Sends requests as Anthropic wants them."""

    def __init__(self, endpoint: Endpoint, transport: httpx2.AsyncBaseTransport, limiter: ConcurrencyLimiter) -> None:
        super().__init__(endpoint, transport, limiter)
        import anthropic

        self._sdk = anthropic.AsyncAnthropic(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=anthropic.Timeout(None, connect=10),
            http_client=self._http,
        )

    async def _fetch(self, arguments: Mapping[str, Any]) -> bytes:
        import anthropic
        import openai

        question = read_question(arguments)
        call = put_question("anthropic", question, question.schema, {"max_tokens": question.most or LONGEST_REPLY})
        if arguments.get("tool_choice") == "auto":
            call["tool_choice"] = {"type": "auto"}  # where a model that thinks may not be told to call it
        call["messages"] = _show_pictures(call["messages"], question.pictures)
        # By no names of the library's: which it has changes, as it does which a model takes.
        other = dict(question.parameters)
        try:
            response = await self._sdk.messages.with_raw_response.create(**call, extra_body=other or None)
        except anthropic.APIStatusError as error:
            raise openai.APIStatusError(error.message, response=error.response, body=_unwrap(error.body)) from error
        except anthropic.APITimeoutError as error:
            raise openai.APITimeoutError(request=error.request) from error.__cause__
        except anthropic.APIConnectionError as error:
            raise openai.APIConnectionError(message=str(error), request=error.request) from error.__cause__
        return message_to_completion(response.http_response.content)


def _show_pictures(messages: list[dict[str, Any]], pictures: Sequence[str]) -> list[dict[str, Any]]:
    """The messages with the pictures before the text of the first one, which is the user's."""
    if not pictures:
        return messages
    first, *others = messages
    sources = ({"type": "base64", "media_type": MEDIA_TYPE, "data": picture} for picture in pictures)
    text = first["content"]
    texts = [{"type": "text", "text": text}] if isinstance(text, str) else text
    return [{**first, "content": [*({"type": "image", "source": source} for source in sources), *texts]}, *others]


def _unwrap(body: object) -> object:
    return body.get("error", body) if isinstance(body, dict) else body


def message_to_completion(content: bytes) -> bytes:
    """A message as a completion; what is no message stays as it is, for the reader to say so."""
    try:
        told: Json = json.loads(content)
        parts = [part for part in told["content"] if isinstance(part, dict)]
        usage = told.get("usage") or {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return content
    read = [usage.get(name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
    counts = [count for count in read if isinstance(count, int)]
    return build_completion(
        [str(part.get("text") or "") for part in parts if part.get("type") == "text"],
        [part.get("input") for part in parts if part.get("type") == "tool_use"],
        [str(part.get("thinking") or "") for part in parts if part.get("type") == "thinking"],
        _FINISHES.get(str(told.get("stop_reason")), "stop"),
        {"prompt_tokens": sum(counts) if counts else None, "completion_tokens": usage.get("output_tokens")},
    )
