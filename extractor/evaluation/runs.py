"""A finished run's folder -> its table: OUT/run.json and one result file per document.

Whatever is half-written, missing or malformed in the folder becomes a failed or missing document with the reason said;
only a run that answers another question than the suite asks (another task or schema) is refused.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError
from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grader import grade_document
from extractor.evaluation.scoring.outcomes import ScoreCell, ScoredDocument, ScoredRun
from extractor.evaluation.scoring.schema import ObjectNode
from extractor.types import Json

RUN_FILE = "run.json"
RESULT_FORMAT = "extractor.result/1"
MAX_RESULT_BYTES = 256 << 20
"""Bytes of a result file that are read."""
_STATUSES = frozenset({"complete", "suspect", "incomplete", "failed"})


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What a run's folder holds, before it is scored."""

    task: str
    manifest: Mapping[str, Json]
    results: Mapping[str, Mapping[str, Json]]
    """Name of the document -> its result."""
    unreadable: Mapping[str, str]
    """Name of the document -> why its result cannot be read."""
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        return _find_name(self.manifest, "model")

    @property
    def prompt(self) -> str:
        return _find_name(self.manifest, "prompt")

    @property
    def fingerprints(self) -> tuple[tuple[str, str], ...]:
        found = [(what, _find_object(self.manifest, what)) for what in ("model", "prompt", "schema")]
        pairs = [(what, part.get("digest" if what == "model" else "fingerprint")) for what, part in found]
        return tuple((what, value) for what, value in pairs if isinstance(value, str))


def load_scored_run(
    folder: Path,
    golds: Sequence[Gold],
    schema: ObjectNode,
    *,
    task: str | None = None,
    fingerprint: str | None = None,
    label: str | None = None,
    repeat: int = 1,
    price: tuple[float, float] | None = None,
) -> ScoredRun:
    """The run in the folder, scored against gold.

    `task` and `fingerprint` (of the schema) are what the suite asks for; None asks nothing. Raises UsageError when the
    run answers another task or schema, or when the folder holds no run.
    """
    found = read_run_folder(folder)
    if task is not None and found.task != task:
        raise UsageError(f'{folder} holds a run of the task "{found.task}", not of "{task}"; name a run of this task.')
    made = dict(found.fingerprints).get("schema")
    if fingerprint is not None and made is not None and made != fingerprint:
        raise UsageError(
            f"The run in {folder} was made with another schema ({made[:15]}, now {fingerprint[:15]}); run it again."
        )
    return score_run_folder(found, golds, schema, label=label, repeat=repeat, price=price)


def score_run_folder(
    folder: RunFolder,
    golds: Sequence[Gold],
    schema: ObjectNode | Mapping[str, ObjectNode],
    *,
    label: str | None = None,
    repeat: int = 1,
    price: tuple[float, float] | None = None,
) -> ScoredRun:
    """Every gold document's cells; one without a result is missing, and a result without gold is only noted.

    `schema` is the task's, or one for each document by its name.
    """
    if label is None:
        label = f"{folder.model} · {folder.prompt}" + (f" #{repeat}" if repeat > 1 else "")
    notes = list(folder.notes)
    known = {gold.document for gold in golds}
    extra = sorted((folder.results.keys() | folder.unreadable.keys()) - known)
    if extra:
        notes.append(f"{len(extra)} documents of the run have no gold and are not scored: {_join_names(extra)}.")
    cells: list[ScoreCell] = []
    documents: list[ScoredDocument] = []
    for gold in golds:
        result = folder.results.get(gold.document)
        found = grade_document(gold, result, schema if isinstance(schema, ObjectNode) else schema[gold.document], label)
        cells += found.cells
        notes += [f"{gold.document}: {note}" for note in found.notes]
        documents.append(_describe_result(label, gold.document, result, folder.unreadable.get(gold.document)))
    return ScoredRun(
        label,
        folder.task,
        folder.model,
        folder.prompt,
        folder.fingerprints,
        tuple(documents),
        tuple(cells),
        repeat,
        price,
        tuple(notes),
    )


