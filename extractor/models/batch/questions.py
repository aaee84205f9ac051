"""Questions as a batch has them: the body that would be sent live, and what was said of them already."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from extractor.errors import ModelError
from extractor.models.cached_model import CachedModel, compute_reply_key, name_given_reply
from extractor.models.endpoint import Dialect
from extractor.models.limits.budget import TokenEstimate
from extractor.models.openai.chat import build_request_body
from extractor.models.openai.client import LiveModel
from extractor.models.openai.forms import FormFinder, Question
from extractor.models.openai.reply import FittedReply
from extractor.models.openai.sending import RequestSender, estimate_tokens
from extractor.models.session import BatchParts
from extractor.types import Json, Request


class NotAskedYet(ModelError):
    """Nothing was said of a request so far. `begun`: something was, and it has to be asked again."""

    reason = "not asked yet"

    def __init__(self, *, begun: bool = False) -> None:
        super().__init__("Not asked yet.")
        self.begun = begun


class _NoSender:
    """Sends nothing."""

    async def send(self, arguments: object, tally: object, *, tries_of_form: object = None) -> Any:
        raise NotAskedYet

    async def aclose(self) -> None:
        pass


class _OfflineModel(LiveModel):
    """Reads completions that came with a batch, and asks nothing."""

    def __init__(self, parts: BatchParts) -> None:
        super().__init__(parts.endpoint, learnt=parts.learnt)
        self._real_sender, self._sender = self._sender, cast(RequestSender, _NoSender())

    async def aclose(self) -> None:
        await self._real_sender.aclose()

    async def complete_given(self, request: Request, completion: bytes) -> Any:
        try:
            return await super().complete_given(request, completion)
        except NotAskedYet:
            raise NotAskedYet(begun=True) from None

    def _count_refusal(self, error: ModelError) -> ModelError:
        return error  # it is for the run to end where one reply after the other is of no use

    async def _ask_for_misfits(self, question: Question, dialect: Dialect, said: FittedReply) -> FittedReply:
        raise NotAskedYet(begun=True)


@contextlib.asynccontextmanager
async def open_kept_model(parts: BatchParts) -> AsyncIterator[CachedModel]:
    """A model that has what was said before, and raises NotAskedYet for the rest."""
    offline = _OfflineModel(parts)
    kept = CachedModel(offline, parts.cache, parts.identity, parts.note, keeps_refused=True)
    try:
        yield kept
    finally:
        await offline.aclose()
        await kept.aclose()


class BatchQuestions:
    """How the questions of a session look in a batch."""

    def __init__(self, parts: BatchParts) -> None:
        self._parts = parts
        self._forms = FormFinder(parts.endpoint, parts.learnt)

    def name(self, request: Request) -> str:
        """The custom_id of a request: what its reply is kept under."""
        return compute_reply_key(request, self._parts.identity)

    def build_body(self, request: Request) -> dict[str, Json]:
        """What would be sent live, as far as it is known how the endpoint wants it."""
        question = Question(request, 0)
        dialect = self._forms.choose_dialect(question) or Dialect.SCHEMA
        return build_request_body(self._forms.build_chat(question, dialect).arguments)

    def estimate(self, body: Mapping[str, Any]) -> TokenEstimate:
        """The most tokens that it may take."""
        return estimate_tokens(body)

    @property
    def is_form_known(self) -> bool:
        """Whether the endpoint has answered, or was told how it is asked."""
        return self._parts.learnt.is_fixed or self._parts.learnt.proven is not None

    def keep(self, completions: Mapping[str, Json]) -> None:
        """Keeps completions by their custom_ids, for the run to read. What has been read already is left out.

        They are kept as texts: what a stranger has written is for who reads it as a reply, NaN and halves of characters
        included, and not for the cache to refuse.
        """
        new = {key: json.dumps(one) for key, one in completions.items() if not self._parts.cache.holds(key)}
        self._parts.cache.set_all({name_given_reply(key): {"value": text} for key, text in new.items()})
