"""One question as a chat: how it is put, how the reply is read, how it is put again with what was wrong.

instructor's handlers do all three. Its create() calls them as well, but walks through the whole response class four
times for every request, copies messages and adds up usage that is counted elsewhere: two fifths of a request's work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from extractor.errors import ReplyUnreadable
from extractor.models.openai.dialects import Dialect
from extractor.models.openai.reply import InvalidReply, ReplyModel, build_reply_model, build_reply_reader, reply_to_json
from extractor.types import Json, Request

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is sent, by the names of the API's arguments, and what a reply to it is read with."""

    arguments: dict[str, Any]
    _reply_model: Any
    _handlers: Any

    def read_reply(self, completion: ChatCompletion) -> dict[str, Json]:
        """What the reply says. Raises replies.Unfit for what is worth another try, ReplyUnreadable for what is not."""
        with _translate_reader_errors():
            parsed = self._handlers.response_parser(response=completion, response_model=self._reply_model)
        return reply_to_json(parsed)

    def repeat_with_error(self, completion: ChatCompletion, error: InvalidReply) -> ChatRequest:
        """The same question after a reply that did not fit, which it repeats with the error.

        Raises ReplyUnreadable for a reply that cannot even be repeated.
        """
        before = {**self.arguments, "messages": list(self.arguments["messages"])}
        with _translate_reader_errors():
            asked = self._handlers.reask_handler(kwargs=before, response=completion, exception=error)
        return replace(self, arguments=asked)


@contextmanager
def _translate_reader_errors() -> Iterator[None]:
    """What instructor's handlers trip over, in a completion that has not the parts they look for, is no crash."""
    from instructor.core import InstructorError

    try:
        yield
    except InvalidReply:
        raise
    except (InstructorError, AssertionError, AttributeError, TypeError, LookupError, ValueError) as error:
        raise ReplyUnreadable(f"No reply could be read ({type(error).__name__}).") from None


def build_chat_request(request: Request, dialect: Dialect, shape: Mapping[str, Json]) -> ChatRequest:
    """The question in a dialect; `shape` is the request's schema as the dialect takes it."""
    from instructor.v2 import Mode, Provider, mode_registry

    mode = {Dialect.TOOLS: Mode.TOOLS, Dialect.JSON: Mode.JSON}.get(dialect, Mode.JSON_SCHEMA)
    told = dialect in (Dialect.TOOLS, Dialect.JSON)
    kind = _wrap_reply_model(build_reply_model(request.schema)) if told else build_reply_reader(request.schema)
    handlers = mode_registry.get_handlers(Provider.OPENAI, mode)
    messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
    plain = {"model": request.model, "messages": messages, **request.parameters}
    kind, arguments = handlers.request_handler(response_model=kind, kwargs=plain)
    if dialect is Dialect.GRAMMAR and request.grammar is not None:
        del arguments["response_format"]
        arguments["grammar"] = request.grammar
    elif not told:
        form = arguments["response_format"]
        strict = {**form["json_schema"], "schema": shape, "strict": True}
        arguments["response_format"] = {**form, "json_schema": strict}
    return ChatRequest(arguments, kind, handlers)


@lru_cache(maxsize=256)
def _wrap_reply_model(read: type[ReplyModel]) -> Any:
    """The class as instructor would wrap it for its name and description, once and not for every request."""
    import instructor

    return instructor.response_schema(read)


def build_request_body(arguments: Mapping[str, Any]) -> dict[str, Json]:
    """The arguments in the order in which openai sends them; what is not of its API, a grammar, comes last."""
    first, last = ("messages", "model"), ("grammar",)
    names = [*first, *sorted(arguments.keys() - {*first, *last}), *last]
    return {name: arguments[name] for name in names if name in arguments}
