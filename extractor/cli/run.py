"""`extractor run`: records from documents."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.cli import console
from extractor.cli import endpoint_flags as terms

if TYPE_CHECKING:
    from extractor.runs.job import Job


def add_run_command(commands: Any) -> None:
    run = commands.add_parser("run", help="extract records from documents")
    run.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, folders, patterns, or - for stdin")
    run.add_argument("-o", "--out", type=Path, default=Path("out"), help="folder for the results (default: out)")
    run.add_argument("--task", default="researcher", help="a task's name or folder (default: researcher)")
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
    terms.add_endpoint_flags(parser)


def _parse_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("give a number of seconds above 0")
    return seconds


def run_extract_command(flags: argparse.Namespace) -> int:
    from extractor.documents import discovery as documents
    from extractor.extraction import task as tasks
    from extractor.models import prices
    from extractor.models import session as models
    from extractor.runs import output_folder, runner
    from extractor.runs import signals as stopping

    task, prompt = tasks.choose_task(flags.task, flags.schema, flags.prompt)
    costs = prices.load_prices(flags.prices or prices.SHIPPED_PRICES)
    sources = documents.find_sources(flags.paths, ocr=flags.ocr)
    if flags.dry_run:
        from extractor.cli import dry_run as dryrun

        return dryrun.print_estimate(flags, task, prompt, sources, costs)
    choice = models.choose_model(flags.model, flags.base_url)
    output_folder.prepare_output_folder(flags.out)
    price = None if choice.is_embedded else costs.find_price(choice.name)
    say = console.RunProgress(not flags.quiet and sys.stderr.isatty(), len(sources), price, costs.currency)
    with open_job(flags, task, prompt, choice, flags.out, say) as job:
        outcomes, heard = stopping.run_until_signal(lambda stop: runner.run_job(job, sources, stop))
    say.clear_line()
    if heard:
        console.print_notes(
            [f"Interrupted, {outcomes.tally.pending:,} to go; what was finished is kept. Run it again."]
        )
        return 128 + heard
    with console.tolerate_closed_pipe():
        if flags.json:
            console.print_outcomes(outcomes)
        elif not flags.quiet:
            console.print_summary(
                outcomes, flags.out, console.describe_bill(outcomes, choice.name, choice.is_embedded, costs)
            )
    if not flags.quiet:
        console.print_notes(outcomes.notes)
    return runner.compute_exit_code(outcomes)


@contextlib.contextmanager
def open_job(
    flags: argparse.Namespace, task: Any, prompt: Any, choice: Any, out: Path, say: console.RunProgress, again: str = ""
) -> Iterator[Job]:
    """The job that runs one model with one prompt, its engine running while the block lasts; repeats have own tapes."""
    from extractor.models import session as models
    from extractor.results import manifest as manifests
    from extractor.runs import job as jobs
    from extractor.runs import resources as limits

    mode = models.Mode(flags.mode)
    replayed, recorded = mode is models.Mode.REPLAY, mode is models.Mode.RECORD
    tapes = flags.cassettes / task.name / Path(choice.name).name / f"{prompt.name}{again}"
    at_once = limits.limit_concurrency(choice.choose_concurrency(getattr(flags, "concurrency", None)))
    with models.open_endpoint(choice, mode, flags.verbose, at_once) as endpoint:
        line = models.ModelSession(endpoint, mode, terms.read_client_options(flags, at_once, choice.is_embedded), again)
        yield jobs.Job(
            task=task,
            prompt=prompt,
            model_name=choice.name,
            manifest=manifests.build_run_manifest(task, prompt, endpoint),
            out=out,
            open_model=line.model_opener(tapes),
            concurrency=at_once,
            in_turn=choice.is_embedded,
            keep_unsupported=getattr(flags, "keep_unsupported", False),
            on_reply=say.count_reply,
            on_document=say.count_document,
            document_timeout=getattr(flags, "document_timeout", None),
            fresh=getattr(flags, "fresh", False),
            retry_failed=getattr(flags, "retry_failed", False),
            is_replay=replayed,
            has_cassette=(lambda name: models.cassette_path(tapes, name).is_file())
            if recorded
            else (lambda name: True),
        )
