"""An OpenAI-compatible endpoint on loopback that answers and fails in every way a script asks for.

`python -m extractor.testing.fault_endpoint --latency 1` serves until its input ends, in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import inspect
import json
import socket
import struct
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

Json = Any


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """What the endpoint does with one request; a `body` that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    sleep: float = 0.0
    """Seconds until the first byte."""
    drip: float = 0.0
    """Seconds between the single bytes of the body."""
    reset: bool = False
    """The connection is reset instead of an answer."""
    cut: int | None = None
    """Bytes of the body after which the connection is closed, though more were announced."""
    endless: bool = False
    """The body is sent again and again, chunked, until the other side hangs up."""


ScriptedAnswer: TypeAlias = str | tuple[int, Json] | FaultAnswer
"""The content of a completion; a status and a JSON body; or all that an answer can be."""

EndpointScript: TypeAlias = Callable[[dict[str, Any], int], ScriptedAnswer | Awaitable[ScriptedAnswer]]
"""A function of a request's JSON body and its number, 1 and up in the order of arrival; `async` or not."""


def build_completion(
    content: str | None, *, finish: str = "stop", refusal: str | None = None, usage: Json = ..., **message: Json
) -> dict[str, Any]:
    """A completion that costs 10 tokens in and 5 out; `usage=None` leaves usage away, anything else replaces it."""
    body: dict[str, Any] = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, "refusal": refusal, **message},
            }
        ],
    }
    if usage is ...:
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return body if usage is None else {**body, "usage": usage}


def build_error(message: str, code: str | None = None) -> dict[str, Any]:
    """The body of an error as endpoints of this kind have it."""
    return {"error": {"message": message, "type": code, "code": code}}


def build_calls(*arguments: str) -> dict[str, Any]:
    """A completion that calls the tool once for each of the arguments."""
    calls = [
        {"id": str(i), "type": "function", "function": {"name": "Answer", "arguments": one}}
        for i, one in enumerate(arguments)
    ]
    return build_completion(None, finish="tool_calls", tool_calls=calls)


def build_reply(body: dict[str, Any], content: str) -> dict[str, Any]:
    """The completion in which a model says this in the way that the request asks for: as a call of its tool, or as
    text."""
    return build_calls(content) if body.get("tools") else build_completion(content)


BUSY = FaultAnswer(429, build_error("too many requests"), {"retry-after-ms": "100"})


