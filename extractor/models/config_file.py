"""`extractor.toml`: settings for all models, and models by a name of one's own.

    [defaults]                      settings for all models; model = NAME is the one that is asked when none is named
    patience = 300

    [models.fast]                   --model fast
    model = "gpt-5-mini"            what it is called where it is; "fast" without it
    base_url = "https://host/v1"
    key_env = "HOST_KEY"            the variable that holds its key; or key_file, a path
    reasoning_effort = "low"        any setting, as with --set
    header.X-Team = "docs"

    [ensembles]                     --models best
    best = ["fast", "gpt-5"]        models that are asked together

    [tasks.invoice]                 how `run` asks for this task, unless flags say otherwise (extractor tune writes it)
    prompt = "groups"
    ask = "whole"
    chunk_tokens = 1400
    examples = "auto"
    examples_tokens = 350
    examples_for = ["lines"]

One lies in the user's configuration folder, and is trusted; another may be named. One that is found in the working
folder comes with whatever the folder came with: it may change how a model is asked, but not which, where, with what
key or for how much (docs/security.md).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import MachineError, UsageError
from extractor.files import parse_toml, read_toml_file, write_atomically
from extractor.models.settings import TABLES, ModelSettings, build_settings, list_setting_names
from extractor.types import Json

CONFIG_FILE = "extractor.toml"
_PLACES = ("base_url", "key_env", "key_file", "model")
"""What a table says of a model beside settings."""
_SAFE = frozenset(("temperature", "seed", "top_p", "reasoning_effort", "thinking", "max_output", "omit", "dialect")) | {
    "token_probabilities",
    "window",
    "class",
    "vision",
    "patience",
    "request_deadline",
    "document_deadline",
    "rpm",
    "tpm",
}
"""What a file that nobody named may set."""
EXAMPLES_OF_THEIR_OWN = ("auto", "none")
"""What is said of examples without a path."""


@dataclass(frozen=True, slots=True)
class ConfiguredModel:
    """What a file says of one model."""

    settings: ModelSettings = field(default_factory=ModelSettings)
    base_url: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    model: str | None = None
    """What it is called at its endpoint."""


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """How a task is asked for; None where a file does not say it."""

    prompt: str | None = None
    """Name of a prompt version of the task."""
    ask: str | None = None
    """"groups" or "whole", over what the version says."""
    chunk_tokens: int | None = None
    examples: str | None = None
    """A path, "auto" or "none"."""
    examples_tokens: int | None = None
    examples_for: tuple[str, ...] = ()
    """The fields that examples are shown for; all where none is named."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What files say, the later ones over the earlier ones."""

    defaults: ConfiguredModel = field(default_factory=ConfiguredModel)
    models: Mapping[str, ConfiguredModel] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    ensembles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of models that are asked together, by a name of one's own."""
    tasks: Mapping[str, TaskSettings] = field(default_factory=dict)

    def find_model(self, name: str) -> ConfiguredModel:
        """What is said of the model, over what is said of all."""
        return _override(self.defaults, self.models.get(name, ConfiguredModel()))

    def override_with(self, other: Configuration) -> Configuration:
        names = dict.fromkeys([*self.models, *other.models])
        none = ConfiguredModel()
        models = {name: _override(self.models.get(name, none), other.models.get(name, none)) for name in names}
        files, ensembles = (*self.files, *other.files), {**self.ensembles, **other.ensembles}
        tasks = {**self.tasks, **other.tasks}
        return Configuration(_override(self.defaults, other.defaults), models, files, ensembles, tasks)


def _override(one: ConfiguredModel, other: ConfiguredModel) -> ConfiguredModel:
    own_key = other.key_env or other.key_file
    return ConfiguredModel(
        one.settings.override_with(other.settings),
        other.base_url or one.base_url,
        other.key_env if own_key else one.key_env,
        other.key_file if own_key else one.key_file,
        other.model or one.model,
    )


