"""What a caller hands over, as the steps take it: classes and texts to tasks and documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from extractor.documents.discovery import Source, find_sources, read_source
from extractor.errors import DocumentError, TaskError, UsageError
from extractor.extraction.prompt import Prompt, read_prompt
from extractor.extraction.task import Task, task_from_model
from extractor.types import Document


@dataclass(frozen=True, slots=True)
class ExtractionInputs:
    task: Task
    prompt: Prompt
    keep_unsupported: bool


def resolve_inputs(
    schema: type[Any] | Task, prompt: str | Path | None = None, keep_unsupported: bool = False
) -> ExtractionInputs:
    """What is asked for. Raises TaskError for a class or prompt that cannot be used."""
    task = schema if isinstance(schema, Task) else _build_task(schema)
    version = read_prompt(prompt) if isinstance(prompt, Path) else task.choose_prompt(prompt)
    return ExtractionInputs(task, version, keep_unsupported)


def _build_task(model: type[Any]) -> Task:
    """The task of a class that comes with no prompt of its own."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TaskError(f"{model!r} is no Pydantic class; give one, or a task that load_task has read.")
    return task_from_model(model)


def load_input_document(source: str | Path | Document) -> Document:
    """Raises DocumentError for a file or text that holds nothing to read, UsageError for a text that names a file."""
    match source:
        case Document():
            return source
        case Path():
            found = find_sources([source])
            if len(found) != 1:
                raise UsageError(f"{source} holds {len(found)} documents; use extract_all for them.")
            return read_source(found[0])
        case str():
            if _names_a_file(source):
                raise UsageError(f"{source!r} is a file's name, not a text; give Path({source!r}) to have it read.")
            if not source.strip():
                raise DocumentError("The text is empty; there is nothing to extract.", reason="empty")
            return Document("text", source)
    raise UsageError(f"A document is text, a Path or a Document, and not of type {type(source).__name__}.")


def _names_a_file(text: str) -> bool:
    if len(text) > 1000 or "\n" in text or not text.strip():
        return False
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def expand_sources(sources: Iterable[str | Path | Document]) -> Iterator[str | Document | Source]:
    """The documents one by one; a folder is the files in it."""
    for source in [sources] if isinstance(sources, str | Path | Document) else sources:
        if isinstance(source, Path):
            yield from find_sources([source])
        else:
            yield source
