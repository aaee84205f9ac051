"""A task: a folder with a schema and prompt versions, by the name of one that ships or by path; or a schema alone.

schema.py     a Pydantic class named Record, or
schema.json   a JSON Schema
NAME.md       a prompt version each
examples.jsonl    passages with the right answers, which prompts show where that is wanted

A schema alone, my.py:Invoice or invoice.schema.json, is asked for with a prompt that ships and knows no task.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from extractor.errors import TaskError
from extractor.extraction import prompt as prompts
from extractor.extraction.examples import EXAMPLE_TOKENS, Examples
from extractor.extraction.prompt import Prompt
from extractor.schema.reader import Schema, read_schema
from extractor.types import Json

_PACKAGE = Path(__file__).parent.parent
SHIPPED_TASKS = next(
    (p for p in (_PACKAGE / "_prompts", _PACKAGE.parent / "prompts") if p.is_dir()), _PACKAGE / "_prompts"
)
"""Where the wheel, or a checkout, keeps the tasks that come with the project."""
_NAMES_CLASS = re.compile(r"\.py:\w+$")
EXAMPLES_FILE = "examples.jsonl"
"""The file of examples in a task's folder."""
RECORD_CLASS = "Record"
"""The class of a task's schema.py."""
MAX_SOUND_SCHEMAS = 1000
_sound_schemas: set[bytes] = set()
"""Digests of JSON Schemas that were found to be ones: checking takes longer than all else before a model is asked, and
who calls `extract` for one document after the other gives the same schema each time."""


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    schema: Schema
    prompts: Mapping[str, Prompt]
    model_class: type[BaseModel] | None = None
    """The Pydantic class, where the schema is one; its own validators have the last word on a record."""
    examples_file: Path | None = None
    """The examples in the task's folder, where it has any."""

    def choose_prompt(self, name: str | None) -> Prompt:
        """The prompt version of that name; the task's preferred without one. Raises TaskError for an unknown one."""
        if name is None:
            versions = list(self.prompts.values())
            return next((p for p in versions if p.preferred), versions[0])
        if name not in self.prompts:
            raise TaskError(f"Task {self.name} has no prompt {name!r}; choose from {', '.join(self.prompts)}.")
        return self.prompts[name]

    def with_examples(
        self, file: Path | None = None, *, tokens: int = EXAMPLE_TOKENS, fields: Sequence[str] = ()
    ) -> Task:
        """The task whose prompt versions show corrected passages of other documents (docs/tune.md).

        `file` is one that `extractor examples from` wrote, without it examples.jsonl of the task's folder; `tokens`
        what one question shows of them at most, as estimated; `fields` the top-level fields that they are shown for,
        all of them without it. Raises TaskError where there is no such file, for a line of it that cannot be used, and
        for a field that the schema has not.
        """
        # what proves examples brings more than a task needs
        from extractor.extraction.example_files import check_taught_fields, read_examples

        path = file or self.examples_file
        if path is None:
            raise TaskError(f"The task {self.name} has no {EXAMPLES_FILE} in its folder; name a file.")
        read = read_examples(path, self.schema)
        if read.refused or not read.entries:
            raise TaskError(next(iter(read.refused), f"{path} holds no examples."))
        check_taught_fields(fields, self.schema)
        examples = Examples(read.entries, tokens, tuple(fields))
        return replace(self, prompts={name: one.show_examples(examples) for name, one in self.prompts.items()})


def list_shipped_tasks() -> list[str]:
    return sorted(p.name for p in SHIPPED_TASKS.iterdir() if _find_schema_file(p)) if SHIPPED_TASKS.is_dir() else []


def _find_schema_file(folder: Path) -> Path | None:
    return next((folder / n for n in ("schema.py", "schema.json") if (folder / n).is_file()), None)


def load_task(where: str | Path) -> Task:
    """The shipped task of the name `where`, or the task in the folder that `where` is the path of.

    A folder's `schema.py` is run, so it is trusted as code is, and a folder of the working directory is meant only when
    it is written as a path: `./mine`, `mine/`, `Path("mine")`. Raises TaskError, naming file and line.
    """
    return read_task_folder(find_task_folder(where))


def find_task_folder(where: str | Path, base: Path = Path()) -> Path:
    """The folder of a task; a path is relative to `base`. Raises TaskError where there is none."""
    if not is_written_as_path(where):
        if where in list_shipped_tasks():
            return SHIPPED_TASKS / where
        is_beside = where != "" and (base / where).is_dir()
        beside = f"; ./{where} is the folder" if is_beside else ", or a folder as a path, such as ./mine"
        raise TaskError(f"No task {str(where)!r} ships; name one of {', '.join(list_shipped_tasks())}{beside}.")
    folder = base / where
    if not folder.is_dir():
        raise TaskError(
            f"There is no task folder {folder}; check the path, or name one of those that ship: "
            f"{', '.join(list_shipped_tasks())}."
        )
    return folder


