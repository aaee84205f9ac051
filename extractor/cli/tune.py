"""`extractor tune`: ways to ask, raced on gold; which is better, or that it can't be told."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.asking import AUTO, add_example_flags, choose_examples
from extractor.cli.console import print_notes
from extractor.cli.endpoint_flags import add_model_flags, choose_flagged_model, read_client_options
from extractor.cli.progress import RunProgress
from extractor.cli.trust import add_trust_flag, allow_task_code
from extractor.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from extractor.documents.discovery import Source
    from extractor.evaluation.plans import TunePlan
    from extractor.evaluation.scoring.outcomes import ScoredRun
    from extractor.evaluation.suite import EvaluationSuite, SuiteGold
    from extractor.evaluation.tuning import RaceResult
    from extractor.models.session import ModelSession
    from extractor.types import Document

MOST_PLANS = 24


def add_tune_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "try ways to ask on gold, for a part of the calls, and say which is better or that it can't be told"
    parser = commands.add_parser("tune", help=about)
    parser.add_argument("--suite", type=Path, help="folder with suite.toml (default: eval)")
    add_trust_flag(parser)
    parser.add_argument("--model", help="the model that is asked (default: the suite's first)")
    prompts = "prompt versions that are tried, the one in use first (default: those of the suite)"
    parser.add_argument("--prompts", nargs="+", default=[], metavar="NAME", help=prompts)
    ask = "by field groups, for the whole record, or both (default: as the versions say)"
    parser.add_argument("--ask", nargs="+", default=[], choices=["groups", "whole"], help=ask)
    chunks = "estimated tokens of a chunk, such as 2800 1400 (default: as the versions say)"
    parser.add_argument("--chunk-tokens", nargs="+", type=int, default=[], metavar="N", help=chunks)
    add_example_flags(parser)
    parser.add_argument("--plans", type=int, default=MOST_PLANS, metavar="N", help=f"at most (default: {MOST_PLANS})")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which documents are asked about")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("tune"), help="for the runs, which a repeat goes on with"
    )
    write = "write what is better into this config file, which run then reads (extractor.toml); else it is printed"
    parser.add_argument("--write", type=Path, metavar="FILE", help=write)
    add_model_flags(parser, "live")
    parser.set_defaults(command=run_tune_command)


@dataclass(frozen=True, slots=True)
class TuningRoom:
    """What a race runs on: the suite and its gold, what answers, and where the runs are kept."""

    suite: EvaluationSuite
    true: SuiteGold
    session: ModelSession
    out: Path
    sources: Mapping[str, Source]
    """Of the documents that have gold, by their names."""


def run_tune_command(flags: argparse.Namespace) -> int:
    """0 where a plan is better than the one in use; 1 where that can't be told."""
    from extractor.documents.confinement.confine import hide_from_readers
    from extractor.documents.discovery import find_sources, show_sources
    from extractor.evaluation.plans import TriedSettings, list_plans
    from extractor.evaluation.suite import load_suite, load_suite_gold
    from extractor.models.session import open_session
    from extractor.runs.signals import run_until_signal

    is_named = flags.suite is not None
    suite = load_suite(
        flags.suite or Path("eval"), lambda code: print_notes(allow_task_code(code, flags, is_named=is_named))
    )
    true = load_suite_gold(suite)
    examples = choose_examples(flags, suite.task)
    prompts = tuple(flags.prompts or suite.prompts)
    shown = (None,) if examples is None else (None, examples)
    tried = TriedSettings(prompts, tuple(flags.ask), tuple(flags.chunk_tokens), shown, flags.plans)
    choice = choose_flagged_model(flags, flags.model or suite.models[0], live=flags.mode != "replay")
    client = read_client_options(flags, flags.mode)
    found = find_gold_documents(show_sources(find_sources([suite.samples]), choice.vision), true)
    documents = [document for _, document in found]
    plans = list_plans(suite.task, tried, documents, choice.name, choice.traits)
    if len(plans) < 2:
        raise UsageError("There is one plan, or all ask the same; name more with --prompts, --ask or --chunk-tokens.")
    say = RunProgress(sys.stderr.isatty(), len(plans) * len(documents))
    with hide_from_readers(), open_session(choice, client) as session:
        room = TuningRoom(suite, true, session, flags.out, {one.name: source for source, one in found})
        result, heard = run_until_signal(lambda stop: race_plans(room, plans, stop, seed=flags.seed, say=say))
    say.clear_line()
    if heard or result is None:
        raise Interrupted(heard)
    _print_race(result, plans)
    chosen = next((plan for plan in plans if plan.label == result.chosen), None)
    if chosen is not None:
        hand_over(suite.task.name, chosen, flags.examples, flags.write)
    return 0 if chosen is not None else 1


