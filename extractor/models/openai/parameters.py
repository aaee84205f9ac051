"""What the body of a request says beside the question: sampling, bounds, thinking, token probabilities."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from extractor.models.endpoint import Dialect, Endpoint, ModelParameters
from extractor.models.openai.refusals import LIMIT_NAMES
from extractor.types import Json

if TYPE_CHECKING:
    from extractor.models.openai.learnt import LearntTraits

_THINKING_SWITCHES: tuple[tuple[str, str], ...] = (
    ("anthropic.com", "thinking"),
    ("deepseek.com", "thinking"),
    ("z.ai", "thinking"),
    ("bigmodel.cn", "thinking"),
    ("moonshot", "thinking"),
    ("volces.com", "thinking"),
    ("openrouter.ai", "reasoning"),
    ("dashscope", "enable_thinking"),
    ("siliconflow", "enable_thinking"),
    ("openai.com", "reasoning_effort"),
    ("azure.com", "reasoning_effort"),
    ("googleapis.com", "reasoning_effort"),
    ("groq.com", "reasoning_effort"),
    ("mistral.ai", "reasoning_effort"),
    ("x.ai", "reasoning_effort"),
)
"""Part of a host's name -> the member by which its models are told whether to think, as their makers document it."""


def list_set_names(parameters: ModelParameters) -> frozenset[str]:
    """The members of a body that a user has set, by their names in it."""
    plain = ("temperature", "seed", "top_p", "reasoning_effort")
    names = {name for name in plain if getattr(parameters, name) is not None}
    if parameters.max_output is not None:
        names |= set(LIMIT_NAMES)
    if parameters.token_probabilities:
        names.add("logprobs")
    return frozenset(names | parameters.extra_body.keys())


@dataclass(frozen=True, slots=True)
class RequestForm:
    """How one question is asked otherwise than others, for what came of it before."""

    more_room: bool = False
    """The reply may be longer, since the model thought until its end."""
    limit: int | None = None
    """The tokens that the reply may have at most, since no more fit beside the prompt."""
    bare: bool = False
    """Without all parameters that no user has set."""
    blind: bool = False
    """Without pictures."""


def build_parameters(
    asked: Mapping[str, Json], endpoint: Endpoint, learnt: LearntTraits, form: RequestForm
) -> dict[str, Any]:
    """The members of a body but for model, messages and schema: what the request asks for, what the user sets
    instead, and neither what the model is known not to take nor what it has refused."""
    given = endpoint.parameters
    wanted: dict[str, Any] = dict(asked)
    for name in ("temperature", "seed", "top_p", "reasoning_effort"):
        if (one := getattr(given, name)) is not None:
            wanted[name] = one
    if given.thinking is not None:
        wanted |= build_thinking_switch(endpoint.base_url, given.thinking)
    if asks_probabilities(endpoint):
        wanted["logprobs"] = True
    if (limit := given.max_output or read_limit(wanted)) is not None:
        wanted[LIMIT_NAMES[0]] = form.limit or learnt.fit_limit(limit, more_room=form.more_room)
    if given.extra_body.keys() & set(LIMIT_NAMES):
        wanted.pop(LIMIT_NAMES[0], None)
    wanted |= given.extra_body
    return learnt.adapt(wanted, bare=form.bare)


def read_limit(parameters: Mapping[str, Any]) -> int | None:
    """The tokens that a reply may have, under whichever name."""
    found = (parameters.get(name) for name in LIMIT_NAMES)
    return next((one for one in found if isinstance(one, int) and not isinstance(one, bool)), None)


def build_thinking_switch(base_url: str, thinking: bool) -> dict[str, Any]:
    """The members that tell a model whether to think; of a server of one's own, as vLLM, SGLang and llama.cpp have
    it. One that the endpoint does not take is refused, and then left out with a note."""
    host = urlsplit(base_url).hostname or ""
    member = next((name for part, name in _THINKING_SWITCHES if host.endswith(part) or _is_inside(part, host)), "")
    match member:
        case "thinking":
            return {"thinking": {"type": "enabled" if thinking else "disabled"}}
        case "reasoning":
            return {"reasoning": {"enabled": thinking}}
        case "enable_thinking":
            return {"enable_thinking": thinking}
        case "reasoning_effort":
            return {} if thinking else {"reasoning_effort": "none"}
    return {"chat_template_kwargs": {"enable_thinking": thinking}}


def _is_inside(part: str, host: str) -> bool:
    return "." not in part and part in host


def asks_probabilities(endpoint: Endpoint) -> bool:
    """Whether the endpoint is asked how likely its tokens were: where that is said, or the server is one's own."""
    asked = endpoint.parameters.token_probabilities
    if asked is not None or endpoint.dialect is Dialect.GRAMMAR:
        return bool(asked)
    return is_private_address(endpoint.base_url)


def is_private_address(base_url: str) -> bool:
    """Whether an address is of this machine or of a network that is not public."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith((".local", ".internal", ".lan")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback
