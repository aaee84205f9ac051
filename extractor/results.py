"""Record -> result file: one JSON document per source document, the same bytes for the same record.

The format is `extractor.result/1`; docs/result.schema.json is its JSON Schema.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from extractor import checks
from extractor.documents import printable
from extractor.domain import Conflict, Document, Evidence, Json, Leaf, Record, Span, Status, Usage, pointer
from extractor.errors import DocumentError, ExtractorError, MachineError

FORMAT = "extractor.result/1"
RUN_FORMAT = "extractor.run/1"
RUN = "run.json"
_LONGEST_STEM = 180
"""Bytes of a file name kept before the suffix, well under the 255 that file systems allow."""


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
        "unasked": [_span(s) for s in checks.uncovered(document, asked)],
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


class Names:
    """Names of result files: the document's without its suffix, told apart when two are the same.

    Compared as file systems may: without case, composed. `run` is taken by the run's own file.
    """

    def __init__(self) -> None:
        self._taken = {RUN.casefold()}

    def file(self, path: Path) -> str:
        stem = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in printable(path.stem)) or "_"
        while len(stem.encode()) > _LONGEST_STEM:
            stem = stem[:-1]
        name = f"{stem}.json"
        if self._key(name) in self._taken or stem != printable(path.stem):
            mark = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
            again = 1
            name = f"{stem}-{mark}.json"
            while self._key(name) in self._taken:  # two lines of one file may have one id
                again += 1
                name = f"{stem}-{mark}-{again}.json"
        self._taken.add(self._key(name))
        return name

    @staticmethod
    def _key(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()


def prepare(folder: Path) -> None:
    """Makes the output folder and tries to write to it, before anything is paid. Raises MachineError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MachineError(f"Nothing can be written to {folder} ({error.strerror}); choose another with -o.") from error


def finished(folder: Path, manifest: Mapping[str, Json], documents: int) -> bool:
    """Whether the folder holds a run of this manifest over so many documents, all of them asked and answered."""
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        done = [d["status"] in (Status.COMPLETE, Status.SUSPECT) for d in run["documents"]]
        return bool(run["manifest"] == dict(manifest) and len(done) == documents and all(done))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write(path: Path, value: Mapping[str, Json]) -> None:
    """The whole file or none of it: temporary file, fsync, rename. Raises MachineError."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise MachineError(
            f"{path} cannot be written ({error.strerror}); free the disk or choose another -o."
        ) from error
