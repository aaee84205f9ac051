"""One request to an endpoint, until it is answered or refused: permits, deadlines, and waiting while it is busy.

The only module that sends documents anywhere. It owns all retries of what did not arrive: openai's own are off, and one
tenacity loop around each request waits while an endpoint is busy.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from extractor.errors import ModelBusy, ModelError, ReplyUnreadable
from extractor.models.endpoint import Endpoint
from extractor.models.limits.budget import TokenEstimate
from extractor.models.limits.concurrency import (
    MAX_REST_SECONDS,
    ConcurrencyLimiter,
    SendPermit,
    rest_too_long_error,
)
from extractor.models.openai import completion as completions
from extractor.models.openai import errors
from extractor.models.openai.chat import build_request_body
from extractor.models.openai.deadline import enforce_deadline
from extractor.models.openai.errors import NotReady, RequestForbidden, SentRequest, ServerFailed
from extractor.models.openai.parameters import list_set_names, read_limit
from extractor.models.openai.pictures import list_pictures
from extractor.models.openai.problem import Problem, find_problem_in_reply
from extractor.models.openai.quiet_logs import own_request, quiet_library_logs
from extractor.models.openai.refusals import FormRefused, SampleRefused
from extractor.models.openai.retry_after import read_retry_after
from extractor.models.secrets import SecretMask, find_secrets
from extractor.models.tokens import PICTURE_ROOM
from extractor.telemetry import Attribute, trace
from extractor.types import Usage

if TYPE_CHECKING:
    import httpx2
    from openai.types.chat import ChatCompletion

MAX_FORBIDDEN_IN_A_ROW = 3
"""Requests in a row that the endpoint may forbid before the run ends; the first reply of a run forgives none."""
LARGE_BYTES = 250_000
"""Bytes from which on a reply is read in a thread, so that other requests go on."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds; each wait that the endpoint does not ask for is up to twice as long as the one before."""


@dataclass(slots=True)
class QuestionTally:
    """What one question took so far, over all its HTTP requests."""

    usage: Usage = field(default_factory=Usage)
    completions: int = 0
    seconds: float = 0.0
    retries: int = 0
    refusals: int = 0
    """Refusals (HTTP 429) in a row during which the endpoint served nobody else either."""
    waited: float = 0.0
    """Seconds waited for an endpoint that names no time."""
    waits: int = 0
    is_out_of_patience: bool = False


