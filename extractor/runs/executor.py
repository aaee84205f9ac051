"""What does the documents of a run, one after the other in each of its hands: this process, or others that it directs.

Whoever does it, the run alone writes: names, journal, results. An executor reads a document, has it extracted, and
gives back the bytes of its result with what was seen of the file that it came from.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from extractor.documents.discovery import Source, read_source
from extractor.errors import DocumentError
from extractor.results.file import encode_part
from extractor.runs.document import DocumentExtractor
from extractor.runs.finished import RecordSummary
from extractor.runs.source_state import SourceState, is_source_unchanged, observe_source
from extractor.types import Document


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text whose result is there already."""

    text: str
    """SHA-256."""
    seen: str | None
    """What was seen at its source, as `SourceState` has it."""

    def is_of(self, document: Document, sighting: SourceState) -> bool:
        """Whether the document is that text. Where a loader made it, other bytes may have it on other pages."""
        return document.sha256 == self.text and (not document.loader or self.seen == sighting.seen)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A document to do."""

    source: Source
    sighting: SourceState | None
    """What was seen of it; None: whoever reads it looks."""
    known: KnownText | None = None
    """Nothing is asked of a document that is that text."""


@dataclass(frozen=True, slots=True)
class WorkedDocument:
    """What became of a document. Without a result and an error, it was the text that is known."""

    sighting: SourceState
    """What was seen at its source when it was read."""
    text: str | None = None
    """SHA-256 of its text; None where it could not be read."""
    loader: str = ""
    content: bytes | None = None
    """Of its result file."""
    summary: RecordSummary | None = None
    error: DocumentError | None = None


class Executor(Protocol):
    """Does documents, in a number of hands that may change while a run is under way. Used in an `async with` block."""

    reads_here: bool
    """Whether documents are read in this process, so that what was seen of their files here holds."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def take_hand(self) -> None:
        """Waits for a hand that is free. Raises MachineError where there will be none."""

    def return_hand(self) -> None:
        """Gives a hand back that was taken."""

    async def work(self, assignment: Assignment) -> WorkedDocument:
        """Does a document, by a hand that was taken. Raises ModelFatal and MachineError, which end the run, and
        whatever an error of ours is, which costs the document."""
        ...


class LocalExecutor:
    """Does the documents in this process."""

    reads_here = True

    def __init__(self, extractor: DocumentExtractor, hands: int) -> None:
        self._extractor, self._hands = extractor, asyncio.Semaphore(hands)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to end."""

    async def take_hand(self) -> None:
        await self._hands.acquire()

    def return_hand(self) -> None:
        self._hands.release()

    async def work(self, assignment: Assignment) -> WorkedDocument:
        source, seen = assignment.source, assignment.sighting
        try:
            document, sighting = await asyncio.to_thread(read_unchanging_document, source, seen)
        except DocumentError as error:
            if seen is None:
                seen = await asyncio.to_thread(observe_source, source)
            return WorkedDocument(seen, error=error)
        return await work_on_document(self._extractor, document, sighting, assignment.known)


async def work_on_document(
    extractor: DocumentExtractor, document: Document, sighting: SourceState, known: KnownText | None
) -> WorkedDocument:
    """What becomes of a document that was read."""
    text = document.sha256
    if known is not None and known.is_of(document, sighting):
        return WorkedDocument(sighting, text, document.loader)
    try:
        done = await extractor.extract(document)
    except DocumentError as error:
        return WorkedDocument(sighting, text, document.loader, error=error)
    content = done.result if isinstance(done.result, bytes) else encode_part(done.result)
    return WorkedDocument(sighting, text, document.loader, content, done.summary)


def read_unchanging_document(source: Source, sighting: SourceState | None) -> tuple[Document, SourceState]:
    """The document, and what was seen at its source when it was read. Raises DocumentError."""
    sighting = sighting or observe_source(source)
    for _ in range(3):
        document = read_source(source)
        if is_source_unchanged(source, sighting):
            return document, sighting
        sighting = observe_source(source)
    name = source.name
    raise DocumentError(f"{name} changed while it was read; run again when nothing writes to it.", reason="changing")