def find_task_code(where: str | Path | None, schema: str | None = None, base: Path = Path()) -> Path | None:
    """The Python file that is run where this task, or this schema alone, is loaded; None where none is, or it ships.

    Raises TaskError as `find_task_folder` does.
    """
    if schema is not None:
        file = Path(schema.rpartition(":")[0] if _NAMES_CLASS.search(schema) else schema)
        return file if file.suffix == ".py" else None
    if where is None:
        return None
    folder = find_task_folder(where, base)
    found = _find_schema_file(folder)
    is_own = folder.resolve().parent == SHIPPED_TASKS.resolve()
    return None if found is None or found.suffix != ".py" or is_own else found


def is_written_as_path(where: str | Path) -> bool:
    """Whether a folder is meant, and not a name: `./mine`, `mine/`, `/srv/mine`, `.`, any Path."""
    return isinstance(where, Path) or where.startswith(".") or os.sep in where or (os.altsep or os.sep) in where


def read_task_folder(folder: Path) -> Task:
    """The task in a folder. Its `schema.py` is run. Raises TaskError, naming file and line."""
    file = _find_schema_file(folder)
    if file is None:
        raise TaskError(f"{folder} holds neither schema.py nor schema.json; add one of them.")
    model = _load_model_class(file, RECORD_CLASS) if file.suffix == ".py" else None
    source = _model_schema(model, file) if model else _read_json(file)
    versions = {path.stem: prompts.read_prompt(path) for path in sorted(folder.glob("*.md")) if path.stem != "README"}
    if not versions:
        raise TaskError(f"{folder} holds no prompt; add one as a Markdown file, such as default.md.")
    schema = _read_schema(source, file)
    examples = folder / EXAMPLES_FILE
    task = Task(folder.resolve().name, schema, versions, model, examples if examples.is_file() else None)
    for version in versions.values():
        for group in version.notes:
            if group not in schema.groups:
                known = ", ".join(schema.groups)
                raise TaskError(f"{folder / version.name}.md notes group {group!r}; the schema has {known}.")
    return task


def task_from_schema(where: str, prompt: Path | None = None) -> Task:
    """A task that is a schema alone: FILE.py:CLASS, FILE.py with one class to mean, or a JSON Schema file.

    Its name is the schema's; `prompt` is a prompt version to ask with instead of the one that ships.
    A Python file is run, so it is trusted as code is. Raises TaskError, naming file and line.
    """
    path, _, name = where.rpartition(":") if _NAMES_CLASS.search(where) else (where, "", "")
    file = Path(path)
    if not file.is_file():
        raise TaskError(f"There is no schema file {path}; give FILE.py:CLASS or a JSON Schema file.")
    if file.suffix == ".py":
        return task_from_model(_load_model_class(file, name), prompt, file)
    if file.suffix != ".json":
        raise TaskError(f"{file} is neither Python (.py) nor a JSON Schema (.json); rename it or convert it.")
    source = _read_json(file)
    title = str(source.get("title") or "") if isinstance(source, dict) else ""
    version = prompts.read_prompt(prompt or SHIPPED_TASKS / "default.md")
    return Task(_task_name(title, file), _read_schema(source, file), {version.name: version})


def task_from_json_schema(source: Mapping[str, Json], prompt: Path | None = None) -> Task:
    """A task that is a JSON Schema alone, as a dict; its name is the schema's title. Raises TaskError."""
    title = str(source.get("title") or "")
    version = prompts.read_prompt(prompt or SHIPPED_TASKS / "default.md")
    file = Path("schema.json")
    return Task(_task_name(title, file), _read_schema(dict(source), file), {version.name: version})


def task_from_model(model: type[BaseModel], prompt: Path | None = None, file: Path | None = None) -> Task:
    """A task that is a Pydantic class alone; `file` is where it stands, for messages. Raises TaskError."""
    file = file or Path(f"{model.__name__}.py")
    version = prompts.read_prompt(prompt or SHIPPED_TASKS / "default.md")
    name = _task_name(model.__name__ if model.__name__ != RECORD_CLASS else "", file)
    return Task(name, _read_schema(_model_schema(model, file), file), {version.name: version}, model)


def _task_name(title: str, file: Path) -> str:
    return slugify_title(title) or slugify_title(file.name.split(".")[0]) or "schema"


