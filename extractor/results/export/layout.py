"""Which tables results come to, and with which columns: looked through once before the first row is written.

    documents   one row each, failed ones with their reason          runs      what made them
    records     the record's plain values                            evidence  the words behind each value
    LIST        a row for each entry of a list, at any depth          issues    what a person should look at
    usage       tokens by field group

A nested object's fields are columns of the table it is in: buyer_name. Every row of `records` and of the lists has
`_document` and `_path`, its place in the record as a JSON pointer; an entry of a list also has `_parent`, the `_path`
of the row it belongs to, and `_row`, its number from 0.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from extractor.errors import TaskError
from extractor.results.export.reader import Entry
from extractor.schema import reader as schemas
from extractor.schema.reader import Leaf, Node, Object, Rows, Values
from extractor.types import Json, canonical

Type = Literal["integer", "number", "boolean", "string"]
Steps = tuple[str, ...]
Cell = str | int | float | bool | None

RECORDS = "records"
VALUE: Steps = ("value",)
"""The one column of a list of plain values."""
_LARGEST = 2**63
_DECLARED: dict[str, Type] = {"integer": "integer", "number": "number", "boolean": "boolean"}
_KEYS: dict[str, Type] = {"_document": "integer", "_path": "string"}
_ENTRY: dict[str, Type] = {**_KEYS, "_parent": "string", "_row": "integer"}
FIXED: Mapping[str, Mapping[str, Type]] = {
    "runs": {
        "run": "integer",
        "folder": "string",
        "task": "string",
        "model": "string",
        "prompt": "string",
        "extractor": "string",
        "manifest": "string",
    },
    "documents": {
        "_document": "integer",
        "run": "integer",
        "name": "string",
        "file": "string",
        "status": "string",
        "reason": "string",
        "message": "string",
        "sha256": "string",
        "characters": "integer",
        "value_count": "integer",
        "requests": "integer",
        "input_tokens": "integer",
        "output_tokens": "integer",
        "seconds": "number",
    },
    "usage": {
        "_document": "integer",
        "field_group": "string",
        "requests": "integer",
        "input_tokens": "integer",
        "output_tokens": "integer",
        "seconds": "number",
    },
    "evidence": {
        "_document": "integer",
        "path": "string",
        "value": "string",
        "match": "string",
        "span": "integer",
        "start_at": "integer",
        "end_at": "integer",
        "quote": "string",
        "said": "string",
        "confidence": "number",
        "place": "string",
    },
    "issues": {
        "_document": "integer",
        "kind": "string",
        "path": "string",
        "field_group": "string",
        "reason": "string",
        "message": "string",
        "value": "string",
        "start_at": "integer",
        "end_at": "integer",
    },
}


@dataclass(slots=True)
class Table:
    """A table of record values: where its rows stand in a record, and its columns by the steps to their values."""

    name: str
    path: Steps
    columns: dict[Steps, str] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    keys: Mapping[str, Type] = field(default_factory=dict)

    @property
    def header(self) -> dict[str, Type]:
        return {**self.keys, **self.types}


@dataclass(slots=True)
class Layout:
    tables: dict[Steps, Table]
    """Of the record and its lists, by the names on the way to them; the record itself is ()."""
    runs: dict[str, int]
    """A number for each run: the folder and the manifest, as canonical JSON."""

    @property
    def headers(self) -> dict[str, Mapping[str, Type]]:
        """Every table's columns, in the order in which tables are written."""
        return {**FIXED, **{table.name: table.header for table in self.tables.values()}}


def survey(entries: Iterable[Entry], declared: Iterable[Mapping[str, Json]]) -> Layout:
    """The layout that all these results fit. Declared schemas give lists that no document filled a table too."""
    seen = _Survey()
    for source in declared:
        try:
            seen.schema((), (), schemas.read(source).root)
        except TaskError:
            continue  # what the results hold is enough
    runs: dict[str, int] = {}
    for entry in entries:
        runs.setdefault(run_key(entry), len(runs) + 1)
        for _, at, row in rows(entry.content["record"] or {}):
            seen.row(at, row)
    return Layout(seen.tables(), runs)


