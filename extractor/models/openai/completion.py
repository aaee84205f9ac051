"""A reply's bytes -> openai's ChatCompletion, and the usage that it reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from extractor.errors import ModelBusy, ReplyCutShort, ReplyRefused
from extractor.types import Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


def parse_completion(content: bytes) -> ChatCompletion:
    """The completion, with one choice at least. Raises ModelBusy for what is none."""
    from openai.types.chat import ChatCompletion
    from pydantic import ValidationError

    try:
        # one pass in compiled code, for all who keep to the documented form
        completion = ChatCompletion.model_validate_json(content, strict=True)
    except ValidationError:
        completion = _parse_leniently(content)
    try:
        if completion.choices[0].message is None or not isinstance(completion.choices[0].message.role, str):
            raise not_a_completion_error("no message")
    except (AttributeError, TypeError, IndexError, KeyError) as error:
        raise not_a_completion_error(type(error).__name__) from None
    return completion


def _parse_leniently(content: bytes) -> ChatCompletion:
    """Built of what is there, as openai's client builds it: endpoints leave fields out, or use other values."""
    from openai.types.chat import ChatCompletion

    try:
        data = json.loads(content)
        return ChatCompletion.construct(**{name: one for name, one in data.items() if not name.startswith("_")})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise not_a_completion_error(type(error).__name__) from None


def not_a_completion_error(why: str) -> ModelBusy:
    return ModelBusy(
        f"The endpoint's reply is not a completion ({why}); check that the base URL is right.",
        reason="bad response",
        lost=True,
    )


def require_full_answer(completion: ChatCompletion) -> ChatCompletion:
    """The completion, if the model answered to its end. Raises ReplyRefused and ReplyCutShort."""
    choice = completion.choices[0]
    content = choice.message.content if isinstance(choice.message.content, str) else None
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise ReplyRefused("The model declined to answer.")
    if choice.finish_reason == "length":
        raise ReplyCutShort("The reply was cut short at its token limit.", text=content or "")
    choice.message.content = content
    return completion


def read_usage(completion: ChatCompletion) -> Usage:
    """The usage that a completion reports; None for counts that are missing or make no sense."""
    data: Any = completion.usage
    timings = (completion.model_extra or {}).get("timings")
    seconds = None
    if isinstance(timings, dict):
        parts = [timings.get("prompt_ms"), timings.get("predicted_ms")]
        seconds = sum(p for p in parts if isinstance(p, int | float)) / 1000
    return Usage(
        1,
        _read_token_count(getattr(data, "prompt_tokens", None)),
        _read_token_count(getattr(data, "completion_tokens", None)),
        seconds,
    )


def _read_token_count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
