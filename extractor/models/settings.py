"""What a user says of a model and its endpoint: in a flag, in a config file, or from Python. One list of names for all.

--set temperature=0.2 --set window=32000 --set header.X-Team=docs
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from extractor.errors import UsageError
from extractor.models.endpoint import ApiKind, Dialect
from extractor.models.traits import ModelClass
from extractor.types import Json, Vision

TABLES = {"extra_body": "extra_body", "header": "headers", "query": "query"}
"""Names of `--set` that have a name of their own behind a point, as in header.X-Team, and the settings they are of."""
_TABLES_AS_CALLED = {**TABLES, "headers": "headers"}
_CLASS = "class"
_FORBIDDEN_BODY = {
    "messages": "the prompt says what is asked",
    "model": "--model says which is asked",
    "stream": "replies are read whole",
    "n": "one reply is read",
    "response_format": "dialect says how the schema is sent",
    "tools": "dialect says how the schema is sent",
    "tool_choice": "dialect says how the schema is sent",
}
_FORBIDDEN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})
_BODY_NAMES = {
    "temperature": ("temperature",),
    "seed": ("seed",),
    "top_p": ("top_p",),
    "reasoning_effort": ("reasoning_effort",),
    "max_output": ("max_tokens", "max_completion_tokens"),
}
"""What settings are called in the body of a request."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Everything that can be said of a model and its endpoint. None, or nothing in it: not said.

    Raises UsageError for a value that cannot be meant, and for two that contradict each other.
    """

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
    """Whether the endpoint is asked how likely each token was; without it, a server of one's own is."""
    omit: tuple[str, ...] = ()
    """Parameters that are not sent at all, of temperature, seed and top_p."""
    extra_body: Mapping[str, Json] = field(default_factory=dict)
    """Members that the body of every request has besides."""
    window: int | None = None
    """Tokens that the model reads and writes in one request."""
    model_class: ModelClass | str | None = None
    """small or strong; called `class` elsewhere. Without it, the name decides: below 4 B parameters it is small."""
    dialect: Dialect | str | None = None
    """How the schema is sent: schema, tools, json or text; without it, the best that works is found."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request; they may hold keys, so that they show in no file, log or message."""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of every request's address, such as api-version."""
    vision: Vision | str | None = None
    """Which pages the model is shown as pictures, too: auto (those that are no good text, if it is known to see),
    always or never."""
    api: ApiKind | str | None = None
    """The interface that the endpoint speaks: openai, anthropic or google."""
    organization: str | None = None
    ca_file: str | None = None
    """Certificates that are trusted instead of the system's, PEM."""
    proxy: str | None = field(default=None, repr=False)
    """Address of a proxy that requests go through: http, https or socks5."""
    attempts: int | None = None
    """Tries on a busy endpoint."""
    patience: float | None = None
    """Seconds that a question waits, all in all, for an endpoint that is loading or names no time to come back."""
    request_deadline: float | None = None
    """Seconds for one HTTP request."""
    document_deadline: float | None = None
    """Seconds for one document."""
    rpm: float | None = None
    """Requests a minute, at most."""
    tpm: float | None = None
    """Tokens a minute, at most."""
    max_requests: int | None = None
    """Of a run; more are not sent."""
    max_run_tokens: int | None = None
    """Of a run, in and out; no request is sent that could go beyond."""
    max_cost: float | None = None
    """Of a run, in the currency of the price."""
    price: tuple[float, float] | None = None
    """Of a million tokens read, and of a million written; without it, the list price, where it is known."""
    engine: str | None = None
    """What an embedded model runs in: xllamacpp, native, llama-server, or the path of one; without it, xllamacpp."""

    def __post_init__(self) -> None:
        for name, kind in _WORDS.items():
            word = next((one for one in kind if one.value == str(getattr(self, name)).lower()), None)
            if word is not None and word is not Dialect.GRAMMAR:
                object.__setattr__(self, name, word)  # frozen for all others
        for name, check in _CHECKS.items():
            value = getattr(self, name)
            if value is not None and not check.accepts(value):
                shown = "as given" if name == "proxy" or len(repr(value)) > 40 else repr(value)
                raise UsageError(f"{_called(name)} {shown} cannot be meant; give {check.wanted}.")
        _check_tables(self)
        _check_contradictions(self)

    def override_with(self, other: ModelSettings) -> ModelSettings:
        """These settings, with what the other says in the place of what they say of the same."""
        said = {f.name: getattr(other, f.name) for f in fields(other) if getattr(other, f.name) not in (None, {}, ())}
        for table in TABLES.values():
            if table in said:
                said[table] = {**getattr(self, table), **said[table]}
        kept = tuple(one for one in self.omit if one not in said)  # what is set is sent
        return replace(self, **{"omit": kept, **said})

    def list_said(self) -> dict[str, Any]:
        """What is said, by the names that a user gives it."""
        named = ((_called(f.name), getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in named if value not in (None, {}, ())}


@dataclass(frozen=True, slots=True)
class _Check:
    wanted: str
    kinds: tuple[type, ...]
    low: float = float("-inf")
    high: float = float("inf")
    above: bool = False
    """Whether the low bound itself is too low."""

    def accepts(self, value: object) -> bool:
        if not isinstance(value, self.kinds) or (isinstance(value, bool) and bool not in self.kinds):
            return False
        if isinstance(value, str):
            return bool(value.strip()) and value.isprintable()
        if isinstance(value, int | float):
            return self.low <= value <= self.high and value < float("inf") and not (self.above and value == self.low)
        return True


_COUNT = _Check("a whole number above 0", (int,), 1)
_AMOUNT = _Check("a number above 0", (int, float), 0, above=True)
_WORD = _Check("a word", (str,))
_CHECKS = {
    "temperature": _Check("a number from 0 to 2", (int, float), 0, 2),
    "seed": _Check("a whole number", (int,)),
    "top_p": _Check("a number above 0, and 1 at most", (int, float), 0, 1, above=True),
    "reasoning_effort": _WORD,
    "thinking": _Check("true or false", (bool,)),
    "max_output": _COUNT,
    "token_probabilities": _Check("true or false", (bool,)),
    "window": _Check("a whole number from 512 up", (int,), 512),
    "model_class": _Check("small or strong", (ModelClass,)),
    "dialect": _Check("schema, tools, json or text", (Dialect,)),
    "vision": _Check("auto, always or never", (Vision,)),
    "api": _Check("openai, anthropic or google", (ApiKind,)),
    "engine": _WORD,
    "organization": _WORD,
    "ca_file": _Check("the path of a PEM file", (str,)),
    "proxy": _Check("an address such as http://host:3128", (str,)),
    "attempts": _COUNT,
    "patience": _Check("seconds from 0 up", (int, float), 0),
    "request_deadline": _Check("seconds above 0", (int, float), 0, above=True),
    "document_deadline": _Check("seconds above 0", (int, float), 0, above=True),
    "rpm": _AMOUNT,
    "tpm": _AMOUNT,
    "max_requests": _COUNT,
    "max_run_tokens": _COUNT,
    "max_cost": _AMOUNT,
}
_WORDS: dict[str, type[ModelClass | Dialect | ApiKind | Vision]] = {
    "model_class": ModelClass,
    "dialect": Dialect,
    "vision": Vision,
    "api": ApiKind,
}
"""Settings that are one word of a few, which may be given as text."""
_OMITTED = ("temperature", "seed", "top_p")


def _check_tables(said: ModelSettings) -> None:
    for name in said.omit:
        if name not in _OMITTED:
            raise UsageError(f"{name!r} cannot be left out of a request; omit takes {', '.join(_OMITTED)}.")
    for name in said.extra_body:
        if name in _FORBIDDEN_BODY:
            raise UsageError(f"extra_body.{name} is not for you to set: {_FORBIDDEN_BODY[name]}; leave it out.")
    for what, table in (("header", said.headers), ("query", said.query)):
        for name, value in table.items():
            if not isinstance(value, str) or not value.isprintable() or not (value.isascii() or what == "query"):
                raise UsageError(f"The value of {what}.{name} cannot be sent; give plain text on one line.")
    for name in said.headers:
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise UsageError(f"header.{name} is no name of a header; give letters, digits and hyphens.")
        if name.lower() in _FORBIDDEN_HEADERS:
            raise UsageError(f"header.{name} is not for you to set, since each request has its own; leave it out.")
    if said.price is not None:
        amounts = said.price if isinstance(said.price, tuple) else ()
        if len(amounts) != 2 or not all(_is_amount(one) for one in amounts):
            raise UsageError("price cannot be meant; give two numbers from 0 up, of a million tokens in and out.")


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _check_contradictions(said: ModelSettings) -> None:
    """Raises UsageError for two settings of which one makes the other impossible."""
    if said.window is not None and said.max_output is not None and said.max_output >= said.window:
        raise UsageError(
            f"max_output {said.max_output:,} leaves nothing to be read of window {said.window:,}; lower one of them."
        )
    _check_order(said, "request_deadline", "document_deadline")
    _check_order(said, "patience", "document_deadline")
    if said.thinking is False and (said.reasoning_effort or "none") not in ("none", "minimal"):
        raise UsageError(f"thinking false and reasoning_effort {said.reasoning_effort} contradict; give one of them.")
    for name, members in _BODY_NAMES.items():
        value = getattr(said, name)
        for member in members:
            if value is not None and said.extra_body.get(member, value) != value:
                raise UsageError(f"{name} and extra_body.{member} say two things; give one of them.")
    for name in said.omit:
        if getattr(said, name) is not None:
            raise UsageError(f"{name} is set and left out at once; give one of them.")


def _check_order(said: ModelSettings, less: str, more: str) -> None:
    one, other = getattr(said, less), getattr(said, more)
    if one is not None and other is not None and one > other:
        raise UsageError(f"{less} {one:g} is longer than {more} {other:g}, which ends it before; lower the first.")


def list_setting_names() -> list[str]:
    """What can be set, as a user writes it."""
    tables = {of: f"{name}.NAME" for name, of in TABLES.items()}
    return [tables.get(f.name, _called(f.name)) for f in fields(ModelSettings)]


def parse_settings(given: Iterable[str]) -> ModelSettings:
    """What `--set NAME=VALUE`, given again and again, says. Values are JSON, or text where they are none.

    Raises UsageError for a name that is none, naming those that are, and for a name that is given two values.
    """
    said: dict[str, Json] = {}
    for one in given:
        name, sign, text = one.partition("=")
        name = name.strip()
        if not sign or not name:
            raise UsageError(f"--set takes NAME=VALUE, and {_hide_value(one)!r} is not; write --set temperature=0.2.")
        table, _, member = name.partition(".")
        if table in _TABLES_AS_CALLED and member:
            value = _read_value("", text) if table == "extra_body" else text
            _put(said.setdefault(_TABLES_AS_CALLED[table], {}), member, value, name)
        else:
            _put(said, name, _read_value(name, text), name)
    return build_settings(said, "--set")


def _put(said: dict[str, Json], name: str, value: Json, told: str) -> None:
    if name in said and said[name] != value:
        raise UsageError(f"{told} is set twice, to two values; give one.")
    said[name] = value


def _hide_value(one: str) -> str:
    return one if len(one) <= 20 and one.replace("_", "").isalnum() else "what was given"


def _read_value(name: str, text: str) -> Json:
    if name in ("reasoning_effort", "engine", "organization", "ca_file", "proxy", _CLASS, "dialect", "api", "vision"):
        return text.strip()
    try:
        return json.loads(text)
    except ValueError:
        return text


def build_settings(said: Mapping[str, Json], where: str) -> ModelSettings:
    """Settings by the names that a user gives them. `where` is said in messages. Raises UsageError."""
    try:
        return _build_settings(said)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _build_settings(said: Mapping[str, Json]) -> ModelSettings:
    known = {_called(f.name): f.name for f in fields(ModelSettings)}
    values: dict[str, Any] = {}
    omit = said.get("omit", [])
    omitted = list(omit) if isinstance(omit, list | tuple) else [omit]
    for name, value in said.items():
        if name not in known:
            hint = " (max_output bounds a reply, max_run_tokens a run)" if name == "max_tokens" else ""
            raise UsageError(f"there is no setting {name!r}{hint}; those are {', '.join(list_setting_names())}.")
        if value is None and name in _OMITTED:
            omitted.append(name)
        elif value is not None and name != "omit":
            values[known[name]] = _read_kind(name, value)
    return ModelSettings(**values, omit=tuple(dict.fromkeys(map(str, omitted))))


def _read_kind(name: str, value: Json) -> Any:
    """The value as the settings have it. What is none is left as it is, for the checks to say so."""
    if name == "price":
        amounts = [value.get("input"), value.get("output")] if isinstance(value, dict) else value
        return tuple(amounts) if isinstance(amounts, list) else value
    if name in TABLES.values() and not isinstance(value, dict):
        raise UsageError(
            f"{name} is a table; write its members, as in {next(k for k, v in TABLES.items() if v == name)}.NAME."
        )
    return value


def _called(name: str) -> str:
    return _CLASS if name == "model_class" else name
