"""The result file and run.json as types: what is written, what is read, and what their JSON Schema is made of.

Positions are half-open ranges of code points in `document.text`. A file that is read and written again keeps what it
had, keys of later versions included, and gains none; only its small parts (quotes, proofs, rows of lists) hold just the
keys of their class.

To extend the format: a key goes into its class here, with a default; docs/schema.py publishes it. A new version goes
into `ResultFormat`, last, and the older ones stay readable as long as they stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import not_
from typing import Any, Literal, TypeVar, dataclass_transform, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass
from pydantic.json_schema import SkipJsonSchema

from extractor.results.fields import (
    Amount,
    Count,
    JsonObject,
    Listed,
    MatchWord,
    Named,
    Number,
    Ordinal,
    Share,
    StatusWord,
    Text,
)
from extractor.types import Json, Match, Status, Usage

ResultFormat = Literal["extractor.result/1"]
RunFormat = Literal["extractor.run/1"]
RESULT_FORMATS: tuple[str, ...] = get_args(ResultFormat)
"""Every format that is read."""
RESULT_FORMAT: ResultFormat = "extractor.result/1"
"""The one that is written."""
RUN_FORMAT: RunFormat = "extractor.run/1"
RUN_FILE = "run.json"
T = TypeVar("T")


def _optional(description: str | None = None, default: Any = "", **published: Json) -> Any:
    """A key that is written only where it says something; `published` is what else its JSON Schema says."""
    return Field(default, description=description, exclude_if=not_, json_schema_extra=published or None)


def _listed(description: str | None = None) -> Any:
    """A list that is empty where a file does not tell it."""
    return Field(default_factory=list, description=description)


class FilePart(BaseModel):
    """An object of a file: frozen, and with the keys that a later version may have added."""

    model_config = ConfigDict(
        frozen=True, extra="allow", defer_build=True, validate_by_name=True, validate_by_alias=True
    )

    def to_content(self) -> dict[str, Json]:
        """The object as JSON has it, with the keys that were set."""
        return self.model_dump(exclude_unset=True, by_alias=True)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def _small_part(**published: Json) -> Callable[[type[T]], type[T]]:
    """A part that a file has hundreds of: a frozen object with slots, which takes a fifth of a model to keep.

    It holds the keys of its class and no others, and writes all of them but the optional ones.
    """
    config = ConfigDict(defer_build=True, json_schema_extra=published or None)
    made: Any = dataclass(frozen=True, slots=True, config=config)
    return made  # type: ignore[no-any-return]


@_small_part()
class TextRange:
    """A range of the document's text; an empty one where a file does not tell it."""

    start: Count = 0
    end: Count = 0


@_small_part(minProperties=1)
class Place:
    """Where words stand in the file that the text was read from. Numbers count from 1."""

    attachment: Text = _optional(
        "name of the attachment of an e-mail that the rest of the place is in; in an attached e-mail, both names with "
        "/ between",
        minLength=1,
    )
    page: Ordinal | None = _optional(None, None)
    box: Listed[Number] = _optional(
        "left, top, right, bottom in points (1/72 inch) from the upper left corner of the page as it is shown",
        (),
        minItems=4,
        maxItems=4,
    )
    source: TextRange | None = _optional("the range of the file's decoded text, in code points", None)
    paragraph: Ordinal | None = _optional("of the body, those in tables not counted", None)
    table: Ordinal | None = _optional(None, None)
    row: Ordinal | None = _optional(None, None)
    column: Ordinal | None = _optional(None, None)
    sheet: Text = _optional()
    cell: Text = _optional(pattern="^[A-Z]+[0-9]+$")
    part: Text = _optional("what is not the body: header, footer, footnotes, endnotes, comments, text box")
    header: Text = _optional("which header line of an e-mail")
    body: Ordinal | None = _optional("the body of an e-mail", None)
    line: Ordinal | None = _optional("of a file with a document a line", None)


@_small_part()
class Quote:
    """Words of the document: text[start:end]."""

    start: Count
    end: Count = Field(json_schema_extra={"minimum": 1})
    quote: Text = Field(description="document.text[start:end]", json_schema_extra={"minLength": 1})
    places: Listed[Place] = _optional(
        "where the words stand in the file, in order, for files that are not plain text", (), minItems=1
    )


