"""Batches of somebody's pipeline, with their records."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from extractor.errors import UsageError
from extractor.integrations.ray import BatchExtractor
from extractor.testing import FaultEndpoint


class Order(BaseModel):
    number: str | None = None


def answer(body: dict[str, Any], n: int) -> str:
    words = body["messages"][-1]["content"].split()
    return json.dumps({"number": next(w for w in words if w.startswith("A-"))})


def test_a_batch_has_its_records_in_its_order(faults: Callable[..., FaultEndpoint]) -> None:
    extract = BatchExtractor(Order, name="id", model="m", base_url=faults(answer).url)
    texts = ["Order A-1 is here.", "", b"Order A-3 is here.", "Order A-4 is here.", None]
    batch = {"id": ["a", "b", "c.txt", "d", "e"], "text": texts, "other": [1, 2, 3, 4, 5]}
    for one in (extract, pickle.loads(pickle.dumps(extract))):
        found = one(batch)
        assert [json.loads(r)["number"] if r else None for r in found["record"]] == ["A-1", None, "A-3", "A-4", None]
        assert found["status"] == ["complete", "failed", "complete", "complete", "failed"]
        assert found["other"] == batch["other"]
        assert "empty" in found["failures"][1]
        assert json.loads(found["result"][2])["document"]["name"] == "c.txt"


def test_a_key_is_no_part_of_a_pipeline() -> None:
    with pytest.raises(UsageError, match="api_key is not for a pipeline"):
        BatchExtractor(Order, api_key="sk-0123456789")
