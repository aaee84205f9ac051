"""The tree of a record's schema, which the steps walk.

Object -- fields --> Scalar      one value
                     ValueList   a list of values
                     ObjectList  a list of objects
                     Object      a nested object, perhaps with an entry for each name that a document has
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from extractor.schema.annotations import Kind
from extractor.schema.declaration import UnionBranch
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class Scalar:
    kind: Kind
    type: str = "string"
    """JSON type of the value in the record."""
    enum: tuple[Json, ...] = ()
    verbatim: bool = False
    derive_from: str | None = None
    max_length: int | None = None
    pattern: str | None = None
    """A regular expression that is to be found in the value."""
    list_item_only: bool = False
    """Only words that are an item of a written list count, not words of a sentence."""
    verbatim_number: bool = False
    """A number that the model may copy as the document writes it, and code reads."""
    text_patterns: tuple[str, ...] = ()
    """Of a value that may be a number or a text: what a text must look like to be one."""
    label: str = ""
    """Of a boolean or a choice: words that stand beside it where a document states it."""
    locate_by_position: tuple[str, ...] | None = None
    """Found by its form and its position in a row: words, one of which is in it or beside it; () for any."""
    ask_model: bool = True
    """Whether the model is asked; a value that is found by position wins over its answer."""
    closed_choice: bool = False
    """Whether a request allows only the mentions of its form in the text."""
    timed: bool = False
    """Of a date: the value has a time of day, and perhaps its zone."""
    to_the_day: bool = False
    """Of a text: its description asks for a day as ISO 8601 writes it, which no quarter is."""
    other_types: tuple[str, ...] = ()
    """Other JSON types that the record's schema takes there."""

    def takes(self, number: bool | int | float) -> bool:
        """Whether the record may have it there as it is, where a text is wanted."""
        if isinstance(number, bool):
            return "boolean" in self.other_types
        return "number" in self.other_types or (isinstance(number, int) and "integer" in self.other_types)


@dataclass(frozen=True, slots=True)
class ValueList:
    item: Scalar
    max_items: int | None = None
    """Entries that the schema allows."""
    min_items: int = 0
    alternatives: tuple[Node, ...] = ()
    """Other forms that the schema takes in its place, such as one value by itself; see `settling`."""


@dataclass(frozen=True, slots=True)
class ObjectList:
    row: Object
    key: tuple[str, ...]
    max_items: int | None = None
    min_items: int = 0
    key_declared: bool = False
    """Whether the schema names the key itself."""
    enumerate_by: str | None = None
    """The field whose candidates code finds in a text, one row for each."""
    alternatives: tuple[Node, ...] = ()
    """Other forms that the schema takes in its place."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    node: Node
    description: str = ""
    group: str | None = None
    required: bool = False
    """Whether the schema requires a value there; a row without it is none."""
    keywords: tuple[str, ...] = ()
    """Words, one of which announces the field wherever a document has it."""
    keywords_only: bool = False
    """Whether it is asked only of the sections that the keywords announce."""
    nullable: bool = True
    """Whether null may stand there; where not, the field is left out when nothing was found."""
    optional: bool = True
    """Whether it may be left out."""


@dataclass(frozen=True, slots=True)
class Object:
    fields: tuple[Field, ...]
    description: str = ""
    constants: Mapping[str, Json] = field(default_factory=dict)
    """Properties with only one possible value; they are not asked for."""
    branches: tuple[UnionBranch, ...] = ()
    """The objects that this one may be; empty when it is just itself."""
    order: tuple[str, ...] = ()
    """Names of all properties, constants too, as the schema orders them."""
    entries: NamedEntries | None = None
    """What it may hold under names that the schema leaves to the document; see `open_objects`."""
    alternatives: tuple[Node, ...] = ()
    """Other forms that the schema takes in its place."""
    wraps: bool = False
    """A row of a list of lists: it holds one field and is written as what that holds; see `written_form`."""
    by_position: bool = False
    """A tuple: its fields are called by their numbers, and it is written as a list."""
    or_value: bool = False
    """One of several objects of which some are one value instead; its last field holds that; see `written_form`."""

    def __getitem__(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)


@dataclass(frozen=True, slots=True)
class NamedEntries:
    """Properties that a document names itself, as additionalProperties and patternProperties of a schema have them."""

    node: Node
    """What stands under each name."""
    name: Scalar
    """What may be a name."""
    description: str = ""
    patterns: tuple[str, ...] = ()
    """Regular expressions, one of which is found in each name; none: any name will do."""
    unnamed: ValueList | ObjectList | None = None
    """The list that may stand in place of the object where a document names nothing."""

    def takes(self, name: str) -> bool:
        """Whether the schema allows the name."""
        if self.name.enum and name not in self.name.enum:
            return False
        return not self.patterns or any(re.search(pattern, name) for pattern in self.patterns)


Node = Scalar | ValueList | ObjectList | Object


def asked_fields(node: Object) -> tuple[Field, ...]:
    """The fields that the model is asked for: all but those that code finds by position."""
    return tuple(f for f in node.fields if not isinstance(f.node, Scalar) or f.node.ask_model)


def iterate_scalars(
    node: Node, value: Json, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Scalar, Json]]:
    """Every non-null plain value under `value`, with its path and its leaf of the schema, in the schema's order."""
    if value is None:
        return
    match node:
        case Scalar():
            yield path, node, value
        case ValueList(item):
            for i, v in enumerate(value):
                yield from iterate_scalars(item, v, (*path, i))
        case ObjectList(row):
            for i, v in enumerate(value):
                yield from iterate_scalars(row, v, (*path, i))
        case Object(fields):
            for f in fields:
                yield from iterate_scalars(f.node, value.get(f.name), (*path, f.name))


def empty_value(node: Node) -> Json:
    """What a record holds where nothing was found."""
    match node:
        case Scalar():
            return None
        case ValueList() | ObjectList():
            return []
        case Object(fields):
            return {f.name: empty_value(f.node) for f in fields}


def count_scalars(node: Node) -> int:
    """Leaves of the schema under a node, a list's once."""
    match node:
        case ObjectList(row):
            return count_scalars(row)
        case Object(fields, entries=entries):
            return sum(count_scalars(f.node) for f in fields) + (count_scalars(entries.node) if entries else 0)
    return 1
