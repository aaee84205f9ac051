"""How requests reach an endpoint: headers, query, the key's header, certificates, proxies; secrets come back masked."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from extractor import Engine, ModelSettings
from extractor.errors import ExtractorError, UsageError
from extractor.models.endpoint import Connection, Endpoint
from extractor.models.openai.transport import build_tls_context, build_transport, check_proxy
from extractor.testing import FaultEndpoint, build_completion

Start = Callable[..., FaultEndpoint]
SCHEMA = {"properties": {"title": {"type": "string"}}}
CERTIFICATE = Path(__file__).parent / "data" / "loopback_certificate.pem"


def ask(url: str, key: str | None = "sk-hunter22", **said: Any) -> Any:
    with Engine("m", base_url=url, api_key=key, settings=ModelSettings(**said)) as engine:
        return engine.extract("A bolt.", SCHEMA)


def test_headers_query_and_organisation_go_with_every_request(faults: Start) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    ask(server.url, headers={"X-Team": "docs"}, query={"api-version": "7"}, organization="org-1")
    headers = server.headers[0]
    assert server.paths == ["/v1/chat/completions?api-version=7"]
    assert (headers["x-team"], headers["openai-organization"]) == ("docs", "org-1")
    assert headers["authorization"] == "Bearer sk-hunter22"


def test_a_deployment_is_reached_with_its_version_and_its_key_in_its_own_header(faults: Start) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    address = server.url.replace("/v1", "/openai/deployments/mine/chat/completions?api-version=2024-10-21")
    ask(address)
    assert server.paths == ["/openai/deployments/mine/chat/completions?api-version=2024-10-21"]
    assert server.headers[0]["api-key"] == "sk-hunter22" and "authorization" not in server.headers[0]


def test_a_header_of_ones_own_takes_the_place_of_the_usual_one(faults: Start) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    ask(server.url, headers={"Authorization": "Basic abcdefgh"})
    assert server.headers[0]["authorization"] == "Basic abcdefgh"


@pytest.mark.parametrize(
    "said",
    [
        {"headers": {"X-Gateway": "hunter22-and-more"}},
        {"headers": {"Authorization": "Bearer hunter22-and-more"}},
        {"query": {"sig": "hunter22-and-more"}},
        {"extra_body": {"api_key": "hunter22-and-more"}},
    ],
)
def test_whatever_may_be_a_key_is_masked_where_an_endpoint_sends_it_back(faults: Start, said: Any) -> None:
    secret = "hunter22-and-more"
    server = faults(lambda body, n: f'{{"title": "a {secret} bolt"}}')
    result = ask(server.url, **said)
    assert secret not in result.file.model_dump_json()


def test_what_says_who_asks_is_no_secret_and_may_stand_in_a_document(faults: Start) -> None:
    server = faults(lambda body, n: '{"title": "https://example.org/app"}')
    headers = {"HTTP-Referer": "https://example.org/app", "X-Title": "a bolt and a nut"}
    with Engine("m", base_url=server.url, settings=ModelSettings(headers=headers)) as engine:
        result = engine.extract("See https://example.org/app for more.", SCHEMA)
    assert result.value == {"title": "https://example.org/app"}


@pytest.fixture
def tls() -> Iterator[str]:
    """An endpoint with a certificate that nobody has signed but itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps(build_completion('{"title": "bolt"}')).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_of_ones_own_is_trusted_when_it_is_named(tls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(tls, ca_file=str(CERTIFICATE)).value == {"title": "bolt"}
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert ask(tls).value == {"title": "bolt"}


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tls: str) -> None:
    try:
        failed = ask(tls, attempts=1).failures
    except ExtractorError:
        return
    assert failed


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for file in ("ca.pem", "none.pem"):
        with pytest.raises(UsageError, match=r"ca_file .*\.pem"):
            build_tls_context(str(tmp_path / file), {})
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        build_tls_context(None, {"SSL_CERT_FILE": str(tmp_path / "none.pem")})
    assert build_tls_context(None, {}) is True


def test_a_proxy_that_is_named_is_gone_through(faults: Start) -> None:
    proxy = faults(lambda body, n: '{"title": "bolt"}')
    address = proxy.url.removesuffix("/v1").replace("://", "://me:hunter22@")
    assert ask("http://endpoint.invalid/v1", proxy=address).value == {"title": "bolt"}
    assert proxy.paths == ["http://endpoint.invalid/v1/chat/completions"]
    assert proxy.headers[0]["proxy-authorization"].startswith("Basic ")


def test_a_proxy_that_is_none_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("hunter22", "ftp://u:hunter22@h", "h:3128"):
        with pytest.raises(UsageError, match="proxy") as caught:
            check_proxy(proxy)
        assert "hunter22" not in str(caught.value)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="install"):
        build_transport(Endpoint("http://h/v1", "m", "k", connection=Connection(proxy="socks5://h:1080")), 1)


def serve_socks_once(listening: socket.socket, target: tuple[str, int], heard: list[bytes]) -> None:
    """One connection of a SOCKS 5 proxy (RFC 1928) that asks for no name and always goes to `target`."""
    connection, _ = listening.accept()
    with connection, socket.create_connection(target) as onward:
        heard.append(connection.recv(64))
        connection.sendall(b"\x05\x00")
        heard.append(connection.recv(256))
        connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x01")
        there = threading.Thread(target=pass_on, args=(connection, onward))
        there.start()
        pass_on(onward, connection)
        there.join()


def pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def test_a_socks_proxy_is_gone_through(faults: Start) -> None:
    pytest.importorskip("socksio")
    server = faults(lambda body, n: '{"title": "bolt"}')
    port = int(server.url.rpartition(":")[2].removesuffix("/v1"))
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve_socks_once, args=(listening, ("127.0.0.1", port), heard))
        thread.start()
        proxy = f"socks5://127.0.0.1:{listening.getsockname()[1]}"
        assert ask("http://endpoint.invalid/v1", proxy=proxy).value == {"title": "bolt"}
        thread.join()
    assert heard[0][:1] == b"\x05" and b"endpoint.invalid" in heard[1]
