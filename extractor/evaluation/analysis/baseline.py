"""A baseline: the figures of an evaluation in a file, with what they depend on, to compare a later one with.

The file holds counts, pointers and digests, and no value of a document.

    {"format": "extractor.baseline/1", "pins": {"task", "scorer", "gold", "schema", "documents"},
     "runs": [{"label", "model", "prompt", "fingerprints": {...}, "figures": {"micro_f1": 0.9, ...},
               "documents": {name: {"counts": [correct, wrong, omitted, invented], "leaves": [one per repeat:
                   {"wrong": [pointer], "omitted": [...], "unscored": [...], "invented": {field: [digest]}}]}}}]}

A gold leaf that is in none of the three lists was correct.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import UsageError
from extractor.evaluation.analysis.comparison import Comparison
from extractor.evaluation.analysis.metrics import Entrant, Statistic
from extractor.evaluation.report.strict_json import write_report_text
from extractor.evaluation.scoring.outcomes import LeafOutcome, LeafTally, ScoredRun
from extractor.types import Json

BASELINE_FORMAT = "extractor.baseline/1"
SCORER_VERSION = "1"
"""Raise it whenever a comparator, the alignment or what counts changes, so that older figures are not compared."""

_LISTED_OUTCOMES = (LeafOutcome.WRONG, LeafOutcome.OMITTED, LeafOutcome.UNSCORED)


@dataclass(frozen=True, slots=True)
class BaselinePins:
    """What the figures of a baseline depend on, apart from the runs."""

    task: str
    gold: str
    """Fingerprint of all gold files (`gold.fingerprint_golds`)."""
    schema: str
    """Fingerprint of the record's schema."""
    documents: tuple[str, ...]
    scorer: str = SCORER_VERSION


