"""A result for a record that came from anywhere: what `extractor ground` and the function `ground` give."""

from __future__ import annotations

from collections.abc import Mapping

from extractor._version import __version__
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.given import ground_record
from extractor.extraction.pipeline import Reading
from extractor.extraction.task import Task
from extractor.results.file import build_result
from extractor.results.model import ResultFile
from extractor.types import Document, Json


def build_grounded_result(
    document: Document, task: Task, record: Mapping[str, Json], acceptance: Acceptance
) -> ResultFile:
    """The record's values with the words that support them; no model is asked."""
    found = ground_record(document, task, record, Reading(acceptance=acceptance))
    return build_result(found, task.name, {"extractor": __version__, "model": {"name": "given"}})
