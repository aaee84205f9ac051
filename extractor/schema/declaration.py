"""What one place of a JSON Schema declares, folded: `normalize` makes it, and `reader` reads it into the tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from extractor.types import Json


class SchemaNote(NamedTuple):
    """What a person should know of how a place of the schema is read."""

    place: str
    code: str
    """A word that can be counted."""
    message: str

    def __str__(self) -> str:
        return f"{self.place or 'the root'}: {self.message}"


Trail = frozenset[tuple[str, int]]
"""References with how often each was followed inside itself."""


class RecursionEnds(Exception):
    """A reference has been followed inside itself as often as it is to be."""


@dataclass(frozen=True, slots=True)
class UnionBranch:
    """One of the objects that a value may be."""

    names: tuple[str, ...]
    required: frozenset[str]
    choices: Mapping[str, tuple[Json, ...]]
    """Properties that can only be one of these, such as the discriminator of the branches."""


@dataclass(frozen=True, slots=True)
class Declaration:
    schema: Mapping[str, Json]
    """Without `$ref`, `allOf`, `anyOf`, `oneOf` and with at most one type, at its own level."""
    nullable: bool
    trail: Trail
    """References that were followed to get here; one that comes again is recursion."""
    branches: tuple[UnionBranch, ...] = ()
    trails: Mapping[str, Trail] = field(default_factory=dict)
    """Trails of properties that came from one of several objects; others have the object's own."""
    others: tuple[Declaration, ...] = ()
    """Other forms that the value may have: a list, an object, one plain value."""

    def trail_of(self, name: str) -> Trail:
        return self.trails.get(name, self.trail)

    @property
    def type(self) -> str | None:
        return self.schema.get("type")