@dataclass(frozen=True, slots=True)
class IncorrectLeaves:
    """The leaves of one document that were not correct."""

    outcomes: Mapping[str, LeafOutcome] = field(default_factory=dict)
    """Gold's pointer -> wrong, omitted or unscored."""
    invented: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> digests of the invented values."""


@dataclass(frozen=True, slots=True)
class BaselineRun:
    """One entrant of the baseline."""

    label: str
    model: str
    prompt: str
    fingerprints: Mapping[str, str]
    figures: Mapping[Statistic, float | None]
    tallies: Mapping[str, LeafTally]
    leaves: tuple[Mapping[str, IncorrectLeaves], ...]
    """One per repeat: document -> its leaves."""


@dataclass(frozen=True, slots=True)
class Baseline:
    pins: BaselinePins
    runs: tuple[BaselineRun, ...]

    def write(self, path: Path) -> None:
        """The whole file or none of it. Raises MachineError."""
        whole = {
            "format": BASELINE_FORMAT,
            "pins": {
                "task": self.pins.task,
                "scorer": self.pins.scorer,
                "gold": self.pins.gold,
                "schema": self.pins.schema,
                "documents": list(self.pins.documents),
            },
            "runs": [_convert_run_to_json(run) for run in self.runs],
        }
        write_report_text(path, json.dumps(whole, indent=1, sort_keys=True) + "\n")


def take_baseline(comparison: Comparison, pins: BaselinePins) -> Baseline:
    """The baseline of this evaluation. Writing it to a file is a separate step."""
    return Baseline(pins, tuple(_keep_run(one) for one in sorted(comparison.entrants, key=lambda one: one.label)))


def read_baseline(path: Path) -> Baseline:
    """Raises UsageError when the file is no baseline."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"Cannot read the baseline {path}: {(error.strerror or 'unreadable').lower()}; "
            f"take one with --update-baseline."
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(f"The baseline {path} is not whole JSON; take it again with --update-baseline.") from None
    try:
        if whole["format"] != BASELINE_FORMAT:
            raise ValueError("format")
        pins = whole["pins"]
        documents = tuple(_expect_text(name) for name in pins["documents"])
        texts = [_expect_text(pins[name]) for name in ("task", "gold", "schema")]
        return Baseline(
            BaselinePins(texts[0], texts[1], texts[2], documents, _expect_text(pins["scorer"])),
            tuple(_read_run(run) for run in whole["runs"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            f"{path} is no baseline of the format {BASELINE_FORMAT}; take one with --update-baseline."
        ) from None


def _keep_run(entrant: Entrant) -> BaselineRun:
    return BaselineRun(
        entrant.label,
        entrant.model,
        entrant.prompt,
        collect_fingerprints(entrant),
        {statistic: _round_statistic(entrant.overall[statistic].value) for statistic in Statistic},
        entrant.tallies,
        tuple(_collect_incorrect_leaves(run) for run in entrant.runs),
    )


def collect_fingerprints(entrant: Entrant) -> dict[str, str]:
    return {what: fingerprint for run in reversed(entrant.runs) for what, fingerprint in run.fingerprints}


def _collect_incorrect_leaves(run: ScoredRun) -> dict[str, IncorrectLeaves]:
    outcomes: dict[str, dict[str, LeafOutcome]] = {one.document: {} for one in run.documents}
    invented: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for cell in run.cells:
        if cell.outcome in _LISTED_OUTCOMES and cell.gold_path is not None:
            outcomes.setdefault(cell.document, {})[cell.gold_path] = cell.outcome
        elif cell.outcome is LeafOutcome.INVENTED:
            outcomes.setdefault(cell.document, {})
            invented[cell.document][cell.field].append(digest_value(cell.prediction))
    return {
        name: IncorrectLeaves(found, {of: tuple(sorted(digests)) for of, digests in invented[name].items()})
        for name, found in outcomes.items()
    }


def digest_value(value: Json) -> str:
    """Ten hex digits of the value: enough to distinguish the inventions of one field in one document."""
    return hashlib.sha256(_serialise_exactly(value).encode("utf-8", "backslashreplace")).hexdigest()[:10]


def _serialise_exactly(value: Json) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except (ValueError, TypeError, RecursionError):
        return type(value).__name__


def _round_statistic(value: float | None) -> float | None:
    return None if value is None else round(value, 9)


def _convert_run_to_json(run: BaselineRun) -> dict[str, Json]:
    documents = {}
    for name, tally in run.tallies.items():
        repeats = [leaves.get(name, IncorrectLeaves()) for leaves in run.leaves]
        documents[name] = {
            "counts": [tally.correct, tally.wrong, tally.omitted, tally.invented],
            "leaves": [
                {
                    **{
                        str(bad): sorted(at for at, outcome in one.outcomes.items() if outcome is bad)
                        for bad in _LISTED_OUTCOMES
                    },
                    "invented": {of: list(digests) for of, digests in one.invented.items()},
                }
                for one in repeats
            ],
        }
    return {
        "label": run.label,
        "model": run.model,
        "prompt": run.prompt,
        "fingerprints": dict(run.fingerprints),
        "figures": {str(statistic): value for statistic, value in run.figures.items()},
        "documents": documents,
    }


def _read_run(run: Mapping[str, Json]) -> BaselineRun:
    """Raises KeyError, TypeError, ValueError or AttributeError on what is no run of a baseline."""
    figures = {
        Statistic(name): None if value is None else _expect_share(value) for name, value in run["figures"].items()
    }
    tallies = {}
    repeats: list[dict[str, IncorrectLeaves]] = []
    for name, one in run["documents"].items():
        correct, wrong, omitted, invented = (_expect_count(n) for n in one["counts"])
        tallies[_expect_text(name)] = LeafTally(correct, wrong, omitted, invented)
        for at, leaves in enumerate(one["leaves"]):
            if at == len(repeats):
                repeats.append({})
            repeats[at][name] = IncorrectLeaves(
                {_expect_text(path): bad for bad in _LISTED_OUTCOMES for path in leaves[bad]},
                {of: tuple(_expect_text(one) for one in digests) for of, digests in leaves["invented"].items()},
            )
    prints = {what: _expect_text(text) for what, text in run["fingerprints"].items()}
    names = [_expect_text(run[name]) for name in ("label", "model", "prompt")]
    return BaselineRun(names[0], names[1], names[2], prints, figures, tallies, tuple(repeats))


def _expect_text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _expect_count(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _expect_share(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("not a figure")
    return float(value)
