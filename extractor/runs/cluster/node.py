"""What runs on a node of a cluster, as an actor of Ray's: it reads documents and asks a model, and writes nothing.

It is lent what the run shares: leave to send, paid replies, rules of the task that are code of the user's. It puts what
it wants into a box that the run empties (`listen`), and is told the answers (`tell`), so that the run has to be reached
by nobody, and is itself the only one that calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import pickle
from collections.abc import Mapping
from typing import Any

from extractor._version import __version__
from extractor.documents.confinement.confine import hide_from_readers
from extractor.documents.discovery import STDIN
from extractor.documents.formats.answers import decode_answer
from extractor.errors import BudgetSpent, DocumentError
from extractor.models.client_options import ClientOptions
from extractor.models.limits.budget import TokenEstimate
from extractor.models.secrets import SecretMask, find_secrets
from extractor.models.session import open_session
from extractor.runs.cluster.messages import (
    NodeAssignment,
    NodeJob,
    SealedModel,
    describe_usage,
    encode_error,
    encode_unseen,
    encode_worked,
)
from extractor.runs.document import DocumentExtractor
from extractor.runs.executor import WorkedDocument, read_unchanging_document, work_on_document
from extractor.runs.source_state import SourceState, observe_source
from extractor.runs.worker_messages import DocumentJob, decode_job, decode_problems
from extractor.types import Document, Json, Problem, Usage


class NodeWorker:
    """Does documents on a node, for one run."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._share: LentShare | None = None
        self._extractor: DocumentExtractor | None = None
        self._mask = SecretMask()

    async def open(self, job: bytes, model: bytes) -> bytes:
        """Gets ready for a run: the model is reached, or an embedded one started. Says by which version."""
        try:
            await self._open_run(pickle.loads(job), pickle.loads(model))  # noqa: S301 -- the run's own process sent it
        except Exception as error:  # noqa: BLE001 -- Ray would show its frames; the run is told what it was
            return encode_error(error, self._mask.mask_text)
        assert self._extractor is not None  # noqa: S101
        told = {"version": __version__, "digest": self._extractor.session.endpoint.digest}
        return json.dumps(told).encode()

    async def _open_run(self, job: NodeJob, sealed: SealedModel) -> None:
        self._share = share = LentShare(job)
        choice, note = sealed.choice, share.say
        options = ClientOptions(concurrency=job.concurrency, use_proxy=job.use_proxy, verbose=job.verbose, note=note)
        self._open.enter_context(hide_from_readers())
        session = await asyncio.to_thread(self._open.enter_context, open_session(choice, options, share=share))
        self._mask = SecretMask(find_secrets(session.endpoint))
        whole = decode_job(*pickle.loads(job.described))  # noqa: S301 -- as above
        assert isinstance(whole, DocumentJob)  # noqa: S101 -- as above
        self._extractor = DocumentExtractor(
            whole.task,
            whole.prompt,
            session,
            whole.manifest,
            whole.reading,
            job.document_timeout,
            share.count_reply,
            checks=share.check_record if whole.checked_elsewhere else None,
        )

    async def work(self, assignment: bytes) -> bytes:
        """Does a document. Nothing is raised: what went wrong is told."""
        assert self._extractor is not None  # noqa: S101 -- it was opened
        try:
            given: NodeAssignment = pickle.loads(assignment)  # noqa: S301 -- as above
            worked = await self._work(self._extractor, given)
            return (
                encode_unseen() if worked is None else encode_worked(worked, self._extractor.session.describe_learnt())
            )
        except Exception as error:  # noqa: BLE001 -- as above
            return encode_error(error, self._mask.mask_text)

    async def _work(self, extractor: DocumentExtractor, given: NodeAssignment) -> WorkedDocument | None:
        if given.document is not None:
            sent = decode_answer(given.document)
            assert isinstance(sent, Document)  # noqa: S101 -- the run has read it
            return await work_on_document(extractor, sent, SourceState(given.seen), given.known)
        source = given.source
        if source.refused is None and (source.path == STDIN or not os.access(source.file, os.R_OK)):
            return None
        try:
            document, sighting = await asyncio.to_thread(read_unchanging_document, source, None)
        except DocumentError as error:
            return WorkedDocument(await asyncio.to_thread(observe_source, source), error=error)
        return await work_on_document(extractor, document, sighting, given.known)

    async def listen(self) -> bytes:
        """What the node wants of the run and has to say, as soon as there is something: a JSON list."""
        assert self._share is not None  # noqa: S101
        return await self._share.take_messages()

    async def tell(self, messages: bytes) -> None:
        """The run's answers."""
        assert self._share is not None  # noqa: S101
        for message in json.loads(messages):
            self._share.take_answer(message)

    async def aclose(self) -> None:
        """Ends the model, if one was started."""
        await asyncio.to_thread(self._open.close)


class LentShare:
    """What a run lends to this node, by messages to and fro."""

    def __init__(self, job: NodeJob) -> None:
        self.needs_leases, self.keeps_replies, self.place = job.needs_leases, job.keeps_replies, job.place
        self._loop = asyncio.get_running_loop()
        self._outbox: list[list[Json]] = []
        self._filled = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._numbers = itertools.count(1)

    async def take_messages(self) -> bytes:
        await self._filled.wait()
        self._filled.clear()
        told, self._outbox = self._outbox, []
        return json.dumps(told).encode()

    def take_answer(self, message: list[Any]) -> None:
        number, is_error, value = message
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting.done():
            if is_error:
                waiting.set_exception(BudgetSpent(value) if is_error == "budget" else OSError(value))
            else:
                waiting.set_result(value)

    def _put(self, *message: Json) -> None:
        self._outbox.append(list(message))
        self._filled.set()

    async def _ask(self, kind: str, *about: Json) -> Json:
        number, answer = next(self._numbers), self._loop.create_future()
        self._waiting[number] = answer
        self._put(kind, number, *about)
        return await answer

    async def take_lease(self, estimate: TokenEstimate) -> int:
        number, answer = next(self._numbers), self._loop.create_future()
        self._waiting[number] = answer
        self._put("lease", number, estimate.input_tokens, estimate.output_tokens)
        try:
            await answer
        except asyncio.CancelledError:
            self._put("settle", number, describe_usage(Usage()))  # nothing was sent
            raise
        return number

    def settle_lease(self, lease: int, took: Usage | None) -> None:
        self._put("settle", lease, describe_usage(took))

    async def find_reply(self, key: str) -> Mapping[str, Json] | None:
        found: dict[str, Json] | None = await self._ask("find", key)
        return found

    async def keep_reply(self, key: str, value: Mapping[str, Json]) -> None:
        await asyncio.shield(asyncio.ensure_future(self._ask("keep", key, dict(value))))

    async def forget_reply(self, key: str) -> None:
        await self._ask("forget", key)

    async def aclose(self) -> None:
        """The replies are the run's to close."""

    def check_record(self, value: Mapping[str, Json]) -> tuple[Problem, ...]:
        """What the rules of the task say, which are applied where the run is. Called in a thread."""
        asked = asyncio.run_coroutine_threadsafe(self._ask("check", dict(value)), self._loop)
        return decode_problems(json.dumps(asked.result()).encode())

    def count_reply(self, usage: Usage) -> None:
        self._put("usage", 0, describe_usage(usage))

    def say(self, text: str) -> None:
        """Tells the user."""
        self._loop.call_soon_threadsafe(self._put, "note", 0, text)