def place_contents(quote: Quote) -> list[dict[str, Json]]:
    """The places of a quote as JSON has them."""
    contents: list[dict[str, Json]] = _PLACES.dump_python(quote.places)
    return contents


_PLACES: TypeAdapter[Sequence[Place]] = TypeAdapter(Listed[Place], config=ConfigDict(defer_build=True))


@_small_part()
class Proof:
    """What supports one value."""

    match: MatchWord = Field(
        default=Match.NONE,
        description="how strictly the words say it; none: nothing in the document supports the value, and spans is "
        "empty",
    )
    spans: Listed[Quote] = _listed()
    said: Text = Field(default="", description="what the model said, before code normalised it")
    confidence: Share | None = Field(default=None, description="null where it is not known")
    findings: SkipJsonSchema[Listed[Text]] = _optional("names of what was found of the value; not written yet", ())

    def __bool__(self) -> bool:
        """False where nothing supports the value, which is also so of a value that is null."""
        return bool(self.spans)

    @property
    def quote(self) -> str:
        """The first words that support the value; empty where none do."""
        return self.spans[0].quote if self.spans else ""


@_small_part()
class ProvedValue:
    """A value and the words that support it."""

    value: Json = None
    evidence: Proof = Field(default_factory=Proof)


@_small_part()
class ConflictEntry:
    """The document says two things: the value that the record keeps, and the other. `path` is a JSON pointer."""

    path: Text = ""
    kept: ProvedValue = Field(default_factory=ProvedValue)
    other: ProvedValue = Field(default_factory=ProvedValue)


@_small_part()
class RejectedEntry:
    """What the model said of the words in `chunk` and the record does not hold. `path` is a JSON pointer."""

    path: Text = ""
    value: Json = None
    reason: Text = ""
    chunk: TextRange = Field(default_factory=TextRange)
    evidence: SkipJsonSchema[Proof | None] = _optional("what supports it; not written yet", None)
    findings: SkipJsonSchema[Listed[Text]] = _optional("names of what was found of the value; not written yet", ())


@_small_part()
class FailureEntry:
    """A question that brought no answer: about which words, and for which field group."""

    chunk: TextRange = Field(default_factory=TextRange)
    group: Text = ""
    reason: Text = ""
    message: Text = ""


@_small_part()
class ProblemEntry:
    """What a check found. `code` can be counted, `path` is a JSON pointer."""

    code: Text = ""
    path: Text = ""
    message: Text = ""


@_small_part()
class UnreadEntry:
    """A part of the file that is not in the text. `reason` can be counted."""

    part: Text = ""
    reason: Text = ""
    message: Text = ""


