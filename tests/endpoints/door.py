"""What the tests of endpoints share: an order, a right answer to it, and the public door to ask through.

The scripted endpoints have the names of members and codes as their makers have them (docs/endpoints.md); all other
words are this project's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from extractor import Engine, Result, extract, extract_all
from extractor.testing import FaultEndpoint, build_reply

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "number": {"type": ["string", "null"]},
        "total": {"type": ["number", "null"]},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"item": {"type": "string"}, "price": {"type": "number"}},
            },
        },
    },
    "required": ["number", "total", "rows"],
}
TEXT = """Order A-7

Bolts cost 4.50 each.
Nuts cost 2.25 each.
Washers cost 1.75 each.

The total is 120.50.
"""
ROWS = [{"item": "Bolts", "price": 4.5}, {"item": "Nuts", "price": 2.25}, {"item": "Washers", "price": 1.75}]
RIGHT: dict[str, Any] = {"number": "A-7", "total": 120.5, "rows": ROWS}
SAID = json.dumps(RIGHT)

Body = dict[str, Any]
Refusal = Callable[[Body], Any]
"""What is answered to a request that is refused; None for one that is taken."""


def answer_rightly(body: Body) -> Any:
    return 200, build_reply(body, SAID)


def refuse(refusal: Refusal) -> Callable[[Body, int], Any]:
    """A script that refuses what the function has an answer for, and answers all else rightly."""
    return lambda body, n: refusal(body) or answer_rightly(body)


@contextmanager
def serve(script: Callable[[Body, int], Any]) -> Iterator[FaultEndpoint]:
    with FaultEndpoint(script) as server:
        yield server


def read(server: FaultEndpoint, text: str = TEXT, schema: Any = SCHEMA, **how: Any) -> Result[Any]:
    return extract(text, schema, model="m", base_url=server.url, **how)


def read_all(server: FaultEndpoint, texts: list[str], **how: Any) -> list[Result[Any]]:
    return list(extract_all(texts, SCHEMA, model="m", base_url=server.url, **how))


def read_in_turn(server: FaultEndpoint, texts: list[str]) -> list[Result[Any]]:
    """The results of one run that reads one document after the other."""
    with Engine("m", base_url=server.url, concurrency=1) as engine:
        return [extract(text, SCHEMA, engine=engine) for text in texts]


def learnt(result: Result[Any]) -> dict[str, Any]:
    """What the manifest tells of the endpoint."""
    found: dict[str, Any] = result.content["manifest"].get("learnt", {})
    return found


def names_dialect(body: Body) -> str:
    """The dialect that a request is in."""
    if "tools" in body:
        return "tools"
    form = body.get("response_format", {}).get("type")
    return {"json_schema": "schema", "json_object": "json"}.get(form, "text")
