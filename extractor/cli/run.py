"""`extractor run`: records from documents."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.cli.console import (
    RunProgress,
    describe_bill,
    print_notes,
    print_outcomes,
    print_summary,
    tolerate_closed_pipe,
)
from extractor.cli.endpoint_flags import add_endpoint_flags, read_client_options

if TYPE_CHECKING:
    from extractor.runs.job import Job


def add_run_command(commands: Any) -> None:
    run = commands.add_parser("run", help="extract records from documents")
    paths = "files, folders, patterns, or - for stdin; without any, the samples of the suite in ./ or ./eval"
    run.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=paths)
    run.add_argument("-o", "--out", type=Path, default=Path("out"), help="folder for the results (default: out)")
    run.add_argument("--task", help="the name of a task that ships, or a folder as a path (./mine, mine/)")
    run.add_argument("--schema", help="a schema instead of a task: FILE.py:CLASS or a JSON Schema file")
    run.add_argument("--prompt", help="prompt version of the task (default: the one it prefers)")
    run.add_argument("--model", help="embedded model, path of a .gguf, or the endpoint's model name")
    add_model_flags(run, "live")
    at_once = "requests at a time; of an embedded model, documents (default: 1 embedded, 8 else)"
    run.add_argument("--concurrency", type=int, metavar="N", help=at_once)
    run.add_argument("--ocr", action="store_true", help="read pages without a text layer with tesseract")
    run.add_argument(
        "--document-timeout",
        type=_parse_seconds,
        metavar="SECONDS",
        help="for one document; what is not answered then fails",
    )
    run.add_argument("--retry-failed", action="store_true", help="ask again what failed or is incomplete")
    run.add_argument("--fresh", action="store_true", help="ask everything, also what OUT has results of")
    run.add_argument("--keep-unsupported", action="store_true", help="keep values without evidence, marked as such")
    run.add_argument("--dry-run", action="store_true", help="print what the run would take; nothing is sent or written")
    run.add_argument("--prices", type=Path, metavar="FILE", help="prices of models, TOML (default: those that ship)")
    run.add_argument("--json", action="store_true", help="print a JSON summary on stdout")
    run.add_argument("--quiet", action="store_true", help="no progress, no summary")
    run.set_defaults(command=run_extract_command)


def add_model_flags(parser: argparse.ArgumentParser, mode: str) -> None:
    """The flags that choose what answers, of every command that asks a model."""
    parser.add_argument("--mode", choices=["live", "record", "replay"], default=mode, help=f"(default: {mode})")
    parser.add_argument("--cassettes", type=Path, default=Path("cassettes"), help="tapes (default: cassettes)")
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint (or OPENAI_BASE_URL, with OPENAI_API_KEY)")
    parser.add_argument("-v", "--verbose", action="store_true", help="also the engine's own log")
    add_endpoint_flags(parser)


def _parse_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("give a number of seconds above 0")
    return seconds


def run_extract_command(flags: argparse.Namespace) -> int:
    from extractor.cli.run_inputs import choose_run_inputs
    from extractor.documents.discovery import find_sources
    from extractor.models.prices import SHIPPED_PRICES, load_prices
    from extractor.models.session import choose_model
    from extractor.runs.output_folder import prepare_output_folder
    from extractor.runs.runner import compute_exit_code, run_job
    from extractor.runs.signals import run_until_signal

    inputs = choose_run_inputs(flags)
    task, prompt = inputs.task, inputs.prompt
    costs = load_prices(flags.prices or SHIPPED_PRICES)
    sources = find_sources(inputs.paths, ocr=flags.ocr)
    if flags.dry_run:
        from extractor.cli.dry_run import print_estimate

        return print_estimate(flags, task, prompt, sources, costs)
    choice = choose_model(flags.model, flags.base_url)
    prepare_output_folder(flags.out)
    price = None if choice.is_embedded else costs.find_price(choice.name)
    is_shown, lists = not flags.quiet and sys.stderr.isatty(), not (flags.quiet or flags.json)
    say = RunProgress(is_shown, len(sources), price, costs.currency, lists_records=lists)
    with open_job(flags, task, prompt, choice, flags.out, say) as job:
        outcomes, heard = run_until_signal(lambda stop: run_job(job, sources, stop))
    say.clear_line()
    if heard:
        print_notes([f"Interrupted, {outcomes.tally.pending:,} to go; what was finished is kept. Run it again."])
        return 128 + heard
    with tolerate_closed_pipe():
        if flags.json:
            print_outcomes(outcomes)
        elif not flags.quiet:
            print_summary(outcomes, flags.out, describe_bill(outcomes, choice.name, choice.is_embedded, costs))
    if not flags.quiet:
        print_notes(outcomes.notes)
    return compute_exit_code(outcomes)


@contextlib.contextmanager
def open_job(
    flags: argparse.Namespace, task: Any, prompt: Any, choice: Any, out: Path, say: RunProgress, again: str = ""
) -> Iterator[Job]:
    """The job that runs one model with one prompt, its engine running while the block lasts; repeats have own tapes."""
    from extractor.extraction.acceptance import Acceptance
    from extractor.extraction.pipeline import Reading
    from extractor.models.session import Mode, ModelSession, cassette_path, open_endpoint
    from extractor.models.traits import traits_of
    from extractor.results.manifest import build_run_manifest
    from extractor.runs.job import Job
    from extractor.runs.resources import limit_concurrency

    mode = Mode(flags.mode)
    replayed, recorded = mode is Mode.REPLAY, mode is Mode.RECORD
    tapes = flags.cassettes / task.name / Path(choice.name).name / f"{prompt.name}{again}"
    at_once = limit_concurrency(choice.choose_concurrency(getattr(flags, "concurrency", None)))
    with open_endpoint(choice, mode, flags.verbose, at_once) as endpoint:
        line = ModelSession(endpoint, mode, read_client_options(flags, at_once, choice.is_embedded), again)
        yield Job(
            task=task,
            prompt=prompt,
            model_name=choice.name,
            manifest=build_run_manifest(task, prompt, endpoint),
            out=out,
            open_model=line.model_opener(tapes),
            concurrency=at_once,
            in_turn=choice.is_embedded,
            reading=Reading(
                traits_of(choice.name, small=choice.is_embedded),
                Acceptance(0.0 if getattr(flags, "keep_unsupported", False) else 0.5),
            ),
            on_reply=say.count_reply,
            on_document=say.count_document,
            on_record=say.list_record,
            document_timeout=getattr(flags, "document_timeout", None),
            fresh=getattr(flags, "fresh", False),
            retry_failed=getattr(flags, "retry_failed", False),
            is_replay=replayed,
            has_cassette=(lambda name: cassette_path(tapes, name).is_file()) if recorded else (lambda name: True),
        )
