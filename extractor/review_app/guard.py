"""Who may talk to the page: a browser on this machine that was given the token, from the page itself and nowhere else.

A page of another origin can make a browser send requests here. It does not have the cookie (SameSite=Strict), cannot
name another host (Host is checked, so a name that is made to point here does not help), and what it sends says where it
comes from (Origin, Sec-Fetch-Site), without the header that only the page's own script can set.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 4 << 20
"""Bytes of a request's body."""
OWN_HEADER = b"x-review"
"""A header that a page of another origin cannot set without asking, and nobody answers."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Guard:
    """An ASGI application in front of another one, which lets through what comes from the page and its person."""

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app, self.token, self.port = app, token, port
        self.cookie = f"review_{port}"
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        why = self.find_fault(scope, headers)
        if why:
            await _refuse(send, 403, why)
            return
        given = self._read_url_token(scope)

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
                own = [*HEADERS, *([(b"set-cookie", cookie.encode())] if given else [])]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        await self.app(scope, _bound_body(receive), send_guarded)

    def find_fault(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Why a request is refused; empty where it is not."""
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host not in self.hosts:
            return "This page answers only by the name of this machine; open the address that the terminal shows."
        site = headers.get(b"sec-fetch-site", b"none")
        if site not in (b"none", b"same-origin") and not (scope["path"] == "/" and scope["method"] == "GET"):
            return "This was asked by another page; use the review page itself."
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower() != f"http://{host}":
            return "This was asked by a page of another origin; use the review page itself."
        if scope["method"] not in ("GET", "HEAD"):
            if origin is None or headers.get(OWN_HEADER) != b"1":
                return "This was not asked by the review page; use the page itself."
            if headers.get(b"content-type", b"").split(b";")[0].strip() != b"application/json":
                return "This was not asked as the review page asks; use the page itself."
        given = self._read_url_token(scope) or self._read_cookie(headers)
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return "The address lacks its token; open the address that the terminal shows."
        return ""

    def _read_url_token(self, scope: Scope) -> str:
        """The token in the page's own address; no other address takes one."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return ""
        query: bytes = scope.get("query_string", b"")
        return parse_qs(query.decode("latin-1")).get("token", [""])[0]

    def _read_cookie(self, headers: dict[bytes, bytes]) -> str:
        """The value of the page's own cookie, as it was set: without quotes, which http.cookies takes the square of."""
        pairs = (pair.strip().partition("=") for pair in headers.get(b"cookie", b"").decode("latin-1").split(";"))
        return next((value for name, _, value in pairs if name == self.cookie), "")


def _bound_body(receive: Receive) -> Receive:
    taken = 0

    async def receive_bounded() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return receive_bounded


async def _refuse(send: Send, status: int, why: str) -> None:
    body = why.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
