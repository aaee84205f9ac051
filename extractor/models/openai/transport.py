"""HTTP as this project wants it: no redirect, no proxy unless asked for, no reply larger than any answer can be,
and no reply that carries the key back.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import ssl
import urllib.request
import zlib
from collections.abc import Mapping, Sequence

import httpx2

from extractor.errors import ModelError, UsageError, name_install_command
from extractor.models.base_url import parse_address
from extractor.models.endpoint import Endpoint
from extractor.models.openai.watched import WatchedTransport
from extractor.models.secrets import SecretMask, find_secrets

MAX_RESPONSE_BYTES = 16_000_000
"""Bytes of a decoded reply that are read; an answer of 100,000 tokens is some 400,000."""
_LARGE_BYTES = 250_000
"""Bytes from which on a reply is searched for secrets in a thread, so that other requests go on."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Reads every reply whole, within bounds; secrets in it and in its headers are masked before anybody sees them."""

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        secrets: str | Sequence[str] = (),
        largest: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._inner = inner
        self._mask = SecretMask(secrets)
        self._largest = largest

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # What is not packed cannot be a bomb; a server that packs all the same is unpacked within bounds.
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        try:
            body = await self._read_body(response)
        finally:
            await response.aclose()
        if len(body) > _LARGE_BYTES:
            body = await asyncio.to_thread(self._mask.mask_bytes, body)
        else:
            body = self._mask.mask_bytes(body)
        dropped = ("content-encoding", "content-length", "transfer-encoding")
        told = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in dropped]
        headers = [(self._mask.mask_text(k), self._mask.mask_text(v)) for k, v in told]
        return httpx2.Response(response.status_code, headers=headers, content=body, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _read_body(self, response: httpx2.Response) -> bytes:
        packing = response.headers.get("content-encoding", "identity").strip().lower()
        if packing in ("br", "zstd", "compress", "x-compress") or "," in packing:
            raise _broken_response_error(f"is packed as {packing[:20]!r}, which nobody asked for")
        # 32 + 15: zlib finds out whether it is gzip or zlib; what is no packing at all ("utf-8") is not packed
        is_packed = packing in ("gzip", "x-gzip", "deflate")
        unpack = zlib.decompressobj(32 + zlib.MAX_WBITS) if is_packed else None
        parts: list[bytes] = []
        size = 0
        async for part in response.stream:  # type: ignore[union-attr]
            if unpack is not None:
                if unpack.eof:  # more after the end: read on, it might be for ever
                    raise _broken_response_error("is packed, and goes on after its end")
                try:
                    part = unpack.decompress(part, self._largest - size + 1)
                except zlib.error:
                    raise _broken_response_error("is packed, and broken") from None
            parts.append(part)
            size += len(part)
            if size > self._largest:
                raise ModelError(
                    f"The endpoint's reply is larger than {self._largest // 1_000_000} MB, which no answer is.",
                    reason="too large",
                    lost=True,
                )
        if unpack is not None and not unpack.eof and size:
            raise _broken_response_error("is packed, and has no end")
        return b"".join(parts)


def _broken_response_error(how: str) -> ModelError:
    return ModelError(
        f"The endpoint's reply {how}; check that the base URL is right.", reason="bad response", lost=True
    )


class AddressedTransport(httpx2.AsyncBaseTransport):
    """Sends every request with the headers and the query that its endpoint wants, and the key where it wants it."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, endpoint: Endpoint) -> None:
        self._inner = inner
        self._connection, self._key = endpoint.connection, endpoint.api_key

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        wanted = self._connection
        if wanted.key_header != "authorization":
            request.headers.pop("authorization", None)
            request.headers[wanted.key_header] = self._key
        if wanted.organization:
            request.headers["openai-organization"] = wanted.organization
        for name, value in wanted.headers.items():
            request.headers[name] = value
        if wanted.query:
            request.url = request.url.copy_merge_params(dict(wanted.query))
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def build_transport(endpoint: Endpoint, connections: int, use_proxy: bool = False) -> GuardedTransport:
    """The way to an endpoint. Raises UsageError for an address that nothing is sent to, a CA file that holds no
    certificates, and a proxy that cannot be gone through."""
    return GuardedTransport(build_open_transport(endpoint, connections, use_proxy), find_secrets(endpoint))


def build_open_transport(endpoint: Endpoint, connections: int, use_proxy: bool = False) -> AddressedTransport:
    """The same for whoever reads piece by piece what is too large to be held, and bounds and masks it himself."""
    url = parse_address(endpoint.base_url)
    asked = endpoint.connection.proxy
    verify = build_tls_context(endpoint.connection.ca_file) if url.scheme == "https" else True
    proxy = check_proxy(asked or (find_proxy(url) if use_proxy else None))
    if proxy is None:
        from extractor.models.openai.network import PooledTransport  # httpcore, of whoever sends something

        # nothing of http is encrypted, and reading the system's certificates takes longer than most else at a start
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls = httpx2.create_ssl_context(verify=verify, trust_env=False) if url.scheme == "https" else unused
        pool: httpx2.AsyncBaseTransport = PooledTransport(tls, connections)
        return AddressedTransport(WatchedTransport(pool) if endpoint.engine else pool, endpoint)
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    inner = httpx2.AsyncHTTPTransport(trust_env=False, verify=verify, limits=limits, proxy=proxy)
    return AddressedTransport(inner, endpoint)


def build_tls_context(ca_file: str | None, environ: Mapping[str, str] = os.environ) -> ssl.SSLContext | bool:
    """What certificates are checked against: the CA file, else what SSL_CERT_FILE and SSL_CERT_DIR name, else the
    system's. Raises UsageError for a file that holds no certificates."""
    file, folder = ca_file or environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if not file and not folder:
        return True
    try:
        return ssl.create_default_context(cafile=file or None, capath=None if ca_file else folder or None)
    except (OSError, ssl.SSLError):
        by = "ca_file" if ca_file else "SSL_CERT_FILE"
        raise UsageError(f"{by} {file} holds no certificates that can be read; name a PEM file.") from None


def check_proxy(proxy: str | None) -> str | None:
    """The proxy, if it can be gone through. Raises UsageError, without showing it, for one that cannot."""
    if proxy is None:
        return None
    scheme = proxy.partition("://")[0].lower()
    if scheme not in ("http", "https", "socks5", "socks5h") or "://" not in proxy:
        raise UsageError("The proxy is no address that can be gone through; give one like http://host:3128.")
    if scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise UsageError(f"A SOCKS proxy needs a library that is not installed: {name_install_command('socks')}")
    return proxy


def find_proxy(url: httpx2.URL) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY) names for an address."""
    if urllib.request.proxy_bypass(url.host):
        return None
    named = urllib.request.getproxies()
    found: Sequence[str | None] = (named.get(url.scheme), named.get("all"))
    return next((one for one in found if one), None)
