"""Serves the review page on this machine until it is interrupted."""

from __future__ import annotations

import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError, name_install_command
from extractor.review_app.desk import ReviewDesk
from extractor.review_app.pages import PageFinder

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """How a folder is reviewed. Port 0 is one that is free."""

    out: Path
    who: str
    documents: Path | None = None
    port: int = 0
    opens_browser: bool = True


def serve_review(options: ReviewOptions, say: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM. `say` is told the address, with its token.

    Raises UsageError where the extra is missing, the folder holds no results or the port is taken.
    """
    try:
        import uvicorn

        from extractor.review_app.app import build_app
    except ImportError as error:
        wanted = name_install_command("review")
        raise UsageError(f"{error.name}, which the page needs, is not installed; install it with {wanted}.") from error
    desk = ReviewDesk(options.out, options.who)
    pages = PageFinder(options.documents)
    listener = open_listener(options.port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    app = build_app(desk, pages, token, port)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, ws="none", lifespan="off", loop="asyncio"
    )
    address = f"http://{LOOPBACK}:{port}/?token={token}"
    indexing = threading.Thread(target=desk.index_documents, name="index", daemon=True)
    indexing.start()
    say(address)
    if options.opens_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        desk.stop()
        indexing.join(timeout=5)
        desk.index.close()
        listener.close()


def open_listener(port: int) -> socket.socket:
    """What listens on this machine; port 0 is one that is free. Raises UsageError for one that is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else an answer may wait 40 ms for the browser
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise UsageError(f"Port {port} is taken ({error.strerror}); choose another with --port.") from error
    return listener
