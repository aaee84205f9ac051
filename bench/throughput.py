"""A server that takes 1 s for every answer, 64 requests at a time: how near to 64 answers a second, at what work."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable

import scene
from pydantic import BaseModel

from extractor.domain import Request
from extractor.live import Endpoint, LiveModel
from extractor.pressure import Pressure

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
    model = LiveModel(Endpoint(url, "m", "none"), pressure=Pressure(at_once))

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1280)
    parser.add_argument("--at-once", type=int, default=64)
    flags = parser.parse_args()
    print(scene.machine())
    ideal = flags.requests / flags.at_once
    for name, run in (("extractor", ours), ("plain instructor", plain)):
        shares, work, walls = [], [], []
        for _ in range(flags.runs):
            with scene.server(latency=1.0, content=ANSWER) as (url, counts):
                wall, cpu = asyncio.run(run(url, flags.requests, flags.at_once))
            assert counts["requests"] == flags.requests + 1, counts
            shares.append(ideal / wall)
            work.append(cpu)
            walls.append(wall)
        said = f"{min(walls):.2f} s for {flags.requests} requests, ideal {ideal:g} s"
        scene.row(f"{name}: ideal / wall", shares, ">= 0.95", said, lower=False)
        scene.row(f"{name}: ms CPU a request", work, "<= 5", "", lower=True)


if __name__ == "__main__":
    main()
