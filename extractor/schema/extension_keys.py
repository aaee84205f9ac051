"""The extension keys of a schema that say how fields are found: read, and refused with the place where they cannot be.

They are those of rows above all: what identifies a row, what a row is enumerated by, what is found by its position.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from extractor.errors import TaskError
from extractor.schema.annotations import FORMED_KINDS, Kind
from extractor.schema.tree import Object, Scalar, asked_fields
from extractor.types import Json

MAX_KEY_FIELDS = 3
"""Most fields in the key that is chosen for a row when the schema declares none."""
_DISTINGUISHING_KINDS = (Kind.TEXT, Kind.NAME, Kind.EMAIL, Kind.URL, Kind.QUANTITY)
"""Kinds that distinguish rows; dates and numbers are often the same by chance."""


def read_pattern(pattern: Json, place: str) -> str | None:
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except (re.error, TypeError, RecursionError) as error:
        raise TaskError(f"The pattern of {place} is no regular expression ({error}).") from error
    return str(pattern)


def read_keywords(schema: Mapping[str, Json], place: str) -> tuple[str, ...]:
    keywords = schema.get("x-keywords", [])
    if not isinstance(keywords, list) or not all(isinstance(word, str) and word.strip() for word in keywords):
        raise TaskError(f"x-keywords of {place} must be a list of words.")
    return tuple(keywords)


def read_position_keywords(schema: Mapping[str, Json], kind: Kind, place: str) -> tuple[str, ...] | None:
    words = schema.get("x-locate-by-position")
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
        raise TaskError(f"x-locate-by-position of {place} must be a list of words, which may be empty.")
    if not place.rpartition("/")[0].endswith("[]"):
        raise TaskError(f"{place} has x-locate-by-position, which is for the fields of a list's rows alone.")
    if kind not in FORMED_KINDS and not schema.get("pattern"):
        raise TaskError(f"{place} has x-locate-by-position; it must have a pattern or be {_join_kinds(FORMED_KINDS)}.")
    return tuple(words)


def check_positioned_fields(row: Object, key: Sequence[str], enumerate_by: Json, place: str) -> None:
    """The key of a row must be asked for: a value found by position is a row's only once the row's place is known."""
    positioned = [f.name for f in row.fields if isinstance(f.node, Scalar) and not f.node.ask_model]
    for f in row.fields:
        if f.name in positioned and (f.required or enumerate_by):
            raise TaskError(f"{place}/{f.name} has x-locate-by-position; it cannot be required nor enumerated.")
    if positioned and all(name in positioned for name in (key or [f.name for f in row.fields])):
        raise TaskError(
            f"All fields that identify the rows of {place} have x-locate-by-position; one of them must be asked for."
        )


def check_enumerated_field(name: Json, row: Object, place: str) -> None:
    fields = {f.name: f.node for f in row.fields}
    node = fields.get(name) if isinstance(name, str) else None
    if not isinstance(node, Scalar) or node.kind not in FORMED_KINDS:
        raise TaskError(
            f"x-enumerate-by of {place} names {name!r}; it must be a field of its rows "
            f"that is {_join_kinds(FORMED_KINDS)}."
        )
    if len(fields) < 2 or not all(isinstance(n, Scalar) for n in fields.values()):
        raise TaskError(f"{place} has x-enumerate-by, so its rows must have other fields, and plain values alone.")


def _join_kinds(kinds: Iterable[Kind]) -> str:
    return " or ".join(f"x-kind {kind.value!r}" for kind in sorted(kinds))


def choose_default_key(row: Object) -> tuple[str, ...]:
    """The key where none is declared: required fields, names before figures, else the first that distinguish rows."""
    requested = asked_fields(row)
    plain = [f for f in requested if isinstance(f.node, Scalar) and f.node.kind is not Kind.BOOLEAN]
    telling = [f for f in plain if isinstance(f.node, Scalar) and f.node.kind in _DISTINGUISHING_KINDS]
    required = [f for f in telling if f.required] + [f for f in plain if f.required and f not in telling]
    chosen = required if any(f in telling for f in required) else [*required, *telling]
    return tuple(f.name for f in (chosen[:MAX_KEY_FIELDS] or plain or requested[:MAX_KEY_FIELDS]))
