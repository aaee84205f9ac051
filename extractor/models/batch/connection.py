"""The way to a vendor's batches: errors as this package has them, and downloads that are bounded and masked."""

from __future__ import annotations

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.errors import ModelBusy, ModelError, ModelFatal
from extractor.files import open_private_file
from extractor.models.batch.interface import BatchState, BatchStatus
from extractor.models.endpoint import Endpoint
from extractor.models.openai.quiet_logs import own_request
from extractor.models.openai.transport import build_open_transport, build_transport
from extractor.models.secrets import SecretMask, find_secrets

if TYPE_CHECKING:
    import httpx2

CALL_SECONDS, TRANSFER_SECONDS = 120.0, 3600.0
"""Seconds for a call, and for a file to come or go."""
_AGAIN = (408, 409, 425, 429)
MAX_LINE_BYTES = 16_000_000
"""Bytes of one line of replies; no answer is longer."""


class BatchConnection:
    """Two clients of one endpoint: `http` bounds and masks whatever comes, `download` reads files piece by piece."""

    def __init__(self, endpoint: Endpoint, use_proxy: bool = False) -> None:
        import httpx2

        self.endpoint = endpoint
        self.mask = SecretMask(find_secrets(endpoint))
        self.http = httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, transport=build_transport(endpoint, 4, use_proxy)
        )
        self._open = httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, transport=build_open_transport(endpoint, 4, use_proxy)
        )

    async def aclose(self) -> None:
        await self.http.aclose()
        await self._open.aclose()

    @contextlib.asynccontextmanager
    async def translate_errors(self, seconds: float = CALL_SECONDS) -> AsyncIterator[None]:
        """Raises ModelError in place of what openai's and anthropic's libraries and the network raise."""
        import httpx2

        try:
            async with asyncio.timeout(seconds):
                with own_request(self.mask):
                    yield
        except TimeoutError:
            raise ModelBusy(
                f"{self.endpoint.base_url} did not answer within {seconds:g} s.", reason="network"
            ) from None
        except httpx2.HTTPError as error:
            raise ModelBusy(
                f"{self.endpoint.base_url} cannot be reached ({type(error).__name__}).", reason="network"
            ) from None
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001 -- of two libraries with a tree each; what is none of theirs goes on
            raise self._translate(error) from None

    def _translate(self, error: Exception) -> Exception:
        status = getattr(error, "status_code", None)
        if status is None:
            of_network = type(error).__name__ in ("APIConnectionError", "APITimeoutError")
            if of_network or isinstance(error, ValueError | TypeError | KeyError | AttributeError):
                return ModelBusy(f"{self.endpoint.base_url} did not answer as batches do.", reason="network")
            return error
        said = self.mask.mask_text(str(getattr(error, "message", "") or error))[:300]
        if status in _AGAIN or status >= 500:
            return ModelBusy(f"{self.endpoint.base_url} is busy (HTTP {status}): {said}")
        refused = ModelFatal(f"{self.endpoint.base_url} refuses the batch (HTTP {status}): {said}")
        refused.reason = "gone" if status == 404 else "refused"
        return refused

    async def download(self, path: str, headers: dict[str, str], target: Path, most: int) -> None:
        """Appends a file of lines to the target, secrets masked, until it has `most` bytes."""
        url = path if path.startswith("http") else f"{self.endpoint.base_url.rstrip('/')}{path}"
        self.require_own_host(url)
        plain = {**headers, "accept-encoding": "identity"}
        async with (
            self.translate_errors(TRANSFER_SECONDS),
            self._open.stream("GET", url, headers=plain) as response,
        ):
            if response.status_code != 200:
                raise _StatusError(response.status_code, (await _read_some(response)).decode(errors="replace"))
            with open_private_file(target, appends=True) as file:
                await self._copy_lines(response, file, most)

    async def _copy_lines(self, response: httpx2.Response, file: Any, most: int) -> None:
        rest = b""
        async for part in response.aiter_raw(1 << 18):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                file.write(self.mask.mask_bytes(line) + b"\n")
            if len(rest) > MAX_LINE_BYTES or file.tell() > most:
                raise ModelError(
                    f"{self.endpoint.base_url} sends more than a batch of this size can have; what came is kept.",
                    reason="too large",
                )
        if rest.strip():
            file.write(self.mask.mask_bytes(rest) + b"\n")

    def require_own_host(self, url: str) -> None:
        """Raises ModelFatal for an address elsewhere: it would be sent the key."""
        import httpx2

        own, other = httpx2.URL(self.endpoint.base_url), httpx2.URL(url)
        if (own.scheme, own.host, own.port) != (other.scheme, other.host, other.port):
            raise ModelFatal(f"{self.endpoint.base_url} says that replies are at {other.host}, which is not asked.")


class ConnectedBatches(ABC):
    """What the batches of every vendor do alike."""

    def __init__(self, connection: BatchConnection) -> None:
        self._connection = connection

    async def aclose(self) -> None:
        await self._connection.aclose()

    async def look(self, batch_id: str) -> BatchStatus:
        try:
            async with self._connection.translate_errors():
                return await self._ask_status(batch_id)
        except ModelError as error:
            if error.reason == "gone":
                return BatchStatus(batch_id, BatchState.GONE)
            raise

    @abstractmethod
    async def _ask_status(self, batch_id: str) -> BatchStatus: ...


def encode_line(line: Mapping[str, Any]) -> bytes:
    """A line of a file of requests, its end included."""
    return json.dumps(line).encode() + b"\n"


@contextlib.contextmanager
def require_line() -> Iterator[None]:
    """Raises ValueError where what is read in the block shows that a line of replies is none."""
    try:
        yield
    except (TypeError, KeyError, AttributeError, RecursionError) as failure:
        raise ValueError("no line of a batch") from failure


class _StatusError(Exception):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.status_code = status


async def _read_some(response: httpx2.Response, most: int = 2_000) -> bytes:
    got = b""
    async for part in response.aiter_raw():
        got += part
        if len(got) > most:
            break
    return got[:most]
