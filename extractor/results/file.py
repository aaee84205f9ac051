"""Record -> result file: one JSON document per source document, the same bytes for the same record.

`model` has what a file is made of and `reading` reads it; docs/result.schema.json is its JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from extractor.errors import DocumentError, ExtractorError, ModelError
from extractor.files import sync_folder, write_atomically
from extractor.results.json_text import encode_indented
from extractor.results.model import (
    RESULT_FORMAT,
    RUN_FORMAT,
    Coverage,
    DocumentEntry,
    GroupUsage,
    Manifest,
    ReadError,
    ResultFile,
    UsageEntry,
)
from extractor.results.outcome import DocumentOutcome
from extractor.results.parts import (
    ConflictEntry,
    FailureEntry,
    FilePart,
    Place,
    ProblemEntry,
    Proof,
    ProvedValue,
    Quote,
    RejectedEntry,
    SkippedEntry,
    TextRange,
    UnreadEntry,
)
from extractor.types import (
    Document,
    Evidence,
    Failure,
    GroundedValue,
    Json,
    Record,
    Span,
    Status,
    Usage,
    find_uncovered_spans,
    json_pointer,
)

MAX_HEADER = 100
"""Characters of a header of a table that are told."""


def build_result(record: Record, task: str, manifest: Mapping[str, Json]) -> ResultFile:
    document, quotes = record.document, _Quotes(record.document)
    return ResultFile(
        format=RESULT_FORMAT,
        document=_build_document(document),
        task=task,
        status=record.status,
        record=record.value,
        evidence={
            json_pointer(path): quotes.build_proof(e) for path, e in sorted(record.evidence.items(), key=sort_by_path)
        },
        conflicts=[
            ConflictEntry(path=json_pointer(c.path), kept=quotes.build_leaf(c.kept), other=quotes.build_leaf(c.other))
            for c in record.conflicts
        ],
        rejected=[
            RejectedEntry(
                path=json_pointer(r.path),
                value=r.value,
                reason=r.reason,
                chunk=build_range(r.chunk),
                evidence=quotes.build_proof(r.evidence) if r.evidence else None,
            )
            for r in record.rejected
        ],
        failures=[
            FailureEntry(chunk=build_range(f.chunk), group=f.group, reason=f.reason, message=f.message)
            for f in record.failures
        ],
        problems=[ProblemEntry(code=p.code, path=json_pointer(p.path), message=p.message) for p in record.problems],
        coverage=_build_coverage(record),
        usage=UsageEntry(
            **_describe_usage(record.usage),
            groups={group: build_usage(u) for group, u in record.usage_by_group.items()},
        ),
        manifest=Manifest.model_validate(manifest),
    )


def build_failed_result(name: str, error: ExtractorError, task: str, manifest: Mapping[str, Json]) -> ResultFile:
    """The result of a document that could not be read at all."""
    reason = error.reason if isinstance(error, DocumentError) else "failed"
    return ResultFile(
        format=RESULT_FORMAT,
        document=DocumentEntry(name=name),
        task=task,
        status=Status.FAILED,
        record=None,
        error=ReadError(reason=reason, message=str(error)),
        manifest=Manifest.model_validate(manifest),
    )


def build_unanswered_result(
    document: Document, error: ModelError, task: str, manifest: Mapping[str, Json]
) -> ResultFile:
    """The result of a document that a model was to be asked about, and answers no more."""
    whole = Span(0, max(1, len(document.text)))
    failure = Failure(whole, "record", error.reason, str(error))
    return build_result(Record(document, {}, {}, failures=(failure,)), task, manifest)


def sort_by_path(item: tuple[tuple[str | int, ...], Evidence]) -> list[tuple[bool, int, str]]:
    """Paths in an order that does not depend on how they came: rows by number, fields by name."""
    return [(isinstance(step, str), step if isinstance(step, int) else 0, str(step)) for step in item[0]]


def _build_document(document: Document) -> DocumentEntry:
    """What the document is. Keys that say nothing of it are left out, such as the loader of plain text."""
    rare = {
        "loader": document.loader,
        "hidden": [build_range(h) for h in document.hidden],
        "doubtful": [build_range(d) for d in document.doubtful],
        "notes": list(document.notes),
        "unread": [UnreadEntry(part=u.part, reason=u.reason, message=u.message) for u in document.unread],
    }
    return DocumentEntry.model_validate(
        {
            "name": document.name,
            "sha256": document.sha256,
            "characters": len(document.text),
            **{key: value for key, value in rare.items() if value},
            "text": document.text,
        }
    )


def build_range(span: Span) -> TextRange:
    return TextRange(start=span.start, end=span.end)


class _Quotes:
    """The words of a document that support values, with where they stand in its file and its tables."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._spelled: dict[Span, str] = {}
        """What headers of tables say: a column's values have one, and there may be as many as rows."""

    def build_leaf(self, leaf: GroundedValue) -> ProvedValue:
        return ProvedValue(value=leaf.value, evidence=self.build_proof(leaf.evidence))

    def build_proof(self, evidence: Evidence) -> Proof:
        return Proof(
            match=evidence.match,
            spans=[self._build_quote(s) for s in evidence.spans],
            said=evidence.model_value,
            confidence=evidence.confidence,
            findings=list(evidence.findings),
            said_by=list(evidence.said_by),
        )

    def _build_quote(self, span: Span) -> Quote:
        document = self._document
        return Quote(
            start=span.start,
            end=span.end,
            quote=document.text[span.start : span.end],
            places=[Place(**p) for p in document.locations.locate(span)] if document.locations else [],
            **self._name_cell(span),
        )

    def _name_cell(self, span: Span) -> dict[str, list[str]]:
        """What the headers of the table cell that words stand in say: over its column, and of its row."""
        table = self._document.table_at(span.start)
        cell = table.cell_at(span.start) if table else None
        if table is None or cell is None:
            return {}
        above, beside = table.column_headers(cell), table.row_headers(cell)
        return {"column_headers": self._spell_all(above), "row_headers": self._spell_all(beside)}

    def _spell_all(self, headers: Sequence[Span]) -> list[str]:
        return [words for header in headers if (words := self._spell(header))]

    def _spell(self, header: Span) -> str:
        if header not in self._spelled:
            self._spelled[header] = " ".join(self._document.visible_text(header).split())[:MAX_HEADER]
        return self._spelled[header]


