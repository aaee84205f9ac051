"""A model hub on loopback, with the faults that real ones and the networks before them have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """Serves `files` by path. Each further request takes the next fault, until none is left."""

    files: dict[str, bytes]
    cuts: Sequence[int] = ()
    """Bytes of body after which a connection is closed, one for each request in turn."""
    statuses: Sequence[int] = ()
    """Answered instead of a file, one for each request in turn."""
    ranges: bool = True
    sized: bool = True
    """Whether the length of a body is announced."""
    drip: float = 0.0
    """Seconds before each byte."""
    redirect: str = ""
    """Where every request is sent on to."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header of each request so far."""
    base: str = ""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub on a free port of loopback; `hub.base` is its address."""
    lock = threading.Lock()
    cuts, statuses = iter(hub.cuts), iter(hub.statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            data = hub.files.get(self.path)
            self.send_response(404 if data is None else 200)
            if data is not None and hub.sized:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            with lock:
                hub.asked.append((self.path, wanted))
                status, cut = next(statuses, 0), next(cuts, None)
            if hub.redirect:
                self.send_response(302)
                self.send_header("Location", hub.redirect + self.path)
                self.end_headers()
                return
            data = hub.files.get(self.path)
            if status or data is None:
                self.send_error(status or 404)
                return
            begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and hub.ranges else 0
            self.send_response(206 if wanted and hub.ranges else 200)
            if wanted and hub.ranges:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            if hub.sized:
                self.send_header("Content-Length", str(len(data) - begin))
            self.end_headers()
            body = data[begin:] if cut is None else data[begin : begin + cut]
            if not hub.drip:
                self.wfile.write(body)
                return
            for byte in body:
                time.sleep(hub.drip)
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:
                    return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    hub.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
