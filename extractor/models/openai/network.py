"""Bytes to and from an endpoint, on asyncio's own transports: what httpcore's connections are made of here.

httpcore's own streams go by way of anyio, which stops listening to a socket between any two reads and asks the system
anew whether an idle one has ended: on a quick server that is half of what a request takes. Which connection is used,
and HTTP itself, stay httpcore's affair.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore2
import httpx2

MAX_WAITING_BYTES = 1 << 18
"""Bytes that were received and not read yet, from which on no more are taken off the socket."""
SECOND_ADDRESS_SECONDS = 0.25
"""Seconds after which the next address of a host is tried beside the first."""


class PooledTransport(httpx2.AsyncBaseTransport):
    """Sends requests over httpcore's pool of connections, without a proxy."""

    def __init__(self, tls: ssl.SSLContext, connections: int) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=httpx2.Limits().keepalive_expiry,
            network_backend=_Backend(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        with _translate_errors():
            response = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=_ResponseStream(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _ResponseStream(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> Any:
        with _translate_errors():
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with _translate_errors():
            await self._response.aclose()


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    """httpcore's errors as httpx's, which have the same names."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        raise _find_namesake(error)(str(error)) from error


def _find_namesake(error: Exception) -> type[httpx2.TransportError]:
    found: Any = next(getattr(httpx2, kind.__name__) for kind in type(error).__mro__ if hasattr(httpx2, kind.__name__))
    return found  # type: ignore[no-any-return]


class _Wire(asyncio.Protocol):
    """What has come in, and whether more may; asyncio calls it."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.has_ended = False
        self.error: Exception | None = None
        self.transport: Any = None
        self._is_paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._may_send = asyncio.Event()
        self._may_send.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) > MAX_WAITING_BYTES and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.has_ended = True
        self._wake()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.has_ended, self.error = True, error
        self._may_send.set()
        self._wake()

    def pause_writing(self) -> None:
        self._may_send.clear()

    def resume_writing(self) -> None:
        self._may_send.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def send(self, data: bytes) -> None:
        """Hands the bytes to the system; where the connection is gone, reading tells."""
        if not self.has_ended:
            self.transport.write(data)
            await self._may_send.wait()

    async def receive(self, most: int) -> bytes:
        """What has come, and b"" at the end. What came before a connection broke is given out first."""
        while not self.received and not self.has_ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = bytes(self.received[:most])
        del self.received[:most]
        if not data and self.error is not None:
            raise httpcore2.ReadError(str(self.error)) from self.error
        if self._is_paused and len(self.received) <= MAX_WAITING_BYTES and not self.has_ended:
            self._is_paused = False
            self.transport.resume_reading()
        return data


class _Stream(httpcore2.AsyncNetworkStream):
    """One connection. What is written is sent when an answer is waited for: head and body of a request in one piece."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._unsent: list[bytes] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _limit_time(timeout, httpcore2.ReadTimeout) as limit:
            async with limit:
                if self._unsent:
                    unsent, self._unsent = b"".join(self._unsent), []
                    await self._wire.send(unsent)
                return await self._wire.receive(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._unsent.append(buffer)

    async def aclose(self) -> None:
        self._wire.transport.abort()  # nothing is to come any more, nor to go: TLS would wait for the other's farewell
        await asyncio.sleep(0)  # closed before the event loop is

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        wire = _Wire()
        loop = asyncio.get_running_loop()
        try:
            with _limit_time(timeout, httpcore2.ConnectTimeout) as limit:
                async with limit:
                    over = await loop.start_tls(
                        self._wire.transport, wire, ssl_context, server_hostname=server_hostname
                    )
        except OSError as error:  # that of TLS is one
            raise httpcore2.ConnectError(str(error)) from error
        except BaseException:
            self._wire.transport.abort()
            raise
        wire.transport = over
        return _Stream(wire)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._wire.has_ended or bool(self._wire.received)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._wire.transport.get_extra_info(names.get(info, info))


class _Backend(httpcore2.AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            with _limit_time(timeout, httpcore2.ConnectTimeout) as limit:
                async with limit:
                    delay = None if _is_address(host) else SECOND_ADDRESS_SECONDS
                    _, wire = await loop.create_connection(_Wire, host, port, happy_eyeballs_delay=delay)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        return _Stream(wire)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _is_address(host: str) -> bool:
    """Whether there is but one address to try; asyncio drops sockets when a race of several is called off."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def _limit_time(seconds: float | None, kind: type[httpcore2.TimeoutException]) -> Iterator[asyncio.Timeout | Any]:
    """What bounds the awaiting in its block, and says so by an error of this kind."""
    if seconds is None:
        yield contextlib.nullcontext()
        return
    limit = asyncio.timeout(seconds)
    try:
        yield limit
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise kind(str(error)) from error
