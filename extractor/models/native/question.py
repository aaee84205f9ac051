"""What is asked, read out of a request as it would go to an OpenAI-compatible endpoint, for instructor to put as a
maker's own interface wants it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from extractor.models.openai.pictures import list_pictures
from extractor.types import Json

_LIMITS = ("max_completion_tokens", "max_tokens")
_OWN = ("model", "messages", "tools", "tool_choice", "response_format", "logprobs", "seed", *_LIMITS)


@dataclass(frozen=True, slots=True)
class NativeQuestion:
    """One question, in no maker's form."""

    model: str
    messages: list[dict[str, str]]
    """Of system, user and assistant, in texts alone."""
    schema: Mapping[str, Json] | None
    """Of the function whose arguments are the answer; None where the answer is text."""
    most: int | None
    """Tokens that the reply may have."""
    parameters: Mapping[str, Any]
    """What else the body is to say."""
    pictures: tuple[str, ...] = ()
    """JPEG in base64, of the first message of the user."""


def read_question(arguments: Mapping[str, Any]) -> NativeQuestion:
    """The question that the arguments of a chat ask."""
    tools = arguments.get("tools")
    schema = tools[0]["function"]["parameters"] if tools else None
    most = next((arguments[name] for name in _LIMITS if arguments.get(name)), None)
    parameters = {name: value for name, value in arguments.items() if name not in _OWN}
    messages = [_flatten_message(one) for one in arguments["messages"]]
    pictures = [picture for one in arguments["messages"] for picture in list_pictures(one.get("content"))]
    return NativeQuestion(arguments["model"], messages, schema, most, parameters, tuple(pictures))


def _flatten_message(message: Mapping[str, Any]) -> dict[str, str]:
    """A message in text alone: a call of a function is what it said, and its result is the user's word."""
    calls = message.get("tool_calls") or ()
    texts = [_flatten_content(message.get("content")), *(one["function"]["arguments"] for one in calls)]
    role = "user" if message["role"] == "tool" else message["role"]
    return {"role": role, "content": "\n".join(text for text in texts if text) or "(nothing)"}


def _flatten_content(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part.get("text"))
    return content or ""


def build_completion(
    texts: list[str], calls: list[Any], thoughts: list[str], finish: str, usage: Mapping[str, int | None]
) -> bytes:
    """A reply of a maker's own as the completion that readers here know; `calls` are arguments of functions."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{n}",
                "type": "function",
                "function": {"name": "Answer", "arguments": json.dumps(one, ensure_ascii=False)},
            }
            for n, one in enumerate(calls)
        ]
    if thoughts:
        message["reasoning_content"] = "\n".join(thoughts)
    known = {name: count for name, count in usage.items() if isinstance(count, int)}
    body = {
        "id": "native",
        "object": "chat.completion",
        "created": 0,
        "model": "",
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        **({"usage": {**known, "total_tokens": sum(known.values())}} if known else {}),
    }
    return json.dumps(body, ensure_ascii=False).encode()


def build_answer_class(schema: Mapping[str, Json]) -> Any:
    """The class that stands for a schema towards instructor, which is given classes."""
    import instructor

    from extractor.models.openai.chat import ResponseSchema

    return instructor.response_schema(type("Answer", (ResponseSchema,), {"response_schema": schema}))


def put_question(provider_name: str, question: NativeQuestion, schema: Mapping[str, Json] | None, given: Any) -> Any:
    """The arguments of the maker's own call, as instructor builds them."""
    from instructor.v2 import Mode, Provider, mode_registry

    handlers = mode_registry.get_handlers(Provider(provider_name), Mode.TOOLS)
    answer = None if schema is None else build_answer_class(schema)
    kwargs = {"model": question.model, "messages": [dict(one) for one in question.messages], **given}
    _, arguments = handlers.request_handler(response_model=answer, kwargs=kwargs)
    return arguments
