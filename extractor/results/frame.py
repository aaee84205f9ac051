"""A result's values as the rows of a table, and that table as the library at hand has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from extractor.errors import UsageError
from extractor.results.model import ResultFile
from extractor.results.parts import Proof
from extractor.types import Json, json_pointer

FRAME_COLUMNS = ("path", "value", "match", "quote", "start", "end", "page", "said", "confidence")
FRAME_LIBRARIES = ("pandas", "polars")
"""The first that is installed makes the table."""


def build_frame_rows(result: ResultFile) -> list[dict[str, Json]]:
    """A row for each plain value of the record that is not null, in the record's order.

    A value's place is that of its first words; where no words support it, the columns of the place are None.
    """
    return [
        {"path": path, "value": value, **_describe_proof(result.evidence.get(path, Proof()))}
        for path, value in walk_leaves(result.record or {}, "")
    ]


def walk_leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """(JSON pointer, value) of every leaf but null, in the record's order."""
    if isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from walk_leaves(inner, path + json_pointer((key,)))
    elif value is not None:
        yield path, value


def _describe_proof(proof: Proof) -> dict[str, Json]:
    first = proof.spans[0] if proof.spans else None
    pages = [place.page for place in first.places if place.page is not None] if first else []
    return {
        "match": str(proof.match),
        "quote": first.quote if first else None,
        "start": first.start if first else None,
        "end": first.end if first else None,
        "page": pages[0] if pages else None,
        "said": proof.said,
        "confidence": proof.confidence,
    }


def build_frame(rows: Sequence[Mapping[str, Json]], *before: str) -> Any:
    """The rows as a DataFrame of pandas or polars; `before` names columns that stand before those of a result.

    Raises UsageError where neither is installed.
    """
    columns = (*before, *FRAME_COLUMNS)
    for name in FRAME_LIBRARIES:
        try:
            library = import_module(name)
        except ImportError:
            continue
        cells = {column: [row[column] for row in rows] for column in columns}
        if name == "polars":
            cells["value"] = _spell_mixed(cells["value"])
        return library.DataFrame(cells)
    raise UsageError("A table needs pandas or polars, and neither is installed; install one: pip install pandas.")


def _spell_mixed(values: list[Json]) -> list[Json]:
    """The values, as text where they are of several types: a column of polars has one."""
    return values if len({type(value) for value in values}) <= 1 else [str(value) for value in values]
