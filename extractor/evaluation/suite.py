"""A suite, and its report: gold is linted, runs are scored, compared and judged.

suite.toml:

    task = "researcher"             the name of a task that ships, or a path from here: ".", "../my_task"
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

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from extractor.documents.discovery import find_sources, load_document
from extractor.errors import DocumentError, UsageError
from extractor.evaluation import gold
from extractor.evaluation.analysis.baseline import BaselinePins, read_baseline, take_baseline
from extractor.evaluation.analysis.comparison import Comparison, compare_runs
from extractor.evaluation.analysis.diff import compare_with_baseline
from extractor.evaluation.analysis.gates import GateBounds, Verdict, judge_comparison
from extractor.evaluation.gold import Gold
from extractor.evaluation.lint import Severity, lint_golds
from extractor.evaluation.report.content import build_report
from extractor.evaluation.report.write import write_report_files
from extractor.evaluation.runs import RunFolder, load_scored_run, read_run_folder
from extractor.evaluation.scoring.grounding import SpanOverlap, measure_span_overlap
from extractor.evaluation.scoring.outcomes import ScoredRun
from extractor.evaluation.scoring.schema import ObjectNode, read_scoring_schema
from extractor.extraction.task import Task, find_task_code, find_task_folder, read_task_folder
from extractor.files import read_toml_file
from extractor.models.prices import load_prices


@dataclass(frozen=True, slots=True)
class EvaluationSuite:
    name: str
    task: Task
    samples: Path
    gold: Path
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    repeats: int = 1
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    mode: str = "replay"
    left_out: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a model and a prompt that are not run."""


def load_suite(folder: Path, before_code: Callable[[Path | None], None] = lambda code: None) -> EvaluationSuite:
    """The suite in a folder. Raises UsageError, naming what is missing.

    `before_code` is given the Python file that the suite's task is, before it is run; None where it is none or ships.
    """
    file = folder / "suite.toml"
    try:
        told = read_toml_file(file)
    except OSError as error:
        raise UsageError(f"There is no suite {file} ({error.strerror}); give its folder with --suite.") from error
    except ValueError as error:
        raise UsageError(f"{file} is not TOML ({error}); correct it.") from error
    try:
        before_code(find_task_code(str(told["task"]), base=folder))
        task = read_task_folder(find_task_folder(str(told["task"]), folder))
        models, prompts = tuple(map(str, told["models"])), tuple(map(str, told["prompts"]))
        for name in prompts:
            task.choose_prompt(name)
        repeats = int(told.get("repeats", 1))
        mode = str(told.get("mode", "replay"))
        left_out = frozenset((str(model), str(prompt)) for model, prompt in told.get("left_out", ()))
        prices = {str(name): (float(read), float(written)) for name, (read, written) in told.get("prices", {}).items()}
    except KeyError as error:
        raise UsageError(f"{file} does not say {error}; add it.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file} cannot be understood ({error}); see `extractor eval --help`.") from error
    if not models or not prompts or repeats < 1:
        raise UsageError(f"{file} must name at least one model, one prompt and one repeat.")
    if wrong := [pair for pair in sorted(left_out) if pair[0] not in models or pair[1] not in prompts]:
        raise UsageError(f"{file} leaves out {' with '.join(wrong[0])}, which it would not run; correct it.")
    if mode not in ("live", "replay"):
        raise UsageError(f"{file} sets mode to {mode!r}; choose 'live' or 'replay'.")
    samples, golds = folder / told["samples"], folder / told["gold"]
    return EvaluationSuite(
        folder.resolve().name, task, samples, golds, models, prompts, repeats, prices, mode, left_out
    )


@dataclass(frozen=True, slots=True)
class SuiteGold:
    """A suite's gold, found fit to score with, beside its documents' texts."""

    golds: tuple[Gold, ...]
    schema_root: ObjectNode
    texts: Mapping[str, str]
    findings: tuple[str, ...]
    """What the lint would have a person look at."""


