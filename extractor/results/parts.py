"""The parts of a result file: keys as they are declared, and the small objects that a file has hundreds of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import not_
from typing import Any, TypeVar, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from extractor.results.fields import Count, Listed, MatchWord, Number, Ordinal, Share, Text
from extractor.types import Json, Match

T = TypeVar("T")


def optional_key(description: str | None = None, default: Any = "", **published: Json) -> Any:
    """A key that is written only where it says something; `published` is what else its JSON Schema says."""
    return Field(default, description=description, exclude_if=not_, json_schema_extra=published or None)


def listed_key(description: str | None = None) -> Any:
    """A list that is empty where a file does not tell it."""
    return Field(default_factory=list, description=description)


def _is_none(value: object) -> bool:
    return value is None


class FilePart(BaseModel):
    """An object of a file: frozen, and with the keys that a later version may have added."""

    model_config = ConfigDict(
        frozen=True, extra="allow", defer_build=True, validate_by_name=True, validate_by_alias=True
    )

    def to_content(self) -> dict[str, Json]:
        """The object as JSON has it, with the keys that were set."""
        return self.model_dump(exclude_unset=True, by_alias=True)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def small_part(**published: Json) -> Callable[[type[T]], type[T]]:
    """A part that a file has hundreds of: a frozen object with slots, where a model is four objects.

    It holds the keys of its class and no others, and writes all of them but the optional ones.
    """
    config = ConfigDict(defer_build=True, json_schema_extra=published or None)
    made: Any = dataclass(frozen=True, slots=True, config=config)
    return made  # type: ignore[no-any-return]


@small_part()
class TextRange:
    """A range of the document's text; an empty one where a file does not tell it."""

    start: Count = 0
    end: Count = 0


@small_part(minProperties=1)
class Place:
    """Where words stand in the file that the text was read from. Numbers count from 1."""

    attachment: Text = optional_key(
        "name of the attachment of an e-mail that the rest of the place is in; in an attached e-mail, both names with "
        "/ between",
        minLength=1,
    )
    page: Ordinal | None = optional_key("of a file in pages; the slide of a presentation", None)
    box: Listed[Number] = optional_key(
        "left, top, right, bottom in points (1/72 inch) from the upper left corner of the page as it is shown",
        (),
        minItems=4,
        maxItems=4,
    )
    certainty: Share | None = optional_key("how surely the words were read off a picture, from 0 to 1", None)
    source: TextRange | None = optional_key("the range of the file's decoded text, in code points", None)
    paragraph: Ordinal | None = optional_key("of the body, those in tables not counted", None)
    table: Ordinal | None = optional_key(None, None)
    row: Ordinal | None = optional_key(None, None)
    column: Ordinal | None = optional_key(None, None)
    sheet: Text = optional_key()
    cell: Text = optional_key(pattern="^[A-Z]+[0-9]+$")
    part: Text = optional_key(
        "what is not the body: header, footer, footnotes, endnotes, comments, text box, notes of a slide; of a book "
        "the file of the chapter"
    )
    header: Text = optional_key("which header line of an e-mail")
    body: Ordinal | None = optional_key("the body of an e-mail", None)
    line: Ordinal | None = optional_key("of a file with a document a line, or of a card or calendar", None)


@small_part()
class Quote:
    """Words of the document: text[start:end]."""

    start: Count
    end: Count = Field(json_schema_extra={"minimum": 1})
    quote: Text = Field(description="document.text[start:end]", json_schema_extra={"minLength": 1})
    places: Listed[Place] = optional_key(
        "where the words stand in the file, in order, for files that are not plain text", (), minItems=1
    )
    column_headers: Listed[Text] = optional_key(
        "in a table, what the headers of the words' column say, from the top", (), minItems=1
    )
    row_headers: Listed[Text] = optional_key("in a table, what names the words' row", (), minItems=1)


def place_contents(quote: Quote) -> list[dict[str, Json]]:
    """The places of a quote as JSON has them."""
    contents: list[dict[str, Json]] = _PLACES.dump_python(list(quote.places))
    return contents


_PLACES: TypeAdapter[Sequence[Place]] = TypeAdapter(Listed[Place], config=ConfigDict(defer_build=True))


@small_part()
class Proof:
    """What supports one value."""

    match: MatchWord = Field(
        default=Match.NONE,
        description="how strictly the words say it; none: nothing in the document supports the value, and spans is "
        "empty",
    )
    spans: Listed[Quote] = listed_key()
    said: Text = Field(default="", description="what the model said, before code normalised it")
    confidence: Share | None = Field(
        default=None, description="how likely the value is right, 0 to 1; null only in files of earlier versions"
    )
    findings: Listed[Text] = Field(
        default_factory=list,
        description="what code found about the value, by name: docs/quality.md says what each is",
        exclude_if=not_,
    )
    said_by: Listed[Text] = Field(
        default_factory=list,
        description="of several models that were asked, those that said it",
        exclude_if=not_,
    )

    def __bool__(self) -> bool:
        """False where nothing supports the value, which is also so of a value that is null."""
        return bool(self.spans)

    @property
    def quote(self) -> str:
        """The first words that support the value; empty where none do."""
        return self.spans[0].quote if self.spans else ""


@small_part()
class ProvedValue:
    """A value and the words that support it."""

    value: Json = None
    evidence: Proof = Field(default_factory=Proof)


@small_part()
class ConflictEntry:
    """The document says two things: the value that the record keeps, and the other. `path` is a JSON pointer."""

    path: Text = ""
    kept: ProvedValue = Field(default_factory=ProvedValue)
    other: ProvedValue = Field(default_factory=ProvedValue)


@small_part()
class RejectedEntry:
    """What the model said of the words in `chunk` and the record does not hold. `path` is a JSON pointer."""

    path: Text = ""
    value: Json = None
    reason: Text = ""
    chunk: TextRange = Field(default_factory=TextRange)
    evidence: Proof | None = Field(
        default=None,
        description="what supports it, and how likely it is right",
        exclude_if=_is_none,  # a proof without words is false, and tells why it was rejected all the same
    )


@small_part()
class FailureEntry:
    """A question that brought no answer: about which words, and for which field group."""

    chunk: TextRange = Field(default_factory=TextRange)
    group: Text = ""
    reason: Text = ""
    message: Text = ""


@small_part()
class ProblemEntry:
    """What a check found. `code` can be counted, `path` is a JSON pointer."""

    code: Text = ""
    path: Text = ""
    message: Text = ""


@small_part()
class UnreadEntry:
    """A part of the file that is not in the text. `reason` can be counted."""

    part: Text = ""
    reason: Text = ""
    message: Text = ""


@small_part()
class SkippedEntry:
    """Fields that a chunk was not asked for."""

    chunk: TextRange = Field(default_factory=TextRange)
    fields: Listed[Text] = listed_key()
