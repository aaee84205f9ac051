"""Files of several kinds in one folder: which task each goes to, by rules of its name, or by what a model says of it.

A model is asked as about anything else, for a record that names the task and cites the words that show it: so the same
cassettes, cache, budget, evidence and confidence hold. A document whose words are not found goes to no task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from extractor.documents.discovery import Source
from extractor.documents.formats.detection import recognise_content
from extractor.documents.parts import TextPart
from extractor.errors import TaskError
from extractor.extraction.task import Task, task_from_json_schema
from extractor.files import read_toml_file
from extractor.results.model import ResultFile
from extractor.types import Json, Span, Status

FIRST_CHARACTERS = 6000
"""Characters from a document's beginning that a model is shown to tell what it is: some two pages."""
_TASK, _WORDS = "task", "words"
_KEYS = frozenset({"task", "schema", "prompt", "description", "files", "formats", "default"})
_RESERVED_NAMES = frozenset({"route", "split"})


@dataclass(frozen=True, slots=True)
class Route:
    """A task that documents go to, and which do."""

    name: str
    """Of its folder in the output."""
    task: str | None = None
    schema: str | None = None
    prompt: str | None = None
    description: str = ""
    """Which documents are meant, for the model."""
    files: tuple[str, ...] = ()
    """Patterns of names or paths that go here unasked."""
    formats: tuple[str, ...] = ()
    """Formats that go here unasked, as their suffix is called."""
    is_default: bool = False
    """Whether what no rule and no words speak for goes here."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a document goes, and why. `route` is None where nobody knows."""

    route: str | None
    by: str
    """"rule", "model", or "default"."""
    confidence: float
    why: str
    """The rule, the words of the document, or why it is not known."""
    words: Span | None = None


def read_routes(file: Path) -> list[Route]:
    """The routes of a TOML file: a table each. Raises TaskError, naming file and place."""
    try:
        told = read_toml_file(file)
    except OSError as error:
        raise TaskError(f"{file} cannot be read ({error.strerror}); check the file.") from error
    except ValueError as error:
        raise TaskError(f"{file} is no TOML ({error}); correct it.") from error
    routes = [_read_route(name, table, file) for name, table in told.items()]
    if not routes:
        raise TaskError(f'{file} names no task; add a table for each, such as [invoice] with task = "invoice".')
    if sum(route.is_default for route in routes) > 1:
        raise TaskError(f"{file} has several defaults; leave one of them.")
    return routes


def _read_route(name: str, table: Any, file: Path) -> Route:
    if not isinstance(table, dict) or (unknown := sorted(set(table) - _KEYS)):
        wrong = f"has {unknown[0]!r}" if isinstance(table, dict) else "is no table"
        raise TaskError(f"[{name}] in {file} {wrong}; a route has {', '.join(sorted(_KEYS))}.")
    if name in _RESERVED_NAMES or not name.replace("-", "").replace("_", "").isalnum():
        raise TaskError(f"[{name}] in {file} cannot be a folder's name here; use letters, digits and - for another.")
    if ("task" in table) == ("schema" in table):
        raise TaskError(f"[{name}] in {file} wants a task or a schema, one of the two; add it.")
    texts = [table.get(key) for key in ("task", "schema", "prompt", "description")]
    lists = [table.get(key, []) for key in ("files", "formats")]
    fits = all(text is None or isinstance(text, str) for text in texts) and all(
        isinstance(one, list) and all(isinstance(word, str) for word in one) for one in lists
    )
    if not fits or not isinstance(table.get("default", False), bool):
        raise TaskError(f"[{name}] in {file} has a value of another type; texts, lists of texts, and true or false.")
    where, schema = table.get("task"), table.get("schema")
    if isinstance(where, str) and (where.startswith(".") or "/" in where):
        where = str(file.parent.absolute() / where)
    return Route(
        name,
        where,
        str(file.parent / schema) if schema else None,
        table.get("prompt"),
        " ".join(table.get("description", "").split()),
        tuple(table.get("files", ())),
        tuple(one.lower().lstrip(".") for one in table.get("formats", ())),
        table.get("default", False),
    )


