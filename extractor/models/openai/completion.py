"""A reply's bytes -> openai's ChatCompletion -> what the model said in it, how it ended, and what it took."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from extractor.errors import ModelBusy
from extractor.models.openai.reply_text import find_beginning
from extractor.types import Json, Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

_LENGTH = frozenset(
    "length max_tokens max_output_tokens model_length token_limit model_context_window_exceeded".split()
)
_FILTER = frozenset(
    "content_filter content_filtered safety recitation prohibited_content blocklist spii sensitive refusal blocked "
    "guardrail_intervened language image_safety".split()
)
_BROKEN = frozenset("error insufficient_system_resource abort aborted cancelled".split())
_MALFORMED = "malformed_function_call"
"""Words under which endpoints of different makers say how a reply ended, in lower case."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a model said: `texts` is its answer, one or the arguments of several calls; `thought` what came before."""

    texts: tuple[str, ...]
    thought: str
    finish: str
    refused: bool = False
    has_calls: bool = False

    @property
    def is_cut(self) -> bool:
        return self.finish in _LENGTH

    @property
    def is_filtered(self) -> bool:
        return self.refused or self.finish in _FILTER

    @property
    def is_empty(self) -> bool:
        return not any(text.strip() for text in self.texts)

    def find_beginning(self) -> str:
        """Of a reply that was cut short, from where the answer begins; empty where it was cut while it thought."""
        return next((begun for text in reversed(self.texts) if (begun := find_beginning(text))), "")


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
        message = completion.choices[0].message
        if message is None or not isinstance(getattr(message, "role", None), str | None):
            raise not_a_completion_error("no message")
    except (AttributeError, TypeError, IndexError, KeyError) as error:
        raise not_a_completion_error(type(error).__name__) from None
    return completion


_STREAM = re.compile(rb"\s*(?:data|event|id|retry)?:")
"""How a stream of events begins; some send comments first, which begin with a colon."""


def _parse_leniently(content: bytes) -> ChatCompletion:
    """Built of what is there, as openai's client builds it: endpoints leave fields out, or use other values."""
    from openai.types.chat import ChatCompletion

    try:
        data = join_stream(_iterate_events(content)) if _STREAM.match(content) else json.loads(content)
        if isinstance(data, list) and len(data) == 1:
            data = data[0]
        data["choices"] = [_complete_choice(choice) for choice in data.get("choices") or ()]
        return ChatCompletion.construct(**{name: one for name, one in data.items() if not name.startswith("_")})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise not_a_completion_error(type(error).__name__) from None


def _complete_choice(choice: Any) -> Any:
    """A choice with a message: an empty one where it only says why there is none, and the text where it stands by
    itself."""
    if not isinstance(choice, dict) or choice.get("message") is not None:
        return choice
    text = choice.get("text")
    if isinstance(text, str) or _read_finish(choice) in _LENGTH | _FILTER:
        return {**choice, "message": {"role": "assistant", "content": text}}
    return choice