class RequestSender:
    """Sends requests to one endpoint, for a whole run, since its connections are worth keeping."""

    def __init__(self, endpoint: Endpoint, transport: httpx2.AsyncBaseTransport, limiter: ConcurrencyLimiter) -> None:
        # 0.9 s of imports that only a command that asks a model should wait for
        import httpx2
        import openai

        quiet_library_logs()
        self.endpoint, self.limiter = endpoint, limiter
        self._set_by_user = list_set_names(endpoint.parameters)
        self._forbidden = 0
        self._mask = SecretMask(find_secrets(endpoint))
        self._traced = _describe_endpoint(endpoint)
        self._http = httpx2.AsyncClient(follow_redirects=False, trust_env=False, transport=transport)
        self._client = openai.AsyncOpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=openai.Timeout(None, connect=10),  # the rest is for the deadline, which these are not
            http_client=self._http,
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def send(
        self, arguments: Mapping[str, Any], tally: QuestionTally, *, tries_of_form: int | None = None
    ) -> ChatCompletion:
        """The completion, retried while the endpoint is busy. Raises ModelError, and FormRefused where it takes
        exception to the request's form. An endpoint that may fail at the form is tried `tries_of_form` times."""
        from tenacity import AsyncRetrying, retry_if_exception_type

        estimate = estimate_tokens(arguments)
        failures = 0

        def should_stop(state: Any) -> bool:
            nonlocal failures
            error = state.outcome.exception()
            failures += isinstance(error, ServerFailed) and error.may_be_form
            return self._should_give_up(tally, error) or (tries_of_form is not None and failures >= tries_of_form)

        def choose_wait(state: Any) -> float:
            return self._choose_wait(tally, state.outcome.exception())

        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(ModelBusy), stop=should_stop, wait=choose_wait, reraise=True
        ):
            with attempt:
                turn = await self._acquire_permit(estimate, again=attempt.retry_state.attempt_number > 1)
                completion = await self._exchange_once(arguments, turn, tally)
                tally.completions += 1
                return completion
        raise AssertionError("tenacity returned without a result")

    async def _acquire_permit(self, estimate: TokenEstimate, *, again: bool) -> SendPermit:
        try:
            return await self.limiter.acquire(estimate, again=again)
        except ModelBusy as error:  # a rest that is too long to wait for is no reason to try again
            raise ModelError(str(error), reason=error.reason) from None

    def _should_give_up(self, tally: QuestionTally, error: ModelBusy) -> bool:
        """Whether to wait after a refusal: yes while others are served, since the endpoint is busy with this run."""
        waits = self.endpoint.connection
        if isinstance(error, NotReady):
            return tally.is_out_of_patience
        if error.reason == "rate limited":
            return tally.refusals >= waits.attempts
        tally.retries += 1
        return tally.retries >= waits.attempts or tally.seconds >= waits.question_deadline

    def _choose_wait(self, tally: QuestionTally, error: ModelBusy) -> float:
        """Seconds until the next try. An asked-for wait is everybody's and is waited for in the queue, but where others
        are served meanwhile."""
        left = self.endpoint.connection.patience - tally.waited
        if isinstance(error, NotReady):
            tally.is_out_of_patience = left < 0.001
        if error.retry_after is not None:
            tally.waited += error.retry_after
            return error.retry_after if error.rests_alone else 0.0
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2**tally.waits)
        tally.waits += 1
        if not isinstance(error, NotReady):
            return random.uniform(0, longest)  # noqa: S311 -- no secret
        wait = max(0.0, min(longest * random.uniform(0.5, 1), left))  # noqa: S311
        tally.waited += wait
        return float(wait)

    async def _exchange_once(
        self, arguments: Mapping[str, Any], turn: SendPermit, tally: QuestionTally
    ) -> ChatCompletion:
        """One HTTP request; when this returns, budget and tally have counted what it took."""
        with trace(f"chat {self.endpoint.model}", self._traced, calls_out=True) as told:
            completion = await self._exchange_counted(arguments, turn, tally)
            told.set(_describe_usage(completions.read_usage(completion)))
            return completion

    async def _exchange_counted(
        self, arguments: Mapping[str, Any], turn: SendPermit, tally: QuestionTally
    ) -> ChatCompletion:
        took = Usage(1, lost=1)
        started = _read_loop_clock()
        try:
            completion = await self._post_before_deadline(arguments, tally)
            took = completions.read_usage(completion)
            self._forbidden = 0
            self.limiter.record_reply(turn, took)
            return completion
        except ModelBusy as error:
            took = Usage(1, lost=1) if error.lost else Usage(1)
            if error.reason == "rate limited":
                idle = self.limiter.served == turn.served
                tally.refusals = tally.refusals + 1 if idle else 1
                error.rests_alone = not self.limiter.record_refusal(turn, error.retry_after)
            else:
                cost = None if error.lost else took
                error.rests_alone = not self.limiter.record_failure(turn, cost, error.retry_after)
            if error.rests_alone and (error.retry_after or 0) > MAX_REST_SECONDS:
                raise ModelError(str(rest_too_long_error(error.retry_after or 0)), reason=error.reason) from None
            raise
        except RequestForbidden as error:
            took = Usage(1)
            self.limiter.record_failure(turn, took)
            self._forbidden += 1
            if not self.limiter.served or self._forbidden >= MAX_FORBIDDEN_IN_A_ROW:
                raise error.fatal from None
            raise
        except BaseException as error:
            cost_known = isinstance(error, FormRefused) or (isinstance(error, ModelError) and not error.lost)
            took = Usage(1) if cost_known else Usage(1, lost=1)
            self.limiter.record_failure(turn, took if not took.lost else None)
            raise
        finally:
            tally.seconds += _read_loop_clock() - started
            tally.usage += took

    async def _post_before_deadline(self, arguments: Mapping[str, Any], tally: QuestionTally) -> ChatCompletion:
        waits = self.endpoint.connection
        left = max(0.001, waits.question_deadline - tally.seconds)
        try:
            async with enforce_deadline(min(left, waits.request_deadline)):
                return await self._post(arguments)
        except TimeoutError:
            if waits.request_deadline < left:
                raise ModelBusy(
                    f"{self.endpoint.base_url} did not answer within {waits.request_deadline:g} s.",
                    reason="network",
                    lost=True,
                ) from None
            raise ModelError(
                f"No reply within {waits.question_deadline:g} s; lower chunk_tokens in the prompt's settings.",
                reason="deadline",
                lost=True,
            ) from None

    async def _post(self, arguments: Mapping[str, Any]) -> ChatCompletion:
        import openai

        sent = SentRequest(self.endpoint.base_url, self.endpoint.model, arguments, self._set_by_user)
        try:
            with own_request(self._mask):
                content = await self._fetch(arguments)
        except openai.OpenAIError as error:
            raise errors.translate_api_error(error, sent) from None
        try:
            if len(content) < LARGE_BYTES:
                completion = completions.parse_completion(content)
            else:
                completion = await asyncio.to_thread(completions.parse_completion, content)
        except ModelBusy:
            problem = find_problem_in_reply(content)
            if problem is None or (problem.is_page and self.limiter.served):
                raise
            raise _translate_told_problem(problem, sent) from None
        if completions.is_broken_off(completion):
            raise ModelBusy(f"{self.endpoint.base_url} could not finish its reply.", reason="upstream", lost=True)
        if completions.is_malformed(completion):
            raise SampleRefused(ReplyUnreadable("The model called its tool in a form that cannot be read."), None)
        return completion

    async def _fetch(self, arguments: Mapping[str, Any]) -> bytes:
        """The body of the reply to one HTTP request, as a completion. Raises openai's errors."""
        import httpx2

        # post() and not create(), which walks through all of a body that it has nothing to change in; and the reply
        # is read later, in one pass.
        response = await self._client.post(
            "/chat/completions",
            body=build_request_body(arguments),
            cast_to=httpx2.Response,
            options={"security": {"bearer_auth": True}},
        )
        return response.content


