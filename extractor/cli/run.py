"""`extractor run`: records from documents."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.cli.asking import add_example_flags, settle_prompt
from extractor.cli.batch import PENDING, add_batch_flags, check_batch_flags, go_by_batch
from extractor.cli.console import (
    describe_bill,
    print_notes,
    print_outcomes,
    print_summary,
    tolerate_closed_pipe,
)
from extractor.cli.endpoint_flags import (
    add_model_flags,
    choose_flagged_models,
    choose_threshold,
    parse_count,
    parse_seconds,
    read_client_options,
    read_document_deadline,
)
from extractor.cli.progress import RunProgress
from extractor.cli.publish import add_publish_flag, open_publisher, publish_documents, refuse_publishing
from extractor.cli.run_on import add_cluster_flags, build_executor, open_cluster
from extractor.cli.trust import add_trust_flag

if TYPE_CHECKING:
    from extractor.documents.discovery import Source
    from extractor.extraction.acceptance import Acceptance
    from extractor.extraction.prompt import Prompt
    from extractor.extraction.task import Task
    from extractor.models.choice import ModelSpec
    from extractor.models.client_options import ClientOptions
    from extractor.models.prices import Price, PriceList
    from extractor.results.outcome import RunOutcomes
    from extractor.runs.job import Job
    from extractor.runs.shards import Shard, ShardPart


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes about its documents, whatever it asks of them."""

    out: Path
    client: ClientOptions
    """How what answers is dealt with."""
    acceptance: Acceptance | None = None
    """How sure one must be of a value that goes into the record."""
    calibration: Path | None = None
    """Weights of one's own to compute that with."""
    day_first: bool | None = None
    """Whether 03/04/2024 is the third of April; None: the document decides."""
    document_timeout: float | None = None
    """Seconds."""
    ask_again_below: float | None = None
    """Of two models, the confidence below which the second is asked; None: all are asked."""
    fresh: bool = False
    retry_failed: bool = False
    again: str = ""
    """What tells a repeat of a run apart: it asks anew, and has cassettes of its own."""
    part: ShardPart | None = None
    """Which of the documents are the run's."""
    elsewhere: bool = False
    """Whether other processes ask the model."""


def add_run_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser("run", help="extract records from documents")
    paths = "files, folders, patterns, or - for stdin; without any, the samples of the suite in ./ or ./eval"
    run.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=paths)
    run.add_argument("-o", "--out", type=Path, default=Path("out"), help="folder for the results (default: out)")
    run.add_argument("--task", help="the name of a task that ships, or a folder as a path (./mine, mine/)")
    run.add_argument("--schema", help="a schema instead of a task: FILE.py:CLASS or a JSON Schema file")
    add_trust_flag(run)
    run.add_argument("--prompt", help="prompt version of the task (default: the one it prefers)")
    add_example_flags(run)
    split = "what begins a document in a file of several: documents (a model says), pages, a field, or none"
    run.add_argument("--split", nargs="?", const="documents", metavar="BY", help=split)
    run.add_argument("--route", type=Path, metavar="FILE", help="tasks of a mixed folder, TOML (docs/sorting.md)")
    run.add_argument("--model", help="embedded model, path of a .gguf, or the endpoint's model name")
    add_ensemble_flags(run)
    add_model_flags(run, "live")
    at_once = "requests at a time; of an embedded model, documents (default: 1 embedded, 8 else)"
    run.add_argument("--concurrency", type=parse_count, metavar="N", help=at_once)
    run.add_argument(
        "--ocr", action="store_true", help="read pages without a text layer, and pictures within documents, by OCR"
    )
    run.add_argument(
        "--document-timeout",
        type=parse_seconds,
        metavar="SECONDS",
        help="of work for one document, its wait in the queue not counted; what is not answered then fails",
    )
    run.add_argument("--retry-failed", action="store_true", help="ask again what failed or is incomplete")
    run.add_argument("--fresh", action="store_true", help="ask everything, also what OUT has results of")
    accept = "confidence from which on a value is in the record; 0 keeps all that was said (default: 0.5)"
    run.add_argument("--accept", type=float, default=0.5, metavar="P", help=accept)
    calibration = "weights of confidence that eval --calibrate wrote (default: those that ship)"
    run.add_argument("--calibration", type=Path, metavar="FILE", help=calibration)
    order = "03/04/2024 is the third of April, or of March with --no-day-first (default: the document decides)"
    run.add_argument("--day-first", action=argparse.BooleanOptionalAction, default=None, help=order)
    run.add_argument("--only-proven", action="store_true", help="nothing in a record that has no words of its own")
    part = "part I of N of the documents, the first being 0; merge makes one result set of all parts (docs/scale.md)"
    run.add_argument("--shard", type=_parse_shard, metavar="I/N", help=part)
    add_cluster_flags(run)
    add_publish_flag(run)
    run.add_argument("--dry-run", action="store_true", help="print what the run would take; nothing is sent or written")
    run.add_argument("--prices", type=Path, metavar="FILE", help="prices of models, TOML (default: those that ship)")
    progress = "auto: a line that moves on a terminal, a line a minute else; json: events on stderr, a line each"
    run.add_argument("--progress", choices=["auto", "json"], default="auto", help=f"{progress} (default: auto)")
    run.add_argument("--json", action="store_true", help="print a JSON summary on stdout")
    run.add_argument("--quiet", action="store_true", help="no progress, no summary")
    add_batch_flags(run)
    run.set_defaults(command=run_extract_command)