class DocumentEntry(FilePart):
    """The document that was read, and its text."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Text = Field(description="the file's name")
    sha256: Text = Field(
        default="", description="of the text in UTF-8", json_schema_extra={"pattern": "^[0-9a-f]{64}$"}
    )
    characters: Count = Field(default=0, description="code points of the text")
    loader: Text = _optional("what made the text of a file that is not text itself, with versions")
    hidden: Listed[TextRange] = _optional(
        "what a reader of the file cannot see: neither shown to the model nor evidence", ()
    )
    unread: Listed[UnreadEntry] = _optional(
        "parts of the file that are not in the text, such as pages without a text layer", ()
    )
    text: Text = Field(default="", description="the canonical text that spans point into")


class ReadError(FilePart):
    """Why a document was not read. `reason` can be counted."""

    reason: Text = "failed"
    message: Text = ""


@_small_part()
class SkippedEntry:
    """Fields that a chunk was not asked for."""

    chunk: TextRange = Field(default_factory=TextRange)
    fields: Listed[Text] = _listed()


class Coverage(FilePart):
    """How much of the document was asked about, in characters and as ranges."""

    characters: Count = 0
    asked: Count = Field(default=0, description="characters that an answered question was about")
    spans: Listed[TextRange] = _listed()
    unasked: Listed[TextRange] = _listed()
    skipped: Listed[SkippedEntry] = _listed(
        "fields that a chunk was not asked for, since nothing in it announces them; "
        '"a.b": values of the list b of rows of a that it holds more of than one chunk is asked about',
    )


class GroupUsage(FilePart):
    """What replies took, retries included; null is unknown, not nothing."""

    requests: Count = 0
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    seconds: Amount | None = Field(default=None, description="as the server reports them")
    cached: Count = _optional("replies that an earlier run paid for", 0)
    lost: Count = _optional("requests that may be billed though no whole reply came", 0)

    def to_usage(self) -> Usage:
        return Usage(self.requests, self.input_tokens, self.output_tokens, self.seconds, self.cached, self.lost)


class UsageEntry(GroupUsage):
    """What the replies of a document took."""

    groups: Named[GroupUsage] = Field(
        default={}, description="the same by field group, in the order in which they were asked"
    )


class ModelEntry(FilePart):
    """The model. `digest` is that of the weights, where they are known."""

    name: Text = ""
    digest: Text | None = Field(default=None, description="SHA-256 of the weights, where they are known")
    endpoint: Text = _optional("the address, where it is not an embedded engine's")


class PromptEntry(FilePart):
    name: Text = ""
    fingerprint: Text = ""


class SchemaEntry(FilePart):
    fingerprint: Text = ""


class Manifest(FilePart):
    """What made a result: the same for all results of a run."""

    extractor: Text = Field(default="", description="version")
    model: ModelEntry = Field(default_factory=ModelEntry)
    prompt: PromptEntry = Field(default_factory=PromptEntry)
    record_schema: SchemaEntry = Field(default_factory=SchemaEntry, alias="schema")
    parameters: JsonObject = Field(default={}, description="as they were sent to the model")
    versions: Named[Text] = Field(default={}, description="of the libraries that talk to the model")


class ResultFile(FilePart):
    """What `extractor run` writes for each document."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["format", "document", "task", "status", "record", "manifest"]}
    )

    format: ResultFormat
    document: DocumentEntry
    task: Text = ""
    status: StatusWord = Field(
        default=Status.INCOMPLETE,
        description="complete: all asked, answered and unopposed; suspect: a check or a conflict wants a person to "
        "look; incomplete: a question brought no answer; failed: the document was not read, record is null",
    )
    record: JsonObject | None = Field(default=None, description="the record, as the task's schema has it")
    error: ReadError | None = _optional("only of a failed document: why it was not read", None)
    evidence: Named[Proof] = Field(
        default={},
        description="for every non-null plain value of the record, by JSON pointer, the words that support it",
        json_schema_extra={"propertyNames": {"pattern": "^(/([^~/]|~0|~1)*)+$"}},
    )
    conflicts: Listed[ConflictEntry] = _listed()
    rejected: Listed[RejectedEntry] = _listed("what the model said and the record does not hold, with the reason")
    failures: Listed[FailureEntry] = _listed("questions that brought no answer")
    problems: Listed[ProblemEntry] = _listed("what checks found, codes to be counted")
    coverage: Coverage = Field(default_factory=lambda: Coverage())
    usage: UsageEntry = Field(default_factory=UsageEntry, description="retries included; null is unknown, not nothing")
    manifest: Manifest = Field(default_factory=Manifest, description="what made the result")


class DocumentRow(FilePart):
    """A document of a run: its name, its result's file, and how it ended."""

    name: Text = ""
    file: Text = ""
    status: StatusWord = Status.INCOMPLETE


class RunFile(FilePart):
    """run.json: what a run was, and every document of it in order."""

    format: RunFormat
    task: Text = ""
    manifest: Manifest = Field(default_factory=Manifest)
    record_schema: JsonObject | None = Field(default=None, alias="schema")
    documents: Listed[DocumentRow] = _listed()
    counts: Named[Count] = {}
    usage: GroupUsage = Field(default_factory=GroupUsage)

    @property
    def names(self) -> Mapping[str, str]:
        """File of each result -> name of its document, the first where a file is listed twice."""
        found: dict[str, str] = {}
        for row in self.documents:
            if row.file:
                found.setdefault(row.file, row.name)
        return found