def join_stream(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The completion that the events of a stream come to.

    Raises ValueError, and what else a stream of another form brings about.
    """
    whole: dict[str, Any] = {}
    message: dict[str, Any] = {"role": "assistant"}
    texts: dict[str, list[str]] = {}
    calls: dict[int, list[str]] = {}
    logs: list[Any] = []
    finish = None
    for event in events:
        whole |= {name: one for name, one in event.items() if name != "choices" and one is not None}
        for choice in event.get("choices") or []:
            finish = choice.get("finish_reason") or finish
            logs += (choice.get("logprobs") or {}).get("content") or []
            delta = choice.get("delta") or choice.get("message") or {}
            for name in ("content", "reasoning_content", "reasoning", "refusal"):
                if isinstance(delta.get(name), str):
                    texts.setdefault(name, []).append(delta[name])
            for call in delta.get("tool_calls") or []:
                calls.setdefault(call.get("index", 0), []).append(call["function"].get("arguments") or "")
    message |= {name: "".join(parts) for name, parts in texts.items()}
    if calls:
        given = ({"name": "Answer", "arguments": "".join(parts)} for _, parts in sorted(calls.items()))
        message["tool_calls"] = [{"id": str(i), "type": "function", "function": one} for i, one in enumerate(given)]
    if not texts and not calls:
        raise ValueError("an empty stream")
    told = {"logprobs": {"content": logs}} if logs else {}
    return {**whole, "choices": [{"index": 0, "finish_reason": finish, "message": message, **told}]}


def _iterate_events(content: bytes) -> Iterator[dict[str, Any]]:
    """The events of a stream that came whole: some gateways stream, though nobody has asked for it."""
    for line in content.decode().splitlines():
        kind, _, data = line.partition(":")
        if kind == "data" and data.strip() not in ("", "[DONE]"):
            yield json.loads(data)


def not_a_completion_error(why: str) -> ModelBusy:
    return ModelBusy(
        f"The endpoint's reply is not a completion ({why}); check that the base URL is right.",
        reason="bad response",
        lost=True,
    )


def read_message(completion: ChatCompletion) -> Message:
    """What the model said, wherever the endpoint puts it."""
    choice = completion.choices[0]
    said: Any = choice.message
    text, thought = _split_content(_get(said, "content"))
    for name in ("reasoning_content", "reasoning", "thinking"):
        more = _get(said, name)
        thought += more if isinstance(more, str) else ""
    if not text.strip() and isinstance(parsed := _get(said, "parsed"), dict):
        text = json.dumps(parsed, ensure_ascii=False)  # an endpoint that has read the answer already
    calls = _read_calls(said)
    if text.strip() and not any(one.strip(" {}\n") for one in calls):
        calls = []  # it called with nothing, and said something
    texts = tuple(calls) if calls else (text,)
    if not calls and not text.strip() and _is_object(thought):
        texts, thought = (thought,), ""  # a server whose parser takes the answer for a thought
    return Message(texts, thought, _read_finish(choice), bool(_get(said, "refusal")), bool(calls))


def _read_finish(choice: Any) -> str:
    """The word for how a reply ended, in lower case and without what some add behind a colon."""
    finish = _get(choice, "finish_reason")
    return finish.partition(":")[0].strip().lower() if isinstance(finish, str) else ""


def is_broken_off(completion: ChatCompletion) -> bool:
    """Whether the endpoint itself says that it could not finish the reply."""
    return _read_finish(completion.choices[0]) in _BROKEN


def is_malformed(completion: ChatCompletion) -> bool:
    """Whether the endpoint itself says that the model called its tool in a form that it cannot read."""
    return _read_finish(completion.choices[0]) == _MALFORMED


def _get(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)


def _split_content(content: Any) -> tuple[str, str]:
    """Text and thought of a message's content: a string, or parts of one."""
    if isinstance(content, str):
        return content, ""
    if isinstance(content, dict) and not isinstance(content.get("text"), str):
        return json.dumps(content, ensure_ascii=False), ""  # an endpoint that has read the answer already
    parts = content if isinstance(content, list) else [content]
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        kind, text = _read_part(part)
        (thoughts if "think" in kind or "reason" in kind else texts).append(text)
    return "".join(texts), "".join(thoughts)


def _read_part(part: Any) -> tuple[str, str]:
    """Kind and text of a part of a message's content."""
    if isinstance(part, str):
        return "text", part
    kind, text = _get(part, "type"), _get(part, "text")
    if isinstance(value := _get(part, "json"), dict):
        text = json.dumps(value, ensure_ascii=False)
    if not isinstance(text, str):
        text = _get(part, "thinking")
        if isinstance(text, list):
            text = _split_content(text)[0]
    return kind if isinstance(kind, str) else "", text if isinstance(text, str) else ""


def _read_calls(said: Any) -> list[str]:
    """The arguments of all calls of a message, as text."""
    calls = _get(said, "tool_calls")
    functions = [_get(call, "function") for call in calls] if isinstance(calls, list) else []
    if not functions and _get(said, "function_call") is not None:
        functions = [_get(said, "function_call")]
    given: list[Json] = [_get(function, "arguments") for function in functions]
    return [one if isinstance(one, str) else json.dumps(one) for one in given if one is not None]


def _is_object(text: str) -> bool:
    plain = text.strip().removeprefix("```json").removesuffix("```").strip()
    return plain.startswith("{") and plain.endswith("}")


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
        _read_token_count(_get(data, "prompt_tokens")),
        _read_token_count(_get(data, "completion_tokens")),
        seconds,
    )


def read_thinking_tokens(completion: ChatCompletion) -> int:
    """The tokens of thought among the reply's, as far as the endpoint tells."""
    details = _get(completion.usage, "completion_tokens_details")
    return _read_token_count(_get(details, "reasoning_tokens")) or 0


def _read_token_count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