def apply_rules(source: Source, routes: Sequence[Route]) -> Decision | None:
    """Where the first rule that fits sends a document; None where none does."""
    path = source.whole.path if source.whole is not None else source.path
    for route in routes:
        for pattern in route.files:
            if fnmatchcase(path.name, pattern) or fnmatchcase(path.as_posix(), pattern):
                return Decision(route.name, "rule", 1.0, f"files = {pattern}")
    named = [route for route in routes if route.formats]
    if named and source.refused is None:
        suffixes = {path.suffix.lower().lstrip("."), _recognise(source)} - {""}
        for route in named:
            if found := suffixes.intersection(route.formats):
                return Decision(route.name, "rule", 1.0, f"formats = {sorted(found)[0]}")
    return None


def _recognise(source: Source) -> str:
    try:
        return recognise_content(source.file).lstrip(".") if source.member is None and source.line is None else ""
    except OSError:
        return ""


def build_route_task(routes: Sequence[Route]) -> Task:
    """What is asked of a document: which of the tasks it is for, and the words that show it."""
    meant = "; ".join(f"{route.name}: {route.description or route.task or route.name}" for route in routes)
    schema: dict[str, Json] = {
        "title": "route",
        "type": "object",
        "properties": {
            _TASK: {
                "type": ["string", "null"],
                "enum": [*(route.name for route in routes), None],
                "description": f"which kind of document this is, null if it is none of them. {meant}",
            },
            _WORDS: {
                "type": ["string", "null"],
                "x-form": "verbatim",
                "description": "words of the document that show its kind best, such as its title, as they stand there",
            },
        },
    }
    return task_from_json_schema(schema)


def take_beginning(source: Source) -> Source:
    """The beginning of a document, as a source by the document's own name."""
    if source.whole is not None and source.part is not None:
        span = source.part.span
        first = TextPart(Span(span.start, min(span.end, span.start + FIRST_CHARACTERS)))
        return Source(source.path, source.refused, ocr=source.ocr, whole=source.whole, part=first)
    first = TextPart(Span(0, FIRST_CHARACTERS))
    return Source(source.path, source.refused, ocr=source.ocr, whole=source, part=first)


def read_decision(result: ResultFile, routes: Sequence[Route], threshold: float) -> Decision:
    """Where a model sends a document: only where its words stand there, and it is sure enough."""
    default = next((route.name for route in routes if route.is_default), None)

    def give_up(why: str, confidence: float = 0.0) -> Decision:
        return Decision(default, "default" if default else "model", confidence, why)

    if result.status is Status.FAILED:
        return Decision(None, "model", 0.0, result.error.message if result.error else "it could not be read")
    said = (result.record or {}).get(_TASK)
    if not isinstance(said, str) or said not in {route.name for route in routes}:
        return give_up("the model names no task")
    shown, named = result.evidence.get(f"/{_WORDS}"), result.evidence.get(f"/{_TASK}")
    if shown is None or not shown.spans:
        return give_up(f"the words that the model cites for {said} do not stand in it")
    confidence = min(one.confidence or 0.0 for one in (shown, named) if one is not None)
    if confidence < threshold:
        return give_up(f"the model is not sure enough that it is {said}", confidence)
    first = shown.spans[0]
    quote = " ".join(first.quote.split())[:80]
    return Decision(said, "model", confidence, quote, Span(first.start, first.end))


def add_route_note(source: Source, decision: Decision) -> Source:
    """The document, whose result says why it is of this task."""
    said = f"“{decision.why}”" if decision.by == "model" else decision.why
    how = {"rule": "by the rule ", "model": "by its words ", "default": "since nothing speaks for another: "}
    note = f"Taken for {decision.route} {how[decision.by]}{said} (confidence {decision.confidence:.2f})."
    whole, part = (source, TextPart(Span(0, 1 << 60))) if source.whole is None else (source.whole, source.part)
    assert part is not None  # noqa: S101 -- a part has both
    noted = TextPart(part.span, (*part.notes, note))
    return Source(source.path, source.refused, ocr=source.ocr, whole=whole, part=noted)


def describe_decision(name: str, decision: Decision) -> Mapping[str, Json]:
    """What is told of a decision, as JSON has it."""
    told: dict[str, Json] = {
        "document": name,
        "task": decision.route,
        "by": decision.by,
        "confidence": decision.confidence,
        "why": decision.why,
    }
    if decision.words is not None:
        told |= {"start": decision.words.start, "end": decision.words.end}
    return told
