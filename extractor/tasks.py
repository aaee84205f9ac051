"""A task: a folder with a schema and prompt versions, by path or by the name of one that ships.

schema.py     a Pydantic class named Record, or
schema.json   a JSON Schema
NAME.md       a prompt version each
"""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from extractor import prompts, schemas
from extractor.domain import Json
from extractor.errors import TaskError
from extractor.prompts import Prompt
from extractor.schemas import Schema

_PACKAGE = Path(__file__).parent
SHIPPED = next((p for p in (_PACKAGE / "_prompts", _PACKAGE.parent / "prompts") if p.is_dir()), _PACKAGE / "_prompts")
"""Where the wheel, or a checkout, keeps the tasks that come with the project."""


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    schema: Schema
    prompts: Mapping[str, Prompt]
    model: type[BaseModel] | None = None
    """The Pydantic class, where the schema is one; its own validators have the last word on a record."""

    def prompt(self, name: str | None) -> Prompt:
        """The prompt version of that name; the task's preferred without one. Raises TaskError for an unknown one."""
        if name is None:
            versions = list(self.prompts.values())
            return next((p for p in versions if p.preferred), versions[0])
        if name not in self.prompts:
            raise TaskError(f"Task {self.name} has no prompt {name!r}; choose from {', '.join(self.prompts)}.")
        return self.prompts[name]


def shipped() -> list[str]:
    return sorted(p.name for p in SHIPPED.iterdir() if _schema_file(p)) if SHIPPED.is_dir() else []


def _schema_file(folder: Path) -> Path | None:
    return next((folder / n for n in ("schema.py", "schema.json") if (folder / n).is_file()), None)


def load(where: str) -> Task:
    """The task in the folder `where`, or the shipped task of that name.

    A `schema.py` is run, so a task's folder is trusted as code is. Raises TaskError, naming file and line.
    """
    folder = Path(where)
    if not folder.is_dir():
        folder = SHIPPED / where
        if Path(where).name != where or not folder.is_dir():
            raise TaskError(f"There is no task {where!r}; give a folder, or one of: {', '.join(shipped())}.")
    file = _schema_file(folder)
    if file is None:
        raise TaskError(f"{folder} holds neither schema.py nor schema.json; add one of them.")
    model = _model(file) if file.suffix == ".py" else None
    source = _model_schema(model, file) if model else _json(file)
    versions = {path.stem: prompts.read(path) for path in sorted(folder.glob("*.md")) if path.stem != "README"}
    if not versions:
        raise TaskError(f"{folder} holds no prompt; add one as a Markdown file, such as default.md.")
    try:
        schema = schemas.read(source)
    except TaskError as error:
        raise TaskError(f"{file}: {error}") from error
    task = Task(folder.resolve().name, schema, versions, model)
    for version in versions.values():
        for group in version.notes:
            if group not in schema.groups:
                known = ", ".join(schema.groups)
                raise TaskError(f"{folder / version.name}.md notes group {group!r}; the schema has {known}.")
    return task


def _model(file: Path) -> type[BaseModel]:
    spec = importlib.util.spec_from_file_location(f"extractor_task_{file.resolve().parent.name}", file)
    if spec is None or spec.loader is None:
        raise TaskError(f"{file} cannot be loaded as Python; check the file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Pydantic looks its annotations up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise TaskError(f"{_place(error, file)}: {type(error).__name__}: {error}") from error
    record = getattr(module, "Record", None)
    if not (isinstance(record, type) and issubclass(record, BaseModel)):
        raise TaskError(f"{file} defines no Pydantic class named Record; add one.")
    return record


def _place(error: Exception, file: Path) -> str:
    """File and line of the user's code that raised."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{file}, line {error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file]
    return f"{file}, line {lines[-1]}" if lines else str(file)


def _model_schema(model: type[BaseModel], file: Path) -> dict[str, Any]:
    try:
        return model.model_json_schema()
    except Exception as error:
        raise TaskError(f"{file}: Record has no JSON Schema ({error}); use plain types.") from error


def _json(file: Path) -> Json:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{file} cannot be read ({error}); check the file.") from error
    except json.JSONDecodeError as error:
        raise TaskError(f"{file}, line {error.lineno}: not JSON ({error.msg}); correct it.") from error
