"""What goes through the pipes between a run and the processes that work for it: frames of bytes, JSON in most of them.

Down go the document, what is asked of it and what was said; up come what is still to be asked, or the result. What
comes up is checked against what it stands for, since whoever has made the document may have found a way into a worker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import IO, Any

from extractor.documents import locations
from extractor.documents.formats.answers import decode_answer, encode_document
from extractor.errors import ModelError, ReplyCutShort
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.asking import narrow_root, narrow_schema
from extractor.extraction.combining.opinion import FieldPath
from extractor.extraction.examples import Example, Examples
from extractor.extraction.grounding.confidence import Calibration, ClassWeights
from extractor.extraction.pipeline import QuestionPath, Reading, Said
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.traits import ModelClass, ModelTraits
from extractor.runs.finished import RecordSummary
from extractor.schema.reader import read_schema
from extractor.types import Document, Json, PageImage, Problem, Reply, Request, Status, Usage

_SIZE = 8


@dataclass(frozen=True, slots=True)
class DocumentJob:
    """A document, and all that is needed to know what to ask of it and to make its result."""

    document: Document
    task: Task
    prompt: Prompt
    model_name: str
    reading: Reading
    manifest: Mapping[str, Json]
    checked_elsewhere: bool = False
    """Whether the task has rules of its own, which are code of the user's and stay in the user's process."""
    only: tuple[FieldPath, ...] = ()
    """Fields that alone are asked for; none: all of them."""


@dataclass(frozen=True, slots=True)
class GroundingJob:
    """A record that came from anywhere, to be proved by a document; no model is asked."""

    document: Document
    record: Mapping[str, Json]
    schema: Mapping[str, Json] | None
    """A JSON Schema of anybody's; None for the record's own shape."""
    acceptance: Acceptance


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """Writes the length of the data, and the data."""
    pipe.write(len(data).to_bytes(_SIZE, "little"))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: IO[bytes], most: int | None = None) -> bytes | None:
    """The next data; None at the end. Raises ValueError for data that is torn, or longer than `most`."""
    size = pipe.read(_SIZE)
    if not size:
        return None
    length = int.from_bytes(size, "little")
    if len(size) < _SIZE or (most is not None and length > most):
        raise ValueError("not a frame")
    data = pipe.read(length)
    if len(data) < length:
        raise ValueError("a torn frame")
    return data


def encode_job(job: DocumentJob) -> tuple[bytes, bytes]:
    """The document, and the rest of a job. Raises TypeError and ValueError for a document that cannot be sent: of a
    class of the caller's own, or with half a character in it."""
    document, places = job.document, job.document.locations
    if type(document) is not Document or (places is not None and type(places).__module__ != locations.__name__):
        raise TypeError("a document of the caller's own classes")
    rest = {
        "task": job.task.name,
        "schema": job.task.schema.source,
        "prompt": _describe_prompt(job.prompt),
        "model": job.model_name,
        "reading": _describe_reading(job.reading),
        "manifest": job.manifest,
        "checked_elsewhere": job.checked_elsewhere,
        "only": job.only,
    }
    seen = replace(document, pictures=tuple(page.without_data() for page in document.pictures))
    return encode_document(seen), json.dumps(rest).encode()


def encode_grounding(job: GroundingJob) -> tuple[bytes, bytes]:
    """The document, and the rest. Raises TypeError and ValueError as `encode_job` does."""
    rest = {"given": job.record, "schema": job.schema, "acceptance": asdict(job.acceptance)}
    return encode_document(job.document), json.dumps(rest).encode()


def decode_job(document: bytes, rest: bytes) -> DocumentJob | GroundingJob:
    told = json.loads(rest)
    read = decode_answer(document)
    assert isinstance(read, Document)  # noqa: S101 -- the run has it
    if "given" in told:
        return GroundingJob(read, told["given"], told["schema"], Acceptance(**told["acceptance"]))
    schema, only = read_schema(told["schema"]), tuple(map(tuple, told["only"]))
    return DocumentJob(
        read,
        Task(told["task"], narrow_schema(schema, narrow_root(schema.root, frozenset(only))) if only else schema, {}),
        _decode_prompt(told["prompt"]),
        told["model"],
        _decode_reading(told["reading"]),
        told["manifest"],
        told["checked_elsewhere"],
        only,
    )


def _describe_prompt(prompt: Prompt) -> dict[str, Json]:
    mappings = {name: dict(getattr(prompt, name)) for name in ("notes", "cited", "declared")}
    return {**asdict(prompt), **mappings}