def load_suite_gold(suite: EvaluationSuite) -> SuiteGold:
    """The suite's gold. Raises UsageError, naming file and place, where it cannot be scored with."""
    golds = gold.load_gold_folder(suite.gold)
    tree = read_scoring_schema(suite.task.schema.source)
    texts = _load_sample_texts(suite.samples)
    findings = lint_golds(golds, tree, texts)
    if wrong := [str(f) for f in findings if f.severity is Severity.ERROR]:
        raise UsageError("The gold cannot be scored with: " + " | ".join(wrong[:5]))
    return SuiteGold(tuple(golds), tree, texts, tuple(map(str, findings)))


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """What a suite's runs came to: the verdict of its gates, and the files of the report."""

    verdict: Verdict
    paths: tuple[Path, ...]
    comparison: Comparison


def write_suite_report(
    suite: EvaluationSuite,
    true: SuiteGold,
    folders: Sequence[Path],
    out: Path,
    gates: GateBounds,
    *,
    baseline_file: Path | None = None,
    update: Path | None = None,
) -> SuiteReport:
    """Scores the runs in the folders, and writes the report."""
    golds = true.golds
    scored = list(_score_runs(suite, folders, golds, true.schema_root))
    comparison = compare_runs(scored)
    pins = BaselinePins(
        suite.task.name,
        gold.fingerprint_golds(golds),
        suite.task.schema.fingerprint,
        tuple(sorted(g.document for g in golds)),
    )
    diff = (
        compare_with_baseline(read_baseline(baseline_file), comparison, pins, str(baseline_file))
        if baseline_file
        else None
    )
    judged = judge_comparison(comparison, gates, diff)
    spans = _measure_spans(comparison, golds)
    content = build_report(comparison, judged, diff, title=suite.name, spans=spans, gold_notes=true.findings)
    paths = write_report_files(content, out, true.texts)
    if update:
        take_baseline(comparison, pins).write(update)
    return SuiteReport(judged, paths, comparison)


def _measure_spans(comparison: Comparison, golds: Sequence[Gold]) -> dict[str, SpanOverlap]:
    """By label, how the words that runs claim cover those that gold has; nothing where gold has none."""
    if not any(one.spans for one in golds):
        return {}
    return {
        one.label: measure_span_overlap((cell for run in one.runs for cell in run.cells), golds)
        for one in comparison.entrants
    }


def _score_runs(
    suite: EvaluationSuite, folders: Sequence[Path], golds: Sequence[Gold], tree: ObjectNode
) -> Iterator[ScoredRun]:
    """The runs with labels that tell them apart: repeats of the suite's own by number, others by their folders."""
    found = [read_run_folder(folder) for folder in folders]
    seen: Counter[tuple[str, str]] = Counter()
    many = Counter((run.model, run.prompt) for run in found)
    for folder, run in zip(folders, found, strict=True):
        pair = (run.model, run.prompt)
        seen[pair] += 1
        same = many[pair] > 1 and suite.repeats == 1
        yield load_scored_run(
            folder,
            golds,
            tree,
            task=suite.task.name,
            fingerprint=suite.task.schema.fingerprint,
            label=f"{run.model} · {run.prompt} · {folder.name}" if same else None,
            repeat=1 if same else seen[pair],
            price=_find_price(suite, run),
        )


def _find_price(suite: EvaluationSuite, run: RunFolder) -> tuple[float, float] | None:
    """What the suite says; where it has no prices at all, today's list price of an endpoint's model."""
    made = run.manifest.model
    if suite.prices or not made.endpoint:
        return suite.prices.get(run.model)
    return load_prices().find_price(made.name, made.endpoint)


def _load_sample_texts(samples: Path) -> dict[str, str]:
    texts = {}
    for source in find_sources([samples]):
        try:
            document = load_document(source.path)
        except DocumentError:
            continue
        texts[document.name] = document.text
    return texts
