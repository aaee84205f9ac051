"""Record -> result file: one JSON document per source document, the same bytes for the same record.

The format is `extractor.result/1`; docs/result.schema.json is its JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from extractor import files as durable
from extractor.errors import DocumentError, ExtractorError
from extractor.results.outcome import Outcome
from extractor.types import Conflict, Document, Evidence, Json, Leaf, Record, Span, Status, Usage, pointer, uncovered

FORMAT = "extractor.result/1"
RUN_FORMAT = "extractor.run/1"
RUN = "run.json"


def of_record(record: Record, task: str, manifest: Mapping[str, Json]) -> dict[str, Json]:
    document = record.document
    return {
        "format": FORMAT,
        "document": _document(document),
        "task": task,
        "status": str(record.status),
        "record": record.value,
        "evidence": {pointer(path): _evidence(e, document) for path, e in sorted(record.evidence.items(), key=_order)},
        "conflicts": [_conflict(c, document) for c in record.conflicts],
        "rejected": [
            {"path": pointer(r.path), "value": r.value, "reason": r.reason, "chunk": _span(r.chunk)}
            for r in record.rejected
        ],
        "failures": [
            {"chunk": _span(f.chunk), "group": f.group, "reason": f.reason, "message": f.message}
            for f in record.failures
        ],
        "problems": [{"code": p.code, "path": pointer(p.path), "message": p.message} for p in record.problems],
        "coverage": _coverage(record),
        "usage": {**usage(record.usage), "groups": {group: usage(u) for group, u in record.groups.items()}},
        "manifest": dict(manifest),
    }


def of_failure(name: str, error: ExtractorError, task: str, manifest: Mapping[str, Json]) -> dict[str, Json]:
    """The result of a document that could not be read at all."""
    reason = error.reason if isinstance(error, DocumentError) else "failed"
    return {
        "format": FORMAT,
        "document": {"name": name},
        "task": task,
        "status": str(Status.FAILED),
        "record": None,
        "error": {"reason": reason, "message": str(error)},
        "manifest": dict(manifest),
    }


def _order(item: tuple[tuple[str | int, ...], Evidence]) -> list[tuple[bool, int, str]]:
    """Paths in an order that does not depend on how they came: rows by number, fields by name."""
    return [(isinstance(step, str), step if isinstance(step, int) else 0, str(step)) for step in item[0]]


def _document(document: Document) -> dict[str, Json]:
    """What the document is. Keys that say nothing of it are left out, such as the loader of plain text."""
    more: dict[str, Json] = {
        "loader": document.loader,
        "hidden": [_span(h) for h in document.hidden],
        "unread": [{"part": u.part, "reason": u.reason, "message": u.message} for u in document.unread],
    }
    return {
        "name": document.name,
        "sha256": document.sha256,
        "characters": len(document.text),
        **{key: value for key, value in more.items() if value},
        "text": document.text,
    }


def _span(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}


def _evidence(evidence: Evidence, document: Document) -> dict[str, Json]:
    return {
        "match": str(evidence.match),
        "spans": [_quote(s, document) for s in evidence.spans],
        "said": evidence.said,
        "confidence": evidence.confidence,
    }


def _quote(span: Span, document: Document) -> dict[str, Json]:
    places = document.places.of(span) if document.places else []
    quote = {**_span(span), "quote": document.text[span.start : span.end]}
    return {**quote, "places": places} if places else quote


def _leaf(leaf: Leaf, document: Document) -> dict[str, Json]:
    return {"value": leaf.value, "evidence": _evidence(leaf.evidence, document)}


def _conflict(conflict: Conflict, document: Document) -> dict[str, Json]:
    return {
        "path": pointer(conflict.path),
        "kept": _leaf(conflict.kept, document),
        "other": _leaf(conflict.other, document),
    }


def _coverage(record: Record) -> dict[str, Json]:
    document, asked = record.document, record.asked
    return {
        "characters": len(document.text),
        "asked": sum(map(len, asked)),
        "spans": [_span(s) for s in asked],
        "unasked": [_span(s) for s in uncovered(document, asked)],
        "skipped": [{"chunk": _span(s.chunk), "fields": list(s.fields)} for s in record.skipped],
    }


def usage(usage: Usage) -> dict[str, Json]:
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


def write(path: Path, value: Mapping[str, Json]) -> str:
    """The whole file or none of it; the SHA-256 of its bytes. Raises OSError."""
    return durable.write(path, [spelled(value)])


def spelled(value: Mapping[str, Json]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def write_run(
    path: Path,
    task: str,
    manifest: Mapping[str, Json],
    schema: Mapping[str, Json],
    outcomes: Iterable[Outcome],
    counts: Mapping[str, int],
) -> None:
    """run.json, a line for each document, however many there are. Raises OSError."""
    head = {"format": RUN_FORMAT, "task": task, "manifest": dict(manifest), "schema": dict(schema)}
    spent = Usage()

    def pieces() -> Iterator[bytes]:
        nonlocal spent
        yield spelled(head).removesuffix(b"\n}\n") + b',\n "documents": ['
        before = b"\n  "
        for o in outcomes:
            spent += o.usage
            line = json.dumps({"name": o.name, "file": o.file, "status": str(o.status)}, ensure_ascii=False)
            yield before + line.encode()
            before = b",\n  "
        tail = {"counts": dict(counts), "usage": usage(spent)}
        yield b"\n ],\n" + spelled(tail).removeprefix(b"{\n")

    durable.write(path, pieces())
    durable.settle(path.parent)
