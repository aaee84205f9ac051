"""`ground`: anybody's JSON, proved against its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extractor.api.schemas import read_wanted_record
from extractor.api.sources import DocumentSource, load_input_document
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.task import Task
from extractor.results.result import Result
from extractor.runs.given import build_grounded_result
from extractor.schema.infer import draft_schema
from extractor.types import Json


def ground(
    source: DocumentSource,
    record: Mapping[str, Json],
    schema: type[Any] | Task | Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    accept: float = 0.0,
    only_proven: bool = False,
) -> Result[Any]:
    """The words of a document that support each value of a record, whoever made it, and how likely each is right.

    source: a text, the Path of a file, the bytes of one, a file that is open for reading, or a Document.
    record: the JSON object to be proved, as a dict.
    schema: what a record is, as `extract` takes it; its descriptions help to tell one mention from another. Without
        one, the record's own shape is taken.
    name: what the document is called in the result.
    accept: the confidence from which on a value stays in the record; 0 leaves all of them there.
    only_proven: no value stays that has no words of its own.

    No model is asked. A value that the schema has no place for is in `result.rejected`.

    Raises DocumentError (cannot be read), TaskError (schema), UsageError (a threshold outside 0 to 1).
    """
    wanted = read_wanted_record(draft_schema([dict(record)], "record") if schema is None else schema)
    document = load_input_document(source, name)
    return wanted.build_result(build_grounded_result(document, wanted.task, record, Acceptance(accept, only_proven)))
