"""What a run and its nodes tell each other.

To a node go pickled values of our own classes, as Ray itself sends them. What comes back is JSON and bytes, checked
against what it stands for: a node has read strangers' files.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from extractor import errors
from extractor.documents.discovery import STDIN, Source
from extractor.errors import DocumentError, ExtractorError, MachineError, ModelFatal
from extractor.extraction.task import Task
from extractor.models.choice import ModelSpec
from extractor.runs.apart import WorkerFailed
from extractor.runs.document import DocumentExtractor
from extractor.runs.executor import KnownText, WorkedDocument
from extractor.runs.source_state import SourceState
from extractor.runs.worker_messages import DocumentJob, describe_summary, encode_job, read_summary
from extractor.types import Document, Json, Usage

_HEAD_BYTES = 8
_ENDING = {one.__name__: one for one in (ModelFatal, errors.BudgetSpent, MachineError, errors.UsageError)}
"""Errors that end a run, as a node may tell them."""


@dataclass(frozen=True, slots=True)
class NodeJob:
    """What a node is to know of a run, but for keys."""

    described: bytes
    """Task, prompt, reading and manifest, as workers are told them."""
    concurrency: int
    document_timeout: float | None
    use_proxy: bool
    verbose: bool
    needs_leases: bool
    keeps_replies: bool
    place: str
    """Where the replies are, for people."""


@dataclass(frozen=True, slots=True)
class SealedModel:
    """A model with its key, on its way to a node; it shows in no representation."""

    choice: ModelSpec = field(repr=False)


@dataclass(frozen=True, slots=True)
class NodeAssignment:
    """A document for a node to do."""

    source: Source
    """Its path is absolute."""
    known: KnownText | None
    document: bytes | None = field(default=None, repr=False)
    """The document itself, where the node does not see its file."""
    seen: str | None = None
    """What was seen of it by whoever read it."""


def describe_extractor(extractor: DocumentExtractor) -> bytes:
    """What is asked of every document, as nodes are told it: no code of the user's, and no key."""
    one = extractor
    bare, has_rules = Task(one.task.name, one.task.schema, {}), one.task.model_class is not None
    nothing = Document("-", "-")
    job = DocumentJob(nothing, bare, one.prompt, one.session.model_name, one.reading, dict(one.manifest), has_rules)
    return pickle.dumps(encode_job(job))


class FileUnseen(Exception):
    """A node does not see a document's file."""


def encode_worked(worked: WorkedDocument, learnt: Mapping[str, Json]) -> bytes:
    """What became of a document, as a node tells it."""
    error = None if worked.error is None else [str(worked.error), worked.error.reason]
    return _encode(
        {
            "seen": worked.sighting.seen,
            "text": worked.text,
            "loader": worked.loader,
            "summary": None if worked.summary is None else describe_summary(worked.summary),
            "error": error,
            "learnt": dict(learnt),
        },
        worked.content or b"",
    )


def encode_unseen() -> bytes:
    return _encode({"unseen": True})


def encode_error(error: Exception, mask: Any = str) -> bytes:
    """An error, as a node tells it: of those that end a run the kind and its words, of all others the place."""
    if isinstance(error, ExtractorError):
        kind = next((name for name, one in _ENDING.items() if type(error) is one), None)
        kind = kind or ("UsageError" if isinstance(error, errors.UsageError) else "MachineError")
        return _encode({"ends": [kind, mask(str(error))]})
    from extractor.runs.bugs import format_trace, name_place  # only where there is a bug to tell of

    where = str(error) if isinstance(error, WorkerFailed) else name_place(error)
    return _encode({"bug": [where, mask(format_trace(error))]})


def _encode(head: Mapping[str, Json], content: bytes = b"") -> bytes:
    told = json.dumps(head).encode()
    return len(told).to_bytes(_HEAD_BYTES, "little") + told + content


def decode_worked(data: bytes) -> tuple[WorkedDocument, dict[str, Json]]:
    """What became of a document, and what was learnt meanwhile of what answers.

    Raises what the node says that it met: FileUnseen, errors that end the run, and WorkerFailed for one of ours.
    """
    try:
        size = int.from_bytes(data[:_HEAD_BYTES], "little")
        told = json.loads(data[_HEAD_BYTES : _HEAD_BYTES + size])
        content = data[_HEAD_BYTES + size :]
        if "unseen" in told:
            raise FileUnseen
        if "ends" in told:
            kind, message = map(str, told["ends"])
            raise _ENDING.get(kind, MachineError)(message)
        if "bug" in told:
            where, trace = map(str, told["bug"])
            raise WorkerFailed(where, trace)
        return _read_worked(told, content), _require(told["learnt"], dict)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise WorkerFailed(f"{type(error).__name__} in what a node told", "") from error


def _read_worked(told: Mapping[str, Any], content: bytes) -> WorkedDocument:
    error = None
    if told["error"] is not None:
        message, reason = told["error"]
        error = DocumentError(_require(message, str), reason=_require(reason, str))
    seen, text = _require(told["seen"], str | None), _require(told["text"], str | None)
    summary = None if told["summary"] is None else read_summary(told["summary"])
    is_whole = summary is not None
    return WorkedDocument(
        SourceState(seen), text, _require(told["loader"], str), content if is_whole else None, summary, error
    )


def _require(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError("not as it is told")
    return value


def make_source_absolute(source: Source) -> Source:
    """The source as it can be found from another folder; its name stays."""
    if source.line is not None:
        return replace(source, path=Path(source.path.name), line=replace(source.line, file=source.line.file.absolute()))
    if source.member is not None:
        member = replace(source.member, file=source.member.file.absolute())
        return replace(source, path=Path(source.path.name), member=member)
    return source if source.path == STDIN else replace(source, path=source.path.absolute())


_USAGE = {f.name for f in fields(Usage)}


def describe_usage(usage: Usage | None) -> Json:
    return None if usage is None else asdict(usage)


def read_usage(told: Any) -> Usage | None:
    """The usage that a node tells. Raises ValueError or TypeError for what is none."""
    if told is None:
        return None
    if not isinstance(told, dict) or set(told) - _USAGE:
        raise ValueError("no usage")
    if any(type(one) not in (int, float, type(None)) for one in told.values()):
        raise ValueError("no usage")
    return Usage(**told)
