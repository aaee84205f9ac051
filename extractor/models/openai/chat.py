"""One request as a chat: how it is sent in a dialect, and how it is sent again with what was wrong.

instructor's handlers do both: they are what it lends under `instructor.v2`. Its create() calls them as well, but walks
through the whole response class for every request, and reads one call of a reply where a model makes several
(docs/decisions/027).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from extractor.errors import ReplyUnreadable
from extractor.models.endpoint import Dialect
from extractor.models.local.grammar import build_plain_grammar
from extractor.models.openai.pictures import show_pictures
from extractor.models.openai.reply import InvalidReply
from extractor.models.openai.reply_json import HALF_CHARACTER
from extractor.types import Json, Request

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


class ResponseSchema(BaseModel):
    """Stands for a response schema towards instructor, which is given classes."""

    response_schema: ClassVar[Mapping[str, Json]] = {}

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"title": cls.__name__, **cls.response_schema}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The arguments of an API call."""

    arguments: dict[str, Any]
    dialect: Dialect
    _handlers: Any
    is_again: bool = False
    """Whether it repeats a reply that did not fit."""

    def repeat_with_error(self, completion: ChatCompletion, error: InvalidReply) -> ChatRequest:
        """The same request after a reply that did not fit, which it repeats together with the error.

        Raises ReplyUnreadable for a reply that cannot even be repeated.
        """
        before = {**self.arguments, "messages": list(self.arguments["messages"])}
        with _translate_handler_errors():
            arguments = self._handlers.reask_handler(kwargs=before, response=completion, exception=error)
            added = arguments["messages"][len(self.arguments["messages"]) :]
            # halves of characters, which a reply can spell and no request can hold
            whole = HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", json.dumps(added, ensure_ascii=False))
            arguments["messages"] = [*self.arguments["messages"], *json.loads(whole)]
        return replace(self, arguments=arguments, is_again=True)


@contextmanager
def _translate_handler_errors() -> Iterator[None]:
    """Turns errors of instructor's handlers at a completion without the parts they expect into ReplyUnreadable."""
    from instructor.core import InstructorError

    try:
        yield
    except (InstructorError, AssertionError, AttributeError, TypeError, LookupError, ValueError) as error:
        raise ReplyUnreadable(f"No reply could be read ({type(error).__name__}).") from None


def build_chat_request(
    request: Request,
    dialect: Dialect,
    response_schema: Mapping[str, Json],
    parameters: Mapping[str, Any],
    *,
    folds_system: bool = False,
    named_tool: bool = True,
    most_pictures: int | None = None,
    plain_grammar: bool = False,
) -> ChatRequest:
    """The request in a dialect; `response_schema` is the request's schema as the dialect takes it.

    `folds_system`, the system's words lead the user's message. Without `named_tool`, the model chooses to call it. Of
    its pictures `most_pictures` are sent, the first; None: all. With `plain_grammar`, a grammar is sent as GBNF.
    """
    handlers = _find_handlers(dialect)
    messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
    plain = {"model": request.model, "messages": messages, **parameters}
    reply_class: Any = ResponseSchema
    if dialect in (Dialect.TOOLS, Dialect.JSON, Dialect.TEXT):
        reply_class = _build_response_class(json.dumps(request.schema))  # in the order of its keys, which is sent
    _, arguments = handlers.request_handler(response_model=reply_class, kwargs=plain)
    grammar = request.grammar if dialect is Dialect.GRAMMAR else None
    if grammar is not None and plain_grammar:
        grammar = build_plain_grammar(request.schema)
    if grammar is not None:
        del arguments["response_format"]
        arguments["grammar"] = grammar
    elif dialect in (Dialect.SCHEMA, Dialect.GRAMMAR):
        strict = {"name": "Answer", "schema": response_schema, "strict": True}
        arguments["response_format"] = {"type": "json_schema", "json_schema": strict}
    elif dialect is Dialect.TOOLS and not named_tool:
        arguments["tool_choice"] = "auto"
    if folds_system:
        arguments["messages"] = _fold_system(arguments["messages"])
    if pictures := request.pictures[:most_pictures]:
        arguments["messages"] = show_pictures(arguments["messages"], pictures)
    return ChatRequest(arguments, dialect, handlers)


def _find_handlers(dialect: Dialect) -> Any:
    from instructor.v2 import Mode, Provider, mode_registry

    modes = {Dialect.TOOLS: Mode.TOOLS, Dialect.JSON: Mode.JSON, Dialect.TEXT: Mode.MD_JSON}
    return mode_registry.get_handlers(Provider.OPENAI, modes.get(dialect, Mode.JSON_SCHEMA))


@lru_cache(maxsize=256)
def _build_response_class(schema_text: str) -> Any:
    """The class that stands for a schema, wrapped as instructor would wrap it for its name and description, once and
    not for every request."""
    import instructor

    members = {"__doc__": None, "__module__": __name__, "response_schema": json.loads(schema_text)}
    return instructor.response_schema(type("Answer", (ResponseSchema,), members))


def _fold_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with the system's words at the head of the first one of the user."""
    first, *others = messages
    if first["role"] != "system" or not others or others[0]["role"] != "user":
        return messages
    return [{"role": "user", "content": f"{first['content']}\n\n{others[0]['content']}"}, *others[1:]]


def build_request_body(arguments: Mapping[str, Any]) -> dict[str, Json]:
    """The arguments in the order in which openai sends them; a grammar, which its API lacks, comes last."""
    first, last = ("messages", "model"), ("grammar",)
    names = [*first, *sorted(arguments.keys() - {*first, *last}), *last]
    return {name: arguments[name] for name in names if name in arguments}
