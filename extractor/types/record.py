"""What a document's replies come to: values beside their evidence, and all that is wrong or missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from extractor.types.exchange import Usage
from extractor.types.span import Span
from extractor.types.text import Document, Json, ValuePath


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that brought no reply, which is not the same as an empty reply."""

    chunk: Span
    group: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class SkippedFields:
    """Fields that a chunk was not asked for, since none of their keywords occurs in it.

    "a.b" is the list b of the rows of a, where a text holds more candidates for its rows than are asked about.
    """

    chunk: Span
    fields: tuple[str, ...]


class Match(StrEnum):
    """How strictly a value was found in the words it was traced to."""

    EXACT = "exact"
    NORMALISED = "normalised"
    """The same but for case, white space, quotation marks, dashes or markup."""
    FUZZY = "fuzzy"
    DERIVED = "derived"
    """Computed from the quoted words by a rule of its kind, such as a year from a tag."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that support one leaf. No spans if and only if the match is NONE."""

    match: Match
    spans: tuple[Span, ...] = ()
    model_value: str = ""
    """The model's value, before code normalised it."""
    confidence: float | None = None
    """How likely the value is right, 0 to 1; None only until it has been judged."""
    findings: tuple[str, ...] = ()
    """What code noticed about it, by the names of `extraction.grounding.findings`."""
    said_by: tuple[str, ...] = ()
    """Of several models that were asked, those that said it."""

    def __post_init__(self) -> None:
        if bool(self.spans) == (self.match is Match.NONE):
            raise ValueError("evidence has spans exactly when it has a match")


@dataclass(frozen=True, slots=True)
class GroundedValue:
    """One value of a record and the evidence for it."""

    value: Json
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class GroundedList:
    """A list as the model said it, each entry grounded; no entry is missing."""

    items: tuple[GroundedNode, ...] = ()


@dataclass(frozen=True, slots=True)
class GroundedObject:
    """An object as the model said it. A field that said nothing is not in it."""

    fields: Mapping[str, GroundedNode] = field(default_factory=dict)


GroundedNode = GroundedValue | GroundedList | GroundedObject
"""A reply's shape with each leaf beside its evidence: what merging, acceptance and scoring walk."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two chunks disagree: what was kept, and what was not."""

    path: ValuePath
    kept: GroundedValue
    other: GroundedValue


@dataclass(frozen=True, slots=True)
class RejectedValue:
    """A value of the model's that is not in the record, with the reason.

    `path` is its place in the model's reply, whose rows are counted in the order of the reply.
    """

    path: ValuePath
    value: Json
    reason: str
    chunk: Span
    evidence: Evidence | None = None


class Status(StrEnum):
    COMPLETE = "complete"
    SUSPECT = "suspect"
    """Everything was asked and answered, but a check found something that a person should look at."""
    INCOMPLETE = "incomplete"
    """Some of the document was not read or some question not answered."""
    FAILED = "failed"
    """The document itself could not be read; there is no record."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding of a check. `code` is a word to count by."""

    code: str
    path: ValuePath
    message: str


@dataclass(frozen=True, slots=True)
class Record:
    """The merged result of one document."""

    document: Document
    value: Mapping[str, Json]
    evidence: Mapping[ValuePath, Evidence]
    conflicts: tuple[Conflict, ...] = ()
    rejected: tuple[RejectedValue, ...] = ()
    failures: tuple[Failure, ...] = ()
    problems: tuple[Problem, ...] = ()
    answered_spans: tuple[Span, ...] = ()
    skipped: tuple[SkippedFields, ...] = ()
    usage: Usage = field(default_factory=Usage)
    usage_by_group: Mapping[str, Usage] = field(default_factory=dict)
    """The usage again, by field group."""

    @property
    def status(self) -> Status:
        if self.failures or self.document.unread:
            return Status.INCOMPLETE
        return Status.SUSPECT if self.problems or self.conflicts else Status.COMPLETE