def _build_coverage(record: Record) -> Coverage:
    document, asked = record.document, record.answered_spans
    return Coverage(
        characters=len(document.text),
        asked=sum(map(len, asked)),
        spans=[build_range(s) for s in asked],
        unasked=[build_range(s) for s in find_uncovered_spans(document, asked)],
        skipped=[SkippedEntry(chunk=build_range(s.chunk), fields=list(s.fields)) for s in record.skipped],
    )


def build_usage(usage: Usage) -> GroupUsage:
    """Tokens and the server's seconds; None is unknown, not nothing."""
    return GroupUsage(**_describe_usage(usage))


def _describe_usage(usage: Usage) -> dict[str, Json]:
    """What is told of a usage: cached and lost replies only if there are any."""
    told: dict[str, Json] = {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "seconds": None if usage.seconds is None else round(usage.seconds, 3),
    }
    rare: dict[str, Json] = {"cached": usage.cached, "lost": usage.lost}
    if usage.cached:
        first = usage.cached_seconds
        rare["cached_input_tokens"] = usage.cached_input_tokens
        rare["cached_output_tokens"] = usage.cached_output_tokens
        rare["cached_seconds"] = None if first is None else round(first, 3)
    return told | {name: count for name, count in rare.items() if count}


def write_result(path: Path, result: ResultFile) -> str:
    """The whole file or none of it; the SHA-256 of its bytes. Raises OSError."""
    return write_atomically(path, [encode_part(result)])


def encode_part(part: FilePart) -> bytes:
    """A file's bytes: its keys in their order, a line each, in UTF-8."""
    return _encode_content(part.to_content())


def _encode_content(content: Mapping[str, Json]) -> bytes:
    # half a character, which JSON can spell and UTF-8 cannot, is spelled as JSON has it
    return (encode_indented(content) + "\n").encode("utf-8", "backslashreplace")


def write_run_file(
    path: Path,
    task: str,
    manifest: Mapping[str, Json],
    schema: Mapping[str, Json],
    outcomes: Iterable[DocumentOutcome],
    counts: Mapping[str, int],
) -> None:
    """run.json as `RunFile` has it, a line for each document, however many there are. Raises OSError."""
    head = {"format": RUN_FORMAT, "task": task, "manifest": dict(manifest), "schema": dict(schema)}
    spent = Usage()

    def pieces() -> Iterator[bytes]:
        nonlocal spent
        yield _encode_content(head).removesuffix(b"\n}\n") + b',\n "documents": ['
        before = b"\n  "
        for o in outcomes:
            spent += o.usage
            line = json.dumps({"name": o.name, "file": o.file, "status": str(o.status)}, ensure_ascii=False)
            yield before + line.encode()
            before = b",\n  "
        tail = {"counts": dict(counts), "usage": build_usage(spent).to_content()}
        yield b"\n ],\n" + _encode_content(tail).removeprefix(b"{\n")

    write_atomically(path, pieces())
    sync_folder(path.parent)
