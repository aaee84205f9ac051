"""One request as a chat: how it is sent, how the reply is read, how it is sent again with what was wrong.

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
from extractor.models.endpoint import Dialect
from extractor.models.openai.reply import InvalidReply, ReplyModel, build_reply_model, build_reply_reader, reply_to_json
from extractor.types import Json, Request

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The arguments of an API call, and the handlers that read its reply."""

    arguments: dict[str, Any]
    _reply_model: Any
    _handlers: Any

    def read_reply(self, completion: ChatCompletion) -> dict[str, Json]:
        """The reply's value. Raises UnfitReply for a reply worth asking again, ReplyUnreadable for any other."""
        with _translate_reader_errors():
            parsed = self._handlers.response_parser(response=completion, response_model=self._reply_model)
        return reply_to_json(parsed)

    def repeat_with_error(self, completion: ChatCompletion, error: InvalidReply) -> ChatRequest:
        """The same request after a reply that did not fit, which it repeats together with the error.

        Raises ReplyUnreadable for a reply that cannot even be repeated.
        """
        before = {**self.arguments, "messages": list(self.arguments["messages"])}
        with _translate_reader_errors():
            arguments = self._handlers.reask_handler(kwargs=before, response=completion, exception=error)
        return replace(self, arguments=arguments)


@contextmanager
def _translate_reader_errors() -> Iterator[None]:
    """Turns errors of instructor's handlers at a completion without the parts they expect into ReplyUnreadable."""
    from instructor.core import InstructorError

    try:
        yield
    except InvalidReply:
        raise
    except (InstructorError, AssertionError, AttributeError, TypeError, LookupError, ValueError) as error:
        raise ReplyUnreadable(f"No reply could be read ({type(error).__name__}).") from None


def build_chat_request(request: Request, dialect: Dialect, response_schema: Mapping[str, Json]) -> ChatRequest:
    """The request in a dialect; `response_schema` is the request's schema as the dialect takes it."""
    from instructor.v2 import Mode, Provider, mode_registry

    mode = {Dialect.TOOLS: Mode.TOOLS, Dialect.JSON: Mode.JSON}.get(dialect, Mode.JSON_SCHEMA)
    schema_in_class = dialect in (Dialect.TOOLS, Dialect.JSON)
    if schema_in_class:
        reply_class = _wrap_reply_model(build_reply_model(request.schema))
    else:
        reply_class = build_reply_reader(request.schema)
    handlers = mode_registry.get_handlers(Provider.OPENAI, mode)
    messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
    plain = {"model": request.model, "messages": messages, **request.parameters}
    reply_class, arguments = handlers.request_handler(response_model=reply_class, kwargs=plain)
    if dialect is Dialect.GRAMMAR and request.grammar is not None:
        del arguments["response_format"]
        arguments["grammar"] = request.grammar
    elif not schema_in_class:
        form = arguments["response_format"]
        strict = {**form["json_schema"], "schema": response_schema, "strict": True}
        arguments["response_format"] = {**form, "json_schema": strict}
    return ChatRequest(arguments, reply_class, handlers)


@lru_cache(maxsize=256)
def _wrap_reply_model(read: type[ReplyModel]) -> Any:
    """The class as instructor would wrap it for its name and description, once and not for every request."""
    import instructor

    return instructor.response_schema(read)


def build_request_body(arguments: Mapping[str, Any]) -> dict[str, Json]:
    """The arguments in the order in which openai sends them; a grammar, which its API lacks, comes last."""
    first, last = ("messages", "model"), ("grammar",)
    names = [*first, *sorted(arguments.keys() - {*first, *last}), *last]
    return {name: arguments[name] for name in names if name in arguments}