class FaultEndpoint:
    """An endpoint on loopback, up while its block lasts, in a thread with an event loop of its own.

        with FaultEndpoint(lambda body, n: '{"number": "A-7"}') as endpoint:
            extract(text, Order, model="m", base_url=endpoint.url)

    `script` is a function of a request's JSON body and its number, 1 and up; it gives the content of a completion (a
    string), a status and a JSON body, or a `FaultAnswer`. All requests are answered on one event loop, so that one that
    waits is `async`, or sets `FaultAnswer.sleep`.
    `latency` seconds are added to every answer; beyond `capacity` requests under way, `busy` is answered at once.
    `keep=False` keeps no bodies, for very many requests.

    Beside the counts it has what it was sent: `bodies`, `headers` and `paths`. `times` are of the loop's clock, in
    seconds.
    """

    def __init__(
        self,
        script: EndpointScript,
        *,
        latency: float = 0.0,
        capacity: int | None = None,
        busy: FaultAnswer = BUSY,
        keep: bool = True,
    ) -> None:
        self.script, self.latency, self.capacity, self.busy, self.keep = script, latency, capacity, busy, keep
        self.url = ""
        self.requests = 0
        """Requests whose body has arrived, refused ones included."""
        self.refused = 0
        """Answered 429 since more were under way than the capacity."""
        self.in_flight = self.most = 0
        """Requests that were being answered, refused ones not counted; now, and at most."""
        self.input_tokens = self.output_tokens = 0
        """Of the usage that was served, the last byte included."""
        self.connections = 0
        self.closed_early = 0
        """Answers that the other side did not wait for."""
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self._started = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None

    @property
    def tokens(self) -> tuple[int, int]:
        """Input and output tokens of the usage that was served."""
        return self.input_tokens, self.output_tokens

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._thread is not None:
            self._thread.join()

    async def _serve(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        listening = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 20, backlog=512)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        self._started.set()
        await stop.wait()
        listening.close()
        for _ in range(3):  # a connection made just now begins first: a task cancelled before would be told as a fault
            await asyncio.sleep(0)
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:  # the server stops; a task that ends cancelled would be reported as a fault
            pass
        finally:
            with contextlib.suppress(Exception):
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection can be used again."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        sent = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(sent) if sent else {}
        self.requests += 1
        n = self.requests
        self.times.append(asyncio.get_running_loop().time())
        if self.keep:
            self.bodies.append(body)
            self.headers.append(headers)
            self.paths.append(head[0].split(" ")[1])
        if self.capacity is not None and self.in_flight >= self.capacity:
            self.refused += 1
            return await self._send(writer, reader, self.busy)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            scripted = self.script(body, n)
            answer = _read_answer(await scripted if inspect.isawaitable(scripted) else scripted)
            if pause := self.latency + answer.sleep:
                await self._sleep(pause, reader)
            return await self._send(writer, reader, answer)
        finally:
            self.in_flight -= 1

    async def _sleep(self, seconds: float, reader: asyncio.StreamReader) -> None:
        """Sleeps, but not for somebody who is no longer there: a real server's slot is free again then, too."""
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, 1.0))
            if reader.at_eof():
                self.closed_early += 1
                raise ConnectionResetError

    async def _send(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader, answer: FaultAnswer) -> bool:
        if answer.reset:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        headers = {"content-type": "application/json", **answer.headers}
        if answer.endless:
            headers["transfer-encoding"] = "chunked"
        else:
            headers.setdefault("content-length", str(len(data)))
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        writer.write(f"HTTP/1.1 {answer.status} Scripted\r\n{lines}\r\n".encode("latin-1"))
        try:
            if answer.endless:
                while not reader.at_eof():
                    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                    await writer.drain()
                raise ConnectionResetError
            if answer.drip:
                for i in range(len(data)):
                    writer.write(data[i : i + 1])
                    await writer.drain()
                    await asyncio.sleep(answer.drip)
                    if reader.at_eof():
                        raise ConnectionResetError
            else:
                writer.write(data if answer.cut is None else data[: answer.cut])
                await writer.drain()
        except ConnectionError:
            self.closed_early += 1
            raise
        if answer.cut is not None:
            return False
        self._count(answer.body)
        return True

    def _count(self, body: Json) -> None:
        usage = body.get("usage") if isinstance(body, dict) else None
        if isinstance(usage, dict) and isinstance(usage.get("prompt_tokens"), int):
            self.input_tokens += usage["prompt_tokens"]
            self.output_tokens += usage["completion_tokens"]


def _read_answer(answer: ScriptedAnswer) -> FaultAnswer:
    if isinstance(answer, str):
        return FaultAnswer(body=build_completion(answer))
    return answer if isinstance(answer, FaultAnswer) else FaultAnswer(answer[0], answer[1])


def main() -> None:
    """Prints the address, then at the end of its input one line of JSON with the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--capacity", type=int)
    parser.add_argument("--retry-after-ms", type=int, default=100)
    parser.add_argument("--content", default="{}")
    flags = parser.parse_args()
    busy = FaultAnswer(429, build_error("too many requests"), {"retry-after-ms": str(flags.retry_after_ms)})
    with FaultEndpoint(
        lambda body, n: flags.content, latency=flags.latency, capacity=flags.capacity, busy=busy, keep=False
    ) as endpoint:
        print(endpoint.url, flush=True)
        sys.stdin.read()
        counts = ("requests", "refused", "most", "input_tokens", "output_tokens", "connections")
        print(json.dumps({name: getattr(endpoint, name) for name in counts}), flush=True)


if __name__ == "__main__":
    main()