def _describe_endpoint(endpoint: Endpoint) -> dict[str, Attribute | None]:
    """What a span says of a request before it is answered."""
    address = urlsplit(endpoint.base_url)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": endpoint.api.value,
        "gen_ai.request.model": endpoint.model,
        "server.address": address.hostname,
        "server.port": address.port,
    }


def _describe_usage(took: Usage) -> dict[str, Attribute | None]:
    return {"gen_ai.usage.input_tokens": took.input_tokens, "gen_ai.usage.output_tokens": took.output_tokens}


def _translate_told_problem(problem: Problem, sent: SentRequest) -> Exception:
    """An error that came as a reply, with HTTP 200."""
    found = errors.translate_problem(problem, sent, read_retry_after({}, problem))
    if problem.status == 200 and isinstance(found, errors.RequestRefused):
        return completions.not_a_completion_error("an error in its place")
    return found


def _read_loop_clock() -> float:
    return asyncio.get_running_loop().time()


def estimate_tokens(arguments: Mapping[str, Any]) -> TokenEstimate:
    """The most tokens that a request may take: one for three bytes of UTF-8 going in, and all that it allows out."""
    sent = sum(_measure_content(m.get("content")) for m in arguments["messages"])
    sent += sum(len(str(arguments.get(name, ""))) for name in ("response_format", "tools"))
    return TokenEstimate(sent // 3 + 16, read_limit(arguments) or 4096)


def _measure_content(content: Any) -> int:
    """Bytes of the text of a message; each picture counts as much as the most tokens that it may take."""
    if not isinstance(content, list):
        return len(str(content or "").encode())
    texts = sum(len(str(part.get("text") or "").encode()) for part in content)
    return texts + 3 * PICTURE_ROOM * len(list_pictures(content))
