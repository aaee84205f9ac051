"""What is known of a document when it is done: its result, and the figures that a run shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from extractor.results.model import ResultFile
from extractor.results.outcome import DocumentOutcome
from extractor.types import Json, Record, Status, Usage

LONGEST_MEMBER = 80
"""Characters of a text that are kept of a member."""


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """A record in figures, and the first of what it says."""

    status: Status
    values: int
    unsupported: int
    conflicts: int
    failures: int
    message: str
    usage: Usage
    members: Mapping[str, Json]
    """Of each member of the record a plain value: of an object the first, of a list how many entries it has."""

    def to_outcome(self, name: str, file: str) -> DocumentOutcome:
        """The outcome of the document of this name, whose result is in that file."""
        return DocumentOutcome(
            name,
            file,
            self.status,
            self.values,
            self.unsupported,
            self.conflicts,
            self.failures,
            self.usage,
            self.message,
        )


@dataclass(frozen=True, slots=True)
class FinishedDocument:
    """A document's result, as an object or as the bytes of its file already, and its summary."""

    result: ResultFile | bytes
    summary: RecordSummary


def summarize_record(record: Record) -> RecordSummary:
    return _summarize(record, record.usage, record.value)


def summarize_result(result: ResultFile) -> RecordSummary:
    """The same of a result that was put together from others."""
    return _summarize(result, result.usage.to_usage(), result.record or {})


def _summarize(one: Record | ResultFile, usage: Usage, value: Mapping[str, Json]) -> RecordSummary:
    return RecordSummary(
        one.status,
        values=len(one.evidence),
        unsupported=sum(not proof.spans for proof in one.evidence.values())
        + sum(r.reason != "duplicate" for r in one.rejected),
        conflicts=len(one.conflicts),
        failures=len(one.failures),
        message=one.failures[0].message if one.failures else "",
        usage=usage,
        members=shorten_members(value),
    )


def shorten_members(record: Mapping[str, Json]) -> dict[str, Json]:
    """A plain value for each member of a record, as `RecordSummary.members` has it."""
    return {name: _shorten_member(value) for name, value in record.items()}


def _shorten_member(value: Json) -> Json:
    if isinstance(value, Mapping):
        value = next((v for v in value.values() if v is not None and not isinstance(v, dict | list)), None)
    if isinstance(value, list):
        value = len(value) or None
    return value[:LONGEST_MEMBER] if isinstance(value, str) else value
