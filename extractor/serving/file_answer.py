"""An answer that is in a file: sent as it is read, so that a large one takes no memory for each who asks for it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial
from typing import BinaryIO

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

PIECE_BYTES = 1 << 18


class FileAnswer(StreamingResponse):
    """JSON that is in a file, sent piece by piece as it is read, between what stands before and after it."""

    def __init__(
        self, file: BinaryIO, before: bytes = b"", after: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self._file = file
        pieces = itertools.chain([before], iter(partial(file.read, PIECE_BYTES), b""), [after])
        super().__init__(filter(None, pieces), 200, headers, "application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:  # also where nobody reads to the end
            await super().__call__(scope, receive, send)
