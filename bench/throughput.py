"""A server that takes 1 s for every answer, 64 requests at a time: how near to 64 answers a second, at what work.

The clients take turns, run by run, so that what else the machine does meets them alike. `--langextract PYTHON` names
the Python of an environment that has langextract and openai, and adds langextract's provider (bench/beside.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import scene
from pydantic import BaseModel

from extractor.models.endpoint import Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.openai.client import LiveModel
from extractor.types import Request

TEXT = "It is said of this bolt that it holds, and of that nut that it turns. " * 40
ANSWER = '{"title":"bolt","rows":[{"name":"bolt","size":3},{"name":"nut","size":null}]}'


class Row(BaseModel):
    name: str | None = None
    size: int | None = None


class Answer(BaseModel):
    title: str | None = None
    rows: list[Row] = []


def shape(choices: list[str]) -> dict[str, object]:
    """As it is sent for a chunk: what may be chosen differs from chunk to chunk."""
    row = {
        "type": "object",
        "properties": {"name": {"type": ["string", "null"], "enum": choices}, "size": {"type": ["integer", "null"]}},
        "required": ["name", "size"],
        "additionalProperties": False,
    }
    properties = {"title": {"type": ["string", "null"]}, "rows": {"type": "array", "items": row}}
    return {
        "type": "object",
        "properties": properties,
        "required": ["title", "rows"],
        "additionalProperties": False,
    }


async def timed(ask: Callable[[int], Awaitable[object]], requests: int, at_once: int) -> tuple[float, float]:
    """Seconds of wall clock, and milliseconds of this process's CPU for each request."""
    limit = asyncio.Semaphore(at_once)

    async def one(i: int) -> None:
        async with limit:
            await ask(i)

    await ask(-1)  # imports, and the first connection
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(i) for i in range(requests)))
    return time.perf_counter() - wall, (time.process_time() - cpu) / requests * 1000


async def ours(url: str, requests: int, at_once: int) -> tuple[float, float]:
    model = LiveModel(Endpoint(url, "m", "none"), limiter=ConcurrencyLimiter(at_once))

    async def ask(i: int) -> object:
        user = f"<document>\n{i} {TEXT}\n</document>"
        parameters = {"temperature": 0, "max_tokens": 400}
        return await model.complete(Request("m", "Copy.", user, shape([f"bolt {i}", "nut", None]), parameters))

    try:
        return await timed(ask, requests, at_once)
    finally:
        await model.aclose()


async def plain(url: str, requests: int, at_once: int) -> tuple[float, float]:
    """instructor as its own documentation uses it."""
    import instructor
    import openai

    client = openai.AsyncOpenAI(api_key="none", base_url=url)
    asked = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA)

    async def ask(i: int) -> object:
        messages = [{"role": "system", "content": "Copy."}, {"role": "user", "content": f"{i} {TEXT}"}]
        return await asked.chat.completions.create(
            model="m", messages=messages, response_model=Answer, temperature=0, max_tokens=400
        )

    try:
        return await timed(ask, requests, at_once)
    finally:
        await client.close()


def langextract(python: str, url: str, requests: int, at_once: int) -> tuple[float, float]:
    """langextract's OpenAI provider, in a process of its own."""
    words = [python, str(Path(__file__).parent / "beside.py"), url, str(requests), str(at_once), TEXT]
    told = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env={})
    wall, cpu = json.loads(told.stdout.splitlines()[-1])
    return wall, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1280)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--langextract", metavar="PYTHON")
    parser.add_argument("--only", choices=["extractor", "plain instructor", "langextract"])
    flags = parser.parse_args()
    print(scene.machine())
    ideal = flags.requests / flags.at_once
    clients: dict[str, Callable[[str], tuple[float, float]]] = {
        "extractor": lambda url: asyncio.run(ours(url, flags.requests, flags.at_once)),
        "plain instructor": lambda url: asyncio.run(plain(url, flags.requests, flags.at_once)),
    }
    if flags.langextract:
        clients["langextract"] = lambda url: langextract(flags.langextract, url, flags.requests, flags.at_once)
    clients = {name: run for name, run in clients.items() if flags.only in (None, name)}
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in clients}
    for _ in range(flags.runs):
        for name, run in clients.items():
            with scene.server(latency=1.0, content=ANSWER) as (url, counts):
                took[name].append(run(url))
            assert counts["requests"] == flags.requests + 1, counts
    for name, runs in took.items():
        walls = [wall for wall, _ in runs]
        said = f"best {min(walls):.2f} s, median {statistics.median(walls):.2f} s, ideal {ideal:g} s"
        scene.row(f"{name}: ideal / wall", [ideal / wall for wall in walls], ">= 0.95", said, lower=False)
        scene.row(f"{name}: ms CPU a request", [cpu for _, cpu in runs], "<= 5", "", lower=True)


if __name__ == "__main__":
    main()
