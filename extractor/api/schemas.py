"""What a caller wants of a document, as the steps take it: classes, types and JSON Schemas to tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from extractor.extraction.acceptance import Acceptance
from extractor.extraction.prompt import Prompt, read_prompt
from extractor.extraction.task import Task, task_from_json_schema, task_from_model
from extractor.results.model import ResultFile
from extractor.results.result import Result
from extractor.schema.record_types import RecordType, read_record_type


@dataclass(frozen=True, slots=True)
class WantedRecord:
    """What is asked of a document, and what the answer is made into."""

    task: Task
    prompt: Prompt
    acceptance: Acceptance = field(default_factory=Acceptance)
    document_timeout: float | None = None
    """Seconds."""
    record_type: RecordType | None = None
    """None: the task says what a record is."""

    def build_result(self, file: ResultFile) -> Result[Any]:
        """The result that a caller gets, of what a run would write."""
        if self.record_type is None:
            return Result(file, self.task.model_class)
        return _TypedResult(file, self.record_type)


class _TypedResult(Result[Any]):
    """A result whose record is of a type that is no Pydantic class."""

    def __init__(self, file: ResultFile, record_type: RecordType) -> None:
        super().__init__(file, record_type.model)
        self._record_type = record_type

    @cached_property
    def record(self) -> Any:
        return self._record_type.unwrap(super().record)


def read_wanted_record(
    schema: type[Any] | Task | Mapping[str, Any],
    prompt: str | Path | None = None,
    acceptance: Acceptance | None = None,
    document_timeout: float | None = None,
) -> WantedRecord:
    """What is wanted. Raises TaskError for a schema or prompt that cannot be used."""
    record_type = None
    if isinstance(schema, Task):
        task = schema
    elif isinstance(schema, Mapping):
        task = task_from_json_schema(schema)
    else:
        record_type = read_record_type(schema)
        task = task_from_model(record_type.model)
    version = read_prompt(prompt) if isinstance(prompt, Path) else task.choose_prompt(prompt)
    return WantedRecord(task, version, acceptance or Acceptance(), document_timeout, record_type)
