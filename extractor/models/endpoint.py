"""An endpoint: where a model is, what is asked of it beside the question, and how it is reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from extractor.models.local.engines import EngineBuild
from extractor.types import Json, Vision


class Dialect(StrEnum):
    """How an endpoint is given the schema of a reply, from the strictest down."""

    GRAMMAR = "grammar"
    SCHEMA = "schema"
    TOOLS = "tools"
    JSON = "json"
    TEXT = "text"
    """The schema in the prompt alone."""


class ApiKind(StrEnum):
    """The interface that an endpoint speaks."""

    OPENAI = "openai"
    """Chat completions, which nearly all speak."""
    ANTHROPIC = "anthropic"
    GOOGLE = "google"


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """What a user sets of how a model answers. None: what the request itself says, as far as the model takes it."""

    temperature: float | None = None
    seed: int | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    """A word that the endpoint knows, such as low."""
    thinking: bool | None = None
    """False: the model is told not to think, where it can be told."""
    max_output: int | None = None
    """Tokens that one reply may take, thinking included."""
    token_probabilities: bool | None = None
    """Whether the endpoint is asked how likely each token was; None: where the server is one of the user's own."""
    extra_body: Mapping[str, Json] = field(default_factory=dict)
    """Members that the body of every request has besides; they win over what is said here."""
    vision: Vision | None = None
    """Which pages are shown as pictures, too, where the user says it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How requests reach an endpoint, and how long one waits for it."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request besides; they may hold keys, so that they show in no representation, file or log."""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of every request's address, such as api-version."""
    organization: str | None = None
    ca_file: str | None = None
    """Certificates that are trusted instead of the system's, PEM."""
    proxy: str | None = field(default=None, repr=False)
    """Address of the proxy that requests go through, with a name and password where it wants one."""
    key_header: str = "authorization"
    """The header that the key is sent in; in any other than the usual one it stands by itself."""
    request_deadline: float = 600.0
    """Seconds under way for one HTTP request; a slow drip of bytes does not extend it."""
    question_deadline: float = 600.0
    """Seconds under way for one question, over all its requests; waiting for a turn does not count."""
    attempts: int = 5
    """Tries on a busy endpoint."""
    patience: float = 120.0
    """Seconds that a question waits, all in all, for an endpoint that is loading or names no time to come back."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and how requests are sent to it. The key shows in no representation of it."""

    base_url: str
    model: str
    api_key: str = field(repr=False)
    digest: str | None = None
    dialect: Dialect | None = None
    """None: try from SCHEMA down, and stay with the first that the endpoint takes."""
    reasks: int = 2
    """How often a reply that does not fit is asked for again, with the error."""
    parameters: ModelParameters = ModelParameters()
    connection: Connection = Connection()
    refuses: frozenset[str] = frozenset()
    """Parameters that the model is known not to take, by their names in a request: temperature, seed, max_tokens."""
    thinks: bool | None = None
    """Whether the model reasons before it answers; None: not known."""
    api: ApiKind = ApiKind.OPENAI
    max_output: int | None = None
    """Tokens that one reply of the model may have at most, thinking included; None: not known."""
    engine: EngineBuild | None = None
    """Of an embedded model, what answers; None where nothing does, as in a replay."""

    @property
    def other_engine(self) -> EngineBuild | None:
        """The engine that answers, where it is another than recordings and caches take for granted."""
        return self.engine if self.engine is not None and not self.engine.is_default else None


SECRET_NAME = re.compile(r"(?i)(?:^|[_-])(?:api[_-]?key|key|token|secret|password|authorization)$")
"""What a member of a body is called whose value is a key."""


def describe_parameters(parameters: ModelParameters) -> dict[str, Json]:
    """What a user says of how the model answers, without what may be a key: nothing, where nothing is said."""
    said = {f.name: getattr(parameters, f.name) for f in fields(ModelParameters)}
    told: dict[str, Json] = {name: value for name, value in said.items() if value not in (None, {})}
    if "extra_body" in told:
        body = told["extra_body"].items()
        told["extra_body"] = {name: "[key]" if SECRET_NAME.search(name) else value for name, value in body}
    return told
