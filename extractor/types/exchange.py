"""What goes to a model and what comes back: the seam, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from extractor.types.picture import PageImage
from extractor.types.text import Json, ValuePath, fingerprint_json


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that is sent to a model, and a label that is not.

    `schema` is the JSON Schema that the reply must fit; `grammar` is the same for an engine that takes a grammar.
    """

    model: str
    system: str
    user: str
    schema: Mapping[str, Json]
    parameters: Mapping[str, Json]
    grammar: str | None = None
    label: str = ""
    pictures: tuple[PageImage, ...] = ()
    """Pages that the text is of, in order; a model that does not see is sent the text alone."""

    @property
    def key(self) -> str:
        pictures = {"pictures": [page.digest for page in self.pictures]} if self.pictures else {}
        return fingerprint_json(
            {
                "model": self.model,
                "system": self.system,
                "user": self.user,
                "schema": self.schema,
                "parameters": self.parameters,
                "grammar": self.grammar,
                **pictures,
            }
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What replies cost, retries included. Token counts are None where the endpoint reports none."""

    requests: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    seconds: float | None = 0.0
    """Compute time in seconds as the server reports it, the same in a replay; None where it reports none."""
    cached: int = 0
    """Replies that were paid for by an earlier run; they count as no request and no token."""
    lost: int = 0
    """Requests among these whose reply did not arrive whole; whether they were billed is unknown."""
    cached_input_tokens: int | None = 0
    """What the cached replies took when they were paid for; None where that was not kept, or never told."""
    cached_output_tokens: int | None = 0
    cached_seconds: float | None = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            _add_known(self.input_tokens, other.input_tokens),
            _add_known(self.output_tokens, other.output_tokens),
            _add_known(self.seconds, other.seconds),
            self.cached + other.cached,
            self.lost + other.lost,
            _add_known(self.cached_input_tokens, other.cached_input_tokens),
            _add_known(self.cached_output_tokens, other.cached_output_tokens),
            _add_known(self.cached_seconds, other.cached_seconds),
        )


_Number = TypeVar("_Number", int, float)


def _add_known(a: _Number | None, b: _Number | None) -> _Number | None:
    return None if a is None or b is None else a + b


@dataclass(frozen=True, slots=True)
class LeafProbability:
    """How likely the model was to write one value as it did, over the tokens that spell it."""

    log: float
    """The natural logarithms of the tokens' probabilities, added up."""
    tokens: int

    @property
    def joint(self) -> float:
        """Of all tokens together, 0 to 1."""
        return math.exp(self.log)

    @property
    def mean(self) -> float:
        """The geometric mean of the tokens', 0 to 1, which does not sink with the value's length."""
        return math.exp(self.log / max(1, self.tokens))


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in the form of the request's schema. `value` is the parsed JSON.

    A leaf that the schema has no place for, or that is not of its type, stays in it: it is for the reader to list.
    """

    value: Json
    usage: Usage
    attempts: int = 1
    """How often the model had to be asked until the reply fitted."""
    said_besides: tuple[tuple[ValuePath, Json], ...] = ()
    """Values that the reply gives for a place of `value` that already holds another one."""
    leaf_probabilities: Mapping[ValuePath, LeafProbability] = field(default_factory=dict)
    """Of plain values, by their place in `value`, where the endpoint told of its tokens."""


class Model(Protocol):
    """Whatever answers a request: a live endpoint, a cassette, a cache, or a function in a test."""

    async def complete(self, request: Request) -> Reply: ...
