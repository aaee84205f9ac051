"""A finished run's folder -> its table: OUT/run.json and one result file per document.

Whatever is half-written, missing or malformed in the folder becomes a failed or missing document with the reason said;
only a run that answers another question than the suite asks (another task or schema) is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from extractor.errors import ResultUnreadable, UsageError
from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grader import grade_document
from extractor.evaluation.scoring.outcomes import ScoreCell, ScoredDocument, ScoredRun
from extractor.evaluation.scoring.schema import ObjectNode
from extractor.results.model import RUN_FILE, Manifest, ResultFile, RunFile
from extractor.results.parts import FailureEntry
from extractor.results.reading import read_result_file, read_run_file

MAX_SECONDS = 1e12
"""More than a model can have taken; such a number is unknown."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What a run's folder holds, before it is scored."""

    task: str
    manifest: Manifest
    results: Mapping[str, ResultFile]
    """Name of the document -> its result."""
    unreadable: Mapping[str, str]
    """Name of the document -> why its result cannot be read."""
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        return self.manifest.model.name or "unknown model"

    @property
    def prompt(self) -> str:
        return self.manifest.prompt.name or "unknown prompt"

    @property
    def fingerprints(self) -> tuple[tuple[str, str], ...]:
        made = self.manifest
        told = (
            ("model", made.model.digest),
            ("prompt", made.prompt.fingerprint),
            ("schema", made.record_schema.fingerprint),
        )
        return tuple((what, value) for what, value in told if value)


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
        content = None if result is None else result.to_content()
        found = grade_document(
            gold, content, schema if isinstance(schema, ObjectNode) else schema[gold.document], label
        )
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
    head: RunFile | None = None
    try:
        head = read_run_file(folder / RUN_FILE).file
    except ResultUnreadable as error:
        notes.append(f"{RUN_FILE} {error.why}, so the run may be unfinished.")
    listed = head.names if head else {}
    results: dict[str, ResultFile] = {}
    broken: dict[str, str] = {}
    for file in [*listed, *(name for name in names if name not in listed and name != RUN_FILE)]:
        try:
            result = _read_result(folder, file, names)
            name = listed.get(file, result.document.name)
            if result.document.name != name:
                raise ResultUnreadable(f'is a result of "{result.document.name}"')
        except ResultUnreadable as error:
            if file in listed:
                broken[listed[file]] = f"{file} {error.why}."
            else:
                notes.append(f"{file} {error.why} and is not used.")
            continue
        if name in results:
            notes.append(f'{file} is a second result of "{name}" and is not used.')
        else:
            results[name] = result
    if not results and not listed:
        raise UsageError(f"{folder} holds no run; name the folder that `run` wrote its results to.")
    heads: list[RunFile | ResultFile] = [*([head] if head else []), *results.values()]
    task = next((one.task for one in heads if "task" in one.model_fields_set), "")
    manifest = next((one.manifest for one in heads if "manifest" in one.model_fields_set), Manifest())
    found = RunFolder(task, manifest, results, broken)
    strange = [name for name, one in results.items() if _differs_from_run(found, one)]
    if strange:
        notes.append(
            f"{len(strange)} results were made with another task, model or prompt: {_join_names(sorted(strange))}."
        )
    return RunFolder(task, manifest, results, broken, tuple(notes))


def _differs_from_run(folder: RunFolder, result: ResultFile) -> bool:
    told = result.model_fields_set
    own = RunFolder("", result.manifest if "manifest" in told else folder.manifest, {}, {})
    return ("task" in told and result.task != folder.task) or own.fingerprints != folder.fingerprints


def _read_result(folder: Path, file: str, names: Sequence[str]) -> ResultFile:
    """A result file. Only files of the folder itself are read, whatever run.json lists. Raises ResultUnreadable."""
    if file not in names:
        raise ResultUnreadable("is not there", missing=True)
    result = read_result_file(folder / file).file
    if not result.document.name:
        raise ResultUnreadable("does not name its document")
    return result


def _describe_result(label: str, name: str, result: ResultFile | None, broken: str | None) -> ScoredDocument:
    if result is None:
        return ScoredDocument(label, name, "missing" if broken is None else "failed", None, None, None, None, broken)
    status, error = str(result.status), None
    if result.record is None:
        said = result.error.message if result.error else ""
        status, error = "failed", said or "The result has no record."
    elif "status" not in result.model_fields_set:
        error = "The result does not say whether it is complete."
    elif reasons := _summarise_failures(result.failures):
        error = f"Questions without an answer: {reasons}."
        # An empty record of a tape that fits nothing is no answer.
        if "asked" in result.coverage.model_fields_set and result.coverage.asked == 0:
            status, error = "failed", f"No question was answered: {reasons}."
    told = result.usage
    took = told.to_usage()
    return ScoredDocument(
        label,
        name,
        status,
        _add_first_cost(_read_seconds(took.seconds), _read_seconds(took.cached_seconds)),
        _add_first_cost(took.input_tokens, took.cached_input_tokens),
        _add_first_cost(took.output_tokens, took.cached_output_tokens),
        took.requests + took.cached if "requests" in told.model_fields_set else None,
        error,
    )


_Amount = TypeVar("_Amount", int, float)


def _add_first_cost(now: _Amount | None, first: _Amount | None) -> _Amount | None:
    """What a document takes whoever paid for it: a reply out of the cache counts as what it took when it was new."""
    return None if now is None or first is None else now + first


def _read_seconds(seconds: float | None) -> float | None:
    return float(seconds) if seconds is not None and seconds < MAX_SECONDS else None


def _summarise_failures(failures: Sequence[FailureEntry]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in sorted(Counter(one.reason for one in failures).items()))


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