def find_gold_documents(sources: Sequence[Source], true: SuiteGold) -> list[tuple[Source, Document]]:
    """The sources of documents that have gold, and these; one that cannot be read is named, and left out."""
    from extractor.documents.discovery import read_source
    from extractor.errors import DocumentError

    golds = {one.document for one in true.golds}
    found: list[tuple[Source, Document]] = []
    for source in sources:
        try:
            document = read_source(source)
        except DocumentError as error:
            print_notes([f"{source.path.name} is left out: {error}"])
            continue
        if document.name in golds:
            found.append((source, document))
    return found


async def race_plans(
    room: TuningRoom, plans: Sequence[TunePlan], stop: asyncio.Event, *, seed: int = 0, say: RunProgress | None = None
) -> RaceResult | None:
    """The race of the plans on the room's documents; None where it was stopped."""
    from extractor.evaluation.runs import load_scored_run
    from extractor.evaluation.tuning import run_race
    from extractor.runs.document import build_extractor
    from extractor.runs.job import Job
    from extractor.runs.output_folder import prepare_output_folder
    from extractor.runs.runner import run_job

    by_label = {plan.label: plan for plan in plans}
    told = say or RunProgress(False, 0)

    async def ask(label: str, names: Sequence[str]) -> ScoredRun:
        folder = room.out / label
        prepare_output_folder(folder)
        extractor = build_extractor(room.suite.task, by_label[label].prompt, room.session, on_reply=told.count_reply)
        job = Job(extractor, folder, on_record=told.list_record)
        await run_job(job, [source for name, source in room.sources.items() if name in names], stop)
        if stop.is_set():
            raise _Stopped
        golds = [one for one in room.true.golds if one.document in names]
        return load_scored_run(folder, golds, room.true.schema_root, task=room.suite.task.name, label=label)

    try:
        return await run_race(list(by_label), list(room.sources), ask, seed=seed)
    except _Stopped:
        return None


class _Stopped(Exception):
    """The race was stopped by a signal."""


def _print_race(result: RaceResult, plans: Sequence[TunePlan]) -> None:
    width = max(len(plan.label) for plan in plans)
    by_label = {plan.label: plan for plan in plans}
    last: dict[str, tuple[int, float | None]] = {}
    for played in result.rounds:
        last |= {label: (played.documents, figure) for label, figure in played.figures}
    print(f"{'plan':<{width}}{'documents':>11}{'F1':>8}{'calls':>8}{'tokens':>10}   of all documents")
    order = sorted(last.items(), key=lambda one: (-one[1][0], -(one[1][1] or 0.0)))
    for label, (documents, figure) in order:
        plan, shown = by_label[label], "–" if figure is None else f"{figure:.3f}"
        print(f"{label:<{width}}{documents:>11}{shown:>8}{plan.calls:>8,}{plan.tokens:>10,}")
    every = sum(plan.calls for plan in plans)
    print(f"\n{result.calls:,} calls, of {every:,} that all plans would take about all documents", end="")
    print(f" ({result.calls / every:.0%})." if every else ".")
    print("\n".join(result.describe()))


def hand_over(task: str, plan: TunePlan, examples: str | None, write: Path | None) -> None:
    """Prints the config file's lines of a plan, or writes them into a file where one is named."""
    from extractor.models.config_file import format_task_table, write_task_table

    told = plan.list_settings()
    if plan.prompt.examples is not None and examples is not None:
        told["examples"] = AUTO if examples == AUTO else str(Path(examples).absolute())
    if write is None:
        print(f"\nFor extractor.toml (or --write FILE):\n\n{format_task_table(task, told)}", end="")
        return
    write_task_table(write, task, told)
    print(f"Written: [tasks.{task}] in {write}")
