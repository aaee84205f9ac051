"""The model behind the seam: any OpenAI-compatible endpoint, through openai and instructor.

The only module that sends documents anywhere. It owns all retries: openai's own are off; instructor re-asks only for
replies that do not fit; one tenacity loop of ours, around each HTTP request, waits out a busy endpoint. A question thus
costs at most 1 + retries + re-asks requests, whatever goes wrong in whatever order.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extractor import deadlines, dialects, refusals, replies, wire
from extractor.budgets import Estimate
from extractor.dialects import Dialect as Dialect
from extractor.domain import Json, Reply, Request, Usage
from extractor.errors import (
    ModelBusy,
    ModelError,
    ReplyCutShort,
    ReplyRefused,
    ReplyUnreadable,
    UsageError,
)
from extractor.pressure import Pressure, Turn
from extractor.refusals import Forbidden, NotThisDialect

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

FORBIDDEN = 3
"""Requests in a row that the endpoint may forbid before the run ends; the first reply of a run forgives none."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and how it is to be spoken to. The key shows in no representation of it."""

    base_url: str
    model: str
    api_key: str = field(repr=False)
    digest: str | None = None
    dialect: Dialect | None = None
    """None: try from SCHEMA down, and stay with the first that the endpoint takes."""
    deadline: float = 600.0
    """Seconds under way for one question, over all its requests; a slow drip of bytes does not extend it, and waiting
    for a turn does not count."""
    attempts: int = 5
    """Tries on a busy endpoint."""
    reasks: int = 2
    """How often a model is told what is wrong with its reply."""


def key(text: str, name: str = "OPENAI_API_KEY") -> str:
    """The key without surrounding white space. Raises UsageError, without showing it, for one that cannot be sent."""
    text = text.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise UsageError(f"The API key holds characters that no key has; set {name} again.")
    return text


@dataclass(slots=True)
class _Question:
    """What one question took so far, over all its requests."""

    usage: Usage = field(default_factory=Usage)
    asked: int = 0
    seconds: float = 0.0
    retries: int = 0
    refusals: int = 0
    """Refusals (HTTP 429) in a row during which the endpoint served nobody else either."""


