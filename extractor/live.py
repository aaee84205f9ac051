"""The model behind the seam: any OpenAI-compatible endpoint, through openai and instructor.

The only module that sends documents anywhere. It owns all retries: openai's own are off; instructor re-asks only for
replies that do not fit; one tenacity loop of ours waits out a busy endpoint. Foreign errors become ours here.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extractor import dialects, replies
from extractor.dialects import Dialect as Dialect
from extractor.domain import Json, Reply, Request, Usage
from extractor.errors import (
    ExtractorError,
    ModelBusy,
    ModelError,
    ModelFatal,
    ReplyCutShort,
    ReplyRefused,
    ReplyUnreadable,
    UsageError,
)

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

PATIENCE = 120.0
"""Seconds of Retry-After that are waited for; an endpoint that asks for more is named as busy instead."""


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
    """Seconds for one request with all its waits; a slow drip of bytes does not extend it."""
    attempts: int = 5
    """Tries on a busy endpoint."""
    reasks: int = 2
    """How often a model is told what is wrong with its reply."""


def key(text: str) -> str:
    """The key without surrounding white space. Raises UsageError, without showing it, for one that cannot be sent."""
    text = text.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise UsageError("The API key holds characters that no key has; set OPENAI_API_KEY again.")
    return text


@dataclass(slots=True)
class _Meter:
    """Adds up what a request costs over all its attempts."""

    usage: Usage = field(default_factory=Usage)
    asked: int = 0

    def read(self, completion: ChatCompletion) -> None:
        told = completion.usage
        timings = (completion.model_extra or {}).get("timings")
        seconds = None
        if isinstance(timings, dict):
            parts = [timings.get("prompt_ms"), timings.get("predicted_ms")]
            seconds = sum(p for p in parts if isinstance(p, int | float)) / 1000
        tokens_in = told.prompt_tokens if told and _count(told.prompt_tokens) else None
        tokens_out = told.completion_tokens if told and _count(told.completion_tokens) else None
        self.usage += Usage(1, tokens_in, tokens_out, seconds)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class LiveModel:
    """`complete(request) -> reply` over HTTP.

    `transport` stands in for the network: cassettes wrap it, and tests on loopback leave it alone.
    """

    def __init__(self, endpoint: Endpoint, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        # 0.9 s of imports that only a command that asks a model should wait for
        import openai

        logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it logs replies, and so documents
        self.endpoint = endpoint
        self._dialects = [endpoint.dialect] if endpoint.dialect else [Dialect.SCHEMA, Dialect.TOOLS, Dialect.JSON]
        self._client: AsyncOpenAI = openai.AsyncOpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=openai.Timeout(endpoint.deadline, connect=10),
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False, trust_env=False, transport=transport),
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def complete(self, request: Request) -> Reply:
        """The model's reply, fitting the request's schema. Raises ModelError, one of its kinds, otherwise."""
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

        meter = _Meter()
        backoff = wait_random_exponential(multiplier=0.5, max=30)

        def wait(state: Any) -> float:
            error = state.outcome.exception()
            asked = error.retry_after if isinstance(error, ModelBusy) else None
            return float(asked) if asked is not None else backoff(state)

        try:
            async with asyncio.timeout(self.endpoint.deadline):
                async for attempt in AsyncRetrying(
                    retry=retry_if_exception_type(ModelBusy),
                    stop=stop_after_attempt(self.endpoint.attempts),
                    wait=wait,
                    reraise=True,
                ):
                    with attempt:
                        return await self._in_some_dialect(request, meter)
        except ModelError as error:
            error.usage = meter.usage
            raise
        except TimeoutError:
            raise ModelBusy(
                f"No reply within {self.endpoint.deadline:g} s; lower chunk_tokens in the prompt's settings."
            ) from None
        raise AssertionError("tenacity returned without a result")

    async def _in_some_dialect(self, request: Request, meter: _Meter) -> Reply:
        while True:
            dialect = self._dialects[0]
            if (
                dialect is Dialect.SCHEMA
                and len(self._dialects) > 1
                and dialects.speak(dialect, request.schema).refused
            ):
                dialect = self._dialects[1]  # this question alone: a smaller one may be asked strictly
            try:
                return await self._ask(request, dialect, meter)
            except _NotThisDialect as error:
                if dialect is self._dialects[-1]:
                    raise ModelError(f"The endpoint refuses the request ({error}).") from None
                if dialect in self._dialects:  # another request may have found out before
                    self._dialects.remove(dialect)

    async def _ask(self, request: Request, dialect: Dialect, meter: _Meter) -> Reply:
        import instructor
        from instructor.core import InstructorRetryException

        mode = {Dialect.TOOLS: instructor.Mode.TOOLS, Dialect.JSON: instructor.Mode.JSON}.get(
            dialect, instructor.Mode.JSON_SCHEMA
        )

        async def send(**arguments: Any) -> ChatCompletion:
            return await self._send(_spoken(dialect, request, arguments), meter)

        ask: Callable[..., Any] = instructor.patch(create=send, mode=mode)
        before = meter.usage.requests
        try:
            parsed = await ask(
                model=request.model,
                messages=[
                    {"role": "system", "content": request.system},
                    {"role": "user", "content": request.user},
                ],
                response_model=replies.model(request.schema),
                max_retries=self._reasking(),
                **request.parameters,
            )
        except InstructorRetryException as error:
            raise _cause(error) from None
        return Reply(replies.value(parsed), meter.usage, meter.usage.requests - before)

    def _reasking(self) -> Any:
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

        return AsyncRetrying(
            retry=retry_if_exception_type(replies.Unfit),
            stop=stop_after_attempt(self.endpoint.reasks + 1),
            reraise=True,
        )

    async def _send(self, arguments: Mapping[str, Any], meter: _Meter) -> ChatCompletion:
        """One HTTP request; the reply if it is one that can be read as an answer."""
        import openai

        try:
            completion: ChatCompletion = await self._client.chat.completions.create(**arguments)
        except openai.OpenAIError as error:
            raise _translated(error, self.endpoint) from None
        except ValueError as error:  # a body that is not JSON
            raise ModelBusy(f"The endpoint's reply is not a completion ({type(error).__name__}).") from None
        if not getattr(completion, "choices", None) or completion.choices[0].message is None:
            raise ModelBusy("The endpoint's reply holds no choice; check that the base URL is right.")
        meter.read(completion)
        choice = completion.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise ReplyRefused("The model declined to answer.")
        if choice.finish_reason == "length":
            raise ReplyCutShort("The reply was cut short at its token limit.", text=choice.message.content or "")
        return completion


class _NotThisDialect(Exception):
    pass


def _spoken(dialect: Dialect, request: Request, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as instructor made them, in the endpoint's dialect."""
    if dialect is Dialect.GRAMMAR and request.grammar is not None:
        plain = {k: v for k, v in arguments.items() if k != "response_format"}
        return {**plain, "extra_body": {"grammar": request.grammar}}
    if dialect is Dialect.SCHEMA:
        form = arguments["response_format"]
        shape = dialects.speak(dialect, request.schema).shape
        strict = {**form["json_schema"], "schema": shape, "strict": True}
        return {**arguments, "response_format": {**form, "json_schema": strict}}
    return arguments


