"""A Model that is any OpenAI-compatible endpoint, through openai and instructor.

The only module that sends documents anywhere. It owns all retries: openai's own are off; only replies that do not fit
are asked again; one tenacity loop around each HTTP request waits while an endpoint is busy. A request thus costs at
most 1 + retries + re-asks HTTP requests, whatever goes wrong in whatever order.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extractor.errors import ModelBusy, ModelError, ReplyUnreadable, UsageError
from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.limits.budget import TokenEstimate
from extractor.models.limits.concurrency import ConcurrencyLimiter, SendPermit
from extractor.models.openai import completion as completions
from extractor.models.openai import errors as refusals
from extractor.models.openai.chat import ChatRequest, build_chat_request, build_request_body
from extractor.models.openai.deadline import enforce_deadline
from extractor.models.openai.dialects import adapt_to_dialect
from extractor.models.openai.errors import DialectRefused, RequestForbidden
from extractor.models.openai.quiet_logs import own_request, quiet_library_logs
from extractor.models.openai.reply import InvalidReply
from extractor.models.openai.transport import build_transport
from extractor.models.secrets import SecretMask, find_secrets
from extractor.types import Json, Reply, Request, Usage

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

MAX_FORBIDDEN_IN_A_ROW = 3
"""Requests in a row that the endpoint may forbid before the run ends; the first reply of a run forgives none."""


def check_api_key(text: str, name: str = "OPENAI_API_KEY") -> str:
    """The key without surrounding white space. Raises UsageError, without showing it, for one that cannot be sent."""
    text = text.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise UsageError(f"The API key holds characters that no key has; set {name} again.")
    return text


@dataclass(slots=True)
class _RequestTally:
    """What one request took so far, over all its HTTP requests."""

    usage: Usage = field(default_factory=Usage)
    completions: int = 0
    seconds: float = 0.0
    retries: int = 0
    refusals: int = 0
    """Refusals (HTTP 429) in a row during which the endpoint served nobody else either."""


class LiveModel:
    """`complete(request) -> reply` over HTTP; one for a whole run, since its connections are worth keeping.

    `transport` replaces the network: cassettes wrap it. `limiter` is shared by all that send to the same endpoint.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx2.AsyncBaseTransport | None = None,
        limiter: ConcurrencyLimiter | None = None,
    ) -> None:
        # 0.9 s of imports that only a command that asks a model should wait for
        import httpx2
        import openai

        logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it logs replies, and so documents
        quiet_library_logs()
        self.endpoint = endpoint
        self.limiter = limiter or ConcurrencyLimiter(64)
        self._dialects = [endpoint.dialect] if endpoint.dialect else [Dialect.SCHEMA, Dialect.TOOLS, Dialect.JSON]
        self._forbidden = 0
        secrets = find_secrets(endpoint)
        self._mask = SecretMask(secrets)
        self._client: AsyncOpenAI = openai.AsyncOpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=openai.Timeout(None, connect=10),  # the rest is for the deadline, which these are not
            http_client=httpx2.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                transport=transport
                or build_transport(endpoint.base_url, secrets, connections=self.limiter.max_concurrency + 2),
            ),
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def complete(self, request: Request) -> Reply:
        """The model's reply, fitting the request's schema. Raises ModelError, one of its kinds, otherwise."""
        question = _RequestTally()
        try:
            return await self._ask_in_some_dialect(request, question)
        except ModelError as error:
            error.usage = question.usage
            raise

    async def _ask_in_some_dialect(self, request: Request, question: _RequestTally) -> Reply:
        while True:
            dialect = self._dialects[0]
            dialect_schema = adapt_to_dialect(dialect, request.schema)
            if dialect_schema.refusal_reasons and len(self._dialects) > 1:
                dialect = self._dialects[1]  # for this request only: a smaller one may fit strict mode
                dialect_schema = adapt_to_dialect(dialect, request.schema)
            try:
                return await self._ask_until_valid(
                    build_chat_request(request, dialect, dialect_schema.response_schema), question
                )
            except DialectRefused as error:
                if dialect is self._dialects[-1]:
                    raise ModelError(f"The endpoint refuses the request ({error}).") from None
                if dialect in self._dialects:  # another request may have found out before
                    self._dialects.remove(dialect)

    async def _ask_until_valid(self, chat: ChatRequest, question: _RequestTally) -> Reply:
        before = question.completions
        for left in range(self.endpoint.reasks, -1, -1):
            completion = await self._send_with_retries(chat.arguments, question)
            try:
                value = chat.read_reply(completion)
                return Reply(self._mask_key(value), question.usage, question.completions - before)
            except InvalidReply as error:
                if not left and error.value is not None:  # what does not fit costs itself, and is listed
                    return Reply(self._mask_key(error.value), question.usage, question.completions - before)
                if not left:
                    raise ReplyUnreadable(f"No reply fitted the schema: {error}") from None
                chat = chat.repeat_with_error(completion, error)
        raise AssertionError("a question is asked at least once")

    def _mask_key(self, value: dict[str, Json]) -> dict[str, Json]:
        """The value, with secrets masked that the transport could not see, since they were spelled in escapes."""
        masked: dict[str, Json] = self._mask.mask_json(value)
        return masked

    async def _send_with_retries(self, arguments: Mapping[str, Any], question: _RequestTally) -> ChatCompletion:
        """A completion that can be read as a reply, retried while the endpoint is busy."""
        from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

        backoff = wait_random_exponential(multiplier=0.5, max=30)

        def choose_wait(state: Any) -> float:
            # An asked-for wait is everybody's, and is waited for in the queue.
            return 0.0 if state.outcome.exception().retry_after is not None else float(backoff(state))

        estimate = _estimate_tokens(arguments)
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(ModelBusy),
            stop=lambda state: self._should_give_up(question, state.outcome and state.outcome.exception()),
            wait=choose_wait,
            reraise=True,
        ):
            with attempt:
                turn = await self._acquire_permit(estimate, again=attempt.retry_state.attempt_number > 1)
                completion = await self._exchange_once(arguments, turn, question)
                question.completions += 1
                return completions.require_full_answer(completion)
        raise AssertionError("tenacity returned without a result")

    async def _acquire_permit(self, estimate: TokenEstimate, *, again: bool) -> SendPermit:
        try:
            return await self.limiter.acquire(estimate, again=again)
        except ModelBusy as error:  # a rest that is too long to wait for is no reason to try again
            raise ModelError(str(error), reason=error.reason) from None

    def _should_give_up(self, question: _RequestTally, error: Any) -> bool:
        """Whether to wait after a refusal: yes while others are served, since the endpoint is busy with this run."""
        if error.reason == "rate limited":
            return question.refusals >= self.endpoint.connection.attempts
        question.retries += 1
        return (
            question.retries >= self.endpoint.connection.attempts
            or question.seconds >= self.endpoint.connection.question_deadline
        )

    async def _exchange_once(
        self, arguments: Mapping[str, Any], turn: SendPermit, question: _RequestTally
    ) -> ChatCompletion:
        """One HTTP request; when this returns, budget and tally have counted what it took."""
        took = Usage(1, lost=1)
        started = _read_loop_clock()
        try:
            async with enforce_deadline(max(0.001, self.endpoint.connection.question_deadline - question.seconds)):
                completion = await self._post_request(arguments)
            took = completions.read_usage(completion)
            self._forbidden = 0
            self.limiter.record_reply(turn, took)
            return completion
        except ModelBusy as error:
            took = Usage(1, lost=1) if error.lost else Usage(1)
            if error.reason == "rate limited":
                idle = self.limiter.served == turn.served
                question.refusals = question.refusals + 1 if idle else 1
                self.limiter.record_refusal(turn, error.retry_after)
            else:
                self.limiter.record_failure(turn, None if error.lost else took, error.retry_after)
            raise
        except TimeoutError:
            took = Usage(1, lost=1)
            self.limiter.record_failure(turn, None)
            raise ModelError(
                f"No reply within {self.endpoint.connection.question_deadline:g} s; "
                "lower chunk_tokens in the prompt's settings.",
                reason="deadline",
            ) from None
        except RequestForbidden as error:
            took = Usage(1)
            self.limiter.record_failure(turn, took)
            self._forbidden += 1
            if not self.limiter.served or self._forbidden >= MAX_FORBIDDEN_IN_A_ROW:
                raise error.fatal from None
            raise
        except BaseException as error:
            cost_known = isinstance(error, DialectRefused) or (isinstance(error, ModelError) and not error.lost)
            took = Usage(1) if cost_known else Usage(1, lost=1)
            self.limiter.record_failure(turn, took if not took.lost else None)
            raise
        finally:
            question.seconds += _read_loop_clock() - started
            question.usage += took

    async def _post_request(self, arguments: Mapping[str, Any]) -> ChatCompletion:
        import httpx2
        import openai

        try:
            # What create() does, with the body in its order, but without its walk through all of a schema that it has
            # nothing to change in, and with the reply read here: together half of the work of a request.
            with own_request(self._mask):
                response = await self._client.post(
                    "/chat/completions", cast_to=httpx2.Response, body=build_request_body(arguments), options={}
                )
        except openai.OpenAIError as error:
            raise refusals.translate_api_error(error, self.endpoint.base_url, self.endpoint.model) from None
        return completions.parse_completion(response.content)


def _read_loop_clock() -> float:
    import asyncio

    return asyncio.get_running_loop().time()


def _estimate_tokens(arguments: Mapping[str, Any]) -> TokenEstimate:
    """The most tokens that a request may take: one for three bytes of UTF-8 going in, and all that it allows out."""
    sent = sum(len(str(m.get("content") or "").encode()) for m in arguments["messages"])
    sent += sum(len(str(arguments.get(name, ""))) for name in ("response_format", "tools"))
    most = arguments.get("max_tokens") or arguments.get("max_completion_tokens")
    return TokenEstimate(sent // 3 + 16, most if isinstance(most, int) else 4096)


def describe_endpoint(endpoint: Endpoint) -> dict[str, Json]:
    """The model as a result file describes it; never the key, nor a name or password in the address."""
    address = re.sub(r"//[^/@]*@", "//", endpoint.base_url)
    return {"name": endpoint.model, "digest": endpoint.digest, "endpoint": address}
