"""What one model said of a document, as an ensemble takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from extractor.models.traits import ModelClass
from extractor.types import GroundedObject, ValuePath

FieldPath = tuple[str, ...]
"""A field of a schema: names alone, without the numbers of rows."""


@dataclass(frozen=True, slots=True)
class AskedScope:
    """What alone a model was asked about, where it was not asked about everything."""

    fields: frozenset[FieldPath]
    rows: Mapping[FieldPath, frozenset[int]] = field(default_factory=dict)
    """Of a list of the record, by the numbers that they have in the first opinion, the rows that were asked about; of
    a list that is not in it, all of them."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Everything that one model said, judged by itself; what it says no word of, it takes not to be there."""

    model: str
    tree: GroundedObject
    model_class: ModelClass = ModelClass.STRONG
    scope: AskedScope | None = None
    """None: it was asked about everything."""
    answered_all: bool = True
    """False where a question brought no answer: what it does not say then tells nothing."""


def name_fields(path: ValuePath) -> FieldPath:
    """The field of a leaf."""
    return tuple(step for step in path if isinstance(step, str))
