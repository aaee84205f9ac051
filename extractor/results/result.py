"""The result of one document as Python has it: a record of the user's own class, and what proves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from extractor.errors import DocumentError, MachineError, RecordInvalid, UsageError
from extractor.results.evidence import EvidenceView, Proof, parse_proof
from extractor.results.file import RESULT_FORMAT, write_result
from extractor.types import Json, Status, Usage

T = TypeVar("T")


class Result(Generic[T]):
    """What is known of one document. `content` is the same as JSON, as docs/result.schema.json says."""

    def __init__(self, content: Mapping[str, Json], model: type[T] | None = None) -> None:
        self.content = content
        self._model = model

    @classmethod
    def read(cls, path: Path, model: type[T]) -> Result[T]:
        """The result in a file that a run wrote. Raises UsageError for any other file."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read as a result ({error}); give a file that a run wrote.") from error
        if not isinstance(content, dict) or content.get("format") != RESULT_FORMAT:
            raise UsageError(f"{path} is not a result; give a file that a run wrote.")
        return cls(content, model)

    @cached_property
    def record(self) -> T:
        """The record. Raises DocumentError where the document could not be read, and RecordInvalid where the class
        does not take it: it asks for what the document does not say. `value` has it as plain JSON all the same.
        """
        if self.content["record"] is None:
            error = self.content.get("error", {})
            raise DocumentError(str(error.get("message", "")), reason=str(error.get("reason", "failed")))
        if self._model is None or not issubclass(self._model, BaseModel):
            plain: T = self.content["record"]
            return plain
        try:
            return self._model.model_validate(self.content["record"])
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
    def value(self) -> dict[str, Any] | None:
        """The record as plain JSON; None where the document could not be read."""
        value: dict[str, Any] | None = self.content["record"]
        return value

    @property
    def name(self) -> str:
        return str(self.content["document"]["name"])

    @property
    def text(self) -> str:
        """The text that spans point into; empty where the document could not be read."""
        return str(self.content["document"].get("text", ""))

    @property
    def status(self) -> Status:
        return Status(self.content["status"])

    @property
    def evidence(self) -> Any:
        """The words behind each value, by its path: result.evidence.lines[0].price.quote."""
        return EvidenceView(self.value or {}, self.content.get("evidence", {}))

    @property
    def proofs(self) -> dict[str, Proof]:
        """Every proof by the JSON pointer of its value."""
        return {path: parse_proof(told) for path, told in self.content.get("evidence", {}).items()}

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What checks found: {"code", "path", "message"}."""
        return list(self.content.get("problems", ()))

    @property
    def conflicts(self) -> list[dict[str, Any]]:
        """Where the document says two things: {"path", "kept", "other"}."""
        return list(self.content.get("conflicts", ()))

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Questions that brought no answer: {"chunk", "group", "reason", "message"}."""
        return list(self.content.get("failures", ()))

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """What the model said and the record does not hold: {"path", "value", "reason", "chunk"}."""
        return list(self.content.get("rejected", ()))

    @property
    def usage(self) -> Usage:
        told = self.content.get("usage", {})
        return Usage(
            **{key: told[key] for key in ("requests", "input_tokens", "output_tokens", "seconds") if key in told}
        )

    def save(self, path: Path) -> None:
        """Writes `content` as a run writes it. Raises MachineError."""
        try:
            write_result(path, self.content)
        except OSError as error:
            raise MachineError(f"{path} cannot be written ({error.strerror}); name a file in a folder.") from error

    def __repr__(self) -> str:
        return f"<Result of {self.name}: {self.status}, {len(self.content.get('evidence', {}))} values>"

    def _repr_html_(self) -> str:
        from extractor.results.review.notebook import render_notebook

        return render_notebook(self.content)
