"""Records and schemas of strangers, worked on in a process of its own: what they cost is theirs, and bounded."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.errors import DocumentError, TaskError
from extractor.extraction.acceptance import Acceptance
from extractor.runs.apart import ApartJob, advance_apart
from extractor.runs.finished import FinishedDocument
from extractor.runs.worker_messages import GroundingJob, encode_grounding
from extractor.types import Document, Json

SCHEMA_SECONDS = 20.0
"""Seconds that reading a schema may take; 5,000 fields take 2 on a machine that has nothing else to do."""


async def ground_apart(
    document: Document,
    record: Mapping[str, Json],
    schema: Mapping[str, Json] | None,
    acceptance: Acceptance,
    seconds: float | None = None,
) -> FinishedDocument:
    """The result of a record proved by a document, as `extractor ground` gives it; `seconds` at most.

    Raises TaskError for a schema that cannot be used, DocumentError for work that does not end.
    """
    frames = encode_grounding(GroundingJob(document, record, schema, acceptance))
    job = ApartJob(document.name, frames, lambda value: (), seconds)
    step = await advance_apart(job, {}, sum(map(len, frames)))
    assert isinstance(step, FinishedDocument)  # noqa: S101 -- nothing is asked of a record that is there
    return step


async def vet_schema(schema: Mapping[str, Json]) -> None:
    """Raises TaskError for a JSON Schema that cannot be used, or that takes too long to be read.

    A record without anything is proved by a document of a word, which takes all steps that read the schema.
    """
    try:
        await ground_apart(Document("schema", "-"), {}, schema, Acceptance(), SCHEMA_SECONDS)
    except DocumentError as error:
        raise TaskError("The schema takes too long to be read; make it smaller, with fewer references.") from error
