"""The types that every layer shares, one frozen class for each step of a document's path.

Document -> Chunk -> Request -> Reply -> Leaf and Evidence -> Record

All positions are half-open ranges of code points in `Document.text`.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

Json = Any
"""A value made of None, bool, int, float, str, list and str-keyed dict."""

ValuePath = tuple[str | int, ...]
"""Where a value stands in a record: ("education", 0, "start")."""


def canonical_json(value: Json) -> str:
    """Compact JSON with sorted keys, the form that fingerprints are computed from."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def fingerprint_json(value: Json) -> str:
    """SHA-256 of the canonical JSON as "sha256:" and 64 hex digits; the prefix allows another algorithm later."""
    return "sha256:" + hashlib.sha256(canonical_json(value).encode()).hexdigest()


def json_pointer(path: ValuePath) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points in the document's text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"not a span: [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def shift(self, by: int) -> Span:
        return Span(self.start + by, self.end + by)

    def within(self, other: Span) -> bool:
        return other.start <= self.start and self.end <= other.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


class Locations(Protocol):
    """Maps spans of a document's text to places in the file that it was read from."""

    def locate(self, span: Span) -> list[dict[str, Json]]:
        """The places of a span in the file, in order; docs/result.schema.json describes the keys."""
        ...


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows of a table in a document's text, a line each. `header` is the first of them, where it names the columns."""

    span: Span
    header: Span | None = None


@dataclass(frozen=True, slots=True)
class UnreadPart:
    """A part of a document's file that is not in its text, though it may matter. `reason` is a code to count by."""

    part: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """One canonical text. `name` is the file's name, for people; identity is `sha256`."""

    name: str
    text: str
    hidden: tuple[Span, ...] = ()
    """Spans that a reader of the file cannot see, in order; they are not shown to a model and are no evidence."""
    tables: tuple[TextTable, ...] = ()
    """In order, none in another."""
    unread: tuple[UnreadPart, ...] = ()
    locations: Locations | None = field(default=None, compare=False)
    loader: str = ""
    """What made the text of the file, with versions; empty where the text is the file's own."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def visible_text(self, span: Span) -> str:
        """The text of the span with spaces in place of what is hidden, so that positions stay as they are."""
        return self._without_hidden(span, " ")

    def shown_text(self, span: Span) -> str:
        """The text of the span without what is hidden: what a model is shown, which pays for no blanks."""
        return self._without_hidden(span, "")

    def _without_hidden(self, span: Span, instead: str) -> str:
        seen: list[str] = []
        at = span.start
        for i in range(bisect_right(self.hidden, span.start, key=lambda h: h.end), len(self.hidden)):
            hidden = self.hidden[i]
            if hidden.start >= span.end:
                break
            start, end = max(at, hidden.start), min(span.end, hidden.end)
            seen += self.text[at:start], _VISIBLE.sub(instead, self.text[start:end])
            at = end
        return "".join((*seen, self.text[at : span.end]))


_VISIBLE = re.compile(r"[^\s]")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document that is sent to the model in one request."""

    document: Document
    index: int
    span: Span
    heading: str = ""
    """The headings that this chunk stands under, when it does not begin with them itself."""
    header: str = ""
    """The row that names the columns of the table that this chunk begins within, when it does not hold it itself."""

    @property
    def text(self) -> str:
        return self.document.visible_text(self.span)

    @property
    def shown_text(self) -> str:
        """What a model is shown of it."""
        return self.document.shown_text(self.span)


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that is sent to a model, and a label that is not.

    `schema` is the JSON Schema that the reply must fit; `grammar` is the same for an engine that takes a grammar.
    """

    model: str
    system: str
    user: str
    schema: Mapping[str, Json]
    parameters: Mapping[str, Json]
    grammar: str | None = None
    label: str = ""

    @property
    def key(self) -> str:
        return fingerprint_json(
            {
                "model": self.model,
                "system": self.system,
                "user": self.user,
                "schema": self.schema,
                "parameters": self.parameters,
                "grammar": self.grammar,
            }
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What replies cost, retries included. Token counts are None where the endpoint reports none."""

    requests: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    seconds: float | None = 0.0
    """Compute time in seconds as the server reports it, the same in a replay; None where it reports none."""
    cached: int = 0
    """Replies that were paid for by an earlier run; they count as no request and no token."""
    lost: int = 0
    """Requests among these whose reply did not arrive whole; whether they were billed is unknown."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            _add_known(self.input_tokens, other.input_tokens),
            _add_known(self.output_tokens, other.output_tokens),
            _add_known(self.seconds, other.seconds),
            self.cached + other.cached,
            self.lost + other.lost,
        )


_Number = TypeVar("_Number", int, float)


def _add_known(a: _Number | None, b: _Number | None) -> _Number | None:
    return None if a is None or b is None else a + b


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that fits the request's schema. `value` is the parsed JSON."""

    value: Json
    usage: Usage
    attempts: int = 1
    """How often the model had to be asked until the reply fitted."""


class Model(Protocol):
    """Whatever answers a request: a live endpoint, a cassette, a cache, or a function in a test."""

    async def complete(self, request: Request) -> Reply: ...


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


def find_uncovered_spans(document: Document, asked: Sequence[Span]) -> list[Span]:
    """The parts of the document that no request was about."""
    gaps, at = [], 0
    for span in sorted(asked):
        if span.start > at:
            gaps.append(Span(at, span.start))
        at = max(at, span.end)
    if at < len(document.text):
        gaps.append(Span(at, len(document.text)))
    return gaps
