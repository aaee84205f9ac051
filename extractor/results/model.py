"""The result file and run.json as types: what is written, what is read, and what their JSON Schema is made of.

Positions are half-open ranges of code points in `document.text`. A file that is read and written again keeps what it
had, keys of later versions included, and gains none; only its small parts (quotes, proofs, rows of lists) hold just the
keys of their class.

To extend the format: a key goes into its class here or in `parts`, with a default; docs/schema.py publishes it. A new
version goes into `ResultFormat`, and the older ones stay readable as long as they stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import ConfigDict, Field

from extractor.results.fields import Amount, Count, JsonObject, Listed, Named, StatusWord, Text
from extractor.results.parts import (
    ConflictEntry,
    FailureEntry,
    FilePart,
    ProblemEntry,
    Proof,
    RejectedEntry,
    SkippedEntry,
    TextRange,
    UnreadEntry,
    listed_key,
    optional_key,
)
from extractor.types import Json, Status, Usage

ResultFormat = Literal["extractor.result/1"]
RunFormat = Literal["extractor.run/1"]
RESULT_FORMATS: tuple[str, ...] = get_args(ResultFormat)
"""Every format that is read."""
RESULT_FORMAT: ResultFormat = "extractor.result/1"
"""The one that is written."""
RUN_FORMAT: RunFormat = "extractor.run/1"
RUN_FILE = "run.json"


class DocumentEntry(FilePart):
    """The document that was read, and its text."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Text = Field(description="the file's name")
    sha256: Text = Field(
        default="", description="of the text in UTF-8", json_schema_extra={"pattern": "^[0-9a-f]{64}$"}
    )
    characters: Count = Field(default=0, description="code points of the text")
    loader: Text = optional_key("what made the text of a file that is not text itself, with versions")
    hidden: Listed[TextRange] = optional_key(
        "what a reader of the file cannot see: neither shown to the model nor evidence", ()
    )
    doubtful: Listed[TextRange] = optional_key(
        "what a reader of the file may not see, or only if he asks for it: shown to the model, which is a finding", ()
    )
    unread: Listed[UnreadEntry] = optional_key(
        "parts of the file that are not in the text, such as pages without a text layer", ()
    )
    notes: Listed[Text] = optional_key("how the file was read, such as an encoding that was guessed", ())
    text: Text = Field(default="", description="the canonical text that spans point into")


class ReadError(FilePart):
    """Why a document was not read. `reason` can be counted."""

    reason: Text = "failed"
    message: Text = ""


class AskedAgain(FilePart):
    """Of the values that a first model said, how many a second one was asked about."""

    values: Count = 0
    asked: Count = 0


class Coverage(FilePart):
    """How much of the document was asked about, in characters and as ranges."""

    characters: Count = 0
    asked: Count = Field(default=0, description="characters that an answered question was about")
    spans: Listed[TextRange] = listed_key()
    unasked: Listed[TextRange] = listed_key()
    skipped: Listed[SkippedEntry] = listed_key(
        "fields that a chunk was not asked for, since nothing in it announces them; "
        '"a.b": values of the list b of rows of a that it holds more of than one chunk is asked about',
    )
    asked_again: AskedAgain | None = optional_key("where a second model was asked what a first one left in doubt", None)


class GroupUsage(FilePart):
    """What replies took, retries included; null is unknown, not nothing."""

    requests: Count = 0
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    seconds: Amount | None = Field(default=None, description="as the server reports them")
    cached: Count = optional_key("replies that an earlier run paid for", 0)
    lost: Count = optional_key("requests that may be billed though no whole reply came", 0)
    cached_input_tokens: Count | None = optional_key("what cached replies took when they were paid for", None)
    cached_output_tokens: Count | None = optional_key(None, None)
    cached_seconds: Amount | None = optional_key(None, None)

    def to_usage(self) -> Usage:
        first = (
            (self.cached_input_tokens, self.cached_output_tokens, self.cached_seconds) if self.cached else (0, 0, 0.0)
        )
        return Usage(self.requests, self.input_tokens, self.output_tokens, self.seconds, self.cached, self.lost, *first)


class UsageEntry(GroupUsage):
    """What the replies of a document took."""

    groups: Named[GroupUsage] = Field(
        default={}, description="the same by field group, in the order in which they were asked"
    )


class ModelEntry(FilePart):
    """The model. `digest` is that of the weights, where they are known."""

    name: Text = ""
    digest: Text | None = Field(default=None, description="SHA-256 of the weights, where they are known")
    endpoint: Text = optional_key("the address, where it is not an embedded engine's")
    engine: JsonObject = optional_key(
        "name, build and CPU features of what an embedded model ran in, where that was not xllamacpp", {}
    )


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
    reading: JsonObject = optional_key(
        "how replies were read: the model's class and traits, what was accepted, and the fingerprint of the weights", {}
    )
    learnt: JsonObject = optional_key(
        "what was learnt of the endpoint by the time of writing: the dialect that it answers in, and parameters that "
        "were renamed, left out or bounded since it refuses them; no part of what makes two runs ask the same",
        {},
    )

    members: Listed[JsonObject] = optional_key(
        "of a result that several models answered: the manifest of each, in their order", ()
    )

    @property
    def asked(self) -> dict[str, Json]:
        """What was known before anything was asked."""
        return {name: one for name, one in self.to_content().items() if name != "learnt"}


class ReviewEntry(FilePart):
    """What people decided about a record. `decided` says of each value, by JSON pointer, what they made of it."""

    finished: bool = Field(default=False, description="whether somebody went through all of the document")
    who: Listed[Text] = listed_key()
    decided: Named[Text] = Field(default={}, description="accepted, corrected, added or restored")
    lost: Listed[Text] = optional_key("decisions about an earlier result that do not hold for this one, and why", ())


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
    error: ReadError | None = optional_key("only of a failed document: why it was not read", None)
    evidence: Named[Proof] = Field(
        default={},
        description="for every non-null plain value of the record, by JSON pointer, the words that support it",
        json_schema_extra={"propertyNames": {"pattern": "^(/([^~/]|~0|~1)*)+$"}},
    )
    conflicts: Listed[ConflictEntry] = listed_key()
    rejected: Listed[RejectedEntry] = listed_key("what the model said and the record does not hold, with the reason")
    failures: Listed[FailureEntry] = listed_key("questions that brought no answer")
    problems: Listed[ProblemEntry] = listed_key("what checks found, codes to be counted")
    coverage: Coverage = Field(default_factory=lambda: Coverage())
    review: ReviewEntry | None = optional_key("only of a reviewed result: what people decided about it", None)
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
    documents: Listed[DocumentRow] = listed_key()
    counts: Named[Count] = Field(default={})
    usage: GroupUsage = Field(default_factory=GroupUsage)

    @property
    def names(self) -> Mapping[str, str]:
        """File of each result -> name of its document, the first where a file is listed twice."""
        found: dict[str, str] = {}
        for row in self.documents:
            if row.file:
                found.setdefault(row.file, row.name)
        return found
