"""A suite, and its report: gold is linted, runs are scored, compared and judged.

suite.toml:

    task = "researcher"             a task's name or folder
    samples = "samples"             beside suite.toml
    gold = "gold"
    models = ["qwen2.5-coder-1.5b"]
    prompts = ["plain"]
    repeats = 1                     how often each is run; optional
    mode = "replay"                 or "live": what answers when no --mode is given; optional
    [prices]                        money per million tokens read and written, where it is known; optional
    "gpt-x" = [0.5, 2.0]
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.documents import discovery as documents
from extractor.errors import DocumentError, UsageError
from extractor.evaluation import gold, lint, runs
from extractor.evaluation.analysis import baseline
from extractor.evaluation.analysis import comparison as statistics
from extractor.evaluation.analysis import diff as changes
from extractor.evaluation.analysis import gates as verdicts
from extractor.evaluation.analysis.gates import Gates, Verdict
from extractor.evaluation.gold import Gold
from extractor.evaluation.lint import Severity
from extractor.evaluation.report import content as reports
from extractor.evaluation.report import write as outputs
from extractor.evaluation.scoring import schema as fields
from extractor.evaluation.scoring.outcomes import Run
from extractor.extraction import task as tasks
from extractor.extraction.task import Task


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    task: Task
    samples: Path
    gold: Path
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    repeats: int = 1
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    mode: str = "replay"


def read(folder: Path) -> Suite:
    """The suite in a folder. Raises UsageError, naming what is missing."""
    file = folder / "suite.toml"
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"There is no suite {file} ({error.strerror}); give its folder with --suite.") from error
    except ValueError as error:
        raise UsageError(f"{file} is not TOML ({error}); correct it.") from error
    try:
        where = folder / told["task"]
        task = tasks.load(str(where) if where.is_dir() else told["task"])
        models, prompts = tuple(map(str, told["models"])), tuple(map(str, told["prompts"]))
        for name in prompts:
            task.prompt(name)
        repeats = int(told.get("repeats", 1))
        mode = str(told.get("mode", "replay"))
        prices = {str(name): (float(read), float(written)) for name, (read, written) in told.get("prices", {}).items()}
    except KeyError as error:
        raise UsageError(f"{file} does not say {error}; add it.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file} cannot be understood ({error}); see `extractor eval --help`.") from error
    if not models or not prompts or repeats < 1:
        raise UsageError(f"{file} must name at least one model, one prompt and one repeat.")
    if mode not in ("live", "replay"):
        raise UsageError(f"{file} sets mode to {mode!r}; choose 'live' or 'replay'.")
    samples, golds = folder / told["samples"], folder / told["gold"]
    return Suite(folder.resolve().name, task, samples, golds, models, prompts, repeats, prices, mode)


@dataclass(frozen=True, slots=True)
class Truth:
    """A suite's gold, found fit to score with, beside its documents' texts."""

    golds: tuple[Gold, ...]
    tree: fields.Group
    texts: Mapping[str, str]
    findings: tuple[str, ...]
    """What the lint would have a person look at."""


def truth(suite: Suite) -> Truth:
    """The suite's gold. Raises UsageError, naming file and place, where it cannot be scored with."""
    golds = gold.load(suite.gold)
    tree = fields.read(suite.task.schema.source)
    texts = _texts(suite.samples)
    findings = lint.lint(golds, tree, texts)
    if wrong := [str(f) for f in findings if f.severity is Severity.ERROR]:
        raise UsageError("The gold cannot be scored with: " + " | ".join(wrong[:5]))
    return Truth(tuple(golds), tree, texts, tuple(map(str, findings)))


def report(
    suite: Suite,
    true: Truth,
    folders: Sequence[Path],
    out: Path,
    gates: Mapping[str, Any],
    *,
    baseline_file: Path | None = None,
    update: Path | None = None,
) -> tuple[Verdict, tuple[Path, ...]]:
    """Scores the runs in the folders, writes the report and tells the verdict."""
    golds = true.golds
    scored = list(_scored(suite, folders, golds, true.tree))
    comparison = statistics.compare(scored)
    pins = baseline.Pins(
        suite.task.name, gold.digest(golds), suite.task.schema.fingerprint, tuple(sorted(g.document for g in golds))
    )
    diff = changes.since(baseline.read(baseline_file), comparison, pins, str(baseline_file)) if baseline_file else None
    judged = verdicts.judge(comparison, Gates(**gates), diff)
    content = reports.build(comparison, judged, diff, title=suite.name, gold_notes=true.findings)
    paths = outputs.write(content, out, true.texts)
    if update:
        baseline.take(comparison, pins).write(update)
    return judged, paths


def _scored(suite: Suite, folders: Sequence[Path], golds: Sequence[Gold], tree: fields.Group) -> Iterator[Run]:
    """The runs with labels that tell them apart: repeats of the suite's own by number, others by their folders."""
    found = [runs.read(folder) for folder in folders]
    seen: Counter[tuple[str, str]] = Counter()
    many = Counter((run.model, run.prompt) for run in found)
    for folder, run in zip(folders, found, strict=True):
        pair = (run.model, run.prompt)
        seen[pair] += 1
        same = many[pair] > 1 and suite.repeats == 1
        yield runs.load(
            folder,
            golds,
            tree,
            task=suite.task.name,
            fingerprint=suite.task.schema.fingerprint,
            label=f"{run.model} · {run.prompt} · {folder.name}" if same else None,
            repeat=1 if same else seen[pair],
            price=suite.prices.get(run.model),
        )


def _texts(samples: Path) -> dict[str, str]:
    texts = {}
    for source in documents.find([samples]):
        try:
            document = documents.load(source.path)
        except DocumentError:
            continue
        texts[document.name] = document.text
    return texts
