"""The logs of the libraries that carry requests, as far as they are about requests of ours: no document and no key.

OPENAI_LOG=debug and a host that logs everything make openai write whole requests, and the layers below it whole
headers. What else a host does with these libraries is logged as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from extractor.models.secrets import SecretMask

_LIBRARIES = ("openai", "anthropic", "google_genai", "instructor", "httpx2", "httpcore2", "h2", "hpack", "h11")

_request_in_hand: ContextVar[SecretMask | None] = ContextVar("_request_in_hand", default=None)


class _OwnRequestFilter(logging.Filter):
    """Drops details (DEBUG) of a request of ours, and masks secrets in what is more than a detail."""

    def filter(self, record: logging.LogRecord) -> bool:
        mask = _request_in_hand.get()
        if mask is None:
            return True
        if record.levelno < logging.INFO:
            return False
        record.msg, record.args, record.exc_info = mask.mask_text(record.getMessage()), (), None
        return True


_FILTER = _OwnRequestFilter()


def quiet_library_logs() -> None:
    """Lets the filter see what these libraries log; call it when they are imported. Again changes nothing."""
    known = logging.root.manager.loggerDict
    for name in {*_LIBRARIES, *(n for n in known if n.split(".")[0] in _LIBRARIES)}:
        logging.getLogger(name).addFilter(_FILTER)


@contextmanager
def own_request(mask: SecretMask) -> Iterator[None]:
    """What is logged in the block is about a request of ours."""
    token = _request_in_hand.set(mask)
    try:
        yield
    finally:
        _request_in_hand.reset(token)