def load_configuration(named: Path | None = None, folder: Path | None = None) -> Configuration:
    """What the user's own file says, and over it the file that is named, else the one in `folder`, if there is one.

    Raises UsageError, naming file and key, for a file that cannot be used.
    """
    found = Configuration()
    own = find_user_config()
    if own.is_file():
        found = read_config_file(own)
    if named is not None:
        return found.override_with(read_config_file(named))
    here = None if folder is None else folder / CONFIG_FILE
    if here is not None and here.is_file() and not (own.is_file() and here.samefile(own)):
        found = found.override_with(read_config_file(here, named=False))
    return found


def find_user_config() -> Path:
    """Where the user's own file is, be it there or not."""
    import platformdirs  # only what asks a model waits for it

    return platformdirs.user_config_path("extractor", appauthor=False) / CONFIG_FILE


def read_config_file(path: Path, *, named: bool = True) -> Configuration:
    """What one file says. Of a file that nobody named, only what may not be misused is taken; all else is refused."""
    try:
        told = read_toml_file(path)
    except OSError as error:
        raise UsageError(f"The config file {path} cannot be read ({error.strerror}); check the path.") from None
    except ValueError as error:
        raise UsageError(f"The config file {path} is not TOML ({error}); correct it.") from None
    if unknown := [key for key in told if key not in ("defaults", "models", "ensembles", "tasks")]:
        tables = "[defaults], [models.NAME], [ensembles] or [tasks.NAME]"
        raise UsageError(f"{path}: there is no {unknown[0]!r} here; write {tables}.")
    models = told.get("models", {})
    if not isinstance(models, dict) or not all(isinstance(one, dict) for one in models.values()):
        raise UsageError(f"{path}: models are tables; write [models.NAME].")
    defaults = told.get("defaults", {})
    if not isinstance(defaults, dict):
        raise UsageError(f"{path}: defaults is a table; write [defaults].")
    return Configuration(
        _read_model(path, "defaults", defaults, named),
        {name: _read_model(path, f"models.{name}", one, named) for name, one in models.items()},
        (path,),
        _read_ensembles(path, told.get("ensembles", {}), named),
        _read_tasks(path, told.get("tasks", {}), named),
    )


def _read_tasks(path: Path, told: Json, named: bool) -> dict[str, TaskSettings]:
    if not isinstance(told, dict) or not all(isinstance(one, dict) for one in told.values()):
        raise UsageError(f"{path}: tasks are tables; write [tasks.NAME].")
    return {name: _read_task(path, name, table, named) for name, table in told.items()}


def _read_task(path: Path, name: str, table: Mapping[str, Json], named: bool) -> TaskSettings:
    where = f"{path}, [tasks.{name}]"
    kinds = {"prompt": str, "ask": str, "chunk_tokens": int, "examples": str, "examples_tokens": int}
    table = dict(table)
    fields = table.pop("examples_for", [])
    if not isinstance(fields, list) or not all(isinstance(name, str) and name for name in fields):
        raise UsageError(f'{where}: examples_for is a list of fields; write ["NAME"].')
    for key, value in table.items():
        if key not in kinds:
            raise UsageError(f"{where}: there is no key {key!r}; those are {', '.join(kinds)}, examples_for.")
        if type(value) is not kinds[key] or value in ("", 0):
            raise UsageError(
                f"{where}: {key} is {value!r}; give a {'text' if kinds[key] is str else 'number above 0'}."
            )
    examples = table.get("examples")
    if not named and examples not in (None, *EXAMPLES_OF_THEIR_OWN):
        raise UsageError(
            f"{where} lies in the working folder and names a file of examples, which only a file that you name may: "
            f"give --config {path.name} if you trust it."
        )
    if examples not in (None, *EXAMPLES_OF_THEIR_OWN):
        examples = os.fspath(path.parent / Path(str(examples)).expanduser())
    return TaskSettings(**{**table, "examples": examples, "examples_for": tuple(fields)})


