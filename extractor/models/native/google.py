"""Google's own interface, generateContent, by its library and instructor."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from extractor.models.endpoint import Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.native.question import build_completion, put_question, read_question
from extractor.models.openai.sending import RequestSender
from extractor.types import Json
from extractor.types.picture import MEDIA_TYPE

if TYPE_CHECKING:
    import httpx2

_OWN = ("temperature", "top_p", "top_k")
_FINISHES = {"MAX_TOKENS": "length", "STOP": "stop"}
_REFUSED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE")


class GoogleSender(RequestSender):
    """Sends requests as Google wants them."""

    def __init__(self, endpoint: Endpoint, transport: httpx2.AsyncBaseTransport, limiter: ConcurrencyLimiter) -> None:
        super().__init__(endpoint, transport, limiter)
        from google import genai
        from google.genai import types

        self._sdk = genai.Client(
            api_key=endpoint.api_key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=endpoint.base_url,
                httpx_async_client=self._http,
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
        )

    async def _fetch(self, arguments: Mapping[str, Any]) -> bytes:
        import httpx2
        import openai
        from google.genai import errors, types

        question = read_question(arguments)
        for message in question.messages:
            message["role"] = message["role"].replace("assistant", "model")  # as this interface calls it
        own = {name: value for name, value in question.parameters.items() if name in _OWN}
        limits = {} if question.most is None else {"max_tokens": question.most}
        schema = None if question.schema is None else convert_schema(question.schema)
        call = put_question("genai", question, schema, {"generation_config": {**own, **limits}} if schema else {})
        config: Any = call["config"]
        if schema is None:  # instructor leaves what it asks nothing of as it is
            config = config.model_copy(update={**own, "max_output_tokens": question.most})
        if other := {name: value for name, value in question.parameters.items() if name not in _OWN}:
            config = config.model_copy(update={"http_options": types.HttpOptions(extra_body=other)})
        if question.pictures:
            parts = [
                types.Part.from_bytes(data=base64.b64decode(one), mime_type=MEDIA_TYPE) for one in question.pictures
            ]
            first = call["contents"][0]
            call["contents"][0] = first.model_copy(update={"parts": [*parts, *first.parts]})
        request = httpx2.Request("POST", self.endpoint.base_url)
        try:
            response = await self._sdk.aio.models.generate_content(
                model=call["model"], contents=call["contents"], config=config
            )
        except errors.APIError as error:
            raw = error.response if isinstance(error.response, httpx2.Response) else None
            answered = raw or httpx2.Response(error.code or 500, request=request)
            raise openai.APIStatusError(str(error.message), response=answered, body=_unwrap(error.details)) from error
        except ValueError:  # what is no JSON, as a page is; it says so where it is read
            return b""
        except httpx2.TimeoutException as error:
            raise openai.APITimeoutError(request=request) from error
        except httpx2.HTTPError as error:
            raise openai.APIConnectionError(message=type(error).__name__, request=request) from error
        return content_to_completion(response.model_dump(mode="json", by_alias=True, exclude_none=True))


def _unwrap(details: object) -> object:
    return details.get("error", details) if isinstance(details, dict) else details


def convert_schema(node: Mapping[str, Json]) -> dict[str, Json]:
    """A response schema as this interface has it: one type for each node, null said apart, no extra members named."""
    out = {name: value for name, value in node.items() if name not in ("additionalProperties", "type", "enum")}
    kinds = node.get("type")
    if isinstance(kinds, list):
        real = [kind for kind in kinds if kind != "null"]
        types: dict[str, Json] = {"type": real[0]} if len(real) == 1 else {"anyOf": [{"type": one} for one in real]}
        out |= {**types, "nullable": "null" in kinds}
    elif kinds is not None:
        out["type"] = kinds
    choices = node.get("enum")
    if isinstance(choices, list):
        texts = [one for one in choices if isinstance(one, str)]
        if len(texts) == len([one for one in choices if one is not None]):  # it takes texts alone
            out |= {"type": "string", "enum": texts, "nullable": None in choices or out.get("nullable", False)}
        out.setdefault("type", "string")
    if "properties" in node:
        out["properties"] = {name: convert_schema(sub) for name, sub in node["properties"].items()}
    if "items" in node:
        out["items"] = convert_schema(node["items"])
    if "anyOf" in node:
        out["anyOf"] = [convert_schema(one) for one in node["anyOf"]]
    return out


def content_to_completion(told: Mapping[str, Json]) -> bytes:
    """A reply as a completion; one that was blocked is a refusal."""
    first: Mapping[str, Json] = next(iter(told.get("candidates") or ()), {})
    parts: list[Any] = (first.get("content") or {}).get("parts") or []
    reason = str(first.get("finishReason") or "")
    blocked = bool((told.get("promptFeedback") or {}).get("blockReason")) or reason in _REFUSED
    calls = [part["functionCall"].get("args") or {} for part in parts if part.get("functionCall")]
    usage = told.get("usageMetadata") or {}
    written = [usage.get(name) for name in ("candidatesTokenCount", "thoughtsTokenCount")]
    counts = [count for count in written if isinstance(count, int)]
    return build_completion(
        [str(part.get("text") or "") for part in parts if not part.get("thought") and part.get("text")],
        calls,
        [str(part.get("text") or "") for part in parts if part.get("thought")],
        "content_filter" if blocked else _FINISHES.get(reason, "stop"),
        {
            "prompt_tokens": usage.get("promptTokenCount"),
            "completion_tokens": sum(counts) if counts else None,
        },
    )
