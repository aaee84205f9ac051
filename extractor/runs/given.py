"""A result for a record that came from anywhere: what `extractor ground` and the function `ground` give."""

from __future__ import annotations

from collections.abc import Mapping

from extractor._version import __version__
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.given import ground_record
from extractor.extraction.pipeline import Reading
from extractor.extraction.task import Task, task_from_json_schema
from extractor.results.file import build_result
from extractor.results.model import ResultFile
from extractor.schema.infer import draft_schema
from extractor.types import Document, Json, Record

GIVEN_MANIFEST: Mapping[str, Json] = {"extractor": __version__, "model": {"name": "given"}}
"""What made a result that no model was asked for."""


def build_grounded_result(
    document: Document, task: Task, record: Mapping[str, Json], acceptance: Acceptance
) -> ResultFile:
    """The record's values with the words that support them; no model is asked."""
    return build_result(
        ground_record(document, task, record, Reading(acceptance=acceptance)), task.name, GIVEN_MANIFEST
    )


def ground_any_record(
    document: Document, record: Mapping[str, Json], schema: Mapping[str, Json] | None, acceptance: Acceptance
) -> tuple[Record, Task]:
    """The record proved by the document, and the task that the JSON Schema, or the record's own shape, makes.

    Raises TaskError for a schema that cannot be used.
    """
    task = task_from_json_schema(draft_schema([dict(record)], "record") if schema is None else schema)
    return ground_record(document, task, record, Reading(acceptance=acceptance)), task
