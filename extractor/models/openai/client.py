"""A Model that is any OpenAI-compatible endpoint, through openai and instructor.

A question is asked in the form that the endpoint takes, as far as a run has found out: each refusal that names what is
wrong, and each first reply that cannot be read, teaches one thing (`learnt`), and the question is asked again. Only
replies that do not fit are asked for again, and waiting is the sender's (`sending`), so that a question costs at most
1 + retries + re-asks HTTP requests once the form is known, whatever goes wrong in whatever order.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING

from extractor.errors import (
    TOO_LONG,
    ModelError,
    ModelFatal,
    OnlyReasoned,
    ReplyCutShort,
    ReplyRefused,
    ReplyUnreadable,
)
from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.limits.concurrency import ConcurrencyLimiter
from extractor.models.native.choice import build_sender
from extractor.models.openai import completion as completions
from extractor.models.openai.chat import ChatRequest
from extractor.models.openai.completion import Message
from extractor.models.openai.errors import RequestRefused, ServerFailed
from extractor.models.openai.forms import FormFinder, Question, estimate_prompt
from extractor.models.openai.learnt import LearntTraits
from extractor.models.openai.misfits import build_misfit_request, put_in_place
from extractor.models.openai.parameters import read_limit
from extractor.models.openai.probabilities import read_leaf_probabilities
from extractor.models.openai.refusals import FormRefused
from extractor.models.openai.reply import FittedReply, InvalidReply, read_reply
from extractor.models.openai.reply_text import is_whole_object
from extractor.models.openai.transport import build_transport
from extractor.models.secrets import SecretMask, find_secrets
from extractor.types import Json, Reply, Request, Usage

if TYPE_CHECKING:
    import httpx2
    from openai.types.chat import ChatCompletion

MAX_SAME_REFUSALS, MAX_SAME_AFTER_REPLIES = 3, 10
"""Questions in a row that may be refused for one reason before the run ends; more once some have been answered."""
TRIES_OF_A_FORM = 2
"""Tries on an endpoint that fails, where it may be the form of a question that it fails at; of later forms one."""
LARGE_REPLY = 20_000
"""Characters from which on a reply is read in a thread, so that other requests, deadlines and signals go on."""
LEAST_COUNTED, LEAST_SHARE_READ = 1000, 0.45
"""Tokens of a prompt, as the endpoint counts them, from which on the count is held against the estimate; and the share
of that below which a part was not read: some servers cut a prompt that is too long without a word."""


class LiveModel:
    """`complete(request) -> reply` over HTTP; one for a whole run, since its connections are worth keeping.

    `transport` replaces the network: cassettes wrap it. `limiter` is shared by all that send to the same endpoint, and
    so is `learnt`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx2.AsyncBaseTransport | None = None,
        limiter: ConcurrencyLimiter | None = None,
        learnt: LearntTraits | None = None,
    ) -> None:
        logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it logs replies, and so documents
        self.endpoint = endpoint
        self.limiter = limiter or ConcurrencyLimiter(64)
        self.learnt = learnt or LearntTraits(endpoint)
        self._forms = FormFinder(endpoint, self.learnt)
        self._same: tuple[str, int] = ("", 0)
        """The reason of the last refusal, and for how many questions in a row it was the same."""
        self._mask = SecretMask(find_secrets(endpoint))
        self._sender = build_sender(
            endpoint,
            transport or build_transport(endpoint, connections=self.limiter.max_concurrency + 2),
            self.limiter,
        )

    async def aclose(self) -> None:
        await self._sender.aclose()

    async def complete(self, request: Request) -> Reply:
        """The model's reply, in the form of the request's schema. Raises ModelError, one of its kinds, otherwise."""
        return await self._answer(Question(request, self.endpoint.reasks))

    async def complete_given(self, request: Request, completion: bytes) -> Reply:
        """The same where a completion is at hand, as the body of a response has it: it is read like one that has just
        come, and only what has to be asked again is asked."""
        return await self._answer(Question(request, self.endpoint.reasks, given=completion))

    async def _answer(self, question: Question) -> Reply:
        request = question.request
        try:
            if question.given is None:
                self._require_short_enough(request)
            reply = await self._ask_in_some_form(question)
        except ModelError as error:
            failed = self._count_refusal(error)
            failed.usage = question.tally.usage
            raise failed from None
        self._same = ("", 0)
        return reply

    def _require_short_enough(self, request: Request) -> None:
        smallest = self.learnt.smallest_refused
        if smallest is not None and estimate_prompt(request) >= smallest:
            raise ModelError(
                f"{self.endpoint.base_url} has refused shorter chunks as too long; lower chunk_tokens in the prompt.",
                reason=TOO_LONG,
            )

    def _count_refusal(self, error: ModelError) -> ModelError:
        """The error, or one that ends the run, where question after question is refused for the same reason."""
        match error:
            case RequestRefused():
                kind = error.kind
            case OnlyReasoned():
                kind = error.reason
            case _:
                return error
        self._same = (kind, self._same[1] + 1 if self._same[0] == kind else 1)
        most = MAX_SAME_AFTER_REPLIES if self.learnt.proven else MAX_SAME_REFUSALS
        if self._same[1] < most:
            return error
        return ModelFatal(
            f"{str(error).rstrip('.')}; {self._same[1]} questions in a row ended so, and the run with them."
        )

    async def _ask_in_some_form(self, question: Question) -> Reply:
        while True:
            dialect = self._forms.choose_dialect(question)
            assert dialect is not None, "the last one's refusal is raised"  # noqa: S101
            try:
                reply = await self._ask_until_valid(question, dialect)
            except FormRefused as refusal:
                if not self._forms.change_form(question, dialect, refusal):
                    if refusal.final.reason == TOO_LONG:
                        self.learnt.refuse_length(estimate_prompt(question.request))
                    raise (question.unreadable or refusal.final) from None
            except ServerFailed as error:
                if not error.may_be_form or not self._forms.leave_dialect_for_question(question, dialect, error):
                    raise
            except ReplyUnreadable as error:
                question.unreadable = error
                at_limit = isinstance(error, OnlyReasoned) and error.at_limit
                can_leave = self.learnt.proven is not dialect and not at_limit
                if not can_leave or not self._forms.leave_dialect_for_question(question, dialect, error):
                    raise
            else:
                if reply.usage.requests:
                    self.learnt.settle(dialect, question.tried, question.form)
                return reply

    async def _ask_until_valid(self, question: Question, dialect: Dialect) -> Reply:
        chat = self._forms.build_chat(question, dialect)
        before = question.tally.completions
        while True:
            completion, message = await self._send(question, dialect, chat)
            try:
                said = await self._read_reply(message, question.request)
            except InvalidReply as error:
                if _took_all(completion, chat) and (beginning := await _find_beginning(message)):
                    raise ReplyCutShort("The reply ends at its token limit.", text=beginning) from None
                if question.reasks <= 0:
                    raise _unreadable_error(message, error) from None
                question.reasks -= 1
                if not message.is_empty or dialect is Dialect.GRAMMAR:
                    chat = chat.repeat_with_error(completion, error)
                continue
            if said.misfits and question.reasks > 0:
                question.reasks -= 1
                if dialect is Dialect.GRAMMAR:
                    chat = chat.repeat_with_error(completion, InvalidReply(said.describe_misfits()))
                    continue
                said = await self._ask_for_misfits(question, dialect, said)
            return Reply(
                said.value,
                question.tally.usage,
                question.tally.completions - before,
                tuple(said.said_besides),
                read_leaf_probabilities(completion, message, said.value),
            )

    async def _send(self, question: Question, dialect: Dialect, chat: ChatRequest) -> tuple[ChatCompletion, Message]:
        """A completion that holds a reply to its end; one whose model thought until its end is asked for once more."""
        question.sent = chat.arguments
        may_change = self.learnt.proven is None and not self.learnt.is_fixed
        tries = (1 if question.tried else TRIES_OF_A_FORM) if may_change else None
        try:
            completion = _take_given(question)
            if completion is None:
                completion = await self._sender.send(chat.arguments, question.tally, tries_of_form=tries)
        except ModelError as error:
            if error.reason == TOO_LONG:
                self.learnt.refuse_length(estimate_prompt(question.request))
            raise
        message = completions.read_message(completion)
        if message.is_filtered:
            raise ReplyRefused("The model declined to answer.")
        self._require_whole_prompt(question, completion)
        if not message.is_cut:
            return completion, message
        if dialect is Dialect.GRAMMAR:
            raise ReplyCutShort("The reply was cut short at its token limit.", text=message.texts[0])
        thought_most = 2 * completions.read_thinking_tokens(completion) >= (read_limit(chat.arguments) or 1)
        beginning = await _find_beginning(message)
        # what was cut is what followed: blanks, a fence, an afterword; or nothing was
        is_past_it = not message.texts[0].endswith("}") or not _took_all(completion, chat)
        if is_past_it and not message.has_calls and is_whole_object(beginning, question.request.schema):
            return completion, message
        if (thought_most or not beginning) and not question.form.more_room and self._forms.give_room(question):
            return await self._send(question, dialect, self._forms.build_chat(question, dialect))
        if not beginning:
            raise OnlyReasoned(
                "The model thought until the end of the tokens that a reply may have; let it think less "
                "(--set reasoning_effort=low), or give it more (--set max_output=N).",
                at_limit=True,
            )
        raise ReplyCutShort("The reply was cut short at its token limit.", text=beginning)

    def _require_whole_prompt(self, question: Question, completion: ChatCompletion) -> None:
        """Raises ModelError where the endpoint counts so few tokens that it cannot have read all of the prompt."""
        counted = completions.read_usage(completion).input_tokens
        if counted is None or counted < LEAST_COUNTED:
            return
        expected = estimate_prompt(question.request)
        is_far_less = len(question.request.user) >= 6 * counted and counted < LEAST_SHARE_READ * expected
        if is_far_less or self.learnt.is_cut_at(counted):
            self.learnt.cut_at = counted
            self.learnt.say(
                f"The endpoint read {counted:,} of some {expected:,} tokens; give its model a larger context (num_ctx)."
            )
            self.learnt.refuse_length(expected)
            raise ModelError(
                f"{self.endpoint.base_url} read {counted:,} of some {expected:,} tokens; give its model a larger "
                "context, or lower chunk_tokens in the prompt.",
                reason=TOO_LONG,
            )

    async def _ask_for_misfits(self, question: Question, dialect: Dialect, said: FittedReply) -> FittedReply:
        """What was said, with the leaves that did not fit asked for once more, alone; they stay where that fails."""
        again = Question(build_misfit_request(question.request, said), 0, question.tally, question.form)
        try:
            _, message = await self._send(again, dialect, self._forms.build_chat(again, dialect))
            return put_in_place(said, await self._read_reply(message, again.request))
        except (ModelError, FormRefused, InvalidReply):
            return said

    async def _read_reply(self, message: Message, request: Request) -> FittedReply:
        """What the reply says, with secrets masked that the transport could not see, since they were spelled in
        escapes. Raises InvalidReply."""

        def read() -> FittedReply:
            said = read_reply(message.texts, request.schema)
            said.value = {self._mask.mask_text(name): self._mask.mask_json(one) for name, one in said.value.items()}
            said.said_besides = [(path, self._mask.mask_json(one)) for path, one in said.said_besides]
            return said

        return await asyncio.to_thread(read) if _is_large(message) else read()


