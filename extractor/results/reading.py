"""Bytes -> ResultFile or RunFile: the one place where files of a run are read.

What is read may be half-written, made by another program or hostile. A file that is no JSON, nested too deeply, of
another format, or without its document's name is refused. In any other, a part that is not as the format has it is
left out, which leaves what the format's class has where nothing is told, and is listed as damage. Keys that the format
does not have are kept. Time and memory are in proportion to the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from extractor.errors import ResultUnreadable
from extractor.files import open_regular_file
from extractor.results.fields import is_too_deep
from extractor.results.model import RESULT_FORMAT, RESULT_FORMATS, RUN_FORMAT, ResultFile, RunFile
from extractor.results.parts import FilePart
from extractor.types import Json, json_pointer

MAX_FILE_BYTES = 256 << 20
"""Bytes of a file that are read."""
MAX_DEPTH = 200
"""Levels of lists and objects in a file; Pydantic's parser stops there, too."""
_MAX_REPAIRS = 16
"""Times that a file is looked through for parts to be left out: twice the levels of the format itself."""

F = TypeVar("F", bound=FilePart)
Key = str | int


@dataclass(frozen=True, slots=True)
class Reading(Generic[F]):
    """A file that was read. `damage` names each part that was left out, by its JSON pointer, and says what is wrong."""

    file: F
    damage: Mapping[str, str]

    @property
    def damaged_members(self) -> list[str]:
        """The file's own members that were left out, rather than something within them."""
        return [pointer[1:] for pointer in self.damage if pointer.count("/") == 1]


def read_result_file(path: Path) -> Reading[ResultFile]:
    """The result in a file that a run wrote. Raises ResultUnreadable."""
    return parse_result(_read_bytes(path))


def parse_result(data: bytes | str) -> Reading[ResultFile]:
    """The result in a file's content. Raises ResultUnreadable."""
    try:
        return Reading(ResultFile.model_validate_json(data), {})
    except ValidationError:
        return convert_result(_parse_json(data))


def convert_result(content: Json) -> Reading[ResultFile]:
    """The result in a file's content as parsed JSON. Raises ResultUnreadable."""
    whole = _require_format(content, RESULT_FORMATS, f'is not a result file (its "format" is not {RESULT_FORMAT})')
    document = whole.get("document")
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        raise ResultUnreadable("does not name its document")
    return _leave_out_damage(ResultFile, whole)


def read_run_file(path: Path) -> Reading[RunFile]:
    """A run's run.json. Raises ResultUnreadable."""
    return parse_run(_read_bytes(path))


def parse_run(data: bytes | str) -> Reading[RunFile]:
    """The content of a run.json. Raises ResultUnreadable."""
    try:
        return Reading(RunFile.model_validate_json(data), {})
    except ValidationError:
        wrong = f'is not a run file (its "format" is not {RUN_FORMAT})'
        return _leave_out_damage(RunFile, _require_format(_parse_json(data), (RUN_FORMAT,), wrong))


def _read_bytes(path: Path) -> bytes:
    try:
        with open_regular_file(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise ResultUnreadable(f"is larger than {MAX_FILE_BYTES >> 20} MB")
            return file.read()
    except FileNotFoundError:
        raise ResultUnreadable("is missing", missing=True) from None
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise ResultUnreadable(f"cannot be read ({reason})", missing=True) from error


def _parse_json(data: bytes | str) -> Json:
    try:
        return json.loads(data if isinstance(data, str) else data.decode("utf-8"))
    except RecursionError:
        raise ResultUnreadable("is nested too deeply") from None
    except ValueError as error:
        raise ResultUnreadable("is not whole JSON") from error


def _require_format(content: Json, formats: Iterable[str], wrong: str) -> dict[str, Json]:
    if not isinstance(content, Mapping):
        raise ResultUnreadable("is no JSON object")
    whole = content if isinstance(content, dict) else dict(content)
    if is_too_deep(whole, MAX_DEPTH):
        raise ResultUnreadable("is nested too deeply")
    if not any(whole.get("format") == known for known in formats):
        told = whole.get("format")
        raise ResultUnreadable(wrong, format=told if isinstance(told, str) else "")
    return whole


def _leave_out_damage(kind: type[F], content: dict[str, Json]) -> Reading[F]:
    """The file without the parts that do not fit it; what a part cannot be without takes that part with it."""
    damage: dict[str, str] = {}
    for _ in range(_MAX_REPAIRS):
        try:
            return Reading(kind.model_validate(content), damage)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
        content = content if damage else deepcopy(content)
        holders: dict[int, tuple[Json, set[Key]]] = {}
        for one in found:
            # What is missing stands in no place: the object that lacks it goes.
            steps = one["loc"][:-1] if one["type"] == "missing" else one["loc"]
            holder, key, pointer = _find_part(content, steps)
            if not pointer:
                raise ResultUnreadable("is not of its format")
            holders.setdefault(id(holder), (holder, set()))[1].add(key)
            damage.setdefault(pointer, one["msg"])
        for holder, keys in holders.values():
            _remove_keys(holder, keys)
    raise ResultUnreadable("is not of its format")


def _find_part(content: Json, steps: tuple[Key, ...]) -> tuple[Json, Key, str]:
    """What holds the part at the end of the steps, its key there, and its JSON pointer.

    Steps that the content does not have, such as the kinds that a number may be of, end the way.
    """
    holder, at = content, content
    key: Key = ""
    pointer = ""
    for step in steps:
        row = isinstance(at, list) and isinstance(step, int) and step < len(at)
        if not row and not (isinstance(at, dict) and step in at):
            break
        holder, key, at = at, step, at[step]
        pointer += json_pointer((step,))
    return holder, key, pointer


def _remove_keys(holder: Json, keys: set[Key]) -> None:
    if isinstance(holder, list):
        holder[:] = [inner for at, inner in enumerate(holder) if at not in keys]
        return
    for key in keys:
        del holder[key]
