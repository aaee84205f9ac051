"""One result as rows of tables, as `layout` has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from extractor.errors import UsageError
from extractor.results.export.layout import (
    FIXED_TABLES,
    CellValue,
    ColumnType,
    ExportLayout,
    convert_cell,
    flatten_record,
    run_key,
)
from extractor.results.export.reader import SavedResult
from extractor.types import Json, json_pointer

_SPAN = frozenset({"start", "end", "quote"})
TableRow = tuple[str, dict[str, CellValue]]
"""A table's name, and a cell for each of its columns."""


def build_rows(entry: SavedResult, number: int, layout: ExportLayout) -> Iterator[TableRow]:
    """Every row that a result comes to; `number` is its document's."""
    content = entry.content
    yield "documents", _build_document_row(entry, number, layout)
    usage = content.get("usage") or {}
    for group, spent in _object_items(usage.get("groups") or {}):
        yield "usage", _fit_columns("usage", {**spent, "_document": number, "field_group": group})
    record = content["record"] or {}
    for path, at, flat in flatten_record(record) if content["record"] is not None else ():
        table = layout.tables.get(at)
        if table is None or any(value is not None and steps not in table.columns for steps, value in flat.items()):
            raise UsageError(f"{entry.file} changed while it was read; export again.")
        row: dict[str, CellValue] = {"_document": number, "_path": json_pointer(path)}
        if at:
            row |= {"_parent": json_pointer(_parent_path(path, record)), "_row": int(path[-1])}
        row |= {column: convert_cell(flat.get(steps), table.types[column]) for steps, column in table.columns.items()}
        yield table.name, row
    for at_value, told in _object_items(content.get("evidence") or {}):
        yield from _build_evidence_rows(number, at_value, told, _resolve_pointer(record, at_value))
    yield from _build_issue_rows(number, content)


def build_run_row(key: str, number: int) -> dict[str, CellValue]:
    """The row of a run by its key."""
    folder, task, manifest = json.loads(key)
    return _fit_columns(
        "runs",
        {
            "run": number,
            "folder": folder,
            "task": task,
            "model": (manifest.get("model") or {}).get("name"),
            "prompt": (manifest.get("prompt") or {}).get("name"),
            "extractor": manifest.get("extractor"),
            "manifest": json.dumps(manifest, ensure_ascii=False, sort_keys=True),
        },
    )


def _build_document_row(entry: SavedResult, number: int, layout: ExportLayout) -> dict[str, CellValue]:
    content = entry.content
    error, usage = content.get("error") or {}, content.get("usage") or {}
    return _fit_columns(
        "documents",
        {
            **content["document"],
            "_document": number,
            "run": layout.runs[run_key(entry)],
            "file": entry.file,
            "status": content["status"],
            "reason": error.get("reason"),
            "message": error.get("message"),
            "value_count": len(content.get("evidence") or {}),
            **{key: usage.get(key) for key in ("requests", "input_tokens", "output_tokens", "seconds")},
        },
    )


def _parent_path(path: tuple[str | int, ...], record: Json) -> tuple[str | int, ...]:
    """The row that an entry's list is in: the record itself, or the entry of an outer list."""
    outer = [i for i, step in enumerate(path[:-1]) if isinstance(step, int)]
    return path[: outer[-1] + 1] if outer else ()


def _build_evidence_rows(number: int, path: str, told: Mapping[str, Json], value: Json) -> Iterator[TableRow]:
    common = {"_document": number, "path": path, "value": _as_text(value)}
    common |= {key: told.get(key) for key in ("match", "said", "confidence")}
    spans = [span for span in told.get("spans") or () if isinstance(span, dict)]
    for at, span in enumerate(spans or [{}]):
        place = {key: inner for key, inner in span.items() if key not in _SPAN}
        where = {"start_at": span.get("start"), "end_at": span.get("end"), "quote": span.get("quote")}
        yield (
            "evidence",
            _fit_columns("evidence", {**common, **where, "span": at if span else None, "place": place or None}),
        )


def _build_issue_rows(number: int, content: Mapping[str, Json]) -> Iterator[TableRow]:
    def issue(kind: str, **told: Json) -> TableRow:
        return "issues", _fit_columns("issues", {"_document": number, "kind": kind, **told})

    for one in _list_objects(content, "failures"):
        where = one.get("chunk") or {}
        yield issue(
            "failure",
            field_group=one.get("group"),
            reason=one.get("reason"),
            message=one.get("message"),
            start_at=where.get("start"),
            end_at=where.get("end"),
        )
    for one in _list_objects(content, "problems"):
        yield issue("problem", path=one.get("path"), reason=one.get("code"), message=one.get("message"))
    for one in _list_objects(content, "conflicts"):
        kept, other = one.get("kept") or {}, one.get("other") or {}
        span: Mapping[str, Json] = next(iter((other.get("evidence") or {}).get("spans") or ()), {})
        yield issue(
            "conflict",
            path=one.get("path"),
            reason="conflict",
            message=f"The record has {_as_text(kept.get('value'))}.",
            value=_as_text(other.get("value")),
            start_at=span.get("start"),
            end_at=span.get("end"),
        )
    for one in _list_objects(content, "rejected"):
        where = one.get("chunk") or {}
        yield issue(
            "rejected",
            path=one.get("path"),
            reason=one.get("reason"),
            value=_as_text(one.get("value")),
            start_at=where.get("start"),
            end_at=where.get("end"),
        )


def _list_objects(content: Mapping[str, Json], key: str) -> Sequence[Mapping[str, Json]]:
    return [one for one in content.get(key) or () if isinstance(one, dict)]


def _object_items(told: Json) -> list[tuple[str, Mapping[str, Json]]]:
    return [(key, one) for key, one in told.items() if isinstance(one, dict)] if isinstance(told, dict) else []


def _as_text(value: Json) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)


def _resolve_pointer(record: Json, path: str) -> Json:
    """The value at a JSON pointer (RFC 6901); None where there is none."""
    for step in path.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(record, dict):
            record = record.get(step)
        elif isinstance(record, list) and step.isdecimal() and int(step) < len(record):
            record = record[int(step)]
        else:
            return None
    return record


def _fit_columns(table: str, told: Mapping[str, Json]) -> dict[str, CellValue]:
    """The cells of a table that every export has; what is of another type than its column is left empty."""
    return {column: _check_cell(told.get(column), type_) for column, type_ in FIXED_TABLES[table].items()}


def _check_cell(value: Json, type_: ColumnType) -> CellValue:
    if value is None:
        return None
    if type_ == "string":
        return convert_cell(value, "string")
    if type(value) not in (int, float) or not abs(value) < 2**63:
        return None
    return float(value) if type_ == "number" else int(value)