class LiveModel:
    """`complete(request) -> reply` over HTTP; one for a whole run, since its connections are worth keeping.

    `transport` stands in for the network: cassettes wrap it, and tests on loopback leave it alone. `pressure` is shared
    by all that speak to the same endpoint.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx2.AsyncBaseTransport | None = None,
        pressure: Pressure | None = None,
    ) -> None:
        # 0.9 s of imports that only a command that asks a model should wait for
        import httpx2
        import openai

        logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it logs replies, and so documents
        self.endpoint = endpoint
        self.pressure = pressure or Pressure(64)
        self._dialects = [endpoint.dialect] if endpoint.dialect else [Dialect.SCHEMA, Dialect.TOOLS, Dialect.JSON]
        self._classes: dict[tuple[type, bool], Any] = {}
        self._forbidden = 0
        self._client: AsyncOpenAI = openai.AsyncOpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=openai.Timeout(None, connect=10),  # the rest is for the deadline, which these are not
            http_client=httpx2.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                transport=transport
                or wire.transport(endpoint.base_url, endpoint.api_key, connections=self.pressure.most + 2),
            ),
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def complete(self, request: Request) -> Reply:
        """The model's reply, fitting the request's schema. Raises ModelError, one of its kinds, otherwise."""
        question = _Question()
        try:
            return await self._in_some_dialect(request, question)
        except ModelError as error:
            error.usage = question.usage
            raise

    async def _in_some_dialect(self, request: Request, question: _Question) -> Reply:
        while True:
            dialect = self._dialects[0]
            if (
                dialect is Dialect.SCHEMA
                and len(self._dialects) > 1
                and dialects.speak(dialect, request.schema).refused
            ):
                dialect = self._dialects[1]  # this question alone: a smaller one may be asked strictly
            try:
                return await self._ask(request, dialect, question)
            except NotThisDialect as error:
                if dialect is self._dialects[-1]:
                    raise ModelError(f"The endpoint refuses the request ({error}).") from None
                if dialect in self._dialects:  # another request may have found out before
                    self._dialects.remove(dialect)

    async def _ask(self, request: Request, dialect: Dialect, question: _Question) -> Reply:
        import instructor
        from instructor.core import InstructorRetryException

        mode = {Dialect.TOOLS: instructor.Mode.TOOLS, Dialect.JSON: instructor.Mode.JSON}.get(
            dialect, instructor.Mode.JSON_SCHEMA
        )

        async def send(**arguments: Any) -> ChatCompletion:
            return await self._send(_spoken(dialect, request, arguments), question)

        ask: Callable[..., Any] = instructor.patch(create=send, mode=mode)
        before = question.asked
        try:
            parsed = await ask(
                model=request.model,
                messages=[
                    {"role": "system", "content": request.system},
                    {"role": "user", "content": request.user},
                ],
                response_model=self._class(request.schema, told=dialect in (Dialect.TOOLS, Dialect.JSON)),
                max_retries=self._reasking(),
                **request.parameters,
            )
        except InstructorRetryException as error:
            raise _cause(error) from None
        return Reply(self._unkeyed(replies.value(parsed)), question.usage, question.asked - before)

    def _class(self, schema: Mapping[str, Json], told: bool) -> Any:
        """The class as instructor would wrap it, wrapped once and not for every request."""
        import instructor

        read = replies.model(schema) if told else replies.reader(schema)
        if (read, told) not in self._classes:
            if len(self._classes) > 512:
                self._classes.clear()
            self._classes[read, told] = instructor.response_schema(read)
        return self._classes[read, told]

    def _unkeyed(self, value: dict[str, Json]) -> dict[str, Json]:
        """The value, with a key masked that the transport could not see, since it was spelled in JSON's escapes."""
        secrets = [s.decode() for s in wire.secrets(self.endpoint.api_key)]
        return {name: _masked(one, secrets) for name, one in value.items()} if secrets else value

    def _reasking(self) -> Any:
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

        return AsyncRetrying(
            retry=retry_if_exception_type(replies.Unfit),
            stop=stop_after_attempt(self.endpoint.reasks + 1),
            reraise=True,
        )

    async def _send(self, arguments: Mapping[str, Any], question: _Question) -> ChatCompletion:
        """A completion that can be read as an answer, with as many tries as a busy endpoint is worth."""
        from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

        backoff = wait_random_exponential(multiplier=0.5, max=30)

        def wait(state: Any) -> float:
            # An asked-for wait is everybody's, and is waited for in the queue.
            return 0.0 if state.outcome.exception().retry_after is not None else float(backoff(state))

        estimate = _estimate(arguments)
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(ModelBusy),
            stop=lambda state: self._given_up(question, state.outcome and state.outcome.exception()),
            wait=wait,
            reraise=True,
        ):
            with attempt:
                turn = await self._enter(estimate, again=attempt.retry_state.attempt_number > 1)
                return self._answer(await self._exchange(arguments, turn, question), question)
        raise AssertionError("tenacity returned without a result")

    async def _enter(self, estimate: Estimate, *, again: bool) -> Turn:
        try:
            return await self.pressure.enter(estimate, again=again)
        except ModelBusy as error:  # a rest that is too long to wait for is no reason to try again
            raise ModelError(str(error), reason=error.reason) from None

    def _given_up(self, question: _Question, error: Any) -> bool:
        """Refusals are waited out while others are served: then the endpoint is busy, and busy with us."""
        if error.reason == "rate limited":
            return question.refusals >= self.endpoint.attempts
        question.retries += 1
        return question.retries >= self.endpoint.attempts or question.seconds >= self.endpoint.deadline

    async def _exchange(self, arguments: Mapping[str, Any], turn: Turn, question: _Question) -> ChatCompletion:
        """One HTTP request on one turn: what it took is known to the budget and the question when this returns."""
        took = Usage(1, lost=1)
        started = _now()
        try:
            async with deadlines.within(max(0.001, self.endpoint.deadline - question.seconds)):
                completion = await self._request(arguments)
            took = _usage(completion)
            self._forbidden = 0
            self.pressure.served_by(turn, took)
            return completion
        except ModelBusy as error:
            took = Usage(1, lost=1) if error.lost else Usage(1)
            if error.reason == "rate limited":
                idle = self.pressure.served == turn.served
                question.refusals = question.refusals + 1 if idle else 1
                self.pressure.refused_by(turn, error.retry_after)
            else:
                self.pressure.failed(turn, None if error.lost else took, error.retry_after)
            raise
        except TimeoutError:
            took = Usage(1, lost=1)
            self.pressure.failed(turn, None)
            raise ModelError(
                f"No reply within {self.endpoint.deadline:g} s; lower chunk_tokens in the prompt's settings.",
                reason="deadline",
            ) from None
        except Forbidden as error:
            took = Usage(1)
            self.pressure.failed(turn, took)
            self._forbidden += 1
            if not self.pressure.served or self._forbidden >= FORBIDDEN:
                raise error.fatal from None
            raise
        except BaseException as error:
            told = isinstance(error, NotThisDialect) or (isinstance(error, ModelError) and not error.lost)
            took = Usage(1) if told else Usage(1, lost=1)
            self.pressure.failed(turn, took if not took.lost else None)
            raise
        finally:
            question.seconds += _now() - started
            question.usage += took

    async def _request(self, arguments: Mapping[str, Any]) -> ChatCompletion:
        import openai
        from openai.types.chat import ChatCompletion

        try:
            # What create() does, with the body in its order, but without its walk through all of a schema that it has
            # nothing to change in: a quarter of the work of a request.
            completion = await self._client.post(
                "/chat/completions", cast_to=ChatCompletion, body=body(arguments), options={}
            )
        except openai.OpenAIError as error:
            raise refusals.translated(error, self.endpoint.base_url, self.endpoint.model) from None
        except ValueError as error:  # a body that is not JSON
            raise _no_completion(type(error).__name__) from None
        try:
            if completion.choices[0].message is None or not isinstance(completion.choices[0].message.role, str):
                raise _no_completion("no message")
        except (AttributeError, TypeError, IndexError, KeyError) as error:
            raise _no_completion(type(error).__name__) from None
        return completion

    def _answer(self, completion: ChatCompletion, question: _Question) -> ChatCompletion:
        """The completion, if the model answered to its end."""
        question.asked += 1
        choice = completion.choices[0]
        content = choice.message.content if isinstance(choice.message.content, str) else None
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise ReplyRefused("The model declined to answer.")
        if choice.finish_reason == "length":
            raise ReplyCutShort("The reply was cut short at its token limit.", text=content or "")
        choice.message.content = content
        return completion


