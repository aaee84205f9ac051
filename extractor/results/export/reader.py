"""Finished runs, result by result: a folder that a run wrote, or the JSON Lines that an export made of one.

Nothing that a run lists goes missing: a file that is gone or broken is a failed result, with that as its reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError
from extractor.results.file import RESULT_FORMAT, RUN_FILE, RUN_FORMAT
from extractor.results.review.view import is_too_deep
from extractor.types import Json, Status

LOST_REASONS = frozenset({"result missing", "result broken"})
"""Reasons of failed results that are made here, not read."""


@dataclass(frozen=True, slots=True)
class SavedResult:
    """One result, of which run's folder, and in which file."""

    run: str
    file: str
    content: Mapping[str, Json]

    @property
    def lost(self) -> bool:
        return (self.content.get("error") or {}).get("reason") in LOST_REASONS


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A folder or a file of results. `schema` is the task's, where the run tells it; `strays` are not of this run."""

    path: Path
    schema: Mapping[str, Json] | None
    strays: tuple[str, ...] = ()
    _files: tuple[str, ...] = ()
    _run_content: Mapping[str, Json] | None = None

    def __iter__(self) -> Iterator[SavedResult]:
        """Every result, in the run's order; one is held at a time."""
        if self.path.is_dir():
            names = _document_names(self._run_content)
            for file in self._files:
                content = _load_result(self.path / file, names.get(file, file), self._run_content or {})
                yield SavedResult(self.path.name, file, content)
            return
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield SavedResult(self.path.name, f"line {number}", _parse_result(line, f"line {number}", {}))


def open_runs(paths: Sequence[Path]) -> list[SavedRun]:
    """The runs at these places. Raises UsageError for a place that holds no results."""
    return [_open_run(path) for path in paths]


def _open_run(path: Path) -> SavedRun:
    if path.is_file() and path.suffix == ".jsonl":
        return SavedRun(path, None)
    if not path.is_dir():
        raise UsageError(f"{path} is no folder; name the one that results were written to, or a .jsonl file.")
    told = _read_run_file(path)
    present = sorted(p.name for p in path.glob("*.json") if p.name != RUN_FILE)
    files = tuple(_document_names(told)) if told else tuple(present)
    if not files:
        raise UsageError(f"{path} holds no results; name the folder that results were written to.")
    schema = told.get("schema") if told else None
    strays = tuple(name for name in present if name not in files)
    return SavedRun(path, schema if isinstance(schema, Mapping) else None, strays, files, told)


def _read_run_file(folder: Path) -> Mapping[str, Json] | None:
    try:
        told = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return told if isinstance(told, Mapping) and told.get("format") == RUN_FORMAT else None


def _document_names(told: Mapping[str, Json] | None) -> dict[str, str]:
    """File to document's name, as the run lists them; a name with a folder in it is not the run's."""
    rows = (told or {}).get("documents")
    listed = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    files = [(str(row.get("file", "")), str(row.get("name", ""))) for row in listed]
    return {file: name for file, name in files if file and Path(file).name == file}


def _load_result(path: Path, name: str, run: Mapping[str, Json]) -> Mapping[str, Json]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return _make_lost_result(name, "result missing", f"{path.name} cannot be read: {error.strerror}.", run)
    except UnicodeDecodeError:
        return _make_lost_result(name, "result broken", f"{path.name} is not UTF-8.", run)
    return _parse_result(text, name, run)


def _parse_result(text: str, name: str, run: Mapping[str, Json]) -> Mapping[str, Json]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return _make_lost_result(name, "result broken", "The result is not whole JSON.", run)
    if not isinstance(content, dict) or content.get("format") != RESULT_FORMAT or not _is_whole(content):
        return _make_lost_result(name, "result broken", f"The result is not of the format {RESULT_FORMAT}.", run)
    return content


def _is_whole(content: Mapping[str, Json]) -> bool:
    """Whether the members that tables are made of have the kinds that the format gives them."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "document": dict,
        "status": str,
        "record": (dict, type(None)),
        "evidence": dict,
        "manifest": dict,
        "usage": dict,
        "error": dict,
        "failures": list,
        "problems": list,
        "conflicts": list,
        "rejected": list,
    }
    needed = {"document", "status", "record", "manifest"}
    there = all(isinstance(content[key], kind) if key in content else key not in needed for key, kind in kinds.items())
    return there and not is_too_deep(content)


def _make_lost_result(name: str, reason: str, message: str, run: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "format": RESULT_FORMAT,
        "document": {"name": name},
        "task": run.get("task", ""),
        "status": str(Status.FAILED),
        "record": None,
        "error": {"reason": reason, "message": message},
        "manifest": run.get("manifest", {}),
    }
