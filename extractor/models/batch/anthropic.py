"""Anthropic's message batches, by its own library.

A batch has no name there: one that was begun before a crash is known by when it was begun and how many requests it has,
and for sure by its replies.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from extractor.models.native.anthropic import LONGEST_REPLY, message_to_completion
from extractor.models.native.question import put_question, read_question

MAX_LISTED = 200
CLOCK_SKEW = 300.0
"""Seconds by which the vendor's clock may differ."""


class AnthropicBatches(ConnectedBatches):
    """Message batches. Their requests go in one body, which is held whole: 64 MB of the 256 that are allowed."""

    limits = BatchLimits(100_000, 64_000_000)

    def __init__(self, connection: BatchConnection) -> None:
        import anthropic

        super().__init__(connection)
        endpoint = connection.endpoint
        self._sdk = anthropic.AsyncAnthropic(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=TRANSFER_SECONDS,
            http_client=connection.http,
        )

    def build_line(self, custom_id: str, body: Mapping[str, Any]) -> bytes:
        question = read_question(body)
        call = put_question("anthropic", question, question.schema, {"max_tokens": question.most or LONGEST_REPLY})
        return encode_line({"custom_id": custom_id, "params": {**call, **question.parameters}})

    def read_line(self, line: bytes) -> BatchAnswer:
        with require_line():
            told = json.loads(line)
            custom_id, result = told["custom_id"], told["result"]
            kind, message = result["type"], result.get("message")
        if not isinstance(custom_id, str) or not isinstance(kind, str):
            raise ValueError("no line of a batch")
        if kind != "succeeded" or not isinstance(message, dict):
            return BatchAnswer(custom_id, None, kind[:40])
        completion = json.loads(message_to_completion(json.dumps(message).encode()))
        return BatchAnswer(custom_id, completion if "choices" in completion else None, "no completion")

    async def upload(self, batch: Submission) -> str:
        return ""

    async def submit(self, batch: Submission, uploaded: str) -> str:
        requests: Any = [json.loads(line) for line in batch.file.read_bytes().splitlines()]
        async with self._connection.translate_errors(TRANSFER_SECONDS):
            return check_id((await self._sdk.messages.batches.create(requests=requests)).id)

    async def find(self, batch: Submission, uploaded: str, since: float, others: frozenset[str]) -> str | None:
        async with self._connection.translate_errors():
            seen = 0
            async for one in self._sdk.messages.batches.list(limit=100):
                seen += 1
                began = _read_time(one.created_at)
                if began < since - CLOCK_SKEW or seen > MAX_LISTED:
                    return None
                counts = one.request_counts
                many = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
                if many == batch.requests and one.id not in others:
                    return check_id(str(one.id))
        return None

    async def _ask_status(self, batch_id: str) -> BatchStatus:
        one = await self._sdk.messages.batches.retrieve(batch_id)
        counts = one.request_counts
        ended = one.processing_status == "ended"
        failed = counts.errored + counts.canceled + counts.expired
        state = BatchState.ENDED if ended else BatchState.RUNNING
        files = (one.results_url,) if ended and one.results_url else ()
        return BatchStatus(one.id, state, one.processing_status, counts.succeeded, failed, files=files)

    async def fetch(self, status: BatchStatus, target: Path, most: int) -> None:
        # The library would hold every line as it comes; it is bounded and masked here.
        headers = {"x-api-key": self._connection.endpoint.api_key, "anthropic-version": "2023-06-01"}
        for one in status.files:
            await self._connection.download(one, headers, target, most)


def _read_time(told: Any) -> float:
    if isinstance(told, str):
        told = datetime.datetime.fromisoformat(told.replace("Z", "+00:00"))
    return float(told.timestamp())
