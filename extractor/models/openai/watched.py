"""Replies of an engine of ours, read while they are written, so that one that runs in circles is stopped.

What is sent and what comes back is a completion as ever, above this: in recordings, too. Underneath the engine is asked
for a stream, and a connection that is closed ends what it writes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from extractor.models.local.grammar import read_last_field
from extractor.models.openai.completion import join_stream
from extractor.models.openai.repetition import RepetitionWatch

_STREAMED = {"stream": True, "stream_options": {"include_usage": True}, "timings_per_token": True}
_ENDED = "[DONE]"


class WatchedTransport(httpx2.AsyncBaseTransport):
    """Asks for each chat as a stream and gives out one completion. A reply that only repeats itself is ended as one is
    that was cut short, by `length`."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = _read_chat(request)
        if body is None:
            return await self._inner.handle_async_request(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        data = json.dumps({**body, **_STREAMED}, ensure_ascii=False).encode()
        asked = httpx2.Request(
            request.method, request.url, headers=headers, content=data, extensions=request.extensions
        )
        response = await self._inner.handle_async_request(asked)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            return response
        try:
            events, is_stopped = await _read_until_loop(response, _watch_for_loop(body))
        finally:
            await response.aclose()
        problem = next((event["error"] for event in events if "error" in event), None)
        if problem is not None:
            code = problem.get("code") if isinstance(problem, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            return httpx2.Response(status, json={"error": problem}, request=request)
        return httpx2.Response(200, json=_build_completion(events, is_stopped=is_stopped), request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _read_chat(request: httpx2.Request) -> dict[str, Any] | None:
    """The body of a chat that is asked for whole."""
    if request.method != "POST" or not request.url.path.endswith("/chat/completions"):
        return None
    body = json.loads(request.content)
    return body if isinstance(body, dict) and not body.get("stream") else None


def _watch_for_loop(body: Mapping[str, Any]) -> RepetitionWatch | None:
    """What says that the reply to this chat runs in circles; nothing where nobody knows how the reply is to end."""
    last = read_last_field(str(body.get("grammar", "")))
    if last is None:
        return None
    contents = [message.get("content") for message in body["messages"]]
    parts = [part for one in contents for part in (one if isinstance(one, list) else [{"text": one}])]
    return RepetitionWatch("\n".join(str(part.get("text") or "") for part in parts), last)


async def _read_until_loop(
    response: httpx2.Response, watch: RepetitionWatch | None
) -> tuple[list[dict[str, Any]], bool]:
    """The events of the stream until it ends, or until the reply says nothing new; and whether that is why."""
    events: list[dict[str, Any]] = []
    async for event in _iterate_events(response):
        events.append(event)
        choices = event.get("choices") or [{}]
        said = (choices[0].get("delta") or {}).get("content")
        if watch is not None and isinstance(said, str) and watch.loops(said):
            return events, True
    return events, False


async def _iterate_events(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    unread = b""
    async for part in response.stream:  # type: ignore[union-attr]
        *lines, unread = (unread + part).split(b"\n")
        for line in lines:
            kind, _, data = line.decode().partition(":")
            if kind in ("data", "error") and data.strip() not in ("", _ENDED):
                event = json.loads(data)
                yield {"error": event} if kind == "error" else event


def _build_completion(events: list[dict[str, Any]], *, is_stopped: bool) -> dict[str, Any]:
    """What the events come to. Of a reply that was stopped the timings alone tell how many tokens it took.

    Raises RemoteProtocolError for a stream that broke off.
    """
    try:
        whole = {**join_stream(events), "object": "chat.completion"}
    except ValueError:
        raise httpx2.RemoteProtocolError("The engine ended its stream before it said anything.") from None
    choice = whole["choices"][0]
    if is_stopped:
        choice["finish_reason"] = "length"
        cached, read, written = (whole.get("timings", {}).get(n, 0) for n in ("cache_n", "prompt_n", "predicted_n"))
        used = {"completion_tokens": written, "prompt_tokens": cached + read, "total_tokens": cached + read + written}
        whole["usage"] = {**used, "prompt_tokens_details": {"cached_tokens": cached}}
    elif not choice["finish_reason"]:
        raise httpx2.RemoteProtocolError("The engine broke off its reply.")
    return whole