def _cause(error: BaseException) -> ModelError:
    """Our error inside instructor's; a reply that never fitted when there is none of ours."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ModelError | _NotThisDialect):
            return inner  # type: ignore[return-value]
        if isinstance(inner, replies.Unfit):
            return ReplyUnreadable(f"No reply fitted the schema: {inner}")
        inner = inner.__cause__ or inner.__context__
    return ReplyUnreadable(f"No reply could be read ({type(error.__cause__).__name__}).")


def _translated(error: Exception, endpoint: Endpoint) -> Exception:
    """openai's error as one of ours. Bodies are not quoted: a 401 may echo the key."""
    import openai

    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ExtractorError):
            return inner
        inner = inner.__cause__
    match error:
        case openai.APITimeoutError():
            return ModelBusy(f"{endpoint.base_url} did not answer in time.")
        case openai.APIConnectionError():
            cause = error.__cause__
            return ModelBusy(
                f"{endpoint.base_url} cannot be reached ({type(cause or error).__name__}: is it running?)."
            )
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return ModelFatal(f"{endpoint.base_url} refuses the key; check OPENAI_API_KEY.")
        case openai.NotFoundError():
            return ModelFatal(f"{endpoint.base_url} has no model {endpoint.model!r}; check --model and --base-url.")
        case openai.RateLimitError():
            if error.code == "insufficient_quota":
                return ModelFatal(f"The quota at {endpoint.base_url} is used up; top it up, then run again.")
            return ModelBusy(f"{endpoint.base_url} is rate-limiting.", retry_after=_retry_after(error))
        case openai.BadRequestError() if _about_form(error):
            return _NotThisDialect(f"HTTP {error.status_code}")
        case openai.APIStatusError(status_code=status):
            if 300 <= status < 400:
                return ModelFatal(f"{endpoint.base_url} redirects; give the address it redirects to as --base-url.")
            if status in (408, 409) or status >= 500:
                return ModelBusy(f"{endpoint.base_url} answers HTTP {status}.", retry_after=_retry_after(error))
            too_long = status == 413 or "context" in f"{error.code} {error.type} {error.message}".lower()
            hint = (
                "the chunk is too long for it; lower chunk_tokens in the prompt"
                if too_long
                else "it refuses the request"
            )
            return ModelError(f"{endpoint.base_url} answers HTTP {status}: {hint}.")
    return ModelBusy(f"{endpoint.base_url} sent what is no completion ({type(error).__name__}).")


def _about_form(error: Any) -> bool:
    said = str(error.message).lower()
    return any(word in said for word in ("response_format", "json_schema", "tool", "grammar", "schema"))


def _retry_after(error: Any) -> float | None:
    """Seconds that the endpoint asks to wait, if it says so sensibly."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds <= PATIENCE else None


def manifest(endpoint: Endpoint) -> dict[str, Json]:
    """What a result says of the model that made it; never the key, nor a name or password in the address."""
    address = re.sub(r"//[^/@]*@", "//", endpoint.base_url)
    return {"name": endpoint.model, "digest": endpoint.digest, "endpoint": address}