def choose_task(where: str | None, schema: str | None, prompt: str | None) -> tuple[Task, Prompt]:
    """The task and the prompt version that flags name; beside a schema alone, the prompt is a file.

    Raises TaskError where neither task nor schema is named, or both are: nothing is taken for granted of documents.
    """
    if schema is None:
        if where is None:
            raise TaskError(
                f"Say what to look for: --task with one of {', '.join(list_shipped_tasks())} or a folder of yours, "
                "or --schema FILE (extractor schema init drafts one from an example of the JSON you want)."
            )
        task = load_task(where)
        return task, task.choose_prompt(prompt)
    if where is not None:
        raise TaskError(f"--task {where} and --schema {schema} are one too many; leave one of them out.")
    task = task_from_schema(schema, Path(prompt) if prompt else None)
    return task, task.choose_prompt(None)


def slugify_title(title: str) -> str:
    """A title as a name that a folder can have: "Purchase Order" is purchase-order."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60]


def _read_schema(source: Json, file: Path) -> Schema:
    if file.suffix == ".json":
        _check_json_schema(source, file)
    try:
        return read_schema(source)
    except TaskError as error:
        raise TaskError(f"{file}: {error}") from error


def _check_json_schema(source: Json, file: Path) -> None:
    """Raises TaskError for what is no JSON Schema by the draft that it names itself."""
    # 0.1 s of imports that only a task with a JSON Schema should wait for
    from jsonschema import Draft202012Validator, SchemaError, validators

    if not isinstance(source, dict):
        raise TaskError(f"{file} holds no JSON object; write a JSON Schema.")
    digest = hashlib.sha256(repr(source).encode("utf-8", "surrogatepass")).digest()
    if digest in _sound_schemas:
        return
    try:
        validators.validator_for(source, default=Draft202012Validator).check_schema(source)
    except SchemaError as error:
        place = "/" + "/".join(map(str, error.absolute_path))
        raise TaskError(f"{file} is no JSON Schema at {place}: {error.message[:200]}.") from error
    if len(_sound_schemas) >= MAX_SOUND_SCHEMAS:
        _sound_schemas.clear()
    _sound_schemas.add(digest)


def _load_model_class(file: Path, name: str) -> type[BaseModel]:
    """The Pydantic class of that name; without a name, the file's only one, or the one named Record."""
    spec = importlib.util.spec_from_file_location(f"extractor_task_{file.resolve().parent.name}_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise TaskError(f"{file} cannot be loaded as Python; check the file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Pydantic looks its annotations up there
    try:
        with _importing_from(file.resolve().parent):
            spec.loader.exec_module(module)
    except Exception as error:
        raise TaskError(f"{_error_location(error, file)}: {type(error).__name__}: {error}") from error
    own = {n: c for n, c in vars(module).items() if _is_class(c) and c.__module__ == module.__name__}
    record = getattr(module, name, None) if name else own.get(RECORD_CLASS) or _outermost_class(own)
    if not _is_class(record):
        known = f"; choose from {', '.join(own)}" if own else "; add one"
        if not name and own:
            raise TaskError(f"{file} defines several Pydantic classes; name one as {file}:{next(reversed(own))}.")
        raise TaskError(f"{file} defines no Pydantic class named {name or RECORD_CLASS}{known}.")
    return record


def _is_class(value: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel


def _outermost_class(classes: Mapping[str, type[BaseModel]]) -> type[BaseModel] | None:
    """The one class that is no part of another; None when there are several, or none."""
    inner: set[str] = set()
    for name, one in classes.items():
        with contextlib.suppress(Exception):  # a class without a JSON Schema is told of when it is chosen
            inner |= set(one.model_json_schema().get("$defs", ())) - {name}
        inner |= {base.__name__ for base in one.__mro__[1:]}
    left = [one for name, one in classes.items() if name not in inner]
    return left[0] if len(left) == 1 else None


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Lets a schema import what stands beside it; last in line, so that it takes no library's place."""
    sys.path.append(str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))


def _error_location(error: Exception, file: Path) -> str:
    """File and line of the user's code that raised."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{file}, line {error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file]
    return f"{file}, line {lines[-1]}" if lines else str(file)


class _TaskSchemaGenerator(GenerateJsonSchema):
    """Pydantic's own, but a Decimal is a number: by itself it is as well any text."""

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        return self.float_schema(schema)


def _model_schema(model: type[BaseModel], file: Path) -> dict[str, Any]:
    try:
        return model.model_json_schema(schema_generator=_TaskSchemaGenerator)
    except Exception as error:
        raise TaskError(f"{file}: {model.__name__} has no JSON Schema ({error}); use plain types.") from error


def _read_json(file: Path) -> Json:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{file} cannot be read ({error}); check the file.") from error
    except json.JSONDecodeError as error:
        raise TaskError(f"{file}, line {error.lineno}: not JSON ({error.msg}); correct it.") from error
