"""One result as rows of tables, as `layout` has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

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
from extractor.results.frame import walk_leaves
from extractor.results.model import ResultFile
from extractor.results.parts import Proof, TextRange, place_contents
from extractor.results.unseen import describe_unseen, show_unseen
from extractor.types import Json, json_pointer

TableRow = tuple[str, dict[str, CellValue]]
"""A table's name, and a cell for each of its columns."""


def build_rows(entry: SavedResult, number: int, layout: ExportLayout) -> Iterator[TableRow]:
    """Every row that a result comes to; `number` is its document's."""
    content = entry.content
    yield "documents", _build_document_row(entry, number, layout)
    for group, spent in content.usage.groups.items():
        yield "usage", _fit_columns("usage", {**spent.to_content(), "_document": number, "field_group": group})
    record = content.record or {}
    for one in flatten_record(record, layout.open_objects) if content.record is not None else ():
        table, said = layout.tables.get(one.at), one.values
        if table is None or any(value is not None and steps not in table.columns for steps, value in said.items()):
            raise UsageError(f"{entry.file} changed while it was read; export again.")
        row: dict[str, CellValue] = {"_document": number, "_path": json_pointer(one.path)}
        if one.at:
            row |= {"_parent": json_pointer(one.parent), "_row": one.number}
        if "_name" in table.keys:
            row["_name"] = None if one.name is None else convert_cell(one.name, "string")
        row |= {column: convert_cell(said.get(steps), table.types[column]) for steps, column in table.columns.items()}
        yield table.name, row
    for at_value, told in content.evidence.items():
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
    error = content.error.to_content() if content.error else {}
    return _fit_columns(
        "documents",
        {
            **content.usage.to_content(),
            **content.document.to_content(),
            "_document": number,
            "run": layout.runs[run_key(entry)],
            "file": entry.file,
            "status": str(content.status),
            "reason": error.get("reason"),
            "message": error.get("message"),
            "value_count": len(content.evidence),
        },
    )


def _build_evidence_rows(number: int, path: str, proof: Proof, value: Json) -> Iterator[TableRow]:
    common = {"_document": number, "path": path, "value": _as_text(value)}
    common |= {"match": str(proof.match), "said": proof.said, "confidence": proof.confidence}
    for at, quote in enumerate(proof.spans):
        where = {"start_at": quote.start, "end_at": quote.end, "quote": quote.quote}
        place = {"places": place_contents(quote)} if quote.places else None
        yield "evidence", _fit_columns("evidence", {**common, **where, "span": at, "place": place})
    if not proof.spans:
        yield "evidence", _fit_columns("evidence", common)


def _build_issue_rows(number: int, content: ResultFile) -> Iterator[TableRow]:
    def issue(kind: str, where: TextRange | None = None, **told: Json) -> TableRow:
        if where is not None and where.end:
            told |= {"start_at": where.start, "end_at": where.end}
        return "issues", _fit_columns("issues", {"_document": number, "kind": kind, **told})

    for path, value in walk_leaves(content.record or {}, ""):
        if note := describe_unseen(value):
            yield issue("unseen", path=path, reason="unseen", message=f"The value {note}.", value=show_unseen(value))
    for failure in content.failures:
        yield issue("failure", failure.chunk, field_group=failure.group, reason=failure.reason, message=failure.message)
    for problem in content.problems:
        yield issue("problem", path=problem.path, reason=problem.code, message=problem.message)
    for conflict in content.conflicts:
        spans = conflict.other.evidence.spans
        yield issue(
            "conflict",
            TextRange(start=spans[0].start, end=spans[0].end) if spans else None,
            path=conflict.path,
            reason="conflict",
            message=f"The record has {_as_text(conflict.kept.value)}.",
            value=_as_text(conflict.other.value),
        )
    for rejected in content.rejected:
        yield issue(
            "rejected", rejected.chunk, path=rejected.path, reason=rejected.reason, value=_as_text(rejected.value)
        )


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