def _now() -> float:
    import asyncio

    return asyncio.get_running_loop().time()


def _no_completion(why: str) -> ModelBusy:
    return ModelBusy(
        f"The endpoint's reply is not a completion ({why}); check that the base URL is right.",
        reason="bad response",
        lost=True,
    )


def _usage(completion: ChatCompletion) -> Usage:
    """What a completion says that it took; None for what it does not say, or says in a way that makes no sense."""
    told = completion.usage
    timings = (completion.model_extra or {}).get("timings")
    seconds = None
    if isinstance(timings, dict):
        parts = [timings.get("prompt_ms"), timings.get("predicted_ms")]
        seconds = sum(p for p in parts if isinstance(p, int | float)) / 1000
    return Usage(
        1, _count(getattr(told, "prompt_tokens", None)), _count(getattr(told, "completion_tokens", None)), seconds
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _estimate(arguments: Mapping[str, Any]) -> Estimate:
    """The most tokens that a request may take: one for three bytes of UTF-8 going in, and all that it allows out."""
    sent = sum(len(str(m.get("content") or "").encode()) for m in arguments["messages"])
    sent += sum(len(str(arguments.get(name, ""))) for name in ("response_format", "tools"))
    most = arguments.get("max_tokens") or arguments.get("max_completion_tokens")
    return Estimate(sent // 3 + 16, most if isinstance(most, int) else 4096)


def body(arguments: Mapping[str, Any]) -> dict[str, Json]:
    """The arguments in the order in which openai sends them; what is not of its API, a grammar, comes last."""
    first, last = ("messages", "model"), ("grammar",)
    names = [*first, *sorted(arguments.keys() - {*first, *last}), *last]
    return {name: arguments[name] for name in names if name in arguments}


def _masked(value: Json, secrets: list[str]) -> Json:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, wire.MASK.decode())
        return value
    if isinstance(value, list):
        return [_masked(one, secrets) for one in value]
    if isinstance(value, dict):
        return {name: _masked(one, secrets) for name, one in value.items()}
    return value


def _spoken(dialect: Dialect, request: Request, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as instructor made them, in the endpoint's dialect."""
    if dialect is Dialect.GRAMMAR and request.grammar is not None:
        plain = {k: v for k, v in arguments.items() if k != "response_format"}
        return {**plain, "grammar": request.grammar}
    if dialect in (Dialect.SCHEMA, Dialect.GRAMMAR):
        form = arguments["response_format"]
        shape = dialects.speak(dialect, request.schema).shape
        strict = {**form["json_schema"], "schema": shape, "strict": True}
        return {**arguments, "response_format": {**form, "json_schema": strict}}
    return arguments


def _cause(error: BaseException) -> Exception:
    """Our error inside instructor's; a reply that never fitted when there is none of ours."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ModelError | NotThisDialect):
            return inner
        if isinstance(inner, replies.Unfit):
            return ReplyUnreadable(f"No reply fitted the schema: {inner}")
        inner = inner.__cause__ or inner.__context__
    return ReplyUnreadable(f"No reply could be read ({type(error.__cause__).__name__}).")


def manifest(endpoint: Endpoint) -> dict[str, Json]:
    """What a result says of the model that made it; never the key, nor a name or password in the address."""
    address = re.sub(r"//[^/@]*@", "//", endpoint.base_url)
    return {"name": endpoint.model, "digest": endpoint.digest, "endpoint": address}
