"""A suite, and its report: gold is linted, runs are scored, compared and judged.

suite.toml:

    task = "researcher"             a task's name or folder
    samples = "samples"             beside suite.toml
    gold = "gold"
    models = ["qwen2.5-coder-1.5b"]
    prompts = ["plain"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor import documents, tasks
from extractor.errors import DocumentError, UsageError
from extractor.evaluation import baseline, changes, fields, gold, lint, outputs, runs, statistics
from extractor.evaluation import report as reports
from extractor.evaluation import verdict as verdicts
from extractor.evaluation.lint import Severity
from extractor.evaluation.verdict import Gates, Verdict
from extractor.tasks import Task


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    task: Task
    samples: Path
    gold: Path
    models: tuple[str, ...]
    prompts: tuple[str, ...]


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
        suite = Suite(folder.resolve().name, task, folder / told["samples"], folder / told["gold"], models, prompts)
    except KeyError as error:
        raise UsageError(f"{file} does not say {error}; add it.") from error
    return suite


def report(
    suite: Suite,
    folders: Sequence[Path],
    out: Path,
    gates: Mapping[str, Any],
    *,
    baseline_file: Path | None = None,
    update: Path | None = None,
) -> tuple[Verdict, tuple[Path, ...]]:
    """Scores the runs in the folders, writes the report and tells the verdict. Raises UsageError for unusable gold."""
    golds = gold.load(suite.gold)
    tree = fields.read(suite.task.schema.source)
    texts = _texts(suite.samples)
    findings = lint.lint(golds, tree, texts)
    if wrong := [str(f) for f in findings if f.severity is Severity.ERROR]:
        raise UsageError("The gold cannot be scored with: " + " | ".join(wrong[:5]))
    scored = [
        runs.load(f, golds, tree, task=suite.task.name, fingerprint=suite.task.schema.fingerprint) for f in folders
    ]
    comparison = statistics.compare(scored)
    pins = baseline.Pins(
        suite.task.name, gold.digest(golds), suite.task.schema.fingerprint, tuple(sorted(g.document for g in golds))
    )
    diff = changes.since(baseline.read(baseline_file), comparison, pins, str(baseline_file)) if baseline_file else None
    judged = verdicts.judge(comparison, Gates(**gates), diff)
    content = reports.build(comparison, judged, diff, title=suite.name, gold_notes=[str(f) for f in findings])
    paths = outputs.write(content, out, texts)
    if update:
        baseline.take(comparison, pins).write(update)
    return judged, paths


def _texts(samples: Path) -> dict[str, str]:
    texts = {}
    for source in documents.find([samples]):
        try:
            document = documents.load(source.path)
        except DocumentError:
            continue
        texts[document.name] = document.text
    return texts
