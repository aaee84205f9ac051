"""What is asked of documents: the server's own task, and schemas of requests, each read once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from extractor.errors import TaskError, UsageError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.task import task_from_json_schema
from extractor.models.session import ModelSession
from extractor.runs.document import DocumentExtractor, build_extractor
from extractor.runs.given_apart import vet_schema
from extractor.serving.jobs import JobOrder
from extractor.types import Json, fingerprint_json

MAX_READ_SCHEMAS = 64
"""Schemas of requests that are kept as they were read."""
MAX_READING = 2
"""Schemas that are read at a time."""
T = TypeVar("T")


class TaskShelf:
    """Extractors by what is asked. A schema of a request is worked with in processes apart, whatever it costs."""

    def __init__(self, own: DocumentExtractor | None, session: ModelSession, document_timeout: float | None) -> None:
        self.own = own
        """Of the task that the server was started with."""
        self._session, self._timeout = session, document_timeout
        self._read: OrderedDict[str, DocumentExtractor] = OrderedDict()
        self._refused: OrderedDict[str, str] = OrderedDict()
        """Why schemas were refused, so that none is read again and again."""
        self._reading = asyncio.Semaphore(MAX_READING)
        self._turns: dict[str, asyncio.Lock] = {}

    @property
    def own_fingerprint(self) -> str:
        """Of the server's own task: a job is done with the one that it was sent for, or not at all."""
        return "" if self.own is None else fingerprint_json([self.own.task.name, self.own.task.schema.fingerprint])

    async def find(self, order: JobOrder) -> DocumentExtractor:
        """What does a job. Raises TaskError for a schema that cannot be used, UsageError for a task that is gone."""
        if order.schema is not None:
            extractor = await self.read_schema(order.schema, order.owner)
        elif self.own is not None and order.task == self.own_fingerprint:
            extractor = self.own
        else:
            raise UsageError("The server has another task than when the document was sent; send it again.")
        return accept_from(extractor, Acceptance(order.accept, order.only_proven))

    async def read_schema(self, schema: Mapping[str, Json], owner: str = "") -> DocumentExtractor:
        """What asks for records of this schema. Raises TaskError for one that cannot be used.

        An owner has one read at a time, so that schemas that take long hold up nobody else's.
        """
        key = fingerprint_json(schema)
        if key in self._read:
            self._read.move_to_end(key)
            return self._read[key]
        turn = self._turns.setdefault(owner, asyncio.Lock())
        async with turn, self._reading:
            if key in self._refused:
                raise TaskError(self._refused[key])
            if key not in self._read:
                try:
                    await vet_schema(schema)
                    self._read[key] = await asyncio.to_thread(self._build, schema)
                except TaskError as error:
                    _remember(self._refused, key, str(error))
                    raise
                _remember(self._read, key, self._read[key])
            return self._read[key]

    def _build(self, schema: Mapping[str, Json]) -> DocumentExtractor:
        try:
            task = task_from_json_schema(schema)
        except RecursionError as error:
            raise TaskError("The schema nests too deeply; flatten it.") from error
        extractor = build_extractor(task, task.choose_prompt(None), self._session, document_timeout=self._timeout)
        return replace(extractor, works_apart=True)


def _remember(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    while len(kept) > MAX_READ_SCHEMAS:
        kept.popitem(last=False)


def accept_from(extractor: DocumentExtractor, acceptance: Acceptance) -> DocumentExtractor:
    """The same extractor, but that values are in a record from this confidence on."""
    reading = replace(extractor.reading, acceptance=acceptance)
    return replace(extractor, reading=reading, manifest={**extractor.manifest, "reading": reading.describe()})
