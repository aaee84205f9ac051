"""Record -> result file: one JSON document per source document, the same bytes for the same record.

The format is `extractor.result/1`; docs/result.schema.json is its JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from extractor.errors import DocumentError, ExtractorError
from extractor.files import sync_folder, write_atomically
from extractor.results.outcome import DocumentOutcome
from extractor.types import (
    Conflict,
    Document,
    Evidence,
    GroundedValue,
    Json,
    Record,
    Span,
    Status,
    Usage,
    find_uncovered_spans,
    json_pointer,
)

RESULT_FORMAT = "extractor.result/1"
RUN_FORMAT = "extractor.run/1"
RUN_FILE = "run.json"


def build_result(record: Record, task: str, manifest: Mapping[str, Json]) -> dict[str, Json]:
    document = record.document
    return {
        "format": RESULT_FORMAT,
        "document": _dump_document(document),
        "task": task,
        "status": str(record.status),
        "record": record.value,
        "evidence": {
            json_pointer(path): _dump_evidence(e, document)
            for path, e in sorted(record.evidence.items(), key=_path_sort_key)
        },
        "conflicts": [_dump_conflict(c, document) for c in record.conflicts],
        "rejected": [
            {"path": json_pointer(r.path), "value": r.value, "reason": r.reason, "chunk": _dump_span(r.chunk)}
            for r in record.rejected
        ],
        "failures": [
            {"chunk": _dump_span(f.chunk), "group": f.group, "reason": f.reason, "message": f.message}
            for f in record.failures
        ],
        "problems": [{"code": p.code, "path": json_pointer(p.path), "message": p.message} for p in record.problems],
        "coverage": _dump_coverage(record),
        "usage": {
            **dump_usage(record.usage),
            "groups": {group: dump_usage(u) for group, u in record.usage_by_group.items()},
        },
        "manifest": dict(manifest),
    }


def build_failed_result(name: str, error: ExtractorError, task: str, manifest: Mapping[str, Json]) -> dict[str, Json]:
    """The result of a document that could not be read at all."""
    reason = error.reason if isinstance(error, DocumentError) else "failed"
    return {
        "format": RESULT_FORMAT,
        "document": {"name": name},
        "task": task,
        "status": str(Status.FAILED),
        "record": None,
        "error": {"reason": reason, "message": str(error)},
        "manifest": dict(manifest),
    }


def _path_sort_key(item: tuple[tuple[str | int, ...], Evidence]) -> list[tuple[bool, int, str]]:
    """Paths in an order that does not depend on how they came: rows by number, fields by name."""
    return [(isinstance(step, str), step if isinstance(step, int) else 0, str(step)) for step in item[0]]


def _dump_document(document: Document) -> dict[str, Json]:
    """What the document is. Keys that say nothing of it are left out, such as the loader of plain text."""
    more: dict[str, Json] = {
        "loader": document.loader,
        "hidden": [_dump_span(h) for h in document.hidden],
        "unread": [{"part": u.part, "reason": u.reason, "message": u.message} for u in document.unread],
    }
    return {
        "name": document.name,
        "sha256": document.sha256,
        "characters": len(document.text),
        **{key: value for key, value in more.items() if value},
        "text": document.text,
    }


def _dump_span(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}


def _dump_evidence(evidence: Evidence, document: Document) -> dict[str, Json]:
    return {
        "match": str(evidence.match),
        "spans": [_dump_quote(s, document) for s in evidence.spans],
        "said": evidence.model_value,
        "confidence": evidence.confidence,
    }


def _dump_quote(span: Span, document: Document) -> dict[str, Json]:
    places = document.locations.locate(span) if document.locations else []
    quote = {**_dump_span(span), "quote": document.text[span.start : span.end]}
    return {**quote, "places": places} if places else quote


def _dump_leaf(leaf: GroundedValue, document: Document) -> dict[str, Json]:
    return {"value": leaf.value, "evidence": _dump_evidence(leaf.evidence, document)}


def _dump_conflict(conflict: Conflict, document: Document) -> dict[str, Json]:
    return {
        "path": json_pointer(conflict.path),
        "kept": _dump_leaf(conflict.kept, document),
        "other": _dump_leaf(conflict.other, document),
    }


def _dump_coverage(record: Record) -> dict[str, Json]:
    document, asked = record.document, record.answered_spans
    return {
        "characters": len(document.text),
        "asked": sum(map(len, asked)),
        "spans": [_dump_span(s) for s in asked],
        "unasked": [_dump_span(s) for s in find_uncovered_spans(document, asked)],
        "skipped": [{"chunk": _dump_span(s.chunk), "fields": list(s.fields)} for s in record.skipped],
    }


def dump_usage(usage: Usage) -> dict[str, Json]:
    """Tokens and the server's seconds; null is unknown, not nothing. Cached and lost replies are told if any."""
    seconds = None if usage.seconds is None else round(usage.seconds, 3)
    told: dict[str, Json] = {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "seconds": seconds,
    }
    rare = {"cached": usage.cached, "lost": usage.lost}
    return told | {name: count for name, count in rare.items() if count}


def write_result(path: Path, value: Mapping[str, Json]) -> str:
    """The whole file or none of it; the SHA-256 of its bytes. Raises OSError."""
    return write_atomically(path, [encode_result(value)])


def encode_result(value: Mapping[str, Json]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def write_run_file(
    path: Path,
    task: str,
    manifest: Mapping[str, Json],
    schema: Mapping[str, Json],
    outcomes: Iterable[DocumentOutcome],
    counts: Mapping[str, int],
) -> None:
    """run.json, a line for each document, however many there are. Raises OSError."""
    head = {"format": RUN_FORMAT, "task": task, "manifest": dict(manifest), "schema": dict(schema)}
    spent = Usage()

    def pieces() -> Iterator[bytes]:
        nonlocal spent
        yield encode_result(head).removesuffix(b"\n}\n") + b',\n "documents": ['
        before = b"\n  "
        for o in outcomes:
            spent += o.usage
            line = json.dumps({"name": o.name, "file": o.file, "status": str(o.status)}, ensure_ascii=False)
            yield before + line.encode()
            before = b",\n  "
        tail = {"counts": dict(counts), "usage": dump_usage(spent)}
        yield b"\n ],\n" + encode_result(tail).removeprefix(b"{\n")

    write_atomically(path, pieces())
    sync_folder(path.parent)
