"""The result of one document as Python has it: a record of the user's own class, and what proves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from extractor.errors import DocumentError, MachineError, RecordInvalid, ResultUnreadable, UsageError
from extractor.results.decisions.reviewed import open_reviewed_folder
from extractor.results.evidence import EvidenceView
from extractor.results.file import write_result
from extractor.results.frame import build_frame, build_frame_rows
from extractor.results.model import RUN_FILE, ResultFile
from extractor.results.parts import ConflictEntry, FailureEntry, ProblemEntry, Proof, RejectedEntry
from extractor.results.reading import convert_result, read_result_file, read_run_file
from extractor.types import Json, Status, Usage

T = TypeVar("T")


class Result(Generic[T]):
    """What is known of one document: a record, the words that prove it, and what a person should look at.

    `file` has all of it as a result file has it, frozen and typed, and `content` the same as plain JSON.

    A result is a Pydantic type: `TypeAdapter(Result[Order])`, a field of a model, or a FastAPI response, whose JSON is
    the content of the result file.
    """

    def __init__(self, file: ResultFile, model: type[T] | None = None) -> None:
        self.file = file
        self._model = model

    @classmethod
    def read(cls, path: Path, model: type[T], *, reviewed: bool = False) -> Result[T]:
        """The result in a file that a run wrote; `reviewed` with what people decided about it in `extractor review`.

        Parts of it that are not as the format has them are left out. Raises UsageError for any other file.
        """
        try:
            file = read_result_file(path).file
            return cls(_read_reviewed(path, file) if reviewed else file, model)
        except ResultUnreadable as error:
            raise UsageError(f"{path} {error.why}; give a file that a run wrote.") from error

    @cached_property
    def content(self) -> Mapping[str, Json]:
        """The result file's content as plain JSON, as docs/result.schema.json has it."""
        return self.file.to_content()

    @cached_property
    def record(self) -> T:
        """The record. Raises DocumentError where the document could not be read, and RecordInvalid where the class
        does not take it: it asks for what the document does not say. `value` has it as plain JSON all the same.
        """
        if self.file.record is None:
            error = self.file.error
            raise DocumentError(error.message if error else "", reason=error.reason if error else "failed")
        if self._model is None or not issubclass(self._model, BaseModel):
            plain: Any = self.file.record
            return plain  # type: ignore[no-any-return]
        try:
            return self._model.model_validate(self.file.record)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, p['loc']))}: {p['msg']}"
                for p in error.errors(include_input=False, include_url=False, include_context=False)[:5]
            )
            raise RecordInvalid(
                f"The record of {self.name} is no {self._model.__name__} ({problems}); "
                "let the class take None there, or use result.value."
            ) from None

    @property
    def value(self) -> Mapping[str, Any] | None:
        """The record as plain JSON; None where the document could not be read."""
        return self.file.record

    @property
    def name(self) -> str:
        """The document's name."""
        return self.file.document.name

    @property
    def text(self) -> str:
        """The text that spans point into; empty where the document could not be read."""
        return self.file.document.text

    @property
    def status(self) -> Status:
        return self.file.status

    @property
    def evidence(self) -> Any:
        """The words behind each value, by its path: result.evidence.lines[0].price.quote."""
        return EvidenceView(self.value or {}, self.file.evidence)

    @property
    def proofs(self) -> Mapping[str, Proof]:
        """Every proof by the JSON pointer of its value."""
        return self.file.evidence

    @property
    def problems(self) -> Sequence[ProblemEntry]:
        """What checks found: `code`, `path` (a JSON pointer) and `message` of each."""
        return self.file.problems

    @property
    def conflicts(self) -> Sequence[ConflictEntry]:
        """Where the document says two things: `path`, and `kept` and `other` with `value` and `evidence`."""
        return self.file.conflicts

    @property
    def failures(self) -> Sequence[FailureEntry]:
        """Questions that brought no answer: `chunk` (a range of the text), `group`, `reason` and `message`."""
        return self.file.failures

    @property
    def rejected(self) -> Sequence[RejectedEntry]:
        """What the model said and the record does not hold: `path`, `value`, `reason` and `chunk`."""
        return self.file.rejected

    @property
    def usage(self) -> Usage:
        """What the replies took."""
        return self.file.usage.to_usage()

    def to_frame(self) -> Any:
        """A table with a row for each value, as pandas or polars has it, whichever is installed (pandas first).

        Columns: `path` (a JSON pointer), `value`, `match`, `quote`, `start`, `end` (code points of `text`), `page`
        (None where the file has no pages), `said` and `confidence`. Values of several types stand as they are; a column
        of polars that has several types is text. Raises UsageError where neither library is installed.
        """
        return build_frame(build_frame_rows(self.file))

    def save(self, path: Path) -> None:
        """Writes the result file as a run writes it. Raises MachineError."""
        try:
            write_result(path, self.file)
        except OSError as error:
            raise MachineError(f"{path} cannot be written ({error.strerror}); name a file in a folder.") from error

    def __repr__(self) -> str:
        return f"<Result of {self.name}: {self.status}, {len(self.file.evidence)} values>"

    def _repr_html_(self) -> str:
        from extractor.results.review.notebook import render_notebook

        return render_notebook(self.file)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (model,) = get_args(source) or (None,)

        def convert(value: Any) -> Result[Any]:
            if isinstance(value, Result):
                return value
            try:
                return cls(convert_result(value).file, model if isinstance(model, type) else None)
            except ResultUnreadable as error:
                raise ValueError(str(error)) from error

        return core_schema.no_info_plain_validator_function(
            convert,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda result: dict(result.content)),
            json_schema_input_schema=handler.generate_schema(ResultFile),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(ResultFile.__pydantic_core_schema__)


def _read_reviewed(path: Path, file: ResultFile) -> ResultFile:
    try:
        run = read_run_file(path.parent / RUN_FILE).file
    except ResultUnreadable:
        run = None
    return open_reviewed_folder(path.parent, run).review_result(path.name, file)


def results_to_frame(results: Iterable[Result[Any]]) -> Any:
    """As `Result.to_frame`, of many results, with the name of each value's document as the first column."""
    return build_frame([{"document": r.name, **row} for r in results for row in build_frame_rows(r.file)], "document")