def read_run_folder(folder: Path) -> RunFolder:
    """All that can be read of a run. Raises UsageError when that is nothing."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".json" and path.is_file())
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise UsageError(f"Cannot read the run folder {folder}: {reason}; name the folder of a finished run.") from None
    notes: list[str] = []
    head, wrong = _read_json_object(folder / RUN_FILE) if RUN_FILE in names else ({}, "is missing")
    if wrong is not None:
        notes.append(f"{RUN_FILE} {wrong}, so the run may be unfinished.")
    listed = _map_files_to_documents(head)
    results: dict[str, Mapping[str, Json]] = {}
    broken: dict[str, str] = {}
    for file in [*listed, *(name for name in names if name not in listed and name != RUN_FILE)]:
        result, wrong = _read_result(folder, file, names)
        name = listed.get(file) or _find_document_name(result)
        if wrong is None and _find_document_name(result) != listed.get(file, name):
            wrong = f'is a result of "{_find_document_name(result)}"'
        if wrong is not None and file in listed:
            broken[listed[file]] = f"{file} {wrong}."
        elif wrong is not None:
            notes.append(f"{file} {wrong} and is not used.")
        elif name in results:
            notes.append(f'{file} is a second result of "{name}" and is not used.')
        elif name:
            results[name] = result
    heads = [head, *results.values()]
    if not results and not listed:
        raise UsageError(f"{folder} holds no run; name the folder that `run` wrote its results to.")
    task = next((said for one in heads if isinstance(said := one.get("task"), str)), "")
    manifest = next((said for one in heads if isinstance(said := one.get("manifest"), dict)), {})
    found = RunFolder(task, manifest, results, broken)
    strange = [name for name, one in results.items() if _differs_from_run(found, one)]
    if strange:
        notes.append(
            f"{len(strange)} results were made with another task, model or prompt: {_join_names(sorted(strange))}."
        )
    return RunFolder(task, manifest, results, broken, tuple(notes))


def _differs_from_run(folder: RunFolder, result: Mapping[str, Json]) -> bool:
    manifest = result.get("manifest")
    own = RunFolder("", manifest if isinstance(manifest, dict) else folder.manifest, {}, {})
    return result.get("task", folder.task) != folder.task or own.fingerprints != folder.fingerprints


def _map_files_to_documents(head: Mapping[str, Json]) -> dict[str, str]:
    """File -> name of its document, as run.json lists them."""
    listed = head.get("documents")
    found: dict[str, str] = {}
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("file"), str):
            found.setdefault(one["file"], one["name"])
    return found


def _read_result(folder: Path, file: str, names: Sequence[str]) -> tuple[Mapping[str, Json], str | None]:
    """A result file, or why it is none. Only files of the folder itself are read, whatever run.json lists."""
    if file not in names:
        return {}, "is not there"
    result, wrong = _read_json_object(folder / file)
    if wrong is None and result.get("format") != RESULT_FORMAT:
        return {}, f'is no result file (its "format" is not {RESULT_FORMAT})'
    if wrong is None and not _find_document_name(result):
        return {}, "does not name its document"
    return result, wrong


def _read_json_object(path: Path) -> tuple[dict[str, Json], str | None]:
    try:
        if path.stat().st_size > MAX_RESULT_BYTES:
            return {}, f"is larger than {MAX_RESULT_BYTES >> 20} MB"
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, f"cannot be read ({(error.strerror or 'unreadable').lower()})"
    except RecursionError:
        return {}, "is nested too deeply"
    except ValueError:
        return {}, "is not whole JSON"
    return (whole, None) if isinstance(whole, dict) else ({}, "is no JSON object")


def _describe_result(label: str, name: str, result: Mapping[str, Json] | None, broken: str | None) -> ScoredDocument:
    if result is None:
        return ScoredDocument(label, name, "missing" if broken is None else "failed", None, None, None, None, broken)
    status, error = result.get("status"), None
    if not isinstance(result.get("record"), dict):
        said = _find_object(result, "error").get("message")
        status, error = "failed", said if isinstance(said, str) else "The result has no record."
    elif not isinstance(status, str) or status not in _STATUSES:
        status, error = "incomplete", "The result does not say whether it is complete."
    elif reasons := _summarise_failures(result.get("failures")):
        error = f"Questions without an answer: {reasons}."
        if (
            _find_object(result, "coverage").get("asked") == 0
        ):  # an empty record of a tape that fits nothing is no answer
            status, error = "failed", f"No question was answered: {reasons}."
    usage = _find_object(result, "usage")
    return ScoredDocument(
        label,
        name,
        str(status),
        _parse_amount(usage.get("seconds")),
        _parse_count(usage.get("input_tokens")),
        _parse_count(usage.get("output_tokens")),
        _parse_count(usage.get("requests")),
        error,
    )


def _summarise_failures(failures: Json) -> str:
    said = [str(one.get("reason")) for one in failures if isinstance(one, dict)] if isinstance(failures, list) else []
    return ", ".join(f"{n} {reason}" for reason, n in sorted(Counter(said).items()))


def _parse_amount(value: Json) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return float(value) if fits else None


def _parse_count(value: Json) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _find_object(whole: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _find_name(manifest: Mapping[str, Json], what: str) -> str:
    name = _find_object(manifest, what).get("name")
    return name if isinstance(name, str) and name else f"unknown {what}"


def _find_document_name(result: Mapping[str, Json]) -> str:
    name = _find_object(result, "document").get("name")
    return name if isinstance(name, str) else ""


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
