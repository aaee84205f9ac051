"""A server that takes 8 requests at a time, and a run that starts with 64: how many are refused, how long it takes."""

from __future__ import annotations

import argparse
import asyncio
import time

import scene

from extractor.extraction.pipeline import extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.document_model import DocumentModel
from extractor.models.endpoint import Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.openai.client import LiveModel
from extractor.schema.reader import read_schema
from extractor.types import Document

DOCUMENTS, ADMITTED, START = 300, 8, 64
SCHEMA = read_schema({"type": "object", "properties": {"title": {"type": "string"}}})
PROMPT = Prompt("p", "Copy.", "{document}\n{question}", {}, Strategy())


async def run(url: str, at_once: int) -> tuple[float, int]:
    """Seconds, and documents that failed."""
    pressure = ConcurrencyLimiter(at_once)
    model = LiveModel(Endpoint(url, "m", "none"), limiter=pressure)
    bounded = DocumentModel(model, pressure)
    started = time.perf_counter()
    task = Task("t", SCHEMA, {})
    records = await asyncio.gather(
        *(extract_record(Document(f"{i}.txt", f"bolt {i}"), task, PROMPT, bounded, "m") for i in range(DOCUMENTS))
    )
    took = time.perf_counter() - started
    await model.aclose()
    return took, sum(bool(r.failures) for r in records)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0.2)
    flags = parser.parse_args()
    print(scene.machine())
    walls, refused, said = [], [], ""
    ideal = DOCUMENTS / ADMITTED * flags.latency
    fixed = []
    for _ in range(flags.runs):
        with scene.server(latency=flags.latency, capacity=ADMITTED, content='{"title":"bolt"}') as (url, counts):
            took, failed = asyncio.run(run(url, START))
        walls.append(took)
        refused.append(counts["refused"] / counts["requests"])
        said = f"{took:.2f} s, {counts['requests']} requests, {counts['refused']} refused, {failed} failed"
        print(f"  start {START}: {said}")
        with scene.server(latency=flags.latency, capacity=ADMITTED, content='{"title":"bolt"}') as (url, counts):
            took, failed = asyncio.run(run(url, ADMITTED))
        fixed.append(took)
        print(f"  fixed {ADMITTED}: {took:.2f} s, {counts['refused']} refused, {failed} failed")
    scene.row("refused of all requests", refused, "< 0.20", said, lower=True)
    scene.row(f"wall / ideal {ideal:.1f} s", walls and [w / ideal for w in walls], "<= 1.5", said, lower=True)
    scene.row("wall / fixed 8, measured", [w / f for w, f in zip(walls, fixed, strict=True)], "<= 1.5", "", lower=True)


if __name__ == "__main__":
    main()
