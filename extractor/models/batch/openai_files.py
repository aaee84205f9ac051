"""Batches of files, as OpenAI has them and others after it: upload JSON Lines, begin, look, download JSON Lines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from extractor.models.batch.connection import (
    TRANSFER_SECONDS,
    BatchConnection,
    ConnectedBatches,
    encode_line,
    require_line,
)
from extractor.models.batch.interface import (
    BatchAnswer,
    BatchLimits,
    BatchState,
    BatchStatus,
    Submission,
    check_id,
)
from extractor.types import Json

NAME_MEMBER = "extractor_batch"
"""The member of a batch's metadata that holds its name."""
CHAT_ADDRESS = "/v1/chat/completions"
"""Which of a vendor's questions a batch asks, as lines and batches name it."""
MAX_LISTED = 1_000
"""Batches of an account that are looked through for one that was begun before a crash."""


class OpenAIBatches(ConnectedBatches):
    """OpenAI's, and those of gateways and vendors that took its form over."""

    limits = BatchLimits(50_000, 200_000_000)
    route: ClassVar[str] = "/batches"
    purpose: ClassVar[str] = "batch"
    states: ClassVar[Mapping[str, BatchState]] = {
        "completed": BatchState.ENDED,
        "expired": BatchState.ENDED,
        "cancelled": BatchState.ENDED,
        "failed": BatchState.REFUSED,
    }

    def __init__(self, connection: BatchConnection) -> None:
        import openai

        super().__init__(connection)
        endpoint = connection.endpoint
        self._client = openai.AsyncOpenAI(
            api_key=endpoint.api_key, base_url=endpoint.base_url, max_retries=0, http_client=connection.http
        )

    def build_line(self, custom_id: str, body: Mapping[str, Any]) -> bytes:
        return build_openai_line(custom_id, body)

    def read_line(self, line: bytes) -> BatchAnswer:
        return read_openai_line(line)

    async def upload(self, batch: Submission) -> str:
        async with self._connection.translate_errors(TRANSFER_SECONDS):
            with batch.file.open("rb") as file:
                told = await self._client.post(
                    "/files",
                    cast_to=object,
                    body={"purpose": self.purpose},
                    files={"file": (f"{batch.name}.jsonl", file, "application/jsonl")},
                    options={"headers": {"Content-Type": "multipart/form-data"}, "timeout": TRANSFER_SECONDS},
                )
        return _read_id(told)

    async def submit(self, batch: Submission, uploaded: str) -> str:
        async with self._connection.translate_errors():
            told = await self._client.post(
                self.route,
                cast_to=object,
                body=self.describe(batch, uploaded),
                options={"headers": {"Idempotency-Key": batch.name}},
            )
        return self.read_status(told).batch_id

    def describe(self, batch: Submission, uploaded: str) -> dict[str, Json]:
        """What is sent to begin a batch."""
        return {
            "input_file_id": uploaded,
            "endpoint": CHAT_ADDRESS,
            "completion_window": "24h",
            "metadata": {NAME_MEMBER: batch.name},
        }

    async def find(self, batch: Submission, uploaded: str, since: float, others: frozenset[str]) -> str | None:
        async with self._connection.translate_errors():
            async for told in self.list_batches():
                if self.is_named(told, batch.name, uploaded):
                    return self.read_status(told).batch_id
        return None

    def is_named(self, told: Mapping[str, Any], name: str, uploaded: str) -> bool:
        """Whether a batch of the list is the one of this name, or of this file, which is no other's."""
        metadata = told.get("metadata")
        of_name = isinstance(metadata, dict) and metadata.get(NAME_MEMBER) == name
        return of_name or bool(uploaded and told.get("input_file_id") == uploaded)

    async def list_batches(self) -> AsyncIterator[dict[str, Any]]:
        """The batches of the account, the newest first."""
        after: dict[str, object] = {}
        for _ in range(MAX_LISTED // 100):
            page: Any = await self._client.get(self.route, cast_to=object, options={"params": {"limit": 100, **after}})
            rows = page if isinstance(page, list) else page.get("data") or []
            for row in rows:
                yield row
            if isinstance(page, list) or not page.get("has_more") or not rows:
                return
            after = {"after": rows[-1]["id"]}

    async def _ask_status(self, batch_id: str) -> BatchStatus:
        return self.read_status(await self._client.get(f"{self.route}/{batch_id}", cast_to=object))

    def read_status(self, told: Any) -> BatchStatus:
        """What a batch's own object says."""
        counts = told.get("request_counts") or {}
        files = tuple(one for name in ("output_file_id", "error_file_id") if isinstance(one := told.get(name), str))
        state = self.states.get(str(told.get("status")).lower(), BatchState.RUNNING)
        if state is BatchState.REFUSED and files:
            state = BatchState.ENDED
        return BatchStatus(
            _read_id(told),
            state,
            str(told.get("status"))[:40],
            _read_count(counts.get("completed")),
            _read_count(counts.get("failed")),
            _read_problem(told),
            tuple(one for one in files if one),
        )

    async def fetch(self, status: BatchStatus, target: Path, most: int) -> None:
        for one in status.files:
            path = f"/files/{check_id(one)}/content"
            headers = {"authorization": f"Bearer {self._connection.endpoint.api_key}"}
            await self._connection.download(path, headers, target, most)


class TogetherBatches(OpenAIBatches):
    """Together's: a batch has no metadata, and is known by its file."""

    limits = BatchLimits(50_000, 100_000_000)
    purpose = "batch-api"

    def describe(self, batch: Submission, uploaded: str) -> dict[str, Json]:
        return {"input_file_id": uploaded, "endpoint": CHAT_ADDRESS, "completion_window": "24h"}

    def read_status(self, told: Any) -> BatchStatus:
        job = told.get("job")
        return super().read_status(job if isinstance(job, dict) else told)


class MistralBatches(OpenAIBatches):
    """Mistral's jobs: the model is the job's, and a line has no address."""

    limits = BatchLimits(100_000, 512_000_000)
    route = "/batch/jobs"
    states: ClassVar[Mapping[str, BatchState]] = {
        "success": BatchState.ENDED,
        "timeout_exceeded": BatchState.ENDED,
        "cancelled": BatchState.ENDED,
        "failed": BatchState.REFUSED,
    }

    def build_line(self, custom_id: str, body: Mapping[str, Any]) -> bytes:
        own = {name: value for name, value in body.items() if name != "model"}
        return encode_line({"custom_id": custom_id, "body": own})

    def describe(self, batch: Submission, uploaded: str) -> dict[str, Json]:
        return {
            "input_files": [uploaded],
            "endpoint": CHAT_ADDRESS,
            "model": batch.model,
            "metadata": {NAME_MEMBER: batch.name},
            "timeout_hours": 24,
        }

    def is_named(self, told: Mapping[str, Any], name: str, uploaded: str) -> bool:
        return super().is_named(told, name, "") or bool(uploaded and uploaded in (told.get("input_files") or []))

    async def list_batches(self) -> AsyncIterator[dict[str, Any]]:
        for number in range(MAX_LISTED // 100):
            page: Any = await self._client.get(
                self.route, cast_to=object, options={"params": {"page": number, "page_size": 100}}
            )
            rows = page.get("data") or []
            for row in rows:
                yield row
            if len(rows) < 100:
                return

    def read_status(self, told: Any) -> BatchStatus:
        counts = {"completed": told.get("succeeded_requests"), "failed": told.get("failed_requests")}
        files = {"output_file_id": told.get("output_file"), "error_file_id": told.get("error_file")}
        return super().read_status({**told, **files, "request_counts": counts})


def build_openai_line(custom_id: str, body: Mapping[str, Any]) -> bytes:
    """A request as a line of a file in OpenAI's form, its end included."""
    return encode_line({"custom_id": custom_id, "method": "POST", "url": CHAT_ADDRESS, "body": dict(body)})


def read_openai_line(line: bytes) -> BatchAnswer:
    """A line of replies in OpenAI's form, which vLLM's run-batch writes too. Raises ValueError for one that is none."""
    with require_line():
        told = json.loads(line)
        custom_id = told["custom_id"]
        response, error = told.get("response") or {}, told.get("error")
        body, status = response.get("body"), response.get("status_code", 200)
    if not isinstance(custom_id, str):
        raise ValueError("no line of a batch")
    if error or status != 200 or not isinstance(body, dict) or not body.get("choices"):
        return BatchAnswer(custom_id, None, _name_reason(error, status))
    return BatchAnswer(custom_id, body)


def _name_reason(error: Any, status: Any) -> str:
    code = error.get("code") if isinstance(error, dict) else None
    word = code if isinstance(code, str) and code else f"HTTP {status}" if status != 200 else "no completion"
    return "".join(one for one in word[:40] if one.isprintable())


def _read_id(told: Any) -> str:
    found = told.get("id") if isinstance(told, dict) else None
    if not isinstance(found, str):
        raise ValueError("no id")
    return check_id(found)


def _read_count(told: Any) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


def _read_problem(told: Mapping[str, Any]) -> str:
    errors = told.get("errors")
    rows = errors.get("data") if isinstance(errors, dict) else errors
    first = rows[0] if isinstance(rows, list) and rows else told.get("error")
    text = first.get("message") if isinstance(first, dict) else first
    return text[:300] if isinstance(text, str) else ""