def _decode_prompt(told: Mapping[str, Any]) -> Prompt:
    examples = told["examples"]
    if examples is not None:
        entries = (Example(**{**one, "corrected": tuple(one["corrected"])}) for one in examples["entries"])
        examples = Examples(tuple(entries), examples["tokens"], tuple(examples["fields"]))
    return Prompt(**{**told, "strategy": Strategy(**told["strategy"]), "examples": examples})


def _describe_reading(reading: Reading) -> dict[str, Json]:
    told = asdict(reading)
    return {**told, "traits": {**told["traits"], "refuses": sorted(reading.traits.refuses)}}


def _decode_reading(told: Mapping[str, Any]) -> Reading:
    traits, weights = told["traits"], told["calibration"]
    classes = {ModelClass(name): ClassWeights(**one) for name, one in weights["classes"].items()}
    return Reading(
        ModelTraits(
            **{
                **traits,
                "model_class": ModelClass(traits["model_class"]),
                "refuses": frozenset(traits["refuses"]),
            }
        ),
        Acceptance(**told["acceptance"]),
        Calibration(**{**weights, "classes": classes}),
        told["day_first"],
    )


def encode_said(said: Mapping[QuestionPath, Said]) -> bytes:
    return json.dumps([[list(path), _describe_outcome(outcome)] for path, outcome in said.items()]).encode()


def _describe_outcome(outcome: Said) -> dict[str, Json]:
    usage = asdict(outcome.usage)
    if isinstance(outcome, Reply):
        besides = [[list(path), value] for path, value in outcome.said_besides]
        return {"value": outcome.value, "usage": usage, "besides": besides}
    cut = {"cut": outcome.text} if isinstance(outcome, ReplyCutShort) else {}
    return {"error": str(outcome), "reason": outcome.reason, "usage": usage, **cut}


def decode_said(data: bytes) -> dict[QuestionPath, Said]:
    return {tuple(path): _decode_outcome(told) for path, told in json.loads(data)}


def _decode_outcome(told: Mapping[str, Any]) -> Said:
    usage = Usage(**told["usage"])
    if "value" in told:
        besides = tuple((tuple(path), value) for path, value in told["besides"])
        return Reply(told["value"], usage, said_besides=besides)
    error = (
        ReplyCutShort(told["error"], text=told["cut"])
        if "cut" in told
        else ModelError(told["error"], reason=told["reason"])
    )
    error.usage = usage
    return error


def encode_problems(problems: tuple[Problem, ...]) -> bytes:
    return json.dumps([[p.code, list(p.path), p.message] for p in problems]).encode()


def decode_problems(data: bytes) -> tuple[Problem, ...]:
    return tuple(Problem(code, tuple(path), message) for code, path, message in json.loads(data))


def describe_requests(requests: Mapping[QuestionPath, Request]) -> Json:
    """Requests as they are told: of their pictures the digests."""
    return [[list(path), _describe_request(request)] for path, request in requests.items()]


def _describe_request(request: Request) -> Json:
    pictures = [page.digest for page in request.pictures]
    return {**asdict(replace(request, pictures=())), "pictures": pictures}


def read_requests(told: Any, pictures: Mapping[str, PageImage] = MappingProxyType({})) -> dict[QuestionPath, Request]:
    """The requests that a worker tells of, with the document's pictures, which are given by their digests.

    Raises ValueError, TypeError or KeyError for what is none.
    """
    return {_read_path(path): _read_request(request, pictures) for path, request in told}


def _read_path(told: Any) -> QuestionPath:
    if not isinstance(told, list) or not all(type(step) is int for step in told):
        raise ValueError("no path")
    return tuple(told)


def _read_request(told: Mapping[str, Any], pictures: Mapping[str, PageImage]) -> Request:
    request = Request(**{**told, "pictures": tuple(pictures[digest] for digest in told["pictures"])})
    texts = (request.model, request.system, request.user, request.label)
    if not all(isinstance(text, str) for text in texts) or not isinstance(request.grammar, str | None):
        raise ValueError("no request")
    if not isinstance(request.schema, dict) or not isinstance(request.parameters, dict):
        raise ValueError("no request")
    return request


def describe_summary(summary: RecordSummary) -> Json:
    return asdict(summary)


def read_summary(told: Mapping[str, Any]) -> RecordSummary:
    """The summary that a worker tells. Raises ValueError, TypeError or KeyError for what is none."""
    counts = ("values", "unsupported", "conflicts", "failures")
    if not all(type(told[name]) is int for name in counts) or not isinstance(told["message"], str):
        raise ValueError("no summary")
    if not isinstance(told["members"], dict) or not all(
        amount is None or isinstance(amount, int | float) for amount in told["usage"].values()
    ):
        raise ValueError("no summary")
    return replace(RecordSummary(**told), status=Status(told["status"]), usage=Usage(**told["usage"]))