def run_key(entry: Entry) -> str:
    return canonical([entry.run, entry.content.get("task", ""), entry.content["manifest"]])


def rows(record: Mapping[str, Json]) -> Iterator[tuple[tuple[str | int, ...], Steps, dict[Steps, Json]]]:
    """(path, table, values by column) of every row that a record comes to: itself, then the entries of its lists."""
    waiting: deque[tuple[tuple[str | int, ...], Steps, Json]] = deque([((), (), record)])
    while waiting:
        path, at, value = waiting.popleft()
        flat: dict[Steps, Json] = {}
        _flatten(value, (), path, at, flat, waiting)
        yield path, at, flat


def _flatten(
    value: Json,
    steps: Steps,
    path: tuple[str | int, ...],
    at: Steps,
    flat: dict[Steps, Json],
    waiting: deque[tuple[tuple[str | int, ...], Steps, Json]],
) -> None:
    if not isinstance(value, dict):  # parsed JSON; to ask for any Mapping takes four times as long
        flat[steps or VALUE] = value
        return
    for key, inner in value.items():
        if isinstance(inner, list):
            waiting.extend(((*path, *steps, key, i), (*at, *steps, key), entry) for i, entry in enumerate(inner))
        else:
            _flatten(inner, (*steps, key), path, at, flat, waiting)


class _Survey:
    def __init__(self) -> None:
        self.seen: dict[Steps, dict[Steps, set[Type]]] = {(): {}}
        self.nested: set[tuple[Steps, Steps]] = set()

    def row(self, at: Steps, row: Mapping[Steps, Json]) -> None:
        columns = self.seen.setdefault(at, {})
        for steps, value in row.items():
            self.nested.update((at, steps[:length]) for length in range(1, len(steps)))
            types = columns.setdefault(steps, set())
            if value is not None:
                types.add(_type(value))

    def schema(self, at: Steps, steps: Steps, node: Node) -> None:
        match node:
            case Leaf():
                types = self.seen.setdefault(at, {}).setdefault(steps or VALUE, set())
                types.add(_DECLARED.get(node.type, "string"))
            case Values(item):
                self.schema((*at, *steps), (), item)
            case Rows(row):
                self.schema((*at, *steps), (), row)
            case Object(fields):
                self.seen.setdefault(at, {})
                for f in fields:
                    self.schema(at, (*steps, f.name), f.node)

    def tables(self) -> dict[Steps, Table]:
        names = Names(FIXED)
        tables = {}
        for at, columns in self.seen.items():
            name = names.free("_".join(at) or RECORDS)
            keys = _ENTRY if at else _KEYS
            table = Table(name, at, keys=keys)
            taken = Names(keys)
            for steps, types in columns.items():
                if not types and ((*at, *steps) in self.seen or (at, steps) in self.nested):
                    continue  # null where other documents have an object or a list
                column = taken.free("_".join(steps))
                table.columns[steps] = column
                table.types[column] = _common(types)
            tables[at] = table
        return tables


class Names:
    """Names told apart without case, as file systems and SQL do."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.casefold() for name in taken}

    def free(self, wanted: str) -> str:
        wanted = sound(wanted).replace("\0", "") or "_"
        name, number = wanted, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name.casefold())
        return name


def _type(value: Json) -> Type:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer" if -_LARGEST <= value < _LARGEST else "string"
        case float():
            return "number"
    return "string"


def _common(types: set[Type]) -> Type:
    if types == {"integer", "number"}:
        return "number"
    return next(iter(types)) if len(types) == 1 else "string"


def cell(value: Json, type_: Type) -> Cell:
    """The value as its column has it: text where the column holds values of several types."""
    if value is None or isinstance(value, str):
        return None if value is None else sound(value)
    if type_ == "string":
        return sound(json.dumps(value, ensure_ascii=False))
    plain: Cell = float(value) if type_ == "number" else value
    return plain


def sound(text: str) -> str:
    """The text without halves of characters, which no file of text can hold."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
