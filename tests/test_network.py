"""Connections to an endpoint: used again, replaced when they ended, read to the last byte that came."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest

from extractor.models.openai.network import MAX_WAITING_BYTES, PooledTransport

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.asynccontextmanager
async def serve(handle: Handler) -> AsyncIterator[tuple[httpx2.AsyncClient, list[None]]]:
    """A client of a server that does this with each connection, and these connections."""
    connections: list[None] = []
    under_way: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(None)
        under_way.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await handle(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    transport = PooledTransport(ssl.create_default_context(), 4)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url=address) as client:
            yield client, connections
    finally:
        server.close()
        await asyncio.wait(under_way, timeout=5)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length"))
    return await reader.readexactly(size)


def test_a_connection_serves_request_after_request() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            body = await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def ask() -> None:
        async with serve(handle) as (client, connections):
            large = b"x" * (5 * MAX_WAITING_BYTES)
            for body in (b"a", large, b"b"):
                assert (await client.post("/", content=body)).content == body
            assert len(connections) == 1

    asyncio.run(ask())


def test_a_connection_that_ended_while_it_was_idle_is_replaced() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)

    async def ask() -> None:
        async with serve(handle) as (client, connections):
            for _ in range(3):
                assert (await client.post("/", content=b"a")).text == "ok"
                await asyncio.sleep(0.05)
            assert len(connections) == 3

    asyncio.run(ask())


def test_an_answer_that_comes_before_all_was_sent_is_read_to_its_end() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(0.2)

    async def ask() -> None:
        async with serve(handle) as (client, _):
            said = await client.post("/", content=b"x" * 20_000_000, timeout=5)
            assert (said.status_code, said.text) == (413, "no")

    asyncio.run(ask())


def test_what_ends_too_early_or_says_nothing_is_an_error_of_its_kind() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await read_request(reader)
        if body == b"half":
            writer.write(OK[:-1])
        elif body == b"late":
            await asyncio.sleep(0.3)

    async def ask() -> None:
        async with serve(handle) as (client, _):
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.post("/", content=b"half")
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.post("/", content=b"nothing")
            with pytest.raises(httpx2.ReadTimeout):
                await client.post("/", content=b"late", timeout=0.1)
        async with httpx2.AsyncClient(transport=PooledTransport(ssl.create_default_context(), 1)) as client:
            with pytest.raises(httpx2.ConnectError):
                await client.post("http://127.0.0.1:9/")
            with pytest.raises(httpx2.UnsupportedProtocol):
                await client.post("ftp://127.0.0.1/")

    asyncio.run(ask())
