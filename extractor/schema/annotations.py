"""Kinds of values, and the annotations with which a schema declares them.

A task's schema is Pydantic or JSON Schema. What neither has a keyword for is declared by extension keys of the JSON
Schema, which Pydantic carries in `json_schema_extra`, so that both ways of writing a schema end up the same:

    x-kind               on a leaf: one of `Kind`; decides candidates, normalisation, evidence and comparison
    x-key                on an object that is a row of a list: its identifying fields, strongest first
    x-enumerate-by       on the same: the field that code finds in the text, such as a percentage; the model is asked
                         for the rest of each row, candidate by candidate (but not by a prompt that asks for the whole
                         record at once)
    x-group              on a top-level property: fields of one group are asked for together
    x-form               on a date: "verbatim" keeps it as written instead of ISO 8601
    x-derive             on a leaf: the sibling it may be computed from when nothing states it: a year from a tag
    x-keywords           on a property: words, one of which stands in the heading or paragraph wherever a document has
                         it; without any of them it is not asked for, and away from them it is not believed
    x-keywords-only      on a property with keywords: true where it is asked of the sections under them alone
    x-list-item-only     on a leaf: true where only an item of a written list counts, not words of a sentence
    x-verbatim-number    on a number: true where the model may copy it as written ("1.024,50 €"), and code reads it
    x-locate-by-position on a leaf of a row that can be recognised by its kind or pattern: words, one of which is in
                         the value or the label of the link that leads there ([] for any); code takes the value that
                         stands where the row does, and the model is not asked (but by a prompt that asks for the whole
                         record at once)
    x-also-ask           on the same: true where the model is asked too; its answer counts where no value stands there
    x-skip               on a property: true where it is left out: not asked, and not in the record
    x-compare            on a leaf: {"fuzzy": 0.9} where the evaluation may compare loosely

The names that seven of these had before are read for one release more; see `RENAMED_KEYWORDS`.

In Pydantic:

    class Line(BaseModel):
        model_config = key("item")
        item: str
        shipped: Date | None = None
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field


class Kind(StrEnum):
    TEXT = "text"
    NAME = "name"
    """A person's name."""
    DATE = "date"
    INTEGER = "integer"
    NUMBER = "number"
    QUANTITY = "quantity"
    """A number and what it counts or measures: "2.5x", "12 kg"."""
    URL = "url"
    EMAIL = "email"
    ENUM = "enum"
    BOOLEAN = "boolean"


Name = Annotated[str, Field(json_schema_extra={"x-kind": "name"})]
Date = Annotated[str, Field(json_schema_extra={"x-kind": "date"})]
VerbatimDate = Annotated[str, Field(json_schema_extra={"x-kind": "date", "x-form": "verbatim"})]
Quantity = Annotated[str, Field(json_schema_extra={"x-kind": "quantity"})]
Amount = Annotated[str, Field(json_schema_extra={"x-kind": "number"})]
"""A number kept as written: "1,024.50"."""
Money = Annotated[float, Field(json_schema_extra={"x-kind": "number", "x-verbatim-number": True})]
"""A number of the record that the model may copy as the document writes it: "1.024,50" becomes 1024.5."""
Url = Annotated[str, Field(json_schema_extra={"x-kind": "url"})]
Email = Annotated[str, Field(json_schema_extra={"x-kind": "email"})]

Listed = Annotated[str, Field(json_schema_extra={"x-list-item-only": True})]
"""A text that stands as an item of a written list: "saw, hammer, drill"."""


RENAMED_KEYWORDS = {
    "x-cues": "x-keywords",
    "x-narrow": "x-keywords-only",
    "x-each": "x-enumerate-by",
    "x-placed": "x-locate-by-position",
    "x-asked": "x-also-ask",
    "x-listed": "x-list-item-only",
    "x-copied": "x-verbatim-number",
}
"""Old name to new of the extension keys; a schema with old ones is read, and `extractor schema check` says so."""

FORMED_KINDS = frozenset({Kind.DATE, Kind.INTEGER, Kind.NUMBER, Kind.QUANTITY, Kind.URL, Kind.EMAIL})
"""Kinds whose values can be recognised by their form alone."""


def key(*fields: str, enumerate_by: str | None = None, each: str | None = None) -> ConfigDict:
    """The model configuration of a row that these fields identify, strongest first.

    `enumerate_by` names the field whose values code finds in the text (`x-enumerate-by`); `each` is its old name, read
    for one release more.
    """
    extra: dict[str, Any] = {"x-key": list(fields)}
    enumerated = enumerate_by or each
    return ConfigDict(json_schema_extra={**extra, "x-enumerate-by": enumerated} if enumerated else extra)


def group(name: str, **annotations: Any) -> dict[str, Any]:
    """`json_schema_extra` of a top-level field that is asked for together with its group."""
    return {"x-group": name, **annotations}
