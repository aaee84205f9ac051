"""A model for tests that answers as it is told to, and one that knows what is right."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from extractor.extraction.text.dates import parse_date
from extractor.extraction.text.normalize import fold_text
from extractor.models.openai.reply import choose_form
from extractor.types import Json, Reply, Request, Usage

ScriptedAnswer: TypeAlias = Mapping[str, Any] | Reply | Exception
"""What a request brings: an object, of which the reply is what was asked for; a whole reply; or an error, raised."""

Script: TypeAlias = ScriptedAnswer | Sequence[ScriptedAnswer] | Callable[[Request], Any]
"""One answer for every request, one for each in their order, or a function of the request, `async` or not."""

SCRIPTED_USAGE = Usage(1, 10, 5, 0.0)
"""What a reply is said to have taken: a request, 10 tokens in and 5 out."""


class ScriptedModel:
    """A model that answers by a script; `requests` holds what it was asked.

        ScriptedModel({"number": "A-7"})            of every request, what it asks of this object
        ScriptedModel([{"number": "A-7"}, error])   one request after the other; AssertionError where there are more
        ScriptedModel(lambda request: {...})        what the function makes of the request
        ScriptedModel(gold={"number": "A-7"})       what a perfect model says that knows this record: `fit_reply`

    What an object does not say of the asked properties is null, or an empty list; what was not asked for is left out.
    Errors are raised, also those that a function returns. `delay` is in seconds, for each request, or a function that
    gives them. `usage` is what each reply is said to have taken. `name` is the model's, in requests and manifests.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        gold: Mapping[str, Any] | None = None,
        delay: float | Callable[[], float] = 0.0,
        usage: Usage = SCRIPTED_USAGE,
        name: str = "scripted",
    ) -> None:
        if (script is None) == (gold is None):
            raise TypeError("A ScriptedModel has a script, or the gold that it knows; give one of the two.")
        self.name = name
        self.requests: list[Request] = []
        self._answer = _read_script({} if script is None else script)
        self._gold, self._delay, self._usage = gold, delay, usage

    async def complete(self, request: Request) -> Reply:
        """The scripted reply. Raises the scripted error."""
        self.requests.append(request)
        await asyncio.sleep(self._delay() if callable(self._delay) else self._delay)
        if self._gold is not None:
            return Reply(fit_reply(self._gold, request.schema), self._usage)
        answer = self._answer(request)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(_fill_reply(answer, request.schema), self._usage)


def _read_script(script: Script) -> Callable[[Request], ScriptedAnswer | Awaitable[ScriptedAnswer]]:
    if isinstance(script, Sequence):
        left: Iterator[ScriptedAnswer] = iter(script)
        count = len(script)

        def answer_next(_: Request) -> ScriptedAnswer:
            try:
                return next(left)
            except StopIteration:
                raise AssertionError(f"The script has {count} answers, and there was one more request.") from None

        return answer_next
    if isinstance(script, Mapping | Reply | Exception):
        return lambda _: script
    return script


def _fill_reply(answer: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Json]:
    empty: dict[str, Json] = {
        name: [] if part.get("type") == "array" else None for name, part in schema["properties"].items()
    }
    return {name: answer.get(name, nothing) for name, nothing in empty.items()}


def fit_reply(value: Json, schema: Mapping[str, Any]) -> Json:
    """What a model replies that knows `value` and keeps to the JSON Schema that a request sends.

    Objects have the properties that are asked for, rows that are asked for by one field alone are its values, of lists
    no more is said than may be, of choices the one that means the same, and numbers are text where text is asked for.
    """
    schema = choose_form(value, schema)
    kinds = schema.get("type")
    if kinds == "object":
        known = value if isinstance(value, Mapping) else {}
        return {name: fit_reply(known.get(name), part) for name, part in schema["properties"].items()}
    if kinds == "array":
        entries = [fit_reply(one, schema["items"]) for one in value or ()]
        return [one for one in entries if one is not None][: schema.get("maxItems")]
    if isinstance(value, Mapping):
        value = next(iter(value.values()), None)
    return _fit_scalar(value, schema)


def _fit_scalar(value: Json, schema: Mapping[str, Any]) -> Json:
    if "enum" in schema:
        choices = {_fold_spelling(choice): choice for choice in reversed(schema["enum"]) if choice is not None}
        return choices.get(_fold_spelling(value))
    kinds = schema.get("type")
    allowed = kinds if isinstance(kinds, list) else [kinds]
    if value is None:
        return None if "null" in allowed else {"string": "", "boolean": False}.get(str(allowed[0]), 0)
    own = ("boolean",) if isinstance(value, bool) else ("number", "integer")[: 1 + isinstance(value, int)]
    if isinstance(value, int | float) and set(own) & set(allowed):
        return value
    if "string" in allowed:
        return str(value)[: schema.get("maxLength")]
    return value if allowed != ["null"] else None


def _fold_spelling(value: Json) -> Json:
    """The same for values that a reader takes for the same: a date or a number in another spelling."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value) if isinstance(value, float) else value)
    text = str(value)
    return parse_date(text, day_first=True) or fold_text(text)
