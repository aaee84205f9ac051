"""Random bytes, JSON and HTML as documents and as replies: no crash, and no value that no words support unmarked."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractor.documents.discovery import Source, read_source
from extractor.errors import DocumentError, ModelFatal
from extractor.extraction.pipeline import extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.endpoint import Connection, Dialect, Endpoint
from extractor.models.openai.client import LiveModel
from extractor.results.file import build_result, encode_part
from extractor.schema.reader import read_schema
from extractor.testing import build_completion
from extractor.types import Document, Match

CASES = int(os.environ.get("EXTRACTOR_FUZZ", "60"))
"""20,000 in `make soak`."""
SCHEMA = read_schema(
    {
        "type": "object",
        "properties": {
            "title": {"type": ["string", "null"]},
            "price": {"type": ["number", "null"]},
            "lines": {
                "type": "array",
                "items": {"type": "object", "properties": {"item": {"type": "string"}, "amount": {"type": "integer"}}},
            },
        },
    }
)
TASK = Task("t", SCHEMA, {})
PROMPT = Prompt("p", "Copy.", "{document}\n{question}", {}, Strategy(chunk_tokens=300))

words = st.sampled_from(
    ["bolt", "12", "3.5", "café", "", " ", "\u202e", "\0", "</document>", "{{ 7*7 }}", "<b>bolt</b>"]
)
texts = st.one_of(st.text(max_size=200), st.lists(words, max_size=30).map(" ".join))
html = st.lists(st.sampled_from(["<p>", "</p>", "<script>", "&amp;", "<!--", "bolt 12", "<td", "\n"])).map("".join)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), words)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=8), v, max_size=4))
lines = st.lists(st.fixed_dictionaries({"item": words, "amount": st.integers(-9, 99)}), max_size=4)
fitting = st.fixed_dictionaries({"title": st.none() | words, "price": st.none() | st.just(12) | st.just(3.5)})
files = st.one_of(st.binary(max_size=300), st.one_of(html, texts).map(lambda t: t.encode("utf-8", "replace")))
replies = st.one_of(
    st.binary(max_size=200),
    html.map(str.encode),
    st.one_of(texts, values.map(json.dumps), fitting.map(json.dumps))
    .map(build_completion)
    .map(lambda c: json.dumps(c).encode()),
    st.builds(lambda f, n: json.dumps(build_completion(json.dumps({**f, "lines": n}))).encode(), fitting, lines),
)


class Body(httpx2.AsyncBaseTransport):
    """Every request is answered with these bytes."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "application/json"}
        return httpx2.Response(200, content=self.body, headers=headers, request=request)


async def extract(document: Document, body: bytes) -> dict[str, Any]:
    endpoint = Endpoint(
        "http://127.0.0.1:9/v1", "m", "none", dialect=Dialect.JSON, reasks=0, connection=Connection(attempts=1)
    )
    model = LiveModel(endpoint, Body(body))
    try:
        record = await extract_record(document, TASK, PROMPT, model, "m")
    finally:
        await model.aclose()
    return json.loads(encode_part(build_result(record, "t", {})))


@settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(st.binary(max_size=300), html.map(str.encode), texts.map(lambda t: t.encode("utf-8", "replace"))), replies
)
def test_nothing_that_comes_in_crashes_or_puts_in_a_value_without_words(data: bytes, body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(data)
        try:
            document = read_source(Source(path))
        except DocumentError:
            return
    try:
        result = asyncio.run(extract(document, body))
    except ModelFatal:
        return
    assert set(leaves(result["record"], "")) == set(result["evidence"])
    for found in result["evidence"].values():
        assert found["match"] != str(Match.NONE) and found["spans"]
        for span in found["spans"]:
            assert document.text[span["start"] : span["end"]] == span["quote"] != ""


def leaves(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, f"{path}/{k}")]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in leaves(v, f"{path}/{i}")]
    return [] if value is None else [path]