def _read_ensembles(path: Path, told: Json, named: bool) -> dict[str, tuple[str, ...]]:
    if told and not named:
        raise UsageError(
            f"{path} lies in the working folder and names models to ask, which only a file that you name may: "
            f"give --config {path.name} if you trust it."
        )
    ensembles: dict[str, tuple[str, ...]] = {}
    for name, models in told.items() if isinstance(told, dict) else [("ensembles", None)]:
        if not isinstance(models, list) or len(models) < 2 or not all(isinstance(m, str) and m for m in models):
            raise UsageError(f'{path}, [ensembles]: {name} is a list of two models or more; write ["A", "B"].')
        ensembles[name] = tuple(models)
    return ensembles


def _read_model(path: Path, where: str, table: Mapping[str, Json], named: bool) -> ConfiguredModel:
    told = {TABLES.get(name, name): value for name, value in table.items()}
    known = [*_PLACES, *(TABLES.get(name.removesuffix(".NAME"), name) for name in list_setting_names())]
    for name in told:
        if name in ("key", "api_key"):
            raise UsageError(f"{path}, [{where}]: a key does not belong in this file; name its variable with key_env.")
        if name not in known:
            raise UsageError(f"{path}, [{where}]: there is no key {name!r}; those are {', '.join(known)}.")
        if not named and name not in _SAFE:
            raise UsageError(
                f"{path} lies in the working folder and sets {name}, which only a file that you name may: "
                f"give --config {path.name} if you trust it."
            )
    places = {name: told.pop(name) for name in _PLACES if name in told}
    for name, value in places.items():
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"{path}, [{where}]: {name} is text; write it in quotation marks.")
    if where == "defaults" and (extra := [name for name in places if name != "model"]):
        raise UsageError(f"{path}, [defaults]: {extra[0]} is of one model; write it in a table [models.NAME].")
    if "key_env" in places and "key_file" in places:
        raise UsageError(f"{path}, [{where}]: key_env and key_file contradict each other; give one.")
    settings = build_settings(_resolve_paths(told, path), f"{path}, [{where}]")
    if "key_file" in places:
        places["key_file"] = os.fspath(path.parent / Path(str(places["key_file"])).expanduser())
    return ConfiguredModel(settings, **places)


def _resolve_paths(told: Mapping[str, Json], file: Path) -> dict[str, Json]:
    """A path in a file is meant from the file's folder."""
    found = {name: one for name in ("ca_file", "engine") if isinstance(one := told.get(name), str)}
    if Path(found.get("engine", "")).name == found.get("engine"):
        del found["engine"]  # a name, and no path
    return {**told, **{name: os.fspath(file.parent / Path(one).expanduser()) for name, one in found.items()}}


def format_task_table(task: str, settings: Mapping[str, Json]) -> str:
    """The lines of a config file that say how a task is asked for."""
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
    return "\n".join([f"[tasks.{_quote_key(task)}]", *lines, ""])


def write_task_table(path: Path, task: str, settings: Mapping[str, Json]) -> None:
    """Writes the table into a config file, in place of the one that it has of the task; all else stays as it is.

    Raises UsageError for a file that is no config file, and MachineError where it cannot be written.
    """
    text = ""
    if path.exists():
        read_config_file(path)
        text = path.read_text(encoding="utf-8")
    table = format_task_table(task, settings)
    head = re.compile(rf"^\[tasks\.{re.escape(_quote_key(task))}\][^\n]*\n(?:(?!\[)[^\n]*(?:\n|\Z))*", re.M)
    if found := head.search(text):
        comments = "".join(re.findall(r"^[ \t]*(?:#[^\n]*)?\n", found[0], re.M))
        changed = text[: found.start()] + table + comments + text[found.end() :]
    else:
        changed = f"{text.rstrip()}\n\n{table}" if text.strip() else table
    told = parse_toml(changed)
    if told.get("tasks", {}).get(task) != dict(settings):
        raise UsageError(f"{path} has the table of {task} in another form; correct it by hand.")
    try:
        write_atomically(path, [changed.encode()])
    except OSError as error:
        raise MachineError(f"{path} cannot be written ({error.strerror}); name another file.") from error


def _quote_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