def _is_large(message: Message) -> bool:
    return sum(map(len, message.texts)) >= LARGE_REPLY


async def _find_beginning(message: Message) -> str:
    return await asyncio.to_thread(message.find_beginning) if _is_large(message) else message.find_beginning()


def _take_given(question: Question) -> ChatCompletion | None:
    """The completion that is at hand, once; None where there is none that is whole. It was paid for before."""
    given, question.given = question.given, None
    if given is None:
        return None
    try:
        completion = completions.parse_completion(given)
    except ModelError:
        return None
    if completions.is_broken_off(completion) or completions.is_malformed(completion):
        return None
    took = completions.read_usage(completion)
    question.tally.usage += Usage(
        cached=1,
        cached_input_tokens=took.input_tokens,
        cached_output_tokens=took.output_tokens,
        cached_seconds=took.seconds,
    )
    question.tally.completions += 1
    return completion


def _took_all(completion: ChatCompletion, chat: ChatRequest) -> bool:
    """Whether a reply has all the tokens that it may have, though the endpoint does not call it cut short."""
    took, most = completions.read_usage(completion).output_tokens, read_limit(chat.arguments)
    return took is not None and most is not None and took >= most and chat.dialect is not Dialect.GRAMMAR


def _unreadable_error(message: Message, error: InvalidReply) -> ModelError:
    if message.is_empty and message.thought:
        return OnlyReasoned("The model only reasoned, and gave no answer; let it think less, or name another model.")
    return ReplyUnreadable(f"No reply fitted the schema: {error}")


def describe_endpoint(endpoint: Endpoint) -> dict[str, Json]:
    """The model as a result file describes it; never the key, nor a name or password in the address."""
    address = re.sub(r"//[^/@]*@", "//", endpoint.base_url)
    return {"name": endpoint.model, "digest": endpoint.digest, "endpoint": address}
