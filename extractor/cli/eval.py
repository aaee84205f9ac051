"""`extractor eval`: runs scored against gold, models and prompts compared."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from extractor.cli.asking import add_example_flags, choose_examples
from extractor.cli.console import print_notes
from extractor.cli.endpoint_flags import add_model_flags, choose_flagged_model, read_client_options
from extractor.cli.progress import RunProgress
from extractor.cli.run import RunOptions, open_job
from extractor.cli.trust import add_trust_flag, allow_task_code
from extractor.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from extractor.evaluation.analysis.comparison import Comparison
    from extractor.evaluation.analysis.gates import GateBounds
    from extractor.evaluation.suite import EvaluationSuite, SuiteGold
    from extractor.extraction.examples import Examples
    from extractor.models.choice import ModelSpec
    from extractor.models.client_options import ClientOptions


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """How a suite is run, before anything is scored."""

    out: Path
    """Folder of the report; the runs are in it."""
    client: ClientOptions
    """How what answers is dealt with."""
    choose: Callable[[str], ModelSpec]
    """What is asked by a name that the suite gives."""


def add_eval_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("eval", help="score runs against gold and compare models and prompts")
    parser.add_argument("--suite", type=Path, help="folder with suite.toml (default: eval)")
    add_trust_flag(parser)
    parser.add_argument("--runs", nargs="+", type=Path, metavar="OUT", help="score these finished runs instead")
    parser.add_argument("--gold", type=Path, metavar="DIR", help="score against this gold, not the suite's own")
    add_example_flags(parser)
    parser.add_argument("-o", "--out", type=Path, default=Path("report"), help="for the report (default: report)")
    add_model_flags(parser, "replay, or as the suite says")
    parser.set_defaults(mode=None)
    parser.add_argument(
        "--fail-under",
        action="append",
        default=[],
        metavar="[FIELD=]F1",
        help="the least micro-F1 of every run, over all or of one field, as 'lines[].price=0.8'; may be repeated",
    )
    parser.add_argument(
        "--max-invented",
        action="append",
        default=[],
        metavar="[FIELD=]N",
        help="the most leaves a run may invent, over all or of one field; may be repeated",
    )
    parser.add_argument("--max-failed", type=int, metavar="N", help="the most documents that may fail")
    parser.add_argument("--only", nargs="+", default=[], metavar="RUN", help="the runs that must pass (default: all)")
    parser.add_argument("--baseline", type=Path, help="compare with this baseline; any drop fails")
    parser.add_argument("--allowed-drop", type=float, default=0.0, metavar="F1", help="from the baseline (default: 0)")
    parser.add_argument("--update-baseline", type=Path, metavar="FILE", help="write a baseline of this evaluation")
    learn = "learn from these runs (best made with --accept 0) how likely values are right, and write that to FILE"
    parser.add_argument("--calibrate", type=Path, metavar="FILE", help=learn)
    parser.set_defaults(command=run_eval_command)


def run_eval_command(flags: argparse.Namespace) -> int:
    from extractor.evaluation.suite import load_suite, load_suite_gold, write_suite_report

    gates = _read_gates(flags)
    is_named = flags.suite is not None
    suite = load_suite(
        flags.suite or Path("eval"), lambda code: print_notes(allow_task_code(code, flags, is_named=is_named))
    )
    if flags.gold is not None:
        suite = replace(suite, gold=flags.gold)
    true = load_suite_gold(suite)
    mode = flags.mode or suite.mode
    options = EvalOptions(
        flags.out,
        read_client_options(flags, mode),
        lambda name: choose_flagged_model(flags, name, live=mode != "replay"),
    )
    examples = choose_examples(flags, suite.task)
    if examples and flags.runs:
        raise UsageError("--examples is for runs that are to be made; leave it out, or --runs.")
    folders = flags.runs or _run_suite(suite, options, examples)
    report = write_suite_report(
        suite, true, folders, flags.out, gates, baseline_file=flags.baseline, update=flags.update_baseline
    )
    verdict, paths = report.verdict, report.paths
    if examples:
        print("\n".join(_tell_examples(report.comparison)))
    if flags.calibrate:
        _write_calibration(flags.calibrate, folders, true)
        paths = (*paths, flags.calibrate)
    print(verdict.sentence)
    for path in paths:
        print(path)
    return verdict.exit_code


def _write_calibration(file: Path, folders: Sequence[Path], gold: SuiteGold) -> None:
    """Fits the weights of the runs' class of models on the suite's gold."""
    from extractor.evaluation.analysis.fitting import collect_leaves, fit_calibration
    from extractor.evaluation.runs import read_run_folder
    from extractor.extraction.grounding.confidence import load_calibration
    from extractor.files import write_atomically
    from extractor.models.traits import ModelClass

    runs = [read_run_folder(folder) for folder in folders]
    classes = {run.manifest.reading.get("class", ModelClass.STRONG.value) for run in runs}
    if len(classes) > 1:
        raise UsageError("These runs are of small and of strong models; calibrate the one and the other by themselves.")
    leaves = [leaf for run in runs for leaf in collect_leaves(run, gold)]
    content = fit_calibration(leaves, ModelClass(classes.pop()), load_calibration())
    write_atomically(file, [json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"])


def _read_gates(flags: argparse.Namespace) -> GateBounds:
    """What the flags ask of a run. Raises UsageError for a bound that cannot be meant."""
    from extractor.evaluation.analysis.gates import GateBounds

    least, least_of = _parse_bounds("--fail-under", flags.fail_under, float)
    most, most_of = _parse_bounds("--max-invented", flags.max_invented, int)
    return GateBounds(
        fail_under=least,
        fail_under_fields=least_of,
        max_invented=most,
        max_invented_fields=most_of,
        max_failed=flags.max_failed,
        allowed_drop=flags.allowed_drop,
        runs=tuple(flags.only),
    )


_Bound = TypeVar("_Bound", int, float)


def _parse_bounds(
    flag: str, given: Sequence[str], number: Callable[[str], _Bound]
) -> tuple[_Bound | None, dict[str, _Bound]]:
    """The bound over everything, and those of single fields. Raises UsageError for what is no number."""
    overall: _Bound | None = None
    of: dict[str, _Bound] = {}
    for text in given:
        field, _, bound = text.rpartition("=")
        try:
            value = number(bound)
        except ValueError:
            raise UsageError(
                f"{flag} {text!r} holds no number after the field; write 'FIELD=NUMBER' or a number."
            ) from None
        if field:
            of[field] = value
        else:
            overall = value
    return overall, of


def _tell_examples(comparison: Comparison) -> Iterator[str]:
    """What examples bring each model and prompt, and for which fields: two sentences for each."""
    from extractor.evaluation.analysis.findings import tell_helped_fields, tell_pair
    from extractor.extraction.prompt import WITH_EXAMPLES

    for pair in comparison.pairs:
        if pair.a.removesuffix(WITH_EXAMPLES) == pair.b.removesuffix(WITH_EXAMPLES):
            yield tell_pair(pair, comparison.statistic.display_name)
            plain, shown = sorted(map(comparison.find_entrant, (pair.a, pair.b)), key=lambda one: len(one.label))
            if helped := tell_helped_fields(plain, shown):
                yield helped


def _run_suite(suite: EvaluationSuite, options: EvalOptions, examples: Examples | None = None) -> list[Path]:
    """Runs or replays every model with every prompt of the suite that is not there yet; the folders of results.

    With examples, each prompt is run without and with them, which never are of the document that is asked about.
    """
    from extractor.documents.discovery import find_sources, show_sources
    from extractor.extraction.pipeline import Reading
    from extractor.models.client_options import Mode
    from extractor.models.open_endpoint import open_endpoint
    from extractor.results.manifest import build_run_manifest
    from extractor.runs.output_folder import is_run_finished, prepare_output_folder
    from extractor.runs.runner import run_job
    from extractor.runs.signals import run_until_signal

    folders = []
    sources = find_sources([suite.samples])
    prompts = [suite.task.choose_prompt(name) for name in suite.prompts]
    if examples:
        prompts = [one for prompt in prompts for one in (prompt, prompt.show_examples(examples))]
    for model, prompt, n in itertools.product(suite.models, prompts, range(1, suite.repeats + 1)):
        if (model, prompt.name.partition("+")[0]) in suite.left_out:
            continue
        again = "" if n == 1 else f"-{n}"
        out = options.out / "runs" / Path(model).name / f"{prompt.name}{again}"
        folders.append(out)
        choice = options.choose(model)
        if options.client.mode is not Mode.REPLAY:
            with open_endpoint(choice, Mode.REPLAY) as named:
                manifest = build_run_manifest(suite.task, prompt, named, Reading(choice.traits))
                if is_run_finished(out, manifest, len(sources)):
                    continue
        prepare_output_folder(out)
        say = RunProgress(sys.stderr.isatty(), len(sources))
        run = RunOptions(out, options.client, document_timeout=choice.settings.document_deadline, again=again)
        with open_job(run, suite.task, prompt, choice, say) as job:
            shown = show_sources(sources, choice.vision)
            _, heard = run_until_signal(lambda stop, job=job, shown=shown: run_job(job, shown, stop))  # type: ignore[misc]
        say.clear_line()
        if heard:
            raise Interrupted(heard)
    return folders