def add_ensemble_flags(run: argparse.ArgumentParser) -> None:
    """The flags that name more models than one."""
    group = run.add_argument_group("several models")
    several = (
        "models that are all asked, or an ensemble of the config file; their records become one (docs/ensemble.md)"
    )
    group.add_argument("--models", metavar="A,B,C", help=several)
    group.add_argument("--then", metavar="MODEL", help="asked what the model leaves in doubt, and nothing else")
    below = "confidence of a value below which the second model is asked (default: 0.8, after a small model 0.5)"
    group.add_argument("--ask-again-below", type=float, metavar="P", help=below)


def _parse_shard(text: str) -> Shard:
    from extractor.runs.shards import parse_shard

    try:
        return parse_shard(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_extract_command(flags: argparse.Namespace) -> int:
    from extractor.cli.run_inputs import choose_run_inputs, find_run_sources
    from extractor.cli.sorted_run import run_sorted_command, wants_sorting
    from extractor.documents.discovery import show_sources
    from extractor.documents.sources import PickedSources
    from extractor.models.known_traits import share_vision
    from extractor.models.prices import SHIPPED_PRICES, find_model_price, load_prices
    from extractor.runs.output_folder import prepare_output_folder
    from extractor.runs.runner import compute_exit_code, run_job
    from extractor.runs.shards import choose_shard_part
    from extractor.runs.signals import run_until_signal

    inputs = None if flags.route else choose_run_inputs(flags)
    if inputs is None or wants_sorting(flags, inputs.task.schema.source):
        refuse_publishing(flags)
        return run_sorted_command(flags)
    task = inputs.task
    prompt = settle_prompt(flags, task, inputs.prompt, flags.prompt)
    costs = load_prices(flags.prices or SHIPPED_PRICES)
    sources = find_run_sources(flags, inputs.paths)
    part = choose_shard_part(flags.shard, sources) if flags.shard else None
    own = sources if part is None else PickedSources(sources, part.indexes)
    if flags.dry_run:
        print_notes(() if flags.quiet else inputs.notes)
        return _print_estimate(flags, task, prompt, own, costs)
    by_batch = check_batch_flags(flags)
    choices = choose_flagged_models(flags, live=flags.mode != "replay")
    choice = choices[0]
    options = read_run_options(flags, choice, costs, part)
    sources = show_sources(sources, share_vision(one.vision for one in choices))
    prepare_output_folder(flags.out)
    print_notes(() if flags.quiet else inputs.notes)
    price = find_model_price(choice, costs) if len(choices) == 1 else None  # each has its own
    lists, on_terminal = not (flags.quiet or flags.json), sys.stderr.isatty()
    say = RunProgress(
        not flags.quiet and on_terminal,
        len(own),
        price,
        costs.currency,
        lists_records=lists,
        in_lines=not (flags.quiet or on_terminal),
        as_events=flags.progress == "json",
    )
    opened = (
        open_job(options, task, prompt, choice, say)
        if len(choices) == 1
        else open_ensemble_job(options, task, prompt, choices, say)
    )
    with open_cluster(flags) as cluster, open_publisher(flags) as publisher, opened as opened_job:
        job = publish_documents(opened_job, publisher)
        if by_batch:
            pending, heard = run_until_signal(lambda stop: go_by_batch(flags, job, own, choice, costs, stop))
            if pending or heard:
                print_notes([pending] if pending else [])
                return 128 + heard if heard else PENDING

        async def work(stop: asyncio.Event) -> RunOutcomes:
            executor = build_executor(flags, cluster, job.extractor, choice, options.client)
            async with say.ticking():
                return await run_job(job, sources, stop, executor)

        outcomes, heard = run_until_signal(work)
        say.clear_line()
        if publisher and not heard:
            publisher.finish(outcome.file for outcome in outcomes)
    if heard:
        print_notes([f"Interrupted, {outcomes.tally.pending:,} to go; what was finished is kept. Run it again."])
        return 128 + heard
    with tolerate_closed_pipe():
        if flags.json:
            print_outcomes(outcomes)
        elif not flags.quiet:
            print_summary(outcomes, flags.out, _describe_bill(outcomes, choices, costs, price))
    if not flags.quiet:
        print_notes(outcomes.notes)
    return compute_exit_code(outcomes)


def _print_estimate(
    flags: argparse.Namespace, task: Task, prompt: Prompt, sources: Sequence[Source], costs: PriceList
) -> int:
    """What a run would take, of the model or of all models that flags name."""
    from extractor.cli.dry_run import EstimateOptions, print_estimate, print_estimates
    from extractor.documents.discovery import show_sources
    from extractor.models.known_traits import share_vision

    choices = choose_flagged_models(flags, live=False)
    members = [
        EstimateOptions(one, flags.out, flags.concurrency, flags.json, flags.quiet, flags.batch) for one in choices
    ]
    shown = show_sources(sources, share_vision(one.vision for one in choices))
    if len(members) == 1:
        return print_estimate(task, prompt, shown, costs, members[0])
    code = print_estimates(task, prompt, shown, costs, members)
    if flags.then and not (flags.json or flags.quiet):
        print(f"{choices[1].name} is asked only of what {choices[0].name} says less surely: the most that it may take.")
    return code


def _describe_bill(outcomes: RunOutcomes, choices: Sequence[ModelSpec], costs: PriceList, price: Price | None) -> str:
    """What a run took; of several models, the money is not told, since run.json has what each of them took."""
    embedded = all(one.is_embedded for one in choices) or len(choices) > 1
    return describe_bill(outcomes, choices[0].name, embedded, costs, price)


def read_run_options(
    flags: argparse.Namespace, choice: ModelSpec, costs: PriceList, part: ShardPart | None = None
) -> RunOptions:
    from extractor.extraction.acceptance import Acceptance

    return RunOptions(
        out=flags.out,
        client=read_client_options(flags, flags.mode, flags.concurrency, costs),
        acceptance=Acceptance(flags.accept, flags.only_proven),
        calibration=flags.calibration,
        day_first=flags.day_first,
        document_timeout=read_document_deadline(flags, choice),
        fresh=flags.fresh,
        retry_failed=flags.retry_failed,
        ask_again_below=choose_threshold(flags, choice),
        part=part,
        elsewhere=flags.on is not None,
    )


@contextlib.contextmanager
def open_job(options: RunOptions, task: Task, prompt: Prompt, choice: ModelSpec, say: RunProgress) -> Iterator[Job]:
    """The job that runs one model with one prompt, its engine running while the block lasts."""
    from extractor.documents.confinement.confine import hide_from_readers
    from extractor.models.session import open_session
    from extractor.runs.document import build_extractor
    from extractor.runs.job import Job
    from extractor.runs.resources import limit_concurrency

    at_once = limit_concurrency(choice.choose_concurrency(options.client.concurrency))
    client = replace(options.client, concurrency=at_once)
    with hide_from_readers(), open_session(choice, client, options.again, elsewhere=options.elsewhere) as session:
        extractor = build_extractor(
            task,
            prompt,
            session,
            acceptance=options.acceptance,
            calibration_file=options.calibration,
            day_first=options.day_first,
            document_timeout=options.document_timeout,
            on_reply=say.count_reply,
        )
        say_bug = {"on_bug": say.show_bug} if options.client.verbose else {}
        about: dict[str, Any] = {"part": options.part, "price": say.price, "currency": say.currency, **say_bug}
        yield Job(
            extractor, options.out, options.fresh, options.retry_failed, say.count_document, say.list_record, **about
        )


@contextlib.contextmanager
def open_ensemble_job(
    options: RunOptions, task: Task, prompt: Prompt, choices: Sequence[ModelSpec], say: RunProgress
) -> Iterator[Job]:
    """The job that asks several models, all of which run while the block lasts."""
    from extractor.extraction.acceptance import Acceptance
    from extractor.runs.document import DocumentExtractor
    from extractor.runs.ensemble import build_ensemble

    acceptance = options.acceptance or Acceptance()
    with contextlib.ExitStack() as opened:
        jobs = [opened.enter_context(open_job(options, task, prompt, one, say)) for one in choices]
        members = [job.extractor for job in jobs if isinstance(job.extractor, DocumentExtractor)]
        ensemble = build_ensemble(members, acceptance, options.calibration, options.ask_again_below)
        yield replace(jobs[0], extractor=ensemble)
