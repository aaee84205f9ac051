"""Which tables results come to, and with which columns: looked through once before the first row is written.

    documents   one row each, failed ones with their reason          runs      what made them
    records     the record's plain values                            evidence  the words behind each value
    LIST        a row for each entry of a list, at any depth          issues    what a person should look at
    usage       tokens by field group

A nested object's fields are columns of the table it is in: buyer_name. Every row of `records` and of the lists has
`_document` and `_path`, its place in the record as a JSON pointer; an entry of a list also has `_parent`, the `_path`
of the row it belongs to, and `_row`, its number from 0. An object whose names are the document's is a list of its
entries, each with its `_name`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from extractor.errors import TaskError
from extractor.results.export.reader import SavedResult
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList, read_schema
from extractor.schema.tree import NamedEntries
from extractor.types import Json, canonical_json

ColumnType = Literal["integer", "number", "boolean", "string"]
Steps = tuple[str, ...]
CellValue = str | int | float | bool | None

RECORDS_TABLE = "records"
VALUE_COLUMN: Steps = ("value",)
"""The one column of a list of plain values."""
_INTEGER_LIMIT, _FLOAT_LIMIT = 2**63, 2**53
"""Integers from which on none has a place in a column of integers, and in one of numbers some would be altered."""
_DECLARED_TYPES: dict[str, ColumnType] = {"integer": "integer", "number": "number", "boolean": "boolean"}
_KEYS: dict[str, ColumnType] = {"_document": "integer", "_path": "string"}
_ENTRY: dict[str, ColumnType] = {**_KEYS, "_parent": "string", "_row": "integer"}
_NAMED_ENTRY: dict[str, ColumnType] = {**_ENTRY, "_name": "string"}
HELD = "value"
"""What the list, or the entries, are called that stand under a name of the document's."""
FIXED_TABLES: Mapping[str, Mapping[str, ColumnType]] = {
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
class TableLayout:
    """A table of record values: where its rows stand in a record, and its columns by the steps to their values."""

    name: str
    path: Steps
    columns: dict[Steps, str] = field(default_factory=dict)
    types: dict[str, ColumnType] = field(default_factory=dict)
    keys: Mapping[str, ColumnType] = field(default_factory=dict)

    @property
    def header(self) -> dict[str, ColumnType]:
        return {**self.keys, **self.types}


@dataclass(slots=True)
class ExportLayout:
    tables: dict[Steps, TableLayout]
    """Of the record and its lists, by the names on the way to them; the record itself is ()."""
    runs: dict[str, int]
    """A number for each run: the folder and the manifest, as canonical JSON."""
    open_objects: Mapping[Steps, frozenset[str]] = field(default_factory=dict)
    """Where the schemas have objects whose names are the document's, with the names that are not."""

    @property
    def headers(self) -> dict[str, Mapping[str, ColumnType]]:
        """Every table's columns, in the order in which tables are written."""
        return {**FIXED_TABLES, **{table.name: table.header for table in self.tables.values()}}


def survey_results(entries: Iterable[SavedResult], declared: Iterable[Mapping[str, Json]]) -> ExportLayout:
    """The layout that all these results fit. Declared schemas give lists that no document filled a table too."""
    seen = _LayoutSurvey()
    for source in declared:
        try:
            seen.add_schema((), (), read_schema(source).root)
        except TaskError:
            continue  # what the results hold is enough
    runs: dict[str, int] = {}
    for entry in entries:
        runs.setdefault(run_key(entry), len(runs) + 1)
        for row in flatten_record(entry.content.record or {}, seen.open_objects):
            seen.add_row(row.at, row.values)
    return ExportLayout(seen.build_tables(), runs, seen.open_objects)


def run_key(entry: SavedResult) -> str:
    return canonical_json([entry.run, entry.content.task, entry.content.manifest.to_content()])


@dataclass(frozen=True, slots=True)
class FlatRow:
    """A row that a record comes to: the record itself, an entry of a list, or one of an open object."""

    path: tuple[str | int, ...]
    at: Steps
    """Its table."""
    values: Mapping[Steps, Json]
    """By column."""
    parent: tuple[str | int, ...] = ()
    number: int = 0
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    path: tuple[str | int, ...]
    at: Steps
    value: Json
    parent: tuple[str | int, ...] = ()
    number: int = 0
    name: str | None = None


def flatten_record(record: Mapping[str, Json], open_objects: Mapping[Steps, frozenset[str]]) -> Iterator[FlatRow]:
    """Every row that a record comes to, those of inner lists after those that hold them."""
    waiting = deque([_Waiting((), (), record)])
    while waiting:
        row = waiting.popleft()
        flat: dict[Steps, Json] = {}
        if row.name is not None and isinstance(row.value, list):
            waiting.extend(_list_entries(row, (), HELD, row.value, row.path))
        else:
            _flatten_value(row.value, (), row, flat, waiting, open_objects)
        yield FlatRow(row.path, row.at, flat, row.parent, row.number, row.name)


def _flatten_value(
    value: Json,
    steps: Steps,
    row: _Waiting,
    flat: dict[Steps, Json],
    waiting: deque[_Waiting],
    open_objects: Mapping[Steps, frozenset[str]],
) -> None:
    if not isinstance(value, dict):  # parsed JSON; to ask for any Mapping takes four times as long
        flat[steps or VALUE_COLUMN] = value
        return
    place = (*row.at, HELD) if row.name is not None and not steps else (*row.at, *steps)
    declared = open_objects.get(place) if open_objects else None
    number = 0
    for key, inner in value.items():
        if declared is not None and key not in declared:
            waiting.append(_Waiting((*row.path, *steps, key), place, inner, row.path, number, key))
            number += 1
        elif isinstance(inner, list):
            waiting.extend(_list_entries(row, steps, key, inner, (*row.path, *steps, key)))
        else:
            _flatten_value(inner, (*steps, key), row, flat, waiting, open_objects)


def _list_entries(
    row: _Waiting, steps: Steps, key: str, entries: list[Json], path: tuple[str | int, ...]
) -> Iterator[_Waiting]:
    for i, entry in enumerate(entries):
        yield _Waiting((*path, i), (*row.at, *steps, key), entry, row.path, i)


class _LayoutSurvey:
    def __init__(self) -> None:
        self.seen: dict[Steps, dict[Steps, set[_SeenType]]] = {(): {}}
        self.nested: set[tuple[Steps, Steps]] = set()
        self.open_objects: dict[Steps, frozenset[str]] = {}

    def add_row(self, at: Steps, row: Mapping[Steps, Json]) -> None:
        columns = self.seen.setdefault(at, {})
        for steps, value in row.items():
            self.nested.update((at, steps[:length]) for length in range(1, len(steps)))
            types = columns.setdefault(steps, set())
            if value is not None:
                types.add(_infer_type(value))

    def add_schema(self, at: Steps, steps: Steps, node: Node) -> None:
        match node:
            case Scalar():
                types = self.seen.setdefault(at, {}).setdefault(steps or VALUE_COLUMN, set())
                types.add(_DECLARED_TYPES.get(node.type, "string"))
            case ValueList(item):
                self.add_schema((*at, *steps), (), item)
            case ObjectList(row) if not row.wraps:
                self.add_schema((*at, *steps), (), row)
            case ObjectList() | Object(by_position=True):
                self.seen.setdefault((*at, *steps), {}).setdefault(VALUE_COLUMN, set()).add("string")
            case Object(fields, entries=entries):
                self.seen.setdefault(at, {})
                for f in fields:
                    self.add_schema(at, (*steps, f.name), f.node)
                if entries:
                    self.add_entries((*at, *steps), entries, frozenset(f.name for f in fields))

    def add_entries(self, place: Steps, entries: NamedEntries, declared: frozenset[str]) -> None:
        """The table of an open object's entries; `declared` are the names that are the schema's."""
        self.open_objects[place] = self.open_objects.get(place, declared) & declared
        self.seen.setdefault(place, {})
        match entries.node:
            case Object(fields, entries=inner):
                for f in fields:
                    self.add_schema(place, (f.name,), f.node)
                if inner:
                    self.add_entries((*place, HELD), inner, frozenset(f.name for f in fields))
            case Scalar():
                self.add_schema(place, (), entries.node)
            case _:
                self.add_schema((*place, HELD), (), entries.node)

    def build_tables(self) -> dict[Steps, TableLayout]:
        names = UniqueTableNames(FIXED_TABLES)
        tables = {}
        for at, columns in self.seen.items():
            name = names.claim_name("_".join(at) or RECORDS_TABLE)
            keys = _NAMED_ENTRY if at in self.open_objects else _ENTRY if at else _KEYS
            table = TableLayout(name, at, keys=keys)
            taken = UniqueTableNames(keys)
            for steps, types in columns.items():
                if not types and ((*at, *steps) in self.seen or (at, steps) in self.nested):
                    continue  # null where other documents have an object or a list
                column = taken.claim_name("_".join(steps))
                table.columns[steps] = column
                table.types[column] = _merge_types(types)
            tables[at] = table
        return tables


class UniqueTableNames:
    """Names told apart without case, as file systems and SQL do."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.casefold() for name in taken}
        self._numbers: dict[str, int] = {}

    def claim_name(self, wanted: str) -> str:
        wanted = replace_surrogates(wanted).replace("\0", "") or "_"
        name, number = wanted, self._numbers.get(wanted.casefold(), 1)
        while name.casefold() in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._numbers[wanted.casefold()] = number
        self._taken.add(name.casefold())
        return name


_SeenType = Literal["integer", "number", "boolean", "string", "long integer"]


def _infer_type(value: Json) -> _SeenType:
    match value:
        case bool():
            return "boolean"
        case int():
            if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
                return "string"
            return "integer" if -_FLOAT_LIMIT <= value <= _FLOAT_LIMIT else "long integer"
        case float():
            return "number"
    return "string"


def _merge_types(types: set[_SeenType]) -> ColumnType:
    """The type of a column that has values of these; text where one of them would be altered by any other."""
    if types <= {"integer", "long integer"} and types:
        return "integer"
    if types <= {"integer", "number"} and types:
        return "number"
    return "boolean" if types == {"boolean"} else "string"


def convert_cell(value: Json, type_: ColumnType) -> CellValue:
    """The value as its column has it: text where the column holds values of several types."""
    if value is None or isinstance(value, str):
        return None if value is None else replace_surrogates(value)
    if type_ == "string":
        return replace_surrogates(json.dumps(value, ensure_ascii=False))
    plain: CellValue = float(value) if type_ == "number" else value
    return plain


def replace_surrogates(text: str) -> str:
    """The text without halves of characters, which no file of text can hold."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
